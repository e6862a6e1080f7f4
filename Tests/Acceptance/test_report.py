"""`rejoinder report`: its figures against figures computed here, its page as a browser reads it, the lines that it
skips."""

import csv
import html.parser
import io
import json
import re
import stat

import pytest
from throughput_logs import CODES, START, MadeUpWorker, a_day, event, totals, write
from worker import command


def throughput(lines):
    return [line for line in lines if line["message"] == "throughput"]


def report(*arguments, input=None, status=0):
    result = command("report", *arguments, input=input)
    assert result.returncode == status, (result.stdout[-500:], result.stderr)
    return result.stdout.decode("utf-8"), result.stderr.decode("utf-8")


def figures(a, b):
    """The comparison's figures: (section, name) -> (a, b, ratio)."""
    out, _ = report("--compare", a, b, "--format", "csv")
    rows = csv.reader(io.StringIO(out, newline=""))
    assert next(rows) == ["section", "figure", "a", "b", "ratio"]
    return {(row[0], row[1]): tuple(float(cell) if cell else None for cell in row[2:]) for row in rows}


def middle(lines, kind, part):
    """The least value that with those below it has half of the records."""
    values = sorted((line[kind][part], line[kind]["count"]) for line in lines if kind in line)
    half, weight = sum(count for _, count in values) / 2, 0
    for value, count in values:
        weight += count
        if weight >= half:
            return value
    return None


@pytest.fixture
def two_runs(tmp_path):
    before = MadeUpWorker("w-before", seed=3, rate=8_000)
    a = [before.start_line(), *before.lines(60, load=0.6), *before.lines(1, dead={"schema": 2}, aborts=3)]
    after = MadeUpWorker("w-after", seed=4, rate=10_500, start=START + 90_000)
    b = [after.start_line(), *after.lines(50, load=0.6, slow=0.05)]
    return a, b, write(tmp_path / "a.jsonl", a), write(tmp_path / "b.jsonl", b)


def test_figures_and_ratios_are_those_computed_from_the_lines(two_runs):
    a, b, a_path, b_path = two_runs
    found = figures(a_path, b_path)
    for section, name, value in [
        ("Records", "question events in", lambda lines: sum(line["recordsIn"] for line in lines)),
        ("Records", "enriched records out", lambda lines: sum(line["recordsOut"] for line in lines)),
        ("Records", "length of the run", lambda lines: sum(line["seconds"] for line in lines)),
        ("Records", "question events a second",
         lambda lines: sum(line["recordsIn"] for line in lines) / sum(line["seconds"] for line in lines)),
        ("Records", "the best interval, a second", lambda lines: max(line["recordsIn"] / line["seconds"] for line in lines)),
        ("Records", "bytes out a second",
         lambda lines: sum(line["bytesOut"] for line in lines) / sum(line["seconds"] for line in lines)),
        ("Records", "votes applied to tables", lambda lines: sum(line["votes"] for line in lines)),
        ("Lag", "largest, records", lambda lines: max(line["lag"]["total"] for line in lines)),
        ("Lag", "at the end, records", lambda lines: lines[-1]["lag"]["total"]),
        ("Dead letters", "all", lambda lines: sum(line["deadLettersTotal"] for line in lines)),
        ("Dead letters", "schema", lambda lines: sum(line["deadLetters"]["schema"] for line in lines)),
        ("Commits", "transactions aborted", lambda lines: sum(line["aborts"] for line in lines)),
        ("Latency, poll to acknowledged", "p50", lambda lines: middle(lines, "latencyMs", "p50")),
        ("Latency, poll to acknowledged", "p99", lambda lines: middle(lines, "latencyMs", "p99")),
        ("Latency, poll to acknowledged", "p99 of the worst interval",
         lambda lines: max(line["latencyMs"]["p99"] for line in lines)),
        ("Latency, commit", "max", lambda lines: max(line["commitLatencyMs"]["max"] for line in lines)),
        ("Where the time went", "committing",
         lambda lines: sum(line["timeShares"]["committing"] * line["seconds"] for line in lines)
         / sum(line["seconds"] for line in lines)),
        ("Process", "CPU per record, table records included",
         lambda lines: lines[-1]["process"]["cpuSeconds"] * 1e6
         / sum(line["recordsIn"] + line["answers"] + line["votes"] for line in lines)),
        ("Process", "largest resident memory of a worker",
         lambda lines: max(line["process"]["residentBytes"] for line in lines)),
    ]:
        left, right = value(throughput(a)), value(throughput(b))
        got = found[section, name]
        assert got[0] == pytest.approx(left, rel=1e-9), name
        assert got[1] == pytest.approx(right, rel=1e-9), name
        if left:
            assert got[2] == pytest.approx(right / left, rel=1e-9), name


