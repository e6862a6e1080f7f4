"""Holds the table of cases, the JSON Schemas and the contract together, without the reader that is written in Swift.

The Swift tests ask the reader about every line of Resources/cases.jsonl; these tests ask Python's json module and the
jsonschema package, and nothing of ours but the schemas. When both agree with the table, they agree with each other.
"""

import base64
import decimal
import json
import pathlib
import re
import sys

import jsonschema
import jsonschema_specifications
import pytest
import referencing
import rfc3339_validator
import yaml

import make_cases

TOP = pathlib.Path(__file__).resolve().parents[3]
SCHEMAS = TOP / "Schemas"
DEEPEST = 512

# Every level of nesting costs the json module a level of its own.
sys.setrecursionlimit(20_000)
# jsonschema writes the numbers that it refuses into its messages, however long they are.
sys.set_int_max_str_digits(0)


# ---------------------------------------------------------------------------------------------------------------------
# Formats and numbers, in the strict sense that the schemas ask for.

FORMATS = jsonschema.FormatChecker(formats=())


@FORMATS.checks("rejoinder-id")
def is_id(instance):
    if isinstance(instance, Digits):
        return re.fullmatch("-?[0-9]+", instance.written) is not None and len(instance.written) <= 200
    try:
        return not isinstance(instance, str) or 1 <= len(instance.encode("utf-8")) <= 200
    except UnicodeEncodeError:
        return False


RFC3339 = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.\d+)?(?:[Zz]|([+-])(\d{2}):(\d{2}))", re.ASCII
)


@FORMATS.checks("date-time")
def is_time(instance):
    """RFC 3339, section 5.6 and appendix C and D.

    Not rfc3339-validator: it refuses the year 0000, leap seconds and small letters, which the RFC allows, and lets a
    line feed at the end pass. `test_times_agree_with_rfc3339_validator` compares the two on everything else.
    """
    if not isinstance(instance, str):
        return True
    match = RFC3339.fullmatch(instance)
    if not match:
        return False
    year, month, day, hour, minute, second = (int(match[group]) for group in range(1, 7))
    sign, offset_hour, offset_minute = match[7], int(match[8] or 0), int(match[9] or 0)
    leap = year % 400 == 0 or (year % 4 == 0 and year % 100 != 0)
    days = [31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    if not (1 <= month <= 12 and 1 <= day <= days[month - 1] and hour <= 23 and minute <= 59 and second <= 60):
        return False
    if offset_hour > 23 or offset_minute > 59:
        return False
    if second == 60:
        offset = (offset_hour * 60 + offset_minute) * (-1 if sign == "-" else 1)
        return (hour * 60 + minute - offset) % 1440 == 23 * 60 + 59
    return True


class Digits(int):
    """An integer that remembers how it was written: 42.0 is the integer 42, but no id."""


def exact(number):
    value = exact_value(number)
    if isinstance(value, int):
        value = Digits(value)
        value.written = number
    return value


def exact_value(number):
    """The number that a text stands for, never rounded. One too large for exact arithmetic is still an integer, and one
    too small still none."""
    mantissa, _, exponent = number.lower().partition("e")
    digits = decimal.Decimal(mantissa, decimal.Context(prec=100_000))
    if digits == 0:
        return 0
    exponent = int(exponent or "0")
    if abs(exponent) > 10_000:
        sign = -1 if mantissa.startswith("-") else 1
        return sign * 10**10_000 if exponent > 0 else sign * decimal.Decimal("0.1")
    with decimal.localcontext(decimal.Context(prec=100_000)):
        value = digits.scaleb(exponent)
        return int(value) if value == value.to_integral_value() else value


def is_integer(_, instance):
    return isinstance(instance, int) and not isinstance(instance, bool)


VALIDATOR = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine("integer", is_integer),
)


# ---------------------------------------------------------------------------------------------------------------------
# The verdict, as the contract has it: invalid-json, too-deep, schema, key-mismatch.


class Members(dict):
    """An object that remembers the names that came more than once, and all its values."""

    def __init__(self, pairs):
        super().__init__(pairs)
        names = [name for name, _ in pairs]
        self.repeated = {name for name in self if names.count(name) > 1}
        self.names = names
        self.contents = [value for _, value in pairs]


