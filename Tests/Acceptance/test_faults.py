"""Crashes, rebalances and lost state: the output stays the same."""

import os
import random
import shutil
import threading
import time

import compare
import oddities
import live
import oracle
import pytest
from generator import Generator
from test_worker import questions, traffic, verify

# The shortest that brokers allow by default: a killed worker's partitions wait this long for their next owner.
QUICK_SESSION = {"session.timeout.ms": 6_000}


def mixed(records, kind, generator, every=10):
    """The records with a malformed one after every so many."""
    malformed = list(oddities.malformed(kind))
    for number, record in enumerate(records):
        yield record
        if number % every == 0:
            key, value, _ = malformed[(number // every) % len(malformed)]
            yield kind, key, value, generator.headers()


def verify_delivery(deployment, delivery):
    """Nothing lost, and nothing doubled but where that is allowed."""
    if delivery == "exactly-once":
        verify(deployment)
        return
    deployment.wait_until_settled()
    expected = deployment.expected()
    compare.enriched_at_least_once(expected, deployment.read(deployment.enriched))
    compare.dead_letters(expected, deployment.read(deployment.dead_letters), exactly_once=False)


class Background:
    """Publishes in a thread of its own, a few records at a time, so that there is work while workers come and go."""

    def __init__(self, deployment, records, seconds):
        self._deployment = deployment
        self._records = list(records)
        self._pause = seconds / max(1, len(self._records) // 50)
        self._failure = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, failed, *_):
        if failed:
            self._stopped.set()
        self._thread.join()
        if self._failure:
            raise self._failure

    @property
    def running(self):
        return self._thread.is_alive()

    def _run(self):
        try:
            for start in range(0, len(self._records), 50):
                self._deployment.publish(self._records[start : start + 50])
                if self._stopped.wait(self._pause):
                    return
        except BaseException as failure:
            self._failure = failure


def wait_for_progress(deployment, worker, least=1, timeout=60):
    """Returns once the group has committed `least` more question events than when called."""

    def committed():
        while True:
            offsets = deployment.cluster.committed(deployment.group, deployment.topics[oracle.QUESTIONS], deployment.partitions)
            # Nothing at all is the answer of a group's coordinator that is away.
            if offsets:
                return sum(offset or 0 for offset in offsets.values())
            assert time.monotonic() < deadline, f"the group's offsets cannot be had in {timeout} s:\n{worker.log_end()}"

    deadline = time.monotonic() + timeout
    start = committed()
    while committed() < start + least:
        worker.check()
        assert time.monotonic() < deadline, f"no progress in {timeout} s:\n{worker.log_end()}"
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("delivery", "static", "kills"),
    [("exactly-once", True, 6), ("exactly-once", False, 3), ("at-least-once", True, 3)],
)
def test_kill_during_work(deploy, scale, delivery, static, kills):
    kills = int(kills * scale)
    deployment = deploy()
    deployment.create_topics()
    generator = Generator(seed=30, questions=200)
    deployment.publish(mixed(traffic(generator, 500, 1_500), oracle.VOTES, generator))
    deployment.publish(mixed(questions(generator, 500), oracle.QUESTIONS, generator))
    worker = deployment.worker(delivery=delivery, staticMembership=static, properties=QUICK_SESSION)
    chance = random.Random(31)
    more = mixed(questions(generator, 800 * kills), oracle.QUESTIONS, generator)
    with Background(deployment, more, seconds=(2 if static else 8) * kills):
        for _ in range(kills):
            worker.start()
            wait_for_progress(deployment, worker)
            time.sleep(chance.uniform(0, 0.5))
            deployment.kill(worker)
        worker.start()
    deployment.wait_until_drained(90)
    assert worker.terminate() == 0
    verify_delivery(deployment, delivery)


@pytest.mark.parametrize(
    ("partitions", "questions_asked", "answers", "votes", "every", "kills"),
    [
        (4, 500, 3_000, 6_000, 15, 4),
        # So many answers, in no order, that a batch of them changes more pages than a store's transaction takes, and is
        # cut.
        (1, 20_000, 60_000, 15_000, 300, 2),
        # So many that an empty store is filled in the order of its keys.
        (1, 20_000, 80_000, 50_000, 300, 4),
    ],
    ids=["small batches", "batches that are cut", "sorted first"],
)
def test_kill_during_catch_up(deploy, partitions, questions_asked, answers, votes, every, kills):
    """Dead letters of the tables are published once, however often the reading of the tables is cut short."""
    deployment = deploy(partitions=partitions)
    deployment.create_topics()
    generator = Generator(seed=32, questions=questions_asked)
    deployment.publish(mixed(traffic(generator, answers, votes), oracle.ANSWERS, generator, every=every))
    deployment.publish(questions(generator, 1_000))
    worker = deployment.worker(staticMembership=True, properties=QUICK_SESSION)
    chance = random.Random(33)
    for _ in range(kills):
        worker.start()
        time.sleep(chance.uniform(0.1, 2))
        deployment.kill(worker)
    worker.start()
    deployment.publish(questions(generator, 50))
    deployment.wait_until_drained(120)
    assert worker.terminate() == 0
    verify(deployment)


@pytest.mark.parametrize("lanes", [1, 3])
def test_sigterm_leaves_no_transaction_open(deploy, lanes):
    """One would hold back its output from readers, and its partitions from their next owner, until the broker gives it
    up."""
    deployment = deploy()
    deployment.create_topics()
    generator = Generator(seed=37, questions=200)
    deployment.publish(traffic(generator, 400, 1_000))
    deployment.publish(questions(generator, 12_000))
    # With so small a queue to its producer a lane works slowly, and is long inside each of its transactions.
    slow = {"queue.buffering.max.messages": 200, "linger.ms": 100}
    given_up_after = {"transaction.timeout.ms": 60_000}
    worker = deployment.worker(lanes=lanes, commitIntervalMs=3_000, properties=slow | given_up_after).start()
    deadline = time.monotonic() + 30
    while not deployment.held_back():
        worker.check()
        assert time.monotonic() < deadline, f"no transaction was seen open:\n{worker.log_end()}"
    assert worker.terminate() == 0, worker.log_end()
    # Markers of a transaction's end may be written a little after the worker was told of it.
    deployment.wait_until_settled(timeout=5)
    committed = deployment.cluster.committed(deployment.group, deployment.topics[oracle.QUESTIONS], deployment.partitions)
    assert sum(offset or 0 for offset in committed.values()) < 12_000, "the worker was not in the middle of its work"
    deployment.worker("w2").start()
    deployment.wait_until_drained()
    assert deployment.workers[-1].terminate() == 0
    verify(deployment)


@pytest.mark.parametrize("delivery", ["exactly-once", "at-least-once"])
def test_a_broker_that_stands_still(deploy, delivery):
    """Longer than a transaction may take: the worker is late, and fenced where the broker gives it up meanwhile."""
    deployment = deploy()
    if not deployment.cluster.can_stand_still:
        pytest.skip("needs a broker of the tests' own, or a script in REJOINDER_TEST_CLUSTER_CONTROL that pauses the named one")
    deployment.create_topics()
    generator = Generator(seed=36, questions=200)
    deployment.publish(mixed(traffic(generator, 400, 1_000), oracle.ANSWERS, generator))
    worker = deployment.worker(
        delivery=delivery, properties={"message.timeout.ms": 2_000, "socket.timeout.ms": 1_500}).start()
    with Background(deployment, mixed(questions(generator, 3_000), oracle.QUESTIONS, generator), seconds=12):
        wait_for_progress(deployment, worker)
        for seconds in (1, 5):
            deployment.cluster.stall(seconds)
            wait_for_progress(deployment, worker, least=50, timeout=90)
    deployment.wait_until_drained(120)
    assert worker.terminate() == 0, worker.log_end()
    verify_delivery(deployment, delivery)


@pytest.mark.parametrize("delivery", ["exactly-once", "at-least-once"])
def test_workers_come_and_go(deploy, scale, delivery):
    deployment = deploy(partitions=6)
    deployment.create_topics()
    generator = Generator(seed=34, questions=300)
    deployment.publish(mixed(traffic(generator, 600, 2_000), oracle.ANSWERS, generator))
    first, second, third = (
        deployment.worker(name, delivery=delivery, properties=deployment.cluster.group_properties)
        for name in ("w1", "w2", "w3")
    )
    first.start()
    second.start()
    deployment.publish(questions(generator, 300))
    deployment.wait_until_drained()
    more = mixed(questions(generator, int(6_000 * scale)), oracle.QUESTIONS, generator)
    with Background(deployment, more, seconds=20):
        time.sleep(3)
        third.start()
        time.sleep(6)
        assert first.terminate() == 0
        time.sleep(4)
        second.check()
        third.check()
        killed = time.monotonic()
        deployment.kill(second)
        # With the default settings the killed one's partitions are worked on again within 15 seconds. While the
        # background goes on there is always something new, so it is the records of the moment of the kill that must be
        # done.
        wait_until_committed(deployment, list(deployment.records), killed + 15)
    deployment.wait_until_drained()
    assert third.terminate() == 0
    verify_delivery(deployment, delivery)


def wait_until_committed(deployment, records, deadline):
    ends = {}
    for record in records:
        if record.topic == deployment.topics[oracle.QUESTIONS]:
            ends[record.partition] = max(ends.get(record.partition, 0), record.offset + 1)
    while True:
        committed = deployment.cluster.committed(deployment.group, deployment.topics[oracle.QUESTIONS], deployment.partitions)
        behind = {p: (committed.get(p), end) for p, end in ends.items() if (committed.get(p) or 0) < end}
        if not behind:
            return
        assert time.monotonic() < deadline, f"by partition (committed, due): {behind}"
        time.sleep(0.1)


# --- State ---------------------------------------------------------------------------------------------------


def _files(state):
    return sorted(path for path in state.rglob("*") if path.is_file())


def _delete(state, chance):
    shutil.rmtree(state)


def _empty_files(state, chance):
    for path in _files(state):
        path.write_bytes(b"")


def _halve(state, chance):
    for path in _files(state):
        os.truncate(path, path.stat().st_size // 2)


def _cut_a_little(state, chance):
    for path in _files(state):
        os.truncate(path, max(0, path.stat().st_size - 1_000))


def _noise(state, chance):
    for path in _files(state):
        path.write_bytes(chance.randbytes(path.stat().st_size))


def _noise_in_the_middle(state, chance):
    for path in _files(state):
        size = path.stat().st_size
        with open(path, "r+b") as file:
            for _ in range(8):
                file.seek(chance.randrange(max(1, size)))
                file.write(chance.randbytes(64))


def _zeros_at_the_end(state, chance):
    for path in _files(state):
        size = path.stat().st_size
        os.truncate(path, size * 3 // 4)
        os.truncate(path, size)


def _unknown_files(state, chance):
    (state / "notes.txt").write_text("not ours")
    for directory in [path for path in state.iterdir() if path.is_dir()]:
        (directory / "stray").write_bytes(b"\0")


@pytest.mark.parametrize(("clean", "publish"), [(True, "questions"), (False, "questions"), (False, "changes")])
def test_damaged_state_is_rebuilt(deploy, clean, publish):
    deployment = deploy(partitions=3)
    deployment.create_topics()
    generator = Generator(seed=35, questions=60)
    chance = random.Random(36)
    deployment.publish(mixed(traffic(generator, 300, 900), oracle.VOTES, generator))
    # A static member does not leave its group at SIGTERM, so that nothing moves while it is away; one that lost its
    # identity with its state would wait for its own past self to time out.
    settings = {"publish": {"on": publish}}
    worker = deployment.worker(staticMembership=not clean, properties=QUICK_SESSION, **settings).start()
    deployment.publish(questions(generator, 100))
    deployment.wait_until_drained()
    for damage in (
        _delete,
        _empty_files,
        _halve,
        _cut_a_little,
        _noise,
        _noise_in_the_middle,
        _zeros_at_the_end,
        _unknown_files,
    ):
        if clean:
            assert worker.terminate() == 0, worker.log_end()
        else:
            deployment.kill(worker)
        damage(worker.state, chance)
        deployment.publish(questions(generator, 100))
        if publish == "changes":
            deployment.publish(traffic(generator, 30, 90))
        worker.start()
        try:
            deployment.wait_until_drained()
        except AssertionError as error:
            raise AssertionError(f"after {damage.__name__}: {error}") from error
    assert worker.terminate() == 0
    if publish == "changes":
        live.verify(deployment, is_undisturbed=False)
    else:
        verify(deployment)


def test_a_second_worker_on_the_same_state_is_refused(deploy):
    deployment = deploy(partitions=2)
    deployment.create_topics()
    first = deployment.worker("w1").start()
    deployment.publish([(oracle.QUESTIONS, b"q", b'{"id":"q","title":"Whose?"}', [])])
    deployment.wait_until_drained()
    second = deployment.worker("w2", store={"directory": str(first.state)}).start()
    assert second.wait(15) == 73, second.log_end()
    assert str(first.state) in second.log_path.read_text("utf-8")
    assert first.running
    assert first.terminate() == 0
