"""A cluster with TLS, passwords and ACLs: a worker's user needs the permissions that docs/operating.md lists, and no
others."""

import json
import os
import time
import uuid
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)
from worker import Worker, command

VARIABLE = "REJOINDER_TEST_SECURED_CLUSTER"
PAGE = Path(__file__).parent.parent.parent / "docs/operating.md"
RESOURCES = {"topic": ResourceType.TOPIC, "group": ResourceType.GROUP, "transactional id": ResourceType.TRANSACTIONAL_ID}
ROLES = ("questions", "answers", "votes", "questions.enriched", "questions.dead-letter", "questions.source-index")


def permissions():
    """The page's table, as (resource, name, operations, purpose)."""
    section = PAGE.read_text("utf-8").partition("### Permissions")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("|")]
    return [(resource, name, operations.split(", "), purpose) for resource, name, operations, purpose in rows[2:]]


class SecuredSite:
    def __init__(self, description, directory):
        self._administrator, self._user = description["administrator"], description["worker"]
        self._principal = description["principal"]
        self.admin = AdminClient(self._administrator)
        self.group = f"rejoinder-test-{uuid.uuid4().hex[:12]}"
        self.source = f"{self.group}.rows"
        self.topics = {role: f"{self.group}.{role}" for role in ROLES}
        properties = dict(self._user)
        configuration = {
            "kafka": {"bootstrapServers": properties.pop("bootstrap.servers"), "groupId": self.group, "properties": properties},
            "topics": dict(zip(
                ("questions", "answers", "votes", "enriched", "deadLetter", "sourceIndex"), self.topics.values(), strict=True)),
            "publish": {"on": "changes", "coalesceMs": 200},
            "sources": [{
                "topic": self.source, "format": "json", "into": "answers",
                "fields": {"id": "id", "questionId": "parent", "body": "text"}}],
            "store": {"directory": str(directory / "state")},
            "admin": {"port": 0},
        }  # fmt: skip
        self.worker = Worker("worker", directory, configuration)
        self._wait(self.admin.create_topics([NewTopic(self.source, 2)]))

    def bindings(self, *purposes, but=()):
        """The permissions of the rows whose purpose begins so, but those of the (resource, name, operation)."""
        found = []
        for resource, names, operations, purpose in permissions():
            if not purpose.startswith(purposes):
                continue
            for name, prefixed in self._names(names):
                for operation in operations:
                    if (resource, name.removeprefix(self.group), operation) not in but:
                        pattern = ResourcePatternType.PREFIXED if prefixed else ResourcePatternType.LITERAL
                        found.append(AclBinding(
                            RESOURCES[resource], name, pattern, self._principal, "*", AclOperation[operation], AclPermissionType.ALLOW))
        return found

    def _names(self, text):
        if text.startswith("all of these"):
            return [(topic, False) for topic in self.topics.values()]
        if text.startswith("each topic of the"):
            return [(self.source, False)]
        names = [part for part in text.split("`")[1::2]]
        return [(self.topics.get(name, name.replace("GROUP", self.group)), "(prefixed)" in text) for name in names]

    def allow(self, bindings):
        self.forbid()
        self._wait(self.admin.create_acls(bindings))
        time.sleep(0.5)  # Until every node has them.

    def forbid(self):
        mine = [RESOURCES["topic"], RESOURCES["group"], RESOURCES["transactional id"]]
        self._wait(self.admin.delete_acls([
            AclBindingFilter(kind, None, ResourcePatternType.ANY, self._principal, None, AclOperation.ANY, AclPermissionType.ANY)
            for kind in mine]))

    def publish(self, topic, key, value):
        producer = Producer(self._administrator | {"partitioner": "murmur2_random"})
        producer.produce(topic, value, key)
        assert producer.flush(30) == 0

    def published(self):
        """The values in the output, by key: the last of each."""
        reader = Consumer(self._administrator | {"group.id": "none", "enable.partition.eof": True, "auto.offset.reset": "earliest"})
        try:
            topic = self.topics["questions.enriched"]
            waiting = set(reader.list_topics(topic, timeout=10).topics[topic].partitions)
            reader.assign([TopicPartition(topic, number, 0) for number in waiting])
            values = {}
            deadline = time.monotonic() + 20
            while waiting and time.monotonic() < deadline:
                if (message := reader.poll(0.5)) is None:
                    continue
                if message.error():
                    waiting.discard(message.partition())
                else:
                    values[message.key()] = message.value()
            return values
        finally:
            reader.close()

    def run(self, *arguments):
        return command(*arguments, "--config", self.worker.configuration_path)

    def close(self):
        self.worker.kill()
        self.forbid()
        self._wait(self.admin.delete_topics([*self.topics.values(), self.source]), ignore=True)

    @staticmethod
    def _wait(futures, ignore=False):
        for future in futures.values():
            try:
                future.result()
            except Exception:
                if not ignore:
                    raise


