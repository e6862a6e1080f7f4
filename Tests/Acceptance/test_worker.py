"""The worker against a broker: the output is the contract's, for any input."""

import itertools
import json
import random
import shutil
import subprocess

import compare
import oddities
import oracle
import pytest
import test_oracle
from cluster import CLIENT
from generator import Generator
from oracle import DeadLetter, Enriched

MODES = ("exactly-once", "at-least-once")


def traffic(generator, answers, votes):
    """Answers and votes as they mix in life."""
    for number in range(max(answers, votes)):
        if number < votes:
            yield oracle.VOTES, *generator.vote(), generator.headers()
        if number < answers:
            yield oracle.ANSWERS, *generator.answer(), generator.headers()


def questions(generator, count):
    for _ in range(count):
        yield oracle.QUESTIONS, *generator.question(), generator.headers()


def verify(deployment, limit=None, value_omitted=()):
    deployment.wait_until_settled()
    expected = deployment.expected(limit)
    enriched = deployment.read(deployment.enriched)
    compare.enriched_exactly_once(expected, enriched)
    compare.dead_letters(expected, deployment.read(deployment.dead_letters), value_omitted=value_omitted)
    return enriched


@pytest.mark.parametrize(("delivery", "lanes"), [("exactly-once", 1), ("exactly-once", 3), ("at-least-once", 1)])
def test_every_record_is_what_the_oracle_says(deploy, scale, delivery, lanes):
    deployment = deploy()
    deployment.create_topics()
    generator = Generator(seed=20, questions=int(300 * scale))
    deployment.publish(traffic(generator, int(1_000 * scale), int(3_000 * scale)))
    deployment.publish(questions(generator, int(2_000 * scale)))
    worker = deployment.worker(delivery=delivery, lanes=lanes).start()
    # Half of the questions are there before the worker, half come while it works.
    deployment.publish(questions(generator, int(2_000 * scale)))
    deployment.wait_until_drained(120 * max(1, scale))
    assert worker.terminate() == 0, worker.log_end()
    verify(deployment)
    assert all(isinstance(line, dict) for line in worker.log())


def test_another_partition_count_of_the_output(deploy):
    deployment = deploy(partitions=3, output_partitions=5)
    deployment.create_topics()
    generator = Generator(seed=21)
    deployment.publish(traffic(generator, 200, 500))
    worker = deployment.worker().start()
    deployment.publish(questions(generator, 500))
    deployment.wait_until_drained()
    assert worker.terminate() == 0
    verify(deployment)


@pytest.mark.parametrize("delivery", MODES)
def test_malformed_records_become_dead_letters(deploy, delivery):
    deployment = deploy()
    deployment.create_topics()
    generator = Generator(seed=22, questions=40)

    def between(records, kind):
        """The records with malformed ones of the kind strewn in, as long as there are any."""
        malformed = ((kind, key, value, generator.headers()) for key, value, _ in oddities.malformed(kind))
        for record in records:
            yield record
            yield from itertools.islice(malformed, 1)
        yield from malformed

    # A question that the malformed records name, with answers and votes that they must not touch.
    deployment.publish(
        [
            (oracle.ANSWERS, b"q-odd", b'{"id":"a-odd","questionId":"q-odd"}', []),
            (oracle.VOTES, b"q-odd", oddities._dump(oddities._sound(oracle.VOTES, "q-odd")), []),
        ]
    )
    deployment.publish(between(traffic(generator, 150, 150), oracle.ANSWERS))
    deployment.publish(between(traffic(generator, 150, 150), oracle.VOTES))
    worker = deployment.worker(delivery=delivery).start()
    deployment.publish(between(questions(generator, 150), oracle.QUESTIONS))
    deployment.publish([(oracle.QUESTIONS, b"q-odd", b'{"id":"q-odd","title":"Untouched?"}', [])])
    deployment.wait_until_drained()
    assert worker.terminate() == 0
    assert sum(isinstance(result, DeadLetter) for result in deployment.expected()) >= 500
    verify(deployment)


def test_damaged_records_are_judged_as_the_oracle_judges(deploy, scale):
    deployment = deploy()
    deployment.create_topics()
    generator = Generator(seed=25, questions=60)
    chance = random.Random(26)

    def damaged(records):
        for kind, key, value, headers in records:
            yield kind, key, value if value is None else oddities.damaged(value, chance), headers

    deployment.publish(damaged(traffic(generator, int(1_500 * scale), int(1_500 * scale))))
    worker = deployment.worker().start()
    deployment.publish(damaged(questions(generator, int(1_500 * scale))))
    deployment.wait_until_drained()
    assert worker.terminate() == 0
    kept = sum(isinstance(result, Enriched) for result in deployment.expected())
    assert 150 * scale < kept < 1_350 * scale
    verify(deployment)


