"""The experiments: each takes its figures into the results, checked."""

import json
import math
import shutil
import statistics
import subprocess
import threading
import time

import report
from cluster import CLIENT
from confluent_kafka import Consumer, Producer, TopicPartition
from systems import Failed, FloorRun, IdleRun, PeerRun, WorkerRun, log_time
from murmur2 import partition_of
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
    """What becomes of an event between its poll and its being published, in a process without Kafka: on one thread, and on two
    at once with a store each, as two lanes have."""
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
    """Fills empty stores from the tables; the last one is kept for what follows."""
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
            lines = run.lines()
            given = next(line for line in lines if line["message"] == "partitions assigned" and line.get("partitions"))
            caught_up = [line for line in lines if line["message"] == "partition caught up"]
            seconds = log_time(caught_up[-1]) - log_time(given)
            applied = sum(int(line["records"]) for line in caught_up)
            if applied != records:
                raise CheckFailed(f"{applied} table records were applied, and there are {records}")
            results.add(name, "rejoinder", "", {
                "table_records_per_second": records / seconds,
                "cpu_us_per_table_record": cpu / records * 1e6,
                "beyond_store_mib": memory["beyond_store"] / 2**20,
            })
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


# Librdkafka's properties, one changed at a time. What the default broker does not heed is left to clusters: how much a
# fetch brings, and whether checksums are there to be checked.
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
    """Counts what is allocated between a fifth of the events and the last, with a library preloaded."""
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
    """What a worker with nothing to do takes of a core: on the cluster, and if that is the default broker, which answers
    empty fetches at once, also on one that holds them."""
    empty = prepared.workload.fresh("questions-none")
    run = WorkerRun(bench, prepared.workload, "exactly-once", prepared.state, questions=empty)
    run.commit_tables()
    _idle(run, results, "rejoinder", seconds)
    if bench.broker:
        _idle(IdleRun(bench), results, report.ON_WAITING_BROKER, seconds)


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


def prepare_live(prepared):
    """Once through the traffic, to know how much there is of it and how long the enriched values are."""
    workload = prepared.workload
    questions = workload.fresh("questions-first")
    before = sum(workload.ends(workload.topics["votes"]))
    workload.publish("traffic", questions=questions)
    prepared.live_questions = sum(workload.ends(questions))
    prepared.live_votes = sum(workload.ends(workload.topics["votes"])) - before
    workload.load_tables()
    workload.load_questions(questions)
    prepared.sizes = prepared.bench.directory / f"{workload.prefix}.sizes"
    workload.write_sizes(prepared.sizes, questions)
    workload.forget_questions(questions)
    workload.drop(questions)
    say(f"  {prepared.live_questions} question events and {prepared.live_votes} votes of traffic")


def live(bench, prepared, results, runs, modes=MODES, name="w3"):
    """Traffic that comes while it is worked on: questions and the votes among them."""
    workload = prepared.workload
    for turn in range(runs):
        for mode in modes:
            for kind in ("rejoinder", "floor") if turn % 2 == 0 else ("floor", "rejoinder"):
                questions = workload.fresh("questions-live")
                before = sum(workload.ends(workload.topics["votes"]))
                run = (WorkerRun(bench, workload, mode, prepared.state, questions=questions) if kind == "rejoinder"
                       else FloorRun(bench, workload, mode, prepared.sizes, questions=questions))
                try:
                    if kind == "rejoinder":
                        run.commit_tables()
                        run.start()
                        run.wait_caught_up()
                        traffic = workload.publish("traffic", questions=questions, wait=False)
                        # The floor counts from its first record, too.
                        began, cpu = _first_record(run, questions, before)
                        bench.finish(traffic)
                        count = sum(workload.ends(questions))
                        votes = sum(workload.ends(workload.topics["votes"])) - before
                        run.wait_committed(count, run.process)
                        _wait_votes(bench, run, before + votes)
                        seconds, cpu = time.monotonic() - began, run.cpu() - cpu
                        memory = run.stop()
                        figures = WorkerRun.figures(count + votes, seconds, cpu, memory)
                        # Which votes an event met depends on the moment; that its answers are all there does not.
                        workload.check(run.enriched, questions, tallies=False)
                        _check_tallies(bench, prepared, mode)
                    else:
                        run.start(prepared.live_questions, prepared.live_votes)
                        workload.publish("traffic", questions=questions)
                        figures = run.finish(prepared.live_questions + prepared.live_votes)
                    workload.forget_questions(questions)
                    results.add(name, kind, mode, figures)
                finally:
                    run.close()
                    workload.drop(questions)


def _first_record(run, questions, votes):
    """When the traffic began, and the worker's CPU time then: the last look before there was any."""
    workload = run.workload
    while True:
        moment, cpu = time.monotonic(), run.cpu()
        if sum(workload.ends(questions)) or sum(workload.ends(workload.topics["votes"])) > votes:
            return moment, cpu
        if run.process.poll() is not None:
            raise Failed(f"it ended with status {run.process.returncode}: {run.log_end()}")
        if time.monotonic() - run.started > workload.patience:
            raise Failed("no traffic came")
        time.sleep(0.001)


