"""`rejoinder sandbox`: its use by a test in another language, through its port, with HTTP and Kafka clients."""

import contextlib
import json
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from worker import binary, command, environment

EXAMPLES = Path(__file__).parents[2] / "Examples"


class Sandbox:
    """A running sandbox; its first line says where it is."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [binary(), "sandbox", *map(str, arguments)], stdout=subprocess.PIPE, env=environment()
        )
        line = self.process.stdout.readline()
        assert line, f"no sandbox: status {self.process.wait(10)}"
        self.site = json.loads(line)

    def call(self, method, path, body=None, headers=None):
        request = urllib.request.Request(self.site["admin"] + path, data=body, method=method, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def post(self, path, body=b""):
        status, answer = self.call("POST", path, body)
        assert status == 200, answer
        return json.loads(answer)

    def records(self, topic):
        status, answer = self.call("GET", f"/sandbox/records/{topic}")
        assert status == 200, answer
        return [json.loads(line) for line in answer.splitlines()]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(45)
        self.process.stdout.close()
        return status


@contextlib.contextmanager
def sandbox(*arguments):
    made = Sandbox(*arguments)
    try:
        yield made
        assert made.stop() == 0
    finally:
        if made.process.poll() is None:
            made.process.kill()
            made.process.wait()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def line(topic, key, value, partition=0):
    payload = None if value is None else json.dumps(value)
    record = {"topic": topic, "partition": partition, "offset": 0, "key": key, "payload": payload}
    return json.dumps(record).encode() + b"\n"


def answers(record):
    return [each["answer"]["id"] for each in json.loads(record["payload"])["answers"]]


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One sandbox for the tests that leave no more behind than a reset takes away; it listens on a port of its own."""
    fixtures = tmp_path_factory.mktemp("fixtures")
    for name in ["questions", "answers", "votes"]:
        shutil.copy(EXAMPLES / f"{name}.jsonl", fixtures)
    (fixtures / "notes.txt").write_text("no recording", "utf-8")
    (fixtures / "elsewhere.jsonl").write_bytes(line("answers", "q", {"id": "a", "questionId": "q"}) + line("other", "q", {}))
    port = free_port()
    with sandbox("--port", port, "--fixtures", fixtures) as made:
        assert made.site["bootstrapServers"] == f"127.0.0.1:{port}"
        yield made


def test_it_says_what_it_has(shared):
    status, answer = shared.call("GET", "/sandbox")
    assert status == 200
    description = json.loads(answer)
    assert description == {key: value for key, value in shared.site.items() if key != "admin"}
    assert description["partitions"] == 4
    assert description["fixtures"] == ["answers", "elsewhere", "questions", "votes"]
    assert description["topics"]["enriched"] == "questions.enriched"
    assert shared.call("GET", "/readyz")[0] in (200, 503)


def test_kafka_clients_and_a_reset(shared):
    """A client connects to the port that was asked for; a reset takes away the stored records, and says where to read
    on."""
    brokers = {"bootstrap.servers": shared.site["bootstrapServers"]}
    producer = Producer(brokers | {"partitioner": "murmur2_random"})
    for turn, attached in enumerate([["a1"], []]):
        beginnings = shared.post("/sandbox/reset")["offsets"]["questions.enriched"]
        if turn == 0:
            producer.produce("answers", key="q1", value='{"id":"a1","questionId":"q1"}')
            producer.flush()
            shared.post("/sandbox/wait-idle")
        producer.produce("questions", key="q1", value='{"id":"q1","title":"Why?"}', headers={"trace": b"\xff"})
        producer.flush()
        assert shared.post("/sandbox/wait-idle?timeoutMs=30000") == {"idle": True}
        consumer = Consumer(brokers | {"group.id": "reader", "enable.auto.commit": False})
        consumer.assign([TopicPartition("questions.enriched", int(p), offset) for p, offset in beginnings.items()])
        message = consumer.poll(10)
        assert message.error() is None
        assert [each["answer"]["id"] for each in json.loads(message.value())["answers"]] == attached
        assert consumer.poll(0.5) is None
        consumer.close()
        # The same over HTTP, bytes that are no text included.
        (record,) = shared.records("questions.enriched")
        assert record["payload"].encode() == message.value()
        assert record["headers"][:2] == ["trace", {"base64": "/w=="}]
    assert shared.post("/sandbox/reset")["questions"] == 1
    assert shared.records("questions.enriched") == []
    assert shared.records("questions") == []


