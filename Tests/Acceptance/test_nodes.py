"""Nodes of a cluster die, restart and stand still under load: the output stays the same."""

import contextlib
import itertools
import threading
import time

import live
import oracle
import pytest
from generator import Generator
from test_faults import QUICK_SESSION, mixed, verify_delivery, wait_for_progress
from test_worker import questions, traffic

DELIVERIES = ("exactly-once", "at-least-once")

# The longest that the worker promises to take from SIGTERM to its end.
PROMISED_END = 45


def loaded(deploy, seed):
    """A deployment with tables, malformed records among them."""
    deployment = deploy()
    deployment.create_topics()
    generator = Generator(seed=seed, questions=200)
    deployment.publish(mixed(traffic(generator, 400, 1_000), oracle.ANSWERS, generator))
    return deployment, generator


def changes(generator):
    """Answers, votes and question events without an end."""
    while True:
        yield from traffic(generator, 3, 6)
        yield from questions(generator, 2)


@contextlib.contextmanager
def load(deployment, generator, records=None):
    """Question events, or these records, a malformed one among ten, for as long as the block lasts."""
    records = records or itertools.chain.from_iterable(questions(generator, 1) for _ in itertools.count())
    events = mixed(records, oracle.QUESTIONS, generator)
    over, failures = threading.Event(), []

    def publish():
        try:
            while not over.wait(0.25):
                deployment.publish(itertools.islice(events, 40))
        except BaseException as failure:
            failures.append(failure)

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    if failures:
        raise failures[0]


def finish(deployment, worker, delivery):
    deployment.wait_until_drained(180)
    assert worker.terminate(PROMISED_END) == 0, worker.log_end()
    verify_delivery(deployment, delivery)


def nodes_of(deployment, control):
    """The node that leads the first input partition, and the node that keeps the group's offsets, as far as they
    differ."""
    leader = control.leader(deployment.topics[oracle.QUESTIONS], 0)
    return list(dict.fromkeys((leader, control.group_coordinator(deployment.group))))


@pytest.mark.parametrize("delivery", DELIVERIES)
@pytest.mark.parametrize("action", ["kill", "stop"])
def test_nodes_end_one_after_the_other(deploy, control, action, delivery):
    """A rolling restart; with "kill", of nodes that hand nothing over."""
    deployment, generator = loaded(deploy, seed=60)
    worker = deployment.worker(delivery=delivery).start()
    with load(deployment, generator):
        wait_for_progress(deployment, worker)
        for node in control.nodes:
            with control.away(action, node):
                if len(control.nodes) > 1:
                    wait_for_progress(deployment, worker, least=20, timeout=90)
            control.wait_until_whole()
            wait_for_progress(deployment, worker, least=20, timeout=90)
    finish(deployment, worker, delivery)


@pytest.mark.parametrize("action", ["kill", "stop", "pause"])
def test_the_last_records_are_current_whatever_nodes_do(deploy, control, action):
    """With `publish.on: changes`, every question's last record has the bytes of its event and tables at the end."""
    deployment, generator = loaded(deploy, seed=66)
    deployment.publish(questions(generator, 400))
    worker = deployment.worker(properties=QUICK_SESSION, publish={"on": "changes", "coalesceMs": 200}).start()
    with load(deployment, generator, changes(generator)):
        wait_for_progress(deployment, worker)
        for node in control.nodes:
            with control.away(action, node):
                time.sleep(8)
            control.wait_until_whole()
            wait_for_progress(deployment, worker, least=20, timeout=90)
    deployment.wait_until_drained(180)
    assert worker.terminate(PROMISED_END) == 0, worker.log_end()
    live.verify(deployment, is_undisturbed=False)


