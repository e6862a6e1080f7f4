"""The made-up site of `make cdc-soak`: its tables, rows and changes, its mapping, and what SQL says must come out.

Hikers ask (`enquiry`); there are three kinds of answers, each in a table of another make: `hint` with text ids and no
REPLICA IDENTITY FULL, `note` with a compound key and its points on the row, `line` without a key. `nod` votes on hints,
and names only the hint. Each keeps its times in another unit, and its truth values in other words.
"""

import json
import random

TABLES = """
create schema hike;
create table hike.enquiry (
    ref bigint primary key, headline text, details text, opened timestamptz, amended timestamp, due date,
    bounty numeric(12, 2), hidden char(1), labels text, extra jsonb, asker uuid
);
create table hike.hint (
    slug text primary key, enquiry bigint, html text, written bigint, dropped smallint, helper text, stars numeric
);
create table hike.note (
    room text, number int, enquiry bigint, html text, written bigint, gone boolean, points numeric(10, 0), primary key (room, number)
);
alter table hike.note replica identity full;
create table hike.line (book text, number int, enquiry bigint, html text, written bigint, state text);
create index on hike.line (book, number);
alter table hike.line replica identity full;
create table hike.nod (hint text, member int, way text, given bigint, primary key (hint, member));
create table hike.visit (id serial primary key, page text);
"""
NAMES = ("enquiry", "hint", "note", "line", "nod", "visit")


def mapping(prefix):
    """`sources:` of the worker's configuration."""
    known = {"enquiry": {"not": None}}
    return [
        {
            "topic": f"{prefix}.hike.enquiry", "format": "debezium", "into": "questions",
            "fields": {
                "id": "ref", "title": {"from": "headline", "default": "(untitled)"}, "body": "details", "askedAt": "opened",
                "tags": {"from": "labels", "split": ","}, "author/id": "asker", "deleted": "hidden",
            },
            "carry": {"amended": "amended", "due": "due", "bounty": "bounty", "extra": "extra"},
        },
        {
            "topic": f"{prefix}.hike.hint", "format": "debezium", "where": known, "into": "answers",
            "fields": {
                "id": "slug", "questionId": "enquiry", "body": "html", "author/displayName": "helper", "author/rating": "stars",
                "answeredAt": {"from": "written", "as": "seconds"}, "withdrawn": "dropped",
            },
        },
        {
            "topic": f"{prefix}.hike.note", "format": "debezium", "where": known, "into": "answers",
            "fields": {
                "id": {"from": ["room", "number"], "join": "/"}, "questionId": "enquiry", "body": "html",
                "answeredAt": {"from": "written", "as": "millis"}, "withdrawn": "gone",
                "voteCount": "points",
            },
        },
        {
            "topic": f"{prefix}.hike.line", "format": "debezium", "where": known, "into": "answers",
            "fields": {
                "id": {"from": ["book", "number"], "join": "#"}, "questionId": "enquiry", "body": "html",
                "answeredAt": {"from": "written", "as": "micros"}, "withdrawn": {"from": "state", "in": ["gone"]},
            },
        },
        {
            "topic": f"{prefix}.hike.nod", "format": "debezium", "where": {"way": ["up", "down"]}, "into": "votes",
            "fields": {
                "answerId": "hint", "voterId": "member", "value": {"from": "way", "map": {"up": 1, "down": -1}},
                "castAt": {"from": "given", "as": "nanos"},
            },
        },
    ]  # fmt: skip


# What Debezium is told beside the tables: a table without a key is keyed by the columns that identify its rows.
CONNECTOR = {"message.key.columns": "hike.line:book,number"}

