"""Sources whose records were written with a schema registry, by Confluent's own serializers; a registry that is away,
wrong or asks for a password."""

import json
import ssl
import subprocess
import time
import urllib.request

import pytest
import yaml
from confluent_kafka import Producer
from confluent_kafka.schema_registry import SchemaRegistryClient, header_schema_id_serializer
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from registry import Registry
from worker import command

ROW = {
    "type": "record", "name": "Post", "namespace": "forum",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["question", "answer"]}},
        {"name": "parent", "type": ["null", "long"], "default": None},
        {"name": "title", "type": ["null", "string"], "default": None},
        {"name": "body", "type": ["null", "string"], "default": None},
        {"name": "at", "type": ["null", {"type": "long", "logicalType": "timestamp-micros"}], "default": None},
        {"name": "gone", "type": "boolean", "default": False},
        {"name": "tags", "type": {"type": "array", "items": "string"}, "default": []},
        {"name": "author", "type": ["null", {"type": "record", "name": "Author", "fields": [{"name": "name", "type": "string"}]}],
         "default": None},
    ],
}  # fmt: skip
KEY = {"type": "record", "name": "Key", "namespace": "forum", "fields": [{"name": "id", "type": "long"}]}
# The body has a new name, and knows its old one; the title is gone; a column more.
NEWER = ROW | {
    "fields": [field for field in ROW["fields"] if field["name"] not in ("body", "tags")]
    + [{"name": "html", "type": "string", "aliases": ["body"]}, {"name": "score", "type": "int", "default": 0}]
}
ENVELOPE = {
    "type": "record", "name": "Envelope", "namespace": "forum",
    "fields": [
        {"name": "before", "type": ["null", ROW], "default": None},
        {"name": "after", "type": ["null", "forum.Post"], "default": None},
        {"name": "source", "type": {"type": "record", "name": "Source", "fields": [{"name": "lsn", "type": "long"}]}},
        {"name": "op", "type": "string"},
    ],
}  # fmt: skip


def mapping(topic, format="avro"):
    return [
        {
            "topic": topic, "format": format, "where": {"kind": "question"}, "into": "questions",
            "fields": {"id": "id", "title": "title", "body": "body", "askedAt": "at", "tags": "tags"},
        },
        {
            "topic": topic, "format": format, "where": {"kind": "answer"}, "into": "answers",
            "fields": {
                "id": "id", "questionId": "parent", "body": "body", "answeredAt": "at", "withdrawn": "gone",
                "author/displayName": "/author/name",
            },
        },
    ]  # fmt: skip


class Site:
    """A topic of a deployment, written with the serializers, and read by a worker."""

    def __init__(self, deployment, registry):
        self.deployment = deployment
        self.registry = registry
        self.topic = f"{deployment.group}.post"
        self.index = f"{deployment.group}.index"
        self.count = 0
        self.producer = Producer({"bootstrap.servers": deployment.cluster.bootstrap_servers})
        self.client = SchemaRegistryClient(
            {"url": registry.url} | ({"basic.auth.user.info": registry.user} if registry.user else {}))
        deployment.create_topics()
        deployment.cluster.create_topics({self.topic: 1, self.index: 1})

    def worker(self, name="w1", format="avro", registry=None, **settings):
        topics = self.deployment.topics | {
            "enriched": self.deployment.enriched, "deadLetter": self.deployment.dead_letters, "sourceIndex": self.index,
        }  # fmt: skip
        return self.deployment.worker(
            name, topics=topics, sources=mapping(self.topic, format), registry={"url": self.registry.url} | (registry or {}),
            **settings)  # fmt: skip

    def avro(self, schema, value, field=MessageField.VALUE, headers=None):
        configuration = {"schema.id.serializer": header_schema_id_serializer} if headers is not None else {}
        serializer = AvroSerializer(self.client, json.dumps(schema), conf=configuration)
        return serializer(value, SerializationContext(self.topic, field, headers))

    def publish(self, value, key=None, headers=None):
        self.producer.produce(self.topic, value, key, headers=headers)
        assert self.producer.flush(30) == 0
        self.count += 1

    def publish_row(self, schema=ROW, in_header=False, **row):
        headers = [] if in_header else None
        key = self.avro(KEY, {"id": row["id"]}, MessageField.KEY, headers)
        self.publish(self.avro(schema, row, headers=headers), key, headers)

    def publish_change(self, op, before=None, after=None):
        key = self.avro(KEY, {"id": (after or before)["id"]}, MessageField.KEY)
        change = {"before": before, "after": after, "op": op, "source": {"lsn": 1}}
        self.publish(self.avro(ENVELOPE, change), key)

    @property
    def done(self):
        committed = self.deployment.cluster.committed(self.deployment.group + "-sources", self.topic, 1)
        return committed.get(0) or 0

    def wait_until(self, holds, timeout=40):
        deadline = time.monotonic() + timeout
        while not holds():
            assert time.monotonic() < deadline, "\n".join(worker.log_end() for worker in self.deployment.workers)
            time.sleep(0.1)

    def wait(self):
        self.wait_until(lambda: self.done >= self.count)

    def read(self, kind):
        return [
            (record.key.decode(), record.value and json.loads(record.value), dict(record.headers))
            for record in self.deployment.read(self.deployment.topics[kind])
        ]

    def letters(self):
        return [dict(letter.headers) for letter in self.deployment.read(self.deployment.dead_letters)]


