"""Prometheus and its tool, and a worker's answer to it, read without either."""

import http.client
import json
import math
import re
import shutil
import subprocess
import time
import urllib.parse
from pathlib import Path

import yaml
from cluster import free_port

REPOSITORY = Path(__file__).parents[2]


def find(name):
    """The program: installed, or unpacked by scripts/bootstrap."""
    unpacked = REPOSITORY / ".tools/prometheus/usr/bin" / name
    path = shutil.which(name) or (unpacked if unpacked.exists() else None)
    assert path, f"there is no {name}; `scripts/bootstrap test` gets it"
    return path


def promtool(*arguments, input=None, cwd=None):
    return subprocess.run(
        [find("promtool"), *map(str, arguments)], input=input, capture_output=True, text=True, timeout=60, cwd=cwd, check=False
    )


class Prometheus:
    """A server of our own that scrapes the targets given, with its data in `directory`."""

    def __init__(self, directory, targets, interval="200ms"):
        self.port = free_port()
        configuration = {
            "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": "1s"},
            "rule_files": [str(REPOSITORY / "deploy/prometheus/alerts.yml")],
            "scrape_configs": [{"job_name": "rejoinder", "static_configs": [{"targets": targets}]}],
        }
        path = Path(directory) / "prometheus.yml"
        path.write_text(yaml.safe_dump(configuration), "utf-8")
        with open(Path(directory) / "prometheus.log", "wb") as log:
            self._process = subprocess.Popen(
                [
                    find("prometheus"),
                    f"--config.file={path}",
                    f"--storage.tsdb.path={Path(directory) / 'prometheus'}",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def stop(self):
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def api(self, path, **parameters):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", f"/api/v1/{path}?{urllib.parse.urlencode(parameters)}")
            answer = json.load(connection.getresponse())
        finally:
            connection.close()
        assert answer["status"] == "success", (path, parameters, answer)
        return answer["data"]

    def query(self, expression, at=None):
        """The value of an expression: a list of (labels, value)."""
        data = self.api("query", query=expression, **({} if at is None else {"time": at}))
        return [(sample["metric"], float(sample["value"][1])) for sample in data["result"]]

    def value(self, expression, at=None):
        ((_, value),) = self.query(expression, at)
        return value

    def wait_until_up(self, targets, timeout=30):
        deadline = time.monotonic() + timeout
        while True:
            try:
                if self.value("count(up == 1)") == targets:
                    return
            except (OSError, http.client.HTTPException, ValueError):
                pass
            assert time.monotonic() < deadline, f"the targets are not up after {timeout} s: {self.api('targets')}"
            time.sleep(0.2)


def address(worker, timeout=30):
    """Where a worker answers, from its log, once it does; of a restarted one, the latest."""
    deadline = time.monotonic() + timeout
    while True:
        worker.check()
        for line in reversed(worker.log()):
            if line["message"] == "admin address":
                return line["address"]
        assert time.monotonic() < deadline, worker.log_end()
        time.sleep(0.05)


def scrape(address, timeout=10):
    """The text of /metrics."""
    connection = http.client.HTTPConnection(address, timeout=timeout)
    try:
        connection.request("GET", "/metrics")
        response = connection.getresponse()
        assert response.status == 200
        assert response.getheader("Content-Type") == "text/plain; version=0.0.4; charset=utf-8"
        return response.read().decode("utf-8")
    finally:
        connection.close()


class Samples:
    """An exposition as `{(name, labels): value}`; read by the format's rules, not by ours."""

    _line = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)")
    _label = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')

    def __init__(self, text):
        self.values = {}
        self.types = {}
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                self.types[name] = kind
            if line.startswith("#"):
                continue
            match = self._line.fullmatch(line)
            assert match, f"no sample: {line}"
            name, labels, value = match.groups()
            found = self._label.findall(labels or "")
            assert sum(len(n) + len(v) + 3 for n, v in found) + max(0, len(found) - 1) == len(labels or ""), line
            key = name, frozenset(found)
            assert key not in self.values, f"twice: {line}"
            self.values[key] = float(value.replace("Inf", "inf"))

    def get(self, name, **labels):
        return self.values.get((name, frozenset(labels.items())))

    def all(self, name):
        """By labels, those of one name."""
        return [(dict(labels), value) for (found, labels), value in self.values.items() if found == name]

    def sum(self, name, **labels):
        return math.fsum(value for found, value in self.all(name) if labels.items() <= found.items())

    @property
    def names(self):
        return {name for name, _ in self.values}
