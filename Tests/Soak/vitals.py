"""Memory, descriptors and threads of a process over its life."""

import os
import statistics
import threading

INTERVAL_SECONDS = 5
# Below this many samples nothing is said about growth.
FEWEST_SAMPLES = 60


class Vitals:
    """Samples a process in a thread of its own, and judges whether it grows."""

    def __init__(self, pid):
        self._pid = pid
        self._samples = []  # (anonymous memory in MiB, descriptors, threads)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self):
        self._stop.set()
        self._thread.join()

    def latest(self):
        if not self._samples:
            return {}
        memory, descriptors, threads = self._samples[-1]
        return {"memoryMiB": memory, "descriptors": descriptors, "threads": threads}

    def problems(self):
        """A sentence for each of the three that grew between the second fifth of the process's life and the last."""
        if len(self._samples) < FEWEST_SAMPLES:
            return []
        fifth = len(self._samples) // 5
        found = []
        for index, name, share, slack in ((0, "MiB of memory", 1.15, 16), (1, "descriptors", 1.1, 8), (2, "threads", 1.1, 4)):
            before, after = (
                statistics.median(sample[index] for sample in part)
                for part in (self._samples[fifth : 2 * fifth], self._samples[-fifth:])
            )
            if after > before * share + slack:
                found.append(f"the worker that was never ended grew from {before} to {after} {name}")
        return found

    def summary(self):
        if not self._samples:
            return {}
        columns = zip(("memoryMiB", "descriptors", "threads"), zip(*self._samples, strict=True), strict=True)
        return {name: {"first": c[0], "median": statistics.median(c), "most": max(c), "last": c[-1]} for name, c in columns}

    def _run(self):
        while not self._stop.wait(INTERVAL_SECONDS):
            try:
                with open(f"/proc/{self._pid}/status", encoding="ascii") as status:
                    fields = dict(line.split(":", 1) for line in status)
                memory = round(int(fields["RssAnon"].split()[0]) / 1_024, 1)
                self._samples.append((memory, len(os.listdir(f"/proc/{self._pid}/fd")), int(fields["Threads"])))
            except (OSError, KeyError):
                return
