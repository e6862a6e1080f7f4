"""`publish.on: changes`: after rest every question's last record is its current state, after any disturbance."""

import json
import random
import shutil
import time

import live
import oracle
import pytest
from generator import Generator
from test_faults import QUICK_SESSION, Background, mixed
from test_worker import MODES, questions, traffic
from worker import command


def changes(coalesce=200):
    return {"publish": {"on": "changes", "coalesceMs": coalesce}}


def question(identifier, title="Why?", **more):
    return oracle.QUESTIONS, identifier.encode(), json.dumps({"id": identifier, "title": title, **more}).encode(), []


def answer(identifier, to, body="So.", **more):
    value = {"id": identifier, "questionId": to, "body": body, **more}
    return oracle.ANSWERS, to.encode(), json.dumps(value).encode(), []


def vote(value, voter, identifier, to):
    value = {"questionId": to, "answerId": identifier, "voterId": voter, "value": value, "castAt": "2025-01-01T00:00:00Z"}
    return oracle.VOTES, to.encode(), json.dumps(value).encode(), []


def erasure(kind, key):
    return kind, key.encode(), None, []


def wait_for_window(deployment, coalesce=200):
    """Until everything that was published is seen, and the window over."""
    deployment.wait_until_drained()
    time.sleep(2 * coalesce / 1000)


def records_of(deployment, key):
    return live.by_question(deployment.read(deployment.enriched))[key.encode()]


@pytest.mark.parametrize(("delivery", "coalesce"), [("exactly-once", 200), ("exactly-once", 0), ("at-least-once", 100)])
def test_the_last_record_is_current(deploy, scale, delivery, coalesce):
    deployment = deploy()
    deployment.create_topics()
    generator = Generator(seed=130, questions=int(200 * scale))
    # Some of it is there before the worker.
    deployment.publish(traffic(generator, int(200 * scale), int(500 * scale)))
    deployment.publish(questions(generator, int(300 * scale)))
    worker = deployment.worker(delivery=delivery, **changes(coalesce)).start()
    more = list(mixed(traffic(generator, int(600 * scale), int(2_000 * scale)), oracle.VOTES, generator, every=50))
    more += questions(generator, int(200 * scale))
    generator.random.shuffle(more)
    with Background(deployment, more, seconds=5):
        pass
    deployment.wait_until_drained()
    assert worker.terminate() == 0, worker.log_end()
    live.verify(deployment)


@pytest.mark.parametrize(("static", "kills"), [(True, 8), (False, 3)])
def test_kills(deploy, scale, static, kills):
    deployment = deploy()
    deployment.create_topics()
    generator = Generator(seed=131, questions=200)
    deployment.publish(questions(generator, 400))
    worker = deployment.worker(staticMembership=static, properties=QUICK_SESSION, **changes(300))
    chance = random.Random(132)
    more = list(mixed(traffic(generator, 400 * kills, 1_000 * kills), oracle.ANSWERS, generator, every=40))
    more += questions(generator, 100 * kills)
    generator.random.shuffle(more)
    with Background(deployment, more, seconds=(2 if static else 9) * kills):
        for number in range(kills):
            worker.start()
            time.sleep(chance.uniform(0.8, 2.5) if static else 8)
            worker.check()
            deployment.kill(worker)
            if number % 4 == 3:
                shutil.rmtree(worker.state / "partitions")
        worker.start()
    deployment.wait_until_drained(90)
    assert worker.terminate() == 0
    live.verify(deployment, is_undisturbed=False)
    letters = [tuple(r.headers) for r in deployment.read(deployment.dead_letters)]
    assert len(letters) == len(set(letters)), "a dead letter is doubled"


