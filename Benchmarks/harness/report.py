"""The figures as tables."""

import statistics

# W1 in turns with w4, which is compared with it.
W1_BESIDE_W4 = "w1 beside w4"
# The program's name where an idle worker is measured on a broker that holds fetches which find nothing, as Kafka's do.
ON_WAITING_BROKER = "rejoinder, on librdkafka's mock cluster"

# The base that an experiment's programs are compared with, where it is not the floor.
BASES = {"lanes": ("rejoinder", "one lane"), "settings": ("default", "the default")}

# Figures that are also told as a ratio to the base's.
RATIOS = [("cpu_us_per_record", "CPU"), ("records_per_second", "records/s"), ("p50_ms", "p50"), ("p99_ms", "p99")]

FIGURES = {
    "step_ns": ("step, ns per event", 0),
    "read_ns": ("read and check alone, ns", 0),
    "lookup_ns": ("lookup alone, ns", 0),
    "step_nothing_kept_ns": ("step, nothing kept, ns", 0),
    "step_following_ns": ("step that keeps the question, ns", 0),
    "events_per_second": ("events/s", 0),
    "cpu_us_per_record": ("CPU, µs per record", 2),
    "cpu_us_per_event_caught_up": ("CPU, all caught up, µs per event", 2),
    "records_per_second": ("records/s", 0),
    "peak_resident_mib": ("peak resident, MiB", 0),
    "anonymous_mib": ("anonymous, MiB", 0),
    "beyond_store_mib": ("beyond LMDB's pages, MiB", 0),
    "records_per_commit": ("records per commit", 0),
    "table_records_per_second": ("table records/s", 0),
    "cpu_us_per_table_record": ("CPU, µs per table record", 2),
    "rows_per_second": ("rows/s", 0),
    "cpu_us_per_row": ("CPU, µs per row", 2),
    "mapping_ns": ("mapped, ns per row", 0),
    "following_ns": ("its index entries stored, ns per row", 0),
    "published_per_row": ("records published per row", 2),
    "index_changes_per_row": ("index entries per row", 2),
    "row_bytes": ("bytes per row", 0),
    "waited_percent": ("votes that waited, % of rows", 1),
    "after_tenth_mib": ("beyond LMDB's pages after a tenth, MiB", 0),
    "after_half_mib": ("after a half, MiB", 0),
    "inputs_per_record": ("consumed per record published", 2),
    "value_bytes": ("bytes per value", 0),
    "opening_seconds": ("to all caught up, s", 3),
    "opening_cpu_seconds": ("CPU, s", 3),
    "store_mib": ("store, MiB", 0),
    "sent_bytes_per_record": ("sent, bytes per record", 0),
    "first_poll_ms": ("start to first poll, ms", 0),
    "first_output_ms": ("start to first output, ms", 0),
    "core_percent": ("of one core, %", 2),
    "per_transaction": ("a transaction", 2),
    "p50_ms": ("p50, ms", 1),
    "p99_ms": ("p99, ms", 1),
    "p99.9_ms": ("p99.9, ms", 1),
}


def number(value, digits):
    return f"{value:,.{digits}f}"


def spread(values, digits):
    if len(values) == 1:
        return number(values[0], digits)
    return " / ".join(number(value, digits) for value in (min(values), statistics.median(values), max(values)))


def tables(results):
    """One table for each experiment; a row for each program and mode, min / median / max in each cell."""
    experiments = {}
    for (experiment, system, mode, figure), values in results.values.items():
        experiments.setdefault(experiment, {}).setdefault((mode, system), {})[figure] = values
    lines = []
    for experiment, rows in experiments.items():
        names = list(dict.fromkeys(name for figures in rows.values() for name in figures))
        lines += ["", f"### {experiment}", ""]
        base, base_name = BASES.get(experiment, ("floor", "the floor"))
        compared = [
            (figure, title) for figure, title in RATIOS if figure in names and any(
                system == base and figure in figures for (_, system), figures in rows.items())
        ]
        heads = ["delivery", "program", "runs"] + [FIGURES.get(name, (name.replace("_", " "), 3))[0] for name in names]
        heads += [f"{title} against {base_name}" for _, title in compared]
        lines.append("| " + " | ".join(heads) + " |")
        lines.append("|" + "---|" * len(heads))
        for (mode, system), figures in sorted(rows.items(), key=lambda row: (row[0][0] != "exactly-once", row[0][0])):
            cells = [mode or "-", system, str(max(len(values) for values in figures.values()))]
            cells += [
                spread(figures[name], FIGURES.get(name, (None, 3))[1]) if name in figures else "-" for name in names
            ]
            for figure, _ in compared:
                floor, mine = rows.get((mode, base), {}).get(figure), figures.get(figure)
                cells.append(f"{statistics.median(mine) / statistics.median(floor):.2f}x" if floor and mine else "-")
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def question_event_figure(results, mode):
    """The figure for an event's cost on tables of any size, and a remark on it."""
    def runs(figure):
        return [len(results.values.get((name, "rejoinder", mode, figure), ())) for name in (W1_BESIDE_W4, "w4")]

    # The median of some runs beside that of all would not compare like with like.
    if runs("cpu_us_per_event_caught_up") == runs("cpu_us_per_record"):
        return "cpu_us_per_event_caught_up", ""
    return "cpu_us_per_record", " (the opening of stores included: too few events were left after it)"