def refuse(constant):
    raise ValueError(f"{constant} is not JSON")


def parse(raw):
    # The json module lets half a surrogate pair pass, as RFC 8259's grammar does.
    return json.loads(
        raw.decode("utf-8"), object_pairs_hook=Members, parse_constant=refuse, parse_int=exact, parse_float=exact
    )


def walk(document):
    """Every value of a document, with the number of arrays and objects that are open in it."""
    waiting = [(document, 0)]
    while waiting:
        value, depth = waiting.pop()
        contents = value.contents if isinstance(value, Members) else value if isinstance(value, list) else None
        if contents is not None:
            depth += 1
            waiting.extend((content, depth) for content in contents)
        yield value, depth


def load(name):
    return json.loads((SCHEMAS / name).read_text("utf-8"))


NAMES = ["question", "answer", "vote", "enriched", "dead-letter-headers"]
DOCUMENTS = {name: load(f"{name}.schema.json") for name in NAMES}
REGISTRY = referencing.Registry().with_resources(
    (document["$id"], referencing.jsonschema.DRAFT202012.create_resource(document)) for document in DOCUMENTS.values()
)


def validator(name):
    return VALIDATOR(DOCUMENTS[name], registry=REGISTRY, format_checker=FORMATS)


VALIDATORS = {name: validator(name) for name in NAMES}


def repeats_contract_field(kind, record):
    """A rule that JSON Schema cannot check: it is given objects whose names are already single."""
    schema = DOCUMENTS[kind]
    if kind == "vote":
        schema = schema["$defs"]["cast" if "value" in record else "counted"]
    if record.repeated & schema["properties"].keys():
        return True
    author = record.get("author")
    if isinstance(author, Members) and "author" in schema["properties"]:
        return bool(author.repeated & schema["properties"]["author"]["properties"].keys())
    return False


def verdict(kind, key, value):
    if value is None:
        return "ok" if key else "key-mismatch"
    try:
        document = parse(value)
    except (ValueError, UnicodeError):
        return "invalid-json"
    if max(depth for _, depth in walk(document)) > DEEPEST:
        return "too-deep"
    if not VALIDATORS[kind].is_valid(document) or repeats_contract_field(kind, document):
        return "schema"
    question = document["id" if kind == "question" else "questionId"]
    question = question.written if isinstance(question, Digits) else question
    return "ok" if key == question.encode("utf-8") else "key-mismatch"


# ---------------------------------------------------------------------------------------------------------------------
# The tests.


def content(line, field):
    if field + "Base64" in line:
        return base64.b64decode(line[field + "Base64"], validate=True)
    return None if line[field] is None else line[field].encode("utf-8")


CASES = [json.loads(line) for line in make_cases.TABLE.read_text("ascii").splitlines()]


def test_the_table_is_the_one_that_is_generated():
    assert make_cases.TABLE.read_text("ascii") == make_cases.table()
    assert len(CASES) >= 250
    for kind in ("question", "answer", "vote"):
        codes = {line["expected"] for line in CASES if line["kind"] == kind}
        assert codes == {"ok", "invalid-json", "too-deep", "schema", "key-mismatch"}


@pytest.mark.parametrize("line", CASES, ids=lambda line: f"{line['kind']}: {line['name']}".encode("unicode_escape").decode())
def test_schemas_agree_with_the_table(line):
    assert verdict(line["kind"], content(line, "key"), content(line, "value")) == line["expected"]


@pytest.mark.parametrize("name", NAMES)
def test_schema_is_one(name):
    document = DOCUMENTS[name]
    jsonschema.Draft202012Validator.check_schema(document)
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert document["$id"].endswith(f"/{name}.schema.json")
    assert document["title"] and document["description"]


@pytest.mark.parametrize("name", NAMES)
def test_examples_are_valid(name):
    examples = DOCUMENTS[name]["examples"]
    assert examples
    for example in examples:
        VALIDATORS[name].validate(example)


