"""Holds the published records against those that the oracle expects."""

import collections

import oracle
from oracle import DeadLetter, Enriched

ERROR_HEADERS = "rejoinder."
FROM_HEADER = "rejoinder.from"


def _short(value, around=0):
    if value is None:
        return "null"
    start = max(0, around - 60)
    end = around + 120
    return ("..." if start else "") + repr(value[start:end]) + (f"... ({len(value)} bytes)" if end < len(value) else "")


def _first_difference(one, other):
    for index, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return index
    return min(len(one), len(other))


def describe(expected, actual):
    """The difference between an expected enriched record and the one that came; None if there is none."""
    source = expected.source
    where = f"the answer to {source.topic} [{source.partition}] at {source.offset}"
    if actual.key != expected.key:
        return f"{where}: key {_short(actual.key)}, not {_short(expected.key)}"
    if actual.value != expected.value:
        at = _first_difference(actual.value or b"", expected.value or b"")
        return f"{where}: the value differs at byte {at}: {_short(actual.value, at)}, not {_short(expected.value, at)}"
    if actual.timestamp != source.timestamp:
        return f"{where}: timestamp {actual.timestamp}, not {source.timestamp}"
    headers, made_from = actual.headers[:-1], actual.headers[-1] if actual.headers else None
    if headers != source.headers:
        return f"{where}: headers {headers} before the last, not {source.headers}"
    # Of the record's origin the oracle knows the event; `rejoinder verify` has tests of its own.
    if made_from[0] != FROM_HEADER or made_from[1].split(b" ")[:2] != [b"%d" % source.partition, b"%d" % source.offset]:
        return f"{where}: the last header is {made_from}, not {FROM_HEADER} with the event's place"
    return None


def enriched_exactly_once(expected, actual):
    """Every expected record once, byte for byte, in its partition, in the order of its source."""
    wanted = collections.defaultdict(list)
    for result in expected:
        if isinstance(result, Enriched):
            wanted[result.partition].append(result)
    came = collections.defaultdict(list)
    for record in actual:
        came[record.partition].append(record)
    problems = []
    home = {(r.source.timestamp, r.key): r.partition for results in wanted.values() for r in results}
    misplaced = [r for r in actual if home.get((r.timestamp, r.key), r.partition) != r.partition]
    if misplaced:
        r = misplaced[0]
        problems.append(
            f"{len(misplaced)} in the wrong partition, the first with key {_short(r.key)} in {r.partition}, not {home[(r.timestamp, r.key)]}"
        )
    for partition in sorted(wanted.keys() | came.keys()):
        mine = sorted(wanted[partition], key=lambda result: (result.source.partition, result.source.offset))
        # Records of several source partitions may mix in any way; those of one keep their order.
        sources = {(r.source.timestamp, r.key): r for r in mine}
        origin = {identity: r.source.partition for identity, r in sources.items()}
        records = came[partition]
        counts = collections.Counter((r.timestamp, r.key) for r in records)
        lost = [r for identity, r in sources.items() if not counts[identity]]
        doubled = [identity for identity, count in counts.items() if count > 1]
        strange = [r for r in records if (r.timestamp, r.key) not in sources]
        if lost:
            problems.append(f"partition {partition}: {len(lost)} of {len(mine)} lost, the first for offset {lost[0].source.offset}")
        if doubled:
            problems.append(f"partition {partition}: {len(doubled)} doubled, the first with timestamp {doubled[0][0]}")
        if strange:
            problems.append(f"partition {partition}: {len(strange)} that nothing asked for, the first {_short(strange[0].value)}")
        if lost or doubled or strange:
            continue
        records = sorted(records, key=lambda r: origin[(r.timestamp, r.key)])  # stable: the order within a source stays
        differences = [d for d in map(describe, mine, records) if d]
        if differences:
            problems.append(f"partition {partition}: {len(differences)} of {len(mine)} differ, the first: {differences[0]}")
    assert not problems, "\n".join(problems)


def enriched_at_least_once(expected, actual):
    """Every expected record at least once; repeated records are the same again, and nothing overtakes."""
    wanted = collections.defaultdict(list)
    for result in sorted((r for r in expected if isinstance(r, Enriched)), key=lambda r: r.source.offset):
        wanted[result.partition].append(result)
    furthest = dict.fromkeys(wanted, -1)
    index = {(p, r.source.timestamp, r.key): i for p, results in wanted.items() for i, r in enumerate(results)}
    repeated = 0
    for record in actual:
        position = index.get((record.partition, record.timestamp, record.key))
        assert position is not None, f"nothing asked for {_short(record.value)} in partition {record.partition}"
        difference = describe(wanted[record.partition][position], record)
        assert difference is None, difference
        ahead = position - furthest[record.partition]
        assert ahead <= 1, f"partition {record.partition}: {ahead - 1} records were left out before offset {record.offset}"
        repeated += ahead < 1
        furthest[record.partition] = max(furthest[record.partition], position)
    for partition, results in wanted.items():
        assert furthest[partition] == len(results) - 1, f"partition {partition}: the last {len(results) - 1 - furthest[partition]} are missing"
    return repeated


def dead_letters(expected, actual, exactly_once=True, value_omitted=()):
    """Every expected dead letter (once), as it came, with the headers that say why.

    value_omitted: the sources, as (topic, partition, offset), whose value was too large to be carried.
    """
    wanted = {(r.source.topic, r.source.partition, r.source.offset): r for r in expected if isinstance(r, DeadLetter)}
    came = collections.Counter()
    for record in actual:
        original = [header for header in record.headers if not header[0].startswith(ERROR_HEADERS)]
        added = record.headers[len(original) :]
        assert record.headers == original + added, f"the error headers do not follow the original ones: {record.headers}"
        errors = dict(added)
        assert len(errors) == len(added), f"an error header stands twice: {added}"
        place = (
            errors["rejoinder.source.topic"].decode(),
            int(errors["rejoinder.source.partition"]),
            int(errors["rejoinder.source.offset"]),
        )
        assert place in wanted, f"{place} is no dead letter ({errors}): {_short(record.value)}"
        letter = wanted[place]
        came[place] += 1
        what = f"the dead letter of {place}"
        message = errors.pop("rejoinder.error.message", b"").decode("utf-8")
        assert message, f"{what} says nothing to people"
        omitted = errors.pop("rejoinder.error.value-omitted", None)
        assert errors == dict(oracle.error_headers(letter)), f"{what} ({letter.reason}; says: {message}): {errors}"
        assert original == letter.source.headers, f"{what}: {original}, not {letter.source.headers}"
        assert record.key == letter.source.key, f"{what}: key {_short(record.key)}, not {_short(letter.source.key)}"
        if place in value_omitted:
            assert (omitted, record.value) == (b"true", None), f"{what}: {omitted}, {_short(record.value)}"
        else:
            assert omitted is None, f"{what} left out its value"
            assert record.value == letter.source.value, f"{what}: {_short(record.value)}, not {_short(letter.source.value)}"
    missing = [place for place in wanted if not came[place]]
    assert not missing, f"{len(missing)} of {len(wanted)} dead letters are missing, the first {missing[0]}: {wanted[missing[0]].reason}"
    doubled = [place for place, count in came.items() if count > 1]
    assert not (doubled and exactly_once), f"{len(doubled)} dead letters are doubled, the first {doubled[0]}"
