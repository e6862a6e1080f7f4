"""The size of a workload, before any of it is made up: as much as the broker, the disk and the check can hold."""

import math
from dataclasses import dataclass

# As `rejoinder generate --help` says.
PRESETS = {
    "w1": (50_000, 300_000, 500_000, 0.0),
    "w2": (50_000, 300_000, 500_000, 0.0),
    "w3": (50_000, 300_000, 500_000, 0.9),
    "w4": (1_000_000, 3_000_000, 500_000, 0.0),
    # Of its records one in twenty is a question event.
    "w6": (50_000, 0, 1_000_000, 0.95),
}
# The bytes of a record beside its value, on the broker; and of a whole vote.
RECORD, VOTE = 60, 230
# The most bytes of the tables that the check keeps.
CHECK_BYTES = 400 << 20
# The default broker answers a fetch with all that it has, in one piece that clients take up to a billion bytes of, and
# has to be done with it before its connection serves anything else: a worker that waits for it too long loses its place
# in the group.
FETCHED_BYTES, READ_BACK_BYTES = 600_000_000, 960_000_000


@dataclass
class Plan:
    name: str
    scale: float
    questions: int
    answers: int
    votes: int
    events: int
    answer_bytes: int
    event_bytes: int
    enriched_bytes: int

    @staticmethod
    def of(name, scale, options, large_events=500_000):
        """options: those of the command line. large_events: how many events meet the large tables of w4."""
        questions, votes, events, vote_share = PRESETS[name]
        low, _, high = (options.answers_per_question or "3").partition("-")
        mean = (int(low) + int(high or low)) / 2
        answer, event = options.answer_bytes or 420, options.event_bytes or 320
        events = round(large_events if name == "w4" else events * scale)
        longest = 998_000
        return Plan(
            name, scale, round(questions * scale), round(questions * scale * mean), round(votes * scale + events * vote_share),
            round(events * (1 - vote_share)), max(110, answer), max(90, event),
            round(max(90, event) + min(longest, mean * (max(110, answer) + 50)) + 40))

    @property
    def table_bytes(self):
        return self.answers * (self.answer_bytes + RECORD) + self.votes * VOTE

    @property
    def store_bytes(self):
        """On disk, with room for pages that are half full."""
        return round((self.answers * (self.answer_bytes + 100) + self.votes * 150) * 1.6)

    @property
    def one_in(self):
        """One question in so many is checked: its answers and votes take memory in the program that checks."""
        kept = self.answers * (2 * self.answer_bytes + 500) + self.votes * 300 + self.questions * 600
        return max(1, math.ceil(kept / CHECK_BYTES))

    @property
    def excess(self):
        """How many times too large it is for the default broker; at most 1: it is not."""
        fetched = max(self.answers * (self.answer_bytes + RECORD), self.votes * VOTE, self.events * (self.event_bytes + RECORD))
        return max(fetched / FETCHED_BYTES, self.events * (self.enriched_bytes + RECORD) / READ_BACK_BYTES)

    @property
    def is_short(self):
        """Whether it is worked through in part of a second."""
        return self.events < 50_000 and self.name != "w3" or self.events < 5_000

    @property
    def patience(self):
        """Seconds after which something that goes through all of it hangs."""
        return 600 + (self.table_bytes + self.events * (self.enriched_bytes + RECORD)) / 5e6


def fitting(name, scale, options, large_events=500_000):
    """The plan of the largest scale, at most `scale`, that the default broker can hand out."""
    found = Plan.of(name, scale, options, large_events)
    if name == "w4":
        # Downwards: no smaller scale would make up for one event too many.
        large_events = math.floor(min(large_events, FETCHED_BYTES / (found.event_bytes + RECORD),
                                      READ_BACK_BYTES / (found.enriched_bytes + RECORD)))
        found = Plan.of(name, scale, options, large_events)
    while found.excess > 1:
        # Two digits, downwards: the printed scale is the one taken.
        scale = found.scale / found.excess * 0.999
        step = 10 ** (math.floor(math.log10(scale)) - 1)
        found = Plan.of(name, math.floor(scale / step + 1e-9) * step, options, large_events)
    return found
