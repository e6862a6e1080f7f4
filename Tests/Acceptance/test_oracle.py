"""The oracle judges the worker; these tests judge the oracle."""

import json
import random
from fractions import Fraction
from pathlib import Path

import oracle
import pytest
import strict_json
from murmur2 import murmur2, partition_of
from oracle import DeadLetter, Enriched, Record, Refused, compute, instant, integer, read

EXAMPLES = Path(__file__).resolve().parents[2] / "Examples"

QUESTION = b'{"id":"q1","title":"Why?"}'


def code_of(kind, key, value):
    try:
        read(kind, key, value)
    except Refused as refused:
        return refused.code
    return None


def nested(depth, inside=b""):
    return b"[" * depth + inside + b"]" * depth


# --- JSON ----------------------------------------------------------------------------------------------------

VALID_JSON = [
    b"0", b"-0", b"1e400", b"123456789012345678901234567890.5E-7", b'""', b"null", b"[]", b"{}", b" \t\r\n[ ] ",
    b'{"a":1,"a":2}', b'"\\u0000"', b'"\\ud83d\\ude00"', '"\U0001f600"'.encode(), b'"\x7f"', b'"\\/"',
    b'{"":{"":[[]]}}', b'"' + b"\\\\" * 50 + b'"', b"9" * 6000, nested(512), nested(300, b'"[[[["'),
    '"\ufeff"'.encode(), '"\u2028"'.encode(), b'[1,"\\ud834\\udd1e\\ud834\\udd1e"]',
    b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\ud800\\u0041"', b'["\\ud83d\\\\ude00"]', b'{"\\udfff":1}', b'{"a":"\\ud800","a":1}',
]  # fmt: skip

INVALID_JSON = [
    b"", b" ", b"{", b"]", b'{"a"}', b'{"a":}', b'{"a":1,}', b"[1,]", b"[,1]", b"[1 2]", b"{1:2}", b"{'a':1}",
    b"nul", b"nullx", b"truu", b"NaN", b"[NaN]", b"Infinity", b"-Infinity", b"01", b"-", b"+1", b".5", b"1.",
    b"1e", b"1e+", b"0x10", b"1_000", b'"\t"', b'"\x00"', b'"\n"', b'"\\x41"', b'"\\u12"', b'"\\u12g4"', b'"\\u+123"',
    b'"\\ud80"', b'"\\ud83d\\ude0"', b'"\\ud83d\\"', b'"\x80"', b'"\xc0\xaf"', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"', b'"\xf5"', b'"\xe2\x82"',
    b"\xef\xbb\xbf{}", b'"abc', b'"abc\\"', b"{}{}", b"{} x", b"// c\n1", b"\x0b1", b"\xc2\xa01", b"\xe3\x80\x801",
    b'{"a":1}\x00', b"\xd9\xa3", b"[" * 600, b"[" * 600 + b"]" * 599, nested(600, b"01"), nested(600, b'"\\ud80"'),
]  # fmt: skip


@pytest.mark.parametrize("text", VALID_JSON)
def test_valid_json(text):
    strict_json.parse(text)
    strict_json.check(text.decode())


@pytest.mark.parametrize("text", INVALID_JSON)
def test_invalid_json(text):
    with pytest.raises(strict_json.InvalidJSON):
        strict_json.parse(text)
    try:
        decoded = text.decode()
    except UnicodeDecodeError:
        return
    with pytest.raises(strict_json.InvalidJSON):
        strict_json.check(decoded)


def test_the_two_parsers_agree_on_damaged_documents():
    rng = random.Random(8259)
    documents = [text for text in VALID_JSON if len(text) < 300]
    documents.append((EXAMPLES / "load" / "questions.jsonl").read_bytes().splitlines()[9])
    alphabet = b'{}[]",:\\u0019dD8eE+-. \ntfnl\xc3\xa9\xed'
    accepted = 0
    for _ in range(20_000):
        text = bytearray(rng.choice(documents))
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(text) + 1)
            text[at : at + rng.randrange(2)] = bytes([rng.choice(alphabet)])
        text = bytes(text)
        try:
            strict_json.parse(text)
            one = True
        except strict_json.InvalidJSON:
            one = False
        try:
            strict_json.check(text.decode())
            other = True
        except ValueError:
            other = False
        assert one == other, text
        accepted += one
    assert 1_000 < accepted < 19_000