def test_a_line_of_totals_counts_for_its_run(two_runs, tmp_path):
    a, _, a_path, b_path = two_runs
    whole = totals(throughput(a))
    whole["recordsIn"] += 77
    whole["latencyMs"] = {"count": 10, "p50": 1.5, "p90": 2.5, "p99": 3.5, "max": 4.5}
    found = figures(write(tmp_path / "whole.jsonl", [*a, whole]), b_path)
    assert found["Records", "question events in"][0] == whole["recordsIn"]
    assert found["Records", "question events a second"][0] == pytest.approx(whole["recordsIn"] / whole["seconds"])
    assert found["Latency, poll to acknowledged", "p50"][0] == 1.5
    assert found["Latency, poll to acknowledged", "p99 of the worst interval"][0] == max(
        line["latencyMs"]["p99"] for line in throughput(a)
    )


def test_workers_that_overlap_add_up(tmp_path):
    one, two = MadeUpWorker("w-1", seed=5), MadeUpWorker("w-2", seed=6, start=START + 100)
    a, b = one.lines(40), two.lines(40)
    for line in a + b:
        line["seconds"] = 10.0
    # One log of both, and another that has part of it again: a log collector may give such ones.
    both = sorted(a + b, key=lambda line: line["time"])
    found = figures(write(tmp_path / "both.jsonl", both + both[:10]), write(tmp_path / "one.jsonl", a))
    assert found["Records", "question events in"][0] == sum(line["recordsIn"] for line in a + b)
    assert found["Records", "length of the run"][0] == 500
    by_time = {}
    for line in a + b:
        by_time.setdefault(line["time"], []).append(line)
    assert found["Records", "the best interval, a second"][0] == pytest.approx(
        max(sum(line["recordsIn"] for line in lines) / 10 for lines in by_time.values())
    )
    assert found["Lag", "largest, records"][0] == max(
        sum(line["lag"]["total"] for line in lines) for lines in by_time.values()
    )
    _, errors = report(tmp_path / "both.jsonl", "--format", "text")
    assert "10 repeated" in errors


def test_runs_of_a_worker_are_told_apart_wherever_they_stand(tmp_path):
    first = MadeUpWorker("w", seed=7)
    a = first.lines(20)
    second = MadeUpWorker("w", seed=8, start=first.now + 30)
    b = second.lines(30)
    third = MadeUpWorker("w", seed=9, start=second.now + 1)
    third.now += 3_600
    c = third.lines(5)
    # The newest log first, as a shell may order them.
    paths = [write(tmp_path / name, lines) for name, lines in [("3.jsonl", c), ("1.jsonl", a), ("2.jsonl", b)]]
    out, errors = report(*paths, "--format", "text")
    assert errors == ""
    assert "1 worker, 3 runs" in out
    assert "2 restarts" in out
    together = tmp_path / "all.jsonl"
    together.write_bytes(b"".join(path.read_bytes() for path in paths))
    found = figures(f"{together}#1", f"{together}#2")
    assert found["Records", "question events in"][:2] == (
        sum(line["recordsIn"] for line in a),
        sum(line["recordsIn"] for line in b),
    )
    _, errors = report("--compare", f"{together}#1", f"{together}#4", "--format", "text", status=64)
    assert "3 runs" in errors


def test_torn_and_foreign_lines_are_counted_and_skipped(tmp_path):
    lines = MadeUpWorker("w", seed=1).lines(10)
    texts = [json.dumps(line) for line in lines]
    log = tmp_path / "mixed.jsonl"
    parts = [
        texts[0], "", "plain text of another program", texts[1][:500], f"rejoinder-1  | {texts[2]}", '{"foreign": true}',
        json.dumps({"log": texts[3] + "\n", "stream": "stderr", "time": "2026-11-20T22:00:00Z"}), "[1, 2]", "\x00\xff",
        f"2026-11-20T22:00:41.5Z stderr F {texts[4]}", "{" * 100_000,
        json.dumps({key: value for key, value in lines[5].items() if key != "worker"}),
        json.dumps(lines[6] | {"time": "yesterday"}), texts[7] + "\r", texts[8][:-40],
    ]
    log.write_bytes("\n".join(parts).encode("utf-8", "surrogateescape"))
    out, errors = report(log, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out, newline="")))
    assert [int(row["recordsIn"]) for row in rows] == [lines[index]["recordsIn"] for index in (0, 2, 3, 4, 7)]
    # Torn: two that were cut, one without end, one without a worker, one without a time.
    assert "of 14 lines 5 torn, 4 foreign were skipped" in errors
    page = tmp_path / "report.html"
    _, errors = report(log, "-o", page)
    assert "5 torn, 4 foreign" in errors
    assert "5 torn, 4 foreign were skipped" in page.read_text("utf-8")


