"""Experiments with traffic that comes while the programs run: w3, w5, w6, and records that follow changes."""

import json
import math
import shutil
import threading
import time

from cluster import CLIENT
from confluent_kafka import Consumer, Producer, TopicPartition
from experiments import MODES, say
from murmur2 import partition_of
from systems import Failed, FloorRun, WorkerRun
from workload import CheckFailed, Workload


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


def following(bench, plan, options, partitions, results, runs, modes=MODES, coalesce=1000):
    """Traffic that comes while it is worked on, where records follow changes: the worker publishes, then the floor
    publishes as many records of the same lengths, both consuming the same records. CPU is divided by the records
    published."""
    name = f"{plan.name}, records follow changes"
    for turn in range(runs):
        for mode in modes:
            sizes = bench.directory / f"following-{plan.name}-{turn}-{mode}.sizes"
            published = 0
            # The worker comes first: the number of its records depends on the moment, and the floor has to publish as
            # many.
            for kind in ("rejoinder", "floor"):
                # Votes that were cast before would change nothing, so each run has topics of its own.
                workload = Workload(bench, plan.name, options, partitions, plan.one_in, plan.patience)
                state = bench.directory / f"state-{workload.prefix}"
                run = None
                try:
                    workload.publish("tables")
                    before = _inputs(workload)
                    if kind == "rejoinder":
                        run = WorkerRun(bench, workload, mode, state, coalesce=coalesce)
                        run.start()
                        run.wait_caught_up()
                        votes = sum(workload.ends(workload.topics["votes"]))
                        traffic = workload.publish("traffic", wait=False)
                        began, cpu = _first_record(run, workload.topics["questions"], votes)
                        bench.finish(traffic)
                        run.wait_inputs()
                        seconds, cpu = time.monotonic() - began, run.cpu() - cpu
                        memory = run.stop()
                        inputs = [after - already for after, already in zip(_inputs(workload), before, strict=True)]
                        asked = sum(workload.ends(workload.topics["questions"]))
                        published, size = workload.write_spread(sizes, run.enriched, inputs)
                        workload.check_last(run.enriched)
                        figures = WorkerRun.figures(published, seconds, cpu, memory) | {
                            "inputs_per_record": sum(inputs) / published, "value_bytes": size / published}
                    else:
                        run = FloorRun(bench, workload, mode, sizes, is_spread=True)
                        run.start(asked, sum(inputs) - asked)
                        workload.publish("traffic")
                        figures = run.finish(published)
                        if sum(workload.ends(run.enriched)) < published:
                            raise Failed(f"the floor published less than {published} records")
                    results.add(name, kind, mode, figures)
                finally:
                    if run:
                        run.close()
                    workload.close()
                    shutil.rmtree(state, ignore_errors=True)


def _inputs(workload):
    """Records of all input topics, by partition."""
    return [sum(ends) for ends in zip(*(workload.ends(topic) for topic in workload.topics.values()), strict=True)]


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
                run = (WorkerRun(bench, prepared.workload, mode, prepared.state, questions=questions) if kind == "rejoinder"
                       else FloorRun(bench, prepared.workload, mode, prepared.sizes, questions=questions))
                try:
                    if kind == "rejoinder":
                        run.commit_tables()
                        run.start()
                        run.wait_caught_up()
                    else:
                        run.start(count + rate)
                    times = steady(bench, run, prepared, questions, rate, count)
                    if kind == "rejoinder":
                        memory = run.stop()
                        prepared.workload.check(run.enriched, questions)
                        prepared.workload.forget_questions(questions)
                    figures = percentiles(times)
                    if kind == "rejoinder":
                        figures["beyond_store_mib"] = memory["beyond_store"] / 2**20
                    results.add(name, kind, mode, figures)
                finally:
                    run.close()
                    prepared.workload.drop(questions)


