"""Records at the edges: some that must be refused, with the code, and odd-looking ones that must be carried through."""

import json

import oracle

MOMENT = "2025-09-15T08:00:00Z"


def _sound(kind, question):
    if kind == oracle.QUESTIONS:
        return {"id": question, "title": "Is this one fine?"}
    if kind == oracle.ANSWERS:
        return {"id": "a-odd", "questionId": question}
    return {"questionId": question, "answerId": "a-odd", "voterId": "u-odd", "value": 1, "castAt": MOMENT}


def _dump(value):
    return json.dumps(value, ensure_ascii=False).encode()


def _with(value, addition):
    """The object's text with more members, given as text."""
    return _dump(value)[:-1] + b"," + addition + b"}"


def _nested(depth):
    return b"[" * depth + b"]" * depth


_NOT_JSON = [
    b"", b" ", b"\n", b"x", b"{", b"}", b'"', b'{"id"', b"\x00", b"\xff", b"\xef\xbb\xbf{}", b"{}{}", b"{},", b"{} x", b"{}\x00",
    b"nul", b"nullx", b"tru", b"True", b"NaN", b"-Infinity", b"undefined", b"01", b"-", b"+1", b".5", b"1.", b"1e", b"0x1f",
    b"{'id':1}", b"{id:1}", b'{"a":1,}', b"[1,]", b"[,]", b"[1 2]", b'{"a" 1}', b'{"a":}', b'{"a":1 "b":2}', b"{]", b"[}",
    b"// {}\n{}", b"/**/{}", b"\x0c{}", b"\xc2\xa0{}", b"\xe2\x80\xa8{}", b"[" * 600, b"[" * 600 + b"]" * 599,
    b"<question/>", b"id: q", b"\x00\x00\x00\x00\x01{}", b"\xfe\xff\x00{\x00}",
]  # fmt: skip

# To stand as the last member of an otherwise sound object.
_NOT_JSON_WITHIN = [
    b'"x":]]', b'"x":truu', b'"x":01', b'"x":1.', b'"x":-', b'"x":1e+', b'"x":NaN', b'"x":"\t"', b'"x":"\x00"', b'"x":"\n"',
    b'"x":"\\x41"', b'"x":"\\u12"', b'"x":"\\u00g0"', b'"x":"\\ud80"', b'"x":"\\ud83d\\u"', b'"x":"\\ud83d\\',
    b'"x":"\xff"', b'"x":"\xc0\xaf"', b'"x":"\xed\xa0\x80"', b'"x":"\xf5\x80\x80\x80"', b'"x":"\xe2\x82"', b'"\\ud80":1', b'"x":"\\ud800","x":',
    b'"x":[1,{"y":[}]', b'"x":"abc', b'"x"', b'"x":1,', b'"x":{"a":1,}', b'"x":\'y\'', b'"x":1_000', b'"x":\xd9\xa3',
]  # fmt: skip

_NOT_AN_OBJECT = [b"null", b"true", b"0", b"-1.5e3", b'"q"', b"[]", b"[{}]", b" null ", _nested(512)]


