"""Shared by all experiments: the cluster, the programs, a directory for temporary files."""

import json
import os
import platform
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import yaml
from administration import Administration
from cluster import CLIENT, Broker, Cluster
from confluent_kafka.admin import AdminClient

ROOT = Path(__file__).resolve().parents[2]
FLOOR = ROOT / "Benchmarks" / "floor"


class Bench:
    def __init__(self, binary, bootstrap_servers=None):
        self.binary = str(Path(binary).resolve())
        self.directory = Path(tempfile.mkdtemp(prefix="rejoinder-bench-"))
        self.peers = ROOT / "Benchmarks" / "peers"
        self.children = []
        self.groups = []
        self.broker = None
        self.cluster = None
        self._count = 0
        self._properties = None
        self._max_record_bytes = None
        self.administration = None
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("REJOINDER_")}
        try:
            self.floor = self._compile("floor", "floor.c", "-lrdkafka")
            self.preload = self._compile("preload.so", "preload.c", "-shared", "-fPIC", "-ldl")
            self.waiting_broker = self._compile("waiting-broker", "waiting_broker.c", "-lrdkafka")
            if not bootstrap_servers:
                self.broker = Broker()
                bootstrap_servers = self.broker.bootstrap_servers
            self.cluster = Cluster(bootstrap_servers, ours=self.broker is not None)
            # Faults are reported once, by the caller.
            self.cluster.admin = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0, **CLIENT})
            self.cluster.wait_until_up()
            self.administration = Administration(self.cluster, ours=self.broker is not None)
        except BaseException:
            self.close()
            raise

    def close(self):
        for child in self.children:
            if child.poll() is None:
                child.kill()
                child.wait()
        if self.administration:
            self.administration.close()
        if self.broker:
            self.broker.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _compile(self, name, source, *options):
        """gcc, with pkg-config's flags for a librdkafka that is not where the system has its own."""
        flags = subprocess.run(
            ["pkg-config", "--cflags", "--libs-only-L", "rdkafka"], capture_output=True, text=True, check=False
        ).stdout.split()
        target = self.directory / name
        subprocess.run(["gcc", "-O2", "-o", str(target), str(FLOOR / source), *flags, *options], check=True)
        return target

    def build_step(self):
        """The step's parts as a program of their own."""
        options = ["-c", "release", "--package-path", ROOT / "Benchmarks" / "Step", "--scratch-path", ROOT / ".build" / "step"]
        command = [os.environ.get("SWIFT", "swift"), "build", *map(str, options)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        output = subprocess.run([*command, "--show-bin-path"], check=True, capture_output=True, text=True).stdout
        return Path(output.strip()) / "step"

    def groups_of(self, workload):
        return [group for owner, group in self.groups if owner is workload]

    def peer_python(self):
        return str(make_peer_environment())

    def configuration(self, workload, group=None, questions=None, enriched=None, dead_letters=None, state=None,
                      delivery=None, lanes=None, bootstrap_servers=None, properties=None, coalesce=None, level="info"):
        """A configuration file that says where things are, and leaves all else as it is by default.

        coalesce: records follow changes, with a window of so many milliseconds. level: of the log.
        """
        topics = dict(workload.topics)
        if questions:
            topics["questions"] = questions
        if enriched:
            topics |= {"enriched": enriched, "deadLetter": dead_letters}
        settings = {
            "kafka": {"bootstrapServers": bootstrap_servers or self.cluster.bootstrap_servers}
            | ({"groupId": group} if group else {}),
            "topics": topics,
            "admin": {"port": 0},
            "log": {"format": "json", "level": level},
        }
        # The default broker answers a fetch with all that it has, however large that is.
        properties = (CLIENT if self.broker and not bootstrap_servers else {}) | (properties or {})
        if properties:
            settings["kafka"]["properties"] = properties
        if state:
            settings["store"] = {"directory": str(state)}
        if delivery:
            settings["delivery"] = delivery
        if lanes:
            settings["lanes"] = lanes
        if coalesce is not None:
            settings["publish"] = {"on": "changes", "coalesceMs": coalesce}
        self._count += 1
        path = self.directory / f"{self._count}.yaml"
        path.write_text(yaml.safe_dump(settings))
        return path

    def worker_properties(self):
        """The librdkafka properties that the worker sets, by client: it tells so itself."""
        if self._properties is None:
            output = subprocess.run(
                [self.binary, "config", "--format", "json", "--bootstrap-servers", "unused:1"],
                capture_output=True, text=True, check=True, env=self.environment).stdout
            found = {"group consumer": {}, "table follower": {}, "producer": {}}
            self._max_record_bytes = int(json.loads(output)["maxRecordBytes"]["value"])
            # A property that two clients have in different values stands there twice.
            for path, entry in json.loads(output, object_pairs_hook=list):
                entry = dict(entry)
                origin = entry.get("origin", "")
                if path.startswith("kafka.properties.") and origin.startswith("default, "):
                    for client in origin.removeprefix("default, ").split(" and "):
                        found[client][path.removeprefix("kafka.properties.")] = entry["value"]
            assert found["producer"], "'rejoinder config' no longer tells what the producer is given"
            self._properties = found
        return self._properties

    def max_record_bytes(self):
        """The longest enriched value that the worker publishes."""
        self.worker_properties()
        return self._max_record_bytes

    def finish(self, process, timeout=4 * 3600):
        """The program's output. It gives up by itself when the cluster takes nothing from it."""
        self.children.append(process)
        output, _ = process.communicate(timeout=timeout)
        if process.returncode != 0:
            raise RuntimeError(f"{process.args[:2]} ended with status {process.returncode}: {output.decode()}")
        return output.decode()


def make_peer_environment():
    """A Python environment of the peers' own, made when it is first asked for."""
    directory = ROOT / ".build" / "bench-peers"
    requirements = ROOT / "Benchmarks" / "peers" / "requirements.txt"
    made_for = directory / "made-for"
    python = directory / "bin" / "python"
    if not (made_for.exists() and made_for.read_text() == requirements.read_text()):
        shutil.rmtree(directory, ignore_errors=True)
        subprocess.run(["python3", "-m", "venv", str(directory)], check=True)
        subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(requirements)],
            check=True)
        made_for.write_text(requirements.read_text())
    return python


def load():
    return " ".join(f"{average:.2f}" for average in os.getloadavg())


def surroundings(bench):
    """Machine, versions and commit: every figure belongs to these."""
    def output(*command):
        try:
            return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            return "unknown"

    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory = int(Path("/proc/meminfo").read_text().split()[1]) // 2**20
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    dirty = output("git", "status", "--porcelain", "--untracked-files=no")
    if bench.broker:
        import importlib.metadata

        broker = f"noida-db {importlib.metadata.version('noida-db')}, on the same machine"
    else:
        broker = f"{bench.cluster.bootstrap_servers}, {len(bench.cluster.admin.list_topics(timeout=10).brokers)} brokers"
    return {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "machine": f"{os.cpu_count()} cores of {model}, {memory} GiB",
        "system": f"{system}, Linux {platform.release()}",
        "program": output(bench.binary, "--version"),
        "commit": output("git", "rev-parse", "--short=12", "HEAD") + (" with changes" if dirty else ""),
        "swift": output(os.environ.get("SWIFT", "swift"), "--version").splitlines()[0],
        "broker": broker,
        "load before": load(),
    }
