"""Writes Resources/cases.jsonl, the table of good and bad records that every judge of records is held to.

The verdicts below are written down by hand, or follow from a rule that stands beside them; no reader is asked. The
table is committed, and a test checks that it is this program's output:

    python3 Tests/RecordsTests/Python/make_cases.py

Each line is an object: name; kind (question, answer, vote); key and value as text, or keyBase64 and valueBase64 where
they are not UTF-8, or null for a null one; and expected, which is "ok" or the error code.
"""

import base64
import json
import pathlib

TABLE = pathlib.Path(__file__).parent.parent / "Resources" / "cases.jsonl"

NULL = object()
cases = []


def case(name, kind, value, expected, key="q1"):
    """One line. Text or bytes; NULL for a null key or value."""
    line = {"name": name, "kind": kind}
    for field, content in (("key", key), ("value", value)):
        if content is NULL:
            line[field] = None
        elif isinstance(content, bytes):
            line[field + "Base64"] = base64.b64encode(content).decode("ascii")
        else:
            line[field] = content
    line["expected"] = expected
    cases.append(line)


# A whole record of each sort, as a list of (name, JSON text of the value).
QUESTION = [
    ("id", '"q1"'),
    ("title", '"Is it safe to fly with a cold?"'),
    ("body", '"My ears hurt at every landing."'),
    ("author", '{"id":"u1","displayName":"Noor"}'),
    ("tags", '["ears","travel"]'),
    ("askedAt", '"2024-03-01T08:00:00Z"'),
]
ANSWER = [
    ("id", '"a1"'),
    ("questionId", '"q1"'),
    ("title", '"Usually"'),
    ("body", '"A nasal spray half an hour before landing helps."'),
    (
        "author",
        '{"id":"d1","displayName":"Dr. Ode","profession":"Physician","specialty":"ENT","location":"Lagos",'
        '"rating":4.9,"reviewCount":188}',
    ),
    ("answeredAt", '"2024-03-01T09:30:00.125+01:00"'),
    ("withdrawn", "false"),
    ("voteCount", "12"),
]
CAST = [
    ("questionId", '"q1"'),
    ("answerId", '"a1"'),
    ("voterId", '"u9"'),
    ("value", "1"),
    ("castAt", '"2024-03-02T10:00:00Z"'),
]
COUNTED = [
    ("questionId", '"q1"'),
    ("answerId", '"a1"'),
    ("voteCount", "41"),
    ("countedAt", '"2024-03-02T10:00:00Z"'),
]
SORTS = [
    ("question", "question", QUESTION),
    ("answer", "answer", ANSWER),
    ("cast vote", "vote", CAST),
    ("counted vote", "vote", COUNTED),
]
QUESTION_AUTHOR = [("id", '"u1"'), ("displayName", '"Noor"')]
ANSWER_AUTHOR = [
    ("id", '"d1"'),
    ("displayName", '"Dr. Ode"'),
    ("profession", '"Physician"'),
    ("specialty", '"ENT"'),
    ("location", '"Lagos"'),
    ("rating", "4.9"),
    ("reviewCount", "188"),
]
REQUIRED = {
    "question": {"id", "title"},
    "answer": {"id", "questionId"},
    "vote": {name for name, _ in CAST + COUNTED} - {"castAt", "countedAt"},
}


def text(fields):
    return "{" + ",".join(f'"{name}":{value}' for name, value in fields) + "}"


def with_field(fields, name, value):
    """The record with that field's text replaced, or the field added at the end."""
    if any(existing == name for existing, _ in fields):
        return [(existing, value if existing == name else old) for existing, old in fields]
    return fields + [(name, value)]


def shortened(number):
    return number if len(number) < 50 else f"{number[:20]}...{number[-20:]} of {len(number)} characters"


def question_with(name, value):
    return text(with_field(QUESTION, name, value))


def answer_with(name, value):
    return text(with_field(ANSWER, name, value))


def author_with(name, value):
    return answer_with("author", text(with_field(ANSWER_AUTHOR, name, value)))


# ---------------------------------------------------------------------------------------------------------------------
# Whole records, and every field left out in turn.

case("question, whole", "question", text(QUESTION), "ok")
case("question, least", "question", '{"id":"q1","title":"?"}', "ok")
case("answer, whole", "answer", text(ANSWER), "ok")
case("answer, least", "answer", '{"id":"a1","questionId":"q1"}', "ok")
case("answer, withdrawn", "answer", '{"id":"a1","questionId":"q1","withdrawn":true}', "ok")
case("cast vote", "vote", text(CAST), "ok")
case("counted vote", "vote", text(COUNTED), "ok")
for sort, kind, fields in SORTS:
    case(f"{sort} backwards", kind, text(fields[::-1]), "ok")
    for name, _ in fields:
        left = [field for field in fields if field[0] != name]
        expected = "schema" if name in REQUIRED[kind] else "ok"
        case(f"{sort} without {name}", kind, text(left), expected)
for name, _ in ANSWER_AUTHOR:
    left = [field for field in ANSWER_AUTHOR if field[0] != name]
    case(f"answer author without {name}", "answer", answer_with("author", text(left)), "ok")
for kind, fields in (("question", QUESTION), ("answer", ANSWER)):
    case(f"{kind} with an empty author", kind, text(with_field(fields, "author", "{}")), "ok")
case("question with no tags in tags", "question", question_with("tags", "[]"), "ok")
case("question with empty tags", "question", question_with("tags", '["",""]'), "ok")
case("empty object as question", "question", "{}", "schema")
case("empty object as answer", "answer", "{ }", "schema")
case("empty object as vote", "vote", "{}", "schema")

