"""A worker process under test, and the other commands of its binary."""

import json
import os
import signal
import subprocess
from pathlib import Path

import yaml


def binary():
    path = os.environ.get("REJOINDER_TEST_BINARY")
    assert path, "REJOINDER_TEST_BINARY does not name the program to test; `make test` builds it and sets this"
    return path


def environment(extra=None):
    """Our environment without the variables that would configure the program behind the test's back."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("REJOINDER_")}
    return clean | (extra or {})


def command(*arguments, input=None, env=None, timeout=60, cwd=None):
    """Runs the program to its end."""
    return subprocess.run(
        [binary(), *map(str, arguments)],
        input=input,
        capture_output=True,
        env=environment(env),
        timeout=timeout,
        cwd=cwd,
        check=False,
    )


class Worker:
    """`rejoinder run` with a configuration file of its own."""

    def __init__(self, name, directory, configuration):
        self.name = name
        self.configuration_path = Path(directory) / f"{name}.yaml"
        self.configuration_path.write_text(yaml.safe_dump(configuration), "utf-8")
        self.log_path = Path(directory) / f"{name}.log"
        self.state = Path(configuration["store"]["directory"])
        self.session_seconds = configuration["kafka"]["properties"].get("session.timeout.ms", 10_000) / 1_000
        self.variables = {}  # of the environment, beside those of every program that the tests start
        self._directory = directory
        self._process = None

    def start(self, *flags, stderr=None):
        """flags: of `run`. stderr: a file descriptor that the log goes to instead of `log_path`."""
        assert not self.running
        with open(self.log_path, "ab") as log:
            self._process = subprocess.Popen(
                [binary(), "run", "--config", str(self.configuration_path), *flags],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log if stderr is None else stderr,
                env=environment() | self.variables,
                cwd=self._directory,
            )
        return self

    @property
    def pid(self):
        return self._process.pid

    def signal(self, number):
        """A signal to the process, if it still runs."""
        self._process.send_signal(number)

    @property
    def running(self):
        return self._process is not None and self._process.poll() is None

    def check(self):
        """Fails the test when the worker has ended by itself."""
        assert self.running, f"worker {self.name} ended with status {self._process.returncode}:\n{self.log_end()}"

    def terminate(self, timeout=30):
        """SIGTERM; returns the exit status."""
        if not self.running:
            return self._process.returncode if self._process else None
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"worker {self.name} still ran {timeout} s after SIGTERM:\n{self.log_end()}") from None

    def kill(self):
        if self.running:
            self._process.kill()
        if self._process is not None:
            self._process.wait()

    def wait(self, timeout):
        return self._process.wait(timeout)

    def log(self):
        """The log as objects. A last line that a kill cut short does not count."""
        lines = self.log_path.read_bytes().split(b"\n")[:-1]
        return [json.loads(line) for line in lines if line]

    @property
    def identity(self):
        """The id that tells its members of the group from those of other workers; None where the state has lost it."""
        try:
            return (self.state / "identity").read_text("ascii").strip() or None
        except (OSError, UnicodeDecodeError):
            return None

    def log_end(self, lines=10):
        try:
            return "\n".join(line[:300] for line in self.log_path.read_text("utf-8", "replace").splitlines()[-lines:])
        except OSError:
            return "(no log)"
