"""The dashboard in a real browser while a load runs, and the page of a question."""

import copy
import datetime
import http.client
import http.server
import json
import os
import re
import threading
import time
import urllib.parse
from pathlib import Path

import pytest
from browser import Browser
from murmur2 import partition_of

NASTY = "<script>alert(1)</script>/\"'&%2F?#é"


@pytest.fixture(scope="module")
def browser():
    browser = Browser()
    try:
        yield browser
    finally:
        browser.close()


def question(key, **fields):
    value = {"id": key, "title": f"What about {key}?", "body": "It began\nlast week."} | fields
    return ("questions", key.encode(), json.dumps(value).encode(), [])


def answer(key, name, **fields):
    return ("answers", key.encode(), json.dumps({"id": name, "questionId": key} | fields).encode(), [])


def vote(key, name, voter, value=1):
    cast = {"questionId": key, "answerId": name, "voterId": voter, "value": value, "castAt": "2026-03-01T09:00:00Z"}
    return ("votes", key.encode(), json.dumps(cast).encode(), [])


class Load:
    """Publishes in the background until it is stopped."""

    def __init__(self, deployment, records, per_second=400):
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(deployment, records, per_second))
        self._thread.start()

    def _run(self, deployment, records, per_second):
        batch = max(1, per_second // 10)
        number = 0
        while not self._stop.is_set():
            deployment.publish([records(number + i) for i in range(batch)])
            number += batch
            self._stop.wait(0.1)

    def stop(self):
        self._stop.set()
        self._thread.join()


@pytest.fixture
def site(deploy):
    """A deployment with a worker that works, and where it answers."""
    deployment = deploy()
    deployment.create_topics()
    worker = deployment.worker().start()
    return deployment, worker, admin_url(worker)


def admin_url(worker, start=1):
    """start: of which of the worker's starts, counted from 1."""
    deadline = time.monotonic() + 30
    while len(found := [line for line in worker.log() if line["message"] == "admin address"]) < start:
        worker.check()
        assert time.monotonic() < deadline, worker.log_end()
        time.sleep(0.1)
    return found[start - 1]["url"]


def get(url, path, accept="application/json"):
    """path: as it goes over the wire."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=30)
    try:
        connection.request("GET", path, headers={"Accept": accept})
        response = connection.getresponse()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
    finally:
        connection.close()


def keep(page, name):
    """Screenshots for people, where they ask for them."""
    if directory := os.environ.get("REJOINDER_TEST_SCREENSHOTS"):
        page.screenshot(Path(directory) / f"{name}.png")


def number(text):
    return float(text.split()[0].replace(",", ""))


def test_dashboard_under_load(site, browser):
    deployment, worker, url = site
    deployment.publish([answer(f"q-{i}", f"a-{j}", title="Rest") for i in range(50) for j in range(3)])

    def record(i):
        if i % 200 == 0:
            # The parser's complaint about it goes into a dead letter's reason.
            return ("questions", b"bad", b'{"id":"bad","title":"<img src=x onerror=alert(2)>"}<script>', [])
        return vote(f"q-{i % 50}", "a-1", f"voter-{i}") if i % 4 == 0 else question(f"q-{i % 50}")

    load = Load(deployment, record)
    try:
        page = browser.page()
        page.open(url + "/")
        page.wait("document.querySelector('#connection').dataset.state === 'live'")
        # Two lines of the history, so that there is something to draw.
        page.wait("document.querySelectorAll('#chart-records path.curve').length >= 2", timeout=60)
        assert page.text("#verdict-line").split(":")[0] in (
            "Keeping up", "Idle", "Catching up", "Behind", "Falling behind", "Dead letters", "All records become dead letters")
        assert page.text("#worker") == worker.identity
        assert page.text("#group") == deployment.group
        keep(page, "dashboard")

        # The charts show the figures of /history, point by point.
        time.sleep(1)
        page.evaluate("document.querySelector('#chart-records details').open = true")
        page.evaluate("document.querySelector('#chart-lag details').open = true")
        rows = page.wait("[...document.querySelectorAll('#chart-records tbody tr')].map(r => r.innerText.split('\\t'))")
        history = json.loads(get(url, "/history")[2])
        assert len(rows) >= 2
        known = {
            page.evaluate(f"new Date({json.dumps(line['time'])}).toLocaleTimeString('en-GB')"): line for line in history
        }
        for when, rate_in, rate_out in rows:
            assert number(rate_in) == pytest.approx(known[when]["recordsInPerSecond"], abs=0.51)
            assert number(rate_out) == pytest.approx(known[when]["recordsOutPerSecond"], abs=0.51)
        bad = sum(line["deadLetters"]["invalid-json"] for line in history)
        row = page.wait("[...document.querySelectorAll('#dead-codes tr')].map(r => r.innerText.split('\\t'))"
                        ".find(r => r[0].trim() === 'invalid-json')")  # fmt: skip
        assert bad > 0 and number(row[2]) <= bad
        assert "invalid-json" in page.text("#causes")

        # The same figures for keyboards: the arrow keys read a chart's points out.
        page.evaluate("document.querySelector('#chart-records .plot').focus()")
        page.press("ArrowLeft")
        assert ": in " in page.text("#chart-records [aria-live]")
        page.press("Escape")

        # The other range is drawn from the events that came since the page was opened.
        page.evaluate("document.querySelector('[name=range][value=minutes]').click()")
        page.wait("document.querySelectorAll('#chart-records path.curve').length >= 2")
        page.wait("/chart of (\\d{2,}) points/.test(document.querySelector('#chart-records .plot').ariaLabel)")

        for width, dark in ((390, True), (360, False)):
            phone = browser.page(width, 800, dark)
            phone.open(url + "/")
            phone.wait("document.querySelectorAll('#chart-records path.curve').length >= 2", timeout=60)
            assert phone.evaluate("document.documentElement.scrollWidth") <= width
            keep(phone, f"dashboard-{width}")
            assert phone.complaints() == []

        assert page.evaluate("document.querySelectorAll('img, main script, [onerror]').length") == 0
        assert page.complaints() == []
        assert page.hosts() == {urllib.parse.urlsplit(url).netloc}
    finally:
        load.stop()


class Stage:
    """The worker's own page with made-up lines behind it."""

    def __init__(self, url, history, events):
        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                path = self.path.partition("?")[0]
                self.send_response(200)
                if path == "/history":
                    self.send_header("Content-Type", "application/json")
                    body = json.dumps([] if "?" in self.path else history).encode()
                elif path == "/events":
                    self.send_header("Content-Type", "text/event-stream")
                    body = b"".join(b"data: " + json.dumps(line).encode() + b"\n\n" for line in events)
                else:
                    _, fields, body = get(url, self.path)
                    for name in ("content-type", "content-security-policy"):
                        self.send_header(name, fields[name])
                self.end_headers()
                self.wfile.write(body)
                while path == "/events":
                    # Only a sign of life: the page has this line.
                    time.sleep(1)
                    try:
                        self.wfile.write(b"data: " + json.dumps(events[-1]).encode() + b"\n\n")
                    except OSError:
                        return

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self):
        self._server.shutdown()
        self._server.server_close()


