"""Records that a broker refuses, each by itself: one of them holds back no other."""

import time

import oracle
import pytest
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource
from generator import Generator
from test_worker import questions

DAY = 86_400_000


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
