"""The nodes of the named cluster, which tests stop, kill, pause and start."""

import contextlib
import os
import subprocess
import time

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

VARIABLE = "REJOINDER_TEST_CLUSTER_CONTROL"


class ClusterControl:
    """Calls the script that the environment names: `SCRIPT stop|kill|start|pause NODE`, NODE being a broker id.

    `stop` lets the node hand its partitions over, `kill` does not, `pause` makes it stand still with its connections
    open; each returns once it is so. `start` brings the node back from any of them, and may return before it serves.
    """

    def __init__(self, script, bootstrap_servers):
        self._script = script
        self._admin = AdminClient({"bootstrap.servers": bootstrap_servers})
        self.nodes = sorted(self._admin.list_topics(timeout=30).brokers)
        self._away = set()

    @staticmethod
    def named():
        """The script; None where the environment names none."""
        return os.environ.get(VARIABLE) or None

    def stop(self, node):
        self._away.add(node)
        self._run("stop", node)

    def kill(self, node):
        self._away.add(node)
        self._run("kill", node)

    def pause(self, node):
        self._away.add(node)
        self._run("pause", node)

    def start(self, node):
        self._run("start", node)
        self._away.discard(node)

    @contextlib.contextmanager
    def away(self, action, *nodes):
        """The nodes are stopped, killed or paused within, and back after."""
        try:
            for node in nodes:
                getattr(self, action)(node)
            yield
        finally:
            for node in nodes:
                self.start(node)

    def start_all(self):
        for node in sorted(self._away):
            self.start(node)

    def wait_until_whole(self, timeout=120):
        """Until every node serves and each replica of every partition is in sync: nothing of a test is left to the
        next."""
        deadline = time.monotonic() + timeout
        while problem := self._problem():
            assert time.monotonic() < deadline, f"the cluster is not whole after {timeout} s: {problem}"
            time.sleep(0.5)

    def leader(self, topic, partition):
        return self._admin.list_topics(topic, timeout=30).topics[topic].partitions[partition].leader

    def group_coordinator(self, group):
        """The node that keeps the group's offsets."""
        return self._admin.describe_consumer_groups([group], request_timeout=30)[group].result().coordinator.id

    def _problem(self):
        try:
            metadata = self._admin.list_topics(timeout=5)
        except KafkaException as error:
            return str(error)
        if missing := set(self.nodes) - metadata.brokers.keys():
            return f"nodes {sorted(missing)} are away"
        for topic in metadata.topics.values():
            for partition in topic.partitions.values():
                if partition.leader < 0 or len(partition.isrs) < len(partition.replicas):
                    return f"{topic.topic} [{partition.id}]: leader {partition.leader}, in sync {partition.isrs} of {partition.replicas}"
        return None

    def _run(self, action, node):
        done = subprocess.run(
            [self._script, action, str(node)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180, check=False)
        assert done.returncode == 0, f"'{self._script} {action} {node}' ended with status {done.returncode}: {done.stderr or done.stdout}"