def _bad_fields(kind, question):
    """Values that break the schema of the kind, each in one way."""
    sound = _sound(kind, question)
    for name in sound:
        if name != "castAt":
            yield _dump({k: v for k, v in sound.items() if k != name})
        yield _with(sound, json.dumps(name).encode() + b":" + _dump(sound[name]))
        # The same name with its first letter escaped is still the same name.
        yield _with(sound, b'"\\u%04x%b":%b' % (ord(name[0]), name[1:].encode(), _dump(sound[name])))
        for wrong in (None, [], {}, True, [sound[name]]):
            yield _dump(sound | {name: wrong})
    identifiers = [name for name in sound if name.endswith(("id", "Id"))]
    for name in identifiers:
        for wrong in ("", "x" * 201, "é" * 101, 7.5, 7.0, 1e22, 10**200):
            yield _dump(sound | {name: wrong})
        for wrong in (b'"\\ud83d"', b'"x\\ude00"', b'"\\ude00\\ud83d"', b"7E0"):
            yield _dump(sound | {name: 7}).replace(b'"%b": 7' % name.encode(), b'"%b": %b' % (name.encode(), wrong))
    times = {oracle.QUESTIONS: "askedAt", oracle.ANSWERS: "answeredAt", oracle.VOTES: "castAt"}
    for wrong in (
        "", "yesterday", "2025-09-15", "2025-09-15T08:00:00", "2025-09-15 08:00:00Z", "2025-13-01T00:00:00Z", "2025-02-29T00:00:00Z",
        "2025-09-15T24:00:00Z", "2025-09-15T08:60:00Z", "2025-09-15T08:00:60Z", "2025-09-15T08:00:00+24:00", "2025-09-15T08:00:00.Z",
        "2025-09-15T08:00:00Z ", "2025-9-15T08:00:00Z", "20250915T080000Z", 1757923200, None,
    ):  # fmt: skip
        yield _dump(sound | {times[kind]: wrong})
    if kind == oracle.VOTES:
        for wrong in (2, -2, 0.5, "1", 1e300, 10**30):
            yield _dump(sound | {"value": wrong})
        counted = {"questionId": question, "answerId": "a-odd", "voteCount": 3, "countedAt": MOMENT}
        yield _dump(sound | counted)
        yield _dump(sound | {"voteCount": None})
        yield _dump({k: v for k, v in sound.items() if k not in ("value", "castAt")})
        yield _with(counted, b'"voteCount":3')
        for wrong in (b"1.5", b"9007199254740993", b"-9007199254740993", b"1e400", b'"3"', b"null", b"90071992547409920e-1"):
            text = b'{"questionId":%b,"answerId":"a","countedAt":"%b","voteCount":%b}'
            yield text % (_dump(question), MOMENT.encode(), wrong.replace(b"90071992547409920e-1", b"90071992547409925e-1"))
    else:
        for wrong in (None, 1, [], "Ann", True, {"id": ""}, {"id": 3.5}, {"displayName": None}):
            yield _dump(sound | {"author": wrong})
        yield _with(sound, b'"author":{"displayName":"a","display\\u004eame":"b"}')
        yield _with(sound, b'"author":{},"author":{}')
        yield _dump(sound | {"body": None})
    if kind == oracle.QUESTIONS:
        yield _dump(sound | {"title": ""})
        for wrong in (None, "tag", {}, [1], ["a", None], [["a"]]):
            yield _dump(sound | {"tags": wrong})
    if kind == oracle.ANSWERS:
        for wrong in (None, 0, "true", "false", []):
            yield _dump(sound | {"withdrawn": wrong})
        for wrong in (None, "3", 1.5, 2**53 + 1, -(2**53) - 1, [], True):
            yield _dump(sound | {"voteCount": wrong})
        for wrong in ("4.9", None, [], True):
            yield _dump(sound | {"author": {"rating": wrong}})
        for wrong in ("188", None, 1.5, False):
            yield _dump(sound | {"author": {"reviewCount": wrong}})
        for name in ("profession", "specialty", "location"):
            yield _dump(sound | {"author": {name: 1}})