# ---------------------------------------------------------------------------------------------------------------------
# Every field with a value of every other type.

TYPES = {
    "null": "null",
    "true": "true",
    "a number": "5.5",
    "an integer": "1",
    "a string": '"text"',
    "an empty string": '""',
    "an array": "[1]",
    "an array of strings": '["a"]',
    "an object": '{"id":"x1"}',
}
STRING = {"a string", "an empty string"}
ID = {"a string", "an integer"}
RIGHT = {
    "id": ID,
    "questionId": ID,
    "answerId": ID,
    "voterId": ID,
    "title": STRING,
    "body": STRING,
    "displayName": STRING,
    "profession": STRING,
    "specialty": STRING,
    "location": STRING,
    "author": {"an object"},
    "tags": {"an array of strings"},
    "askedAt": set(),
    "answeredAt": set(),
    "castAt": set(),
    "countedAt": set(),
    "withdrawn": {"true"},
    "rating": {"a number", "an integer"},
    "reviewCount": {"an integer"},
    "value": {"an integer"},
    "voteCount": {"an integer"},
}
for sort, kind, fields in SORTS:
    for name, _ in fields:
        for type_name, value in TYPES.items():
            right = type_name in RIGHT[name] and not (kind == "question" and name == "title" and value == '""')
            expected = "ok" if right else "schema"
            if right and (name == "questionId" or (kind == "question" and name == "id")):
                expected = "key-mismatch"  # it is an id now, but another one than the key
            case(f"{sort} with {type_name} as {name}", kind, text(with_field(fields, name, value)), expected)
for kind, fields, author in (("question", QUESTION, QUESTION_AUTHOR), ("answer", ANSWER, ANSWER_AUTHOR)):
    for name, _ in author:
        for type_name, value in TYPES.items():
            expected = "ok" if type_name in RIGHT[name] else "schema"
            record = text(with_field(fields, "author", text(with_field(author, name, value))))
            case(f"{kind} with {type_name} as author.{name}", kind, record, expected)
case("an answer's author fields mean nothing in a question", "question",
     question_with("author", '{"profession":5,"profession":6,"rating":"high","reviewCount":null}'), "ok")
for tags in ('["a",1]', '[null]', '["a",["b"]]', '[{"a":"b"}]', '["a",true,"b"]'):
    case(f"tags {tags}", "question", question_with("tags", tags), "schema")
for value in ("true", "false"):
    case(f"withdrawn {value}", "answer", answer_with("withdrawn", value), "ok")

# ---------------------------------------------------------------------------------------------------------------------
# A vote is cast or counted.

case("vote with value and voteCount", "vote", text(CAST + COUNTED[2:]), "schema")
case("vote with value and a voteCount that is null", "vote", text(CAST + [("voteCount", "null")]), "schema")
case("counted vote with a value that is null", "vote", text(COUNTED + [("value", "null")]), "schema")
case("counted vote with a value, its name escaped", "vote", text(COUNTED + [("v\\u0061lue", "1")]), "schema")
case("vote with neither", "vote", text(CAST[:3] + CAST[4:]), "schema")
case("vote with the ids alone", "vote", text(CAST[:3]), "schema")
case("cast vote with countedAt instead of castAt", "vote", text(CAST[:4] + COUNTED[3:]), "ok")
case("counted vote with castAt instead of countedAt", "vote", text(COUNTED[:3] + CAST[4:]), "ok")
case("cast vote, least", "vote", text(CAST[:4]), "ok")
case("counted vote, least", "vote", text(COUNTED[:3]), "ok")
case("cast vote with countedAt as an unknown field", "vote", text(CAST + [("countedAt", "5"), ("countedAt", "{}")]), "ok")
case("counted vote with castAt and voterId as unknown fields", "vote",
     text(COUNTED + [("castAt", "null"), ("voterId", "[]"), ("voterId", '""')]), "ok")
case("cast vote with an author of no shape", "vote", text(CAST + [("author", '{"id":5,"id":6}')]), "ok")

ONES = {
    "1": "ok", "0": "ok", "-1": "ok", "-0": "ok", "1.0": "ok", "-1.000": "ok", "0.0": "ok", "-0.0": "ok", "10e-1": "ok",
    "-100E-2": "ok", "0.1e1": "ok", "0.01e+2": "ok", "1e0": "ok", "1E-0": "ok", "1e-00": "ok", "0e999999999": "ok",
    "0e-999999999": "ok", "0.000e99999999999999999999": "ok", "-0E+7": "ok", "1.0e00000": "ok",
    "1" + "0" * 40 + "e-40": "ok", "0." + "0" * 40 + "1e41": "ok", "-" + "0." + "0" * 99 + "1e100": "ok",
    "2": "schema", "-2": "schema", "1.5": "schema", "0.5": "schema", "-0.1": "schema", "1e1": "schema", "1e-1": "schema",
    "1e400": "schema", "-1e400": "schema", "1e-400": "schema", "1e99999999999999999999": "schema",
    "1e-99999999999999999999": "schema", "1.0000000000000000000000000001": "schema", "0.99999999999999999999": "schema",
    "18446744073709551617": "schema", "4294967297": "schema", "-18446744073709551615": "schema",
    '"1"': "schema", "true": "schema",
}
for number, expected in ONES.items():
    case(f"value {shortened(number)}", "vote", text(with_field(CAST, "value", number)), expected)

