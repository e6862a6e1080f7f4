"""The commands beside `run`, as a person types them."""

import json
import re
import signal
import subprocess
import time

import oracle
import pytest
import yaml
from cluster import free_port
from test_oracle import EXAMPLES
from worker import binary, command, environment


@pytest.fixture
def configured(deploy):
    """A deployment (without topics yet) and the arguments that lead the commands to it."""
    deployment = deploy()
    path = deployment.directory / "rejoinder.yaml"
    path.write_text(yaml.safe_dump(deployment.configuration("cli")), "utf-8")
    return deployment, ["--config", path]


def text(result):
    return (result.stdout + result.stderr).decode("utf-8")


def test_check_without_topics(configured):
    deployment, options = configured
    began = time.monotonic()
    result = command("check", *options)
    assert time.monotonic() - began < 15
    assert result.returncode == 78, text(result)
    for topic in (*deployment.topics.values(), deployment.enriched, deployment.dead_letters):
        assert topic in text(result)
    assert "topics create" in text(result)


def test_check_with_unequal_partition_counts(configured):
    deployment, options = configured
    deployment.create_topics(votes=deployment.partitions + 1)
    result = command("check", *options)
    assert result.returncode == 78, text(result)
    assert deployment.topics["votes"] in text(result)
    assert f"{deployment.partitions + 1}" in text(result)
    # `run` would not work either, and says so instead of working on half of the votes.
    worker = deployment.worker().start()
    assert worker.wait(15) == 78, worker.log_end()
    assert deployment.topics["votes"] in worker.log_end()


def test_check_without_broker(tmp_path):
    began = time.monotonic()
    server = f"127.0.0.1:{free_port()}"
    result = command("check", "--bootstrap-servers", server, "--state-dir", tmp_path / "state", cwd=tmp_path)
    assert result.returncode == 69, text(result)
    assert time.monotonic() - began < 15
    assert server in text(result)


def test_check_where_all_is_well(configured):
    deployment, options = configured
    deployment.create_topics()
    result = command("check", *options)
    assert result.returncode == 0, text(result)


def test_topics_create(configured):
    deployment, options = configured
    result = command("topics", "create", "--partitions", "3", "--replication-factor", "1", *options)
    assert result.returncode == 0, text(result)
    described = deployment.cluster.admin.list_topics(timeout=10).topics
    for topic in (*deployment.topics.values(), deployment.enriched):
        assert len(described[topic].partitions) == 3
    assert deployment.dead_letters in described
    # Once more changes nothing and is no failure.
    assert command("topics", "create", "--partitions", "3", "--replication-factor", "1", *options).returncode == 0
    assert command("check", *options).returncode == 0


def test_load_and_show(configured):
    deployment, options = configured
    deployment.create_topics()
    files = {kind: EXAMPLES / "load" / f"{kind}.jsonl" for kind in oracle.KINDS}
    for kind in (oracle.ANSWERS, oracle.VOTES, oracle.QUESTIONS):
        result = command("load", kind, files[kind], *options)
        assert result.returncode == 0, text(result)
    for kind, path in files.items():
        published = deployment.read(deployment.topics[kind])
        assert sorted(r.value for r in published) == sorted(path.read_bytes().splitlines())
        deployment.records += published
    worker = deployment.worker("cli").start()
    deployment.wait_until_drained()
    # While it runs, changes applied within the last quarter of a second may not be in the file yet.
    deadline = time.monotonic() + 10
    while command("show", "q-4101", "--json", *options).returncode != 0:
        assert time.monotonic() < deadline, "what was applied does not come into the file"
    for when in ("while it runs", "when it does not"):
        result = command("show", "q-4101", "--json", *options)
        assert result.returncode == 0, (when, text(result))
        assert "a-2001" in text(result)
        assert worker.terminate() == 0
    # Records loaded in the same millisecond cannot be told apart by their time: compare them as a whole.
    expected = [r.value for r in deployment.expected()]
    assert sorted(r.value for r in deployment.read(deployment.enriched)) == sorted(expected)


