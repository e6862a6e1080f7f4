#!/usr/bin/env python3
"""The records that Rejoinder must publish, computed from the contract by a second hand.

The program shares nothing with the worker but the contract: it reads the records of the three input topics,
applies all answers and votes, then answers every question event in partition order. Values are bytes
throughout; a stored answer is carried as it came and never written anew.

Run as a command it turns recordings (the JSON lines that `kcat -J` prints) into the golden files:

    oracle.py enriched Examples/questions.jsonl Examples/answers.jsonl Examples/votes.jsonl
    oracle.py dead-letters Examples/questions.jsonl Examples/answers.jsonl Examples/votes.jsonl
"""

import argparse
import json
import re
import sys
from dataclasses import dataclass, field
from fractions import Fraction

import strict_json
from murmur2 import partition_of
from strict_json import InvalidJSON, Members, Number, TooDeep

# A number or a fraction of a second may have more digits than Python converts unasked.
sys.set_int_max_str_digits(0)

QUESTIONS, ANSWERS, VOTES = "questions", "answers", "votes"
KINDS = (QUESTIONS, ANSWERS, VOTES)


@dataclass(slots=True)
class Record:
    """A record as a reader sees it. `timestamp` in milliseconds; `headers` as (name, bytes or None) in order."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list = field(default_factory=list)


@dataclass(slots=True)
class Enriched:
    """A record that must stand in the enriched topic; `source` is the question event it answers."""

    source: Record
    partition: int
    value: bytes | None

    @property
    def key(self):
        return self.source.key


@dataclass(slots=True)
class DeadLetter:
    """A record that must stand in the dead-letter topic, with the reason as this program words it."""

    source: Record
    code: str
    reason: str


class Refused(Exception):
    """The record breaks the contract."""

    def __init__(self, code, reason):
        super().__init__(reason)
        self.code = code
        self.reason = reason


# --- The shapes of the records -------------------------------------------------------------------------------

SAFE_INTEGER = 2**53
LONGEST_ID = 200

_NUMBER = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?")
_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)


def integer(number):
    """The integer that a JSON number is (3.0 and 30e-1 are 3), None if it is none or beyond +-2^53."""
    sign, whole, fraction, exponent = _NUMBER.fullmatch(number).groups()
    digits = (whole + (fraction or "")).lstrip("0")
    scale = int(exponent or 0) - len(fraction or "")
    stripped = digits.rstrip("0")
    if not stripped:
        return 0
    scale += len(digits) - len(stripped)
    if scale < 0 or len(stripped) + scale > 17:
        return None
    value = int(stripped) * 10**scale
    return None if value > SAFE_INTEGER else -value if sign else value


def is_integer(number):
    """Whether a JSON number of any size is an integer."""
    _, whole, fraction, exponent = _NUMBER.fullmatch(number).groups()
    digits = (whole + (fraction or "")).lstrip("0")
    stripped = digits.rstrip("0")
    scale = int(exponent or 0) - len(fraction or "") + len(digits) - len(stripped)
    return not stripped or scale >= 0


def instant(text):
    """Seconds since 1970 of an RFC 3339 time, exactly; None if it is not one."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    fraction, sign, offset_hour, offset_minute = match.groups()[6:]
    if not 1 <= month <= 12:
        return None
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    lengths = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    if not 1 <= day <= lengths[month - 1] or hour > 23 or minute > 59 or second > 60:
        return None
    offset = 0
    if sign:
        if int(offset_hour) > 23 or int(offset_minute) > 59:
            return None
        offset = (int(offset_hour) * 3600 + int(offset_minute) * 60) * (-1 if sign == "-" else 1)
    before = year - 1
    days = 365 * year + (before // 4 - before // 100 + before // 400 + 1 if year else 0)
    days += sum(lengths[: month - 1]) + day - 1 - 719528
    seconds = days * 86400 + hour * 3600 + minute * 60 + second - offset
    if second == 60 and seconds % 86400 != 0:
        return None
    return seconds + (Fraction(int(fraction), 10 ** len(fraction)) if fraction else 0)


def _text(name, value):
    if type(value) is not str:
        raise Refused("schema", f"'{name}' is not a string")
    return value


def _filled(name, value):
    if not _text(name, value):
        raise Refused("schema", f"'{name}' is empty")
    return value


def _id(name, value):
    if type(value) is Number and re.fullmatch("-?[0-9]+", value):
        identifier = value.encode("ascii")
    else:
        try:
            identifier = _text(name, value).encode("utf-8")
        except UnicodeEncodeError as error:
            raise Refused("schema", f"'{name}' holds half a surrogate pair") from error
    if not 1 <= len(identifier) <= LONGEST_ID:
        raise Refused("schema", f"'{name}' has {len(identifier)} bytes, not 1 to {LONGEST_ID}")
    return identifier


def _time(name, value):
    moment = instant(_text(name, value))
    if moment is None:
        raise Refused("schema", f"'{name}' is not an RFC 3339 time")
    return moment


def _boolean(name, value):
    if type(value) is not bool:
        raise Refused("schema", f"'{name}' is not true or false")
    return value


def _number(name, value):
    if type(value) is not Number:
        raise Refused("schema", f"'{name}' is not a number")
    return value


def _any_integer(name, value):
    if not is_integer(_number(name, value)):
        raise Refused("schema", f"'{name}' is not an integer")
    return value


def _safe_integer(name, value):
    whole = integer(_number(name, value))
    if whole is None:
        raise Refused("schema", f"'{name}' is not an integer within +-2^53")
    return whole


def _vote_value(name, value):
    whole = integer(_number(name, value))
    if whole not in (-1, 0, 1):
        raise Refused("schema", f"'{name}' is not -1, 0 or 1")
    return whole


def _tags(name, value):
    if type(value) is not list or any(type(tag) is not str for tag in value):
        raise Refused("schema", f"'{name}' is not an array of strings")
    return value


def _object(fields):
    def check(name, value):
        return _contract_fields(name, value, fields)

    return check


def _contract_fields(name, value, fields):
    """The contract's fields of an object, checked; the others are ignored."""
    if type(value) is not Members:
        raise Refused("schema", f"{name} is not an object")
    found = {}
    for member, content in value:
        check = fields.get(member)
        if check is None:
            continue
        if member in found:
            raise Refused("schema", f"'{member}' stands twice in {name}")
        found[member] = check(member, content)
    return found


def _require(found, *names):
    for name in names:
        if name not in found:
            raise Refused("schema", f"'{name}' is missing")


_QUESTION = {
    "id": _id,
    "title": _filled,
    "body": _text,
    "author": _object({"id": _id, "displayName": _text}),
    "tags": _tags,
    "askedAt": _time,
}
_ANSWER = {
    "id": _id,
    "questionId": _id,
    "title": _text,
    "body": _text,
    "author": _object(
        {
            "id": _id,
            "displayName": _text,
            "profession": _text,
            "specialty": _text,
            "location": _text,
            "rating": _number,
            "reviewCount": _any_integer,
        }
    ),
    "answeredAt": _time,
    "withdrawn": _boolean,
    "voteCount": _safe_integer,
}
_CAST = {"questionId": _id, "answerId": _id, "voterId": _id, "value": _vote_value, "castAt": _time}
_COUNTED = {"questionId": _id, "answerId": _id, "voteCount": _safe_integer, "countedAt": _time}


def _vote(document):
    """A vote is of the kind that its fields make it; fields that only the other kind reads are ignored."""
    names = {name for name, _ in document} if type(document) is Members else ()
    if "value" in names and "voteCount" in names:
        raise Refused("schema", "a vote has 'value' or 'voteCount', not both")
    fields = _COUNTED if "voteCount" in names else _CAST
    found = _contract_fields("the vote", document, fields)
    _require(found, *(name for name in fields if name not in ("castAt", "countedAt")))
    return found


def read(kind, key, value):
    """A record's contract fields, or None for a null value. Raises `Refused` with the code of the first rule broken."""
    if value is None:
        if not key:
            raise Refused("key-mismatch", "a null value has nothing but its key to say which question it means")
        return None
    try:
        document = strict_json.parse(value)
    except InvalidJSON as error:
        raise Refused("invalid-json", str(error)) from error
    except TooDeep as error:
        raise Refused("too-deep", str(error)) from error
    if kind == QUESTIONS:
        found = _contract_fields("the question", document, _QUESTION)
        _require(found, "id", "title")
        question = found["id"]
    elif kind == ANSWERS:
        found = _contract_fields("the answer", document, _ANSWER)
        _require(found, "id", "questionId")
        question = found["questionId"]
    else:
        found = _vote(document)
        question = found["questionId"]
    if key != question:
        raise Refused("key-mismatch", f"the key is {key!r}, the question id {question!r}")
    return found


# --- The tables and the enriched value -----------------------------------------------------------------------


class Tables:
    """All stored answers and votes."""

    def __init__(self):
        self.answers = {}  # question id -> answer id -> (value, instant), visible ones only
        self.votes = {}  # question id -> answer id -> [base, sum of voters' values, {voter id: value}]

    def answer(self, key, value, found):
        if found is None:
            self.answers.pop(key, None)
            return
        answers = self.answers.setdefault(found["questionId"], {})
        if found.get("withdrawn"):
            answers.pop(found["id"], None)
        else:
            answers[found["id"]] = (value, found.get("answeredAt"))
        if "voteCount" in found:
            self.vote(key, {"questionId": found["questionId"], "answerId": found["id"], "voteCount": found["voteCount"]})

    def vote(self, key, found):
        if found is None:
            self.votes.pop(key, None)
            return
        tally = self.votes.setdefault(found["questionId"], {}).setdefault(found["answerId"], [0, 0, {}])
        if "voteCount" in found:
            tally[0] = found["voteCount"] - tally[1]
        else:
            tally[1] += found["value"] - tally[2].get(found["voterId"], 0)
            tally[2][found["voterId"]] = found["value"]

    def ranking(self, question):
        """The question's visible answers as (vote count, value), the best first."""
        votes = self.votes.get(question, {})
        ranked = []
        for identifier, (value, moment) in self.answers.get(question, {}).items():
            base, cast, _ = votes.get(identifier, (0, 0, None))
            ranked.append((-(base + cast), moment is None, moment or 0, identifier, value))
        ranked.sort()
        return [(-rank[0], rank[4]) for rank in ranked]


def label(vote_count):
    return f"+{vote_count + 1}" if vote_count >= 0 else str(vote_count + 1)


def _rendered(vote_count, value):
    return b'{"answer":%b,"voteCount":%d,"voteLabel":"%b"}' % (value, vote_count, label(vote_count).encode())


def enriched_value(question, ranking, limit):
    """The enriched value, with as many answers as fit into `limit` bytes. Raises `Refused`, too-large, if not even none
    does."""
    parts = [_rendered(*ranked) for ranked in ranking]
    count = b"%d" % len(parts)
    head = b'{"question":' + question + b',"answers":['
    whole = head + b",".join(parts) + b'],"answerCount":' + count + b"}"
    if len(whole) <= limit:
        return whole
    lengths = [0]
    for part in parts:
        lengths.append(lengths[-1] + len(part) + (1 if lengths[-1] else 0))
    for kept in range(len(parts) - 1, -1, -1):
        tail = b'],"answerCount":%b,"answersOmitted":%d}' % (count, len(parts) - kept)
        if len(head) + lengths[kept] + len(tail) <= limit:
            return head + b",".join(parts[:kept]) + tail
    raise Refused("too-large", f"the value would not fit into {limit} bytes")


def compute(records, limit=sys.maxsize, output_partitions=None, kinds=None, tables=None):
    """Yields every `Enriched` and `DeadLetter` that the records must lead to.

    records: of all three topics, in any order of partitions but in offset order within each.
    limit: maxRecordBytes. output_partitions: the enriched topic's count where it differs from the questions'.
    kinds: topic name -> one of `KINDS`, where topics bear other names.
    tables: the tables as earlier records have left them, which these go on from.
    """
    if tables is None:
        tables = Tables()
    questions = []
    for record in records:
        kind = kinds[record.topic] if kinds else record.topic
        if kind == QUESTIONS:
            questions.append(record)
            continue
        try:
            found = read(kind, record.key, record.value)
        except Refused as refused:
            yield DeadLetter(record, refused.code, refused.reason)
            continue
        if kind == ANSWERS:
            tables.answer(record.key, record.value, found)
        else:
            tables.vote(record.key, found)
    rankings = {}
    for record in questions:
        try:
            found = read(QUESTIONS, record.key, record.value)
            value = None
            if found is not None:
                ranking = rankings.get(record.key)
                if ranking is None:
                    ranking = rankings[record.key] = tables.ranking(record.key)
                value = enriched_value(record.value, ranking, limit)
        except Refused as refused:
            yield DeadLetter(record, refused.code, refused.reason)
            continue
        partition = record.partition if output_partitions is None else partition_of(record.key, output_partitions)
        yield Enriched(record, partition, value)


def refused(records, kinds):
    """Yields the `DeadLetter` of every record that cannot be read."""
    for record in records:
        try:
            read(kinds[record.topic], record.key, record.value)
        except Refused as refusal:
            yield DeadLetter(record, refusal.code, refusal.reason)


# --- Recordings ----------------------------------------------------------------------------------------------


def envelope_record(line):
    """The record in one line of `kcat -J`."""
    envelope = json.loads(line)
    flat = envelope.get("headers") or []
    headers = [(flat[i], None if flat[i + 1] is None else flat[i + 1].encode()) for i in range(0, len(flat), 2)]
    key, payload = envelope["key"], envelope["payload"]
    return Record(
        envelope["topic"],
        envelope["partition"],
        envelope["offset"],
        envelope["ts"],
        None if key is None else key.encode(),
        None if payload is None else payload.encode(),
        headers,
    )


def envelope_line(topic, partition, timestamp, headers, key, value):
    """A golden line: the envelope without the fields that may differ from run to run."""
    envelope = {"topic": topic, "partition": partition}
    if timestamp is not None:
        envelope |= {"tstype": "create", "ts": timestamp}
    if headers:
        envelope["headers"] = [part for name, content in headers for part in (name, content and content.decode())]
    envelope["key"] = None if key is None else key.decode()
    envelope["payload"] = None if value is None else value.decode()
    return json.dumps(envelope, ensure_ascii=False, separators=(",", ":"))


def error_headers(letter):
    """The headers of a dead letter that the contract fixes to the byte, all but the message."""
    source = letter.source
    return [
        ("rejoinder.error.code", letter.code.encode()),
        ("rejoinder.source.topic", source.topic.encode()),
        ("rejoinder.source.partition", b"%d" % source.partition),
        ("rejoinder.source.offset", b"%d" % source.offset),
        ("rejoinder.source.timestamp", b"%d" % source.timestamp),
    ]


def golden_enriched(results, topic="questions.enriched"):
    """The golden lines of the enriched topic, in the order of partition and offset."""
    enriched = sorted((r for r in results if isinstance(r, Enriched)), key=lambda r: (r.partition, r.source.offset))
    return [
        envelope_line(topic, r.partition, r.source.timestamp, r.source.headers, r.key, r.value) for r in enriched
    ]


def golden_dead_letters(results, topic="questions.dead-letter"):
    """The golden lines of the dead-letter topic, in the order of source topic, partition and offset."""
    letters = sorted(
        (r for r in results if isinstance(r, DeadLetter)),
        key=lambda r: (r.source.topic, r.source.partition, r.source.offset),
    )
    lines = []
    for letter in letters:
        source = letter.source
        headers = source.headers + error_headers(letter)
        lines.append(envelope_line(topic, source.partition, None, headers, source.key, source.value))
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", choices=["enriched", "dead-letters"])
    parser.add_argument("recordings", nargs="+", help="files of `kcat -J` lines")
    parser.add_argument("--max-record-bytes", type=int, default=sys.maxsize)
    arguments = parser.parse_args()
    records = []
    for path in arguments.recordings:
        with open(path, encoding="utf-8") as recording:
            records.extend(envelope_record(line) for line in recording if line.strip())
    results = list(compute(records, arguments.max_record_bytes))
    lines = golden_enriched(results) if arguments.output == "enriched" else golden_dead_letters(results)
    sys.stdout.write("".join(line + "\n" for line in lines))


if __name__ == "__main__":
    main()