def malformed(kind, question="q-odd"):
    """Yields (key, value, code) for records of a kind that must be refused."""
    key = question.encode()
    sound = _sound(kind, question)
    for value in _NOT_JSON:
        yield key, value, "invalid-json"
    yield None, b"{", "invalid-json"
    for addition in _NOT_JSON_WITHIN:
        yield key, _with(sound, addition), "invalid-json"
    for cut in range(1, len(_dump(sound)), 7):
        yield key, _dump(sound)[:cut], "invalid-json"
    yield key, _with(sound, b'"x":' + b"[" * 600 + b"]" * 600 + b" oops"), "invalid-json"
    yield key, _nested(513), "too-deep"
    yield None, _nested(20_000), "too-deep"
    yield key, _with(sound, b'"x":' + _nested(512)), "too-deep"
    yield key, _with(sound, b'"id":1,"x":' + b'{"y":' * 512 + b"1" + b"}" * 512), "too-deep"
    for value in _NOT_AN_OBJECT:
        yield key, value, "schema"
        yield None, value, "schema"
    yield key, b"{}", "schema"
    for value in _bad_fields(kind, question):
        yield key, value, "schema"
        yield b"other", value, "schema"
    for wrong in (None, b"", b"other", key + b" ", key.upper(), key + b"\x00", b'"' + key + b'"', b"\xff"):
        yield wrong, _dump(sound), "key-mismatch"
    yield None, None, "key-mismatch"
    yield b"", None, "key-mismatch"


# The pieces that damage puts into a text: marks of JSON, halves of escapes and characters, beginnings of other values.
_SCRAPS = (
    b"{", b"}", b"[", b"]", b'"', b":", b",", b"\\", b"\\u", b"\\ud800", b"\\udc00", b"\\u0000", b"0", b"1", b"-", b"+", b".", b"e", b"E5", b"null",
    b"true", b" ", b"\t", b"\n", b"\r", b"\x00", b"\x1f", b"\x7f", b"\x80", b"\xc3", b"\xe2\x82", b"\xed\xa0\x80", b"\xf0\x9f", b"\xff", b"/", b"a", b"Z",
    b'"id":1,', b'"x":{},', b",,", b"{}", b"[[]]", b"00", b"-0", b"1e999",
)  # fmt: skip


def damaged(value, chance):
    """The value with one to three small changes: something put in, taken out, or put in place of something."""
    text = bytearray(value)
    for _ in range(chance.randint(1, 3)):
        start = chance.randrange(len(text) + 1)
        end = start + chance.choice((0, 0, 1, 1, 2, 8))
        text[start:end] = chance.choice(_SCRAPS) if chance.random() < 0.7 else b""
    return bytes(text)


def odd_members():
    """Members, as text, that any record may carry in fields of its own."""
    yield from (
        b'"x":1e400', b'"x":-0', b'"x":0.' + b"1" * 5000, b'"x":' + b"9" * 5000, b'"x":1E-7777', b'"x":12345678901234567890',
        b'"x":1,"x":2,"x":3', b'"":null', b'"":"","":""', b'"x":' + _nested(511), b'"x":' + b'{"":' * 511 + b"0" + b"}" * 511,
        b'"x":[]' + b" " * 3000, b' \t\r\n"x" \t\r\n:\t\n \r[ \t\r\n]', b'"x":[{},{},[],[[]],""]', b'"x":"\\u0000\\u001f\\u007f"', b'"x":"\x7f"',
        b'"x":"\\/\\b\\f\\n\\r\\t\\"\\\\"', b'"x":"\\ud83d\\ude00"', b'"x":"\\uD834\\uDD1E"', b'"x":"\\\\ud800"', b'"x":"\\uffff\\ufffe"',
        '"x":"\ufeff\u2028\u2029\u00a0\u200d"'.encode(), '"x":"\U0010ffff\uffff\ufdd0"'.encode(), '"x":"e\u0301é"'.encode(),
        '"x":"العربية עברית हिन्दी ไทย 日本語 한국어 Ελληνικά Кириллица ქართული አማርኛ ᚠᛇᚻ 𓂀 👩‍⚕️"'.encode(),
        '"имя":"значение","名前":["値"]'.encode(), b'"question":{"id":"q"},"answers":[],"answerCount":7', b'"voteLabel":"+1"',
        b'"x":"' + b"\\u0041" * 500 + b'"', b'"x":"' + b"\\\\" * 999 + b'"', b'"x":[' + b",".join([b"[]"] * 2000) + b"]", b'"\\u0000":true', b'"ID":1,"Id":2,"iD":3',
        b'"x":"\\ud83d"', b'"x":"\\ude00\\ud83d"', b'"x\\udc00":["\\ud800\\n"]', b'"author2":{"id":1,"id":2}', b'"x":{"id":1,"id":2,"questionId":[],"title":""}',
    )  # fmt: skip


