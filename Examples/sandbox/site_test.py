"""A test of a program beside Rejoinder, in Python: pip install confluent-kafka, then
REJOINDER=path/to/rejoinder python site_test.py"""

import json
import os
import subprocess
import urllib.request

from confluent_kafka import Consumer, Producer, TopicPartition

process = subprocess.Popen([os.environ.get("REJOINDER", "rejoinder"), "sandbox"], stdout=subprocess.PIPE)
try:
    site = json.loads(process.stdout.readline())

    def post(path):
        request = urllib.request.Request(site["admin"] + path, method="POST")
        return json.load(urllib.request.urlopen(request))

    beginnings = post("/sandbox/reset")["offsets"]

    producer = Producer({"bootstrap.servers": site["bootstrapServers"], "partitioner": "murmur2_random"})
    answer = {"id": "a1", "questionId": "q1", "body": "Because of the tides."}
    producer.produce(site["topics"]["answers"], key="q1", value=json.dumps(answer))
    producer.flush()
    # Answers and questions are two topics; a test that wants an order between them waits.
    post("/sandbox/wait-idle")
    producer.produce(site["topics"]["questions"], key="q1", value='{"id":"q1","title":"Why does the sea move?"}')
    producer.flush()
    post("/sandbox/wait-idle")

    consumer = Consumer({"bootstrap.servers": site["bootstrapServers"], "group.id": "test", "enable.auto.commit": False})
    enriched = site["topics"]["enriched"]
    consumer.assign([TopicPartition(enriched, int(number), offset) for number, offset in beginnings[enriched].items()])
    record = json.loads(consumer.poll(10).value())
    consumer.close()
    assert [each["answer"]["id"] for each in record["answers"]] == ["a1"], record
    print("ok")
finally:
    process.terminate()
    process.wait()
