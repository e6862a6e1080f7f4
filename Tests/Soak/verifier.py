"""Compares what was published since the last time with what the oracle expects, and lets go of both."""

import compare
import oracle
from confluent_kafka import KafkaException, TopicPartition
from deployment import read


class Verifier:
    def __init__(self, deployment, delivery):
        self._deployment = deployment
        self._exactly_once = delivery == "exactly-once"
        self._tables = oracle.Tables()
        self._positions = {}  # topic -> partition -> the offset to read on from

    def verify(self):
        """The number of input records whose effects are right. Throws AssertionError otherwise."""
        deployment = self._deployment
        expected = list(oracle.compute(deployment.records, kinds=deployment.kinds, tables=self._tables))
        enriched, dead_letters = self._read(deployment.enriched), self._read(deployment.dead_letters)
        try:
            self._compare(expected, enriched, dead_letters)
        except AssertionError:
            self._check_input()
            raise
        count = len(deployment.records)
        self._forget()
        deployment.records.clear()
        return count

    def _compare(self, expected, enriched, dead_letters):
        if self._exactly_once:
            compare.enriched_exactly_once(expected, enriched)
        else:
            compare.enriched_at_least_once(expected, enriched)
        compare.dead_letters(expected, dead_letters, exactly_once=self._exactly_once)

    def _check_input(self):
        """Throws AssertionError if the input topics do not hold what was published, which is no fault of the workers."""
        deployment = self._deployment
        begins = {}
        for record in deployment.records:
            place = begins.setdefault(record.topic, {})
            place[record.partition] = min(place.get(record.partition, record.offset), record.offset)
        for topic in deployment.topics.values():
            published = {(r.partition, r.offset): (r.timestamp, r.key, r.value) for r in deployment.records if r.topic == topic}
            held = {
                (r.partition, r.offset): (r.timestamp, r.key, r.value)
                for r in read(deployment.cluster, topic, timeout=300, positions=begins.get(topic, {}))
            }
            strange = {place for place in published.keys() | held.keys() if published.get(place) != held.get(place)}
            # Partitions without a record of this round are read from their beginning.
            strange = {place for place in strange if place[0] in begins.get(topic, {})}
            assert not strange, f"{topic} does not hold what the soak published: {len(strange)} records, the first at {min(strange)}"

    def _read(self, topic):
        positions = self._positions.setdefault(topic, {})
        return read(self._deployment.cluster, topic, timeout=300, positions=positions)

    def _forget(self):
        """Deletes what was verified, so that a long run does not fill the brokers' disks. The tables' topics stay."""
        deployment = self._deployment
        ends = [TopicPartition(topic, p, offset) for topic, ps in self._positions.items() for p, offset in ps.items() if offset]
        questions = deployment.topics[oracle.QUESTIONS]
        committed = deployment.cluster.committed(deployment.group, questions, deployment.partitions)
        ends += [TopicPartition(questions, p, offset) for p, offset in committed.items() if offset]
        if not ends:
            return
        for future in deployment.cluster.admin.delete_records(ends).values():
            try:
                future.result()
            except KafkaException:
                pass  # Brokers that cannot delete records keep them.
