"""A workload's topics on a cluster, and the records that must come out of them, computed without a line of the
program."""

import array
import hashlib
import json
import re
import struct
import subprocess
import sys
import time
import uuid
import zlib

import oracle
from cluster import CLIENT
from confluent_kafka import Consumer, KafkaException, TopicPartition

INPUTS = ("questions", "answers", "votes")
_TALLY = re.compile(rb'"voteCount":-?[0-9]+,"voteLabel":"[+-]?[0-9]+"\}')


HEAD = b'{"question":'


class CheckFailed(Exception):
    """A published record is not the one that had to be."""


class Events:
    """The notes kept of a partition's question events: little, for there may be gigabytes of them."""

    def __init__(self):
        self._keys = {}
        self._which = array.array("I")
        self._names = []
        self._lengths = array.array("I")
        self._times = array.array("q")
        self._digests = bytearray()

    @staticmethod
    def digest(value):
        return hashlib.sha256(value).digest()

    def append(self, key, value, timestamp):
        number = self._keys.get(key)
        if number is None:
            number = self._keys[key] = len(self._names)
            self._names.append(key)
        self._which.append(number)
        self._lengths.append(len(value))
        self._times.append(timestamp)
        self._digests += self.digest(value)

    def __len__(self):
        return len(self._which)

    def __getitem__(self, index):
        """Key, the value's length and digest, time."""
        return (self._names[self._which[index]], self._lengths[index], self._digests[32 * index : 32 * index + 32],
                self._times[index])

    def keys_and_lengths(self):
        return ((self._names[number], length) for number, length in zip(self._which, self._lengths))