COUNTS = {
    "0": "ok", "-3": "ok", "3.0": "ok", "300e-2": "ok", "9007199254740992": "ok", "-9007199254740992": "ok",
    "9007199254740991": "ok", "9007199254740992.0": "ok", "90071992547409920e-1": "ok", "9.007199254740992e15": "ok",
    "9.007199254740992E+0000015": "ok", "-9007199254740992000e-3": "ok", "1e15": "ok", "0.1e16": "ok", "9e15": "ok",
    "0e400": "ok", "1000000000000000000000000000000e-20": "ok",
    "9007199254740993": "schema", "-9007199254740993": "schema", "9007199254740992.5": "schema",
    "9007199254740992.0000000000000000001": "schema", "9007199254740992.000e1": "schema", "1e16": "schema",
    "1e400": "schema", "-1e400": "schema", "1e-1": "schema", "12.5e0": "schema", "125e-1": "schema",
    "100000000000000000000": "schema", "9223372036854775808": "schema", "1" + "0" * 400: "schema",
    "1" + "0" * 400 + "e-390": "ok", "0." + "0" * 400 + "5e401": "ok", "0." + "0" * 400 + "5e400": "schema",
    "1e9223372036854775807": "schema", "1e-9223372036854775808": "schema", "1e18446744073709551616": "schema",
}
for number, expected in COUNTS.items():
    case(f"voteCount {shortened(number)}", "vote", text(with_field(COUNTED, "voteCount", number)), expected)
    case(f"answer's voteCount {shortened(number)}", "answer", answer_with("voteCount", number), expected)
case("withdrawn answer with a voteCount", "answer", '{"id":"a1","questionId":"q1","withdrawn":true,"voteCount":-4}', "ok")
case("a question's voteCount is a field like any unknown one", "question", question_with("voteCount", '"many"'), "ok")
case("an answer's value is a field like any unknown one", "answer", answer_with("value", "[]"), "ok")

for number in ("0", "-5", "188.0", "1e400", "-1e400", "123456789012345678901234567890", "1880e-1", "0e0", "0e-5"):
    case(f"reviewCount {number}", "answer", author_with("reviewCount", number), "ok")
for number in ("188.5", "1e-1", "1e-400", "1881e-1", "0.1"):
    case(f"reviewCount {number}", "answer", author_with("reviewCount", number), "schema")
for number in ("0", "-1", "4.9", "1e400", "1e-400", "0.0", "123456789012345678901234567890.5"):
    case(f"rating {number}", "answer", author_with("rating", number), "ok")

# ---------------------------------------------------------------------------------------------------------------------
# Names twice, and names spelled with escapes.

for sort, kind, fields in SORTS:
    for name, value in fields:
        escaped = "".join(f"\\u{ord(letter):04x}" for letter in name)
        upper = f"\\u{ord(name[0]):04X}" + name[1:]
        case(f"{sort} with {name} twice", kind, text(fields + [(name, value)]), "schema")
        case(f"{sort} with {name} twice, once escaped", kind, text([(upper, value)] + fields), "schema")
        all_escaped = [(escaped if existing == name else existing, old) for existing, old in fields]
        case(f"{sort} with {name} written in escapes", kind, text(all_escaped), "ok")
        case(f"{sort} with {name} and its like", kind,
             text(fields + [(name.upper() + "_", "1"), (name + " ", "2"), (name + "\\u0000", "3"), (name[:-1], "4")]), "ok")
for name, value in ANSWER_AUTHOR:
    twice = answer_with("author", text(ANSWER_AUTHOR + [(name, value)]))
    case(f"author.{name} twice", "answer", twice, "schema")
    escaped = f"\\u{ord(name[0]):04x}" + name[1:]
    case(f"author.{name} twice, once escaped", "answer",
         answer_with("author", text(ANSWER_AUTHOR + [(escaped, value)])), "schema")
case("question with author.id twice", "question", question_with("author", '{"id":"u1","id":"u1"}'), "schema")
case("question with author.displayName twice", "question",
     question_with("author", '{"displayName":"a","id":"u1","displayName":"b"}'), "schema")
case("unknown fields twice", "question", text(QUESTION + [("x", "1"), ("x", "2")]), "ok")
case("unknown fields twice in author", "answer", answer_with("author", '{"x":1,"x":[{"y":1,"y":2}],"id":"d1"}'), "ok")
case("contract names in unknown objects", "question",
     text(QUESTION + [("meta", '{"id":5,"id":6,"title":null,"author":{"id":[]}}')]), "ok")
case("contract names in objects within author", "answer",
     answer_with("author", '{"id":"d1","clinic":{"id":7,"id":8,"rating":"none"},"author":{"id":1,"id":2}}'), "ok")
case("the empty name twice", "question", text(QUESTION + [("", "1"), ("", "2")]), "ok")
case("unescaped, not unescaped twice", "question", text(QUESTION + [("\\\\u0069d", '"q1"')]), "ok")
case("a name of 10,000 characters", "question", text(QUESTION + [("n" * 10000, "1")]), "ok")
case("names of 15, 16 and 17 bytes", "question",
     text(QUESTION + [("n" * 15, "1"), ("n" * 16, "1"), ("n" * 17, "1")]), "ok")

# ---------------------------------------------------------------------------------------------------------------------
# Ids.