def test_load_refuses_bad_lines(configured):
    deployment, options = configured
    deployment.create_topics()
    lines = b'{"id":"q-1","title":"First?"}\n{"id":"q-2"}\n{"id":"q-3","title":"Third?"}\n'
    result = command("load", "questions", "-", *options, input=lines)
    assert result.returncode == 65, text(result)
    assert "2" in text(result) and "title" in text(result)
    assert deployment.read(deployment.topics["questions"]) == []
    result = command("load", "questions", "-", "--skip-invalid", *options, input=lines)
    assert result.returncode == 0, text(result)
    assert {r.key for r in deployment.read(deployment.topics["questions"])} == {b"q-1", b"q-3"}


POST = '  <row Id="{}" PostTypeId="2" ParentId="4" CreationDate="2024-05-01T10:00:00.000" Body="{}" />\n'
QUESTION = '  <row Id="4" PostTypeId="1" CreationDate="2024-05-01T09:00:00.000" Title="Why?" Body="b" Tags="|a|b|" />\n'


def write_dump(directory, *posts, votes=()):
    directory.mkdir()
    (directory / "Posts.xml").write_text("<posts>\n" + "".join(posts) + "</posts>\n")
    rows = (f'  <row Id="{n}" PostId="{post}" VoteTypeId="{kind}" CreationDate="2024-05-02T00:00:00.000" />\n' for n, post, kind in votes)
    (directory / "Votes.xml").write_text("<votes>\n" + "".join(rows) + "</votes>\n")
    return directory


def values(deployment, kind):
    return sorted((r.key, json.loads(r.value)["body" if kind == "answers" else "id" if kind == "questions" else "value"])
                  for r in deployment.read(deployment.topics[kind]))


def test_load_a_stack_exchange_dump(configured, tmp_path):
    deployment, options = configured
    deployment.create_topics()
    dump = write_dump(
        tmp_path / "dump", QUESTION, POST.format(7, "x"), POST.format(8, "y"), votes=[(1, 7, 2), (2, 7, 3), (3, 8, 5)])
    result = command("load", "--stack-exchange", dump, *options)
    assert result.returncode == 0, text(result)
    assert "1 questions, 2 answers, 2 votes loaded" in text(result)
    assert values(deployment, "answers") == [(b"4", "x"), (b"4", "y")]
    assert values(deployment, "votes") == [(b"4", -1), (b"4", 1)]
    assert values(deployment, "questions") == [(b"4", "4")]


def test_load_a_dump_leaves_out_rows_that_are_too_large(configured, tmp_path):
    deployment, options = configured
    deployment.create_topics()
    dump = write_dump(tmp_path / "dump", QUESTION, POST.format(7, "x" * 1_000_000), POST.format(8, "y"))
    result = command("load", "--stack-exchange", dump, *options)
    assert result.returncode == 65, text(result)
    assert "Posts.xml, Id 7" in text(result) and "message.max.bytes" in text(result), text(result)
    assert values(deployment, "answers") == [(b"4", "y")]
    assert values(deployment, "questions") == [(b"4", "4")]
    assert command("load", "--stack-exchange", dump, "--skip-invalid", *options).returncode == 0


def test_load_a_dump_that_is_cut_off_says_how_much_is_there(configured, tmp_path):
    deployment, options = configured
    deployment.create_topics()
    dump = write_dump(tmp_path / "dump", POST.format(7, "x"), POST.format(8, "y"), '  <row Id="9" PostTypeId="2" ParentId="4" Bo')
    result = command("load", "--stack-exchange", dump, *options)
    assert result.returncode == 65, text(result)
    assert "line 4" in text(result) and "Records loaded before this: 2." in text(result), text(result)
    assert values(deployment, "answers") == [(b"4", "x"), (b"4", "y")]


