"""Experiments with traffic that comes while the programs run: w3 and w5."""

import math
import threading
import time

from cluster import CLIENT
from confluent_kafka import Consumer, Producer, TopicPartition
from experiments import MODES, say
from murmur2 import partition_of
from systems import Failed, FloorRun, WorkerRun
from workload import CheckFailed


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
                run = (WorkerRun(bench, prepared.workload, mode, prepared.state, questions=questions) if kind == "rejoinder"
                       else FloorRun(bench, prepared.workload, mode, prepared.sizes, questions=questions))
                try:
                    if kind == "rejoinder":
                        run.commit_tables()
                        run.start()
                        run.wait_caught_up()
                    else:
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
