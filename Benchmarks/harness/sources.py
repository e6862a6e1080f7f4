"""The sources: change events as Debezium publishes them, with Connect's schema before each, become records of the input
topics."""

import json
import shutil
import signal
import subprocess
import time
import uuid

import change_events
import yaml
from cluster import CLIENT
from confluent_kafka import Producer
from experiments import MODES
from processes import Sampler, cpu_seconds
from systems import Failed
from workload import CheckFailed

PATIENCE = 900


def mapping(topics):
    post, vote = topics["post"], topics["vote"]
    return [
        {
            "topic": post, "format": "debezium", "where": {"kind": "question"}, "into": "questions",
            "fields": {
                "id": "id", "title": "title", "body": "body", "tags": "tags", "askedAt": "made", "deleted": "gone",
                "author/displayName": "author",
            },
        },
        {
            "topic": post, "format": "debezium", "where": {"kind": "answer"}, "into": "answers",
            "fields": {
                "id": "id", "questionId": "parent", "body": "body", "answeredAt": "edited", "withdrawn": "gone",
                "author/displayName": "author",
            },
        },
        {
            "topic": vote, "format": "debezium", "where": {"kind": [2, 3]}, "into": "votes",
            "fields": {
                "answerId": "post_id", "voterId": "user_id", "castAt": "at",
                "value": {"from": "kind", "map": {2: 1, 3: -1}},
            },
        },
    ]  # fmt: skip


class Site:
    """The topics of a made-up site, filled with a snapshot of its tables."""

    def __init__(self, bench, rows, seed, partitions):
        self.bench = bench
        self.rows = rows
        self.partitions = partitions
        self.prefix = f"rejoinder-bench-{uuid.uuid4().hex[:8]}"
        self.topics = {table: f"{self.prefix}.{table}" for table in change_events.TABLES}
        bench.administration.create(self.topics.values(), partitions)
        self.bytes = 0
        producer = Producer({
            "bootstrap.servers": bench.cluster.bootstrap_servers, "partitioner": "murmur2_random", "linger.ms": 20,
            "compression.type": "lz4", "queue.buffering.max.kbytes": 262144})
        for table, key, value in change_events.events(rows, seed):
            key, value = key.encode(), value.encode()
            self.bytes += len(key) + len(value)
            while True:
                try:
                    producer.produce(self.topics[table], value, key)
                    break
                except BufferError:
                    producer.poll(0.1)
        if producer.flush(120) != 0:
            raise Failed("the change events were not taken by the broker")
        self.ends = {topic: sum(bench.administration.ends(topic, partitions)) for topic in self.topics.values()}

    def close(self):
        self.bench.administration.delete(list(self.topics.values()))
        self.bench.administration.delete_groups(self.bench.groups_of(self))