def _wait_votes(bench, run, end):
    deadline = time.monotonic() + run.workload.patience
    topic = run.workload.topics["votes"]
    while True:
        committed = bench.cluster.committed(run.group, topic, run.workload.partitions)
        if sum(offset or 0 for offset in committed.values()) >= end:
            return
        if run.process.poll() is not None or time.monotonic() > deadline:
            raise Failed(f"the votes were not all applied: {run.log_end()}")
        time.sleep(0.02)


def _check_tallies(bench, prepared, mode):
    """When all votes are in, a few thousand question events must show them."""
    workload = prepared.workload
    probes = workload.fresh("questions-probe")
    run = WorkerRun(bench, workload, mode, prepared.state, questions=probes)
    try:
        workload.publish("traffic", questions=probes, options=["--events", 2_000, "--vote-share", 0])
        workload.load_tables()
        run.commit_tables()
        run.start()
        run.wait_committed(2_000, run.process)
        run.stop()
        workload.check(run.enriched, probes)
    finally:
        run.close()
        workload.forget_questions(probes)
        workload.drop(probes)


def latency(bench, prepared, results, runs, seconds, modes=MODES, rate=1_000, name="w5"):
    """Question events at a steady rate: from before each is produced to when a read_committed reader has its record."""
    for turn in range(runs):
        for mode in modes:
            for kind in ("rejoinder", "floor") if turn % 2 == 0 else ("floor", "rejoinder"):
                questions = prepared.workload.fresh("questions-steady")
                count = int(rate * seconds)
                try:
                    if kind == "rejoinder":
                        run = WorkerRun(bench, prepared.workload, mode, prepared.state, questions=questions)
                        run.commit_tables()
                        run.start()
                        run.wait_caught_up()
                    else:
                        run = FloorRun(bench, prepared.workload, mode, prepared.sizes, questions=questions)
                        run.start(count + rate)
                    times = _steady(bench, run, prepared, questions, rate, count)
                    if kind == "rejoinder":
                        memory = run.stop()
                        prepared.workload.check(run.enriched, questions)
                        prepared.workload.forget_questions(questions)
                    times.sort()
                    figures = {
                        f"p{percent:g}_ms": times[min(len(times) - 1, math.ceil(len(times) * percent / 100) - 1)] * 1e3
                        for percent in (50, 99, 99.9)
                    }
                    if kind == "rejoinder":
                        figures["beyond_store_mib"] = memory["beyond_store"] / 2**20
                    results.add(name, kind, mode, figures)
                finally:
                    if run.process and run.process.poll() is None:
                        run.process.kill()
                        run.process.wait()
                    run.close()
                    prepared.workload.drop(questions)


def _steady(bench, run, prepared, questions, rate, count):
    """Produces `count` events, reads their records, and returns the seconds between. The first second's do not count, or of
    few events the first half's."""
    workload = prepared.workload
    events = workload.first_questions(count)
    warm_up = min(1, len(events) / rate / 2)
    # In an order that goes through the partitions as traffic does.
    events = [events[index * 7919 % len(events)] for index in range(len(events))]
    produced = [[] for _ in range(workload.partitions)]
    received = [[] for _ in range(workload.partitions)]
    reader = Consumer({"bootstrap.servers": bench.cluster.bootstrap_servers, "group.id": "unused",
                       "isolation.level": "read_committed", "enable.auto.commit": False, **CLIENT})
    reader.assign([TopicPartition(run.enriched, p, 0) for p in range(workload.partitions)])
    reader.poll(0.5)
    is_over = threading.Event()

    def read():
        while not is_over.is_set():
            message = reader.poll(0.1)
            if message is None or message.error():
                continue
            received[message.partition()].append((time.monotonic(), message.key()))

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    producer = Producer({"bootstrap.servers": bench.cluster.bootstrap_servers, "linger.ms": 0, "acks": "all"})
    began = time.monotonic()
    for index, (key, value) in enumerate(events):
        due = began + index / rate
        early = due - time.monotonic()
        if early > 0:
            time.sleep(early)
        partition = partition_of(key, workload.partitions)
        produced[partition].append((time.monotonic(), key))
        producer.produce(questions, value, key, partition)
        producer.poll(0)
    producer.flush(30)
    deadline = time.monotonic() + 30
    while sum(map(len, received)) < len(events):
        if time.monotonic() > deadline or run.process.poll() is not None:
            raise Failed(f"{sum(map(len, received))} of {len(events)} records came: {run.log_end()}")
        time.sleep(0.05)
    is_over.set()
    thread.join()
    reader.close()
    times = []
    for sent, came in zip(produced, received):
        for (at, key), (seen, seen_key) in zip(sent, came, strict=True):
            if key != seen_key:
                raise CheckFailed("the records are not in the order of their events")
            if at - began >= warm_up:
                times.append(seen - at)
    return times


def median(values):
    return statistics.median(values)