# The enriched records as they must be at the end: a line of JSON for each question that is there.
SELECT = """
with answer as (
    select enquiry, slug as id, html as body, helper, stars, timestamptz 'epoch' + written * interval '1 second' as at,
        coalesce((select sum(case way when 'up' then 1 when 'down' then -1 else 0 end) from hike.nod where nod.hint = slug), 0) as votes
    from hike.hint where coalesce(dropped, 0) = 0
    union all
    select enquiry, room || '/' || number, html, null, null, timestamptz 'epoch' + written * interval '1 millisecond', coalesce(points, 0)
    from hike.note where not coalesce(gone, false)
    union all
    select enquiry, book || '#' || number, html, null, null, timestamptz 'epoch' + written * interval '1 microsecond', 0
    from hike.line where state is distinct from 'gone'
), answers as (
    select enquiry, json_agg(json_strip_nulls(json_build_object(
        'id', id, 'questionId', enquiry, 'body', body, 'at', at, 'helper', helper, 'stars', stars, 'votes', votes)) order by id) as list
    from answer where enquiry is not null group by enquiry
)
select json_build_object('question', json_strip_nulls(json_build_object(
        'id', ref, 'title', coalesce(nullif(headline, ''), '(untitled)'), 'body', details, 'at', opened, 'amended', amended,
        'due', due, 'bounty', bounty, 'extra', extra, 'asker', asker, 'tags', string_to_array(labels, ','))),
    'answers', coalesce(list, '[]'))
from hike.enquiry left join answers on answers.enquiry = ref where coalesce(hidden, 'f') = 'f'
"""

TEXTS = (
    "Take the ridge.", "<p>été &amp; <b>größer</b></p>", "<p>你好，世界</p>", "<p>שלום עולם</p>", "<p dir='rtl'>مرحبا</p>", "<p>Привет \\ \"мир\"</p>",
    "<i>नमस्ते</i> 👩‍⚕️", "<p>สวัสดี</p>", "line\nline\ttab\r", "<p>한국어</p><script>alert('&lt;')</script>", "\u2028\u0007\\u0041 $$", "", " ",
)  # fmt: skip
LETTERS = "abcdefghijklmnopqrstuvwxyzéß你0123456789<>&"
BASE = 1_234_567_890_123_456_000  # ids of 19 digits
EPOCH = 1_700_000_000


