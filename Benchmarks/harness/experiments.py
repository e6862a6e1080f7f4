"""The experiments: each takes its figures into the results, checked."""

import json
import shutil
import subprocess
import time

import report
from cluster import CLIENT
from confluent_kafka import Consumer, TopicPartition
from systems import Failed, FloorRun, PeerRun, WaitingBrokerRun, WorkerRun
from workload import CheckFailed, Workload

MODES = ("exactly-once", "at-least-once")


def say(text):
    print(text, flush=True)


class Results:
    """figure name -> values, in the order in which they were taken."""

    def __init__(self):
        self.values = {}
        self.notes = []

    def add(self, experiment, system, mode, figures):
        for name, value in figures.items():
            self.values.setdefault((experiment, system, mode, name), []).append(value)
        text = ", ".join(f"{name} {value:,.2f}" for name, value in figures.items())
        say(f"  {experiment} {system} {mode}: {text}")

    def note(self, text):
        self.notes.append(text)
        say(f"  {text}")


class Prepared:
    """A workload whose tables are on the cluster, in a worker's store, and in the checker's memory."""

    def __init__(self, bench, plan, options, partitions):
        self.bench = bench
        self.workload = Workload(bench, plan.name, options, partitions, plan.one_in, plan.patience)
        name = f"{plan.name}, {plan.scale:g} times the size"
        self.state = bench.directory / f"state-{self.workload.prefix}"
        try:
            free = shutil.disk_usage(bench.directory).free
            if free < plan.store_bytes:
                raise Failed(
                    f"{name}: the store takes up to {plan.store_bytes / 1e9:.1f} GB, and in {bench.directory} there are "
                    f"{free / 1e9:.1f}: name another directory in TMPDIR, or a smaller --scale")
            say(f"{name}: tables")
            say("  " + self.workload.publish("tables").strip())
        except BaseException:
            self.close()
            raise

    def publish_traffic(self):
        say("  " + self.workload.publish("traffic").strip())
        self.count = sum(self.workload.ends(self.workload.topics["questions"]))

    def load(self):
        began = time.monotonic()
        self.workload.load_tables()
        self.workload.load_questions()
        self.sizes = self.bench.directory / f"{self.workload.prefix}.sizes"
        self.workload.write_sizes(self.sizes)
        say(f"  the expected records are computed ({time.monotonic() - began:.0f} s)")

    def close(self):
        self.workload.close()
        shutil.rmtree(self.state, ignore_errors=True)


def step(bench, results, runs, scale, shape, name="step"):
    """The cost of an event between its poll and its being published, in a process without Kafka: on one thread, and on
    two at once with a store each, as two lanes have."""
    # The program's options are the generator's, without the dashes.
    options = []
    for option, value in zip(shape[::2], shape[1::2]):
        first, *others = option.removeprefix("--").split("-")
        options.append(f"{first}{''.join(map(str.capitalize, others))}={value}")
    program = bench.build_step()
    state = bench.directory / "state-step"
    for _ in range(runs):
        for threads, label in ((1, "one thread"), (2, "two at once")):
            try:
                output = subprocess.run(
                    [str(program), "time", f"state={state}", f"scale={scale}", f"threads={threads}", *options],
                    capture_output=True, text=True, check=False)
                if output.returncode != 0:
                    raise Failed(f"{program} ended with status {output.returncode}: {output.stderr.strip()}")
                results.add(name, label, "", json.loads(output.stdout))
            finally:
                for thread in range(threads):
                    shutil.rmtree(f"{state}-{thread}", ignore_errors=True)


def restore(bench, prepared, results, runs, name="restore"):
    """Fills empty stores from the tables; the last one is kept for the experiments after it."""
    empty = prepared.workload.fresh("questions-none")
    records = sum(sum(prepared.workload.ends(prepared.workload.topics[table])) for table in ("answers", "votes"))
    for _ in range(runs):
        shutil.rmtree(prepared.state, ignore_errors=True)
        run = WorkerRun(bench, prepared.workload, "exactly-once", prepared.state, questions=empty)
        try:
            run.start()
            run.wait_caught_up()
            cpu = run.cpu()
            memory = run.stop()
            applied, seconds, _ = run.restored()
            if applied != records:
                raise CheckFailed(f"{applied} table records were applied, and there are {records}")
            results.add(name, "rejoinder", "", {
                "table_records_per_second": records / seconds,
                "cpu_us_per_table_record": cpu / records * 1e6,
                "beyond_store_mib": memory["beyond_store"] / 2**20,
            })
        finally:
            run.close()