def odd_records(question="q-odd"):
    """Yields (kind, key, value) of valid records that look odd. `question` gets all the answers."""
    key = question.encode()
    for kind in oracle.KINDS:
        for number, addition in enumerate(odd_members()):
            sound = _sound(kind, question)
            if kind == oracle.ANSWERS:
                sound["id"] = f"a-{number}"
            yield kind, key, _with(sound, addition)
    escaped = "".join(f"\\u{unit:04x}" for unit in key)
    yield oracle.QUESTIONS, key, b'{"id":"%b","title":"\\u003f"}' % escaped.encode()
    yield oracle.ANSWERS, key, b'{"questionId":"%b","id":"\\u0061-esc"}' % escaped.encode()
    yield oracle.VOTES, key, b'{"questionId":"%b","answerId":"\\u0061-esc","voterId":"\\ud83d\\ude00","value":10e-1,"castAt":"%b"}' % (
        escaped.encode(),
        MOMENT.encode(),
    )
    for count in (b"-0", b"3.0", b"30e-1", b"0.2E1", b"9007199254740992", b"-9007199254740992.000", b"0e999"):
        text = b'{"voteCount":%b,"questionId":"%b","answerId":"a-1","countedAt":"%b"}'
        yield oracle.VOTES, key, text % (count, key, MOMENT.encode())
    for moment in ("0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999999Z", "2016-12-31T23:59:60Z", "2016-12-31t18:59:60.5-05:00",
                   "2024-02-29T00:00:00-23:59", "2000-02-29T23:59:59+00:00", "1969-12-31T23:59:59.9z"):  # fmt: skip
        yield oracle.ANSWERS, key, _dump({"id": f"a-{moment}", "questionId": question, "answeredAt": moment})
    # Ids of every length that is allowed, and bytes that sort otherwise as text than as bytes.
    for identifier in ("x" * 200, "é" * 100, "\U0001f600" * 50, "\uffee", "\U00010000", "\u0000", " ", '"', "\\", "\x7f", "a", "A"):
        yield oracle.ANSWERS, key, _dump({"id": identifier, "questionId": question})
        yield oracle.QUESTIONS, identifier.encode(), _dump({"id": identifier, "title": identifier})
    # Integers as ids: the digits are the id, also beyond 64 bits.
    for number in (0, -7, 42, 2**63, 9999999999999999999, 10**199):
        yield oracle.QUESTIONS, b"%d" % number, _dump({"id": number, "title": "?"})
        yield oracle.ANSWERS, b"%d" % number, _dump({"id": number, "questionId": number, "author": {"id": number}})
        # An answer's own tally and votes stand in two topics, without an order between them: no votes for this one.
        yield oracle.ANSWERS, b"%d" % number, _dump({"id": f"tallied-{number % 7}", "questionId": number, "voteCount": number % 1000})
        yield oracle.VOTES, b"%d" % number, _dump({"questionId": str(number), "answerId": number, "voterId": number, "value": 1})
        yield oracle.VOTES, b"%d" % number, _dump({"questionId": number, "answerId": str(number), "voteCount": 4})
    yield oracle.ANSWERS, key, _dump({"id": "a-own-tally", "questionId": question, "voteCount": -12})
    yield oracle.ANSWERS, key, _dump({"id": "a-empty", "questionId": question, "title": "", "body": "", "author": {}})
    yield oracle.QUESTIONS, key, _dump({"id": question, "title": " ", "body": "", "tags": [], "author": {}})
    yield oracle.QUESTIONS, b"\xff\xfe\x00", None
    yield oracle.QUESTIONS, b"x" * 5000, None
    yield oracle.ANSWERS, b"y" * 5000, None
    yield oracle.VOTES, b"\x00", None
