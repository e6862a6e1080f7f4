"""The broker that the tests talk to: one started for them, or any cluster that the environment names."""

import contextlib
import os
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

# The broker started for the tests answers a fetch with all that it has, however large the answer gets.
CLIENT = {"receive.message.max.bytes": 1_000_000_000}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Broker:
    """A Kafka-protocol server of our own, in memory, on a free port of this machine."""

    def __init__(self):
        binary = os.environ.get("REJOINDER_TEST_NOIDA")
        if not binary:
            import noida_db

            binary = Path(noida_db.__file__).with_name("noida-db")
        self._directory = tempfile.TemporaryDirectory(prefix="rejoinder-broker-")
        self._log = open(Path(self._directory.name) / "log", "wb")
        self.bootstrap_servers = f"127.0.0.1:{free_port()}"
        port = self.bootstrap_servers.rpartition(":")[2]
        self._process = subprocess.Popen(
            [binary, "start", "--only", "kafka", "--kafka-port", port, "--data-dir", f"{self._directory.name}/data"],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    @contextlib.contextmanager
    def standing_still(self):
        """Answers nothing, as a broker does whose disk or network stands still."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def stop(self):
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
        self._directory.cleanup()


class Cluster:
    """The administration of a cluster that the tests need."""

    def __init__(self, bootstrap_servers, ours=False):
        """ours: the broker is the one above. It differs from Kafka in how it keeps consumer groups:

        - A member stays in its group for ever, even one that was killed: `end_sessions` takes it out.
        - When a member rejoins within milliseconds, as the cooperative protocol makes it do, the others' requests to
          join may never be answered: where several workers share a group, they use `group_properties`.
        """
        self.bootstrap_servers = bootstrap_servers
        self._ours = ours
        self.broker = None
        self.control = None
        self.group_properties = {"partition.assignment.strategy": "range"} if ours else {}
        self._timers = []
        self._watchers = {}  # group -> a consumer that asks for its offsets, and joins nothing
        self.admin = AdminClient({"bootstrap.servers": bootstrap_servers, **CLIENT})

    @property
    def can_stand_still(self):
        return self.broker is not None or self.control is not None

    @contextlib.contextmanager
    def standing_still(self):
        """Every broker answers nothing within."""
        with self.broker.standing_still() if self.broker else self.control.away("pause", *self.control.nodes):
            yield

    def stall(self, seconds):
        """Answers nothing for a while."""
        with self.standing_still():
            time.sleep(seconds)

    def wait_until_up(self, timeout=30):
        deadline = time.monotonic() + timeout
        while True:
            try:
                self.admin.list_topics(timeout=2)
                return
            except KafkaException:
                if time.monotonic() > deadline:
                    raise

    def create_topics(self, partitions):
        """partitions: topic name -> count. Published records keep their own, old timestamps, so nothing may expire."""
        replication = min(3, len(self.admin.list_topics(timeout=10).brokers))
        topics = [
            NewTopic(name, count, replication, config={"retention.ms": "-1", "cleanup.policy": "delete"})
            for name, count in partitions.items()
        ]
        for future in self.admin.create_topics(topics, operation_timeout=30).values():
            future.result()
        deadline = time.monotonic() + 30
        while not partitions.keys() <= self.admin.list_topics(timeout=10).topics.keys():
            assert time.monotonic() < deadline, "the topics were created but do not appear"
            time.sleep(0.1)

    def delete(self, topics, groups):
        """Removes a test's topics and groups; those that are gone already are gone."""
        for group in groups:
            if watcher := self._watchers.pop(group, None):
                watcher.close()
        existing = [name for name in topics if name in self.admin.list_topics(timeout=10).topics]
        for futures in (
            self.admin.delete_topics(existing, operation_timeout=30) if existing else {},
            self.admin.delete_consumer_groups(groups, request_timeout=10) if groups else {},
        ):
            for future in futures.values():
                try:
                    future.result()
                except KafkaException:
                    pass

    def committed(self, group, topic, partitions):
        """The group's committed offsets of a topic by partition; None where there is none."""
        # Not by the admin client, which crashes when the group's coordinator goes away meanwhile (confluent-kafka
        # 2.16).
        if group not in self._watchers:
            self._watchers[group] = Consumer(
                {"bootstrap.servers": self.bootstrap_servers, "group.id": group, "isolation.level": "read_uncommitted", **CLIENT})
        asked = [TopicPartition(topic, p) for p in range(partitions)]
        try:
            answer = self._watchers[group].committed(asked, timeout=10)
        except KafkaException:
            return {}
        return {p.partition: p.offset if p.offset >= 0 else None for p in answer if not p.error}

    def members(self, group):
        return self.admin.describe_consumer_groups([group], request_timeout=10)[group].result().members

    def end_sessions(self, group, client_id, seconds):
        """Does as Kafka does by itself: the members of a client that was killed leave the group when their session is
        over."""
        if not self._ours:
            return
        dead = [m.member_id for m in self.members(group) if client_id is None or client_id in m.client_id]
        timer = threading.Timer(seconds, self._remove_members, (group, dead))
        timer.daemon = True
        self._timers.append(timer)
        timer.start()

    def forget_sessions(self):
        """No session ends from here on: the test is over."""
        for timer in self._timers:
            timer.cancel()
            timer.join()
        self._timers = []

    def _remove_members(self, group, members):
        host, _, port = self.bootstrap_servers.rpartition(":")

        def text(value):
            return struct.pack(">h", len(value)) + value.encode()

        for member in members:
            # LeaveGroup, version 1, in the dead member's name; that it is gone already is no harm.
            request = struct.pack(">hhi", 13, 1, 0) + text("rejoinder-test") + text(group) + text(member)
            with socket.create_connection((host, int(port)), 10) as connection:
                connection.sendall(struct.pack(">i", len(request)) + request)
                connection.recv(64)