def claims(results):
    """The marks that the figures must reach, and the figures."""
    def median(*key):
        values = results.values.get(key)
        return statistics.median(values) if values else None

    def ratio(first, second):
        return first / second if first and second else None

    rows = []

    def claim(text, value, least, aim, unit, digits=2, larger=False):
        if value is None:
            return
        def meets(bound):
            return value >= bound if larger else value <= bound
        verdict = "aim" if meets(aim) else "yes" if meets(least) else "NO"
        rows.append(f"| {text} | {number(value, digits)}{unit} | {number(least, digits)}{unit} | {number(aim, digits)}{unit} | {verdict} |")

    for mode in ("exactly-once", "at-least-once"):
        claim(f"CPU per record, w1, {mode}, against the floor",
              ratio(median("w1", "rejoinder", mode, "cpu_us_per_record"), median("w1", "floor", mode, "cpu_us_per_record")),
              1.4, 1.15, "x")
    claim("enrich step alone, w1, in process", step / 1_000 if (step := median("step", "one thread", "", "step_ns")) else None,
          1.5, 0.8, " µs")
    claim("restore into an empty store, table records/s", median("restore", "rejoinder", "", "table_records_per_second"),
          400_000, 1_000_000, "", 0, larger=True)
    for mode in ("exactly-once", "at-least-once"):
        claim(f"CPU per record, w3, {mode}, against the floor",
              ratio(median("w3", "rejoinder", mode, "cpu_us_per_record"), median("w3", "floor", mode, "cpu_us_per_record")),
              2, 1.3, "x")
    for mode in ("exactly-once", "at-least-once"):
        figure, remark = question_event_figure(results, mode)
        claim(f"w4 against w1, CPU per question event, {mode}{remark}",
              ratio(median("w4", "rejoinder", mode, figure), median(W1_BESIDE_W4, "rejoinder", mode, figure)), 1.5, 1.15, "x")
    for name in ("w6", "w3"):
        for mode in ("exactly-once", "at-least-once"):
            key = (f"{name}, records follow changes",)
            claim(f"CPU per published record, {name}, {mode}, records follow changes, against the floor publishing as many bytes",
                  ratio(median(*key, "rejoinder", mode, "cpu_us_per_record"), median(*key, "floor", mode, "cpu_us_per_record")),
                  1.5, 1.2, "x")
    for figure, text in (("p50_ms", "p50"), ("p99_ms", "p99")):
        claim(f"change to receipt, coalesceMs 0, 1,000 a second, exactly-once, {text}, against w5",
              ratio(median("changes", "rejoinder", "exactly-once", figure), median("w5", "rejoinder", "exactly-once", figure)),
              1.5, 1.1, "x")
    following = median("step", "one thread", "", "step_following_ns")
    claim("enrich step where records follow changes (it writes the question), w1, in process",
          following / 1_000 if following else None, 2, 1.2, " µs")
    claim("restore with the questions beside the tables, rows/s",
          median("restore, records follow changes", "rejoinder", "", "rows_per_second"), 350_000, 800_000, "", 0, larger=True)
    claim("w5, exactly-once, p99", median("w5", "rejoinder", "exactly-once", "p99_ms"), 40, 15, " ms", 1)
    claim("w5, at-least-once, p99", median("w5", "rejoinder", "at-least-once", "p99_ms"), 15, 5, " ms", 1)
    beyond = [max(values) for key, values in results.values.items() if key[1] == "rejoinder" and key[3] == "beyond_store_mib"]
    claim("resident beyond LMDB's pages, the most of all runs", max(beyond, default=None), 256, 96, " MiB", 0)
    beyond = results.values.get(("many partitions", ON_WAITING_BROKER, "", "beyond_store_mib"))
    claim("of 64 partitions that are restored from a broker that keeps to fetch limits", max(beyond, default=None) if beyond else None,
          256, 96, " MiB", 0)
    claim("start to first poll", median("start", "rejoinder", "exactly-once", "first_poll_ms"), 500, 100, " ms", 0)
    # The default broker answers empty fetches at once, so an idle worker cannot be measured there.
    on_waiting = median("idle", ON_WAITING_BROKER, "exactly-once", "core_percent")
    claim("idle worker, of one core" + ("" if on_waiting is None else ", on librdkafka's mock cluster"),
          median("idle", "rejoinder", "exactly-once", "core_percent") if on_waiting is None else on_waiting, 1, 1, "%")
    claim("2 lanes against 1, records/s, exactly-once",
          ratio(median("lanes", "rejoinder, 2 lanes", "exactly-once", "records_per_second"),
                median("lanes", "rejoinder", "exactly-once", "records_per_second")), 1.5, 1.9, "x", larger=True)
    return "\n".join(["| figure | measured | at least | aim | met? |", "|---|---|---|---|---|", *rows])


def markdown(results, surroundings):
    lines = [f"- {name}: {value}" for name, value in surroundings.items()]
    parts = ["\n".join(lines), claims(results), "Each cell: min / median / max over the runs.", tables(results)]
    if results.notes:
        parts.append("\n".join(f"- {note}" for note in results.notes))
    return "\n\n".join(parts) + "\n"
