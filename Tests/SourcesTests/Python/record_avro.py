"""Writes Tests/SourcesTests/Resources/avro.json: values as fastavro encodes them, and the JSON that they are to become.

    .venv/bin/python Tests/SourcesTests/Python/record_avro.py
"""

import datetime
import decimal
import io
import json
import uuid
from pathlib import Path

import fastavro

UTC = datetime.UTC


def record(*fields, **more):
    return {"type": "record", "name": "Row", "fields": [{"name": name, "type": type} for name, type in fields]} | more


def logical(type, meaning, **more):
    return {"type": type, "logicalType": meaning} | more


TREE = {
    "type": "record", "name": "Tree", "namespace": "a.b",
    "fields": [
        {"name": "value", "type": "int"}, {"name": "children", "type": {"type": "array", "items": "Tree"}},
        {"name": "parent", "type": ["null", "a.b.Tree"]},
    ],
}  # fmt: skip


def leaf(value, *children, parent=None):
    return {"value": value, "children": list(children), "parent": parent}


# (name, schema, value, the JSON)
CASES = [
    ("numbers", record(("i", "int"), ("l", "long"), ("f", "float"), ("d", "double"), ("b", "boolean"), ("n", "null")),
     {"i": -(2**31), "l": 2**63 - 1, "f": 0.5, "d": -1e-300, "b": True, "n": None},
     '{"i":-2147483648,"l":9223372036854775807,"f":0.5,"d":-1e-300,"b":true,"n":null}'),
    ("what is no number", record(("a", "double"), ("b", "float"), ("c", "double")),
     {"a": float("inf"), "b": float("-inf"), "c": float("nan")}, '{"a":"inf","b":"-inf","c":"nan"}'),
    ("texts", record(("s", "string"), ("e", {"type": "enum", "name": "E", "symbols": ["A", "B"]}), ("b", "bytes")),
     {"s": 'a"\\\n\r\t\x01\u05d0\U0001f600', "e": "B", "b": b"\x00\xff"},
     '{"s":"a\\"\\\\\\n\\r\\t\\u0001\u05d0\U0001f600","e":"B","b":"AP8="}'),
    ("collections", record(("a", {"type": "array", "items": ["null", "string"]}), ("m", {"type": "map", "values": "long"}),
                           ("x", {"type": "array", "items": "int"})),
     {"a": ["x", None], "m": {"k": 1, "l\n": 2}, "x": []}, '{"a":["x",null],"m":{"k":1,"l\\n":2},"x":[]}'),
    ("unions of many", record(("a", ["null", "string", "long", {"type": "array", "items": "int"}]), ("b", ["string", "long"])),
     {"a": [1, 2], "b": 7}, '{"a":[1,2],"b":7}'),
    ("times", record(
        ("date", logical("int", "date")), ("tm", logical("int", "time-millis")), ("tu", logical("long", "time-micros")),
        ("ms", logical("long", "timestamp-millis")), ("us", logical("long", "timestamp-micros")),
        ("lms", logical("long", "local-timestamp-millis")), ("lus", logical("long", "local-timestamp-micros"))),
     {"date": datetime.date(1969, 12, 31), "tm": datetime.time(12, 34, 56, 789_000), "tu": datetime.time(0, 0, 0, 1),
      "ms": datetime.datetime(2024, 2, 29, 23, 59, 59, 999_000, UTC), "us": datetime.datetime(1969, 12, 31, 23, 59, 59, 1, UTC),
      "lms": datetime.datetime(2024, 1, 1), "lus": datetime.datetime(2024, 1, 1, 1, 2, 3, 4)},
     '{"date":"1969-12-31T00:00:00Z","tm":"12:34:56.789","tu":"00:00:00.000001","ms":"2024-02-29T23:59:59.999Z",'
     '"us":"1969-12-31T23:59:59.000001Z","lms":"2024-01-01T00:00:00Z","lus":"2024-01-01T01:02:03.000004Z"}'),
    # fastavro does not know nanoseconds; Connect's names stand for types that Avro has no name for.
    ("times by other names", record(
        ("ns", logical("long", "timestamp-nanos")),
        ("lns", logical("long", "local-timestamp-nanos")),
        ("mt", {"type": "long", "connect.version": 1, "connect.name": "io.debezium.time.MicroTimestamp"}),
        ("d", ["null", {"type": "int", "connect.name": "io.debezium.time.Date"}]),
        ("z", {"type": "string", "connect.name": "io.debezium.time.ZonedTimestamp"}),
        ("far", {"type": "long", "connect.name": "io.debezium.time.MicroTimestamp"}),
        ("t", {"type": "long", "connect.name": "io.debezium.time.MicroTime"})),
     {"ns": 1_700_000_000_123_456_789, "lns": 1, "mt": 1_700_000_000_000_001, "d": 0, "z": "2024-01-01T00:00:00Z", "far": 2**62,
      "t": 1},
     '{"ns":"2023-11-14T22:13:20.123456789Z","lns":"1970-01-01T00:00:00.000000001Z","mt":"2023-11-14T22:13:20.000001Z",'
     '"d":"1970-01-01T00:00:00Z","z":"2024-01-01T00:00:00Z","far":4611686018427387904,"t":"00:00:00.000001"}'),
    ("decimals", record(
        ("a", logical("bytes", "decimal", precision=40, scale=2)),
        ("b", logical("fixed", "decimal", name="F", size=8, precision=18, scale=6)),
        ("c", logical("bytes", "decimal", precision=5)),
        ("d", logical("bytes", "decimal", precision=40, scale=0)),
        ("e", {"type": "bytes", "scale": 3, "precision": 64, "connect.version": 1, "connect.parameters": {"scale": "3"},
               "connect.name": "org.apache.kafka.connect.data.Decimal", "logicalType": "decimal"})),
     {"a": decimal.Decimal("-12345678901234567890123456789.01"), "b": decimal.Decimal("0.000001"), "c": decimal.Decimal("-1"),
      "d": decimal.Decimal(2**100), "e": decimal.Decimal("0.500")},
     '{"a":-12345678901234567890123456789.01,"b":0.000001,"c":-1,"d":1267650600228229401496703205376,"e":0.500}'),
    ("uuids and durations", record(
        ("s", logical("string", "uuid")), ("f", logical("fixed", "uuid", name="U", size=16)),
        ("d", logical("fixed", "duration", name="D", size=12))),
     {"s": uuid.UUID("12345678-1234-5678-1234-56789abcdef0"), "f": uuid.UUID("12345678-1234-5678-1234-56789abcdef0").bytes,
      "d": (1).to_bytes(4, "little") + (2).to_bytes(4, "little") + (3004).to_bytes(4, "little")},
     '{"s":"12345678-1234-5678-1234-56789abcdef0","f":"12345678-1234-5678-1234-56789abcdef0","d":"P1M2DT3.004S"}'),
    ("records in records", TREE, leaf(1, leaf(2, leaf(3)), leaf(4), parent=leaf(5)),
     '{"value":1,"children":[{"value":2,"children":[{"value":3,"children":[],"parent":null}],"parent":null},'
     '{"value":4,"children":[],"parent":null}],"parent":{"value":5,"children":[],"parent":null}}'),
    ("a logical type that means nothing", record(
        ("a", logical("string", "timestamp-millis")), ("b", logical("int", "no-such-type")), ("c", logical("bytes", "decimal", scale=-1))),
     {"a": "x", "b": 1, "c": b"\x01"}, '{"a":"x","b":1,"c":"AQ=="}'),
    ("no record", "string", "x", '"x"'),
]  # fmt: skip


def encode(schema, value):
    # Types that fastavro would refuse or translate are written as they are.
    plain = json.loads(json.dumps(schema).replace('"local-timestamp-nanos"', '"x"').replace('"timestamp-nanos"', '"x"'))
    if '"no-such-type"' in json.dumps(schema):
        plain = json.loads(json.dumps(schema).replace('"logicalType"', '"ignored"'))
    if '"uuid"' in json.dumps(schema) and '"fixed"' in json.dumps(schema):
        plain["fields"][1]["type"].pop("logicalType")
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(plain), value)
    return out.getvalue()


if __name__ == "__main__":
    cases = [
        {"name": name, "schema": json.dumps(schema), "bytes": encode(schema, value).hex(), "json": text}
        for name, schema, value, text in CASES
    ]
    for case in cases:
        json.loads(case["json"])
    path = Path(__file__).parent.parent / "Resources/avro.json"
    path.write_text(json.dumps(cases, indent=1) + "\n", "utf-8")