class Workload:
    """Topics of their own, filled by `rejoinder generate`; removed by `close`."""

    def __init__(self, bench, name, options, partitions, one_in=1, patience=600):
        """one_in: of how many questions one is checked; the others' tables are not kept in memory. patience:
        seconds."""
        self.bench = bench
        self.cluster = bench.cluster
        self.administration = bench.administration
        self.name = name
        self.options = [str(option) for option in options]
        self.partitions = partitions
        self.one_in = one_in
        self.patience = patience
        self.prefix = f"rejoinder-bench-{uuid.uuid4().hex[:8]}"
        self.topics = {kind: f"{self.prefix}.{kind}" for kind in INPUTS}
        self._made = []
        self._suffixes = {}
        self._tables = oracle.Tables()
        self._events = {}
        self.make(*self.topics.values())

    # --- Topics ------------------------------------------------------------------------------------------------

    def make(self, *names):
        self._made += names
        self.administration.create(names, self.partitions)

    def drop(self, *names):
        self.administration.delete(names)
        self._made = [name for name in self._made if name not in names]

    def fresh(self, kind):
        name = f"{self.prefix}.{kind}-{uuid.uuid4().hex[:6]}"
        self.make(name)
        return name

    def close(self):
        try:
            self.administration.delete(self._made)
            self.administration.delete_groups(self.bench.groups_of(self))
        except KafkaException as error:
            self.administration.notes.append(f"topics {self.prefix}.* may be left: {error}")

    def publish(self, stage, questions=None, options=(), wait=True):
        """Has the program make up records. Without waiting: returns the process."""
        command = [self.bench.binary, "generate", *self.options, *map(str, options), "--stage", stage,
                   "--bootstrap-servers", self.cluster.bootstrap_servers,
                   "--config", str(self.bench.configuration(self, questions=questions))]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self.bench.environment)
        return self.bench.finish(process) if wait else process

    def ends(self, topic):
        """The offset behind the last record, by partition."""
        return self.administration.ends(topic, self.partitions)

    def read(self, topic, receive):
        """Calls `receive` with batches of messages until the topic's end, or until it returns True."""
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
            room = 1_000
            while open_partitions:
                # The timeout is for the whole batch, so it must be short where less than a batch is left.
                batch = consumer.consume(room, 0.1)
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
                if good:
                    # A batch is some 32 MB, however large the records are.
                    room = max(20, min(10_000, 2**25 * len(good) // (1 + sum(map(len, good)))))
                if receive(good):
                    return
        finally:
            consumer.close()

    # --- The records that must come out ------------------------------------------------------------------------

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
        """The fields that the tables need. Made-up records keep the contract, which other tests see to."""
        found = json.loads(value)
        for name in ("id", "questionId", "answerId", "voterId"):
            if name in found:
                found[name] = found[name].encode()
        if "answeredAt" in found:
            found["answeredAt"] = found["answeredAt"]  # all in the same form, so in the order of their text
        return found

    def load_questions(self, topic=None):
        """Reads the question events, and notes of each by partition, in order of offset, the figures that its record is
        checked by."""
        topic = topic or self.topics["questions"]
        events = [Events() for _ in range(self.partitions)]

        def receive(batch):
            for message in batch:
                events[message.partition()].append(message.key(), message.value(), message.timestamp()[1])

        self.read(topic, receive)
        self._events[topic] = events
        return events

    def questions(self, topic=None):
        topic = topic or self.topics["questions"]
        return self._events.get(topic) or self.load_questions(topic)

    def first_questions(self, count):
        """(key, value) of the first question events of each partition, `count` in all if there are so many."""
        found = [[] for _ in range(self.partitions)]
        most = count // self.partitions + 1

        def receive(batch):
            for message in batch:
                events = found[message.partition()]
                if len(events) < most:
                    events.append((message.key(), message.value()))
            return all(len(events) == most for events in found)

        self.read(self.topics["questions"], receive)
        return [event for events in found for event in events][:count]

    def forget_questions(self, topic):
        self._events.pop(topic, None)

    def _suffix(self, key, length):
        """The enriched value's bytes after the question's own, of which there are `length`."""
        suffix = self._suffixes.get(key)
        if suffix is None:
            suffix = self._suffixes[key] = self._whole_suffix(key, 0, sys.maxsize)
        if len(HEAD) + length + len(suffix) > self.bench.max_record_bytes():
            # Answers are left out, how many depends on the question's length.
            return self._whole_suffix(key, length, self.bench.max_record_bytes())
        return suffix

    def _whole_suffix(self, key, length, limit):
        return oracle.enriched_value(b" " * length, self._tables.ranking(key), limit)[len(HEAD) + length :]

    def write_sizes(self, path, topic=None):
        """For the floor: the lengths of the enriched values. An unchecked one has the mean of the checked ones."""
        with open(path, "wb") as file:
            file.write(struct.pack("=i", self.partitions))
            for events in self.questions(topic):
                lengths = array.array(
                    "I",
                    [
                        length + len(HEAD) + len(self._suffix(key, length)) if self.is_checked(key) else 0
                        for key, length in events.keys_and_lengths()
                    ],
                )
                known = [length for length in lengths if length]
                mean = sum(known) // max(1, len(known))
                if len(known) < len(lengths):
                    lengths = array.array("I", [length or mean for length in lengths])
                file.write(struct.pack("=q", len(lengths)))
                lengths.tofile(file)

    def write_spread(self, path, enriched, inputs):
        """For the floor: the lengths of the published records, by partition, and the number of consumed records they
        came of.

        Returns how many records and bytes there are.
        """
        lengths = [array.array("I") for _ in range(self.partitions)]

        def receive(batch):
            for message in batch:
                lengths[message.partition()].append(len(message.value() or b""))

        self.read(enriched, receive)
        with open(path, "wb") as file:
            file.write(struct.pack("=i", self.partitions))
            for count, found in zip(inputs, lengths, strict=True):
                file.write(struct.pack("=qq", count, len(found)))
                found.tofile(file)
        return sum(map(len, lengths)), sum(map(sum, lengths))

    def check_last(self, enriched):
        """When all inputs are worked on and nothing waits, each question's last record shows all of its answers and
        votes."""
        self.load_tables()
        events, last = {}, {}

        def asked(batch):
            for message in batch:
                events[message.key()] = message.value()

        def receive(batch):
            for message in batch:
                last[message.key()] = Events.digest(message.value())

        self.read(self.topics["questions"], asked)
        self.read(enriched, receive)
        if events.keys() != last.keys():
            raise CheckFailed(f"{enriched} has records of {len(last)} questions, and {len(events)} were asked")
        for key, value in events.items():
            if self.is_checked(key) and last[key] != Events.digest(HEAD + value + self._suffix(key, len(value))):
                raise CheckFailed(f"{enriched}: the last record of {key} is not current")

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
                key, length, digest, timestamp = events[partition][index]
                if not once and message.timestamp()[1] < timestamp:
                    raise CheckFailed(f"{enriched} [{partition}]: records were repeated, which without a crash must not be")
                if message.key() != key or message.timestamp()[1] != timestamp:
                    raise CheckFailed(f"{enriched} [{partition}]: record {index} is not that of event {index}")
                if self.is_checked(key):
                    suffix = self._suffix(key, length)
                    seen[2] += 1
                    end = len(HEAD) + length
                    if not value.startswith(HEAD) or Events.digest(value[len(HEAD) : end]) != digest:
                        raise CheckFailed(f"{enriched} [{partition}]: record {index} has not the question's bytes")
                    rest = value[end:]
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
