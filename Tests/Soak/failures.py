"""The failures of a soak, when and for how long: all from the seed."""

import collections
import contextlib
import subprocess
import threading

from clock import SteppedClock
from cluster_control import ClusterControl
from disk import SmallDisk

# Seconds between the end of a failure and the beginning of the next, on average.
QUIET_SECONDS = 8


class Failures:
    def __init__(self, random, cluster, supervisor, arguments, say):
        self._random = random
        self._cluster = cluster
        self._supervisor = supervisor
        self._say = say
        self._stop = threading.Event()
        self.problem = None
        self.counts = collections.Counter()
        kinds = {
            "kill": self._kill,
            "kill and lose state": self._lose_state,
            "SIGTERM": self._terminate,
            "worker stands still": self._worker_stands_still,
            "steady worker stands still": self._steady_stands_still,
        }
        if cluster.can_stand_still:
            kinds["cluster stands still"] = self._cluster_stands_still
        if cluster.control:
            kinds |= {f"node {action}": self._node(action) for action in ("kill", "stop", "pause")}
            if self._quota("off"):
                kinds["quota"] = self._quota_for_a_while
        self._disk = SmallDisk.under(supervisor.others[-1].state) if supervisor.others else None
        if self._disk:
            kinds["disk full"] = self._disk_full
        self._clock = SteppedClock.of(supervisor.steady)
        if self._clock:
            supervisor.steady.variables |= self._clock.environment
            kinds["clock steps"] = self._clock_steps
        self._kinds = {name: kind for name, kind in kinds.items() if name not in arguments.without}
        say("failures", kinds=sorted(self._kinds))

    @contextlib.contextmanager
    def running(self):
        """Failures happen within; at the end everything is back."""
        self._stop.clear()
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()
            if self._clock:
                self._clock.step(0)
            if self._cluster.control:
                self._cluster.control.start_all()
                self._cluster.control.wait_until_whole()
        assert not self.problem, self.problem

    def close(self):
        if self._disk:
            self._disk.close()

    def _run(self):
        while not self._stop.wait(self._random.expovariate(1 / QUIET_SECONDS)):
            name = self._random.choice(sorted(self._kinds))
            self.counts[name] += 1
            try:
                self._kinds[name](name)
            except Exception as error:
                self.problem = f"{name}: {error}"
                return

    def _lasting(self, name, least, most, **fields):
        """A pause whose length the seed decides; cut short at the end of the round."""
        seconds = self._random.uniform(least, most)
        self._say(name, seconds=round(seconds, 1), **fields)
        return lambda: self._stop.wait(seconds)

    def _other(self):
        return self._random.choice(self._supervisor.others)

    def _kill(self, name):
        worker = self._other()
        self._supervisor.kill(worker, self._lasting(name, 0, 12, worker=worker.name))

    def _lose_state(self, name):
        worker = self._other()
        # A directory that is a disk of its own can only be emptied.
        self._supervisor.kill(worker, self._lasting(name, 0, 5, worker=worker.name), lose_state=True)

    def _terminate(self, name):
        worker = self._other()
        self._supervisor.terminate(worker, self._lasting(name, 0, 5, worker=worker.name))

    def _worker_stands_still(self, name):
        worker = self._other()
        # Longer than its session and than a transaction may take, at times.
        self._supervisor.pause(worker, self._lasting(name, 1, 20, worker=worker.name))

    def _steady_stands_still(self, name):
        self._supervisor.pause(self._supervisor.steady, self._lasting(name, 1, 20))

    def _cluster_stands_still(self, name):
        pause = self._lasting(name, 1, 10)
        with self._cluster.standing_still():
            pause()

    def _node(self, action):
        def fail(name):
            node = self._random.choice(self._cluster.control.nodes)
            pause = self._lasting(name, 1, 20, node=node)
            with self._cluster.control.away(action, node):
                pause()
            # One at a time: two of three away at once are another failure than the one that was meant.
            self._cluster.control.wait_until_whole()

        return fail

    def _clock_steps(self, name):
        # Within the minute that librdkafka gives a new client's threads: it waits for them by the wall clock, and may
        # crash when it takes them for late (2.0.2; seen at a step of a day).
        step = self._random.choice([-45, -10, -2, 2, 10, 45])
        self._clock.step(step)
        self._lasting(name, 5, 30, worker=self._supervisor.steady.name, step=step)()
        # The clock stays where it is until it is set again, or the round ends: that is a step in the other direction.

    def _quota_for_a_while(self, name):
        pause = self._lasting(name, 10, 40)
        self._quota("200000")
        try:
            pause()
        finally:
            self._quota("off")

    def _quota(self, rate):
        """False where the script knows no quotas."""
        done = subprocess.run([ClusterControl.named(), "quota", rate], stdin=subprocess.DEVNULL, capture_output=True, check=False)
        return done.returncode == 0

    def _disk_full(self, name):
        with self._disk.full():
            self._lasting(name, 2, 10, worker=self._supervisor.others[-1].name)()