def test_odd_but_valid_records_are_carried_through(deploy):
    deployment = deploy()
    deployment.create_topics()
    records = [(*record, []) for record in oddities.odd_records()]
    deployment.publish(record for record in records if record[0] != oracle.QUESTIONS)
    worker = deployment.worker().start()
    deployment.publish(record for record in records if record[0] == oracle.QUESTIONS)
    deployment.wait_until_drained()
    assert worker.terminate() == 0
    expected = deployment.expected()
    assert all(isinstance(result, Enriched) for result in expected)
    verify(deployment)


def test_large_records(deploy):
    limit = 950_000
    deployment = deploy(partitions=2)
    deployment.create_topics()
    long_id = "ø" * 100
    answers = [
        (oracle.ANSWERS, key.encode(), oddities._dump({"id": f"{number:04}" + "a" * 196, "questionId": key, "body": "é" * 2_400}), [])
        for number in range(1_000)
        for key in ("q-many", long_id)
    ]
    votes = [
        (oracle.VOTES, b"q-many", oddities._dump({"questionId": "q-many", "answerId": f"{number:04}" + "a" * 196, "voterId": "v" * 200,
                                                   "value": 1, "castAt": oddities.MOMENT}), [])
        for number in range(0, 1_000, 7)
    ]  # fmt: skip
    deployment.publish(answers + votes)

    def question(key, length):
        value = oddities._dump({"id": key, "title": "Long?", "body": ""})
        return oracle.QUESTIONS, key.encode(), value[:-2] + b"." * (length - len(value)) + value[-2:], []

    worker = deployment.worker(maxRecordBytes=limit).start()
    deployment.publish(
        [
            question("q-many", 200),
            question(long_id, 400),
            question("q-many", 900_000),
            question("q-many", limit - 200),
            question("q-alone", limit - 100),
            question("q-alone", limit - len('{"question":,"answers":[],"answerCount":0}')),
            question("q-alone", limit - len('{"question":,"answers":[],"answerCount":0}') + 1),
            question("q-alone", 998_000),
            # With its headers this one is larger than the largest record that the worker may publish.
            question("q-alone", 1_000_200),
            question("q-alone", 100),
        ]
    )
    deployment.wait_until_drained()
    assert worker.terminate() == 0
    results = deployment.expected(limit)
    assert sorted(r.code for r in results if isinstance(r, DeadLetter)) == ["too-large"] * 3
    omitted = [r.source for r in results if isinstance(r, DeadLetter) and len(r.source.value) > 1_000_000]
    verify(deployment, limit, {(r.topic, r.partition, r.offset) for r in omitted})
    documents = [json.loads(r.value) for r in results if isinstance(r, Enriched)]
    assert any(0 < d.get("answersOmitted", 0) < d["answerCount"] for d in documents)


def test_the_default_limit_keeps_records_publishable(deploy):
    deployment = deploy(partitions=1)
    deployment.create_topics()
    answer = {"questionId": "q", "body": "." * 5_000}
    deployment.publish((oracle.ANSWERS, b"q", oddities._dump({"id": f"a-{n}"} | answer), []) for n in range(400))
    worker = deployment.worker().start()
    headers = [("long", b"h" * 3_000)]
    deployment.publish([(oracle.QUESTIONS, b"q", b'{"id":"q","title":"Many?"}', h) for h in ([], headers)])
    deployment.wait_until_drained()
    assert worker.terminate() == 0
    records = deployment.read(deployment.enriched)
    assert len(records) == 2
    for record in records:
        # Just under the producer's default message.max.bytes: not one answer fewer than needed for a round number.
        assert 980_000 < len(record.value) < 1_000_000
        document = json.loads(record.value)
        assert (document["answerCount"], len(document["answers"]) + document["answersOmitted"]) == (400, 400)
    assert deployment.read(deployment.dead_letters) == []