IDS = {
    "of 1 byte": ("x", "x", "ok"),
    "of 200 bytes": ("i" * 200, "i" * 200, "ok"),
    "of 201 bytes": ("i" * 201, "i" * 201, "schema"),
    "of 2,000 bytes": ("i" * 2000, "i" * 2000, "schema"),
    "of 100 two-byte letters": ("é" * 100, "é" * 100, "ok"),
    "of 101 two-byte letters": ("é" * 101, "é" * 101, "schema"),
    "of 66 three-byte letters and two": ("問" * 66 + "xy", "問" * 66 + "xy", "ok"),
    "of 67 three-byte letters": ("問" * 67, "問" * 67, "schema"),
    "of 50 emoji": ("😀" * 50, "😀" * 50, "ok"),
    "of 51 emoji": ("😀" * 51, "😀" * 51, "schema"),
    "of 200 escaped letters": ("\\u0061" * 200, "a" * 200, "ok"),
    "of 201 escaped letters": ("\\u0061" * 201, "a" * 201, "schema"),
    "of 50 escaped emoji": ("\\ud83d\\ude00" * 50, "😀" * 50, "ok"),
    "of 51 escaped emoji": ("\\uD83D\\uDE00" * 51, "😀" * 51, "schema"),
    "of 199 bytes and an escaped two-byte letter": ("i" * 199 + "\\u00e9", "i" * 199 + "é", "schema"),
    "of 198 bytes and an escaped two-byte letter": ("i" * 198 + "\\u00e9", "i" * 198 + "é", "ok"),
    "with every short escape": ('\\"\\\\\\/\\b\\f\\n\\r\\t', '"\\/\b\f\n\r\t', "ok"),
    "with one escape": ("q\\u0031", "q1", "ok"),
    "with the last of the plane": ("\\uFFFF\\uD7FF\\uE000", "\uffff\ud7ff\ue000", "ok"),
    "with the last character of all": ("\\udbff\\udfff", "\U0010ffff", "ok"),
    "with a zero in it": ("a\\u0000b", "a\0b", "ok"),
    "of one zero": ("\\u0000", "\0", "ok"),
    "of spaces": ("  ", "  ", "ok"),
    "in composed letters, key alike": ("caf\u00e9", "caf\u00e9", "ok"),
    "in composed letters, key decomposed": ("caf\u00e9", "cafe\u0301", "key-mismatch"),
    "with an escaped solidus": ("a\\/b", "a/b", "ok"),
    "in escapes, empty": ("", "q1", "schema"),
    "of digits": ("42", "42", "ok"),
    "of half a surrogate pair": ("\\ud83d", "q1", "schema"),
    "that ends with half a surrogate pair": ("x\\ud83d", "x", "schema"),
    "that begins with the second half of a surrogate pair": ("\\ude00x", "x", "schema"),
    "with a surrogate pair the wrong way round": ("\\ude00\\ud83d", "q1", "schema"),
    "with half a surrogate pair before a letter": ("\\ud83d\\u0041", "q1", "schema"),
}
INTEGER_IDS = {
    "42": "42", "0": "0", "-7": "-7", "-0": "-0", "9007199254740993": "9007199254740993", "1234567890123456789": "1234567890123456789",
    "18446744073709551616": "18446744073709551616", "9" * 200: "9" * 200, "-" + "9" * 199: "-" + "9" * 199,
    "9" * 201: None, "-" + "9" * 200: None, "42.0": None, "4.2": None, "42e0": None, "42E1": None, "-1e-1": None, "0.0": None, "1e400": None,
}
for name, (written, key, expected) in IDS.items():
    case(f"question id {name}", "question", text(with_field(QUESTION, "id", f'"{written}"')), expected, key)
    case(f"questionId {name}", "answer", text(with_field(ANSWER, "questionId", f'"{written}"')), expected, key)
    other = "ok" if expected == "key-mismatch" else expected
    case(f"answer id {name}", "answer", text(with_field(ANSWER, "id", f'"{written}"')), other)
    case(f"author id {name}", "answer", author_with("id", f'"{written}"'), other)
    case(f"voterId {name}", "vote", text(with_field(CAST, "voterId", f'"{written}"')), other)
for number, key in INTEGER_IDS.items():
    expected, name = ("schema" if key is None else "ok"), shortened(number)
    case(f"question id {name}, a number", "question", text(with_field(QUESTION, "id", number)), expected, key or number)
    case(f"questionId {name}, a number", "answer", text(with_field(ANSWER, "questionId", number)), expected, key or number)
    case(f"questionId {name}, a number, of a vote", "vote", text(with_field(CAST, "questionId", number)), expected, key or number)
    case(f"answer id {name}, a number", "answer", text(with_field(ANSWER, "id", number)), expected)
    case(f"answerId {name}, a number", "vote", text(with_field(COUNTED, "answerId", number)), expected)
    case(f"author id {name}, a number", "answer", author_with("id", number), expected)
    case(f"voterId {name}, a number", "vote", text(with_field(CAST, "voterId", number)), expected)
for number in ("042", "-", "-01", "+42", "4 2", "0x2a"):
    case(f"question id {number}, not JSON", "question", text(with_field(QUESTION, "id", number)), "invalid-json", "42")
case("an integer id and another key", "question", '{"id":42,"title":"?"}', "key-mismatch", "43")
case("an integer id and a key with a fraction", "question", '{"id":42,"title":"?"}', "key-mismatch", "42.0")

# ---------------------------------------------------------------------------------------------------------------------
# Times.

