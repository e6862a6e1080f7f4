"""Throughput logs of made-up workers, for their readers' tests."""

import json
import math
import random
from datetime import datetime, timezone

ACTIVITIES = [
    "idle", "waitingForInput", "reading", "lookup", "rendering", "producing", "committing", "applyingTables", "other",
]
CODES = ["invalid-json", "too-deep", "schema", "key-mismatch", "too-large", "refused", "source"]
START = datetime(2026, 11, 20, 22, 0, tzinfo=timezone.utc).timestamp()


def rfc3339(seconds):
    text = datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{round(seconds % 1 * 1000) % 1000:03}Z"


def event(time, message, level="info", logger="worker", **fields):
    return {"time": rfc3339(time), "level": level, "logger": logger, "message": message} | fields


class MadeUpWorker:
    """One process of one worker: gives line after line."""

    def __init__(self, name="w-4f1d07c2", group="rejoinder", start=START, interval=10.0, partitions=8, seed=1, rate=9000):
        self.name = name
        self.group = group
        self.start = start
        self.now = start
        self.interval = interval
        self.partitions = partitions
        self.random = random.Random(seed)
        self.rate = rate
        self.lag = [0] * partitions
        self.cpu = 0.4
        self.run = {}

    def start_line(self):
        return event(
            self.start, "start", logger="rejoinder", identity=self.name, version="0.1.0", group=self.group, lanes=1)

    def shares(self, busy, slow):
        weights = [0.06, 0.16, 0.09, 0.14, 0.21, 0.22 + slow, 0.08, 0.04]
        total = sum(weights)
        parts = [round(busy * weight / total, 4) for weight in weights]
        return dict(zip(ACTIVITIES, [round(1 - sum(parts), 4), *parts]))

    def percentiles(self, count, middle):
        if not count:
            return None
        noise = self.random.uniform(0.9, 1.2)
        return {
            "count": count, "p50": round(middle * noise, 3), "p90": round(middle * noise * 2.1, 3),
            "p99": round(middle * noise * self.random.uniform(3.5, 6), 3),
            "max": round(middle * noise * self.random.uniform(8, 30), 3),
        }

    def line(self, state=None, load=None, slow=0.0, restoring=(), rebalances=0, dead=None, aborts=0, waiting=None):
        self.now += self.interval
        seconds = round(self.interval + self.random.uniform(-0.004, 0.004), 3)
        hour = self.now / 3600 % 24
        if load is None:
            load = 0.25 + 0.6 * max(0, math.sin((hour - 6) / 24 * 2 * math.pi)) + self.random.uniform(-0.04, 0.08)
        count = 0 if state in ("stalled", "restoring") else int(self.rate * load * seconds)
        votes = int(count * 0.6) if state != "restoring" else int(400_000 * seconds)
        answers = int(count * 0.2) if state != "restoring" else int(90_000 * seconds)
        if state == "stalled":
            votes = answers = 0
            self.lag = [lag + int(self.rate * load * seconds / self.partitions) for lag in self.lag]
        else:
            self.lag = [int(lag * 0.55 + self.random.expovariate(1 / (4 + 40 * load))) for lag in self.lag]
        dead = dead or {}
        out = max(count - sum(dead.values()), 0)
        cores = round(min(1.0, 0.03 + load * 0.7) + self.random.uniform(0, 0.03), 3)
        self.cpu += cores * seconds
        topics = {"questions": sum(self.lag), "answers": 0, "votes": 0}
        partitions = [
            {"topic": topic, "partition": number, "records": self.lag[number] if topic == "questions" else 0}
            for topic in sorted(topics)
            for number in range(self.partitions)
        ]
        largest = max(partitions, key=lambda partition: partition["records"])
        line = event(self.now, "throughput", logger="throughput") | {
            "seconds": seconds, "uptimeSeconds": round(self.now - self.start, 3), "version": "0.1.0", "group": self.group,
            "worker": self.name, "state": state or ("working" if count else "idle"), "recordsIn": count,
            "bytesIn": count * 320, "recordsOut": out, "bytesOut": out * 1800,
            "recordsInPerSecond": round(count / seconds, 3), "bytesInPerSecond": round(count * 320 / seconds, 3),
            "recordsOutPerSecond": round(out / seconds, 3), "bytesOutPerSecond": round(out * 1800 / seconds, 3),
            "answers": answers, "votes": votes, "answersAttached": out * 3, "answersOmitted": 0,
            "questionsWithoutAnswers": out // 20, "deadLetters": {code: dead.get(code, 0) for code in CODES},
            "deadLettersTotal": sum(dead.values()),
            "lag": {"total": sum(self.lag), "topics": topics, "partitions": partitions},
            "timeShares": self.shares(min(0.97, load) if count else 0.02, slow),
            "commits": 0 if state == "stalled" else 90, "aborts": aborts, "rebalances": rebalances,
            "store": {
                "bytes": 1_400_000_000, "answers": 3_000_000, "votes": 1_000_000, "partitions": self.partitions,
                "restoring": list(restoring)},
            "process": {
                "residentBytes": int(3.1e8 + 4e7 * load), "cpuSeconds": round(self.cpu, 3), "cpuCores": cores},
            "lanes": [],
        }
        if largest["records"]:
            line["lag"]["largest"] = largest
        for name, middle in (("latencyMs", 4 + 6 * load + 60 * slow), ("eventLatencyMs", 9 + 9 * load + 90 * slow),
                             ("commitLatencyMs", 2.5 + 30 * slow)):
            if value := self.percentiles(count, middle):
                line[name] = value
        lane = {
            "lane": 0, "partitions": list(range(self.partitions)), "recordsIn": count, "recordsOut": out,
            "answers": answers, "votes": votes, "deadLetters": sum(dead.values()), "commits": line["commits"],
            "aborts": aborts, "lag": sum(self.lag), "timeShares": line["timeShares"]}
        if waiting:
            lane |= {"waitingFor": waiting, "waitingSeconds": 12.5}
        line["lanes"].append(lane)
        return line

    def lines(self, count, **more):
        return [self.line(**more) for _ in range(count)]


