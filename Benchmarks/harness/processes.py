"""Measures a running process from outside."""

import struct
import subprocess
import threading
import time
from pathlib import Path


def cpu_seconds(pid):
    """User and system time of all its threads so far, ended ones too, in steps of nanoseconds."""
    # clock_getcpuclockid(3): the process's id, inverted, above the number of the clock that the scheduler keeps.
    return time.clock_gettime((~pid << 3) | 2)


def sent_bytes(pid):
    """Bytes sent on the TCP connections that the process has now; None where `ss` is missing."""
    try:
        lines = subprocess.run(["ss", "-tinHp"], capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        return None
    total = 0
    # A connection is a line, and a line that begins with a space about its traffic.
    for owner, traffic in zip(lines, lines[1:]):
        if f",pid={pid}," in owner:
            total += sum(int(word[11:]) for word in traffic.split() if word.startswith("bytes_sent:"))
    return total


class Sampler(threading.Thread):
    """Watches a process's memory: the most that each figure came to."""

    INTERVAL = 0.1

    def __init__(self, pid, store=None):
        super().__init__(daemon=True)
        self.pid = pid
        self.store = str(store) if store else None
        self.peak = {"resident": 0, "anonymous": 0, "beyond_store": 0}
        self._is_over = threading.Event()

    def run(self):
        while not self._is_over.is_set():
            try:
                self._look()
            except (OSError, ValueError, LookupError):
                # It has ended.
                return
            self._is_over.wait(self.INTERVAL)

    def stop(self):
        self._is_over.set()
        self.join()
        return self.peak

    def _look(self):
        status = Path(f"/proc/{self.pid}/status").read_text()
        fields = dict(line.split(":", 1) for line in status.splitlines())
        resident = int(fields["VmRSS"].split()[0]) * 1024
        high = int(fields["VmHWM"].split()[0]) * 1024
        anonymous = int(fields["RssAnon"].split()[0]) * 1024
        mapped = self._mapped_store() if self.store else 0
        self.peak["resident"] = max(self.peak["resident"], high)
        self.peak["anonymous"] = max(self.peak["anonymous"], anonymous)
        self.peak["beyond_store"] = max(self.peak["beyond_store"], resident - mapped)

    def _mapped_store(self):
        """Resident bytes of LMDB's maps. They are the page cache's, which takes them back when it needs them."""
        mapped, ours = 0, False
        with open(f"/proc/{self.pid}/smaps") as lines:
            for line in lines:
                if line[0] in "0123456789abcdef":
                    ours = self.store in line
                elif ours and line.startswith("Rss:"):
                    mapped += int(line.split()[1]) * 1024
        return mapped


class Counts:
    """The counts that the preloaded library wrote (floor/preload.c)."""

    OWNERS = ("librdkafka", "LMDB", "own")

    def __init__(self, path):
        self.path = Path(path)

    def read(self):
        numbers = struct.unpack("=7Q", self.path.read_bytes()[:56])
        counts = {owner: (numbers[2 * i], numbers[2 * i + 1]) for i, owner in enumerate(self.OWNERS)}
        return counts, numbers[6] / 1e9
