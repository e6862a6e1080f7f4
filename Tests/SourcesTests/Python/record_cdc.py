"""Records the change events that Debezium publishes of a real PostgreSQL: `make cdc-recording`.

Starts a PostgreSQL of its own in a temporary directory, fills a small site's tables with made-up rows, reads them with
Debezium's embedded engine (PyPI's pydbzengine; needs a Java runtime), changes them, and writes the change events to
Resources/debezium.jsonl.gz: one line a record, {"topic", "key", "value"} with the text as Debezium made it, and last
the tables as SELECT reads them, which the events must lead to: {"select": [...]}.

In it: a snapshot, inserts, updates, deletions with and without REPLICA IDENTITY FULL, values stored apart (TOAST), a
transaction of many rows, a column that was added, a TRUNCATE, and a connector that begins again at an earlier position,
so that events come twice. The schema of each record is left out in the second half, as with schemas.enable=false.
"""

import argparse
import gzip
import json
import os
import pathlib
import random
import sys
import tempfile
import threading
import time

from postgres import Server, missing

HERE = pathlib.Path(__file__).resolve().parent
RECORDING = HERE.parent / "Resources" / "debezium.jsonl.gz"

TABLES = """
create table post (
    id bigint primary key, kind text not null, parent bigint, title text, body text, score int not null default 0,
    price numeric(14,3), made timestamptz not null default now(), edited timestamp, day date, gone boolean not null default false,
    meta jsonb, tags text[], author text
);
create table reply (
    site text, number int, thread bigint, html text, at_ms bigint, hidden int not null default 0, score numeric,
    primary key (site, number)
);
alter table reply replica identity full;
create table vote (id bigserial primary key, post_id bigint not null, user_id int not null, kind smallint not null, at timestamptz);
create table keyless (id int, thread bigint, text text);
alter table keyless replica identity full;
"""

SELECT = """
select json_agg(q order by q.id) from (
  select p.id::text as id, p.title,
    (select coalesce(json_agg(a order by a.id), '[]') from (
       select x.id::text as id, md5(x.body) as body, x.score + coalesce(v.votes, 0) as votes
         from post x left join (
           select post_id, sum(case kind when 2 then 1 else -1 end) as votes from vote where kind in (2, 3) group by post_id
         ) v on v.post_id = x.id
        where x.kind = 'answer' and x.parent = p.id and not x.gone
       union all
       select r.site || '/' || r.number, md5(r.html), round(r.score) from reply r where r.thread = p.id and r.hidden = 0
       union all
       select 'k' || k.id, md5(k.text), 0 from keyless k where k.thread = p.id
    ) a) as answers
  from post p where p.kind = 'question' and not p.gone
) q
"""

SCRIPTS = ("plain", "<p>été &amp; <b>größer</b></p>", "<p>你好，世界</p>", "<p>שלום עולם</p>", "<p>Привет \\ \"мир\"</p>", "<i>नमस्ते</i> 👩‍⚕️", "line\nline\ttab")


class Connector:
    """Debezium's engine in this process. `read` runs it until nothing has come for a while."""

    def __init__(self, server, directory):
        self.server = server
        self.offsets = directory / "offsets.dat"
        self.records = []

    def read(self, schemas, quiet=10.0, patience=300.0):
        from pydbzengine import BasePythonChangeHandler, DebeziumJsonEngine

        # A connector takes a while to start, and always has something to read.
        kept, last = self.records, [time.monotonic() + patience]

        class Handler(BasePythonChangeHandler):
            def handleJsonBatch(self, records=None):  # noqa: N802
                for record in records:
                    key, value = record.key(), record.value()
                    kept.append((str(record.destination()), None if key is None else str(key), None if value is None else str(value)))
                last[0] = time.monotonic()

        enabled = "true" if schemas else "false"
        properties = self.server.connector("site", ("public.post", "public.reply", "public.vote", "public.keyless"))
        properties |= {f"{kind}converter.schemas.enable": enabled for kind in ("", "key.", "value.")}
        properties |= {
            "offset.storage": "org.apache.kafka.connect.storage.FileOffsetBackingStore",
            "offset.storage.file.filename": str(self.offsets), "offset.flush.interval.ms": "0",
        }  # fmt: skip
        engine = DebeziumJsonEngine(properties=properties, handler=Handler())
        thread = threading.Thread(target=engine.run, daemon=True)
        thread.start()
        while time.monotonic() < last[0] + quiet:
            time.sleep(0.2)
        engine.close()
        thread.join(timeout=60)


def quoted(text):
    return "null" if text is None else "'" + text.replace("'", "''") + "'"


def body(chance):
    """Some are long enough to be stored apart, and random enough not to be compressed."""
    text = chance.choice(SCRIPTS)
    if chance.random() < 0.25:
        text += "".join(chance.choices("abcdefghijklmnopqrstuvwxyzéß你0123456789<>&", k=chance.randrange(3_000, 6_000)))
    return text