@pytest.fixture
def registry():
    made = Registry()
    yield made
    made.close()


@pytest.fixture
def site(deploy, registry):
    site = Site(deploy(), registry)
    yield site
    site.deployment.cluster.delete([site.topic, site.index], [site.deployment.group + "-sources"])


def admin(worker, path):
    lines = [line for line in worker.log() if line["message"] == "admin address"]
    if not lines:
        return ""
    with urllib.request.urlopen(f"http://{lines[-1]['address']}{path}", timeout=10) as answer:
        return answer.read().decode()


def is_waiting(worker):
    name = "rejoinder_lane_waiting_seconds"
    return any(
        line.startswith(name) and 'reason="schema_registry"' in line and float(line.split()[-1]) > 0
        for line in admin(worker, "/metrics").splitlines())


def question(id, **more):
    return {"id": id, "kind": "question", "title": f"q{id}", "body": "b"} | more


def answer(id, parent, **more):
    return {"id": id, "kind": "answer", "parent": parent, "body": "<p>\u05d0</p>"} | more


def test_rows_and_changes_in_both_frames_with_a_schema_that_changes(site):
    worker = site.worker().start()
    big = 2**60 + 1
    site.publish_row(**question(big, at=1_700_000_000_000_123, tags=["a", "b"]))
    site.publish_row(in_header=True, **answer(5, big, author={"name": "Ann"}))
    site.publish_row(NEWER, id=6, kind="answer", parent=big, html="new", score=3, gone=False, title=None)
    site.publish_change("c", after=answer(7, big))
    site.publish_change("u", before=answer(7, big), after=answer(7, big, body="changed"))
    site.publish_change("d", before={"id": 7, "kind": "question"})
    site.publish_change("c", after=answer(8, big))
    # A tombstone, which says nothing, behind the deletion; and one by itself, which is a deletion.
    site.publish(None, site.avro(KEY, {"id": 7}, MessageField.KEY))
    site.publish(None, site.avro(KEY, {"id": 8}, MessageField.KEY))
    unknown = [b"\0\0\0\xff\xff\x02", b"\0\0\0", b'{"id":1}', b"\0\0\0\0\2\x02"]
    for value in unknown:
        site.publish(value, b"k")
    site.wait()
    asked = [path for path in site.registry.asked if "/65535" not in path]
    assert len(asked) == len(set(asked)) and len(asked) <= 8, asked
    assert worker.terminate() == 0, worker.log_end()
    ((key, value, headers),) = site.read("questions")
    assert key == str(big)
    assert value == {
        "id": big, "title": f"q{big}", "body": "b", "tags": ["a", "b"], "askedAt": "2023-11-14T22:13:20.000123Z"}  # fmt: skip
    answers = [(key, value) for key, value, headers in site.read("answers")]
    assert {key for key, _ in answers} == {str(big)}
    common = {"questionId": big, "withdrawn": False}
    gone = {"questionId": str(big), "withdrawn": True}
    assert [value for _, value in answers] == [
        common | {"id": 5, "body": "<p>\u05d0</p>", "author": {"displayName": "Ann"}},
        common | {"id": 6, "body": "new"},
        common | {"id": 7, "body": "<p>\u05d0</p>"},
        common | {"id": 7, "body": "changed"},
        gone | {"id": "7"},
        common | {"id": 8, "body": "<p>\u05d0</p>"},
        gone | {"id": "8"},
    ]
    # The source's frame is not the contract record's.
    assert not any("__value_schema_id" in headers or "__key_schema_id" in headers for _, _, headers in site.read("answers"))
    letters = site.letters()
    assert [letter["rejoinder.error.code"] for letter in letters] == [b"source"] * len(unknown)
    messages = sorted(letter["rejoinder.error.message"].decode() for letter in letters)
    assert any("knows no schema id 65535" in message for message in messages), messages
    assert any("no Avro of schema id 2" in message for message in messages), messages
    assert sum("does not begin with the byte 0" in message for message in messages) == 2, messages