def test_first_line(site, browser):
    """The worker's verdict is the first line, and the figures stand below; from lines that a worker could have
    written."""
    _, worker, url = site
    deadline = time.monotonic() + 30
    while not (history := json.loads(get(url, "/history")[2])):
        assert time.monotonic() < deadline, worker.log_end()
        time.sleep(0.5)
    template = history[0]
    end = datetime.datetime.now(datetime.timezone.utc)

    def line(ago, seconds=1.0, **fields):
        made = copy.deepcopy(template) | {"seconds": seconds, "uptimeSeconds": 5000.0 - ago, "rebalances": 0} | fields
        made["time"] = (end - datetime.timedelta(seconds=ago)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return made

    def lag(records, partitions=4):
        parts = [{"topic": "<b>q</b>", "partition": p, "records": records if p == 1 else 0} for p in range(partitions)]
        return {"total": records, "topics": {"<b>q</b>": records}, "largest": parts[1], "partitions": parts}

    shares = dict.fromkeys(template["timeShares"], 0.0)
    commits = shares | {"committing": 0.62, "producing": 0.38}
    resting = shares | {"idle": 1.0}
    busy = {"state": "working", "recordsInPerSecond": 12_400.0, "timeShares": commits}
    following = {
        "waitingQuestions": 1234.0, "waitingQuestionsSeconds": 0.64, "coalesceSeconds": 1.0,
        "republishedByAnswers": 20, "republishedByVotes": 40, "unseenChanges": 10,
    }
    lane = template["lanes"][0]
    held = lane | {"waitingFor": "the transaction coordinator to commit", "waitingSeconds": 34.0}
    restoring = [{"partition": 0, "done": 30, "of": 100, "seconds": 3.0}, {"partition": 1, "done": 0, "seconds": 1.0}]

    def says(kind, tone, said, more="", **fields):
        title = said.split(":")[0]
        return fields | {"verdict": {"kind": kind, "tone": tone, "title": title, "line": said, "more": more, "runbook": "rejoinderdown"}}

    waits = "Lane 0 waits for the transaction coordinator to commit, for 34 s."
    stages = {
        "Idle: nothing to do, lag 0": lambda ago: {"state": "idle", "lag": lag(0), "timeShares": resting},
        "Keeping up: 12,400 records/s, lag 3": lambda ago: busy | following | {"lag": lag(3)},
        "Falling behind: the oldest record has waited 15 s, lag 50,000, growing by 300/s": lambda ago: busy
        | {"lag": lag(50_000 - 300 * ago, 200)},
        "<b>Dead letters</b>: 3% of the records": lambda ago: busy | {"lag": lag(50_000)},
        "Stalled: 7,000 records wait and nothing was committed for 34 s": lambda ago: {
            "state": "stalled",
            "lag": lag(7000),
            "lanes": [held],
            "timeShares": shares | {"committing": 1.0},
        },
        "Lag not known yet: not every lane has its partitions and has seen how far it is in them": lambda ago: {
            "state": "idle",
            "lag": lag(40) if ago > 300 else {"topics": {"<b>q</b>": 7}, "partitions": []},
            "timeShares": resting,
        },
        "Restoring: answers and votes of 2 partitions, 30% done": lambda ago: {
            "state": "restoring",
            "lag": lag(9),
            "store": template["store"] | {"restoring": restoring},
        },
    }
    # The broker has been gone for five minutes, and there was no work.
    gone = says("unreachable", "bad", "No answer from the brokers for 5 min")
    stages["No answer from the brokers for 5 min; the figures are as of then"] = lambda ago: {
        "state": "idle", "lag": lag(0), "timeShares": resting,
    } | (gone if ago < 300 else says("idle", "good", "Idle"))
    for expected, fields in stages.items():
        # The worker was away from 1200 to 600 s ago.
        hour = [line(a, 10.0, **fields(a)) for a in range(3000, 0, -10) if not 600 < a < 1200]
        tone = "bad" if "Stalled" in expected else "good"
        said = says("idle", tone, expected, waits if "Stalled" in expected else "")
        stage = Stage(url, hour, [line(ago, **(fields(ago) | said)) for ago in range(30, -1, -1)])
        try:
            page = browser.page(360, 740, dark=True)
            page.open(stage.url + "/")
            page.wait(f"document.querySelector('#verdict-line').textContent === {json.dumps(expected)}")
            page.wait("document.querySelectorAll('#chart-time path.area').length >= 1")
            assert page.evaluate("document.querySelector('#announce').textContent") == expected
            # A gap is a gap: nothing is drawn across it, and the strip of states has it.
            assert page.evaluate("document.querySelectorAll('#chart-records path.curve.c-in').length") == 2
            assert page.evaluate("document.querySelectorAll('#chart-records rect.away').length") == 1
            assert "no worker" in page.text("#strip-key")
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
            if "Falling" in expected:
                rows = page.evaluate("[...document.querySelectorAll('.partitions tbody tr')].map(r => r.innerText)")
                assert len(rows) == 1 and rows[0].startswith("<b>q</b> [1]\t50,000")
                page.evaluate("document.querySelector('#partitions button').click()")
                assert page.evaluate("document.querySelectorAll('.partitions tbody tr').length") == 200
                assert page.evaluate("document.documentElement.scrollWidth") <= 360
            assert page.evaluate("document.querySelector('#verdict').dataset.kind") == tone
            assert page.evaluate("document.querySelector('#verdict-runbook a').getAttribute('href')") == "runbook#rejoinderdown"
            if "Stalled" in expected:
                assert page.text("#verdict-more") == waits
                waiting = page.evaluate("document.querySelector('#lanes tbody td:last-child').textContent")
                assert waiting == "the transaction coordinator to commit (34 s)"
                link = "document.querySelector('#lanes tbody td:last-child a').getAttribute('href')"
                assert page.evaluate(link) == "runbook#rejoinderlanewaiting"
            if "No answer" in expected:
                # From the first of its lines on.
                assert "no broker answers 4 min 50 s" in page.text("#strip-key")
            # Only where published records follow changes.
            assert page.evaluate("document.querySelector('#changes').hidden") == ("Keeping" not in expected)
            if "Keeping" in expected:
                facts = page.evaluate("[...document.querySelectorAll('#waiting dd')].map(d => d.textContent)")
                assert facts == ["1,234", "640 ms", "1 s", "4,820", "9,640", "2,410"]
                page.wait("document.querySelectorAll('#chart-republished path.curve').length >= 3")
            if "not known" in expected:
                # The lag of some partitions is not the topic's.
                page.evaluate("document.querySelector('#chart-lag details').open = true")
                shown = page.wait("[...document.querySelectorAll('#chart-lag tbody tr')].map(r => r.cells[1].innerText)")
                assert set(shown) == {"40", "–"}
            if "Restoring" in expected:
                assert page.evaluate("document.querySelectorAll('#restores progress').length") == 2
            assert page.evaluate("document.querySelectorAll('main b b').length") == 0
            assert page.complaints() == []
            keep(page, "state-" + re.sub(r"\W+", "-", expected.split(":")[0]))
        finally:
            stage.close()


def test_connection_lost_and_found(site, browser):
    deployment, worker, url = site
    page = browser.page()
    page.open(url + "/")
    page.wait("document.querySelector('#connection').dataset.state === 'live'")
    announced = page.wait("document.querySelector('#announce').textContent")
    assert "Connection" not in announced
    worker.terminate()
    page.wait("document.querySelector('#connection').dataset.state === 'lost'")
    assert "trying again in" in page.text("#connection")
    # The largest words are about now, not about the past.
    page.wait("document.querySelector('#verdict-line').textContent.startsWith('No answer from the worker for ')")
    assert page.text("#verdict-more").startswith("Below is what it said last, at ")
    page.wait("document.querySelector('#announce').textContent.startsWith('No answer from the worker')")
    # The same worker again, where it was.
    settings = worker.configuration_path.read_text("utf-8")
    port = urllib.parse.urlsplit(url).port
    worker.configuration_path.write_text(settings.replace("port: 0", f"port: {port}"), "utf-8")
    worker.start()
    page.wait("document.querySelector('#connection').dataset.state === 'live'", timeout=60)


def test_questions(site, browser):
    deployment, worker, url = site
    author = {
        "displayName": "Ada <b>Example</b>",
        "profession": "doctor",
        "specialty": "orthopedics",
        "location": "Oslo, Norway",
        "rating": 4.9,
        "reviewCount": 188,
    }
    keys = ("plain", NASTY, "..")
    tables = []
    for key in keys:
        tables += [
            answer(key, "a-1", title="Rest <img src=x onerror=alert(3)>", body="A day\u0000 or two.", author=author),
            answer(key, "<i>a-2</i>", body="Wait."),
            vote(key, "a-1", "v1"),
            vote(key, "<i>a-2</i>", "v1", -1),
        ]
    # Questions after that: nothing says which of two topics is read first.
    deployment.publish(tables)
    deployment.wait_until_drained()
    deployment.publish([question(key, title=f"First {key}") for key in keys])
    deployment.wait_until_drained()
    # Further back than the first look goes.
    deployment.publish([question(f"q-{i % 500}") for i in range(40_000)])
    deployment.publish([question("gone"), ("questions", b"gone", None, [])])
    deployment.publish([("questions", b"broken", b'{"id":"broken","title":""}', [])])
    deployment.wait_until_drained()

    # Byte for byte the published values.
    published = {record.key: record.value for record in deployment.read(deployment.enriched)}
    for key in ("plain", NASTY, "q-7"):
        status, fields, body = get(url, "/questions/" + urllib.parse.quote(key, safe=""))
        assert (status, fields["content-type"]) == (200, "application/json"), body
        assert body == published[key.encode()]
    assert get(url, "/questions?id=..")[2] == published[b".."]
    # Slashes need no escapes, and `format` wins over the Accept header.
    assert get(url, "/questions/" + urllib.parse.quote(NASTY, safe="/") + "?format=json", "text/html")[2] == published[
        NASTY.encode()
    ]

    for path, expected, code in (
        ("/questions/never-asked", 404, "not-found"),
        ("/questions/gone", 410, "deleted"),
        ("/questions/broken", 422, "dead-letter"),
        ("/questions/" + "x" * 201, 400, "no-id"),
        ("/questions/plain?partition=99", 400, "no-partition"),
    ):
        status, _, body = get(url, path)
        assert (status, json.loads(body)["code"]) == (expected, code)
        status, fields, body = get(url, path, "text/html")
        assert status == expected and fields["content-type"].startswith("text/html")
        assert "default-src 'none'" in fields["content-security-policy"]
        assert "script-src" not in fields["content-security-policy"]

    # Through the dashboard's form, as a person does.
    page = browser.page(800, 900)
    page.open(url + "/")
    page.evaluate(f"document.querySelector('#question-id').value = {json.dumps(NASTY)}")
    page.evaluate("document.querySelector('.lookup button').click()")
    page.wait("document.querySelector('h2')?.textContent === 'Answers 2'")
    assert page.text("h1") == f"First {NASTY}"
    first, second = page.evaluate("[...document.querySelectorAll('.answers > li')].map(a => a.innerText)")
    for text in ("+2", "Rest <img", "Ada <b>Example</b>", "doctor", "orthopedics", "Oslo, Norway", "4.9 out of 5", "188 reviews"):
        assert text in first
    assert "0" in second and "Wait." in second and "out of" not in second
    assert page.evaluate("document.querySelectorAll('script, img, i, main b > b').length") == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 800
    keep(page, "question")
    page.resize(360, 740)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.complaints() == []
    assert page.hosts() == {urllib.parse.urlsplit(url).netloc}


def test_dead_letters_can_be_opened(deploy):
    deployment = deploy(partitions=1)
    deployment.create_topics()
    headers = [("trace", b"<b>1</b>"), ("raw", b"\xff\x00"), ("none", None)]
    bad = b'{"id":"<script>alert(7)</script>"'
    worker = deployment.worker().start()
    deployment.publish([question("fine"), ("questions", b"bad", bad, headers), ("answers", b"\xfe", b"\xff", [])])
    deployment.wait_until_drained()
    url = admin_url(worker)
    deadline = time.monotonic() + 20
    while len(notes := json.loads(get(url, "/dead-letters")[2])) < 2:
        assert time.monotonic() < deadline, notes
        time.sleep(0.1)
    (note,) = [note for note in notes if note["topic"].endswith("questions")]
    (other,) = [note for note in notes if note["topic"].endswith("answers")]

    def path(note):
        return f"/dead-letters/{note['topic']}/{note['partition']}/{note['offset']}"

    status, fields, body = get(url, path(note))
    opened = json.loads(body)
    assert (status, fields["content-type"]) == (200, "application/json")
    assert (opened["code"], opened["message"]) == ("invalid-json", note["message"])
    assert opened["key"] == {"text": "bad"} and opened["value"] == {"text": bad.decode()}
    assert opened["headers"] == [
        {"name": "trace", "value": {"text": "<b>1</b>"}},
        {"name": "raw", "value": {"base64": "/wA="}},
        {"name": "none"},
    ]
    assert json.loads(get(url, path(other))[2])["value"] == {"base64": "/w=="}
    # As pages: the records' text stays text.
    status, fields, body = get(url, path(note), "text/html")
    assert status == 200 and b"&lt;script&gt;alert(7)" in body and b"<script>" not in body and b"<b>1" not in body
    assert "script-src" not in fields["content-security-policy"]
    assert path(note).encode() in get(url, "/dead-letters", "text/html")[2]
    # Nothing else of any topic is read.
    for place in (f"/{note['topic']}/0/0", f"/{note['topic']}/0/x", "/__consumer_offsets/0/0", f"/{note['topic']}/-1/0"):
        assert get(url, "/dead-letters" + place)[0] == 404
    assert worker.terminate() == 0


def test_the_history_survives_a_restart(deploy):
    deployment = deploy(partitions=1)
    deployment.create_topics()
    worker = deployment.worker().start()
    url = admin_url(worker)
    deadline = time.monotonic() + 40
    while not (before := json.loads(get(url, "/history")[2])):
        assert time.monotonic() < deadline, "no line of ten seconds"
        time.sleep(0.5)
    worker.kill()
    worker.start()
    assert json.loads(get(admin_url(worker, start=2), "/history")[2])[: len(before)] == before
    assert worker.terminate() == 0


def test_another_workers_question(deploy):
    deployment = deploy()
    deployment.create_topics()
    urls = []
    for name in ("w1", "w2"):
        worker = deployment.worker(name, deployment.cluster.group_properties).start()
        urls.append(admin_url(worker))
    deadline = time.monotonic() + 60
    while True:
        answers = [get(url, "/questions/q-1") for url in urls]
        if sorted(status for status, _, _ in answers) == [404, 421]:
            break
        assert time.monotonic() < deadline, answers
        time.sleep(0.2)
    told = {status: json.loads(body) for status, _, body in answers}
    assert told[421]["code"] == "not-owned"
    assert told[421]["partition"] == told[404]["partition"] == partition_of(b"q-1", deployment.partitions)