def test_depth():
    strict_json.parse(nested(512))
    with pytest.raises(strict_json.TooDeep):
        strict_json.parse(nested(513))
    with pytest.raises(strict_json.TooDeep):
        strict_json.parse(b'{"a":' * 513 + b"1" + b"}" * 513)
    with pytest.raises(strict_json.TooDeep):
        strict_json.parse(nested(200_000))
    strict_json.parse(b"[" + b",".join([nested(511)] * 20) + b"]")


# --- Numbers, times, places ----------------------------------------------------------------------------------


def test_integers():
    for text, value in {
        "0": 0, "-0": 0, "3": 3, "3.0": 3, "30e-1": 3, "0.03E2": 3, "3.50e1": 35, "-1e0": -1, "0e99999999999": 0, "0.000": 0,
        "9007199254740992": 2**53, "-9007199254740992": -(2**53), "9007199254740993": None, "9007199254740992.0": 2**53,
        "9007199254740992.5": None, "1e400": None, "1e-400": None, "0.5": None, "1e9999999999999999999": None, "1e15": 10**15,
        "-1" + "0" * 60 + "e-60": -1,
    }.items():  # fmt: skip
        assert integer(text) == value, text


def test_instants():
    for text, seconds in {
        "1970-01-01T00:00:00Z": 0,
        "1970-01-01t00:00:00.5z": Fraction(1, 2),
        "2000-02-29T12:00:00+00:00": 951825600,
        "2025-09-15T20:05:00.250+02:00": 1757959500 + Fraction(1, 4),
        "2016-12-31T23:59:60Z": 1483228800,
        "2016-12-31T18:59:60.9-05:00": 1483228800 + Fraction(9, 10),
        "0000-01-01T00:00:00Z": -62167219200,
        "9999-12-31T23:59:59Z": 253402300799,
        "1969-12-31T23:59:59-00:00": -1,
        "2024-01-01T00:00:00+23:59": 1704067200 - 86340,
    }.items():
        assert instant(text) == seconds, text
    for text in [
        "", "2025-09-15", "2025-09-15T20:05Z", "2025-09-15 20:05:00Z", "2025-09-15T20:05:00", "2025-9-15T20:05:00Z",
        "2025-13-01T00:00:00Z", "2025-00-01T00:00:00Z", "2025-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2025-04-31T00:00:00Z",
        "2025-01-00T00:00:00Z", "2025-01-01T24:00:00Z", "2025-01-01T00:60:00Z", "2025-01-01T00:00:61Z", "2025-01-01T00:00:60Z",
        "2016-12-31T23:59:60+01:00", "2025-01-01T00:00:00.Z", "2025-01-01T00:00:00+24:00", "2025-01-01T00:00:00+01:60",
        "2025-01-01T00:00:00+0100", "2025-01-01T00:00:00Z ", "2025-01-01T00:00:00Z\n", "+2025-01-01T00:00:00Z",
        "٢٠٢٥-01-01T00:00:00Z", "2025-01-01T00:00:00,5Z",
    ]:  # fmt: skip
        assert instant(text) is None, text


def test_murmur2_is_javas():
    # The expectations of org.apache.kafka.common.utils.UtilsTest.
    for key, value in {
        b"21": -973932308, b"foobar": -790332482, b"a-little-bit-long-string": -985981536,
        b"a-little-bit-longer-string": -1486304829, b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
        b"abc": 479470107,
    }.items():  # fmt: skip
        assert murmur2(key) == value % 2**32
        assert partition_of(key, 7) == (value & 0x7FFFFFFF) % 7


# --- Records -------------------------------------------------------------------------------------------------


def vote(**fields):
    return json.dumps({"questionId": "q1", "answerId": "a1"} | fields).encode()


