"""The sources against a broker: real change events of a real PostgreSQL, a worker that is killed again and again, and
the tables as SQL reads them at the end."""

import gzip
import hashlib
import json
import time
from pathlib import Path

import oracle
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from murmur2 import partition_of
from worker import command

RECORDING = Path(__file__).parent.parent / "SourcesTests/Resources/debezium.jsonl.gz"
TABLES = ("post", "reply", "vote")


def recording():
    """The change events as (table, key, value), and the tables at the end."""
    lines = [json.loads(line) for line in gzip.decompress(RECORDING.read_bytes()).decode().splitlines()]
    events = [(line["topic"].rpartition(".")[2], line["key"], line["value"]) for line in lines[:-1]]
    # The table without a primary key was truncated, which only a dead letter can say.
    return [event for event in events if event[0] in TABLES], lines[-1]["select"]


def row_of(key):
    """The text that places a record. The recording's second half has keys without Connect's schema, which a running
    site's have not."""
    key = json.loads(key or "null")
    return json.dumps(key.get("payload", key) if isinstance(key, dict) else key).encode()


def mapping(prefix):
    return [
        {
            "topic": f"{prefix}.post", "format": "debezium", "where": {"kind": "question"}, "into": "questions",
            "fields": {"id": "id", "title": "title", "body": "body", "askedAt": "made", "deleted": "gone"},
        },
        {
            "topic": f"{prefix}.post", "format": "debezium", "where": {"kind": "answer"}, "into": "answers",
            "fields": {"id": "id", "questionId": "parent", "body": "body", "answeredAt": "made", "withdrawn": "gone"},
        },
        {
            "topic": f"{prefix}.reply", "format": "debezium", "into": "answers",
            "fields": {
                "id": {"from": ["site", "number"], "join": "/"}, "questionId": "thread", "body": "html",
                "answeredAt": {"from": "at_ms", "as": "millis"}, "withdrawn": "hidden", "voteCount": "score",
            },
        },
        {
            "topic": f"{prefix}.vote", "format": "debezium", "where": {"kind": [2, 3]}, "into": "votes",
            "fields": {"answerId": "post_id", "voterId": "id", "value": {"from": "kind", "map": {2: 1, 3: -1}}, "castAt": "at"},
        },
    ]  # fmt: skip


