"""The enriched topic as it must be when published records follow every change (`publish.on: changes`).

Computed from the contract like `oracle`, and like it without a line of the worker's.
"""

import collections

import oracle

CAUSE = "rejoinder.cause"
FROM = "rejoinder.from"


def final(records, kinds, limit=10**9, tables=None, events=None):
    """key -> (the latest question event that could be read, its value now or None where it is deleted or too large).

    tables, events: the tables, and each question's latest event, as earlier records have left them; these go on from
    there.
    """
    tables = oracle.Tables() if tables is None else tables
    events = {} if events is None else events
    for record in records:
        kind = kinds[record.topic]
        try:
            found = oracle.read(kind, record.key, record.value)
        except oracle.Refused:
            continue
        if kind == oracle.QUESTIONS:
            events[record.key] = record
        elif kind == oracle.ANSWERS:
            tables.answer(record.key, record.value, found)
        else:
            tables.vote(record.key, found)
    result = {}
    for key, event in events.items():
        value = None
        if event.value is not None:
            try:
                value = oracle.enriched_value(event.value, tables.ranking(key), limit)
            except oracle.Refused:
                continue
        result[key] = (event, value)
    return result


def readable_events(records, kinds):
    """The question events that could be read, by key, in their order."""
    asked = collections.defaultdict(list)
    for record in records:
        if kinds[record.topic] == oracle.QUESTIONS:
            try:
                oracle.read(oracle.QUESTIONS, record.key, record.value)
            except oracle.Refused:
                continue
            asked[record.key].append(record)
    return asked


def by_question(records):
    """The records of each key in the order of their offsets."""
    result = collections.defaultdict(list)
    for record in sorted(records, key=lambda r: (r.partition, r.offset)):
        result[record.key].append(record)
    return result


def cause(record):
    return dict(record.headers).get(CAUSE)


def split(record):
    """The headers without the last, which names the record's origin, and the event's partition and offset from
    there."""
    *headers, (name, value) = record.headers
    assert name == FROM, f"{record.key}: the last header is {name}"
    partition, offset, _, _ = value.split(b" ")
    return headers, (int(partition), int(offset))


def circumstances(deployment, stale, expected):
    """Findings that tell a worker's fault from a broker's or a reader's."""
    yield f"in the partitions {sorted({expected[key][0].partition for key in stale})}"
    kept = {(r.topic, r.partition, r.offset, r.key, r.value) for topic in deployment.topics.values() for r in deployment.read(topic)}
    sent = {(r.topic, r.partition, r.offset, r.key, r.value) for r in deployment.records}
    yield "the input is as it was sent" if kept == sent else "the input is not as it was sent"
    again = by_question(deployment.read(deployment.enriched))
    late = [key for key in stale if again[key] and again[key][-1].value == expected[key][1]]
    yield f"{len(late)} of them right when read again"
    written = by_question(deployment.read(deployment.enriched, isolation="read_uncommitted"))
    lost = [key for key in stale if expected[key][1] in {r.value for r in written[key]}]
    yield f"{len(lost)} of them written, and perhaps not committed"


def verify(deployment, limit=10**9, is_undisturbed=True, is_exactly_once=True):
    """Holds the published records against the records that went in. Returns the records of each question."""
    deployment.wait_until_settled()
    published = by_question(deployment.read(deployment.enriched))
    expected = final(deployment.records, deployment.kinds, limit)
    stale = [key for key, (_, value) in expected.items() if not published[key] or published[key][-1].value != value]
    assert not stale, (
        f"{len(stale)} of {len(expected)} questions are stale ({', '.join(circumstances(deployment, stale, expected))}), "
        f"the first {stale[0]}:\nis {[r.value for r in published[stale[0]][-1:]]}\nnot {expected[stale[0]][1]}"
    )
    unasked = published.keys() - {r.key for r in deployment.records if deployment.kinds[r.topic] == oracle.QUESTIONS}
    assert not unasked, f"never asked: {unasked}"
    asked = readable_events(deployment.records, deployment.kinds)
    for key, records in published.items():
        check_records(key, records, asked[key], is_undisturbed, is_exactly_once and limit == 10**9)
    return published


def check_records(key, records, asked, is_undisturbed=True, is_once=True, earlier=()):
    """Holds a question's records against its events, in all but the values.

    is_once: each event was published, once. earlier: events that were published before these records.
    """
    own = [record for record in records if cause(record) is None]
    if is_once:
        shape = [(r.timestamp, split(r)[0]) for r in own]
        wanted = [(r.timestamp, r.headers) for r in asked]
        assert shape == wanted, f"{key}: {len(own)} records for {len(wanted)} events"
    events = {(r.partition, r.offset): r for r in (*earlier, *asked)}
    last = None
    before = None
    for record in records:
        headers, place = split(record)
        assert place in events, f"{key}: made from {place}, which holds no event of it"
        event = events[place]
        if cause(record) is None:
            assert (record.timestamp, headers) == (event.timestamp, event.headers)
            if event.value is not None:
                assert record.value.startswith(b'{"question":' + event.value + b',"answers":[')
        else:
            assert cause(record) in (b"answers", b"votes")
            assert record.value is not None, f"{key}: a change published a deletion"
            assert headers == [*event.headers, (CAUSE, cause(record))] and record.timestamp >= event.timestamp
            if is_undisturbed:
                assert event is last, f"{key}: a change published an event that was not the latest"
                assert record.value != before, f"{key}: the same value again, at {record.offset}"
        before, last = record.value, event
