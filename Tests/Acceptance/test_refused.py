"""Records that a broker refuses, each by itself: one of them holds back no other."""

import time

import oracle
import pytest
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource
from generator import Generator
from proxy import Proxy, Refusal
from test_late_requests import behind
from test_live import answer, changes, question, records_of, vote, wait_for_window
from test_worker import questions, traffic

DAY = 86_400_000
# Kafka's error codes: https://kafka.apache.org/protocol#protocol_error_codes
MESSAGE_TOO_LARGE, TOPIC_AUTHORIZATION_FAILED, INVALID_TIMESTAMP, INVALID_RECORD = 10, 29, 32, 87


@pytest.fixture
def link(cluster):
    with Proxy.before(cluster) as link:
        yield link


@pytest.fixture
def kafka(cluster):
    if cluster.broker is not None:
        pytest.skip("the broker that the tests start takes every record; name an Apache Kafka")
    return cluster


def configure(cluster, topic, **settings):
    entries = [
        ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        for name, value in settings.items()
    ]
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=entries)
    for future in cluster.admin.incremental_alter_configs([resource]).values():
        future.result(30)


@pytest.mark.parametrize("delivery", ["exactly-once", "at-least-once"])
def test_events_whose_timestamps_the_output_topic_refuses_are_set_aside(deploy, kafka, delivery):
    deployment = deploy(partitions=2)
    deployment.create_topics()
    configure(kafka, deployment.enriched, **{"message.timestamp.before.max.ms": str(DAY)})
    generator = Generator(seed=12, questions=50)
    refused = set()
    for number, record in enumerate(questions(generator, 120)):
        deployment._clock = int(time.time() * 1000) - (30 * DAY if number in (7, 60, 61, 119) else 0) - 1_000 + number
        if number in (7, 60, 61, 119):
            refused.add(deployment._clock)
        deployment.publish([record])
    worker = deployment.worker(delivery=delivery).start()
    deployment.wait_until_drained(60)
    assert worker.terminate() == 0, worker.log_end()
    deployment.wait_until_settled()
    letters = deployment.read(deployment.dead_letters)
    assert {dict(letter.headers)["rejoinder.error.code"] for letter in letters} == {b"refused"}
    assert {int(dict(letter.headers)["rejoinder.source.timestamp"]) for letter in letters} == refused
    published = [record.timestamp for record in deployment.read(deployment.enriched)]
    wanted = {r.timestamp for r in deployment.records if r.topic == deployment.topics[oracle.QUESTIONS]} - refused
    assert set(published) == wanted
    if delivery == "exactly-once":
        assert len(published) == len(wanted) and len(letters) == len(refused)


def test_a_bad_record_without_a_key_meets_a_compacted_dead_letter_topic(deploy, kafka):
    deployment = deploy(partitions=1)
    deployment.create_topics()
    configure(kafka, deployment.dead_letters, **{"cleanup.policy": "compact"})
    generator = Generator(seed=13, questions=10)
    deployment.publish([(oracle.QUESTIONS, None, b"{}", []), *questions(generator, 10)])
    deployment.publish([(oracle.ANSWERS, None, b"{", [])])
    worker = deployment.worker().start()
    deployment.wait_until_drained(60)
    assert worker.terminate() == 0, worker.log_end()
    letters = deployment.read(deployment.dead_letters)
    assert len(letters) == 2
    assert all(b"@0" in letter.key and ("rejoinder.error.key-added", b"true") in letter.headers for letter in letters)
    assert len(deployment.read(deployment.enriched)) == 10


def test_a_topic_made_smaller_while_the_worker_runs(deploy, kafka):
    deployment = deploy(partitions=1)
    deployment.create_topics()
    worker = deployment.worker().start()
    generator = Generator(seed=14, questions=10)
    deployment.publish(questions(generator, 10))
    deployment.wait_until_drained()
    configure(kafka, deployment.enriched, **{"max.message.bytes": "30000"})
    big = b'{"id":"big","title":"t","body":"%s"}' % (b"x" * 60_000)
    deployment.publish([*questions(generator, 5), (oracle.QUESTIONS, b"big", big, []), *questions(generator, 5)])
    deployment.wait_until_drained(60)
    assert worker.terminate() == 0, worker.log_end()
    letters = deployment.read(deployment.dead_letters)
    assert [letter.key for letter in letters] == [b"big"]
    assert len(deployment.read(deployment.enriched)) == 20


# --- Refused by the proxy, as a broker would -------------------------------------------------------------------


def code(letter):
    return dict(letter.headers)["rejoinder.error.code"]


