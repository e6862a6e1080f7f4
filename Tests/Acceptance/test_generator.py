"""The records that the acceptance tests publish are as valid or as malformed as they claim, by the oracle's
judgement."""

import collections

import oddities
import oracle
import pytest
from generator import Generator
from test_oracle import code_of


def test_generated_records_are_valid():
    generator = Generator(seed=1, questions=50)
    tombstones = 0
    for kind, make in (("questions", generator.question), ("answers", generator.answer), ("votes", generator.vote)):
        for _ in range(2_000):
            key, value = make()
            assert code_of(kind, key, value) is None, value
            tombstones += value is None
    assert tombstones


def test_the_same_seed_gives_the_same_records():
    one, other = Generator(seed=2), Generator(seed=2)
    for _ in range(200):
        assert (one.question(), one.answer(), one.vote(), one.headers()) == (
            other.question(),
            other.answer(),
            other.vote(),
            other.headers(),
        )


@pytest.mark.parametrize("kind", oracle.KINDS)
def test_malformed_records_have_the_code_they_claim(kind):
    codes = collections.Counter()
    for key, value, code in oddities.malformed(kind):
        assert code_of(kind, key, value) == code, (key, value)
        codes[code] += 1
    assert sum(codes.values()) >= 170
    assert set(codes) == {"invalid-json", "too-deep", "schema", "key-mismatch"}


def test_odd_records_are_valid():
    records = list(oddities.odd_records())
    for kind, key, value in records:
        assert code_of(kind, key, value) is None, (kind, key, value)
    assert len(records) > 100