def totals(lines, end=0.2):
    """The line of the whole run after these: their sums."""
    last = lines[-1]
    seconds = round(last["uptimeSeconds"] + end, 3)
    time = datetime.fromisoformat(last["time"].replace("Z", "+00:00")).timestamp() + end
    whole = dict(last) | {"time": rfc3339(time), "message": "totals", "seconds": seconds, "uptimeSeconds": seconds}
    for name in ("recordsIn", "bytesIn", "recordsOut", "bytesOut", "answers", "votes", "answersAttached",
                 "answersOmitted", "questionsWithoutAnswers", "deadLettersTotal", "commits", "aborts", "rebalances"):
        whole[name] = sum(line[name] for line in lines)
    for name in ("recordsIn", "bytesIn", "recordsOut", "bytesOut"):
        whole[f"{name}PerSecond"] = round(whole[name] / seconds, 3)
    for name in ("latencyMs", "eventLatencyMs", "commitLatencyMs"):
        whole.pop(name, None)
    whole["deadLetters"] = {code: sum(line["deadLetters"][code] for line in lines) for code in CODES}
    return whole


def write(path, lines):
    path.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines), "utf-8")
    return path


def a_day(name="w-4f1d07c2", seed=1, start=START, partitions=8):
    """24 hours of a worker that has its troubles: 8,640 lines of throughput, and the lines between them."""
    first = MadeUpWorker(name, seed=seed, start=start, partitions=partitions)
    lines = [first.start_line(), event(start + 3, "partitions assigned", partitions=list(range(partitions)))]
    restoring = [{"partition": 0, "done": 100_000, "of": 400_000, "seconds": 6}]
    lines += first.lines(6, state="restoring", restoring=restoring, rebalances=1)
    lines += first.lines(2400)
    for number in range(40):
        if number % 6 == 0:
            lines.append(
                event(first.now + 1, "waiting for the broker", "warning", cause="the transaction coordinator is away"))
        waiting = "the transaction coordinator to commit"
        lines.append(first.line(state="stalled" if number > 2 else None, load=0.4, slow=0.9, waiting=waiting, aborts=1))
    lines += first.lines(500)
    lines += first.lines(3, dead={"schema": 7, "invalid-json": 2})
    lines += first.lines(1500, slow=0.15)
    done = [line for line in lines if line["message"] == "throughput"]
    lines += [totals(done), event(first.now + 1, "stopped", logger="rejoinder")]
    second = MadeUpWorker(name, seed=seed + 100, start=first.now + 45, partitions=partitions)
    lines += [second.start_line(), event(second.start + 2, "partitions assigned", partitions=list(range(partitions)))]
    lines += second.lines(1, state="restoring", restoring=restoring, rebalances=1)
    lines += second.lines(8640 - len(done) - 2)
    lines += [second.line(rebalances=1)]
    return lines