def restore_with_questions(bench, prepared, results, runs, name="restore, records follow changes"):
    """Fills empty stores from the tables and from the question events, all of which the group has worked on."""
    workload = prepared.workload
    tables = sum(sum(workload.ends(workload.topics[table])) for table in ("answers", "votes"))
    rows = tables + sum(workload.ends(workload.topics["questions"]))
    state = bench.directory / f"state-following-{workload.prefix}"
    for _ in range(runs):
        shutil.rmtree(state, ignore_errors=True)
        run = WorkerRun(bench, workload, "exactly-once", state, coalesce=1000)
        try:
            run.commit_tables(questions=True)
            run.start()
            run.wait_caught_up()
            cpu = run.cpu()
            memory = run.stop()
            applied, seconds, _ = run.restored()
            if applied != tables:
                raise CheckFailed(f"{applied} table records were applied, and there are {tables}")
            if published := sum(workload.ends(run.enriched)):
                raise CheckFailed(f"{published} records were published, and nothing has changed")
            results.add(name, "rejoinder", "", {
                "rows_per_second": rows / seconds,
                "cpu_us_per_row": cpu / rows * 1e6,
                "beyond_store_mib": memory["beyond_store"] / 2**20,
            })
        finally:
            run.close()
            shutil.rmtree(state, ignore_errors=True)


# For the broker that waits: of w4's tables a fifth, which makes 4.5 MB of answers for each partition.
MANY_PARTITIONS, MANY_QUESTIONS = 64, 200_000


