"""A worker's /metrics: for promtool, for a real Prometheus, and beside the figures that an independent client reads
from Kafka."""

import collections
import itertools
import socket
import threading
import time

import oracle
import pytest
from cluster import CLIENT
from confluent_kafka import Consumer, Producer, TopicPartition
from generator import Generator
from prometheus import Prometheus, Samples, address, promtool, scrape
from proxy import Proxy, Quota
from test_deploy import RULES, dashboard_expressions, filled, metrics_in
from test_faults import Background, mixed
from test_late_requests import behind
from test_worker import questions, traffic

# Panels that show nothing while all is well.
QUIET = {"Held up", "Restore", "Restoring for", "Restarts", "Rebalances", "Event to acknowledged, p99"}
# And where published records do not follow changes.
QUIET |= {"Questions that wait", "The oldest change waits"}
# Families that are there while they have something to say.
PASSING = ("rejoinder_restore_", "rejoinder_waiting_questions", "rejoinder_coalesce_seconds")


@pytest.fixture
def prometheus(tmp_path):
    """Starts servers that scrape the workers given, and stops them."""
    started = []

    def start(*workers, interval="100ms"):
        directory = tmp_path / f"prometheus-{len(started)}"
        directory.mkdir()
        started.append(Prometheus(directory, [address(worker) for worker in workers], interval))
        started[-1].wait_until_up(len(workers))
        return started[-1]

    yield start
    for server in started:
        server.stop()


def settled(worker, seconds=2.5):
    """The metrics when nothing is to be done any more: lag is looked at once a second, and so are the histograms."""
    time.sleep(seconds)
    return Samples(scrape(address(worker)))


def kafka_lags(deployment):
    """By (topic, partition), as Kafka's own tools reckon it: from the committed offset to the end of the log."""
    consumer = Consumer(
        {
            "bootstrap.servers": deployment.cluster.bootstrap_servers,
            "group.id": "rejoinder-test-lag",
            "isolation.level": "read_uncommitted",
            **CLIENT,
        }
    )
    lags = {}
    try:
        for topic in deployment.topics.values():
            committed = deployment.cluster.committed(deployment.group, topic, deployment.partitions)
            for partition in range(deployment.partitions):
                low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
                position = committed.get(partition)
                lags[topic, partition] = high - (low if position is None else position)
    finally:
        consumer.close()
    return lags


def open_transaction(deployment):
    """A producer that has begun one."""
    producer = Producer(
        {
            "bootstrap.servers": deployment.cluster.bootstrap_servers,
            "transactional.id": f"{deployment.group}-other",
            "transaction.timeout.ms": 60_000,
        }
    )
    producer.init_transactions(30)
    producer.begin_transaction()
    return producer


def worker_lags(samples):
    return {
        (labels["topic"], int(labels["partition"])): value for labels, value in samples.all("rejoinder_consumer_lag")
    }


