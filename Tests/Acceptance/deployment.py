"""Five topics, a group and any number of workers, made for one test and removed after it."""

import time
import uuid

import oracle
from cluster import CLIENT
from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Consumer, KafkaError, KafkaException, Producer, TopicPartition
from murmur2 import partition_of
from oracle import Record
from worker import Worker

# When the made-up records were made: one millisecond after the other, so that a timestamp tells which record it was.
FIRST_TIMESTAMP = 1_757_921_400_000


class Deployment:
    def __init__(self, cluster, directory, partitions=4, output_partitions=None):
        self.cluster = cluster
        self.directory = directory
        self.partitions = partitions
        self.output_partitions = output_partitions
        self.group = f"rejoinder-test-{uuid.uuid4().hex[:12]}"
        self.topics = {kind: f"{self.group}.{kind}" for kind in oracle.KINDS}
        self.enriched = f"{self.group}.enriched"
        self.dead_letters = f"{self.group}.dead-letter"
        self.kinds = {topic: kind for kind, topic in self.topics.items()}
        self.records = []
        self.workers = []
        self._clock = FIRST_TIMESTAMP
        self._last = {}  # (topic, partition) -> the offset published last
        self._producer = None

    # --- Topics ----------------------------------------------------------------------------------------------

    def create_topics(self, **partitions):
        """partitions: another count for a kind of topic ("questions", ..., "enriched", "dead_letters")."""
        counts = {topic: partitions.get(kind, self.partitions) for kind, topic in self.topics.items()}
        counts[self.enriched] = partitions.get("enriched", self.output_partitions or self.partitions)
        counts[self.dead_letters] = partitions.get("dead_letters", 2)
        self.cluster.create_topics(counts)

    def close(self):
        for worker in self.workers:
            worker.kill()
        self.cluster.delete([*self.topics.values(), self.enriched, self.dead_letters], [self.group])

    # --- Input -----------------------------------------------------------------------------------------------

    def publish(self, records):
        """Publishes (kind, key, value, headers), each where Java's partitioner would put it, in the order given."""
        if self._producer is None:
            self._producer = Producer(
                {
                    "bootstrap.servers": self.cluster.bootstrap_servers,
                    "enable.idempotence": True,
                    "linger.ms": 20,
                    "message.max.bytes": 1_040_000,
                }
            )
        failures = []
        for kind, key, value, headers in records:
            # Records that Java's clients place at random can go anywhere.
            partition = partition_of(key or b"", self.partitions)
            record = Record(self.topics[kind], partition, -1, self._clock, key, value, headers)
            self._clock += 1
            self.records.append(record)

            def delivered(error, message, record=record, partition=partition):
                if error:
                    failures.append(error)
                else:
                    record.offset = message.offset()
                    # A broker that had the record already, from a request whose answer was lost, names no offset.
                    # The test is the topic's only writer, so it stands behind the one before.
                    last = self._last.get((record.topic, partition), -1)
                    if record.offset < 0:
                        record.offset = last + 1
                    self._last[record.topic, partition] = record.offset

            while True:
                try:
                    self._producer.produce(
                        record.topic,
                        value,
                        key,
                        partition,
                        on_delivery=delivered,
                        timestamp=record.timestamp,
                        headers=headers,
                    )
                    break
                except BufferError:
                    self._producer.poll(0.1)
            self._producer.poll(0)
        # Longer than nodes are away in any test.
        assert self._producer.flush(150) == 0, "the broker does not acknowledge what the test publishes"
        assert not failures, failures[0]

    # --- Workers ---------------------------------------------------------------------------------------------

    def configuration(self, name, properties=None, **settings):
        return {
            "kafka": {
                "bootstrapServers": self.cluster.bootstrap_servers,
                "groupId": self.group,
                "staticMembership": settings.pop("staticMembership", False),
                "properties": CLIENT | (properties or {}),
            },
            "topics": self.topics | {"enriched": self.enriched, "deadLetter": self.dead_letters},
            "store": {"directory": str(self.directory / f"state-{name}")},
            "admin": {"port": 0},
            "log": {"format": "json", "level": "info"},
        } | settings

    def worker(self, name="w1", properties=None, **settings):
        """A worker, not yet started. settings: top-level keys of the configuration."""
        worker = Worker(name, self.directory, self.configuration(name, properties, **settings))
        self.workers.append(worker)
        return worker

    def kill(self, worker):
        """SIGKILL. The group learns of it only when the session is over, or the worker is back."""
        identity = worker.identity
        worker.kill()
        self.cluster.end_sessions(self.group, identity, worker.session_seconds)

    def wait_until_drained(self, timeout=60, topics=None):
        """Returns when the group has committed all that was published, and how long that took."""
        began = time.monotonic()
        ends = {}
        for record in self.records:
            if topics is None or self.kinds[record.topic] in topics:
                place = ends.setdefault(record.topic, {})
                place[record.partition] = max(place.get(record.partition, 0), record.offset + 1)
        while True:
            behind = {}
            for topic, end in ends.items():
                committed = self.cluster.committed(self.group, topic, self.partitions)
                late = {p: (committed.get(p), offset) for p, offset in end.items() if (committed.get(p) or 0) < offset}
                if late:
                    behind[self.kinds[topic]] = late
            if not behind:
                return time.monotonic() - began
            alive = [worker for worker in self.workers if worker.running]
            assert alive, "no worker runs:\n" + "\n".join(worker.log_end() for worker in self.workers)
            assert time.monotonic() - began < timeout, (
                f"after {timeout} s the group is behind, by partition (committed, end): {behind}\n"
                + "\n".join(f"--- {worker.name}\n{worker.log_end()}" for worker in self.workers)
            )
            time.sleep(0.1)

    # --- Output ----------------------------------------------------------------------------------------------

    def read(self, topic, timeout=60, isolation="read_committed"):
        """All of a topic to its end, as `Record`s."""
        return read(self.cluster, topic, timeout, isolation)

    def wait_until_settled(self, timeout=30):
        """Until no transaction is open on the output, as a killed worker's is until its broker gives it up: the records
        behind its beginning are committed, and shown to no reader."""
        deadline = time.monotonic() + timeout
        while held_back := self.held_back():
            assert time.monotonic() < deadline, f"transactions are still open, by place (shown, written): {held_back}"
            time.sleep(0.2)

    def held_back(self):
        """Where on the output open transactions hold something back: (topic, partition) -> (shown, written) offsets."""
        # In this order records committed in between are not taken for held back.
        written, shown = (self._output_ends(isolation) for isolation in ("read_uncommitted", "read_committed"))
        return {place: (shown[place], end) for place, end in written.items() if shown[place] < end}

    def _output_ends(self, isolation):
        consumer = Consumer(
            {
                "bootstrap.servers": self.cluster.bootstrap_servers,
                "group.id": "rejoinder-test-reader",
                "isolation.level": isolation,
                **CLIENT,
            }
        )
        try:
            ends = {}
            for topic in (self.enriched, self.dead_letters):
                for partition in consumer.list_topics(topic, timeout=10).topics[topic].partitions:
                    ends[topic, partition] = end_of(consumer, TopicPartition(topic, partition))
            return ends
        finally:
            consumer.close()

    def expected(self, limit=None):
        """Every record that must come out, by the oracle."""
        return list(
            oracle.compute(
                self.records,
                **({} if limit is None else {"limit": limit}),
                output_partitions=self.output_partitions,
                kinds=self.kinds,
            )
        )


