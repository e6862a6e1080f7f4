"""Recordings, judged by a second hand: their lines, and the manifest that describes them."""

import gzip
import hashlib
import json
import subprocess
from datetime import datetime

import jsonschema
import pytest
import yaml
from confluent_kafka import Consumer, TopicPartition
from oracle import ANSWERS, KINDS, QUESTIONS, VOTES
from test_oracle import EXAMPLES
from worker import command

SCHEMA = json.loads((EXAMPLES.parent / "Schemas" / "recording.schema.json").read_text("utf-8"))
FIRST = '{"recording":{"format":1,"manifest":"last line"}}'
IDS = [f"q-{number}" for number in range(120)]


@pytest.fixture
def site(deploy):
    """A deployment with 120 questions, each with an answer and a vote, and the arguments that lead to it."""
    deployment = deploy()
    deployment.create_topics()
    path = deployment.directory / "rejoinder.yaml"
    path.write_text(yaml.safe_dump(deployment.configuration("cli")), "utf-8")

    def record(kind, question, value):
        return kind, question.encode(), json.dumps(value).encode(), []

    deployment.publish(record(ANSWERS, i, {"id": f"a-{i}", "questionId": i, "body": f"secret {i}"}) for i in IDS)
    deployment.publish(
        record(VOTES, i, {"questionId": i, "answerId": f"a-{i}", "voterId": f"v-{i}", "value": 1}) for i in IDS
    )
    deployment.publish(record(QUESTIONS, i, {"id": i, "title": "Why?"}) for i in IDS)
    return deployment, ["--config", path]


def lines_of(path):
    if path.suffix == ".zst":
        data = subprocess.run(["zstdcat", path], check=True, capture_output=True).stdout
    else:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    assert data.endswith(b"\n")
    return data[:-1].decode("utf-8").split("\n")


def read(path):
    """The records and the manifest, after all that can be checked of them alone."""
    first, *middle, last = lines_of(path)
    for line in (first, *middle, last):
        jsonschema.validate(json.loads(line), SCHEMA)
    assert first == FIRST
    manifest = json.loads(last)["manifest"]
    assert manifest["records"] == len(middle)
    assert manifest["sha256"] == hashlib.sha256("".join(f"{line}\n" for line in middle).encode()).hexdigest()
    records = [json.loads(line) for line in middle]
    for topic in manifest["topics"]:
        own = [record for record in records if record["topic"] == topic["topic"]]
        assert topic["records"] == len(own)
        ranges = {p["partition"]: range(p["from"], p["to"]) for p in topic["partitions"]}
        assert all(record["offset"] in ranges[record["partition"]] for record in own)
    stamps = sorted(record["ts"] for record in records)
    times = [datetime.fromisoformat(manifest["times"][side]).timestamp() * 1000 for side in ("from", "to")]
    assert [round(time) for time in times] == [stamps[0], stamps[-1]]
    return records, manifest


def record(site, path, *arguments):
    result = command("record", "-o", path, *arguments, *site[1])
    assert result.returncode == 0, result.stderr.decode()
    return read(path)


def offsets(deployment):
    """(first, end) of each partition, by another client."""
    consumer = Consumer({"bootstrap.servers": deployment.cluster.bootstrap_servers, "group.id": "x"})
    try:
        return {
            (topic, partition): consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
            for topic in deployment.topics.values()
            for partition in range(deployment.partitions)
        }
    finally:
        consumer.close()


def replay(site, path):
    result = command("replay", path, *site[1])
    return result.returncode, result.stdout, result.stderr.decode()


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz", "jsonl.zst"])
def test_a_whole_window(site, tmp_path, ending):
    deployment = site[0]
    records, manifest = record(site, tmp_path / f"site.{ending}")
    place = lambda r: (r.topic, r.partition, r.offset, r.timestamp, r.key, r.value)  # noqa: E731
    assert {(r["topic"], r["partition"], r["offset"], r["ts"], r["key"].encode(), r["payload"].encode()) for r in records} == {
        place(r) for r in deployment.records
    }
    ranges = {(t["topic"], p["partition"]): (p["from"], p["to"]) for t in manifest["topics"] for p in t["partitions"]}
    assert ranges == offsets(deployment)
    assert manifest["window"] == {"from": "beginning", "to": "end"}
    assert manifest["ended"] == "complete" and manifest["gaps"] == []
    version = command("--version").stdout.decode()
    assert f"rejoinder {manifest['rejoinder']} (librdkafka {manifest['librdkafka']}," in version
    # The records' hash is the same on every run.
    again = record(site, tmp_path / f"again.{ending}")[1]
    assert again["sha256"] == manifest["sha256"]
    status, output, said = replay(site, tmp_path / f"site.{ending}")
    assert (status, len(output.splitlines())) == (0, len(IDS)) and "warning" not in said