CAST = {"voterId": "u", "value": 1, "castAt": "2025-01-01T00:00:00Z"}
COUNTED = {"voteCount": 5, "countedAt": "2025-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("kind", "key", "value", "code"),
    [
        ("questions", b"q1", QUESTION, None),
        ("questions", b"q1", b'{"id":"q\\u0031","title":"?","title2":"", "x":{"id":1,"id":2}}', None),
        ("questions", b"q1", None, None),
        ("questions", b"\xff", None, None),
        ("questions", None, None, "key-mismatch"),
        ("votes", b"", None, "key-mismatch"),
        ("questions", b"q1", b"", "invalid-json"),
        ("questions", None, b"{", "invalid-json"),
        ("questions", None, nested(513), "too-deep"),
        ("questions", b"q1", nested(512), "schema"),
        ("questions", b"q1", b"null", "schema"),
        ("questions", b"q1", b'"q1"', "schema"),
        ("questions", b"q1", b'{"id":"q1"}', "schema"),
        ("questions", b"q1", b'{"title":"x"}', "schema"),
        ("questions", b"q1", b'{"id":"q1","title":""}', "schema"),
        ("questions", b"q1", b'{"id":"","title":"x"}', "schema"),
        ("questions", b"1", b'{"id":1,"title":"x"}', None),
        ("questions", b"-0", b'{"id":-0,"title":"x"}', None),
        ("questions", b"1.0", b'{"id":1.0,"title":"x"}', "schema"),
        ("questions", b"1e2", b'{"id":1e2,"title":"x"}', "schema"),
        ("questions", b"9" * 200, b'{"id":%b,"title":"x"}' % (b"9" * 200), None),
        ("questions", b"9" * 201, b'{"id":%b,"title":"x"}' % (b"9" * 201), "schema"),
        ("questions", b"2", b'{"id":1,"title":"x"}', "key-mismatch"),
        ("questions", b"q1", b'{"id":"q1\\ud83d","title":"x"}', "schema"),
        ("questions", b"q1", b'{"id":"q1","title":"\\ud83d"}', None),
        ("answers", b"q1", b'{"id":1234567890123456789,"questionId":"q1","voteCount":3.0}', None),
        ("answers", b"q1", b'{"id":"a1","questionId":"q1","withdrawn":true,"voteCount":-3}', None),
        ("answers", b"q1", b'{"id":"a1","questionId":"q1","voteCount":"3"}', "schema"),
        ("answers", b"q1", b'{"id":"a1","questionId":"q1","voteCount":9007199254740993}', "schema"),
        ("questions", b"q1", b'{"id":"q1","id":"q1","title":"x"}', "schema"),
        ("questions", b"q1", b'{"id":"q1","\\u0069d":"q1","title":"x"}', "schema"),
        ("questions", b"q1", QUESTION[:-1] + b',"body":null}', "schema"),
        ("questions", b"q1", QUESTION[:-1] + b',"tags":["a",1]}', "schema"),
        ("questions", b"q1", QUESTION[:-1] + b',"tags":"a"}', "schema"),
        ("questions", b"q1", QUESTION[:-1] + b',"author":[]}', "schema"),
        ("questions", b"q1", QUESTION[:-1] + b',"author":{"id":""}}', "schema"),
        ("questions", b"q1", QUESTION[:-1] + b',"author":{"displayName":"","rating":"high"}}', None),
        ("questions", b"q1", QUESTION[:-1] + b',"askedAt":"today"}', "schema"),
        ("questions", b"q1", QUESTION[:-1] + b',"voteCount":"x","voteCount":"y"}', None),
        ("questions", b"q2", QUESTION, "key-mismatch"),
        ("questions", None, QUESTION, "key-mismatch"),
        ("questions", b"x" * 201, b'{"id":"%b","title":"x"}' % (b"x" * 201), "schema"),
        ("questions", b"x" * 200, b'{"id":"%b","title":"x"}' % (b"x" * 200), None),
        ("questions", "é".encode() * 100, ('{"id":"' + "é" * 100 + '","title":"x"}').encode(), None),
        ("questions", "é".encode() * 101, ('{"id":"' + "é" * 101 + '","title":"x"}').encode(), "schema"),
        ("answers", b"q1", b'{"id":"a1","questionId":"q1"}', None),
        ("answers", b"q1", b'{"id":"a1"}', "schema"),
        ("answers", b"a1", b'{"id":"a1","questionId":"q1"}', "key-mismatch"),
        ("answers", b"q1", b'{"id":"a1","questionId":"q1","withdrawn":"yes"}', "schema"),
        ("answers", b"q1", b'{"id":"a1","questionId":"q1","withdrawn":false,"author":{}}', None),
        ("answers", b"q1", b'{"id":"a1","questionId":"q1","author":{"rating":"4.9"}}', "schema"),
        ("answers", b"q1", b'{"id":"a1","questionId":"q1","author":{"rating":1e999,"reviewCount":188.0}}', None),
        ("answers", b"q1", b'{"id":"a1","questionId":"q1","author":{"reviewCount":18.5}}', "schema"),
        ("answers", b"q1", b'{"id":"a1","questionId":"q1","author":{"rating":1,"rating":2}}', "schema"),
        ("votes", b"q1", vote(**CAST), None),
        ("votes", b"q1", vote(**COUNTED), None),
        ("votes", b"q1", vote(**CAST, **COUNTED), "schema"),
        ("votes", b"q1", vote(), "schema"),
        ("votes", b"q1", vote(**CAST | {"value": 2}), "schema"),
        ("votes", b"q1", vote(**CAST | {"value": True}), "schema"),
        ("votes", b"q1", vote(**CAST | {"value": None}), "schema"),
        ("votes", b"q1", vote(**CAST | {"value": 1.0}), None),
        ("votes", b"q1", vote(voterId="u", value=1), None),
        ("votes", b"q1", vote(voterId=7, value=1), None),
        ("votes", b"q1", vote(value=1), "schema"),
        ("votes", b"q1", vote(voteCount=3), None),
        ("votes", b"q1", vote(**COUNTED | {"voteCount": 2**53}), None),
        ("votes", b"q1", vote(**COUNTED | {"voteCount": 2**53 + 1}), "schema"),
        ("votes", b"q1", vote(**COUNTED | {"voteCount": 1.5}), "schema"),
        ("votes", b"q2", vote(**COUNTED), "key-mismatch"),
        ("votes", b"q1", vote(**CAST, countedAt="never"), None),
        ("votes", b"q1", vote(**COUNTED, voterId=7, castAt=None), None),
        ("votes", b"q1", vote(**COUNTED)[:-1] + b',"voterId":1,"voterId":2}', None),
        ("votes", b"q1", vote(**CAST)[:-1] + b',"value":1}', "schema"),
        ("votes", b"q1", b"[]", "schema"),
    ],
)  # fmt: skip
def test_codes(kind, key, value, code):
    assert code_of(kind, key, value) == code


