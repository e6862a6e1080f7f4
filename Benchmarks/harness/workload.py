"""A workload's topics on a cluster, and what must come out of them, computed without a line of the program."""

import array
import json
import re
import struct
import subprocess
import time
import uuid
import zlib

import oracle
from cluster import CLIENT
from confluent_kafka import Consumer, TopicPartition

INPUTS = ("questions", "answers", "votes")
_TALLY = re.compile(rb'"voteCount":-?[0-9]+,"voteLabel":"[+-]?[0-9]+"\}')


class CheckFailed(Exception):
    """What was published is not what had to be."""


class Workload:
    """Topics of their own, filled by `rejoinder generate`; removed by `close`."""

    def __init__(self, bench, name, options, partitions, one_in=1):
        """one_in: of how many questions one is checked; the others' tables are not kept in memory."""
        self.bench = bench
        self.cluster = bench.cluster
        self.name = name
        self.options = [str(option) for option in options]
        self.partitions = partitions
        self.one_in = one_in
        self.prefix = f"rejoinder-bench-{uuid.uuid4().hex[:8]}"
        self.topics = {kind: f"{self.prefix}.{kind}" for kind in INPUTS}
        self._made = []
        self._suffixes = {}
        self._tables = oracle.Tables()
        self._questions = {}
        self.make(*self.topics.values())

    # --- Topics ------------------------------------------------------------------------------------------------

    def make(self, *names):
        self.cluster.create_topics({name: self.partitions for name in names})
        self._made += names

    def drop(self, *names):
        self.cluster.delete(names, [])
        self._made = [name for name in self._made if name not in names]

    def fresh(self, kind):
        name = f"{self.prefix}.{kind}-{uuid.uuid4().hex[:6]}"
        self.make(name)
        return name

    def close(self):
        self.cluster.delete(self._made, self.bench.groups_of(self))

    def publish(self, stage, questions=None, options=(), wait=True):
        """Has the program make up records. Without waiting: returns the process."""
        command = [self.bench.binary, "generate", *self.options, *map(str, options), "--stage", stage,
                   "--bootstrap-servers", self.cluster.bootstrap_servers,
                   "--config", str(self.bench.configuration(self, questions=questions))]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self.bench.environment)
        return self.bench.finish(process) if wait else process

    def ends(self, topic):
        """The offset behind the last record, by partition."""
        consumer = Consumer({"bootstrap.servers": self.cluster.bootstrap_servers, "group.id": "unused", **CLIENT})
        try:
            return [
                consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=30)[1] for p in range(self.partitions)
            ]
        finally:
            consumer.close()

    def read(self, topic, receive):
        """Calls `receive` with batches of messages until the topic's end."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.cluster.bootstrap_servers,
                "group.id": "unused",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "check.crcs": False,
                **CLIENT,
            }
        )
        try:
            consumer.assign([TopicPartition(topic, p, 0) for p in range(self.partitions)])
            open_partitions = set(range(self.partitions))
            last = time.monotonic()
            while open_partitions:
                # The timeout is for the whole batch, so it must be short where less than a batch is left.
                batch = consumer.consume(10_000, 0.1)
                if batch:
                    last = time.monotonic()
                elif time.monotonic() - last > 30:
                    raise CheckFailed(f"{topic} cannot be read to its end: nothing came for 30 seconds")
                good = []
                for message in batch:
                    error = message.error()
                    if error is None:
                        good.append(message)
                    elif error.name() == "_PARTITION_EOF":
                        open_partitions.discard(message.partition())
                    else:
                        raise CheckFailed(f"{topic} cannot be read: {error}")
                receive(good)
        finally:
            consumer.close()

    # --- What must come out ------------------------------------------------------------------------------------

    def is_checked(self, key):
        return self.one_in == 1 or zlib.crc32(key) % self.one_in == 0

    def load_tables(self):
        """Reads both tables from the cluster. Again when votes were published since."""
        self._tables = oracle.Tables()
        self._suffixes = {}

        def answers(batch):
            for message in batch:
                key = message.key()
                if self.is_checked(key):
                    value = message.value()
                    self._tables.answer(key, value, self._found(value))

        def votes(batch):
            for message in batch:
                key = message.key()
                if self.is_checked(key):
                    self._tables.vote(key, self._found(message.value()))

        self.read(self.topics["answers"], answers)
        self.read(self.topics["votes"], votes)

    @staticmethod
    def _found(value):
        """The fields that the tables want. What was made up keeps the contract, which other tests see to."""
        found = json.loads(value)
        for name in ("id", "questionId", "answerId", "voterId"):
            if name in found:
                found[name] = found[name].encode()
        if "answeredAt" in found:
            found["answeredAt"] = found["answeredAt"]  # all in the same form, so in the order of their text
        return found

    def load_questions(self, topic=None):
        """Reads the question events: (key, value) by partition, in order of offset."""
        topic = topic or self.topics["questions"]
        events = [[] for _ in range(self.partitions)]

        def receive(batch):
            for message in batch:
                events[message.partition()].append((message.key(), message.value(), message.timestamp()[1]))

        self.read(topic, receive)
        self._questions[topic] = events
        return events

    def questions(self, topic=None):
        topic = topic or self.topics["questions"]
        return self._questions.get(topic) or self.load_questions(topic)

    def forget_questions(self, topic):
        self._questions.pop(topic, None)

    def _suffix(self, key):
        """What follows the question's own bytes."""
        suffix = self._suffixes.get(key)
        if suffix is None:
            whole = oracle.enriched_value(b"", self._tables.ranking(key), 10**9)
            suffix = self._suffixes[key] = whole[len(b'{"question":') :]
        return suffix

    def write_sizes(self, path, topic=None):
        """For the floor: the lengths of the enriched values. Of what is not checked the mean of what is."""
        with open(path, "wb") as file:
            file.write(struct.pack("=i", self.partitions))
            for events in self.questions(topic):
                lengths = array.array(
                    "I",
                    [
                        len(value) + 12 + len(self._suffix(key)) if self.is_checked(key) else 0
                        for key, value, _ in events
                    ],
                )
                known = [length for length in lengths if length]
                mean = sum(known) // max(1, len(known))
                if len(known) < len(lengths):
                    lengths = array.array("I", [length or mean for length in lengths])
                file.write(struct.pack("=q", len(lengths)))
                lengths.tofile(file)

    def check(self, enriched, questions=None, once=True, tallies=True):
        """Reads the enriched topic and compares every byte. Returns how many records and bytes there are.

        once: each event's record once, else at least once. tallies: False leaves the vote counts out, where votes come
        while questions are worked on.
        """
        events = self.questions(questions)
        place = [0] * self.partitions
        seen = [0, 0, 0]

        def receive(batch):
            for message in batch:
                partition = message.partition()
                index = place[partition]
                value = message.value()
                if index >= len(events[partition]):
                    raise CheckFailed(f"{enriched} [{partition}] has more records than question events")
                key, question, timestamp = events[partition][index]
                if not once and message.timestamp()[1] < timestamp:
                    raise CheckFailed(f"{enriched} [{partition}]: records were repeated, which without a crash must not be")
                if message.key() != key or message.timestamp()[1] != timestamp:
                    raise CheckFailed(f"{enriched} [{partition}]: record {index} is not that of event {index}")
                if self.is_checked(key):
                    suffix = self._suffix(key)
                    seen[2] += 1
                    if not (value.startswith(b'{"question":') and value.startswith(question, 12)):
                        raise CheckFailed(f"{enriched} [{partition}]: record {index} has not the question's bytes")
                    rest = value[12 + len(question) :]
                    same = rest == suffix if tallies else self._without_tallies(rest) == self._without_tallies(suffix)
                    if not same:
                        raise CheckFailed(
                            f"{enriched} [{partition}]: record {index} is not the expected one: {value[:300]!r}..."
                        )
                place[partition] += 1
                seen[0] += 1
                seen[1] += len(value)

        self.read(enriched, receive)
        for partition, count in enumerate(place):
            if count != len(events[partition]):
                raise CheckFailed(f"{enriched} [{partition}] has {count} records for {len(events[partition])} question events")
        return {"records": seen[0], "bytes": seen[1], "checked": seen[2]}

    @staticmethod
    def _without_tallies(value):
        """The answers as a set, since the counts order them."""
        return sorted(part.lstrip(b",") for part in _TALLY.split(value.removeprefix(b',"answers":[')))