def test_references_are_found(site):
    author = {"type": "record", "name": "Author", "namespace": "forum", "fields": [{"name": "name", "type": "string"}]}
    row = ROW | {"fields": ROW["fields"][:-1] + [{"name": "author", "type": "forum.Author"}]}
    site.registry.add("people/author", json.dumps(author))
    number = site.registry.add(
        f"{site.topic}-value", json.dumps(row), references=[("forum.Author", "people/author", 1)])
    worker = site.worker().start()
    # By hand: id 3, an answer, of question 7, no title, body "b", no time, not gone, no tags, Ann.
    row = b"\x06\x02\x02\x0e\0\x02\x02b\0\0\0\x06Ann"
    site.publish(b"\0" + number.to_bytes(4, "big") + row, b"3")
    site.wait()
    assert worker.terminate() == 0, worker.log_end()
    ((key, value, _),) = site.read("answers")
    assert (key, value["author"]) == ("7", {"displayName": "Ann"})


def test_json_behind_a_schema_id(site):
    serializer = JSONSerializer('{"type":"object"}', site.client)
    worker = site.worker(format="json-schema").start()
    for row in (question(7), {"before": None, "after": answer(5, 7), "op": "c"}):
        value = serializer(row, SerializationContext(site.topic, MessageField.VALUE))
        site.publish(value, json.dumps({"id": row.get("id", 5)}).encode())
    site.wait()
    assert worker.terminate() == 0, worker.log_end()
    assert [(key, value["title"]) for key, value, _ in site.read("questions")] == [("7", "q7")]
    assert [(key, value["body"]) for key, value, _ in site.read("answers")] == [("7", "<p>\u05d0</p>")]
    # The schema is not looked up.
    assert not [path for path in site.registry.asked if path.startswith("/schemas")]


def test_a_registry_that_is_away_or_refuses_the_password_is_waited_for(site, registry):
    registry.user = "reader:p\u00e4ss:word"
    site.client = SchemaRegistryClient({"url": registry.url, "basic.auth.user.info": registry.user})
    secret = site.deployment.directory / "password"
    secret.write_text("wrong-secret\n")
    worker = site.worker(registry={"username": "reader", "passwordFile": str(secret)}).start()
    site.publish_row(**question(1))
    # A wrong password is no record's fault: the lane waits, and takes the right one by itself.
    site.wait_until(lambda: is_waiting(worker))
    assert site.done == 0
    site.wait_until(lambda: any("waiting for the schema registry" in line["message"] for line in worker.log()))
    assert any("refuses the user name or the password (401)" in line.get("cause", "") for line in worker.log())
    secret.write_text("p\u00e4ss:word\n")
    site.wait()
    # Records of known schemas are worked on; one that needs a new schema waits, and so do the records behind it.
    newer = site.avro(NEWER, {"id": 5, "kind": "answer", "parent": 1, "html": "new", "gone": False, "score": 1, "title": None})
    older = site.avro(ROW, question(2))
    registry.trouble = 503
    site.publish(older, b"2")
    site.wait()
    site.publish(newer, b"5")
    site.publish(older, b"2")
    site.wait_until(lambda: is_waiting(worker))
    assert site.done == site.count - 2
    registry.trouble = None
    site.wait()
    assert worker.terminate() == 0, worker.log_end()
    text = worker.log_path.read_text()
    assert "wrong-secret" not in text and "p\u00e4ss" not in text
    assert site.letters() == []
    assert [value["body"] for _, value, _ in site.read("answers")] == ["new"]
    assert sorted(key for key, _, _ in site.read("questions")) == ["1", "2", "2"]


