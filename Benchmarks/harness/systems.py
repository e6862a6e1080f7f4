"""The programs that are compared: the worker, the floor, and other systems that one would use instead."""

import json
import os
import shutil
import signal
import subprocess
import threading
import time
import uuid
from datetime import datetime
from types import SimpleNamespace

from cluster import CLIENT
from confluent_kafka import TopicPartition
from processes import Counts, Sampler, cpu_seconds, sent_bytes
from waiting_broker import WaitingBroker

# Between two looks at how far a program has come. A look costs the broker, not the program.
LOOK = 0.02
# The same where the moment of a commit counts.
CLOSE_LOOK = 0.002
# The least share of the events that must be left when all tables are caught up, for their cost to be told apart.
LEAST_LEFT = 1 / 3


def log_time(line):
    """Seconds since 1970."""
    return datetime.fromisoformat(line["time"].replace("Z", "+00:00")).timestamp()


class Failed(Exception):
    """A program ended by itself, or did not come to an end."""


class Run:
    """One program at one workload: its own group and output topics."""

    def __init__(self, bench, workload, mode, questions=None):
        self.bench = bench
        self.workload = workload
        self.mode = mode
        self.group = f"{workload.prefix}-{uuid.uuid4().hex[:6]}"
        bench.groups.append((workload, self.group))
        self.enriched = workload.fresh("enriched")
        self.questions = questions or workload.topics["questions"]
        self.log = bench.directory / f"{self.group}.log"

    def committed(self):
        return sum(offset or 0 for offset in self.bench.cluster.committed(
            self.group, self.questions, self.workload.partitions).values())

    def wait_committed(self, count, process):
        timeout = self.workload.patience
        deadline = time.monotonic() + timeout
        while self.committed() < count:
            if process.poll() is not None:
                raise Failed(f"it ended with status {process.returncode}: {self.log_end()}")
            if time.monotonic() > deadline:
                raise Failed(f"it came to {self.committed()} of {count} records in {timeout:.0f} s: {self.log_end()}")
            time.sleep(LOOK)

    def log_end(self):
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-5:])[-2000:]

    def close(self):
        self.workload.drop(self.enriched)