def test_a_stopped_load_of_a_dump_says_how_much_is_there(configured, tmp_path):
    deployment, options = configured
    deployment.create_topics()
    topic = deployment.topics["answers"]
    dump = write_dump(tmp_path / "dump", *(POST.format(number, "x" * 100) for number in range(10, 400_000)))
    process = subprocess.Popen(
        [binary(), "load", "--stack-exchange", str(dump), *map(str, options)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=environment(None))  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while not deployment.read(topic):
            assert time.monotonic() < deadline and process.poll() is None, process.communicate()
            time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == -signal.SIGINT, (output, errors)
    found = re.match(rb"stopped: the first (\d+) records of the dump", output)
    assert found, (output, errors)
    number = int(found[1])
    assert 0 < number < 399_990
    # The tests' broker shows the records of a transaction a moment after it has answered its commit.
    deadline = time.monotonic() + 10
    while len(deployment.read(topic)) != number and time.monotonic() < deadline:
        time.sleep(0.2)
    ids = sorted(int(json.loads(r.value)["id"]) for r in deployment.read(topic))
    assert ids == list(range(10, 10 + number))


def test_flags_over_environment_over_file(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("kafka:\n  bootstrapServers: file:1\n  groupId: from-file\n  properties:\n    sasl.password: hunter2\ndelivery: at-least-once\n")
    environment = {"REJOINDER_KAFKA_GROUP_ID": "from-environment", "REJOINDER_KAFKA_BOOTSTRAP_SERVERS": "environment:1"}
    result = command("config", "--config", path, "--bootstrap-servers", "flag:1", env=environment, cwd=tmp_path)
    assert result.returncode == 0, text(result)
    shown = text(result)
    for expected in ("flag:1", "from-environment", "at-least-once"):
        assert expected in shown
    for hidden in ("file:1", "environment:1", "from-file", "hunter2"):
        assert hidden not in shown


def test_the_compose_file_says_what_the_program_understands(tmp_path):
    services = yaml.safe_load((EXAMPLES.parent / "docker-compose.yml").read_text("utf-8"))["services"]
    for name in ("topics", "rejoinder", "sample"):
        # As compose fills them in where nothing is set.
        variables = {k: re.sub(r"\$\{\w+:-(.*)\}", r"\1", v) for k, v in services[name]["environment"].items()}
        result = command("config", env=variables, cwd=tmp_path)
        assert result.returncode == 0, (name, text(result))
        for value in variables.values():
            assert value in text(result)
    # A question that comes before its answers has to be published again with them, as in docs/sources.md.
    for name in ("topics", "rejoinder"):
        assert services[name]["environment"]["REJOINDER_PUBLISH_ON"] == "${REJOINDER_PUBLISH_ON:-changes}"
    cdc = EXAMPLES.parent / "deploy/cdc/rejoinder.yaml"
    assert "on: changes" in text(command("config", "--config", cdc, cwd=tmp_path))
    assert command("sources", "lint", "--config", cdc, cwd=tmp_path).returncode == 0
    # The one-shot services run commands that exist, with options that they take.
    assert command(*services["topics"]["command"], "--help", cwd=tmp_path).returncode == 0
    assert command("load", "--help", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("kafka:\n  bootstrapServer: x:1\n", ("kafka.bootstrapServer", "kafka.bootstrapServers")),
        ("deliverry: exactly-once\n", ("deliverry", "delivery")),
        ("delivery: twice\n", ("delivery", "twice")),
        ("lanes: many\n", ("lanes",)),
        ("kafka:\n  properties:\n    fetch.min.byte: 1\n", ("fetch.min.byte", "fetch.min.bytes")),
        ("kafka:\n  properties:\n    fetch.min.bytes: none\n", ("fetch.min.bytes",)),
    ],
)
def test_configuration_errors_name_the_key(tmp_path, content, named):
    path = tmp_path / "c.yaml"
    path.write_text(content)
    for subcommand in ("run", "config"):
        result = command(subcommand, "--config", path, cwd=tmp_path, timeout=15)
        if subcommand == "config" and "properties" in content:
            continue
        assert result.returncode == 78, text(result)
        for name in named:
            assert name in text(result)


def test_demo():
    result = command("demo", "--json", cwd=EXAMPLES.parent, timeout=60)
    assert result.returncode == 0, text(result)
    golden = [json.loads(line)["payload"] for line in (EXAMPLES / "enriched.golden.jsonl").read_text("utf-8").splitlines()]
    came = result.stdout.decode("utf-8").splitlines()
    assert sorted(line for line in came if line.startswith('{"question"')) == sorted(value for value in golden if value)
    shown = text(command("demo", cwd=EXAMPLES.parent, timeout=60))
    for expected in ("Dr. Adaeze Okafor", "+4", "4.9 out of 5", "188 reviews"):
        assert expected in shown
    before, _, after = shown.partition("before and after its first answer")[2].partition("within publish.coalesceMs")
    assert before.count("Is a question's record current") == 2 and "+2" in before and "Rejoinder" in after