@pytest.mark.parametrize("lanes", [1, 3])
def test_counts_are_those_of_kafka(deploy, scale, prometheus, lanes):
    deployment = deploy()
    deployment.create_topics()
    worker = deployment.worker(lanes=lanes).start()
    server = prometheus(worker)
    generator = Generator(seed=41, questions=60)
    deployment.publish(mixed(traffic(generator, 400, 600), oracle.VOTES, generator))
    asked = list(mixed(questions(generator, int(3000 * scale)), oracle.QUESTIONS, generator))
    # A steady load, for the rate: it begins and ends well within the window.
    time.sleep(3)
    window, end = 30, time.time() + 28
    with Background(deployment, asked, seconds=12):
        pass
    deployment.wait_until_drained()
    samples = settled(worker)

    published = collections.Counter(deployment.kinds[record.topic] for record in deployment.records)
    enriched = deployment.read(deployment.enriched)
    letters = deployment.read(deployment.dead_letters)
    codes = collections.Counter(dict(letter.headers)["rejoinder.error.code"].decode() for letter in letters)
    assert len(codes) > 2
    refused = collections.Counter(
        deployment.kinds[dict(letter.headers)["rejoinder.source.topic"].decode()] for letter in letters
    )
    for kind, topic in deployment.topics.items():
        assert samples.get("rejoinder_records_consumed_total", topic=topic) == published[kind], kind
        size = sum(len(r.value or b"") for r in deployment.records if r.topic == topic)
        assert samples.get("rejoinder_consumed_bytes_total", topic=topic) == size, kind
    assert samples.get("rejoinder_records_published_total", topic=deployment.enriched) == len(enriched)
    assert samples.get("rejoinder_published_bytes_total", topic=deployment.enriched) == sum(
        len(record.value or b"") for record in enriched
    )
    assert samples.get("rejoinder_records_published_total", topic=deployment.dead_letters) == len(letters)
    for kind in (oracle.ANSWERS, oracle.VOTES):
        applied = published[kind] - refused[kind]
        assert samples.get("rejoinder_table_records_applied_total", table=kind) == applied, kind
    for labels, value in samples.all("rejoinder_dead_letters_total"):
        assert value == codes[labels["code"]], labels
    # Each event counts once in the latencies, each commit in theirs, and the lanes' time is all there is.
    done = published[oracle.QUESTIONS]
    assert samples.get("rejoinder_record_latency_seconds_count") == done
    assert samples.get("rejoinder_record_latency_seconds_bucket", le="+Inf") == done
    assert samples.get("rejoinder_commit_seconds_count") == samples.get("rejoinder_commits_total") > 0
    assert samples.get("rejoinder_event_latency_seconds_count") > 0
    assert samples.get("rejoinder_step_seconds_count") > 0
    assert samples.get("rejoinder_aborts_total") == 0
    for lane in range(lanes):
        spent = samples.sum("rejoinder_lane_time_seconds_total", lane=str(lane))
        assert 10 < spent < time.time() - samples.get("process_start_time_seconds") + 5
    assert samples.get("rejoinder_partitions_assigned") == deployment.partitions
    assert samples.sum("rejoinder_store_rows", kind="answers") > 0

    # The same through Prometheus: the growth between two scrapes exactly, and its rate up to extrapolation.
    time.sleep(max(0, end - time.time()))
    for metric, topic, count in (
        ("rejoinder_records_consumed_total", deployment.topics[oracle.QUESTIONS], done),
        ("rejoinder_records_published_total", deployment.enriched, len(enriched)),
    ):
        series = f'{metric}{{topic="{topic}"}}'
        assert server.value(f"max_over_time({series}[1m]) - min_over_time({series}[1m])", at=end) == count
        assert server.value(f"rate({series}[{window}s])", at=end) * window == pytest.approx(count, rel=0.01)

    # With that load behind it, each panel of the dashboard has something to show.
    for title, expression in dashboard_expressions():
        # A scrape that came too late on a busy machine leaves a moment without values.
        found = server.query(filled(expression), at=end) or server.query(filled(expression), at=end - 1)
        assert found or title in QUIET, f"{title}: {expression}"
    # And no alert fires but for the dead letters that were sent.
    alerts = {alert["labels"]["alertname"] for alert in server.api("alerts")["alerts"] if alert["state"] == "firing"}
    assert alerts <= {"RejoinderDeadLetters"}


def test_promtool_finds_nothing_to_say(deploy):
    deployment = deploy()
    deployment.create_topics()
    generator = Generator(seed=42)
    deployment.publish(traffic(generator, 50, 50))
    worker = deployment.worker(lanes=2).start()
    deployment.publish(questions(generator, 50))
    deployment.wait_until_drained()
    time.sleep(2)
    text = scrape(address(worker))
    result = promtool("check", "metrics", input=text)
    assert (result.returncode, result.stdout + result.stderr) == (0, "")
    # Nothing that records bring along is in it: as many series however many questions there are.
    samples = Samples(text)
    assert len(samples.values) < 400
    assert all(name.startswith(("rejoinder_", "process_")) for name in samples.names)
    families = {name for name in samples.types}
    for title, expression in [*dashboard_expressions(), *((rule["alert"], rule["expr"]) for rule in RULES)]:
        for name in metrics_in(expression) - {"up"}:
            known = name.removesuffix("_bucket") if samples.types.get(name.removesuffix("_bucket")) == "histogram" else name
            # Some families exist only while a partition is restored.
            assert known in families or known.startswith(PASSING), f"{title}: there is no {name}"
    assert worker.terminate() == 0


def test_lag_is_what_kafka_says(deploy):
    deployment = deploy()
    deployment.create_topics()
    generator = Generator(seed=43)
    deployment.publish(traffic(generator, 100, 100))
    worker = deployment.worker().start()
    deployment.publish(questions(generator, 400))
    deployment.wait_until_drained()
    assert worker_lags(settled(worker)) == kafka_lags(deployment)

    # A producer that leaves a transaction open: the records behind it cannot be read, however long the worker waits.
    producer = open_transaction(deployment)
    for _ in range(7):
        producer.produce(deployment.topics[oracle.QUESTIONS], b'{"id":"q","title":"?"}', b"q", partition=2)
    assert producer.flush(30) == 0
    deployment.publish(questions(generator, 300))
    deadline = time.monotonic() + 30
    while True:
        samples = settled(worker)
        expected = kafka_lags(deployment)
        if worker_lags(samples) == expected and max(expected.values()) > 7:
            break
        assert time.monotonic() < deadline, {p: (worker_lags(samples).get(p), lag) for p, lag in expected.items()}
    behind = {place for place, lag in expected.items() if lag}
    assert behind == {(deployment.topics[oracle.QUESTIONS], 2)}
    producer.abort_transaction(30)
    deployment.wait_until_drained()
    assert worker.terminate() == 0