class WorkerRun(Run):
    """`rejoinder run`, with the settings that a user gets by default."""

    name = "rejoinder"

    def __init__(self, bench, workload, mode, state, questions=None, lanes=1, preload=False, properties=None, coalesce=None,
                 level="info"):
        """coalesce: records follow changes, with a window of so many milliseconds. level: of the log."""
        super().__init__(bench, workload, mode, questions)
        self.dead_letters = workload.fresh("dead-letter")
        self.state = state
        self.lanes = lanes
        self.counts = Counts(bench.directory / f"{self.group}.counts") if preload else None
        self.configuration = bench.configuration(
            workload, group=self.group, questions=self.questions, enriched=self.enriched,
            dead_letters=self.dead_letters, state=state, delivery=mode, lanes=lanes, properties=properties, coalesce=coalesce,
            level=level)
        self.process = None
        self.looks = []

    def commit_tables(self, questions=False):
        """Commits the tables' ends, as if the group had worked before: a start restores its store up to them.

        questions: as if it had worked on all question events, too.
        """
        topics = [self.workload.topics[table] for table in ("answers", "votes")] + ([self.questions] if questions else [])
        self.bench.administration.commit(self.group, [
            TopicPartition(topic, p, end) for topic in topics for p, end in enumerate(self.workload.ends(topic))
        ])

    def wait_inputs(self):
        """Until the group has committed all that there is of the inputs, so that nothing waits to be published
        again."""
        deadline = time.monotonic() + self.workload.patience
        topics = (self.questions, self.workload.topics["answers"], self.workload.topics["votes"])
        left = {topic: sum(self.workload.ends(topic)) for topic in topics}
        while left:
            for topic in list(left):
                committed = self.bench.cluster.committed(self.group, topic, self.workload.partitions)
                if sum(offset or 0 for offset in committed.values()) >= left[topic]:
                    del left[topic]
            if self.process.poll() is not None:
                raise Failed(f"it ended with status {self.process.returncode}: {self.log_end()}")
            if time.monotonic() > deadline:
                raise Failed(f"it did not come to the end of {', '.join(left)}: {self.log_end()}")
            time.sleep(LOOK)

    def start(self):
        environment = dict(self.bench.environment)
        if self.counts:
            environment |= {"LD_PRELOAD": str(self.bench.preload), "BENCHMARK_COUNTS": str(self.counts.path)}
        self.started = time.monotonic()
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [self.bench.binary, "run", "--config", str(self.configuration)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        self.bench.children.append(self.process)
        self.sampler = Sampler(self.process.pid, self.state)
        self.sampler.start()
        return self

    def lines(self):
        found = []
        for line in self.log.read_bytes().split(b"\n")[:-1]:
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return found

    def wait_caught_up(self):
        """Until every partition's tables are there. Returns when the first one's were, by the monotonic clock, and the
        CPU time at that moment: from there on questions are worked on, while this one still waits for the other
        partitions."""
        timeout = self.workload.patience
        deadline = time.monotonic() + timeout
        self.looks = []
        while True:
            text = self.log.read_bytes()
            self.looks.append((time.time(), time.monotonic(), self.cpu()))
            if text.count(b'"partition caught up"') >= self.workload.partitions:
                break
            if self.process.poll() is not None:
                raise Failed(f"it ended with status {self.process.returncode}: {self.log_end()}")
            if time.monotonic() > deadline:
                raise Failed(f"its tables are not there after {timeout:.0f} s: {self.log_end()}")
            time.sleep(CLOSE_LOOK)
        return self._look_before(self._logged("partition caught up")[0])

    def _logged(self, message):
        return [line for line in self.lines() if line["message"] == message]

    def _look_before(self, line):
        """The monotonic time and the CPU time of the last look before a line, so that nothing that was done after it is
        left out."""
        moment = log_time(line)
        return next((look[1:] for look in reversed(self.looks) if look[0] <= moment), self.looks[0][1:])

    def restored(self):
        """Table records, seconds and CPU seconds from "partitions assigned" to the last partition caught up."""
        given = next(line for line in self._logged("partitions assigned") if line.get("partitions"))
        caught_up = self._logged("partition caught up")
        return (sum(int(line["records"]) for line in caught_up), log_time(caught_up[-1]) - log_time(given),
                self.looks[-1][2] - self._look_before(given)[1])

    def opening(self):
        """Seconds and CPU seconds from "partitions assigned" to the last partition caught up, on a store that had
        all."""
        applied, seconds, cpu = self.restored()
        if applied:
            raise Failed(f"{applied} table records were applied to a store that should have them")
        return seconds, cpu

    def store_bytes(self):
        """The store's bytes on disk."""
        return sum(path.stat().st_blocks * 512 for path in self.state.rglob("*") if path.is_file())

    def wait_next_commit(self, count):
        """Until the group commits something. Returns up to how many of the `count` records, and the CPU time then."""
        deadline = time.monotonic() + self.workload.patience
        before = None
        while True:
            offsets = self.bench.cluster.committed(self.group, self.questions, self.workload.partitions)
            cpu = self.cpu()
            # Without offsets the cluster could not be asked.
            if offsets:
                committed = sum(offset or 0 for offset in offsets.values())
                if committed >= count or before is not None and committed > before:
                    return committed, cpu
                before = committed
            if self.process.poll() is not None:
                raise Failed(f"it ended with status {self.process.returncode}: {self.log_end()}")
            if time.monotonic() > deadline:
                raise Failed(f"it committed nothing in {self.workload.patience:.0f} s: {self.log_end()}")
            time.sleep(CLOSE_LOOK)

    def cpu(self):
        return cpu_seconds(self.process.pid)

    def pass_over(self, count):
        """Works through `count` question events that are there already, and measures from the first to the last; and,
        where enough of them are left then, from the first commit after all tables were caught up."""
        self.commit_tables()
        self.start()
        began, began_cpu = self.wait_caught_up()
        passed, passed_cpu = self.wait_next_commit(count)
        self.wait_committed(count, self.process)
        ended_cpu = self.cpu()
        seconds, cpu = time.monotonic() - began, ended_cpu - began_cpu
        self.sent_bytes = sent_bytes(self.process.pid)
        memory = self.stop()
        totals = [line for line in self.lines() if line["message"] in ("totals", "throughput totals")]
        figures = self.figures(count, seconds, cpu, memory)
        if count - passed >= count * LEAST_LEFT:
            figures["cpu_us_per_event_caught_up"] = (ended_cpu - passed_cpu) / (count - passed) * 1e6
        if totals and "commits" in totals[-1]:
            figures["records_per_commit"] = count / max(1, int(totals[-1]["commits"]))
        return figures

    @staticmethod
    def figures(count, seconds, cpu, memory):
        return {
            "cpu_us_per_record": cpu / count * 1e6,
            "records_per_second": count / seconds,
            "peak_resident_mib": memory["resident"] / 2**20,
            "anonymous_mib": memory["anonymous"] / 2**20,
            "beyond_store_mib": memory["beyond_store"] / 2**20,
        }

    def stop(self):
        memory = self.sampler.stop()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise Failed(f"it did not end: {self.log_end()}") from None
        if self.process.returncode != 0:
            raise Failed(f"it ended with status {self.process.returncode}: {self.log_end()}")
        return memory

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.workload.drop(self.enriched, self.dead_letters)


class WaitingBrokerRun(WorkerRun):
    """A worker on a broker that keeps to a fetch's limits (waiting_broker.py), with tables of its own and no events."""

    def __init__(self, bench, partitions, tables, mode="exactly-once"):
        """tables: options of `rejoinder generate`; no partition of them larger than the broker keeps."""
        self.bench, self.mode, self.counts, self.process, self.looks = bench, mode, None, None, []
        topics = {kind: kind for kind in ("questions", "answers", "votes", "enriched", "deadLetter")}
        self.workload = SimpleNamespace(topics=topics, partitions=partitions, patience=60)
        self.state = bench.directory / f"state-waiting-{uuid.uuid4().hex[:6]}"
        self.log = bench.directory / f"{self.state.name}.log"
        self.broker = WaitingBroker(str(bench.waiting_broker), partitions, topics)
        self.configuration = bench.configuration(
            self.workload, group="waiting", state=self.state, delivery=mode, bootstrap_servers=self.broker.bootstrap_servers)
        try:
            bench.finish(subprocess.Popen(
                [bench.binary, "generate", "--publish", "--stage", "tables", *map(str, tables), "--config", str(self.configuration)],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=bench.environment))
        except BaseException:
            self.close()
            raise

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.broker.stop()
        shutil.rmtree(self.state, ignore_errors=True)


class FloorRun(Run):
    """The C program that only copies (floor/floor.c), with the librdkafka properties that the worker has."""

    name = "floor"

    # The queues are the floor's own, as large as may be: it is to show librdkafka's limit, not that of a program with
    # little memory. The events gathered for a transaction have room twice.
    QUEUES = {
        "consumer": {"queued.min.messages": "10000000", "queued.max.messages.kbytes": "2097151"},
        "producer": {"queue.buffering.max.messages": "10000000", "queue.buffering.max.kbytes": "1048576"},
    }

    def __init__(self, bench, workload, mode, sizes, questions=None, is_spread=False):
        """is_spread: the sizes are those of all records that it publishes, spread over all that it consumes
        (`Workload.write_spread`)."""
        super().__init__(bench, workload, mode, questions)
        self.sizes = sizes
        self.is_spread = is_spread
        self.process = None

    def command(self, count, follow_count, from_assignment):
        client = {"bootstrap.servers": self.bench.cluster.bootstrap_servers, "client.id": "floor"}
        properties = self.bench.worker_properties()
        consumer = client | CLIENT | {
            "group.id": self.group, "isolation.level": "read_committed", "enable.auto.commit": "false",
            "enable.auto.offset.store": "false"}
        producer = client | {"enable.idempotence": "true", "partitioner": "murmur2_random"} | properties["producer"]
        if self.mode == "exactly-once":
            producer["transactional.id"] = self.group
        words = ["--questions", self.questions, "--enriched", self.enriched, "--mode", self.mode,
                 "--sizes", self.sizes, "--count", count,
                 "--commit-bytes", int(properties["producer"]["queue.buffering.max.kbytes"]) * 1024 // 2]
        # The worker listens for answers and votes all the time, and so does this: it costs next to nothing with a
        # broker that keeps a fetch waiting until something comes, and a lot with one that does not.
        words += ["--follow", self.workload.topics["answers"], "--follow", self.workload.topics["votes"],
                  "--follow-count", follow_count, "--from-assignment", int(from_assignment), "--spread", int(self.is_spread)]
        for option, values in (
            ("--consumer", consumer | properties["group consumer"] | self.QUEUES["consumer"] | {"enable.partition.eof": "true"}),
            ("--follower", consumer | properties["table follower"] | self.QUEUES["consumer"]),
            ("--producer", producer | self.QUEUES["producer"]),
        ):
            for name, value in values.items():
                words += [option, f"{name}={value}"]
        return [str(self.bench.floor), *map(str, words)]

    def start(self, count, follow_count=0, from_assignment=False):
        """from_assignment: as the worker's counts, where the events are there before it starts."""
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                self.command(count, follow_count, from_assignment), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
        self.bench.children.append(self.process)
        self.sampler = Sampler(self.process.pid)
        self.sampler.start()
        # Its partitions may never come, so the wait has an end.
        self._hangs = threading.Timer(self.workload.patience, self.process.kill)
        self._hangs.daemon = True
        self._hangs.start()
        if not self.process.stdout.readline():
            raise Failed(f"the floor was given no partitions: {self.log_end()}")
        return self

    def finish(self, records):
        """records: the count that the CPU time is divided by."""
        line = self.process.stdout.readline()
        self.process.wait()
        self._hangs.cancel()
        self.process.stdout.close()
        memory = self.sampler.stop()
        if self.process.returncode != 0 or not line:
            raise Failed(f"the floor ended with status {self.process.returncode}: {self.log_end()}")
        result = json.loads(line)
        return WorkerRun.figures(records, result["seconds"], result["cpu_seconds"], memory) | {
            "records_per_commit": records / max(1, result["commits"])}

    def close(self):
        if self.process:
            self._hangs.cancel()
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
        super().close()

    def pass_over(self, count):
        self.start(count, from_assignment=True)
        figures = self.finish(count)
        published = sum(self.workload.ends(self.enriched))
        if published < count:
            raise Failed(f"the floor published {published} records for {count} question events")
        return figures


class PeerRun(Run):
    """A program of peers/ in an environment of its own. It loads the tables, then works through the question events."""

    def __init__(self, bench, workload, mode, script):
        super().__init__(bench, workload, mode)
        self.script = script

    def pass_over(self, count):
        command = [
            self.bench.peer_python(), str(self.bench.peers / f"{self.script}.py"),
            "--bootstrap-servers", self.bench.cluster.bootstrap_servers, "--group", self.group, "--mode", self.mode,
            "--count", str(count), "--enriched", self.enriched, "--state", str(self.bench.directory / self.group)]
        for kind, topic in self.workload.topics.items():
            command += [f"--{kind}", topic]
        with open(self.log, "wb") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, env={**os.environ})
        self.bench.children.append(process)
        sampler = Sampler(process.pid)
        sampler.start()
        try:
            output, _ = process.communicate(timeout=self.workload.patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            sampler.stop()
            raise Failed(f"{self.script} did not come to its end: {self.log_end()}") from None
        memory = sampler.stop()
        lines = output.split(b"\n")
        if process.returncode != 0 or len(lines) < 2:
            raise Failed(f"{self.script} ended with status {process.returncode}: {self.log_end()}")
        result = json.loads(lines[-2])
        return WorkerRun.figures(result["records"], result["seconds"], result["cpu_seconds"], memory)
