"""Compares the records published since the last time with those that the oracle expects, and lets go of both."""

from collections import Counter
from copy import deepcopy

import compare
import oracle
from confluent_kafka import OFFSET_BEGINNING, KafkaException, TopicPartition
from deployment import read


class Verifier:
    def __init__(self, deployment, delivery):
        self._deployment = deployment
        self._exactly_once = delivery == "exactly-once"
        self._tables = oracle.Tables()
        self.doubled_input = 0  # records of the soak's own that a broker has taken more than once
        self._positions = {}  # topic -> partition -> the offset to read on from
        self._input_ends = {}  # (topic, partition) -> the offset behind the last round's input

    def verify(self, forget=True):
        """The number of input records whose effects are right. Throws AssertionError otherwise.

        forget: delete them from the topics."""
        deployment = self._deployment
        check = self._check()
        try:
            check()
        except AssertionError:
            # A node that is killed may forget which requests of the soak's own producer it had already, and take them
            # twice.
            deployment.records[:], doubled = self._input()
            if not doubled:
                raise
            self.doubled_input += doubled
            check()
        count = len(deployment.records)
        for record in deployment.records:
            place = record.topic, record.partition
            self._input_ends[place] = max(self._input_ends.get(place, 0), record.offset + 1)
        if forget:
            self._forget()
        deployment.records.clear()
        return count

    def _check(self):
        """Reads the records published since the last round. The result compares them with those that the input must
        lead to, and goes on from there if they are right."""
        deployment = self._deployment
        enriched, dead_letters = self._read(deployment.enriched), self._read(deployment.dead_letters)

        def check():
            tables = deepcopy(self._tables)
            expected = list(oracle.compute(deployment.records, kinds=deployment.kinds, tables=tables))
            self._compare(expected, enriched, dead_letters)
            self._tables = tables

        return check

    def _compare(self, expected, enriched, dead_letters):
        if self._exactly_once:
            compare.enriched_exactly_once(expected, enriched)
        else:
            compare.enriched_at_least_once(expected, enriched)
        compare.dead_letters(expected, dead_letters, exactly_once=self._exactly_once)

    def _input(self):
        """This round's records in the input topics, and the number of these that are there more than once.

        Throws AssertionError if one is not there, which is no fault of the workers."""
        deployment = self._deployment
        held = []
        for topic in deployment.topics.values():
            # Not from this round's first acknowledged offset: that may be the second time that a broker took a record.
            positions = {p: self._input_ends.get((topic, p), OFFSET_BEGINNING) for p in range(deployment.partitions)}
            held += read(deployment.cluster, topic, timeout=300, positions=positions)

        def content(record):
            return record.topic, record.partition, record.timestamp, record.key, record.value

        published, there = Counter(map(content, deployment.records)), Counter(map(content, held))
        if lost := published - there:
            raise AssertionError(f"the input topics do not hold {lost.total()} records that were acknowledged, one is {next(iter(lost))}")
        return held, (there - published).total()

    def _read(self, topic):
        positions = self._positions.setdefault(topic, {})
        return read(self._deployment.cluster, topic, timeout=300, positions=positions)

    def _forget(self):
        """Deletes the verified records, so that a long run does not fill the brokers' disks. The tables' topics
        stay."""
        ends = self._forgettable()
        if not ends:
            return
        for future in self._deployment.cluster.admin.delete_records(ends).values():
            try:
                future.result()
            except KafkaException:
                pass  # Brokers that cannot delete records keep them.

    def _forgettable(self):
        """The places below which no record is needed any more."""
        deployment = self._deployment
        ends = [TopicPartition(topic, p, offset) for topic, ps in self._positions.items() for p, offset in ps.items() if offset]
        questions = deployment.topics[oracle.QUESTIONS]
        committed = deployment.cluster.committed(deployment.group, questions, deployment.partitions)
        return ends + [TopicPartition(questions, p, offset) for p, offset in committed.items() if offset]
