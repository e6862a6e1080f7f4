#!/usr/bin/env python3
"""Debezium's change events of a made-up site, as large as real ones: the envelopes and Connect's schemas are those of
the recording of a real PostgreSQL (Tests/SourcesTests/Resources), the rows are made from a seed.

    Benchmarks/harness/change_events.py --rows 200000 > events    lines of topic, key and value with tabs between them
"""

import argparse
import gzip
import json
import random
import sys
from pathlib import Path

RECORDING = Path(__file__).resolve().parents[2] / "Tests" / "SourcesTests" / "Resources" / "debezium.jsonl.gz"
TABLES = ("post", "vote")
# Of ten rows one is a question, three are answers, six are votes on answers that came before.
CYCLE = 10
FIRST_ID = 1_234_567_890_123_456_000
TEXTS = [
    "<p>Rub it with <b>salt</b> and cold water, then wash it as usual.</p>", "<p>Это не помогло: пятно осталось.</p>",
    "<ul><li>Soap</li><li>Lemon &amp; vinegar</li></ul>", '<a href=\\"https://example.org/?a=1&amp;b=2\\">see here</a>',
    "<p>你好，世界。请先用冷水浸泡。</p>", "<p>On wool, never use hot water: the fibres shrink and the ink sets.</p>\\n",
]  # fmt: skip


def schemas():
    """Of each table the parts of a recorded key and value up to the payload."""
    found = {}
    for line in gzip.decompress(RECORDING.read_bytes()).decode().splitlines():
        line = json.loads(line)
        table = line.get("topic", "").rpartition(".")[2]
        if table in TABLES and table not in found and line["value"]:
            key, value = line["key"], line["value"]
            found[table] = key[: key.index('"payload":') + 10], value[: value.index('"payload":') + 10]
    return found


def events(rows, seed=1):
    """Yields (table, key, value): a snapshot's, each answer after its question, each vote after its answer."""
    r = random.Random(seed)
    schema = schemas()
    # One in ten is so long that a database stores it apart from its row.
    bodies = ["".join(r.choice(TEXTS) for _ in range(r.randrange(2, 12) * (1 if n % 10 else 4))) for n in range(997)]
    for number in range(rows):
        cycle, place = divmod(number, CYCLE)
        if place < 4:
            row = FIRST_ID + cycle * 4 + place
            is_question = place == 0
            table = "post"
            after = (
                f'{{"id":{row},"kind":"{"question" if is_question else "answer"}",'
                f'"parent":{"null" if is_question else FIRST_ID + cycle * 4},'
                f'"title":{f"{chr(34)}How do I get ink number {cycle} out of wool?{chr(34)}" if is_question else "null"},'
                f'"body":"{bodies[number % 997]}","score":{number % 50},"price":"BGU=",'
                f'"made":"2026-0{1 + number % 9}-1{number % 9}T1{number % 10}:30:32.{100000 + number % 899999}Z",'
                f'"edited":{1709208000500000 + number},"day":{19782 - number % 5000},"gone":false,'
                f'"meta":"{{\\"n\\": {number}}}","tags":{f"[{chr(34)}wool{chr(34)},{chr(34)}ink{chr(34)}]" if is_question else "null"},'
                f'"author":"Ann Béa {number % 5000}"}}')
        else:
            table, row = "vote", cycle * 6 + place - 3
            answer = FIRST_ID + max(0, cycle - r.randrange(20)) * 4 + 1 + place % 3
            after = (
                f'{{"id":{row},"post_id":{answer},"user_id":{r.randrange(100000)},"kind":{2 if r.random() < 0.8 else 3},'
                f'"at":"2026-05-01T08:{number % 60:02}:00.{100000 + number % 899999}Z"}}')
        key, value = schema[table]
        time = 1795779118329 + number
        yield (table, f'{key}{{"id":{row}}}}}',
               f'{value}{{"before":null,"after":{after},"source":{{"version":"3.6.3.Final","connector":"postgresql",'
               f'"name":"site","ts_ms":{time},"snapshot":"true","db":"postgres","sequence":"[null,\\"22540936\\"]",'
               f'"ts_us":{time}025,"ts_ns":{time}025000,"schema":"public","table":"{table}","txId":918,"lsn":22540936,'
               f'"xmin":null,"origin":null,"origin_lsn":null}},"transaction":null,"op":"r","ts_ms":{time},'
               f'"ts_us":{time}552,"ts_ns":{time}552019}}}}')


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for table, key, value in events(options.rows, options.seed):
        sys.stdout.write(f"site.public.{table}\t{key}\t{value}\n")
