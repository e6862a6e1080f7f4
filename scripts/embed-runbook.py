"""Writes the section Alerts of docs/operating.md into the program, which shows it at /runbook. A unit test compares the two."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def section() -> str:
    text = (ROOT / "docs/operating.md").read_text()
    start = text.index("## Alerts\n")
    return text[start : text.index("\n## ", start) + 1]


def main() -> None:
    lines = "".join(f"        {line}\n" if line else "\n" for line in section().rstrip("\n").split("\n"))
    (ROOT / "Sources/Monitoring/Dashboard/Runbook+Text.swift").write_text(
        "extension Runbook {\n"
        "    /// The section Alerts of docs/operating.md: after a change there, run scripts/embed-runbook.py.\n"
        f'    static let text = #"""\n{lines}        """#\n'
        "}\n"
    )


if __name__ == "__main__":
    main()