def test_it_stops_in_time_while_the_registry_does_not_answer(site, registry):
    worker = site.worker().start()
    site.publish_row(**question(1))
    registry.trouble = "slow"
    site.wait_until(lambda: is_waiting(worker) or registry.asked)
    began = time.monotonic()
    assert worker.terminate() == 0, worker.log_end()
    assert time.monotonic() - began < 30
    assert site.done == 0 and site.letters() == []


def test_the_commands_say_what_is_wrong_with_a_registry(site, registry):
    site.publish_row(**question(1, at=1))
    path = site.worker(registry={"username": "reader", "password": "s3cret"}).configuration_path
    shown = command("sources", "try", "--config", path)
    assert shown.returncode == 0, shown.stderr
    assert b'key    {"id":1}' in shown.stdout and b'"at":"1970-01-01T00:00:00.000001Z"' in shown.stdout
    assert b'->     questions  1  {"id":1' in shown.stdout
    assert command("sources", "lint", "--config", path).stdout.count(b"(avro)") == 2
    printed = command("config", "--config", path)
    assert b"username: reader" in printed.stdout and b"s3cret" not in printed.stdout
    assert b"ok" in [line.split()[0] for line in command("check", "--config", path).stdout.splitlines() if b"schema registry" in line]
    for trouble, sentence in {
        401: b"refuses the user name or the password (401)",
        403: b"does not let this user read schema id",
        500: b"answers 500 for schema id",
        404: b"answers 404 for schema id",
        302: b"leads elsewhere",
        "nonsense": b"hold no schema",
        "huge": b"more than 8 MiB",
    }.items():
        registry.trouble = trouble
        failed = command("sources", "try", "--config", path)
        assert failed.returncode == 69 and sentence in failed.stderr, (trouble, failed.stderr)
        assert b"s3cret" not in failed.stderr
    failed = command("check", "--config", path)
    assert failed.returncode != 0 and b"schema registry" in failed.stdout, failed.stdout
    registry.close()
    failed = command("sources", "try", "--config", path)
    assert failed.returncode == 69 and b"cannot be asked" in failed.stderr, failed.stderr


def test_mistakes_in_the_settings_have_their_sentences(site):
    path = site.worker().configuration_path
    text = path.read_text()

    def lint(**registry):
        configuration = yaml.safe_load(text) | {"registry": registry}
        path.write_text(yaml.safe_dump(configuration))
        done = command("sources", "lint", "--config", path)
        assert b"hunter2" not in done.stderr + done.stdout
        return done.returncode, done.stderr.decode()

    assert "needs registry.url" in lint(username="u")[1]
    assert "registry.username and registry.password" in lint(url="https://u:hunter2@registry:8081")[1]
    assert "begins with http://" in lint(url="u:hunter2@registry:8081")[1]
    assert "both set" in lint(url="http://r:1", username="u", password="hunter2", passwordFile="/x")[1]
    assert "needs registry.username" in lint(url="http://r:1", password="hunter2")[1]
    assert "needs registry.certificateFile" in lint(url="http://r:1", keyFile="/x")[1]
    assert "registry.url" in lint(ulr="http://r:1")[1]
    assert lint(url="http://a:1/x/, https://b:2")[0] == 0


def test_tls_with_both_sides_certificates(deploy, tmp_path):
    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, cwd=tmp_path)

    for name in ("server", "client"):
        openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", 2, "-keyout",
            f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    context.load_verify_locations(tmp_path / "client.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    registry = Registry(ssl_context=context)
    try:
        number = registry.add("s", json.dumps(ROW))
        site = Site(deploy(), registry)
        site.publish(b"\0" + number.to_bytes(4, "big") + b"\x06\0\0\x02\x02t\0\0\0\0\0", b"3")
        files = {
            "caFile": str(tmp_path / "server.pem"), "certificateFile": str(tmp_path / "client.pem"),
            "keyFile": str(tmp_path / "client.key"),
        }  # fmt: skip
        done = command("sources", "try", "--config", site.worker(registry=files).configuration_path)
        assert done.returncode == 0 and b'{"id":3' in done.stdout, done.stderr
        for missing in files:
            without = {name: file for name, file in files.items() if name != missing and (missing, name) != ("certificateFile", "keyFile")}
            done = command("sources", "try", "--config", site.worker("w2", registry=without).configuration_path)
            assert done.returncode == 69 and b"cannot be asked" in done.stderr, (missing, done.stderr)
    finally:
        registry.close()