GOOD_TIMES = [
    "2024-02-29T00:00:00Z", "2000-02-29T12:00:00Z", "2023-12-31T23:59:59Z", "2024-01-01t00:00:00z",
    "2024-01-01T00:00:00+00:00", "2024-01-01T00:00:00-00:00", "2024-01-01T00:00:00+23:59", "2024-01-01T00:00:00-23:59",
    "2024-01-01T00:00:00.1Z", "2024-01-01T00:00:00.123456789012345678901234567890+01:00", "0000-01-01T00:00:00Z",
    "0000-02-29T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999999999Z", "1969-12-31T23:59:59Z",
    "2016-12-31T23:59:60Z", "2016-12-31T23:59:60.5Z", "2017-01-01T00:59:60+01:00", "2016-12-31T15:59:60-08:00",
    "2017-01-01T05:29:60+05:30", "2016-06-30T23:59:60Z", "2024-01-01T23:58:60-00:01", "2024-01-02T00:00:60+00:01",
    "2024-11-30T24:00:00Z".replace("24:", "23:"), "2024-01-01T00:00:00." + "0" * 300 + "Z", "1990-12-31T15:59:60.25-08:00",
]
BAD_TIMES = [
    "", " ", "Z", "2024", "2024-01-01", "2024-01-01T00:00Z", "2024-01-01T00:00:00", "2024-01-01 00:00:00Z",
    "2024-01-01_00:00:00Z", "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z", "2024-01-00T00:00:00Z", "2024-01-32T00:00:00Z",
    "2024-04-31T00:00:00Z", "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2024-02-30T00:00:00Z",
    "2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z", "2024-01-01T00:00:61Z", "2024-01-01T00:00:60Z", "2024-01-01T23:58:60Z",
    "2024-01-01T22:59:60Z", "2016-12-31T23:59:60+01:00", "2016-12-31T23:59:60-08:00", "2024-01-01T00:00:00.Z",
    "2024-01-01T00:00:00,5Z", "2024-01-01T00:00:00.5", "2024-01-01T00:00:00.5 Z", "2024-01-01T00:00:00+24:00",
    "2024-01-01T00:00:00+00:60", "2024-01-01T00:00:00+0000", "2024-01-01T00:00:00+00", "2024-01-01T00:00:00+1:00",
    "2024-01-01T00:00:00+01:0", "2024-01-01T00:00:00+01:000", "2024-01-01T00:00:00ZZ", "2024-01-01T00:00:00Z+00:00",
    "2024-01-01T00:00:00Z ", " 2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z\\n", "24-01-01T00:00:00Z",
    "12024-01-01T00:00:00Z", "+2024-01-01T00:00:00Z", "-2024-01-01T00:00:00Z", "2024-1-01T00:00:00Z",
    "2024-01-1T00:00:00Z", "2024-01-01T0:00:00Z", "2024/01/01T00:00:00Z", "2024-01-01T00.00.00Z", "20240101T000000Z",
    "2024-W01-1T00:00:00Z", "2024-001T00:00:00Z", "yyyy-mm-ddThh:mm:ssZ", "2024-01-01T00:00:00z0",
    "２０２４-01-01T00:00:00Z", "2024-01-01T00:00:0٠Z", "2024-01-01T00:00:00.٥Z", "2024-01-01T00:00:00\u2212" + "01:00",
    "2024-01-01T00:00:00\\u0000", "Mon, 01 Jan 2024 00:00:00 GMT", "1704067200", "2024-01-01T00:00:00[Europe/Paris]",
    "2024-01-01T00:00:00Z[UTC]", "2024-01-01T00:00:0xZ", "2024-01-01T00:00:00.5e1Z", "2024-01-01T00:00:-1Z",
]
for time in GOOD_TIMES + BAD_TIMES:
    expected = "ok" if time in GOOD_TIMES else "schema"
    case(f"answeredAt {time[:60]}", "answer", answer_with("answeredAt", f'"{time}"'), expected)
for time in ("2024-05-06T07:08:09Z", "2016-12-31T23:59:60Z"):
    for kind, fields, name in (("question", QUESTION, "askedAt"), ("vote", CAST, "castAt"), ("vote", COUNTED, "countedAt")):
        case(f"{name} {time}", kind, text(with_field(fields, name, f'"{time}"')), "ok")
        bad = time.replace("05-06", "02-30").replace("12-31", "11-31")
        case(f"{name} {bad}", kind, text(with_field(fields, name, f'"{bad}"')), "schema")
case("a time with an escape", "answer", answer_with("answeredAt", '"2024-05-06T07:08:09\\u005a"'), "ok")
case("a time all in escapes", "answer",
     answer_with("answeredAt", '"' + "".join(f"\\u{ord(c):04x}" for c in "2024-05-06T07:08:09.5Z") + '"'), "ok")
case("a time with an escape, wrong", "answer", answer_with("answeredAt", '"2024-05-06T07:08:0\\u003a"'), "schema")
case("a long time with an escape", "answer",
     answer_with("answeredAt", '"2024-05-06T07:08:09\\u002e' + "7" * 2000 + 'Z"'), "ok")

# ---------------------------------------------------------------------------------------------------------------------
# JSON itself, in a field outside the contract.

