"""The verifier of `publish.on: changes`: once all is at rest, every question's last record is its current value."""

from copy import deepcopy

import compare
import live
import oracle
from confluent_kafka import TopicPartition
from verifier import Verifier


class LiveVerifier(Verifier):
    def __init__(self, deployment, delivery):
        super().__init__(deployment, delivery)
        self._events = {}  # key -> the latest event of the question
        self._last = {}  # key -> the last record published for it

    def _check(self):
        deployment = self._deployment
        enriched, dead_letters = self._read(deployment.enriched), self._read(deployment.dead_letters)
        return lambda: self._compare_round(deployment.records, enriched, dead_letters)

    def _compare_round(self, records, enriched, dead_letters):
        kinds = self._deployment.kinds
        tables, events = deepcopy(self._tables), dict(self._events)
        expected = live.final(records, kinds, tables=tables, events=events)
        published = live.by_question(enriched)
        last = self._last | {key: came[-1] for key, came in published.items()}
        stale = [key for key, (_, value) in expected.items() if key not in last or last[key].value != value]
        if stale:
            key = stale[0]
            raise AssertionError(
                f"{len(stale)} of {len(expected)} questions are stale, the first {key}:\n"
                f"is {last[key].value if key in last else 'not there'}\nnot {expected[key][1]}")
        asked = live.readable_events(records, kinds)
        lost = asked.keys() - published.keys()
        assert not lost, f"nothing was published for the events of {lost}"
        for key, came in published.items():
            earlier = [self._events[key]] if key in self._events else []
            live.check_records(
                key, came, asked[key], is_undisturbed=False, is_once=self._exactly_once, earlier=earlier)
        compare.dead_letters(list(oracle.refused(records, kinds)), dead_letters, exactly_once=self._exactly_once)
        self._tables, self._events, self._last = tables, events, last

    def _forgettable(self):
        """Each question's latest event and last record stay: workers that lose their stores read the former, and
        `rejoinder verify` both. So do the dead letters, which it looks for beside the events."""
        kept = {}
        for record in (*self._events.values(), *self._last.values()):
            place = record.topic, record.partition
            kept[place] = min(kept.get(place, record.offset), record.offset)
        return [TopicPartition(topic, partition, offset) for (topic, partition), offset in kept.items() if offset]
