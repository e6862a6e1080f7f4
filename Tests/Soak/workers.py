"""The workers of a soak, and who starts them again when they end."""

import collections
import shutil
import signal
import threading
import time

from vitals import Vitals

# The statuses that the documentation lets a worker end with while brokers and disks fail; any other is a problem.
ENDS_TO_RESTART = {69: "no broker", 70: "internal", 73: "state directory"}
# From SIGTERM to the end, as promised.
PROMISED_END = 45


class Supervisor:
    """`steady` is never ended, so that its memory can be watched; the others come and go."""

    def __init__(self, deployment, arguments, say):
        self._deployment = deployment
        self._say = say
        self._lock = threading.RLock()
        self._problems = []
        self.ends = collections.Counter()
        properties = deployment.cluster.group_properties | {"session.timeout.ms": 10_000}

        def made(name):
            return deployment.worker(
                name, delivery=arguments.delivery, lanes=arguments.lanes, properties=properties,
                publish={"on": arguments.publish_on, "coalesceMs": 300}, monitoring={"intervalSeconds": 60}, log={"format": "json", "level": "warning"})

        self.steady = made("steady")
        self.others = [made(f"w{number}") for number in range(1, arguments.workers + 1)]
        self._down = set()  # those that a failure keeps down
        self.vitals = None

    def start(self):
        for worker in (self.steady, *self.others):
            worker.start()
        self.vitals = Vitals(self.steady.pid)

    def check(self):
        """Starts again the workers that ended as they may; throws AssertionError for one that ended otherwise."""
        with self._lock:
            for worker in (self.steady, *self.others):
                if worker.running or worker in self._down:
                    continue
                status = worker.wait(1)
                self.ends[f"{worker.name}: {status}"] += 1
                self._say("ended", worker=worker.name, status=status, last=worker.log_end(1))
                assert worker is not self.steady or status in ENDS_TO_RESTART, f"the steady worker ended with {status}: {worker.log_end()}"
                assert status in ENDS_TO_RESTART, f"worker {worker.name} ended with status {status}:\n{worker.log_end()}"
                worker.start()
                if worker is self.steady:
                    self.vitals.close()
                    self.vitals = Vitals(worker.pid)
        assert not self._problems, self._problems[0]

    def kill(self, worker, pause, lose_state=False):
        """SIGKILL; started again after a pause."""
        with self._lock:
            self._down.add(worker)
            self._deployment.kill(worker)
        if lose_state:
            shutil.rmtree(worker.state, ignore_errors=True)
        pause()
        self._up(worker)

    def terminate(self, worker, pause):
        """SIGTERM; the end must come in time and be a documented one."""
        with self._lock:
            self._down.add(worker)
        began = time.monotonic()
        try:
            status = worker.terminate(PROMISED_END)
        except AssertionError as late:
            self._problems.append(str(late))
            return
        self.ends[f"SIGTERM: {status}"] += 1
        if status not in (0, *ENDS_TO_RESTART):
            self._problems.append(f"worker {worker.name} ended SIGTERM with status {status} after {time.monotonic() - began:.0f} s")
        pause()
        self._up(worker)

    def pause(self, worker, pause):
        worker.signal(signal.SIGSTOP)
        try:
            pause()
        finally:
            worker.signal(signal.SIGCONT)

    def all_up(self):
        with self._lock:
            for worker in list(self._down):
                self._up(worker)

    def close(self):
        """Ends all; returns the problems with their ends."""
        if self.vitals:
            self.vitals.close()
        problems = list(self._problems)
        for worker in (self.steady, *self.others):
            try:
                worker.terminate(PROMISED_END)
            except AssertionError as late:
                problems.append(str(late))
        return problems

    def _up(self, worker):
        with self._lock:
            if worker in self._down:
                self._down.discard(worker)
                if not worker.running:
                    worker.start()
