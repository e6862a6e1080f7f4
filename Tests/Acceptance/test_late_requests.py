"""Requests that are lost on the way and arrive late (KIP-890), and brokers that do not answer: behind a proxy."""

import contextlib
import time

import oracle
import proxy
import pytest
from clock import SteppedClock
from generator import Generator
from prometheus import Samples, address, scrape
from proxy import Forgotten, Late, Proxy, Refusal, Silence, Slow, Unstable
from test_faults import Background
from test_worker import questions, traffic, verify


@pytest.fixture
def link(cluster):
    with Proxy.before(cluster) as link:
        yield link


def behind(link, deployment, name="w1", properties=None, is_static=False, **settings):
    """A worker that reaches the brokers through the proxy alone."""
    kafka = deployment.configuration(name, properties, staticMembership=is_static)["kafka"]
    return deployment.worker(name, kafka=kafka | {"bootstrapServers": link.bootstrap_servers}, **settings)


LATE = {
    # An EndTxn that ends a later transaction: its first records are committed without the offsets that pass them.
    "EndTxn": (proxy.END_TXN, (proxy.PRODUCE, 1)),
    # Offsets that become part of a later transaction, and of its abort.
    "TxnOffsetCommit": (proxy.TXN_OFFSET_COMMIT, (proxy.END_TXN, 1)),
    "AddOffsetsToTxn": (proxy.ADD_OFFSETS_TO_TXN, (proxy.END_TXN, 1)),
    "AddPartitionsToTxn": (proxy.ADD_PARTITIONS_TO_TXN, (proxy.END_TXN, 1)),
    "Produce": (proxy.PRODUCE, (proxy.END_TXN, 1)),
}


@pytest.mark.parametrize("request_name", LATE)
def test_a_request_that_comes_late_changes_no_later_transaction(deploy, link, scale, request_name):
    api, after = LATE[request_name]
    deployment = deploy(partitions=2)
    deployment.create_topics()
    generator = Generator(seed=890, questions=100)
    deployment.publish(traffic(generator, 100, 200))
    # Transactions of several requests each, that take a while.
    worker = behind(link, deployment, properties={"batch.num.messages": 10}).start()
    link.add(Slow(proxy.PRODUCE, 0.04))
    deployment.publish(questions(generator, 50))
    deployment.wait_until_drained()
    rounds = []
    with Background(deployment, questions(generator, int(1_500 * scale)), seconds=10 * scale):
        for number in range(4):
            rule = link.add(Late(api, nth=3, held=(0.1, 0.3, 0.6, 0.9)[number], after=after))
            rounds.append(rule)
            assert rule.is_delivered.wait(20), f"no {request_name} was sent"
            time.sleep(0.3)
    deployment.wait_until_drained()
    worker.check()
    assert worker.terminate() == 0, worker.log_end()
    assert all(rule.frame for rule in rounds)
    verify(deployment)


def test_clock_steps_end_no_call_of_a_transaction_before_its_answer(deploy, link):
    """librdkafka waits for the coordinator by the wall clock. A commit that was repeated when a step had ended its wait
    got the results of the first one, and the answer, which came after both had returned, ended the process by an
    assertion."""
    deployment = deploy(partitions=4)
    deployment.create_topics()
    generator = Generator(seed=896, questions=100)
    deployment.publish(traffic(generator, 100, 200))
    worker = behind(link, deployment, lanes=4)
    clock = SteppedClock.of(worker)
    if clock is None:
        pytest.skip("libfaketime is not installed")
    worker.variables |= clock.environment
    worker.start()
    deployment.publish(questions(generator, 50))
    deployment.wait_until_drained()
    # Most of the time a lane waits for the end of its transaction.
    link.add(Slow(proxy.END_TXN, 0.02))
    with Background(deployment, questions(generator, 4_000), seconds=27):
        for _ in range(9):
            for step in (10, -45, 0):
                clock.step(step)
                time.sleep(1)
    deployment.wait_until_drained()
    worker.check()
    assert worker.terminate() == 0, worker.log_end()
    log = worker.log_path.read_text("utf-8", "replace")
    assert "not valid in state" not in log, [line for line in log.splitlines() if "not valid in state" in line]
    verify(deployment)