class Site:
    """Makes rows and changes from a seed."""

    def __init__(self, seed, rows):
        self._chance = random.Random(seed)
        self._counts = {"enquiry": rows // 10, "hint": rows * 35 // 100, "note": rows // 5, "line": rows // 10, "nod": rows // 4}

    def fill(self, server):
        """The rows that the snapshot finds."""
        for table, count in self._counts.items():
            rows = {row[: self.KEYS[table]]: row for row in (self._row(table, number) for number in range(count))}
            copied = "".join("\t".join(map(copy_text, row)) + "\n" for row in rows.values())
            server.sql(f"copy hike.{table} from stdin;\n{copied}\\.\n")

    def change(self, server, count):
        """Changes the tables `count` times, each time in a transaction of its own, and once in one of many rows."""
        server.sql("".join(self._change() + ";\n" for _ in range(count)) + self._transaction())

    # --- Rows ------------------------------------------------------------------------------------------------

    KEYS = {"enquiry": 1, "hint": 1, "note": 2, "line": 2, "nod": 2}

    def _row(self, table, number):
        """A row as texts, in the order of its columns; the key's come first."""
        chance, maybe = self._chance, self._maybe
        at = EPOCH + chance.randrange(10_000_000)
        match table:
            case "enquiry":
                return (
                    str(BASE + number), maybe(chance.choice(("", *TEXTS)) and f"How {number}? {chance.choice(TEXTS)}"), maybe(self._body()),
                    maybe(f"2024-02-29 12:00:{number % 60:02}.{chance.randrange(1_000_000):06}+{chance.randrange(12):02}:30"),
                    maybe(f"1969-12-31 23:59:59.{chance.randrange(1_000):03}"), maybe(f"20{chance.randrange(10, 99)}-02-28"),
                    maybe(f"{chance.randrange(-10**9, 10**9)}.{chance.randrange(100):02}"), maybe(chance.choice("ffft")),
                    maybe(",".join(chance.sample(("alps", "größe", "雪", "two words", "a&b"), 2))),
                    maybe(json.dumps({"n": number, "of": [1, None, True, "é\"\\"]})), maybe(f"{chance.getrandbits(128):032x}", uuid),
                )  # fmt: skip
            case "hint":
                return (
                    slug(number), maybe(self._enquiry()), maybe(self._body()), maybe(str(at)), maybe(str(chance.randrange(4) // 3)),
                    maybe(chance.choice(("Béa", "李", "O'Neil"))), maybe(chance.choice(("4.5", "5", "0.333333333333333333333", "-1e-7", "12345678901234567890"))),
                )  # fmt: skip
            case "note":
                return (
                    *room(number), maybe(self._enquiry()), maybe(self._body()), maybe(str(at * 1_000 + chance.randrange(1_000))),
                    maybe(chance.choice("ffft")), maybe(str(chance.randrange(-50, 50))),
                )  # fmt: skip
            case "line":
                return (
                    *book(number), maybe(self._enquiry()), maybe(self._body()), maybe(str(at * 1_000_000 + chance.randrange(1_000_000))),
                    maybe(chance.choice(("live", "kept", "gone"))),
                )  # fmt: skip
            case "nod":
                return (
                    slug(self._any("hint")), str(chance.randrange(1_000)), maybe(chance.choice(("up", "up", "down", "star"))),
                    maybe(str(at * 1_000_000_000 + chance.randrange(1_000_000_000))),
                )  # fmt: skip

    def _maybe(self, text, form=lambda text: text):
        """NULL now and then."""
        return None if self._chance.random() < 0.1 else form(text)

    def _body(self):
        """Some are long enough to be stored apart, and random enough not to be compressed."""
        text = self._chance.choice(TEXTS)
        if self._chance.random() < 0.05:
            text += "".join(self._chance.choices(LETTERS, k=self._chance.randrange(3_000, 6_000)))
        return text

    def _any(self, table):
        """The number of a row that was there once; now and then of one that never was."""
        return self._chance.randrange(self._counts[table] * 101 // 100 + 1)

    def _enquiry(self):
        return str(BASE + self._any("enquiry"))

    # --- Changes ---------------------------------------------------------------------------------------------

    def _change(self):
        chance = self._chance
        table = chance.choices(list(self._counts), weights=(15, 35, 20, 10, 20))[0]
        row = self._row(table, self._any(table))
        columns = COLUMNS[table]
        key = dict(zip(columns, row[: self.KEYS[table]]))
        where = " and ".join(f"{column} = {quoted(value)}" for column, value in key.items())
        match chance.choices(("delete", "insert", "one", "all", "rename"), weights=(15, 25, 40, 15, 5))[0]:
            case "delete":
                return f"delete from hike.{table} where {where}"
            case "insert":
                values = ", ".join(map(quoted, row))
                return f"insert into hike.{table} select {values} where not exists (select from hike.{table} where {where})"
            case "rename" if table == "note":
                # Its primary key changes: REPLICA IDENTITY FULL brings the values that are stored apart along.
                return (
                    f"update hike.note set room = room || '+' where {where} and not exists ("
                    "select from hike.note other where other.room = note.room || '+' and other.number = note.number)"
                )
            case "rename" if table == "nod":
                # A voter who changes sides, by a deletion and an insertion.
                return f"delete from hike.nod where {where};\ninsert into hike.nod values ({', '.join(map(quoted, row))})"
            case "one" | "rename":
                column = chance.randrange(len(key), len(columns))
                return f"update hike.{table} set {columns[column]} = {quoted(row[column])} where {where}"
            case "all":
                changed = ", ".join(f"{column} = {quoted(value)}" for column, value in list(zip(columns, row))[len(key):])
                return f"update hike.{table} set {changed} where {where}"

    def _transaction(self):
        part = self._chance.randrange(50)
        return (
            f"begin;\nupdate hike.hint set dropped = 1 - dropped where hashtext(slug) % 50 = {part};\n"
            f"delete from hike.nod where member % 50 = {part};\n"
            f"update hike.note set enquiry = {self._enquiry()}, points = points + 1 where number % 50 = {part} and room = 'r{part % 7}';\n"
            f"update hike.enquiry set headline = headline || '!' where ref % 50 = {part};\n"
            "insert into hike.visit (page) select 'a page';\ncommit;\ntruncate hike.visit;\n"
        )


COLUMNS = {
    "enquiry": ("ref", "headline", "details", "opened", "amended", "due", "bounty", "hidden", "labels", "extra", "asker"),
    "hint": ("slug", "enquiry", "html", "written", "dropped", "helper", "stars"),
    "note": ("room", "number", "enquiry", "html", "written", "gone", "points"),
    "line": ("book", "number", "enquiry", "html", "written", "state"),
    "nod": ("hint", "member", "way", "given"),
}


def slug(number):
    return f"größe-{number}" if number % 3 else f"h/{number} \"x\""


def room(number):
    return f"r{number % 7}", str(number)


def book(number):
    return f"книга{number % 5}", str(number)


def uuid(text):
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def quoted(text):
    return "null" if text is None else "'" + text.replace("'", "''") + "'"


def copy_text(text):
    if text is None:
        return "\\N"
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
