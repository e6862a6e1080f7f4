"""Members of the group that die at the worst moment of a rebalance."""

import subprocess
import sys
import threading
import time

import pytest
from confluent_kafka import Consumer
from generator import Generator
from test_worker import questions, traffic, verify

# A member that is killed while it gives partitions back: it has let go of them, and not yet joined again.
DYING = """
import os, sys
from confluent_kafka import Consumer
servers, group, topic, instance = sys.argv[1:]
consumer = Consumer({
    "bootstrap.servers": servers, "group.id": group, "group.instance.id": instance, "session.timeout.ms": 30000,
    "partition.assignment.strategy": "cooperative-sticky", "enable.auto.commit": False, "isolation.level": "read_committed"})
consumer.subscribe(
    [topic], on_assign=lambda _, places: print("assigned", len(places), flush=True), on_revoke=lambda *_: os._exit(9))
while True:
    consumer.poll(0.1)
"""


def test_a_static_member_whose_place_was_taken_joins_again(deploy):
    """As after a coordinator that failed before it answered a join: the group knows a member id that the worker never
    learnt."""
    deployment = deploy(partitions=4)
    deployment.create_topics()
    generator = Generator(seed=941, questions=50)
    deployment.publish(traffic(generator, 50, 100))
    deployment.publish(questions(generator, 50))
    strategy = {"partition.assignment.strategy": "cooperative-sticky"} | deployment.cluster.group_properties
    worker = deployment.worker(staticMembership=True, properties=strategy).start()
    deployment.wait_until_drained()
    other = Consumer({
        "bootstrap.servers": deployment.cluster.bootstrap_servers, "group.id": deployment.group,
        "group.instance.id": f"rejoinder-{worker.identity}-0", "enable.auto.commit": False} | strategy)
    other.subscribe([deployment.topics["questions"]])
    deadline = time.monotonic() + 30
    while not other.assignment():
        assert time.monotonic() < deadline, f"the place was not taken:\n{worker.log_end()}"
        other.poll(0.1)
    deployment.publish(questions(generator, 100))
    while not any(line["message"] == "place in the group lost; joining again" for line in worker.log()):
        assert time.monotonic() < deadline, f"the worker did not learn of it:\n{worker.log_end()}"
        other.poll(0.1)
    other.close()
    deployment.wait_until_drained()
    assert worker.terminate() == 0, worker.log_end()
    verify(deployment)


class Member:
    """A member of the group that takes partitions and works on none, polled in a thread of its own."""

    def __init__(self, deployment, topic):
        self._consumer = Consumer({
            "bootstrap.servers": deployment.cluster.bootstrap_servers, "group.id": deployment.group,
            "session.timeout.ms": 30_000, "partition.assignment.strategy": "cooperative-sticky",
            "enable.auto.commit": False, "isolation.level": "read_committed"})
        self._consumer.subscribe([topic])
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._ended.is_set():
            self._consumer.poll(0.1)
        self._consumer.close()

    def leave(self):
        self._ended.set()
        self._thread.join()


def owned_partitions(deployment):
    members = deployment.cluster.members(deployment.group)
    return sorted(place.partition for member in members for place in member.assignment.topic_partitions)


def test_no_partition_stays_without_an_owner_when_a_static_member_dies_in_a_rebalance(deploy, cluster):
    if cluster.broker:
        pytest.skip("the broker that the tests start ends no cooperative rebalance of several members; name a cluster in "
                    "REJOINDER_TEST_BOOTSTRAP_SERVERS")
    deployment = deploy(partitions=4)
    deployment.create_topics()
    generator = Generator(seed=940, questions=50)
    deployment.publish(traffic(generator, 50, 100))
    deployment.publish(questions(generator, 50))
    worker = deployment.worker(staticMembership=True, properties={"session.timeout.ms": 30_000}).start()
    deployment.wait_until_drained()
    assert worker.terminate() == 0, worker.log_end()
    topic = deployment.topics["questions"]
    # In the worker's place, since the moment is too short to kill the worker itself in it.
    dying = subprocess.Popen(
        [sys.executable, "-c", DYING, deployment.cluster.bootstrap_servers, deployment.group, topic,
         f"rejoinder-{worker.identity}-0"], stdout=subprocess.PIPE, text=True)
    other = None
    try:
        assert dying.stdout.readline() == "assigned 4\n"
        other = Member(deployment, topic)
        assert dying.wait(60) == 9
        # The group gives it its last assignment, without a rebalance.
        worker.start()
        deadline = time.monotonic() + 60
        while (owned := owned_partitions(deployment)) != [0, 1, 2, 3]:
            assert time.monotonic() < deadline, f"only the partitions {owned} have an owner:\n{worker.log_end()}"
            time.sleep(0.2)
    finally:
        dying.kill()
        dying.stdout.close()
        if other:
            other.leave()
    deployment.publish(questions(generator, 100))
    deployment.wait_until_drained()
    assert worker.terminate() == 0, worker.log_end()
    verify(deployment)