class Site:
    """The source topics of a deployment, and the state that its input topics lead to."""

    def __init__(self, deployment, partitions=3):
        self.deployment = deployment
        self.partitions = partitions
        self.prefix = f"{deployment.group}.site"
        self.index = f"{deployment.group}.index"
        self.topics = {table: f"{self.prefix}.{table}" for table in TABLES}
        deployment.cluster.create_topics({topic: partitions for topic in self.topics.values()} | {self.index: 2})
        self.ends = {}
        self.producer = Producer({"bootstrap.servers": deployment.cluster.bootstrap_servers, "enable.idempotence": True})

    def worker(self, name="w1", **settings):
        settings.setdefault("sources", mapping(self.prefix))
        topics = self.deployment.topics | {
            "enriched": self.deployment.enriched, "deadLetter": self.deployment.dead_letters, "sourceIndex": self.index,
        }  # fmt: skip
        return self.deployment.worker(name, topics=topics, **settings)

    def publish(self, events):
        for table, key, value in events:
            topic = self.topics[table]
            partition = partition_of(row_of(key), self.partitions)
            self.ends[topic, partition] = self.ends.get((topic, partition), 0) + 1
            self.producer.produce(
                topic, None if value is None else value.encode(), None if key is None else key.encode(), partition)
            self.producer.poll(0)
        assert self.producer.flush(60) == 0

    def kill(self, worker):
        """SIGKILL. Both groups learn of it when the sessions are over."""
        identity = worker.identity
        self.deployment.kill(worker)
        self.deployment.cluster.end_sessions(self.deployment.group + "-sources", identity, worker.session_seconds)

    def behind(self):
        """The partitions whose records are not all worked on, with (committed, end)."""
        behind = {}
        for topic in self.topics.values():
            committed = self.deployment.cluster.committed(self.deployment.group + "-sources", topic, self.partitions)
            for (name, partition), end in self.ends.items():
                if name == topic and (committed.get(partition) or 0) < end:
                    behind[name, partition] = (committed.get(partition) or 0, end)
        return behind

    def worked(self):
        """How many records of the sources are worked on."""
        return sum(self.ends.values()) - sum(end - committed for committed, end in self.behind().values())

    def wait_until(self, holds, timeout=90):
        deadline = time.monotonic() + timeout
        while not holds():
            assert time.monotonic() < deadline, f"(committed, end): {self.behind()}\n" + "\n".join(
                f"--- {worker.name}\n{worker.log_end()}" for worker in self.deployment.workers)
            time.sleep(0.1)

    def wait(self, timeout=90):
        """Until the group of the sources has committed all that was published."""
        self.wait_until(lambda: not self.behind(), timeout)

    def close(self):
        self.deployment.cluster.delete([*self.topics.values(), self.index], [self.deployment.group + "-sources"])

    def state(self):
        """The state of the input topics by the contract's rules: per question its title and answers with body and
        votes."""
        tables = oracle.Tables()
        titles = {}
        for kind in oracle.KINDS:
            for record in self.deployment.read(self.deployment.topics[kind]):
                found = oracle.read(kind, record.key, record.value)
                assert record.partition == partition_of(record.key, self.deployment.partitions)
                if kind == oracle.QUESTIONS:
                    titles[record.key.decode()] = None if record.value is None else json.loads(record.value)["title"]
                elif kind == oracle.ANSWERS:
                    tables.answer(record.key, record.value, found)
                else:
                    tables.vote(record.key, found)
        return {
            question: (title, sorted(self.answer(*ranked) for ranked in tables.ranking(question.encode())))
            for question, title in titles.items() if title is not None
        }

    def comes_to(self, wanted):
        """The tests' broker shows the records of a transaction a moment after it has answered its commit."""
        deadline = time.monotonic() + 10
        while self.state() != wanted and time.monotonic() < deadline:
            time.sleep(0.2)
        assert self.state() == wanted

    @staticmethod
    def answer(votes, value):
        answer = json.loads(value)
        return str(answer["id"]), hashlib.md5(answer["body"].encode()).hexdigest(), votes


def expected(selected):
    return {
        question["id"]: (
            question["title"],
            sorted((a["id"], a["body"], a["votes"]) for a in question["answers"] if not a["id"].startswith("k")),
        )
        for question in selected
    }


@pytest.fixture
def site(deploy):
    deployment = deploy()
    deployment.create_topics()
    site = Site(deployment)
    yield site
    site.close()


def test_a_source_without_records_leaves_no_transaction_open(site):
    """The index's first entry says how entries are placed. It is written before any record comes."""
    worker = site.worker().start()
    # Shown to readers of committed records.
    site.wait_until(lambda: site.deployment.read(site.index), timeout=20)
    assert worker.terminate() == 0, worker.log_end()


@pytest.mark.parametrize("delivery", ["exactly-once", "at-least-once"])
def test_the_tables_are_what_sql_says_whoever_is_killed(site, delivery):
    if delivery == "exactly-once" and site.deployment.cluster.group_properties:
        pytest.skip(
            "on the tests' own broker, in one run of three, readers of committed records stop for ever short of a partition's end "
            "after a kill, though the sources' offsets are committed to their end. A killed producer alone does not bring it about, "
            "and Apache Kafka does not do it; run it there (REJOINDER_TEST_BOOTSTRAP_SERVERS)")
    events, selected = recording()
    worker = site.worker(
        delivery=delivery, commitIntervalMs=20, properties={"session.timeout.ms": 6_000}).start()
    chunk = len(events) // 5 + 1
    for start in range(0, len(events), chunk):
        before = site.worked()
        site.publish(events[start : start + chunk])
        if start + chunk < len(events):
            site.wait_until(lambda: site.worked() > before)
            site.kill(worker)
            worker.start()
    site.wait()
    # And the questions come out enriched.
    site.wait_until(
        lambda: {record.key.decode() for record in site.deployment.read(site.deployment.enriched)}
        >= set(expected(selected)))
    assert worker.terminate() == 0, worker.log_end()
    site.comes_to(expected(selected))
    letters = site.deployment.read(site.deployment.dead_letters)
    assert [dict(letter.headers)["rejoinder.error.code"] for letter in letters] == []