# --- The whole -----------------------------------------------------------------------------------------------


class Log:
    """Records with running offsets, as the tests below write them down."""

    def __init__(self):
        self.records = []

    def add(self, topic, value, key=b"q1", partition=0):
        offset = sum(1 for r in self.records if (r.topic, r.partition) == (topic, partition))
        self.records.append(Record(topic, partition, offset, 1_000 + len(self.records), key, value))
        return self

    def answer(self, identifier, **fields):
        return self.add("answers", json.dumps({"id": identifier, "questionId": "q1"} | fields).encode())

    def cast(self, answer, voter, value):
        return self.add("votes", vote(**CAST | {"answerId": answer, "voterId": voter, "value": value}))

    def counted(self, answer, count):
        return self.add("votes", vote(**COUNTED | {"answerId": answer, "voteCount": count}))

    def enriched(self, limit=10**9):
        (result,) = [r for r in compute(self.records + [Record("questions", 0, 0, 5, b"q1", QUESTION)], limit)]
        return result.value

    def tallies(self):
        answers = json.loads(self.enriched())["answers"]
        return [(a["answer"]["id"], a["voteCount"], a["voteLabel"]) for a in answers]


def test_no_answers():
    assert Log().enriched() == b'{"question":{"id":"q1","title":"Why?"},"answers":[],"answerCount":0}'


def test_bytes_are_carried():
    value = b' {"id" : "a\\u0031", "questionId":"q1", "n": 1.00e+2 }\n'
    log = Log().add("answers", value).cast("a1", "u", 1)
    assert log.enriched() == (
        b'{"question":{"id":"q1","title":"Why?"},"answers":[{"answer":' + value + b',"voteCount":1,"voteLabel":"+2"}],"answerCount":1}'
    )


