"""librdkafka's mock cluster in a process of its own: a broker that holds a fetch which finds nothing, as Kafka's do.

The broker that the benchmark starts by default answers such a fetch at once, so that whoever listens is busy asking. The
mock cluster knows no real transactions and keeps little: it is for workers that have nothing to do, and for nothing else.
"""

import subprocess
import sys

from confluent_kafka import Producer

# What the mock cluster makes a topic with that is asked for and not there.
PARTITIONS = 4


class WaitingBroker:
    def __init__(self, topics):
        self._process = subprocess.Popen(
            [sys.executable, __file__, *topics], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.bootstrap_servers = self._process.stdout.readline().decode().strip()
        if not self.bootstrap_servers:
            self.stop()
            raise RuntimeError("librdkafka's mock cluster did not start, and an idle worker cannot be measured without it")

    def stop(self):
        """It ends when its input does, so also when this process is killed."""
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def serve(topics):
    cluster = Producer({"bootstrap.servers": "unused:1", "test.mock.num.brokers": 1})
    (broker,) = cluster.list_topics(timeout=10).brokers.values()
    for topic in topics:
        assert len(cluster.list_topics(topic, timeout=10).topics[topic].partitions) == PARTITIONS
    print(f"{broker.host}:{broker.port}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    serve(sys.argv[1:])