GOOD_VALUES = [
    "0", "-0", "0.0", "-0.0e-0", "1e400", "-1E+400", "1e-400", "123456789012345678901234567890", "0e0", "10", "0.10", "9" * 5000,
    "1." + "1" * 500, "true", "false", "null", '""', '"\\u0000"', '"\\ud83d\\ude00"', '"\\uD83D\\uDE00\\ud83d\\ude00"',
    '"\\/\\b\\f\\n\\r\\t\\"\\\\"', '"\x7f"', '"\u2028\u2029"', '"\ufeff"', '"\ufffe\uffff"', '"é ß я 問 한 ع 😀 \U0010ffff"', "[]", "{}", "[ ]",
    "{ }", "[[]]", "[{}]", '{"":""}', "[1,2,3]", "[ 1 , 2 ]", '{"a":1,"a":2}', '{"a":{"b":[null,true,{"c":[]}]}}', "\t1\r\n",
    '"12345678"', '"1234567\\"8"', '"123456\\\\78"', '"\\u00e9\\u00E9"', '"\\uDBFF\\uDFFF"', '"\\uD800\\uDC00"', '"/"', '"\'"',
    # Half of a surrogate pair is within RFC 8259's grammar, and carried.
    '"\\ud800"', '"\\udc00"', '"\\ud800x"', '"\\ud800\\n"', '"\\ud800\\u0041"', '"\\ud800\\ud800"', '"\\udc00\\ud800"', '"\\uDFFF"', '"\\uDBFF"',
    '"x\\udbff\\udbff\\udfff"', '"\\ud83d\\ude00\\ude00"', '{"\\ud800":1}', '{"\\udc00":1}', '"\\ud83d"',
]
BAD_VALUES = [
    "", "01", "-01", "00", "1.", ".5", "+1", "-", "--1", "1e", "1e+", "1E-", "1.e1", "1.5.5", "1e1.5", "0x10", "1_000", "1,", "Infinity",
    "-Infinity", "NaN", "nan", "tru", "truu", "True", "TRUE", "falsy", "nul", "nulll", "undefined", "'a'", '"', '"a', '"\\', '"\\"', '"a\nb"',
    '"a\tb"', '"\x00"', '"\x1f"', '"aaaaaaa\x01"', '"\\x41"', '"\\a"', '"\\u12"', '"\\u123g"', '"\\u 123"', '"\\u+123"', '"\\U0041"', '"\\u"',
    '"\\ud83d\\ude0"', '"\\ud83d\\u"', '"\\ud83d\\"', '"\\ud83d\\', "[", "]", "{", "}", "[1", "[1,", "[1,]", "[,1]", "[,]", "[1 2]",
    "[1;2]", "(1)", '{"a"', '{"a":', '{"a":1', '{"a":1,', '{"a":1,}', '{,"a":1}', '{"a" 1}', '{"a"=1}', "{a:1}", "{'a':1}", '{1:1}', '{"a":}',
    '{"a"}', '{"a":1 "b":2}', '{"a":1;"b":2}', '{"a"::1}', '{"a":1,,"b":2}', "[}", "{]", "[1}", '{"a":1]', "]]", "[[]", "[]]", "{}}",
    '{"a\nb":1}', '{"\\q":1}', "1 /* one */", "/**/1", "1 // one", "# 1", "\v1", "\f1", "1\x00", "\u00a01", "\ufeff1", "\u20281",
    "１", "[1,2", "nulltrue", '"a""b"', "1 1", "--", "e1", "1ee1", "1e--1", "0e", "-e1", "t", "f", "n",
]
for value in GOOD_VALUES:
    case(f"unknown field with {value[:40]!r}", "question", text(QUESTION + [("x", value)]), "ok")
for value in BAD_VALUES:
    case(f"unknown field with {value[:40]!r}", "question", text(QUESTION + [("x", value)]), "invalid-json")
for value in ("01", "1.", "-", "1e", "+1", ".5", "1.e5", "0x1", "- 1"):
    case(f"value {value}", "vote", text(with_field(CAST, "value", value)), "invalid-json")
    case(f"reviewCount {value}", "answer", author_with("reviewCount", value), "invalid-json")
for name in ("title", "body"):
    for value in ('"\\ud800"', '"\\udead x"'):
        case(f"{name} {value!r}", "question", question_with(name, value), "ok")
case("half a surrogate pair in tags", "question", question_with("tags", '["\\udc00"]'), "ok")
case("half a surrogate pair in a time", "question", question_with("askedAt", '"2024-05-06T07:08:09\\ud83d"'), "schema")
case("half a surrogate pair in author.displayName", "answer", author_with("displayName", '"\\ud83d"'), "ok")
for value in ('"a\nb"', '"\\w"', "tru", "[}", '["a",]', '["a" "b"]', '["a"', '{"id":"u1",}', '{"id"}', "nil"):
    for name in ("title", "author", "tags", "askedAt", "id"):
        case(f"{name} {value!r}", "question", question_with(name, value), "invalid-json")

WHOLE = {
    "": "invalid-json", " ": "invalid-json", "\n\t\r ": "invalid-json", "null": "schema", "true": "schema", "5": "schema",
    '"q1"': "schema", "[]": "schema", '[{"id":"q1","title":"?"}]': "schema", " [ ] ": "schema", "nul": "invalid-json",
    '{"id":"q1","title":"?"}x': "invalid-json", '{"id":"q1","title":"?"}{}': "invalid-json", '{"id":"q1","title":"?"},': "invalid-json",
    '{"id":"q1","title":"?"}]': "invalid-json", '{"id":"q1","title":"?"}\x00': "invalid-json", '{"id":"q1","title":"?"}\n': "ok",
    ' \t\r\n{"id":"q1","title":"?"} \t\r\n': "ok", '\ufeff{"id":"q1","title":"?"}': "invalid-json", '{"id":"q1","title":"?"}\ufeff': "invalid-json",
    '{ "id" : "q1" ,\n "title"\t:\r"?" }': "ok", '{"id":"q1","title":"?",}': "invalid-json", '{"id":"q1" "title":"?"}': "invalid-json",
    '{"id":"q1","title":"?"': "invalid-json", "{": "invalid-json", '{"': "invalid-json", '"': "invalid-json", "}": "invalid-json", "[": "invalid-json",
    '{id:"q1","title":"?"}': "invalid-json", "{'id':'q1','title':'?'}": "invalid-json", '{"id":"q1";"title":"?"}': "invalid-json",
    '{"id":"q1","title":"?"} // done': "invalid-json", '{"id":"q1","title":"?"}\v': "invalid-json", "{}{}": "invalid-json", "1 2": "invalid-json",
    '{"id" "q1","title":"?"}': "invalid-json", '{"id":"q1","title":"?",,"x":1}': "invalid-json", '{,"id":"q1","title":"?"}': "invalid-json",
    '{"id":"q1","title":"?",5}': "invalid-json", '{"id":"q1","title":"?","x"}': "invalid-json", '{"id":,"title":"?"}': "invalid-json",
    '{"id":"q1","title":"?"/**/}': "invalid-json", '{"id":"q1","ti\\udc00tle":"?"}': "schema",
    '{"id":"q1","title":"?","ti\\udc00tle":5,"i\\ud83dd":5}': "ok", "\x1e{}": "invalid-json",
}
for value, expected in WHOLE.items():
    case(f"whole value {value[:40]!r}", "question", value, expected)