@pytest.fixture
def secured(tmp_path):
    path = os.environ.get(VARIABLE)
    if not path:
        pytest.skip(f"needs a cluster with ACLs: {VARIABLE} names a JSON file with its `administrator`'s and `worker`'s librdkafka "
                    "properties and the worker's `principal`")
    site = SecuredSite(json.loads(Path(path).read_text("utf-8")), tmp_path)
    yield site
    site.close()


WORKING = ("every worker", "`delivery", "sources", "[sources]", "comparing")


def test_the_permissions_of_the_page_are_enough(secured, tmp_path):
    secured.allow(secured.bindings("`topics create`"))
    made = secured.run("topics", "create", "--partitions", 2)
    assert made.returncode == 0, made.stdout + made.stderr
    secured.allow(secured.bindings(*WORKING))
    checked = secured.run("check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert b"uthorization" not in checked.stdout, checked.stdout
    secured.worker.start()
    secured.publish(secured.topics["questions"], "7", '{"id":7,"title":"Why?"}')
    secured.publish(secured.topics["questions"], "8", "{")
    secured.publish(secured.source, "1", '{"id":1,"parent":7,"text":"So."}')
    deadline = time.monotonic() + 60
    while b'"answerCount":1' not in secured.published().get(b"7", b""):
        assert time.monotonic() < deadline, secured.worker.log_end()
        secured.worker.check()
    for arguments in (["show", "7"], ["record", "-o", tmp_path / "record.jsonl"], ["sources", "try", "--count", 1]):
        done = secured.run(*arguments)
        assert done.returncode == 0, (arguments, done.stdout + done.stderr)
    assert secured.worker.terminate(45) == 0, secured.worker.log_end()
    assert "AUTHORIZATION" not in secured.worker.log_path.read_text("utf-8").upper()
    # The outputs are for writing only, until somebody wants to verify them.
    assert secured.run("verify", "--from", "beginning").returncode == 78
    secured.allow(secured.bindings(*WORKING, "`verify`"))
    proof = secured.run("verify", "--from", "beginning")
    assert proof.returncode == 0, proof.stdout + proof.stderr


def test_the_check_finds_a_permission_that_is_missing(secured):
    secured.allow(secured.bindings("`topics create`"))
    assert secured.run("topics", "create", "--partitions", 2).returncode == 0
    source = secured.source.removeprefix(secured.group)
    for resource, name, operation in (
        ("topic", ".votes", "READ"),
        ("topic", source, "READ"),
        ("group", "", "READ"),
        ("transactional id", "-rejoinder-", "WRITE"),
    ):
        # The descriptions of topics alone, which the worker's user has without the permission, too.
        secured.allow(secured.bindings(*WORKING, but={(resource, name, operation)}))
        checked = secured.run("check")
        failed = [line for line in checked.stdout.decode().splitlines() if line.startswith("fail")]
        assert checked.returncode == 78, (name, operation, checked.stdout + checked.stderr)
        assert failed and all("permission" in line or "read the topic" in line for line in failed), failed
        ended = secured.worker.start().wait(60)
        assert ended == 78, (name, operation, secured.worker.log_end())


def test_a_worker_that_may_not_write_ends_with_the_record(secured):
    secured.allow(secured.bindings("`topics create`"))
    assert secured.run("topics", "create", "--partitions", 2).returncode == 0
    secured.allow(secured.bindings(*WORKING, but={("topic", ".questions.dead-letter", "WRITE")}))
    secured.worker.start()
    secured.publish(secured.topics["questions"], "8", "{")
    assert secured.worker.wait(60) == 78, secured.worker.log_end()
    assert secured.topics["questions.dead-letter"] in secured.worker.log_end(3)
