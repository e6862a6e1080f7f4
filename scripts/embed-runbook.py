"""Copies the section Alerts of docs/operating.md into the program, which shows it at /runbook. A unit test compares the
two."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def section() -> str:
    text = (ROOT / "docs/operating.md").read_text()
    start = text.index("## Alerts\n")
    return text[start : text.index("\n## ", start) + 1]


if __name__ == "__main__":
    (ROOT / "Sources/Pages/runbook.md").write_text(section().rstrip("\n") + "\n")