@pytest.mark.parametrize(("answers", "votes"), [(20_000, 1), (1, 20_000)])
def test_a_vote_is_published_that_a_restore_meets_before_its_answer(deploy, answers, votes):
    """A lost store is filled again from both tables at once, and one may be far behind the other: on Kafka, that is.
    The broker that the tests start answers each fetch with all that it has."""
    deployment = deploy(partitions=1)
    deployment.create_topics()
    deployment.publish([question(f"q{n}") for n in range(100)])
    deployment.publish(answer(f"a{n}", f"q{n % 100}", "So. " * 50) for n in range(answers))
    worker = deployment.worker(properties={"fetch.message.max.bytes": 20_000}, **changes()).start()
    wait_for_window(deployment)
    assert worker.terminate() == 0, worker.log_end()
    shutil.rmtree(worker.state / "partitions")
    # For the answer that comes last.
    deployment.publish([vote(1, f"u{n}", f"a{answers - 1}", f"q{(answers - 1) % 100}") for n in range(votes)])
    worker.start()
    wait_for_window(deployment)
    assert worker.terminate() == 0, worker.log_end()
    live.verify(deployment)


def test_workers_come_and_go(deploy):
    deployment = deploy()
    deployment.create_topics()
    generator = Generator(seed=133, questions=200)
    deployment.publish(questions(generator, 400))
    properties = QUICK_SESSION | deployment.cluster.group_properties
    first = deployment.worker("w1", properties, **changes(300)).start()
    second = deployment.worker("w2", properties, **changes(300))
    more = list(traffic(generator, 2_000, 5_000))
    with Background(deployment, more, seconds=25):
        time.sleep(4)
        second.start()
        time.sleep(8)
        assert first.terminate() == 0
        time.sleep(6)
        first.start()
        time.sleep(4)
    deployment.wait_until_drained(90)
    for worker in (first, second):
        assert worker.terminate() == 0
    live.verify(deployment, is_undisturbed=False)


def test_only_what_is_seen_is_published(deploy):
    deployment = deploy(partitions=1)
    deployment.create_topics()
    deployment.publish([question(f"q{n}") for n in range(50)])
    deployment.publish([answer("a", f"q{n}") for n in range(50)])
    worker = deployment.worker(**changes()).start()
    wait_for_window(deployment)
    before = len(deployment.read(deployment.enriched))
    # A CDC snapshot repeats every row; votes that come to nothing; votes for answers that are not shown.
    deployment.publish([answer("a", f"q{n}") for n in range(50)])
    deployment.publish([vote(0, "u", "a", f"q{n}") for n in range(50)])
    deployment.publish([vote(1, "u", "lost", f"q{n}") for n in range(50)])
    deployment.publish([vote(1, "u", "a", "never asked"), answer("a", "never asked")])
    for n in range(50):
        deployment.publish([vote(1, "v", "a", f"q{n}"), vote(0, "v", "a", f"q{n}")])
    wait_for_window(deployment)
    came = deployment.read(deployment.enriched)
    # Where a window ended between vote and retraction there are two.
    assert (len(came) - before) % 2 == 0 and len(came) - before <= 4
    deployment.publish([vote(1, "v", "a", "q7")])
    wait_for_window(deployment)
    assert live.cause(records_of(deployment, "q7")[-1]) == b"votes"
    deployment.publish([answer("b", "q7", "Or so.")])
    wait_for_window(deployment)
    assert live.cause(records_of(deployment, "q7")[-1]) == b"answers"
    assert worker.terminate() == 0
    live.verify(deployment)


def test_a_hot_question_is_published_once_a_window(deploy):
    deployment = deploy(partitions=1)
    deployment.create_topics()
    deployment.publish([question("q"), answer("a", "q")])
    worker = deployment.worker(**changes(500)).start()
    deployment.wait_until_drained()
    began = time.monotonic()
    for number in range(40):
        deployment.publish([vote(1, f"u{number}-{n}", "a", "q") for n in range(250)])
        time.sleep(0.05)
    seconds = time.monotonic() - began
    wait_for_window(deployment, 500)
    assert worker.terminate() == 0
    came = live.verify(deployment)[b"q"]
    assert 2 <= len(came) <= seconds / 0.5 + 3, f"{len(came)} records in {seconds} s"