class SourceRun:
    """`rejoinder run --only sources`, with empty input topics and an empty index."""

    def __init__(self, bench, site, mode):
        self.bench, self.site, self.mode = bench, site, mode
        self.group = f"{site.prefix}-{uuid.uuid4().hex[:6]}"
        bench.groups.append((site, self.group + "-sources"))
        names = ("questions", "answers", "votes", "enriched", "deadLetter", "sourceIndex")
        self.topics = {name: f"{self.group}.{name}" for name in names}
        bench.administration.create(self.topics.values(), site.partitions)
        self.state = bench.directory / f"state-{self.group}"
        self.log = bench.directory / f"{self.group}.log"
        properties = {"properties": CLIENT} if bench.broker else {}
        self.configuration = bench.directory / f"{self.group}.yaml"
        self.configuration.write_text(yaml.safe_dump({
            "kafka": {"bootstrapServers": bench.cluster.bootstrap_servers, "groupId": self.group} | properties,
            "topics": self.topics, "sources": mapping(site.topics), "store": {"directory": str(self.state)},
            "delivery": mode, "admin": {"port": 0}, "log": {"format": "json"},
        }))  # fmt: skip
        self.process = None

    def lines(self, message):
        found = []
        for line in self.log.read_bytes().split(b"\n"):
            if message.encode() in line:
                try:
                    found.append(json.loads(line))
                except ValueError:
                    continue
        return [line for line in found if line["message"] == message]

    def log_end(self):
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-5:])[-2000:]

    def wait(self, what, holds):
        deadline = time.monotonic() + PATIENCE
        while not holds():
            if self.process.poll() is not None:
                raise Failed(f"it ended with status {self.process.returncode}: {self.log_end()}")
            if time.monotonic() > deadline:
                raise Failed(f"{what} did not come in {PATIENCE} s: {self.log_end()}")
            time.sleep(0.02)

    def committed(self):
        return sum(
            offset or 0 for topic in self.site.topics.values()
            for offset in self.bench.cluster.committed(self.group + "-sources", topic, self.site.partitions).values())

    def pass_over(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [self.bench.binary, "run", "--only", "sources", "--config", str(self.configuration)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.bench.environment)
        self.bench.children.append(self.process)
        sampler = Sampler(self.process.pid, self.state)
        sampler.start()
        self.wait("the index", lambda: self.lines("sources caught up"))
        began, began_cpu = time.monotonic(), cpu_seconds(self.process.pid)
        memory = []
        total = sum(self.site.ends.values())
        for part in (0.1, 0.5, 1):
            self.wait("the end of the sources", lambda part=part: self.committed() >= total * part)
            memory.append(sampler.peak["beyond_store"])
        seconds, cpu = time.monotonic() - began, cpu_seconds(self.process.pid) - began_cpu
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(60) != 0:
            raise Failed(f"it ended with status {self.process.returncode}: {self.log_end()}")
        sampler.stop()
        totals = self.lines("totals")[-1]
        if totals["sourceRecords"] != self.site.rows or totals["deadLettersTotal"]:
            raise CheckFailed(
                f"{totals['sourceRecords']} of {self.site.rows} rows were worked on, {totals['deadLettersTotal']} dead letters")
        return {
            "cpu_us_per_row": cpu / self.site.rows * 1e6,
            "rows_per_second": self.site.rows / seconds,
            "row_bytes": self.site.bytes / self.site.rows,
            "waited_percent": totals["sourceVotesWaited"] / self.site.rows * 100,
            "published_per_row": totals["sourceRecordsPublished"] / self.site.rows,
            "after_tenth_mib": memory[0] / 2**20,
            "after_half_mib": memory[1] / 2**20,
            "beyond_store_mib": memory[2] / 2**20,
        }

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.state, ignore_errors=True)
        self.bench.administration.delete(list(self.topics.values()))


def in_process(bench, results, runs, rows, seed):
    """The cost of a row between its poll and its being published, in a process without Kafka; and the time that a
    row's entries of the index take in their store."""
    program = bench.build_step().with_name("mapping")
    events = bench.directory / "change-events"
    with open(events, "w") as file:
        for table, key, value in change_events.events(rows, seed):
            file.write(f"site.public.{table}\t{key}\t{value}\n")
    for turn in range(runs):
        state = bench.directory / f"state-mapping-{turn}"
        output = subprocess.run([str(program), str(events), str(state), "2"], capture_output=True, text=True, check=False)
        shutil.rmtree(state, ignore_errors=True)
        if output.returncode != 0:
            raise Failed(f"{program} ended with status {output.returncode}: {output.stderr.strip()}")
        for label, line in zip(("new rows", "the same rows again"), output.stdout.splitlines()):
            figures = json.loads(line)
            results.add("sources, in process", label, "", {
                name: figures[name] for name in ("mapping_ns", "following_ns", "published_per_row", "index_changes_per_row")})
    events.unlink()


def sources(bench, results, runs, rows, seed, partitions, modes=MODES):
    in_process(bench, results, runs, min(rows, 100_000), seed)
    site = Site(bench, rows, seed, partitions)
    try:
        for _ in range(runs):
            for mode in modes:
                run = SourceRun(bench, site, mode)
                try:
                    results.add("sources", "rejoinder", mode, run.pass_over())
                finally:
                    run.close()
    finally:
        site.close()