def test_a_sample_renamed_and_redacted(site, tmp_path):
    """Whole questions over the three topics."""
    deployment = site[0]
    everything = {(r.topic, r.offset, r.partition): r for r in deployment.records}
    records, manifest = record(
        site, tmp_path / "sample.jsonl", "--sample", "20%", "--redact", "body", "--rename", f"{deployment.group}.=test."
    )
    keys = {kind: {r["key"] for r in records if r["topic"] == f"test.{kind}"} for kind in KINDS}
    assert 5 < len(keys[QUESTIONS]) < 60 and keys[QUESTIONS] == keys[ANSWERS] == keys[VOTES]
    assert len(records) == 3 * len(keys[QUESTIONS])
    for entry in records:
        original = everything[entry["topic"].replace("test.", f"{deployment.group}."), entry["offset"], entry["partition"]]
        assert entry["key"].encode() == original.key and len(entry["payload"]) == len(original.value)
        assert "secret" not in entry["payload"]
    assert manifest["sample"] == "20%" and manifest["redacted"] == ["body"]
    assert [topic["topic"] for topic in manifest["topics"]] == [f"test.{kind}" for kind in KINDS]
    # In again, under the names that the settings give.
    result = command("replay", tmp_path / "sample.jsonl", "--rename", f"test.={deployment.group}.", *site[1])
    assert result.returncode == 0 and len(result.stdout.splitlines()) == len(keys[QUESTIONS])


def ends_with_its_records(records, manifest):
    """Each partition's range ends behind its last record."""
    ends = {(r["topic"], r["partition"]): r["offset"] + 1 for r in records}
    for topic in manifest["topics"]:
        for p in topic["partitions"]:
            assert p["to"] == ends.get((topic["topic"], p["partition"]), p["from"])


def test_bounded_and_followed(site, tmp_path):
    records, manifest = record(site, tmp_path / "few.jsonl", "--max-bytes", "1kB")
    assert 0 < len(records) < 3 * len(IDS) and manifest["ended"] == "complete"
    ends_with_its_records(records, manifest)
    records, manifest = record(site, tmp_path / "count.jsonl", "--to", "+7")
    assert len(records) == 7 and manifest["window"]["to"] == "+7"
    ends_with_its_records(records, manifest)
    records, manifest = record(site, tmp_path / "live.jsonl.zst", "--for", "3s")
    assert len(records) == 3 * len(IDS) and "to" not in manifest["window"]


def test_what_does_not_fit_is_said_and_used(site, tmp_path):
    path = tmp_path / "site.jsonl"
    record(site, path)
    lines = lines_of(path)
    whole = replay(site, path)[1]

    def edited(kept):
        path.write_text("".join(f"{line}\n" for line in kept), "utf-8")
        return replay(site, path)

    questions = [n for n, line in enumerate(lines) if '"topic":"' + site[0].topics[QUESTIONS] in line]
    status, output, said = edited(lines[: questions[0]] + lines[questions[0] + 1 :])
    assert status == 0 and len(output.splitlines()) == len(IDS) - 1
    assert f"has {len(lines) - 3} records where its manifest says {len(lines) - 2}" in said
    # Made one of its own, as the sentence says.
    assert "without its first and its last line" in said
    status, output, said = edited(lines[1:-1])
    assert (status, output) == (0, whole) and "manifest" not in said
    status, output, said = edited(lines[:-1])
    assert (status, output) == (0, whole) and "lacks its manifest" in said
    changed = [line.replace("Why?", "How?") for line in lines]
    status, output, said = edited(changed)
    assert status == 0 and b"How?" in output and "SHA-256" in said
    # Filtered by another tool, it is still a recording.
    kept = subprocess.run(["jq", "-c", "select(.topic)", path], check=True, capture_output=True).stdout
    assert len(kept.splitlines()) == len(lines) - 2
    path.write_bytes(kept)
    assert "manifest" not in replay(site, path)[2]