def test_late_offsets_of_an_ended_producer_leave_no_transaction_open(deploy, link):
    """The producer is made anew while its TxnOffsetCommit is on the way: nothing would end the transaction that it
    opens."""
    deployment = deploy(partitions=1)
    deployment.create_topics()
    generator = Generator(seed=891, questions=20)
    worker = behind(link, deployment).start()
    deployment.publish(questions(generator, 20))
    deployment.wait_until_drained()
    # Held beyond the transaction's timeout: the coordinator fences the producer meanwhile.
    late = link.add(Late(proxy.TXN_OFFSET_COMMIT, held=6, after=(proxy.INIT_PRODUCER_ID, 1), patience=15))
    deployment.publish(questions(generator, 20))
    assert late.is_delivered.wait(40)
    deployment.wait_until_drained()
    deployment.publish(questions(generator, 20))
    deployment.wait_until_drained()
    assert worker.terminate() == 0, worker.log_end()
    # The next owner has to be able to read the committed offsets.
    other = deployment.worker("w2").start()
    deployment.publish(questions(generator, 20))
    deployment.wait_until_drained()
    assert other.terminate() == 0, other.log_end()
    verify(deployment)


def test_no_offsets_are_sent_before_those_of_the_last_transaction_are_applied(deploy, link):
    """A coordinator that applies a transaction's end late would apply it to the next transaction's offsets
    (KAFKA-17507)."""
    deployment = deploy(partitions=1)
    deployment.create_topics()
    generator = Generator(seed=893, questions=20)
    worker = behind(link, deployment).start()
    deployment.publish(questions(generator, 20))
    deployment.wait_until_drained()
    unstable = link.add(Unstable())
    deployment.publish(questions(generator, 20))
    deadline = time.monotonic() + 20
    while unstable.answered < 3:
        assert time.monotonic() < deadline, "the worker did not ask whether its offsets are applied"
        time.sleep(0.05)
    assert unstable.commits == 0
    unstable.end()
    deployment.wait_until_drained()
    worker.check()
    # An abort's offsets, too: it ends with the worker's next start, whose first transaction is one of its own.
    worker.kill()
    deployment.cluster.end_sessions(deployment.group, worker.identity, worker.session_seconds)
    deployment.publish(questions(generator, 20))
    unstable = link.add(Unstable())
    other = behind(link, deployment).start()
    wait_for_lag(other, deployment.topics["questions"], 20)
    unstable.end()
    deployment.wait_until_drained()
    assert other.terminate() == 0, other.log_end()
    verify(deployment)


def wait_for_lag(worker, topic, records, timeout=30):
    """Until the worker's metrics report this lag in a topic."""
    deadline = time.monotonic() + timeout
    text = ""
    while Samples(text).sum("rejoinder_consumer_lag", topic=topic) != records:
        worker.check()
        assert time.monotonic() < deadline, text
        time.sleep(0.1)
        # The log may still end with the address of the worker's earlier process.
        with contextlib.suppress(ConnectionError):
            text = scrape(address(worker))


def test_a_lane_goes_back_below_none_of_its_own_commits(deploy, link):
    """A coordinator that resigns says that the group has committed nothing, while the lane asks where to go on after an abort."""
    deployment = deploy(partitions=2)
    deployment.create_topics()
    generator = Generator(seed=897, questions=20)
    deployment.publish(traffic(generator, 50, 50))
    worker = behind(link, deployment).start()
    deployment.publish(questions(generator, 40))
    deployment.wait_until_drained()
    forgotten = link.add(Forgotten())
    refusal = link.add(Refusal(deployment.enriched, 87, count=1))
    deployment.publish(questions(generator, 40))
    deadline = time.monotonic() + 20
    while not refusal.refused:
        assert time.monotonic() < deadline, "nothing was produced"
        time.sleep(0.05)
    answered = forgotten.answered
    while forgotten.answered < answered + 4:
        assert time.monotonic() < deadline, "the worker took the first answer, or did not ask"
        time.sleep(0.05)
    forgotten.end()
    deployment.wait_until_drained()
    worker.check()
    assert worker.terminate() == 0, worker.log_end()
    verify(deployment)