def fill(server, chance):
    base = 1_234_567_890_123_456_000
    statements = []
    for number in range(12):
        statements.append(
            f"insert into post (id, kind, title, body, price, edited, day, meta, tags, author) values ({base + number}, 'question', "
            f"{quoted(f'Question {number}: ' + chance.choice(SCRIPTS))}, {quoted(body(chance))}, {number}.125, "
            f"'2024-02-29 12:00:00.5', '2024-02-29', '{{\"n\": {number}}}', '{{a,\"b c\"}}', 'Ann');"
        )
    for number in range(100, 140):
        statements.append(
            f"insert into post (id, kind, parent, body, score, author) values ({base + number}, "
            f"'{'comment' if number % 10 == 9 else 'answer'}', {base + chance.randrange(12)}, {quoted(body(chance))}, 0, "
            f"{quoted(chance.choice((None, 'Béa', '李')))});"
        )
    for number in range(20):
        statements.append(
            f"insert into reply values ('s{number % 3}', {number}, {base + chance.randrange(12)}, {quoted(body(chance))}, "
            f"{1_700_000_000_000 + number}, {number % 5 == 4:d}, {number}.0);"
        )
        statements.append(f"insert into keyless values ({number}, {base + number % 12}, {quoted(body(chance))});")
    for number in range(60):
        statements.append(
            f"insert into vote (post_id, user_id, kind, at) values ({base + chance.choice((chance.randrange(12), 100 + chance.randrange(40)))}, "
            f"{number}, {chance.choice((2, 2, 3, 5))}, '2024-05-01 10:00:00+02');"
        )
    server.sql("".join(statements))


def change(server, chance, count):
    base = 1_234_567_890_123_456_000
    for _ in range(count):
        answer = base + 100 + chance.randrange(40)
        server.sql(
            chance.choice((
                f"update post set title = title || '!' where id = {base + chance.randrange(12)};",
                f"update post set author = 'edited' where id = {answer};",
                f"update post set body = {quoted(body(chance))} where id = {answer};",
                f"update post set gone = not gone where id = {answer};",
                f"update post set parent = {base + chance.randrange(12)} where id = {answer};",
                f"update post set kind = case kind when 'answer' then 'comment' else 'answer' end where id = {answer};",
                f"delete from post where id = {answer};",
                f"delete from post where id = {base + chance.randrange(12)};",
                f"insert into post (id, kind, parent, body) values ({answer}, 'answer', {base + chance.randrange(12)}, {quoted(body(chance))}) on conflict do nothing;",
                f"insert into post (id, kind, title) values ({base + chance.randrange(12)}, 'question', 'again') on conflict do nothing;",
                f"update reply set html = {quoted(body(chance))}, score = score + 1 where number = {chance.randrange(20)};",
                f"update reply set hidden = 1 - hidden where number = {chance.randrange(20)};",
                f"delete from reply where number = {chance.randrange(20)};",
                f"delete from keyless where id = {chance.randrange(20)};",
                f"insert into keyless values ({20 + chance.randrange(1000)}, {base + chance.randrange(12)}, {quoted(body(chance))});",
                f"insert into vote (post_id, user_id, kind, at) values ({answer}, {chance.randrange(500)}, {chance.choice((2, 3))}, now());",
                f"delete from vote where id = {chance.randrange(70)};",
                f"update vote set kind = 5 - kind where id = {chance.randrange(70)} and kind in (2, 3);",
            ))
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=pathlib.Path, default=RECORDING)
    parser.add_argument("--changes", type=int, default=40, help="changes in each of the four rounds")
    arguments = parser.parse_args()
    if sentence := missing():
        sys.exit(f"{parser.prog}: {sentence}")
    arguments.output = arguments.output.resolve()
    chance = random.Random(14)
    with tempfile.TemporaryDirectory(prefix="rejoinder-cdc-") as name:
        directory = pathlib.Path(name)
        # Debezium writes a log where it is started.
        os.chdir(directory)
        server = Server(directory)
        try:
            server.sql(TABLES)
            fill(server, chance)
            connector = Connector(server, directory)
            connector.read(schemas=True)
            change(server, chance, arguments.changes)
            connector.read(schemas=True)
            earlier = connector.offsets.read_bytes()
            # A transaction of many rows.
            server.sql("begin; update post set score = 0; update reply set score = score + 1; commit;")
            change(server, chance, arguments.changes)
            connector.read(schemas=False)
            # The connector was killed before it noted how far it was: the events after that come again.
            connector.offsets.write_bytes(earlier)
            server.sql("alter table post add column added text default 'new'; alter table reply add column extra int;")
            change(server, chance, arguments.changes)
            connector.read(schemas=False)
            server.sql("truncate keyless;")
            change(server, chance, arguments.changes)
            connector.read(schemas=True)
            selected = json.loads(server.sql(SELECT))
        finally:
            server.close()
    lines = [{"topic": topic, "key": key, "value": value} for topic, key, value in connector.records]
    lines.append({"select": selected})
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    arguments.output.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"{len(lines) - 1} records -> {arguments.output} ({arguments.output.stat().st_size} bytes)")


if __name__ == "__main__":
    main()
