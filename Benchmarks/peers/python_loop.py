"""A worker written by hand: confluent-kafka and orjson, tables in dictionaries. No restart, no rebalance, no bad
records."""

import argparse
import json
import resource
import time

import orjson
from confluent_kafka import Consumer, Producer, TopicPartition

parser = argparse.ArgumentParser()
for name in ("bootstrap-servers", "group", "mode", "questions", "answers", "votes", "enriched", "state"):
    parser.add_argument(f"--{name}")
parser.add_argument("--count", type=int)
options = parser.parse_args()
CLIENT = {"bootstrap.servers": options.bootstrap_servers, "receive.message.max.bytes": 1_000_000_000}
COMMIT_SECONDS = 0.1


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def table(topic):
    """Every value of a topic, from its beginning to its present end."""
    consumer = Consumer(CLIENT | {"group.id": "unused", "enable.partition.eof": True, "enable.auto.commit": False,
                                  "auto.offset.reset": "earliest"})
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


answers, tallies, votes = {}, {}, {}
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
    question = orjson.loads(value)
    ranked = sorted(
        (-tallies.get(identifier, 0), moment, identifier, fragment)
        for identifier, (moment, fragment) in answers.get(question["id"], {}).items()
    )
    return orjson.dumps({
        "question": orjson.Fragment(value),
        "answers": [
            {"answer": fragment, "voteCount": -count, "voteLabel": f"+{1 - count}" if count <= 0 else str(1 - count)}
            for count, _, _, fragment in ranked
        ],
        "answerCount": len(ranked),
    })


once = options.mode == "exactly-once"
producer = Producer(CLIENT | {"enable.idempotence": True, "linger.ms": 20} | ({"transactional.id": options.group} if once else {}))
consumer = Consumer(CLIENT | {"group.id": options.group, "auto.offset.reset": "earliest", "enable.auto.commit": False,
                              "enable.auto.offset.store": False, "isolation.level": "read_committed"})
if once:
    producer.init_transactions()
consumer.subscribe([options.questions])
done, began, offsets = 0, None, {}
while done < options.count:
    messages = consumer.consume(2_000, 0.02)
    if messages and began is None:
        began, began_cpu, committed = time.monotonic(), cpu(), time.monotonic()
    if messages and once and not offsets:
        producer.begin_transaction()
    for message in messages:
        if message.error():
            raise SystemExit(str(message.error()))
        while True:
            try:
                producer.produce(options.enriched, enrich(message.value()), message.key(), message.partition(),
                                 timestamp=message.timestamp()[1])
                break
            except BufferError:
                producer.poll(0.01)
        offsets[message.partition()] = message.offset() + 1
        done += 1
    producer.poll(0)
    if offsets and (time.monotonic() - committed >= COMMIT_SECONDS or done >= options.count):
        list_ = [TopicPartition(options.questions, p, offset) for p, offset in offsets.items()]
        if once:
            producer.send_offsets_to_transaction(list_, consumer.consumer_group_metadata())
            producer.commit_transaction()
        else:
            producer.flush()
            consumer.commit(offsets=list_, asynchronous=False)
        offsets, committed = {}, time.monotonic()
print(json.dumps({"records": done, "seconds": time.monotonic() - began, "cpu_seconds": cpu() - began_cpu}))