def test_csv_has_a_row_for_each_line_in_order(two_runs):
    a, _, a_path, _ = two_runs
    out, errors = report(a_path, "--format", "csv")
    assert errors == ""
    assert out.endswith("\r\n")
    rows = list(csv.DictReader(io.StringIO(out, newline="")))
    lines = throughput(a)
    assert [row["time"] for row in rows] == [line["time"] for line in lines]
    for row, line in zip(rows, lines):
        for name in ("recordsIn", "bytesOut", "commits", "deadLettersTotal"):
            assert int(row[name]) == line[name]
        assert float(row["seconds"]) == line["seconds"]
        assert float(row["latencyMs.p99"]) == line["latencyMs"]["p99"]
        assert float(row["committing"]) == line["timeShares"]["committing"]
        assert int(row["lagTotal"]) == line["lag"]["total"]
        assert row["deadLetters"] == ";".join(f"{code}={line['deadLetters'][code]}" for code in sorted(CODES))


def test_lines_of_other_versions(tmp_path):
    lines = MadeUpWorker("w", seed=2).lines(5)
    newer = [line | {"colour": {"of": ["tomorrow"]}, "recordsLater": 1} for line in lines]
    keep = {"time", "level", "logger", "message", "seconds", "uptimeSeconds", "worker", "recordsIn"}
    older = [{name: value for name, value in line.items() if name in keep} for line in lines]
    found = figures(write(tmp_path / "newer.jsonl", newer), write(tmp_path / "older.jsonl", older))
    assert found["Records", "question events in"][0] == found["Records", "question events in"][1]
    assert found["Latency, poll to acknowledged", "p50"][1] is None
    report(tmp_path / "older.jsonl", "-o", tmp_path / "older.html")


class Page(html.parser.HTMLParser):
    VOID = {"meta", "br"}

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.text, self.references, self.ids = [], [], [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, list(self.open)))
        self.attributes += [name for name, _ in attributes]
        self.references += [value for name, value in attributes if name in ("href", "src", "action", "data", "xlink:href")]
        self.ids += [value for name, value in attributes if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open)
        self.open.pop()

    def handle_data(self, data):
        self.text.append(data)


def test_the_page_is_whole_and_loads_nothing(tmp_path):
    page_path = tmp_path / "day.html"
    report(write(tmp_path / "day.jsonl", a_day()), "-o", page_path)
    text = page_path.read_text("utf-8")
    assert len(text) < 1_000_000
    page = Page(text)
    tags = [tag for tag, _ in page.tags]
    assert not {"script", "link", "img", "iframe", "object", "embed", "form", "base"} & set(tags)
    assert not [name for name in page.attributes if name.startswith("on")]
    assert all(reference.startswith("#") and reference[1:] in page.ids for reference in page.references)
    assert len(page.ids) == len(set(page.ids))
    assert "url(" not in text and "@import" not in text
    # Everything that is drawn has a colour.
    style = re.search(r"<style>(.*?)</style>", text, re.S)[1]
    drawn = set(re.findall(r'class="(?:line|band|layer|swatch|st|shade) ([\w-]+)', text))
    assert {"c1", "c-committing", "c-p99", "c-dead-invalid-json", "s-stalled"} <= drawn
    assert [name for name in drawn if not re.search(rf"\.{name} ?{{ ?--c:", style)] == []
    # Every plot has a title and its numbers as a table.
    plots = re.findall(r"<figure class=plot.*?</figure>", text, re.S)
    assert len(plots) >= 10
    for plot in plots:
        assert re.search(r"<svg [^>]*role=img aria-labelledby=\"\S+ \S+\"><title id=\S+>[^<]+</title><desc id=\S+>[^<]+</desc>", plot)
        assert re.search(r"<details><summary>[^<]+</summary><div class=wide><table>", plot)
    words = " ".join(page.text)
    for finding in ("It fell behind and caught up", "Stalled for", "the transaction coordinator to commit", "1 restart", "27 dead letters"):
        assert finding in words
    assert text.count("class=restart") >= 10


