"""Topics and groups on any cluster: a request that is answered late, or not at once everywhere, is repeated."""

import time

from cluster import CLIENT
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import NewTopic

# The published records are deleted by us alone, and keep their time. The worker publishes records up to a million
# bytes.
CONFIGURATION = {
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "cleanup.policy": "delete",
    "message.timestamp.type": "CreateTime",
    "max.message.bytes": "1048588",
}


class Refused(Exception):
    """The cluster does not do as it was asked."""


def again(what, call, seconds=30):
    """Repeats a call: a broker may not know yet of another's changes, or have no coordinator for a group yet."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return call()
        except KafkaException as error:
            if time.monotonic() > deadline:
                raise Refused(f"{what} failed for {seconds} s: {error.args[0]}") from None
            time.sleep(0.1)


class Administration:
    def __init__(self, cluster, ours):
        """ours: the broker was started for this and goes with it."""
        self.cluster = cluster
        self.ours = ours
        self.notes = []
        self._consumer = None

    def create(self, names, partitions):
        brokers = len(self.cluster.admin.list_topics(timeout=10).brokers)
        topics = [NewTopic(name, partitions, min(3, brokers), config=CONFIGURATION) for name in names]
        for name, future in self.cluster.admin.create_topics(topics, operation_timeout=30, request_timeout=40).items():
            try:
                future.result()
            except KafkaException as error:
                # It may have been made though the answer came too late.
                if error.args[0].code() not in (KafkaError.TOPIC_ALREADY_EXISTS, KafkaError._TIMED_OUT,
                                                KafkaError.REQUEST_TIMED_OUT):
                    raise Refused(
                        f"the cluster does not make the topic {name} with {partitions} partitions and "
                        f"{min(3, brokers)} replicas: {error.args[0].str()}") from None
        deadline = time.monotonic() + 60
        for name in names:
            while not self._has_leaders(name, partitions):
                if time.monotonic() > deadline:
                    raise Refused(f"the topic {name} was made, but its partitions have no leaders after 60 s")
                time.sleep(0.05)
        if brokers > 1:
            # Each broker learns of it for itself.
            time.sleep(0.5)

    def _has_leaders(self, name, partitions):
        try:
            topic = self.cluster.admin.list_topics(timeout=10).topics.get(name)
        except KafkaException:
            return False
        return topic is not None and topic.error is None and len(topic.partitions) == partitions and all(
            partition.leader >= 0 and partition.error is None for partition in topic.partitions.values())

    def delete(self, names):
        """Topics that are gone already are gone. The ones that cannot be deleted are named in the end; measuring goes
        on."""
        if not names:
            return
        for name, future in self.cluster.admin.delete_topics(
                list(names), operation_timeout=30, request_timeout=40).items():
            try:
                future.result()
            except KafkaException as error:
                if error.args[0].code() not in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC):
                    self.notes.append(f"the topic {name} was not deleted: {error.args[0].str()}")

    def delete_groups(self, groups, seconds=60):
        """A group can be deleted once its members are missed: programs that end at once are, after their session
        timeout."""
        rest = set() if self.ours else set(groups)
        deadline = time.monotonic() + seconds
        reasons = {}
        while rest:
            try:
                futures = self.cluster.admin.delete_consumer_groups(list(rest), request_timeout=10)
            except KafkaException as error:
                self.notes.append(f"{len(rest)} consumer groups were not deleted: {error}")
                return
            for group, future in futures.items():
                try:
                    future.result()
                    rest.discard(group)
                except KafkaException as error:
                    if error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
                        rest.discard(group)
                    reasons[group] = error.args[0].str()
            if rest and time.monotonic() > deadline:
                self.notes += [f"the consumer group {group} was not deleted: {reasons[group]}" for group in sorted(rest)]
                return
            if rest:
                time.sleep(1)

    def ends(self, topic, partitions):
        """The offset behind the last record, by partition."""
        if self._consumer is None:
            self._consumer = Consumer(
                {"bootstrap.servers": self.cluster.bootstrap_servers, "group.id": "unused", **CLIENT})
        return [
            again(f"asking for the end of {topic} [{p}]",
                  lambda p=p: self._consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=10))[1]
            for p in range(partitions)
        ]

    def commit(self, group, offsets):
        consumer = Consumer({"bootstrap.servers": self.cluster.bootstrap_servers, "group.id": group,
                             "enable.auto.commit": False, **CLIENT})
        try:
            again(f"committing offsets of the group {group}",
                  lambda: consumer.commit(offsets=offsets, asynchronous=False))
        finally:
            consumer.close()

    def close(self):
        if self._consumer:
            self._consumer.close()
            self._consumer = None