@pytest.mark.parametrize("name", NAMES)
def test_only_known_keywords_and_asserted_formats(name):
    """A misspelled keyword would be passed over in silence, and so would a format without a checker."""
    vocabulary = set()
    for part in jsonschema.Draft202012Validator.META_SCHEMA["allOf"]:
        meta = jsonschema_specifications.REGISTRY.contents("https://json-schema.org/draft/2020-12/" + part["$ref"])
        vocabulary |= meta["properties"].keys()

    def check(schema):
        if isinstance(schema, bool):
            return
        assert schema.keys() <= vocabulary, schema.keys() - vocabulary
        if "format" in schema:
            assert schema["format"] in FORMATS.checkers
        for group in ("properties", "$defs"):
            for inner in schema.get(group, {}).values():
                check(inner)
        for group in ("oneOf", "anyOf", "allOf"):
            for inner in schema.get(group, []):
                check(inner)
        for group in ("items", "additionalProperties", "not"):
            if group in schema:
                check(schema[group])

    check(DOCUMENTS[name])


def enriched(**changes):
    answer = {"answer": {"id": "a1", "questionId": "q1"}, "voteCount": 0, "voteLabel": "+1"}
    record = {"question": {"id": "q1", "title": "?"}, "answers": [answer], "answerCount": 1}
    for name, value in changes.items():
        target = record if name in ("question", "answers", "answerCount", "answersOmitted", "extra") else answer
        if value is None:
            del target[name]
        else:
            target[name] = value
    return record


@pytest.mark.parametrize("label", ["+1", "+2", "+10", "+9007199254740993", "0", "-1", "-2", "-30"])
def test_vote_labels_that_are_some(label):
    VALIDATORS["enriched"].validate(enriched(voteLabel=label))


@pytest.mark.parametrize(
    "changes",
    [{"voteLabel": label} for label in ("1", "+0", "-0", "+01", "-01", "00", "+", "-", "", " +1", "+1.0", "\u22121", "+\u0661", 1)]
    + [
        {"question": None}, {"answers": None}, {"answerCount": None}, {"answer": None}, {"voteCount": None}, {"voteLabel": None},
        {"answersOmitted": 0}, {"answersOmitted": "1"}, {"answerCount": -1}, {"answerCount": 1.5}, {"voteCount": 0.5}, {"voteCount": "0"},
        {"extra": 1}, {"answers": {}}, {"question": {"id": "q1"}}, {"answer": {"id": "a1"}}, {"question": "q1"},
        {"answer": {"id": "a1", "questionId": "q1", "withdrawn": True}},
        {"answer": {"id": "i" * 201, "questionId": "q1"}}, {"answer": {"id": "a1", "questionId": "q1", "answeredAt": "today"}},
    ],
    ids=repr,
)
def test_enriched_records_that_are_none(changes):
    record = enriched(**changes)
    assert not VALIDATORS["enriched"].is_valid(record)


def test_enriched_records_that_are_some():
    VALIDATORS["enriched"].validate(enriched())
    VALIDATORS["enriched"].validate(enriched(answersOmitted=3, answerCount=4))
    VALIDATORS["enriched"].validate(enriched(answers=[], answerCount=0))
    VALIDATORS["enriched"].validate(enriched(answer={"id": "a1", "questionId": "q1", "withdrawn": False, "x": None}))


@pytest.mark.parametrize(
    "name, value",
    [
        ("rejoinder.error.code", "broken"), ("rejoinder.error.message", ""), ("rejoinder.error.value-omitted", "false"),
        ("rejoinder.error.value-omitted", True), ("rejoinder.source.topic", ""), ("rejoinder.source.topic", "a b"),
        ("rejoinder.source.partition", "-1"), ("rejoinder.source.partition", 0), ("rejoinder.source.offset", "1.5"),
        ("rejoinder.source.offset", "007"), ("rejoinder.source.timestamp", "2024-01-01"), ("rejoinder.source.timestamp", ""),
    ],
)
def test_dead_letter_headers_that_are_none(name, value):
    headers = dict(DOCUMENTS["dead-letter-headers"]["examples"][0])
    VALIDATORS["dead-letter-headers"].validate(headers | {"rejoinder.error.value-omitted": "true", "trace": "\u0000"})
    assert not VALIDATORS["dead-letter-headers"].is_valid(headers | {name: value})