def test_partitions_that_moved_are_told_by_their_new_owner_alone(deploy, cluster):
    deployment = deploy()
    deployment.create_topics()
    generator = Generator(seed=44)
    deployment.publish(traffic(generator, 100, 100))
    first = deployment.worker("w1", cluster.group_properties).start()
    deployment.publish(questions(generator, 100))
    deployment.wait_until_drained()
    assert len(worker_lags(settled(first))) == 3 * deployment.partitions
    second = deployment.worker("w2", cluster.group_properties).start()
    deadline = time.monotonic() + 60
    while True:
        both = [Samples(scrape(address(worker))) for worker in (first, second)]
        shares = [set(worker_lags(samples)) for samples in both]
        if all(len(share) == 3 * deployment.partitions / 2 for share in shares) and not shares[0] & shares[1]:
            break
        assert time.monotonic() < deadline, shares
        time.sleep(0.3)
    for samples, share in zip(both, shares):
        partitions = {str(partition) for _, partition in share}
        assert samples.get("rejoinder_partitions_assigned") == len(partitions)
        assert {labels["partition"] for labels, _ in samples.all("rejoinder_store_bytes")} == partitions
    assert second.terminate() == 0
    assert first.terminate() == 0


def test_a_quota_that_delays_answers_is_named(deploy, cluster):
    deployment = deploy(partitions=1)
    deployment.create_topics()
    with Proxy.before(cluster) as link:
        link.add(Quota(3_200))
        worker = behind(link, deployment, monitoring={"intervalSeconds": 1}).start()
        deployment.publish(questions(Generator(seed=46), 20))
        deployment.wait_until_drained()
        samples = settled(worker)
        assert samples.get("rejoinder_throttled_seconds_total") >= 3.2
        assert worker.terminate() == 0
    lines = [line for line in worker.log() if line.get("message") == "throughput"]
    assert sum(line["throttledMilliseconds"] for line in lines) >= 3_200
    assert any("quota" in str(line["verdict"]) and "3.2" in str(line["verdict"]) for line in lines), lines[-1]["verdict"]


def test_a_restore_is_told_of_until_it_is_done(deploy):
    deployment = deploy()
    deployment.create_topics()
    deployment.publish(traffic(Generator(seed=45), 3_000, 6_000))
    began = time.time()
    worker = deployment.worker().start()
    server = address(worker)
    deadline = time.monotonic() + 60
    while True:
        samples = Samples(scrape(server))
        restoring = {labels["partition"] for labels, _ in samples.all("rejoinder_restore_records_done")}
        assert len(restoring) == samples.get("rejoinder_partitions_restoring") <= deployment.partitions
        for labels, since in samples.all("rejoinder_restore_start_timestamp_seconds"):
            assert labels["partition"] in restoring
            assert began - 1 < since < time.time() + 1
        for labels, of in samples.all("rejoinder_restore_records"):
            assert samples.get("rejoinder_restore_records_done", **labels) <= of
        if samples.get("rejoinder_partitions_assigned") == deployment.partitions and not restoring:
            break
        assert time.monotonic() < deadline
    assert not samples.all("rejoinder_restore_records") + samples.all("rejoinder_restore_start_timestamp_seconds")
    assert samples.sum("rejoinder_table_records_applied_total") == 9_000
    assert worker.terminate() == 0


def test_slow_clients_keep_nobody_waiting(deploy):
    deployment = deploy()
    deployment.create_topics()
    generator = Generator(seed=46)
    deployment.publish(traffic(generator, 200, 200))
    worker = deployment.worker().start()
    host, _, port = address(worker).rpartition(":")
    stopped = threading.Event()
    opened = itertools.count()

    def hold_on():
        """Keeps fifty connections with half a request open, one byte more now and then; a new one for each that
        ends."""
        held = []
        while not stopped.is_set():
            while len(held) < 50:
                client = socket.create_connection((host, int(port)), 10)
                client.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
                held.append(client)
                next(opened)
            for client in list(held):
                try:
                    client.sendall(b"x")
                except OSError:
                    client.close()
                    held.remove(client)
            stopped.wait(0.05)
        for client in held:
            client.close()

    threads = [threading.Thread(target=hold_on) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        while next(opened) < 200:
            time.sleep(0.05)
        scrapes = 0
        with Background(deployment, questions(generator, 3000), seconds=8) as load:
            while load.running:
                assert Samples(scrape(f"{host}:{port}")).get("rejoinder_partitions_assigned") is not None
                scrapes += 1
        assert scrapes >= 5
        deployment.wait_until_drained()
    finally:
        stopped.set()
        for thread in threads:
            thread.join()
    samples = settled(worker)
    assert samples.get("rejoinder_records_consumed_total", topic=deployment.topics[oracle.QUESTIONS]) == 3000
    assert worker.terminate() == 0