def test_everything_from_logs_is_escaped(tmp_path):
    evil = "<script>alert(1)</script>\"'&\x1b[2J\u202e"
    worker = MadeUpWorker(evil, group=evil, seed=1)
    lines = [worker.start_line(), event(START + 1, evil, "error", logger=evil, cause=evil), *worker.lines(5, waiting=evil, state="stalled")]
    for line in lines[2:]:
        line["lag"]["topics"][evil] = 5
        line["lag"]["largest"] = {"topic": evil, "partition": 1, "records": 5}
        line["deadLetters"][evil] = 1
        line["deadLettersTotal"] += 1
        line["version"] = evil
    log = write(tmp_path / "<b>evil.jsonl", lines)
    report(log, "-o", tmp_path / "evil.html")
    text = (tmp_path / "evil.html").read_text("utf-8")
    page = Page(text)
    tags = {tag for tag, _ in page.tags}
    assert "script" not in tags and "b" not in tags
    assert "\x1b" not in text and "\u202e" not in text
    assert any("<script>alert(1)" in data for data in page.text)
    out, errors = report(log, "--format", "text")
    assert "\x1b" not in out + errors and "\u202e" not in out + errors
    report("--compare", log, log, "-o", tmp_path / "compared.html")
    assert "script" not in {tag for tag, _ in Page((tmp_path / "compared.html").read_text("utf-8")).tags}
    # As data the text stays as it was.
    out, _ = report(log, "--format", "csv")
    assert next(csv.DictReader(io.StringIO(out, newline="")))["worker"] == evil


def test_output_is_replaced_whole_or_not_at_all(two_runs, tmp_path):
    _, _, a_path, b_path = two_runs
    page = tmp_path / "report.html"
    page.write_text("old", "utf-8")
    page.chmod(0o640)
    (tmp_path / "empty.jsonl").write_text("nothing\n", "utf-8")
    _, errors = report(tmp_path / "empty.jsonl", "-o", page, status=65)
    assert "no throughput line" in errors and "empty.jsonl" in errors
    assert page.read_text("utf-8") == "old"
    report(a_path, b_path, "-o", page)
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")
    assert stat.S_IMODE(page.stat().st_mode) == 0o640
    assert not list(tmp_path.glob("*.partial"))
    out, _ = report("-", "-o", "-", input=a_path.read_bytes())
    assert out.startswith("<!DOCTYPE html>")


def test_mistakes_are_told(two_runs, tmp_path):
    _, _, a_path, b_path = two_runs
    for arguments, status, words in [
        ([], 64, "Name a throughput log"),
        ([a_path], 64, "-o report.html"),
        (["nowhere.jsonl", "-o", tmp_path / "x.html"], 64, "cannot open the log 'nowhere.jsonl': No such file"),
        ([tmp_path, "-o", tmp_path / "x.html"], 64, "Is a directory"),
        ([a_path, "-o", tmp_path / "no" / "x.html"], 64, "cannot write the report"),
        ([a_path, "-o", a_path], 64, "is one of the logs"),
        (["--compare", a_path, "-o", tmp_path / "x.html"], 64, "takes two runs"),
        ([a_path, "--compare", a_path, b_path, "-o", tmp_path / "x.html"], 64, "takes two runs|leave"),
        ([a_path, "--format", "pdf"], 64, "pdf"),
    ]:
        result = command("report", *arguments)
        errors = result.stderr.decode("utf-8")
        assert result.returncode == status, (arguments, errors)
        assert re.search(words, errors), (arguments, errors)
    assert not (tmp_path / "x.html").exists()
    assert not list(tmp_path.glob("*.partial"))


def test_comparison_lays_runs_over_each_other(two_runs, tmp_path):
    _, _, a_path, b_path = two_runs
    page = tmp_path / "compared.html"
    report("--compare", a_path, b_path, "-o", page)
    text = page.read_text("utf-8")
    Page(text)
    # Both begin at the left edge, though a day lies between them.
    throughput = re.search(r"<figure class=plot id=\"throughput\">.*?</figure>", text, re.S).group(0)
    starts = [float(start) for start in re.findall(r'<path class="line c\d strong" d="M([0-9.]+) ', throughput)]
    assert len(starts) == 2 and abs(starts[0] - starts[1]) < 1
    out, _ = report("--compare", a_path, b_path, "--format", "text")
    assert re.search(r"question events a second +4,\d\d\d +6,\d\d\d +1\.3\d×?", out)