@pytest.mark.parametrize("delivery", DELIVERIES)
def test_a_node_stands_still(deploy, control, delivery):
    """Its connections stay open, so that nothing but time tells it from a slow one; longer than a transaction may
    take."""
    deployment, generator = loaded(deploy, seed=61)
    worker = deployment.worker(delivery=delivery).start()
    with load(deployment, generator):
        wait_for_progress(deployment, worker)
        for node in nodes_of(deployment, control):
            with control.away("pause", node):
                time.sleep(8)
            wait_for_progress(deployment, worker, least=20, timeout=90)
    finish(deployment, worker, delivery)


@pytest.mark.parametrize("action", ["kill", "pause"])
def test_a_node_is_away_during_a_take_over(deploy, control, action):
    """The partitions whose leaders are there are worked on; the others when theirs have moved or are back."""
    if len(control.nodes) < 3:
        pytest.skip("needs a cluster of three nodes: with fewer, nothing is left to work on")
    deployment, generator = loaded(deploy, seed=62)
    deployment.publish(questions(generator, 400))
    first = deployment.worker("w1", properties=QUICK_SESSION).start()
    deployment.wait_until_drained()
    deployment.kill(first)
    deployment.publish(questions(generator, 400))
    node = control.leader(deployment.topics[oracle.ANSWERS], 0)
    second = deployment.worker("w2", properties=QUICK_SESSION)
    with control.away(action, node):
        second.start()
        with load(deployment, generator):
            wait_for_progress(deployment, second, least=50, timeout=120)
    finish(deployment, second, "exactly-once")


@pytest.mark.parametrize("action", ["kill", "pause"])
def test_a_node_dies_while_tables_are_restored(deploy, control, action):
    """In the middle of a take-over, so that requests to it are already on their way."""
    deployment = deploy()
    deployment.create_topics()
    generator = Generator(seed=63, questions=5_000)
    deployment.publish(mixed(traffic(generator, 30_000, 30_000), oracle.ANSWERS, generator, every=200))
    deployment.publish(questions(generator, 500))
    worker = deployment.worker(properties=QUICK_SESSION)
    node = control.leader(deployment.topics[oracle.ANSWERS], 0)
    worker.start()
    time.sleep(1.5)
    with control.away(action, node):
        time.sleep(12)
    finish(deployment, worker, "exactly-once")


@pytest.mark.parametrize("delivery", DELIVERIES)
@pytest.mark.parametrize("action", ["kill", "pause"])
def test_sigterm_ends_the_worker_without_a_cluster(deploy, control, action, delivery):
    """With every node away the worker cannot commit, and ends all the same; its successor goes on where the group
    stands."""
    deployment, generator = loaded(deploy, seed=64)
    worker = deployment.worker("w1", delivery=delivery, properties=QUICK_SESSION).start()
    with load(deployment, generator):
        wait_for_progress(deployment, worker)
        with control.away(action, *control.nodes):
            time.sleep(3)
            status = worker.terminate(PROMISED_END)
    assert status in (0, 69, 70), f"status {status}:\n{worker.log_end()}"
    control.wait_until_whole()
    # Its session at the group's coordinator has to end first.
    successor = deployment.worker("w2", delivery=delivery, properties=QUICK_SESSION).start()
    finish(deployment, successor, delivery)


def test_a_quorum_is_lost_and_found(deploy, control):
    """With one of three nodes nothing can be committed: the worker waits, says so, and goes on by itself."""
    if len(control.nodes) < 3:
        pytest.skip("needs a cluster of three nodes: a lost quorum is two of three")
    deployment, generator = loaded(deploy, seed=65)
    worker = deployment.worker().start()
    with load(deployment, generator):
        wait_for_progress(deployment, worker)
        with control.away("kill", *control.nodes[:2]):
            time.sleep(15)
            worker.check()
        control.wait_until_whole()
        wait_for_progress(deployment, worker, least=20, timeout=120)
    finish(deployment, worker, "exactly-once")
    assert any(line["level"] == "warning" for line in worker.log()), "a cluster that was away left no line in the log"