def test_fixtures(shared):
    shared.post("/sandbox/reset")
    published = [shared.post(f"/sandbox/fixtures/{name}")["published"] for name in ["answers", "votes"]]
    shared.post("/sandbox/wait-idle")
    questions = shared.post("/sandbox/fixtures/questions")["published"]
    shared.post("/sandbox/wait-idle")
    lines = {name: (EXAMPLES / f"{name}.jsonl").read_text("utf-8").splitlines() for name in ["answers", "votes", "questions"]}
    assert [*published, questions] == [len(lines[name]) for name in ["answers", "votes", "questions"]]
    # As the program's own golden file has them.
    golden = [json.loads(each) for each in (EXAMPLES / "enriched.golden.jsonl").read_text("utf-8").splitlines()]
    expected = sorted((each["key"], each["payload"] or "") for each in golden)
    assert sorted((each["key"], each["payload"] or "") for each in shared.records("questions.enriched")) == expected
    assert len(shared.records("questions.dead-letter")) == len(
        (EXAMPLES / "dead-letters.golden.jsonl").read_text("utf-8").splitlines()
    )


def test_what_cannot_be_done_is_said(shared):
    shared.post("/sandbox/reset")

    def refused(status, method, path, body=b"", headers=None):
        code, answer = shared.call(method, path, body or None, headers)
        assert code == status, answer
        return json.loads(answer)["error"]

    assert "there are answers, elsewhere, questions, votes" in refused(404, "POST", "/sandbox/fixtures/nothing")
    assert "there is no topic 'other'" in refused(404, "GET", "/sandbox/records/other")
    assert "the body, line 1" in refused(400, "POST", "/sandbox/records", b"{not json}\n")
    # A recording that is not for this sandbox is not published by half.
    assert "line 2: there is no other" in refused(400, "POST", "/sandbox/fixtures/elsewhere")
    assert "there is no answers [4]" in refused(400, "POST", "/sandbox/records", line("answers", "q", None, 4))
    assert shared.records("answers") == []
    assert "timeoutMs" in refused(400, "POST", "/sandbox/wait-idle?timeoutMs=soon")
    # A web page that a developer looks at is not to reset the sandbox behind it.
    assert "GET and HEAD" in refused(405, "POST", "/sandbox/reset", headers={"Origin": "https://example.org"})
    assert "GET and HEAD" in refused(405, "POST", "/questions/q1")


def test_a_sandbox_that_follows_changes_and_begins_with_a_recording(tmp_path):
    recording = tmp_path / "site.jsonl"
    recording.write_bytes(line("questions", "q1", {"id": "q1", "title": "Why?"}))
    with sandbox("--load", recording, "--publish-on", "changes", "--partitions", "2") as made:
        made.post("/sandbox/wait-idle?timeoutMs=30000")
        made.post("/sandbox/records", line("answers", "q1", {"id": "a1", "questionId": "q1"}))
        made.post("/sandbox/wait-idle")
        assert [answers(each) for each in made.records("questions.enriched")] == [[], ["a1"]]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--bootstrap-servers", "localhost:9092"], 64, "a broker of its own"),
        (["--state-dir", "here"], 64, "keeps nothing"),
        (["--partitions", "0"], 64, "1 to 64"),
        (["--port", "70000"], 64, "no port"),
        (["--fixtures", "/nowhere"], 64, "/nowhere"),
        (["--load", "/nowhere.jsonl"], 65, "/nowhere.jsonl"),
    ],
)
def test_wrong_arguments(arguments, status, words):
    ended = command("sandbox", *arguments)
    assert (ended.returncode, words in ended.stderr.decode()) == (status, True), ended.stderr


def test_a_port_in_use():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        ended = command("sandbox", "--port", port)
        assert ended.returncode == 64
        assert f"cannot listen on 127.0.0.1:{port}" in ended.stderr.decode()


class TestSnippets:
    """The examples that users copy. Those whose language is not installed are not run."""

    def run(self, arguments, made, **variables):
        ended = subprocess.run(
            arguments,
            cwd=EXAMPLES / "sandbox",
            env=environment({"ADMIN": made.site["admin"]} | variables),
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == 0, (ended.stdout + ended.stderr).decode()

    def test_python(self, shared):
        self.run([sys.executable, "site_test.py"], shared, REJOINDER=binary())

    @pytest.mark.skipif(not shutil.which("node"), reason="Node is not installed")
    def test_javascript(self, shared):
        self.run(["node", "--test", "site.test.mjs"], shared)

    @pytest.mark.skipif(not shutil.which("go"), reason="Go is not installed")
    def test_go(self, shared, tmp_path):
        self.run(["go", "test", "-count=1", "site_test.go"], shared, GOCACHE=str(tmp_path), GO111MODULE="off")

    @pytest.mark.skipif(not shutil.which("javac"), reason="no JDK is installed")
    def test_java(self, shared):
        self.run(["java", "SiteTest.java"], shared)
