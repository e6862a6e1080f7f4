"""The throughput log of the built program: every line keeps to its schema, and its figures are those of the traffic."""

import json
import re
import time
from collections import Counter
from pathlib import Path

import jsonschema
import oddities
import oracle
import pytest
from generator import Generator
from oracle import DeadLetter, Enriched
from test_faults import Background, wait_for_progress
from test_metrics import open_transaction
from test_worker import questions, traffic

SCHEMA = json.loads((Path(__file__).parents[2] / "Schemas/throughput-log.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
COUNTS = [
    name
    for name, field in SCHEMA["properties"].items()
    if field.get("type") == "integer" and name not in ("deadLettersTotal",)
]


def lines(worker):
    found = [line for line in worker.log() if line["logger"] == "throughput"]
    for line in found:
        VALIDATOR.validate(line)
        assert list(line) == [name for name in SCHEMA["properties"] if name in line], "the order of the fields"
        check_sums(line)
    return found


def check_sums(line):
    """The rules that the schema can only say in words."""
    assert line["deadLettersTotal"] == sum(line["deadLetters"].values())
    lag = line["lag"]
    assert lag.get("total", sum(lag["topics"].values())) == sum(each["records"] for each in lag["partitions"])
    if "total" in lag:
        topics = Counter(each["partition"] for each in lag["partitions"])
        assert len(topics) >= line["store"]["partitions"]
        assert set(topics.values()) <= {3}, "a total without the questions, the answers or the votes of a partition"
    assert sum(lag["topics"].values()) == sum(each["records"] for each in lag["partitions"])
    assert lag["partitions"] == sorted(lag["partitions"], key=lambda each: (each["topic"], each["partition"]))
    assert lag.get("largest", {}).get("records", 0) == max((each["records"] for each in lag["partitions"]), default=0)
    for shares in [line["timeShares"], *(lane["timeShares"] for lane in line["lanes"])]:
        assert sum(shares.values()) == pytest.approx(1, abs=0.001)
    for name in ("recordsIn", "recordsOut", "answers", "votes", "commits", "aborts"):
        assert line[name] == sum(lane[name] for lane in line["lanes"]), name
    assert line["recordsInPerSecond"] == pytest.approx(line["recordsIn"] / line["seconds"], rel=0.01, abs=0.01)


def described(node, path="line"):
    """Every field that is named in the schema, with its description."""
    for name, field in node.get("properties", {}).items():
        yield f"{path}.{name}", field
        yield from described(field, f"{path}.{name}")
        yield from described(field.get("items", {}), f"{path}.{name}[]")
    for name, definition in node.get("$defs", {}).items():
        yield from described(definition, name)


def test_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    fields = dict(described(SCHEMA))
    assert len(fields) > 80
    for path, field in fields.items():
        assert field.get("description") or "$ref" in field, path
        if field.get("type") == "object" and "properties" in field:
            assert field["additionalProperties"] is False, path
    assert SCHEMA["additionalProperties"] is False
    assert SCHEMA["examples"]
    for example in SCHEMA["examples"]:
        VALIDATOR.validate(example)
        check_sums(example)


@pytest.mark.parametrize(("delivery", "lanes"), [("exactly-once", 2), ("at-least-once", 1)])
def test_lines_are_what_went_through(deploy, delivery, lanes):
    deployment = deploy()
    deployment.create_topics()
    generator = Generator(seed=44, questions=100)
    deployment.publish(traffic(generator, 300, 900))
    for kind in oracle.KINDS:
        deployment.publish((kind, key, value, []) for key, value, _ in oddities.malformed(kind))
    worker = deployment.worker(delivery=delivery, lanes=lanes, monitoring={"intervalSeconds": 1}).start()
    for _ in range(3):
        deployment.publish(questions(generator, 500))
        time.sleep(1)
    deployment.wait_until_drained()
    deadline = time.monotonic() + 30
    while not any(line["state"] == "idle" and line["uptimeSeconds"] > 3 for line in lines(worker)):
        assert time.monotonic() < deadline, "no line says that the worker is idle"
        time.sleep(0.2)
    assert worker.terminate() == 0, worker.log_end()

    *intervals, totals = lines(worker)
    assert [line["message"] for line in intervals] == ["throughput"] * len(intervals)
    assert totals["message"] == "totals"
    for name in COUNTS:
        assert totals[name] == sum(line[name] for line in intervals), name
    assert {line["group"] for line in intervals} == {deployment.group}
    assert {line["worker"] for line in intervals} == {worker.identity}
    assert all(line["seconds"] == pytest.approx(1, abs=0.9) for line in intervals)

    expected = list(deployment.expected())
    enriched = [record for record in expected if isinstance(record, Enriched)]
    letters = [record for record in expected if isinstance(record, DeadLetter)]
    read = Counter(deployment.kinds[record.topic] for record in deployment.records)
    rejected = Counter(deployment.kinds[letter.source.topic] for letter in letters)
    assert totals["recordsIn"] == read[oracle.QUESTIONS]
    assert totals["recordsOut"] == len(enriched)
    assert totals["answers"] == read[oracle.ANSWERS] - rejected[oracle.ANSWERS]
    assert totals["votes"] == read[oracle.VOTES] - rejected[oracle.VOTES]
    assert {code: count for code, count in totals["deadLetters"].items() if count} == Counter(
        letter.code for letter in letters
    )
    assert intervals[-1]["lag"]["total"] == 0
    assert totals["process"]["cpuSeconds"] > 0
    assert totals["process"]["residentBytes"] > 1_000_000
    assert totals["latencyMs"]["count"] >= totals["recordsIn"] - len(letters)


def test_text_is_a_table(deploy):
    deployment = deploy()
    deployment.create_topics()
    generator = Generator(seed=45, questions=50)
    deployment.publish(traffic(generator, 100, 100))
    worker = deployment.worker(
        monitoring={"intervalSeconds": 1}, log={"format": "text", "level": "info"}
    ).start()
    deployment.publish(questions(generator, 200))
    deployment.wait_until_drained()
    time.sleep(2)
    assert worker.terminate() == 0, worker.log_end()
    text = worker.log_path.read_text("utf-8")
    titles = re.findall(r"^time .*$", text, re.MULTILINE)
    rows = re.findall(r"^\d\d:\d\d:\d\d (?:keeping-up|idle|restoring|behind|joining|unknown) .*$", text, re.MULTILINE)
    assert len(titles) == 1
    assert len(rows) >= 2
    assert {len(row) for row in rows} == {len(titles[0])}
    assert len(titles[0]) <= 120
    assert re.search(r"^\S+Z totals of .*: 200 in, 200 out ", text, re.MULTILINE)


def test_a_level_above_info_leaves_the_lines_out(deploy):
    deployment = deploy()
    deployment.create_topics()
    worker = deployment.worker(
        monitoring={"intervalSeconds": 1}, log={"format": "json", "level": "warning"}
    ).start()
    deployment.publish(questions(Generator(seed=46, questions=5), 10))
    deployment.wait_until_drained()
    time.sleep(1.5)
    assert worker.terminate() == 0, worker.log_end()
    assert lines(worker) == []


def test_a_run_that_an_error_ends_has_its_totals(deploy):
    deployment = deploy()
    deployment.create_topics()
    # librdkafka refuses it only when the lane makes its producer: longer than a record may wait in all.
    worker = deployment.worker(properties={"linger.ms": 900_000}).start()
    assert worker.wait(30) == 78, worker.log_end()
    found = [json.loads(line) for line in worker.log_path.read_text("utf-8").splitlines() if line.startswith("{")]
    totals = [line for line in found if line["logger"] == "throughput"]
    assert [line["message"] for line in totals] == ["totals"]
    VALIDATOR.validate(totals[0])


@pytest.mark.parametrize("delivery", ["exactly-once", "at-least-once"])
def test_a_broker_that_stands_still_is_named(deploy, delivery):
    deployment = deploy()
    if not deployment.cluster.can_stand_still:
        pytest.skip("needs a broker of the tests' own, or a script in REJOINDER_TEST_CLUSTER_CONTROL that pauses the named one")
    deployment.create_topics()
    generator = Generator(seed=47, questions=50)
    worker = deployment.worker(delivery=delivery, monitoring={"intervalSeconds": 1}).start()

    def wait_for(is_wanted, what, count=1, timeout=60):
        deadline = time.monotonic() + timeout
        while len(found := [line for line in worker.log() if is_wanted(line)]) < count:
            assert time.monotonic() < deadline, f"{what} is not in the log:\n{worker.log_end()}"
            worker.check()
            time.sleep(0.2)
        return found[0]

    wait_for(lambda line: line["message"] == "partition caught up", "every partition", deployment.partitions)
    with Background(deployment, ((oracle.QUESTIONS, *generator.question(), []) for _ in range(2_000)), seconds=10):
        wait_for_progress(deployment, worker)
        with deployment.cluster.standing_still():
            stalled = wait_for(lambda line: line["message"] == "stalled", "a stalled lane")
            wait_for(lambda line: line.get("state") == "stalled", "an interval in which a lane was stalled")
    assert stalled["level"] == "warning"
    assert stalled["lane"] == 0
    assert stalled["seconds"] >= 3
    assert stalled["waitingFor"].startswith(("the transaction coordinator", "the group", "the broker", "input", "the rest"))
    assert stalled["waitingSeconds"] >= 0
    wait_for(lambda line: line["message"] == "no longer stalled", "the end of the stall")
    deployment.wait_until_drained()
    assert worker.terminate() == 0, worker.log_end()
    assert lines(worker)[-1]["recordsOut"] == 2_000


@pytest.mark.parametrize("delivery", ["exactly-once", "at-least-once"])
def test_events_behind_an_open_transaction_are_waited_for(deploy, delivery):
    """The broker calls the beginning of an open transaction the partition's end, but a lane before it is not idle."""
    deployment = deploy()
    deployment.create_topics()
    generator = Generator(seed=48, questions=50)
    deployment.publish(questions(generator, 20))
    worker = deployment.worker(delivery=delivery, monitoring={"intervalSeconds": 1}).start()
    deployment.wait_until_drained()

    def wait_for(is_wanted, what, timeout=30):
        deadline = time.monotonic() + timeout
        while not (found := [line for line in lines(worker) if is_wanted(line)]):
            worker.check()
            assert time.monotonic() < deadline, f"no line says {what}:\n{worker.log_end()}"
            time.sleep(0.1)
        return found[-1]

    # Nothing waits: the lane is idle.
    wait_for(lambda line: line["state"] == "idle" and line["timeShares"]["idle"] > 0.9, "that the lane is idle")

    producer = open_transaction(deployment)
    for number in range(7):
        producer.produce(deployment.topics[oracle.QUESTIONS], b'{"id":"held","title":"Why?"}', b"held", partition=2)
    assert producer.flush(30) == 0
    held = wait_for(
        lambda line: line["lag"].get("total") == 7 and line["recordsIn"] == 0 and line["timeShares"]["waitingForInput"] > 0.9,
        "that the lane waits for input")
    assert held["lag"]["largest"] == {"topic": deployment.topics[oracle.QUESTIONS], "partition": 2, "records": 7}
    assert held["timeShares"]["idle"] < 0.1
    waiting = wait_for(lambda line: "waitingFor" in line["lanes"][0], "what the lane waits for")
    assert waiting["lanes"][0]["waitingFor"] == "input from the broker"
    assert waiting["lag"]["total"] == 7

    producer.commit_transaction(30)
    wait_for(lambda line: line["recordsIn"] == 7, "that they were worked off")
    # Behind them stands the control record of the commit, which is no event.
    idle = lines(worker)[-1]["uptimeSeconds"]
    last = wait_for(
        lambda line: line["uptimeSeconds"] > idle and line["timeShares"]["idle"] > 0.9, "that the lane is idle again")
    assert last["state"] == "idle"
    assert last["lag"]["total"] == 0
    assert worker.terminate() == 0, worker.log_end()
    assert lines(worker)[-1]["recordsOut"] == 27
