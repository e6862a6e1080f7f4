"""JSON as RFC 8259 has it, over bytes, checked to the last one.

Python's own parser is laxer than the standard in some places (NaN, bytes that are not UTF-8 repaired by a
detected encoding) and gives up in others (deep nesting, integers of many digits).
This module closes both gaps. Numbers are kept as their text (`Number`), objects as their list of
members in order (`Members`), so that nothing of the document is lost on the way.
"""

import json
import re


class InvalidJSON(ValueError):
    """The bytes are not one JSON document in UTF-8."""


class TooDeep(ValueError):
    """A valid document with more arrays and objects open at once than the contract allows."""


class Number(str):
    """A JSON number, as written."""

    __slots__ = ()


class Members(list):
    """A JSON object: its (name, value) pairs as they stand, repeats included."""

    __slots__ = ()


DEEPEST = 512

# Below this many opening brackets the recursive parser is safe for any document.
_SAFE_BRACKETS = 200

_STRING = r'"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"'
_TOKEN = re.compile(
    r"[ \t\n\r]*(?:"
    rf"(?P<string>{_STRING})"
    r"|(?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<word>true|false|null)"
    r"|(?P<mark>[\[\]{}:,])"
    r"|(?P<end>\Z)"
    r")"
)


def _refuse_constant(name):
    raise InvalidJSON(f"{name} is not a JSON value")


_decoder = json.JSONDecoder(
    object_pairs_hook=Members, parse_int=Number, parse_float=Number, parse_constant=_refuse_constant
)


def parse(data):
    """Returns the document's value. Raises `InvalidJSON`, or `TooDeep` if it is valid but nested too far."""
    try:
        text = bytes(data).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidJSON(f"not UTF-8: {error}") from error
    if data.count(b"[") + data.count(b"{") > _SAFE_BRACKETS:
        depth = check(text)
        if depth > DEEPEST:
            raise TooDeep(f"{depth} arrays and objects are open at once")
    if text.startswith("\ufeff"):
        raise InvalidJSON("begins with a byte order mark")
    try:
        value = _decoder.decode(text)
    except json.JSONDecodeError as error:
        raise InvalidJSON(str(error)) from error
    return value


def check(text):
    """Checks a document of any depth without recursion and returns the most arrays and objects open at once.

    Written apart from `json` on purpose: on documents that both can read, the tests hold them against each other.
    """
    open_marks = []
    deepest = 0
    position = 0
    # The tokens that may come next: a value, a value or "]", a name, a name or "}", a colon, or those after a value.
    expect = "value"
    while True:
        match = _TOKEN.match(text, position)
        if match is None:
            raise InvalidJSON(f"no JSON token at character {position}")
        position = match.end()
        kind = match.lastgroup
        token = match.group(kind)
        if kind == "end":
            if expect == "after" and not open_marks:
                return deepest
            raise InvalidJSON("the document ends too early")
        if expect in ("value", "value or ]"):
            if kind != "mark":
                expect = "after"
            elif token in "[{":
                open_marks.append(token)
                deepest = max(deepest, len(open_marks))
                expect = "value or ]" if token == "[" else "name or }"
            elif token == "]" and expect == "value or ]":
                open_marks.pop()
                expect = "after"
            else:
                raise InvalidJSON(f"'{token}' where a value is due")
        elif expect in ("name", "name or }"):
            if kind == "string":
                expect = ":"
            elif token == "}" and expect == "name or }":
                open_marks.pop()
                expect = "after"
            else:
                raise InvalidJSON(f"'{token}' where a name is due")
        elif expect == ":":
            if token != ":" or kind != "mark":
                raise InvalidJSON(f"'{token}' where a colon is due")
            expect = "value"
        else:
            if kind == "mark" and token == "," and open_marks:
                expect = "value" if open_marks[-1] == "[" else "name"
            elif kind == "mark" and open_marks and token == {"[": "]", "{": "}"}[open_marks[-1]]:
                open_marks.pop()
            else:
                raise InvalidJSON(f"'{token}' after a value")