def test_a_later_answer_shows_in_the_next_event(deploy):
    deployment = deploy(partitions=2)
    deployment.create_topics()
    worker = deployment.worker().start()
    question = (oracle.QUESTIONS, b"q", b'{"id":"q","title":"Now?"}', [])
    expected = []
    for number in range(4):
        deployment.publish([question])
        deployment.wait_until_drained()
        # The oracle sees the tables as they are now, so its result for the last event holds for now.
        expected.append([r for r in deployment.expected() if isinstance(r, Enriched)][-1])
        deployment.publish(
            [
                (oracle.VOTES, b"q", oddities._dump({"questionId": "q", "answerId": "a-0", "voterId": f"u-{number}", "value": 1,
                                                     "castAt": oddities.MOMENT}), []),
                (oracle.ANSWERS, b"q", oddities._dump({"id": f"a-{number}", "questionId": "q"}), []),
            ]
        )  # fmt: skip
        # Table records are consumed and committed with no question to wait for.
        deployment.wait_until_drained(topics=(oracle.ANSWERS, oracle.VOTES))
    assert worker.terminate() == 0
    compare.enriched_exactly_once(expected, deployment.read(deployment.enriched))


def test_kcat_reads_the_same(deploy):
    kcat = shutil.which("kcat")
    assert kcat, "kcat is missing; scripts/bootstrap test installs it"
    deployment = deploy(partitions=2)
    deployment.create_topics()
    generator = Generator(seed=23, questions=30)
    deployment.publish(traffic(generator, 100, 200))
    worker = deployment.worker().start()
    # kcat prints headers as text, so only those that are text.
    deployment.publish((*record[:3], record[3][:1]) for record in questions(generator, 200))
    deployment.wait_until_drained()
    assert worker.terminate() == 0
    properties = {"isolation.level": "read_committed", **CLIENT}
    output = subprocess.run(
        [kcat, "-q", "-b", deployment.cluster.bootstrap_servers, "-C", "-t", deployment.enriched, "-o", "beginning", "-e", "-J"]
        + [argument for name, value in properties.items() for argument in ("-X", f"{name}={value}")],
        capture_output=True,
        timeout=60,
        check=True,
    ).stdout
    records = [oracle.envelope_record(line) for line in output.splitlines()]
    compare.enriched_exactly_once(deployment.expected(), records)


def test_an_empty_deployment_starts_and_stops(deploy):
    deployment = deploy()
    deployment.create_topics()
    worker = deployment.worker().start()
    deployment.publish([(oracle.QUESTIONS, b"q", None, [])])
    deployment.wait_until_drained()
    assert worker.terminate() == 0
    (record,) = deployment.read(deployment.enriched)
    assert (record.key, record.value) == (b"q", None)


def test_sigterm_commits_and_leaves_the_group(deploy):
    deployment = deploy()
    deployment.create_topics()
    generator = Generator(seed=24)
    deployment.publish(traffic(generator, 200, 500))
    worker = deployment.worker().start()
    deployment.publish(questions(generator, 200))
    deployment.wait_until_drained()
    # In the middle of work, not at rest.
    deployment.publish(questions(generator, 2_000))
    assert worker.terminate(timeout=20) == 0, worker.log_end()
    assert deployment.cluster.members(deployment.group) == []
    worker.start()
    deployment.publish(questions(generator, 50))
    deployment.wait_until_drained()
    assert worker.terminate(timeout=20) == 0
    verify(deployment)


def test_records_of_the_examples(deploy):
    """The recordings in, the golden files out."""
    deployment = deploy(partitions=3)
    deployment.create_topics(dead_letters=3)
    recorded = {kind: test_oracle.recorded(kind) for kind in oracle.KINDS}
    for kind in (oracle.ANSWERS, oracle.VOTES):
        deployment.publish((kind, r.key, r.value, r.headers) for r in recorded[kind])
    # Without it the records are those of a replay, headers included.
    worker = deployment.worker(publish={"fromHeader": False}).start()
    deployment.publish((oracle.QUESTIONS, r.key, r.value, r.headers) for r in recorded[oracle.QUESTIONS])
    deployment.wait_until_drained()
    assert worker.terminate() == 0

    golden = []
    for line in (test_oracle.EXAMPLES / "enriched.golden.jsonl").read_text("utf-8").splitlines():
        envelope = json.loads(line)
        golden.append((envelope["partition"], envelope["key"], envelope["payload"], envelope.get("headers", [])))
    came = sorted(deployment.read(deployment.enriched), key=lambda r: (r.partition, r.offset))
    assert [
        (r.partition, r.key.decode(), r.value and r.value.decode(), [part for n, v in r.headers for part in (n, v.decode())])
        for r in came
    ] == golden
    assert len(deployment.read(deployment.dead_letters)) == 3