def test_two_workers_share_the_sources_and_hand_over_what_they_know(site):
    events, selected = recording()
    properties = site.deployment.cluster.group_properties
    first = site.worker("w1", properties=properties, sourceLanes=2).start()
    site.publish(events[: len(events) // 2])
    second = site.worker("w2", properties=properties).start()
    site.publish(events[len(events) // 2 : len(events) * 3 // 4])
    time.sleep(2)
    assert first.terminate() == 0, first.log_end()
    site.publish(events[len(events) * 3 // 4 :])
    site.wait(120)
    assert second.terminate() == 0, second.log_end()
    site.comes_to(expected(selected))


def test_what_cannot_be_mapped_is_a_dead_letter_and_the_rest_goes_on(site):
    worker = site.worker().start()
    row = {"id": 1, "kind": "answer", "parent": 7, "body": "b", "made": "2025-01-01T00:00:00Z", "gone": False}
    bad = [
        ("post", '{"id":1}', "{"),
        ("post", '{"id":1}', json.dumps({"op": "t", "before": None, "after": None})),
        ("post", '{"id":1}', json.dumps({"op": "c", "before": None, "after": row | {"parent": None}})),
        ("post", '{"id":1}', json.dumps({"op": "c", "before": None, "after": row | {"made": 5}})),
    ]
    good = ("post", '{"id":2}', json.dumps({"op": "c", "before": None, "after": row | {"id": 2}}))
    site.publish([*bad, good])
    site.wait()
    assert worker.terminate() == 0, worker.log_end()
    letters = site.deployment.read(site.deployment.dead_letters)
    assert sorted(letter.value.decode() for letter in letters) == sorted(value for _, _, value in bad)
    for letter in letters:
        headers = dict(letter.headers)
        assert headers["rejoinder.error.code"] == b"source"
        assert headers["rejoinder.source.topic"] == site.topics["post"].encode()
    (answer,) = site.deployment.read(site.deployment.topics["answers"])
    assert json.loads(answer.value) == {"id": 2, "questionId": 7, "body": "b", "answeredAt": row["made"], "withdrawn": False}


def test_sources_and_questions_run_apart(site):
    events, selected = recording()
    deployment = site.deployment
    questions = deployment.topics["questions"]
    sources = site.worker("sources").start("--only", "sources")
    site.publish(events)
    site.wait()
    site.comes_to(expected(selected))
    # Nobody works on the questions.
    assert deployment.read(deployment.enriched) == []
    assert not any(deployment.cluster.committed(deployment.group, questions, deployment.partitions).values())
    worker = site.worker("questions").start("--only", "questions")
    enriched = lambda: {r.key.decode() for r in deployment.read(deployment.enriched) if r.value is not None}  # noqa: E731
    site.wait_until(lambda: enriched() >= set(expected(selected)))
    assert sources.running and worker.running
    assert sources.terminate() == 0, sources.log_end()
    # And now nobody works on the sources, though a worker with the same configuration runs.
    site.publish(events[:1])
    time.sleep(2)
    assert site.behind()
    assert not deployment.cluster.members(deployment.group + "-sources")
    assert worker.terminate() == 0, worker.log_end()
    assert deployment.read(deployment.dead_letters) == []


def test_refused_rows_come_back_from_their_offset_on(site):
    """As docs/sources.md says: the mapping is corrected, the workers are stopped, and the group's offset is set back."""
    deployment = site.deployment
    right = mapping(site.prefix)
    wrong = mapping(site.prefix)
    wrong[1]["fields"] |= {"questionId": "parnet"}
    question = {"id": 7, "kind": "question", "title": "t", "body": "b", "made": "2025-01-01T00:00:00Z", "gone": False}
    answer = {"id": 1, "kind": "answer", "parent": 7, "body": "b", "made": "2025-01-01T00:00:00Z", "gone": False}

    def change(row, before=None):
        return "post", json.dumps({"id": row["id"]}), json.dumps({"op": "u", "before": before, "after": row})

    worker = site.worker("w1", sources=wrong).start()
    site.publish([change(question), change(answer), change(answer | {"body": "later"}), change(question | {"title": "later"})])
    site.wait()
    assert worker.terminate() == 0, worker.log_end()
    letters = deployment.read(deployment.dead_letters)
    places = [
        TopicPartition(headers["rejoinder.source.topic"].decode(), int(headers["rejoinder.source.partition"]), int(headers["rejoinder.source.offset"]))
        for headers in (dict(letter.headers) for letter in letters)
    ]
    assert len(places) == 2 and len({(place.topic, place.partition) for place in places}) == 1
    # They are listed, and do not come back by themselves.
    listed = command("replay", "--dead-letters", "--from", "beginning", "--code", "source", "--config", worker.configuration_path)
    assert listed.returncode == 0, listed.stdout + listed.stderr
    assert listed.stdout.count(b"it is a source's record") >= 2 and deployment.read(deployment.topics["answers"]) == []
    group = Consumer({"bootstrap.servers": deployment.cluster.bootstrap_servers, "group.id": deployment.group + "-sources"})
    group.commit(offsets=[min(places, key=lambda place: place.offset)], asynchronous=False)
    group.close()
    worker = site.worker("w1", sources=right).start()
    site.wait()
    assert worker.terminate() == 0, worker.log_end()
    site.comes_to({"7": ("later", [("1", hashlib.md5(b"later").hexdigest(), 0)])})
    assert len(deployment.read(deployment.dead_letters)) == 2


def test_the_commands_show_check_and_name_mistakes(site, tmp_path):
    events, _ = recording()
    site.publish(events[:40])
    worker = site.worker()
    path = worker.configuration_path
    shown = command("sources", "try", "--config", path, "--topic", site.topics["post"], "--count", 3)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert b"  ->     " in shown.stdout and b"records: " in shown.stdout
    assert b'"type":"struct"' not in shown.stdout and b"  !  " not in shown.stdout
    lint = command("sources", "lint", "--config", path)
    assert lint.returncode == 0 and lint.stdout.count(b"ok ") == 4
    check = command("check", "--config", path, timeout=60)
    assert b"source " + site.topics["post"].encode() in check.stdout, check.stdout
    text = path.read_text()
    path.write_text(text.replace("questionId:", "questoinId:"))
    wrong = command("run", "--config", path)
    assert wrong.returncode == 78
    assert b"'questoinId'" in wrong.stderr and b"questionId" in wrong.stderr and b", line " in wrong.stderr
    # A misspelled column would leave a field out without a word.
    path.write_text(text.replace("body: body", "body: boddy"))
    tried = command("sources", "try", "--config", path, "--topic", site.topics["post"], "--count", 3)
    assert b"  !      field 'body': the row has no column 'boddy'; the nearest is 'body'" in tried.stdout, tried.stdout
    check = command("check", "--config", path, timeout=60)
    assert b"the row has no column 'boddy'" in check.stdout, check.stdout
    # And by a worker that runs.
    lines = [number for number, line in enumerate(path.read_text().splitlines(), 1) if "body: boddy" in line]
    worker.start()
    site.wait()
    assert worker.terminate() == 0, worker.log_end()
    told = [entry for entry in worker.log() if entry["message"] == "no row has a column that the configuration names"]
    assert {(entry["topic"], entry["key"], entry["column"], entry["nearest"]) for entry in told} == {
        (site.topics["post"], "fields body", "boddy", "body")}
    assert all(entry["file"] == str(path) and entry["line"] in lines for entry in told), told
    for preset in ("askbot", "apache-answer", "discourse", "stack-exchange"):
        printed = command("sources", "show", preset, "--topic-prefix", "a.b")
        assert printed.returncode == 0
        copied = tmp_path / f"{preset}.yaml"
        copied.write_bytes(printed.stdout)
        assert command("sources", "lint", "--config", copied).returncode == 0
