"""One soak: rounds of load and failures, each verified."""

import collections
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

from cluster import Broker, Cluster
from cluster_control import ClusterControl
from confluent_kafka import KafkaException
from deployment import Deployment
from failures import Failures
from live_verifier import LiveVerifier
from load import Load
from verifier import Verifier
from worker import command
from workers import Supervisor

# A group that has not worked off a round after this long is taken for stuck.
DRAIN_SECONDS = 600


class SoakFailure(Exception):
    """A rule of the soak was broken."""


class Run:
    def __init__(self, arguments):
        self._arguments = arguments
        self.directory = arguments.directory or pathlib.Path(tempfile.mkdtemp(prefix="rejoinder-soak-"))
        self.directory.mkdir(parents=True, exist_ok=True)
        self._journal = open(self.directory / "journal.jsonl", "a", encoding="utf-8")
        self._began = time.monotonic()
        self.counts = collections.Counter()

    def say(self, event, **fields):
        """A line of the journal, and of the terminal."""
        line = {"at": round(time.monotonic() - self._began, 1), "event": event} | fields
        print(json.dumps(line, ensure_ascii=False), file=self._journal, flush=True)
        details = " ".join(f"{name}={value}" for name, value in fields.items())
        print(f"{line['at']:10.1f}  {event} {details}", flush=True)

    def run(self):
        """The exit status: 0 if every round was verified and memory and descriptors stayed flat."""
        arguments = self._arguments
        # The log lines of the soak's Kafka clients while nodes are away are of no interest on the terminal.
        with open(self.directory / "clients.log", "ab") as clients:
            os.dup2(clients.fileno(), sys.stderr.fileno())
        self.say("soak", seed=arguments.seed, publish_on=arguments.publish_on, hours=arguments.hours, directory=str(self.directory))
        bootstrap_servers = os.environ.get("REJOINDER_TEST_BOOTSTRAP_SERVERS")
        broker = None if bootstrap_servers else Broker()
        problems = []
        supervisor = deployment = failures = None
        try:
            cluster = Cluster(bootstrap_servers or broker.bootstrap_servers, ours=broker is not None)
            cluster.broker = broker
            cluster.wait_until_up()
            if bootstrap_servers and ClusterControl.named():
                cluster.control = ClusterControl(ClusterControl.named(), bootstrap_servers)
                cluster.control.wait_until_whole()
            deployment = Deployment(cluster, self.directory, partitions=arguments.partitions)
            deployment.create_topics()
            supervisor = Supervisor(deployment, arguments, self.say)
            failures = Failures(random.Random(arguments.seed), cluster, supervisor, arguments, self.say)
            self._rounds(deployment, supervisor, failures)
        except (AssertionError, SoakFailure, KafkaException, subprocess.SubprocessError) as problem:
            problems.append(f"{type(problem).__name__}: {problem}")
        except KeyboardInterrupt:
            self.say("interrupted")
        finally:
            if supervisor:
                problems += supervisor.close()
                problems += supervisor.vitals.problems() if supervisor.vitals else []
            if failures:
                failures.close()
                self.counts.update(failures.counts)
            if deployment:
                deployment.cluster.forget_sessions()
                if problems:
                    self.say("kept", topics=[*deployment.topics.values(), deployment.enriched, deployment.dead_letters])
                else:
                    deployment.close()
            if broker:
                broker.stop()
        return self._report(problems, supervisor)

    def _rounds(self, deployment, supervisor, failures):
        arguments = self._arguments
        follows_changes = arguments.publish_on == "changes"
        load = Load(deployment, arguments.seed, arguments.rate, follows_changes)
        verifier = (LiveVerifier if follows_changes else Verifier)(deployment, arguments.delivery)
        supervisor.start()
        load.fill()
        self._drain(deployment, supervisor)
        self.say("filled", records=verifier.verify())
        deadline = self._began + arguments.hours * 3_600
        is_last = False
        while not is_last:
            self.counts["rounds"] += 1
            with load.running(), failures.running():
                end = min(deadline, time.monotonic() + arguments.round)
                while time.monotonic() < end:
                    self._check(supervisor, failures)
                    time.sleep(0.5)
            supervisor.all_up()
            took = self._drain(deployment, supervisor)
            is_last = time.monotonic() >= deadline
            self.counts["records"] += (verified := verifier.verify(forget=not is_last))
            vitals = supervisor.vitals.latest()
            self.say("verified", round=self.counts["rounds"], records=verified, drained=round(took, 1), **vitals)
            if verifier.doubled_input:
                self.say("a broker has taken input twice", records=verifier.doubled_input)

        self._prove(supervisor)

    def _prove(self, supervisor):
        """The program's own proof of the topics' contents at the end, beside the oracle's."""
        done = command("verify", "--from", "beginning", "--config", supervisor.steady.configuration_path, timeout=1_200)
        said = (done.stdout + done.stderr).decode(errors="replace").strip()
        self.say("rejoinder verify", status=done.returncode, said=said.splitlines()[-1] if said else "")
        if done.returncode != 0:
            raise SoakFailure(f"rejoinder verify ended with status {done.returncode}:\n{said}")

    def _drain(self, deployment, supervisor):
        began = time.monotonic()
        try:
            deployment.wait_until_drained(DRAIN_SECONDS)
            deployment.wait_until_settled(120)
        finally:
            supervisor.check()
        return time.monotonic() - began

    def _check(self, supervisor, failures):
        supervisor.check()
        if failures.problem:
            raise SoakFailure(failures.problem)

    def _report(self, problems, supervisor):
        report = {
            "seed": self._arguments.seed,
            "hours": round((time.monotonic() - self._began) / 3_600, 3),
            "counts": dict(self.counts),
            "ends": dict(supervisor.ends) if supervisor else {},
            "vitals": supervisor.vitals.summary() if supervisor and supervisor.vitals else {},
            "problems": problems,
        }
        (self.directory / "report.json").write_text(json.dumps(report, indent=2) + "\n", "utf-8")
        for problem in problems:
            self.say("PROBLEM", text=problem[:2_000])
        self.say("failed" if problems else "passed", **{k: v for k, v in report.items() if k != "problems"})
        self._journal.close()
        return 1 if problems else 0