def many_partitions(bench, results, runs):
    """Fills empty stores of many partitions at once, on a broker that hands out no more than a fetch asks for, and
    begins again on the filled ones."""
    made = 6 * MANY_QUESTIONS
    for _ in range(runs):
        run = WaitingBrokerRun(
            bench, MANY_PARTITIONS, ["--questions", MANY_QUESTIONS, "--answers-per-question", 3, "--votes", made // 2],
            # Offsets that are committed in a transaction are none to that broker.
            mode="at-least-once")
        try:
            run.start()
            run.wait_caught_up()
            cpu = run.cpu()
            memory = run.stop()
            records, seconds, _ = run.restored()
            # That broker drops the records beyond its limit without a word.
            if records != made:
                raise CheckFailed(f"{records} table records were applied, and {made} were made")
            run.start()
            run.wait_caught_up()
            run.stop()
            opening_seconds, opening_cpu = run.opening()
            results.add("many partitions", report.ON_WAITING_BROKER, "", {
                "table_records_per_second": records / seconds,
                "cpu_us_per_table_record": cpu / records * 1e6,
                "beyond_store_mib": memory["beyond_store"] / 2**20,
                "opening_seconds": opening_seconds,
                "opening_cpu_seconds": opening_cpu,
            })
        finally:
            run.close()


def opening(bench, prepared, results, runs, name="opening"):
    """Begins again on the filled store, with no event to work on: the time and CPU of a start until all tables are
    caught up."""
    empty = prepared.workload.fresh("questions-none")
    for _ in range(runs):
        run = WorkerRun(bench, prepared.workload, "exactly-once", prepared.state, questions=empty)
        try:
            run.commit_tables()
            run.start()
            run.wait_caught_up()
            run.stop()
            seconds, cpu = run.opening()
            results.add(name, "rejoinder", "", {
                "opening_seconds": seconds, "opening_cpu_seconds": cpu, "store_mib": run.store_bytes() / 2**20})
        finally:
            run.close()


def passes(bench, prepared, results, runs, modes=MODES, floor=True, peers=(), lanes=(1,), name=None):
    """Works through the question events that are there, again and again, taking turns."""
    name = name or prepared.workload.name
    workload = prepared.workload
    for turn in range(runs):
        for mode in modes:
            systems = [("rejoinder" if count == 1 else f"rejoinder, {count} lanes", count) for count in lanes]
            if floor:
                systems.append(("floor", None))
            systems += [(peer, peer) for peer in peers]
            # Each one comes first in turn, so that none always meets the machine as another left it.
            systems = systems[turn % len(systems) :] + systems[: turn % len(systems)]
            for label, kind in systems:
                if kind is None:
                    run = FloorRun(bench, workload, mode, prepared.sizes)
                elif isinstance(kind, int):
                    run = WorkerRun(bench, workload, mode, prepared.state, lanes=kind)
                else:
                    run = PeerRun(bench, workload, mode, kind)
                try:
                    figures = run.pass_over(prepared.count)
                    if kind is not None:
                        _check(run, workload)
                    results.add(name, label, mode, figures)
                except Failed as failure:
                    if not isinstance(kind, str):
                        raise
                    results.note(f"{label}, {mode}: {failure}")
                finally:
                    run.close()


# Librdkafka's properties, one changed at a time. Two that the default broker does not heed are left to clusters: the
# size of a fetch, and the checking of checksums.
SETTINGS = {
    "default": {},
    "compression.type=lz4": {"compression.type": "lz4"},
    "compression.type=snappy": {"compression.type": "snappy"},
    "compression.type=zstd": {"compression.type": "zstd"},
    "compression.type=zstd, level 1": {"compression.type": "zstd", "compression.level": "1"},
    "linger.ms=5": {"linger.ms": "5"},
    "linger.ms=100": {"linger.ms": "100"},
    "batch.size=100000": {"batch.size": "100000"},
    "batch.size=300000": {"batch.size": "300000"},
    "check.crcs=true": {"check.crcs": "true"},
    "fetch.message.max.bytes=262144": {"fetch.message.max.bytes": "262144"},
    "fetch.message.max.bytes=4194304": {"fetch.message.max.bytes": "4194304"},
    "socket.nagle.disable=true": {"socket.nagle.disable": "true"},
}


def settings(bench, prepared, results, runs):
    """w1 exactly-once with one property changed at a time, in turns."""
    labels = list(SETTINGS)
    for turn in range(runs):
        first = turn * 5 % len(labels)
        for label in labels[first:] + labels[:first]:
            run = WorkerRun(bench, prepared.workload, "exactly-once", prepared.state, properties=SETTINGS[label])
            try:
                figures = run.pass_over(prepared.count)
                _check(run, prepared.workload)
                kept = {name: figures[name] for name in ("cpu_us_per_record", "records_per_second")}
                if run.sent_bytes is not None:
                    kept["sent_bytes_per_record"] = run.sent_bytes / prepared.count
                results.add("settings", label, run.mode, kept)
            finally:
                run.close()


def _check(run, workload):
    try:
        workload.check(run.enriched, run.questions, once=run.mode == "exactly-once")
    except CheckFailed as failure:
        raise CheckFailed(f"{run.name}, {run.mode}: {failure}") from None


def allocations(bench, prepared, results, modes=MODES):
    """Counts the allocations between a fifth of the events and the last, with a library preloaded."""
    for mode in modes:
        run = WorkerRun(bench, prepared.workload, mode, prepared.state, preload=True)
        try:
            run.commit_tables()
            run.start()
            run.wait_caught_up()
            run.wait_committed(prepared.count // 5, run.process)
            first, _ = run.counts.read()
            began = run.committed()
            run.wait_committed(prepared.count, run.process)
            last, _ = run.counts.read()
            run.stop()
            records = prepared.count - began
            figures = {}
            for owner in first:
                figures[f"{owner}_bytes_per_record"] = (last[owner][1] - first[owner][1]) / records
                figures[f"{owner}_calls_per_record"] = (last[owner][0] - first[owner][0]) / records
            results.add("allocations", "rejoinder", mode, figures)
        finally:
            run.close()


def start_up(bench, prepared, results, runs):
    """From the process's start to its first poll, and to its first record as a reader sees it. Nothing to restore."""
    workload = Workload(bench, "start", ["--questions", 1, "--answers-per-question", "0", "--votes", 0, "--events", 1], 1)
    try:
        workload.publish("traffic")
        for turn in range(runs):
            state = bench.directory / f"state-start-{turn}"
            run = WorkerRun(bench, workload, "exactly-once", state, preload=True)
            reader = Consumer({"bootstrap.servers": bench.cluster.bootstrap_servers, "group.id": "unused",
                               "isolation.level": "read_committed", **CLIENT})
            try:
                reader.assign([TopicPartition(run.enriched, 0, 0)])
                reader.poll(0.3)
                run.start()
                message = None
                while message is None or message.error():
                    message = reader.poll(1)
                    if time.monotonic() - run.started > 60:
                        raise Failed(f"nothing was published in 60 s: {run.log_end()}")
                seen = time.monotonic()
                run.stop()
                _, first_poll = run.counts.read()
                results.add("start", "rejoinder", "exactly-once", {
                    "first_poll_ms": (first_poll - run.started) * 1e3, "first_output_ms": (seen - run.started) * 1e3})
            finally:
                reader.close()
                run.close()
                shutil.rmtree(state, ignore_errors=True)
    finally:
        workload.close()


def idle(bench, prepared, results, seconds):
    """The share of a core that a worker with nothing to do takes: on the cluster, and if that is the default broker,
    which answers empty fetches at once, also on one that holds them."""
    empty = prepared.workload.fresh("questions-none")
    run = WorkerRun(bench, prepared.workload, "exactly-once", prepared.state, questions=empty)
    run.commit_tables()
    _idle(run, results, "rejoinder", seconds)
    if bench.broker:
        _idle(WaitingBrokerRun(bench, 4, ["--questions", 1000, "--votes", 6000]), results, report.ON_WAITING_BROKER, seconds)


def _idle(run, results, label, seconds):
    try:
        run.start()
        run.wait_caught_up()
        time.sleep(2)
        began, cpu = time.monotonic(), run.cpu()
        time.sleep(seconds)
        share = (run.cpu() - cpu) / (time.monotonic() - began)
        memory = run.stop()
        results.add("idle", label, run.mode, {
            "core_percent": share * 100, "beyond_store_mib": memory["beyond_store"] / 2**20})
    finally:
        run.close()