for sort, kind, fields in SORTS:
    whole = text(fields)
    for length in (1, 2, 5, 9, len(whole) // 3, len(whole) // 2, len(whole) - 3, len(whole) - 2, len(whole) - 1):
        case(f"{sort} cut after {length} of {len(whole)} bytes", kind, whole[:length], "invalid-json")

BAD_BYTES = {
    "a lone continuation byte": b"\x80", "a lone lead byte": b"\xc3", "an overlong slash": b"\xc0\xaf", "an overlong zero": b"\xc0\x80",
    "an overlong letter": b"\xc1\xbf", "an overlong three-byte form": b"\xe0\x9f\xbf", "an overlong four-byte form": b"\xf0\x8f\xbf\xbf",
    "a surrogate in UTF-8": b"\xed\xa0\x80", "a surrogate pair in UTF-8": b"\xed\xa0\xbd\xed\xb8\x80", "U+110000": b"\xf4\x90\x80\x80",
    "a five-byte form": b"\xf8\x88\x80\x80\x80", "0xFE": b"\xfe", "0xFF": b"\xff", "a cut three-byte form": b"\xe2\x82", "a cut four-byte form": b"\xf0\x9f\x98",
    "a three-byte form with a letter in it": b"\xe2\x41\xac", "a two-byte form and a letter": b"\xc3A", "Latin-1": b"caf\xe9", "0xF5": b"\xf5\x80\x80\x80",
    "a four-byte form with a letter last": b"\xf0\x9f\x98A", "a lead byte twice": b"\xc3\xc3\xa9",
}
for name, raw in BAD_BYTES.items():
    case(f"{name} in a title", "question", b'{"id":"q1","title":"' + raw + b'"}', "invalid-json")
    case(f"{name} behind text", "question", b'{"id":"q1","title":"0123456' + raw + b'89","x":1}', "invalid-json")
    case(f"{name} in an id", "vote", text(CAST).encode().replace(b"u9", raw), "invalid-json")
    case(f"{name} in an unknown name", "answer", b'{"id":"a1","questionId":"q1","' + raw + b'":1}', "invalid-json")
    case(f"{name} deep in an unknown field", "answer", b'{"id":"a1","questionId":"q1","x":[{"y":"' + raw + b'"}]}', "invalid-json")
    case(f"{name} outside a string", "question", b'{"id":"q1",' + raw + b'"title":"?"}', "invalid-json")
case("UTF-16", "question", text(QUESTION).encode("utf-16-le"), "invalid-json")
case("UTF-16 with its mark", "question", text(QUESTION).encode("utf-16"), "invalid-json")
case("UTF-32", "question", text(QUESTION).encode("utf-32-be"), "invalid-json")
case("every length of UTF-8 at its ends", "question",
     question_with("body", '"\u0080\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff"'), "ok")
for lane in range(4):
    # Readers take words of two-byte letters several at a time: the damage must be seen at each place in the word.
    for name, raw in {"an overlong zero": b"\xc0\x80", "an overlong letter": b"\xc1\xbf", "two lead bytes": b"\xd0\xd0",
                      "a letter behind a lead byte": b"\xd0w", "two continuation bytes": b"\x80\x80", "a cut form": b"\xe0\xa0"}.items():
        letters = ["щ".encode()] * 4
        letters[lane] = raw
        case(f"{name} as letter {lane} of four", "question", b'{"id":"q1","title":"' + b"".join(letters) + b' end"}', "invalid-json")
for lead in range(0xC2, 0xE0):
    letters = bytes([lead, 0x80, lead, 0xBF] * 4).decode()
    case(f"two-byte letters that begin with {lead:X}", "question", question_with("body", f'"{letters}"'), "ok")
for length in range(1, 18):
    case(f"a string of {length} and two bytes", "question", question_with("body", '"' + "s" * length + 'é"'), "ok")
    case(f"a string of {length} and a control character", "question",
         question_with("body", '"' + "s" * length + '\x02"'), "invalid-json")

# ---------------------------------------------------------------------------------------------------------------------
# Depth. The record itself is one object.

ARRAYS = lambda count: "[" * count + "]" * count
OBJECTS = lambda count: '{"d":' * count + "0" + "}" * count
MIXED = lambda count: '[{"d":' * (count // 2) + "[]" * (count % 2) + "0" * (1 - count % 2) + "}]" * (count // 2)
for shape_name, shape in (("arrays", ARRAYS), ("objects", OBJECTS), ("both", MIXED)):
    case(f"512 open, {shape_name}", "question", text(QUESTION + [("x", shape(511))]), "ok")
    case(f"513 open, {shape_name}", "question", text(QUESTION + [("x", shape(512))]), "too-deep")
    case(f"512 open in author, {shape_name}", "answer", answer_with("author", '{"x":' + shape(510) + "}"), "ok")
    case(f"513 open in author, {shape_name}", "answer", answer_with("author", '{"x":' + shape(511) + "}"), "too-deep")
    case(f"513 open in a field of the wrong type, {shape_name}", "question", question_with("title", shape(512)), "too-deep")
    case(f"512 open in a field of the wrong type, {shape_name}", "question", question_with("title", shape(511)), "schema")
    case(f"800 open, {shape_name}", "vote", text(CAST + [("x", shape(799))]), "too-deep")
case("512 open in tags", "question", question_with("tags", '["a",' + ARRAYS(510) + "]"), "schema")
case("513 open in tags", "question", question_with("tags", '["a",' + ARRAYS(511) + "]"), "too-deep")
case("512 open, no record", "question", ARRAYS(512), "schema")
case("513 open, no record", "question", ARRAYS(513), "too-deep")
case("513 open, empty objects last", "question", text(QUESTION + [("x", "[" * 511 + "{}" + "]" * 511)]), "too-deep")
case("many side by side", "question", text(QUESTION + [("x", "[" + ",".join(["[[]]"] * 600) + "]")]), "ok")
case("600 open, then broken", "question", text(QUESTION + [("x", ARRAYS(600))]) + "x", "invalid-json")
case("600 open, none closed", "question", '{"x":' + "[" * 600, "invalid-json")
case("600 open, closed the wrong way", "question", '{"x":' + "[" * 600 + "}" * 600 + "}", "invalid-json")
case("600 open, one left open", "question", '{"x":' + "[" * 600 + "]" * 599 + "}", "invalid-json")
case("600 open, a half pair within", "question", '{"x":' + "[" * 600 + '"\\ud800"' + "]" * 600 + "}", "too-deep")
case("too deep and no title", "question", '{"id":"q1","x":' + ARRAYS(600) + "}", "too-deep")
case("too deep and another key", "question", text(QUESTION + [("x", ARRAYS(600))]), "too-deep", "q2")
case("too deep in a repeated field", "question", text(QUESTION + [("body", ARRAYS(600))]), "too-deep")

# ---------------------------------------------------------------------------------------------------------------------
# The first code that applies, and keys.

case("no title, then broken", "question", '{"id":"q1"', "invalid-json")
case("wrong type, then broken", "question", '{"id":5,"title":5,"x":tru}', "invalid-json")
case("a field twice, then broken", "question", '{"id":"q1","id":"q1","title":"?"}}', "invalid-json")
case("another key and no title", "question", '{"id":"q1"}', "schema", "q2")
case("null key and no title", "question", '{"id":"q1"}', "schema", NULL)
case("null key and broken", "question", "{", "invalid-json", NULL)
case("null key and an empty value", "question", "", "invalid-json", NULL)
case("empty key and not an object", "answer", "[]", "schema", "")
case("vote of both sorts, then broken", "vote", text(CAST + COUNTED[2:])[:-1], "invalid-json")
for sort, kind, fields in SORTS:
    whole = text(fields)
    case(f"{sort} with another key", kind, whole, "key-mismatch", "q2")
    case(f"{sort} with a longer key", kind, whole, "key-mismatch", "q11")
    case(f"{sort} with a shorter key", kind, whole, "key-mismatch", "q")
    case(f"{sort} with a null key", kind, whole, "key-mismatch", NULL)
    case(f"{sort} with an empty key", kind, whole, "key-mismatch", "")
    case(f"{sort} with a key in quotes", kind, whole, "key-mismatch", '"q1"')
    case(f"{sort} with a key in another case", kind, whole, "key-mismatch", "Q1")
    case(f"{sort} with a key that is not UTF-8", kind, whole, "key-mismatch", b"\xff\xfe")
for kind in ("question", "answer", "vote"):
    case(f"{kind}, null value", kind, NULL, "ok")
    case(f"{kind}, null value, key of any bytes", kind, NULL, "ok", b"\x00\xff\xc0")
    case(f"{kind}, null value, key of 2,000 bytes", kind, NULL, "ok", "k" * 2000)
    case(f"{kind}, null value, null key", kind, NULL, "key-mismatch", NULL)
    case(f"{kind}, null value, empty key", kind, NULL, "key-mismatch", "")
    case(f"{kind}, empty value", kind, "", "invalid-json")
    case(f"{kind}, the text null", kind, "null", "schema")
    case(f"{kind}, the text null, null key", kind, "null", "schema", NULL)
case("the key is compared with what the id means", "question", '{"id":"q\\u0031","title":"?"}', "ok")
case("the key is not compared with how the id is written", "question", '{"id":"q\\u0031","title":"?"}', "key-mismatch", "q\\u0031")
case("an answer is keyed by its question, not by its id", "answer", '{"id":"a1","questionId":"q1"}', "key-mismatch", "a1")
case("a question in the answers topic", "answer", text(QUESTION), "schema")
case("an answer in the votes topic", "vote", text(ANSWER), "schema")
case("a vote in the questions topic", "question", text(CAST), "schema")
case("a title of 100,000 letters", "question", question_with("title", '"' + "w" * 100000 + '"'), "ok")


def table():
    return "".join(json.dumps(line, ensure_ascii=True) + "\n" for line in cases)


def main():
    names = [(line["kind"], line["name"]) for line in cases]
    twice = {name for name in names if names.count(name) > 1}
    assert not twice, f"two cases of one name: {sorted(twice)}"
    TABLE.write_text(table(), encoding="ascii")
    print(f"{len(cases)} cases -> {TABLE}")


if __name__ == "__main__":
    main()
