"""Quix Streams, as its documentation joins a stream with state: answers and votes kept per key, questions looked up in
them."""

import argparse
import json
import os
import resource
import sys
import time

import orjson
from quixstreams import Application

parser = argparse.ArgumentParser()
for name in ("bootstrap-servers", "group", "mode", "questions", "answers", "votes", "enriched", "state"):
    parser.add_argument(f"--{name}")
parser.add_argument("--count", type=int)
options = parser.parse_args()


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


class Progress:
    done, began, began_cpu = 0, None, None


class Stop(Exception):
    pass


application = Application(
    broker_address=options.bootstrap_servers,
    consumer_group=options.group,
    auto_offset_reset="earliest",
    processing_guarantee=options.mode,
    commit_interval=0.1,
    state_dir=options.state,
    use_changelog_topics=False,
    consumer_extra_config={"receive.message.max.bytes": 1_000_000_000},
    producer_extra_config={"linger.ms": 20},
    loglevel="WARNING",
)
# The tables are read first, by hand: Quix has no way to say that a topic must be caught up before another is worked on.
from confluent_kafka import Consumer, TopicPartition  # noqa: E402

answers, tallies, votes = {}, {}, {}


def table(topic):
    consumer = Consumer({"bootstrap.servers": options.bootstrap_servers, "group.id": "unused", "enable.partition.eof": True,
                         "enable.auto.commit": False, "auto.offset.reset": "earliest",
                         "receive.message.max.bytes": 1_000_000_000})
    partitions = consumer.list_topics(topic).topics[topic].partitions
    consumer.assign([TopicPartition(topic, p, 0) for p in partitions])
    rest = set(partitions)
    while rest:
        for message in consumer.consume(10_000, 10):
            if message.error():
                rest.discard(message.partition())
            else:
                yield message.value()
    consumer.close()


for value in table(options.answers):
    answer = orjson.loads(value)
    # Without a time they come last.
    moment = answer.get("answeredAt", "~")
    answers.setdefault(answer["questionId"], {})[answer["id"]] = (moment, orjson.Fragment(value))
for value in table(options.votes):
    vote = orjson.loads(value)
    place = (vote["answerId"], vote["voterId"])
    tallies[vote["answerId"]] = tallies.get(vote["answerId"], 0) + vote["value"] - votes.get(place, 0)
    votes[place] = vote["value"]


def enrich(value):
    if Progress.began is None:
        Progress.began, Progress.began_cpu = time.monotonic(), cpu()
    question = orjson.loads(value)
    ranked = sorted(
        (-tallies.get(identifier, 0), moment, identifier, fragment)
        for identifier, (moment, fragment) in answers.get(question["id"], {}).items()
    )
    Progress.done += 1
    return orjson.dumps({
        "question": orjson.Fragment(value),
        "answers": [
            {"answer": fragment, "voteCount": -count, "voteLabel": f"+{1 - count}" if count <= 0 else str(1 - count)}
            for count, _, _, fragment in ranked
        ],
        "answerCount": len(ranked),
    })


source = application.topic(options.questions, value_deserializer="bytes", key_deserializer="bytes")
target = application.topic(options.enriched, value_serializer="bytes", key_serializer="bytes")
frame = application.dataframe(source)
frame = frame.apply(enrich)
frame.to_topic(target)
application.run(count=options.count, timeout=30)
seconds, used = time.monotonic() - Progress.began, cpu() - Progress.began_cpu
print()
print(json.dumps({"records": Progress.done, "seconds": seconds, "cpu_seconds": used}))
sys.stdout.flush()
os._exit(0)
