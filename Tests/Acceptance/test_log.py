"""The log of the built program, where its reader is slow or gone."""

import fcntl
import json
import os
import time
import urllib.request

import pytest
from generator import Generator
from test_worker import questions


class LogPipe:
    """A worker's standard error: a pipe that is read when the test says so."""

    def __init__(self):
        self._read, self.write = os.pipe()
        fcntl.fcntl(self.write, fcntl.F_SETPIPE_SZ, 4096)
        os.set_blocking(self._read, False)
        self._rest = b""

    def lines(self):
        """Those that have come since."""
        while True:
            try:
                piece = os.read(self._read, 1 << 16)
            except BlockingIOError:
                break
            if not piece:
                break
            self._rest += piece
        *lines, self._rest = self._rest.split(b"\n")
        return [json.loads(line) for line in lines if line]

    def wait_for(self, message, worker, timeout=60):
        deadline = time.monotonic() + timeout
        while True:
            for line in self.lines():
                if line["message"] == message:
                    return line
            assert time.monotonic() < deadline, f"the log has no line {message}"
            worker.check()
            time.sleep(0.01)

    def close(self):
        os.close(self._read)
        os.close(self.write)


@pytest.fixture
def log_pipe():
    pipe = LogPipe()
    yield pipe
    pipe.close()


def chatty(deployment):
    """A worker that logs megabytes a second."""
    deployment.create_topics()
    return deployment.worker(
        properties={"debug": "all"}, log={"format": "json", "level": "trace"}, monitoring={"intervalSeconds": 1})


def test_a_log_that_nobody_reads_holds_nothing_up(deploy, log_pipe):
    deployment = deploy()
    worker = chatty(deployment).start(stderr=log_pipe.write)
    url = log_pipe.wait_for("admin address", worker)["url"]
    log_pipe.wait_for("partition caught up", worker)

    # The pipe has no reader from here on. The lines logged in this time are many times as many as the pipe and the
    # queue hold.
    generator = Generator(seed=61, questions=50)
    for _ in range(8):
        deployment.publish(questions(generator, 200))
        deployment.wait_until_drained(30)
        with urllib.request.urlopen(f"{url}/healthz", timeout=5) as answer:
            assert answer.status == 200
        time.sleep(0.25)

    dropped = log_pipe.wait_for("log lines dropped", worker)
    assert dropped["level"] == "warning"
    assert dropped["lines"] > 100
    log_pipe.wait_for("throughput", worker)


def test_the_end_does_not_wait_for_a_reader(deploy, log_pipe):
    deployment = deploy()
    worker = chatty(deployment).start(stderr=log_pipe.write)
    log_pipe.wait_for("partition caught up", worker)
    time.sleep(2)
    assert worker.terminate() == 0


def test_all_that_is_logged_before_the_end_is_there(deploy):
    deployment = deploy()
    deployment.create_topics()
    worker = deployment.worker().start()
    deployment.publish(questions(Generator(seed=62, questions=20), 50))
    deployment.wait_until_drained()
    assert worker.terminate() == 0, worker.log_end()
    assert [line["message"] for line in worker.log()][-2:] == ["totals", "stopped"]