@pytest.mark.parametrize("delivery", ["exactly-once", "at-least-once"])
def test_sigterm_ends_a_worker_whose_brokers_do_not_answer(deploy, link, delivery):
    deployment = deploy(partitions=1)
    deployment.create_topics()
    generator = Generator(seed=892, questions=20)
    worker = behind(link, deployment, delivery=delivery).start()
    deployment.publish(questions(generator, 20))
    deployment.wait_until_drained()
    # The offsets' way alone, which is the one without a deadline of its own.
    silence = link.add(
        Silence({proxy.TXN_OFFSET_COMMIT, proxy.ADD_OFFSETS_TO_TXN, proxy.OFFSET_COMMIT, proxy.FIND_COORDINATOR})
    )
    deployment.publish(questions(generator, 20))
    deadline = time.monotonic() + 20
    while silence.swallowed == 0:
        assert time.monotonic() < deadline, "the worker committed nothing"
        time.sleep(0.1)
    began = time.monotonic()
    status = worker.terminate(timeout=60)
    assert time.monotonic() - began < 45
    assert status == 0, worker.log_end()
    silence.end()
    # It could not leave the group.
    deployment.cluster.end_sessions(deployment.group, worker.identity, 0)
    # Started again it ends the transaction that it left open, and does the work again. (Another worker would have to
    # wait until the coordinator gives the transaction up, which the broker that the tests start never does.)
    other = deployment.worker("w1", delivery=delivery).start()
    deployment.wait_until_drained(60)
    assert other.terminate() == 0, other.log_end()
    if delivery == "exactly-once":
        verify(deployment)


def test_sigterm_ends_a_worker_whose_brokers_are_gone(deploy, link):
    deployment = deploy(partitions=1)
    deployment.create_topics()
    generator = Generator(seed=893, questions=20)
    worker = behind(link, deployment).start()
    deployment.publish(questions(generator, 20))
    deployment.wait_until_drained()
    link.add(Silence({proxy.TXN_OFFSET_COMMIT}))
    deployment.publish(questions(generator, 20))
    time.sleep(1)
    link.close()
    time.sleep(1)
    began = time.monotonic()
    assert worker.terminate(timeout=60) == 0, worker.log_end()
    assert time.monotonic() - began < 45


def test_a_take_over_waits_for_no_broker_without_limit(deploy, link):
    """A leader that does not answer for offsets holds up its partitions, not the lane: SIGTERM ends it at once."""
    deployment = deploy(partitions=2)
    deployment.create_topics()
    generator = Generator(seed=894, questions=20)
    deployment.publish(questions(generator, 40))
    silence = link.add(Silence({proxy.LIST_OFFSETS}))
    worker = behind(link, deployment).start()
    deadline = time.monotonic() + 20
    while silence.swallowed < 3:
        assert time.monotonic() < deadline, "the worker did not ask, or asked once and waits for ever"
        time.sleep(0.1)
    silence.end()
    deployment.wait_until_drained()
    silence = link.add(Silence({proxy.LIST_OFFSETS}))
    assert worker.terminate() == 0, worker.log_end()
    verify(deployment)


def test_a_static_member_starts_again_within_its_session(deploy, link):
    """The producer's first transaction names the group before the consumer has joined it. Kafka, unlike the broker that
    the tests start, takes that for another process with the same instance while it remembers the one that was
    killed."""
    deployment = deploy(partitions=1)
    deployment.create_topics()
    generator = Generator(seed=895, questions=20)
    worker = behind(link, deployment, is_static=True).start()
    deployment.publish(questions(generator, 20))
    deployment.wait_until_drained()
    worker.kill()
    fenced = link.add(proxy.FencedInstance(deployment.topics["answers"]))
    worker.start()
    deployment.publish(questions(generator, 20))
    deployment.wait_until_drained()
    assert fenced.refused == 1
    assert worker.terminate() == 0, worker.log_end()
    verify(deployment)
