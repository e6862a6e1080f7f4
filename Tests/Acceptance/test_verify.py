"""`rejoinder verify`: a worker's output is proved right, and damage done to it on purpose is found."""

import re
from dataclasses import replace

import oracle
import pytest
from cluster import CLIENT
from confluent_kafka import Producer
from generator import Generator
from test_worker import questions, traffic
from worker import command


FAULTS = ("missing", "doubled", "wrong", "out-of-order", "stale")


def run(deployment, *arguments, enriched=None):
    """verify with the deployment's configuration, on another output topic if one is named."""
    configuration = deployment.workers[0].configuration_path
    env = {"REJOINDER_TOPICS_ENRICHED": enriched} if enriched else None
    return command("verify", "--config", configuration, *arguments, env=env, timeout=120)


def counts(output):
    """How many of each fault the last sentence tells."""
    return {fault: int(number) for number, fault in re.findall(r"(\d+) (missing|doubled|wrong|out-of-order|stale)", output)}


@pytest.fixture
def published(deploy):
    """A deployment whose worker has worked on changing tables and questions in turn, and its output."""
    deployment = deploy()
    deployment.create_topics()
    generator = Generator(seed=60, questions=60)
    worker = deployment.worker().start()
    for _ in range(4):
        deployment.publish(traffic(generator, 100, 200))
        deployment.publish(questions(generator, 80))
        deployment.wait_until_drained()
    assert worker.terminate() == 0
    return deployment


def copy(deployment, records, damage):
    """Publishes the records, damaged, to a topic of their own."""
    topic = f"{deployment.enriched}.{damage}"
    deployment.cluster.create_topics({topic: deployment.partitions})
    producer = Producer({"bootstrap.servers": deployment.cluster.bootstrap_servers, **CLIENT})
    for record in records:
        producer.produce(
            topic, record.value, record.key, record.partition, timestamp=record.timestamp or 0, headers=record.headers
        )
    assert producer.flush(30) == 0
    return topic


def run_on(deployment, records, name):
    """Verifies these records in place of the published ones."""
    topic = copy(deployment, records, name)
    try:
        return run(deployment, "--from", "beginning", enriched=topic)
    finally:
        deployment.cluster.delete([topic], [])


def test_what_a_worker_publishes_is_right(published, tmp_path):
    result = run(published, "--from", "beginning", "--junit", tmp_path / "report.xml")
    assert result.returncode == 0, result.stdout + result.stderr
    assert set(counts(result.stdout.decode()).values()) == {0}
    events = sum(1 for record in published.records if published.kinds[record.topic] == oracle.QUESTIONS)
    assert f"{events} events" in result.stdout.decode()
    assert 'failures="0"' in (tmp_path / "report.xml").read_text("utf-8")
    # The header stands behind the event's own, and the rest of the record is as ever.
    for record in published.read(published.enriched):
        assert [name for name, _ in record.headers].count("rejoinder.from") == 1
        assert record.headers[-1][0] == "rejoinder.from"


@pytest.mark.parametrize(
    ("damage", "fault"),
    [("dropped", "missing"), ("doubled", "doubled"), ("swapped", "out-of-order"), ("byte", "wrong"), ("stale", "wrong")],
)
def test_damage_is_found(published, damage, fault):
    records = published.read(published.enriched)
    place = len(records) // 2
    record = records[place]
    if damage == "dropped":
        del records[place]
    elif damage == "doubled":
        records.insert(place, record)
    elif damage == "swapped":
        while not any(later.partition == records[place].partition for later in records[place + 1 :]):
            place -= 1
        record = records[place]
        other = next(i for i in range(place + 1, len(records)) if records[i].partition == record.partition)
        records[place], records[other] = records[other], records[place]
    elif damage == "byte":
        middle = len(record.value) // 2
        records[place] = replace(record, value=record.value[:middle] + b"~" + record.value[middle + 1 :])
    else:
        # As an enrichment from a half-loaded table would be: valid, and without an answer.
        def without_answers(value):
            return re.sub(rb'"answers":\[.*\],"answerCount":\d+', b'"answers":[],"answerCount":0', value or b"")

        place = next(i for i, r in enumerate(records) if without_answers(r.value) != (r.value or b""))
        records[place] = replace(records[place], value=without_answers(records[place].value))
    result = run_on(published, records, damage)
    assert result.returncode == 1, result.stdout + result.stderr
    assert counts(result.stdout.decode()) == {name: int(name == fault) for name in FAULTS}


def test_damage_is_found_where_records_follow_changes(deploy):
    """Each event has records that were made much later than the next event's."""
    deployment = deploy(partitions=1)
    deployment.create_topics()
    worker = deployment.worker(publish={"on": "changes", "coalesceMs": 0}).start()
    ids = [f"q{number}" for number in range(60)]
    deployment.publish([(oracle.QUESTIONS, i.encode(), b'{"id":"%s","title":"Why?"}' % i.encode(), []) for i in ids])
    for turn in range(3):
        answers = [b'{"id":"%d","questionId":"%s"}' % (turn, i.encode()) for i in ids]
        deployment.publish([(oracle.ANSWERS, i.encode(), value, []) for i, value in zip(ids, answers, strict=True)])
        deployment.wait_until_drained()
    assert worker.terminate() == 0, worker.log_end()
    result = run(deployment, "--from", "beginning")
    assert result.returncode == 0, result.stdout + result.stderr
    assert b"not there any more" not in result.stdout, result.stdout
    records = deployment.read(deployment.enriched)
    records[-1] = replace(records[-1], value=records[-1].value.replace(b"Why?", b"Why!"))
    result = run_on(deployment, records, "changed")
    assert result.returncode == 1, result.stdout + result.stderr
    assert counts(result.stdout.decode())["wrong"] == 1


def test_a_last_record_that_lacks_a_change_is_found(deploy):
    deployment = deploy()
    deployment.create_topics()
    generator = Generator(seed=61, questions=40)
    worker = deployment.worker(publish={"on": "changes", "coalesceMs": 50}).start()
    deployment.publish(traffic(generator, 100, 200))
    deployment.publish(questions(generator, 80))
    deployment.wait_until_drained()
    for _ in range(3):
        deployment.publish(traffic(generator, 50, 100))
        deployment.wait_until_drained()
    assert worker.terminate() == 0
    result = run(deployment, "--from", "beginning")
    assert result.returncode == 0, result.stdout + result.stderr
    assert set(counts(result.stdout.decode()).values()) == {0}

    def event_of(record):
        return dict(record.headers)["rejoinder.from"].split()[:2]

    records = deployment.read(deployment.enriched)
    latest = {record.key: place for place, record in enumerate(records)}
    # One that a change has caused, and before which another stands for the same event.
    place = next(
        place
        for key, place in latest.items()
        if "rejoinder.cause" in dict(records[place].headers)
        and any(r.key == key and event_of(r) == event_of(records[place]) for r in records[:place])
    )
    key = records[place].key.decode()
    del records[place]
    result = run_on(deployment, records, "stale")
    assert result.returncode == 1, result.stdout + result.stderr
    assert counts(result.stdout.decode()) == {name: int(name == "stale") for name in FAULTS}
    assert f"question {key}: stale" in result.stdout.decode()