def test_more_questions_wait_than_memory_holds(deploy, scale):
    deployment = deploy(partitions=1)
    deployment.create_topics()
    count = int(12_000 * scale)
    deployment.publish(question(f"q{n}") for n in range(count))
    worker = deployment.worker(memoryBudgetMiB=64, **changes(2_000)).start()
    deployment.wait_until_drained()
    deployment.publish(answer("a", f"q{n}") for n in range(count))
    deployment.publish(vote(1, "u", "a", f"q{n}") for n in range(0, count, 3))
    deployment.wait_until_drained(120)
    assert worker.terminate() == 0, worker.log_end()
    # Changes that did not fit are read again, and published whether or not they were published with a later change.
    came = live.verify(deployment, is_undisturbed=False)
    assert sum(len(records) for records in came.values()) < 5 * count


def test_what_happens_to_a_question(deploy):
    deployment = deploy(partitions=1)
    deployment.create_topics()
    worker = deployment.worker(**changes(300)).start()
    steps = [
        [question("q", title="First"), answer("a", "q"), vote(1, "u", "a", "q")],
        [answer("a", "q", withdrawn=True)],
        [vote(1, "w", "a", "q")],
        [answer("a", "q")],
        [erasure(oracle.VOTES, "q")],
        [erasure(oracle.ANSWERS, "q")],
        # Deleted with changes waiting: nothing may come behind the deletion.
        [answer("b", "q"), erasure(oracle.QUESTIONS, "q")],
        [vote(1, "u", "b", "q")],
        [question("q", title="Back")],
        [answer("b", "q", "Better.")],
    ]
    for step in steps:
        deployment.publish(step)
        wait_for_window(deployment, 300)
    assert worker.terminate() == 0
    came = live.verify(deployment)[b"q"]
    deleted = [n for n, record in enumerate(came) if record.value is None]
    assert len(deleted) == 1 and live.cause(came[deleted[0] + 1]) is None
    assert b'"voteLabel":"+3"' in b"".join(r.value or b"" for r in came)


def test_too_large(deploy):
    deployment = deploy(partitions=1)
    deployment.create_topics()
    limit = 2_000
    worker = deployment.worker(maxRecordBytes=limit, staticMembership=True, properties=QUICK_SESSION, **changes()).start()
    # Its answers' number does not fit any more beside the question.
    long = "x" * (limit - 76)
    deployment.publish([question("q", title=long)])
    wait_for_window(deployment)
    shown = records_of(deployment, "q")
    assert len(shown) == 1, deployment.read(deployment.dead_letters)
    for n in range(3):
        deployment.publish([answer(f"a{n}", "q", "y" * 300)])
        wait_for_window(deployment)
    letters = deployment.read(deployment.dead_letters)
    assert [dict(r.headers)["rejoinder.error.code"] for r in letters] == [b"too-large"]
    assert letters[0].value == deployment.records[0].value
    assert len(records_of(deployment, "q")) == 1
    # A store that was lost does not know of the letter, but finds that the question was too large before.
    deployment.kill(worker)
    shutil.rmtree(worker.state / "partitions")
    worker.start()
    deadline = time.monotonic() + 30
    while [line["message"] for line in worker.log()].count("partition caught up") < 2:
        assert time.monotonic() < deadline, worker.log_end()
        time.sleep(0.1)
    deployment.publish([answer("a4", "q", "y" * 300)])
    wait_for_window(deployment)
    assert len(deployment.read(deployment.dead_letters)) == 1
    # Omission: changes of omitted answers are not seen.
    deployment.publish([question("r"), *(answer(f"a{n}", "r", "y" * 300) for n in range(9))])
    wait_for_window(deployment)
    before = len(records_of(deployment, "r"))
    deployment.publish([answer("a8", "r", "z" * 300)])
    wait_for_window(deployment)
    deployment.publish([answer("a8", "r", "w" * 300)])
    wait_for_window(deployment)
    assert len(records_of(deployment, "r")) == before
    deployment.publish([vote(1, "u", "a8", "r")])
    wait_for_window(deployment)
    assert worker.terminate() == 0
    live.verify(deployment, limit, is_undisturbed=False)
    # The dead letter is a change's, of a question that was published rightly.
    proof = command("verify", "--config", worker.configuration_path, "--from", "beginning")
    assert proof.returncode == 0, proof.stdout + proof.stderr