@pytest.mark.parametrize("delivery", ["exactly-once", "at-least-once"])
@pytest.mark.parametrize("error", [MESSAGE_TOO_LARGE, INVALID_TIMESTAMP, INVALID_RECORD])
def test_one_event_that_is_refused_holds_back_no_other(deploy, link, delivery, error):
    deployment = deploy(partitions=2)
    deployment.create_topics()
    generator = Generator(seed=15, questions=40)
    deployment.publish(traffic(generator, 50, 50))
    refusal = link.add(Refusal(deployment.enriched, error, holding=b"refuse me"))
    bad = [(oracle.QUESTIONS, b"bad-%d" % n, b'{"id":"bad-%d","title":"refuse me"}' % n, []) for n in range(3)]
    deployment.publish([*questions(generator, 30), *bad[:2], *questions(generator, 30), bad[2], *questions(generator, 30)])
    worker = behind(link, deployment, delivery=delivery).start()
    deployment.wait_until_drained(60)
    assert worker.terminate() == 0, worker.log_end()
    deployment.wait_until_settled()
    assert refusal.refused
    letters = [letter for letter in deployment.read(deployment.dead_letters) if code(letter) == b"refused"]
    published = deployment.read(deployment.enriched)
    assert {letter.key for letter in letters} == {key for _, key, _, _ in bad}
    wanted = [r for r in deployment.records if r.topic == deployment.topics[oracle.QUESTIONS] and not r.key.startswith(b"bad-")]
    assert {(r.key, r.timestamp) for r in published} == {(r.key, r.timestamp) for r in wanted}
    if delivery == "exactly-once":
        assert (len(letters), len(published)) == (len(bad), len(wanted))


@pytest.mark.parametrize("delivery", ["exactly-once", "at-least-once"])
def test_a_changed_record_that_is_refused_holds_back_no_other(deploy, link, delivery):
    deployment = deploy(partitions=1)
    deployment.create_topics()
    names = [f"q{n}" for n in range(30)]
    deployment.publish(question(name) for name in names)
    worker = behind(link, deployment, delivery=delivery, **changes()).start()
    deployment.wait_until_drained(60)
    refusal = link.add(Refusal(deployment.enriched, INVALID_RECORD, holding=b"refuse me"))
    bad = ["q7", "q21"]
    deployment.publish(answer("a", name, "refuse me" if name in bad else "So.") for name in names)
    deployment.wait_until_drained(60)
    assert refusal.refused
    # Said once: the next change is not tried.
    before = refusal.refused
    deployment.publish(vote(1, "u", "a", name) for name in names)
    deployment.wait_until_drained(60)
    # Shown without the refused change, the question is published again with its own event.
    # Nothing says which of two topics is read first.
    deployment.publish([answer("a", "q7", "Better.")])
    deployment.wait_until_drained(60)
    deployment.publish([question("q7", "Now?")])
    wait_for_window(deployment)
    assert worker.terminate() == 0, worker.log_end()
    deployment.wait_until_settled()
    letters = [letter for letter in deployment.read(deployment.dead_letters) if code(letter) == b"refused"]
    assert {letter.key for letter in letters} == {name.encode() for name in bad}
    assert all(letter.value.startswith(b'{"id": "q') for letter in letters)
    if delivery == "exactly-once":
        assert len(letters) == len(bad) and refusal.refused == before
    for name in names:
        came = records_of(deployment, name)
        if name == "q21":
            assert len(came) == 1
        else:
            assert b'"voteLabel":"+2"' in came[-1].value, name
    assert b"Better." in records_of(deployment, "q7")[-1].value


def test_a_refused_tombstone_is_a_dead_letter_too(deploy, link):
    deployment = deploy(partitions=1)
    deployment.create_topics()
    generator = Generator(seed=16, questions=10)
    link.add(Refusal(deployment.enriched, INVALID_RECORD, holding=b"gone-for-good"))
    deployment.publish([*questions(generator, 10), (oracle.QUESTIONS, b"gone-for-good", None, []), *questions(generator, 10)])
    worker = behind(link, deployment).start()
    deployment.wait_until_drained(60)
    assert worker.terminate() == 0, worker.log_end()
    (letter,) = [letter for letter in deployment.read(deployment.dead_letters) if code(letter) == b"refused"]
    assert (letter.key, letter.value) == (b"gone-for-good", None)
    assert len(deployment.read(deployment.enriched)) == 20


def test_what_a_broker_refuses_of_all_records_ends_the_worker_with_a_sentence(deploy, link):
    """Rights that are missing are no fault of a record: nothing is set aside, and nothing is passed."""
    deployment = deploy(partitions=1)
    deployment.create_topics()
    link.add(Refusal(deployment.enriched, TOPIC_AUTHORIZATION_FAILED))
    deployment.publish(questions(Generator(seed=17, questions=10), 10))
    worker = behind(link, deployment).start()
    assert worker.wait(60) == 78, worker.log_end()
    assert deployment.enriched in worker.log_end()
    assert deployment.read(deployment.dead_letters) == []
    assert not deployment.cluster.committed(deployment.group, deployment.topics[oracle.QUESTIONS], 1).get(0)
