"""librdkafka's mock cluster in a process of its own: a broker that holds a fetch which finds nothing, and hands out no
more than a batch beyond a fetch's limit, as Kafka's do.

The broker that the benchmark starts by default does neither, so that idle consumers are busy asking, and a consumer
that is behind holds its whole backlog. The mock cluster knows no real transactions, and keeps 5 MiB of each partition
and silently drops older records: it is for workers that have nothing to do, or to restore little of many partitions,
and for nothing else.
"""

import subprocess


class WaitingBroker:
    def __init__(self, program, partitions, topics):
        """program: floor/waiting_broker.c, built."""
        self._process = subprocess.Popen(
            [program, str(partitions), *topics], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.bootstrap_servers = self._process.stdout.readline().decode().strip()
        if not self.bootstrap_servers:
            self.stop()
            raise RuntimeError("librdkafka's mock cluster did not start, and what waits for a broker cannot be measured without it")

    def stop(self):
        """It ends when its input does, so also when this process is killed."""
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