def test_votes():
    log = Log().cast("a", "u", 1).answer("a")
    assert log.tallies() == [("a", 1, "+2")]
    assert log.cast("a", "u", -1).cast("a", "v", -1).tallies() == [("a", -2, "-1")]
    assert log.cast("a", "u", 0).tallies() == [("a", -1, "0")]
    assert log.counted("a", 10).tallies() == [("a", 10, "+11")]
    assert log.cast("a", "v", 1).tallies() == [("a", 12, "+13")]
    assert log.counted("a", -3).tallies() == [("a", -3, "-2")]
    assert log.answer("a", withdrawn=True).tallies() == []
    assert log.cast("a", "w", 1).answer("a").tallies() == [("a", -2, "-1")]
    assert log.add("answers", None).tallies() == []
    assert log.answer("a").tallies() == [("a", -2, "-1")]
    assert log.add("votes", None).tallies() == [("a", 0, "+1")]
    assert log.cast("a", "v", 1).tallies() == [("a", 1, "+2")]


def test_ranking():
    log = Log()
    log.answer("z", answeredAt="2025-01-01T01:00:00+02:00")  # 23:00 the day before
    log.answer("y", answeredAt="2025-01-01T00:00:00Z")
    log.answer("x", answeredAt="2025-01-01T00:00:00.000000000000001Z")
    log.answer("w").answer("é").answer("\U00010000").answer("\uffee").answer("top").cast("top", "u", 1)
    log.answer("low", answeredAt="1999-01-01T00:00:00Z").cast("low", "u", -1)
    assert [t[0] for t in log.tallies()] == ["top", "z", "y", "x", "w", "é", "\uffee", "\U00010000", "low"]


def test_omission():
    log = Log()
    for number in range(12):
        log.answer(f"a{number:02}", body="." * number)
    whole = log.enriched()
    assert log.enriched(len(whole)) == whole
    lengths = set()
    for limit in range(len(whole) - 1, 0, -1):
        (result,) = compute(log.records + [Record("questions", 0, 0, 5, b"q1", QUESTION)], limit)
        if isinstance(result, DeadLetter):
            assert result.code == "too-large"
            break
        assert len(result.value) <= limit
        document = json.loads(result.value)
        kept, omitted = len(document["answers"]), document["answersOmitted"]
        assert list(document)[-1] == "answersOmitted"
        assert (document["answerCount"], kept + omitted) == (12, 12)
        lengths.add((kept, len(result.value)))
    # Each k was the largest that fits: its value had one length, and the limit came down to it.
    assert len(lengths) == 12
    assert limit == min(length for _, length in lengths) - 1


def test_places_and_dead_letters():
    log = Log().add("questions", QUESTION, partition=3).add("questions", None, partition=2).add("questions", b"{", partition=2)
    log.add("answers", QUESTION).add("votes", None, key=b"")
    results = list(compute(log.records))
    assert [(r.partition, r.value is None) for r in results if isinstance(r, Enriched)] == [(3, False), (2, True)]
    assert [(r.source.topic, r.code) for r in results if isinstance(r, DeadLetter)] == [
        ("answers", "schema"),
        ("votes", "key-mismatch"),
        ("questions", "invalid-json"),
    ]
    placed = [r.partition for r in compute(log.records, output_partitions=5) if isinstance(r, Enriched)]
    assert placed == [partition_of(b"q1", 5)] * 2


# --- The examples --------------------------------------------------------------------------------------------


def recorded(kind):
    lines = (EXAMPLES / f"{kind}.jsonl").read_text("utf-8").splitlines()
    return [oracle.envelope_record(line) for line in lines]


def test_the_golden_files_are_what_the_oracle_says():
    results = list(compute([record for kind in oracle.KINDS for record in recorded(kind)]))
    assert (EXAMPLES / "enriched.golden.jsonl").read_text("utf-8").splitlines() == oracle.golden_enriched(results)
    assert (EXAMPLES / "dead-letters.golden.jsonl").read_text("utf-8").splitlines() == oracle.golden_dead_letters(results)


@pytest.mark.parametrize("kind", oracle.KINDS)
def test_recordings_are_sound(kind):
    following = [0, 0, 0]
    valid = []
    for record in recorded(kind):
        assert record.topic == kind
        assert record.partition == partition_of(record.key, 3)
        assert record.offset == following[record.partition]
        following[record.partition] += 1
        if record.value is not None and code_of(kind, record.key, record.value) is None:
            valid.append(record.value.decode())
    assert min(following) > 0
    assert (EXAMPLES / "load" / f"{kind}.jsonl").read_text("utf-8").splitlines() == valid