def end_of(consumer, place, timeout=60):
    """The partition's end for this reader. A partition may have no leader for a while."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            return consumer.get_watermark_offsets(place, timeout=10)[1]
        except KafkaException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def read(cluster, topic, timeout=60, isolation="read_committed", positions=None):
    """positions: partition -> the offset to begin at; afterwards, where the next call goes on."""
    positions = {} if positions is None else positions
    consumer = Consumer(
        {
            "bootstrap.servers": cluster.bootstrap_servers,
            "group.id": "rejoinder-test-reader",
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "isolation.level": isolation,
            "enable.partition.eof": True,
            **CLIENT,
        }
    )
    records = []
    try:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        # An end event may come early, where a fetch was answered before the last transaction had ended.
        unfinished = {p: end_of(consumer, TopicPartition(topic, p), timeout) for p in partitions}
        consumer.assign([TopicPartition(topic, p, positions.get(p, 0)) for p in partitions])
        deadline = time.monotonic() + timeout
        while unfinished:
            assert time.monotonic() < deadline, f"the end of {topic} {sorted(unfinished)} was not reached in {timeout} s"
            for message in consumer.consume(1000, timeout=0.2):
                if message.error():
                    assert message.error().code() == KafkaError._PARTITION_EOF, message.error()
                    if message.offset() >= unfinished.get(message.partition(), 0):
                        unfinished.pop(message.partition(), None)
                    continue
                positions[message.partition()] = message.offset() + 1
                kind, timestamp = message.timestamp()
                records.append(
                    Record(
                        topic,
                        message.partition(),
                        message.offset(),
                        None if kind == TIMESTAMP_NOT_AVAILABLE else timestamp,
                        message.key(),
                        message.value(),
                        message.headers() or [],
                    )
                )
    finally:
        consumer.close()
    return records