def change_latency(bench, prepared, results, runs, seconds, rate=1_000, name="changes"):
    """Votes at a steady rate, each for another question than those before it: from before each is produced to when a
    read_committed reader has the record that shows it. Records follow changes at the end of each step."""
    workload = prepared.workload
    asked = dict(workload.first_questions(int(rate * seconds)))
    answers = {}

    def receive(batch):
        for message in batch:
            if message.key() in asked:
                answers.setdefault(message.key(), json.loads(message.value())["id"])
        return len(answers) == len(asked)

    workload.read(workload.topics["answers"], receive)
    voted = [(key, answers[key]) for key in asked if key in answers]
    for turn in range(runs):
        questions = workload.fresh("questions-changed")
        state = bench.directory / f"state-changes-{workload.prefix}"
        run = WorkerRun(bench, workload, "exactly-once", state, questions=questions, coalesce=0)
        try:
            producer = Producer({"bootstrap.servers": bench.cluster.bootstrap_servers, "linger.ms": 0, "acks": "all"})
            for key, value in asked.items():
                producer.produce(questions, value, key, partition_of(key, workload.partitions))
                producer.poll(0)
            producer.flush(30)
            run.commit_tables()
            run.start()
            run.wait_caught_up()
            run.wait_inputs()
            times = _changes(bench, run, workload, producer, voted, int(rate * seconds), rate, turn)
            memory = run.stop()
            results.add(name, "rejoinder", "exactly-once", percentiles(times) | {
                "beyond_store_mib": memory["beyond_store"] / 2**20})
        finally:
            run.close()
            workload.drop(questions)
            shutil.rmtree(state, ignore_errors=True)


def _changes(bench, run, workload, producer, voted, count, rate, turn):
    """Produces `count` votes and returns the seconds until their records came. The first second's do not count."""
    warm_up = min(1, count / rate / 2)
    waiting, times, failure = {}, [], []
    lock = threading.Lock()
    reader = Consumer({"bootstrap.servers": bench.cluster.bootstrap_servers, "group.id": "unused",
                       "isolation.level": "read_committed", "enable.auto.commit": False, **CLIENT})
    reader.assign([TopicPartition(run.enriched, p, end) for p, end in enumerate(workload.ends(run.enriched))])
    reader.poll(0.5)
    is_over = threading.Event()

    def read():
        while not is_over.is_set():
            message = reader.poll(0.1)
            if message is None or message.error():
                continue
            seen = time.monotonic()
            with lock:
                sent = waiting.pop(message.key(), None)
            if sent is None:
                failure.append(f"a record of {message.key()} came that no vote led to")
            else:
                times.extend(seen - at for at in sent if at - began >= warm_up)

    began = time.monotonic()
    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    for index in range(count):
        key, answer = voted[index % len(voted)]
        early = began + index / rate - time.monotonic()
        if early > 0:
            time.sleep(early)
        vote = {"questionId": key.decode(), "answerId": answer, "voterId": f"latency-{turn}-{index}", "value": 1}
        with lock:
            waiting.setdefault(key, []).append(time.monotonic())
        producer.produce(workload.topics["votes"], json.dumps(vote).encode(), key, partition_of(key, workload.partitions))
        producer.poll(0)
    producer.flush(30)
    deadline = time.monotonic() + 30
    while waiting and not failure:
        if time.monotonic() > deadline or run.process.poll() is not None:
            raise Failed(f"{len(waiting)} changed questions were not published again: {run.log_end()}")
        time.sleep(0.05)
    is_over.set()
    thread.join()
    reader.close()
    if failure:
        raise CheckFailed(failure[0])
    return times


def percentiles(times):
    times.sort()
    return {
        f"p{percent:g}_ms": times[min(len(times) - 1, math.ceil(len(times) * percent / 100) - 1)] * 1e3
        for percent in (50, 99, 99.9)
    }


def steady(bench, run, prepared, questions, rate, count):
    """Produces `count` events, reads their records, and returns the seconds between. The first second's do not count,
    or of few events the first half's."""
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