def test_every_error_code_of_the_table_is_a_header_value():
    codes = DOCUMENTS["dead-letter-headers"]["properties"]["rejoinder.error.code"]["enum"]
    assert {line["expected"] for line in CASES} - {"ok"} <= set(codes)


def test_times_agree_with_rfc3339_validator():
    times = make_cases.GOOD_TIMES + make_cases.BAD_TIMES
    times = [json.loads(f'"{time}"') for time in times]
    apart = {time for time in times if is_time(time) != rfc3339_validator.validate_rfc3339(time)}
    explained = {
        time
        for time in times
        if ":60" in time or time.startswith("0000") or time != time.upper() or time.endswith("\n")
    }
    assert apart <= explained
    assert len(times) - len(explained) > 60


def test_numbers_are_read_exactly():
    assert exact("9007199254740993") == 9007199254740993
    assert exact("9007199254740992.5") != 9007199254740992
    assert exact("300e-2") == 3 and isinstance(exact("300e-2"), int)
    assert exact("-1e99999999999999999999") < -(2**53) and isinstance(exact("1e99999999999999999999"), int)
    assert not isinstance(exact("1e-99999999999999999999"), int)
    assert exact("0e999999999999999999999") == 0


# ---------------------------------------------------------------------------------------------------------------------
# The AsyncAPI document.

ASYNCAPI = yaml.safe_load((SCHEMAS / "asyncapi.yaml").read_text("utf-8"))


def references(node, path="#"):
    if isinstance(node, dict):
        if "$ref" in node:
            assert set(node) == {"$ref"}, f"{path}: AsyncAPI's reference object has no other fields"
            yield path, node["$ref"]
        for name, inner in node.items():
            yield from references(inner, f"{path}/{name}")
    elif isinstance(node, list):
        for index, inner in enumerate(node):
            yield from references(inner, f"{path}/{index}")


def follow(reference):
    file, _, pointer = reference.partition("#")
    node = ASYNCAPI if file == "" else load(file)
    for step in filter(None, pointer.split("/")):
        node = node[step.replace("~1", "/").replace("~0", "~")]
    return node


def test_asyncapi_references_resolve():
    found = list(references(ASYNCAPI))
    assert len(found) > 30
    for path, reference in found:
        assert follow(reference) is not None, (path, reference)
    files = {reference.partition("#")[0] for _, reference in found} - {""}
    assert files == {f"{name}.schema.json" for name in NAMES}


def test_asyncapi_channels_and_operations():
    assert ASYNCAPI["asyncapi"] == "3.0.0"
    assert {channel["address"] for channel in ASYNCAPI["channels"].values()} == {
        "questions", "answers", "votes", "questions.enriched", "questions.dead-letter"
    }
    actions = {}
    for name, operation in ASYNCAPI["operations"].items():
        channel_reference = operation["channel"]["$ref"]
        channel = follow(channel_reference)
        actions[channel["address"]] = operation["action"]
        offered = {f"{channel_reference}/messages/{message}" for message in channel["messages"]}
        assert {message["$ref"] for message in operation["messages"]} == offered, name
    assert actions == {
        "questions": "receive", "answers": "receive", "votes": "receive", "questions.enriched": "send",
        "questions.dead-letter": "send",
    }


def test_asyncapi_messages():
    for name, message in ASYNCAPI["components"]["messages"].items():
        assert message["name"] == name and message["title"]
        payload = message["payload"]
        if name == "deadLetter":
            continue
        assert follow(message["bindings"]["$ref"])["kafka"]["key"]["minLength"] == 1
        assert payload == {"type": "null"} or payload["schemaFormat"] == "application/schema+json;version=draft-2020-12"
    for channel in ASYNCAPI["channels"].values():
        messages = [follow(message["$ref"]) for message in channel["messages"].values()]
        if channel["address"] != "questions.dead-letter":
            assert any(message["payload"] == {"type": "null"} for message in messages), "null values are part of it"
        assert channel["bindings"]["kafka"]["topic"] == channel["address"]