def test_a_question_with_ten_thousand_answers(deploy):
    deployment = deploy(partitions=1)
    deployment.create_topics()
    limit = 300_000  # not all fit
    worker = deployment.worker(maxRecordBytes=limit, **changes()).start()
    deployment.publish([question("q")])
    deployment.publish(answer(f"a{n}", "q", f"So, {n} times.") for n in range(10_000))
    deployment.publish(vote(1, f"u{n}", f"a{n % 10_000}", "q") for n in range(0, 20_000, 7))
    wait_for_window(deployment)
    # One of those that were left out comes to the top, and one that was shown goes.
    deployment.publish([vote(1, f"v{n}", "a5001", "q") for n in range(5)] + [erasure(oracle.VOTES, "q")])
    wait_for_window(deployment)
    deployment.publish([vote(1, "w", "a9998", "q")])
    wait_for_window(deployment)
    assert worker.terminate() == 0
    live.verify(deployment, limit)


def test_a_replay_ends_as_a_live_worker_does(deploy, tmp_path):
    """Windows fall elsewhere in a replay, but keys and values of the last records are the same."""
    deployment = deploy()
    deployment.create_topics()
    generator = Generator(seed=137, questions=60)
    worker = deployment.worker(**changes(50)).start()
    for _ in range(3):
        deployment.publish(mixed(traffic(generator, 60, 150), oracle.ANSWERS, generator, every=30))
        deployment.publish(questions(generator, 60))
        deployment.publish(traffic(generator, 60, 150))
        wait_for_window(deployment, 50)
    assert worker.terminate() == 0
    live.verify(deployment)
    recording, output = tmp_path / "site.jsonl.zst", tmp_path / "output.jsonl"
    for arguments in (["record", "-o", recording], ["replay", recording, "--publish-on", "changes", "--final", "-o", output]):
        result = command(*arguments, "--config", worker.configuration_path)
        assert result.returncode == 0, result.stderr.decode()
    replayed = [json.loads(line) for line in output.read_bytes().split(b"\n") if line]
    replayed = {r["key"].encode(): (r["payload"] or "").encode() for r in replayed if r.get("topic") == deployment.enriched}
    lived = {key: records[-1].value or b"" for key, records in live.by_question(deployment.read(deployment.enriched)).items()}
    assert len(lived) > 40
    assert replayed == lived


@pytest.mark.parametrize("delivery", MODES)
def test_the_mode_is_switched(deploy, delivery):
    deployment = deploy()
    deployment.create_topics()
    generator = Generator(seed=134, questions=100)
    plain = deployment.worker("w", delivery=delivery)
    deployment.publish(questions(generator, 200))
    deployment.publish(traffic(generator, 300, 600))
    plain.start()
    deployment.wait_until_drained()
    assert plain.terminate() == 0
    deployment.publish(mixed(traffic(generator, 300, 600), oracle.VOTES, generator, every=50))
    following = deployment.worker("w", delivery=delivery, **changes())
    following.start()
    deployment.wait_until_drained()
    # The questions that changed since, and those alone.
    deployment.publish(traffic(generator, 300, 600))
    wait_for_window(deployment)
    assert following.terminate() == 0
    before = len(deployment.read(deployment.enriched))
    plain = deployment.worker("w", delivery=delivery).start()
    deployment.publish(traffic(generator, 100, 200))
    deployment.wait_until_drained()
    assert plain.terminate() == 0
    assert len(deployment.read(deployment.enriched)) == before
    deployment.publish(questions(generator, 50))
    following = deployment.worker("w", delivery=delivery, **changes()).start()
    # Every question once more, so that all are current whenever the mode was off.
    deployment.publish((oracle.QUESTIONS, i.encode(), json.dumps({"id": i, "title": "t"}).encode(), []) for i in generator.ids)
    deployment.wait_until_drained()
    assert following.terminate() == 0
    live.verify(deployment)
    letters = [tuple(r.headers) for r in deployment.read(deployment.dead_letters)]
    assert len(letters) == len(set(letters)), "a dead letter is doubled"
