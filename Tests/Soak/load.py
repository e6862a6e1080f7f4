"""The soak's traffic: made from the seed, and bounded however long it lasts."""

import contextlib
import itertools
import threading
import time

import oddities
import oracle
from generator import Generator

# A question with more answers than this is erased and begins anew.
MOST_ANSWERS = 15
# A malformed record after every so many.
MALFORMED_EVERY = 97


class Load:
    def __init__(self, deployment, seed, rate, follows_changes=False):
        """rate: question events a second; a tenth as many changes of the tables.

        follows_changes: the records follow the changes, so that no order matters once all is at rest. Then it is the
        number of changes a second, with a third as many events, and both are about all questions.
        """
        self._deployment = deployment
        self._rate = rate
        self._follows_changes = follows_changes
        # Each has half of the questions: those of one are asked about while the tables of the other's change, so that
        # the output for a question event depends on no timing.
        self._asked, self._changed = Generator(seed, questions=1_000), Generator(seed + 1, questions=1_000)
        self._asked.ids = [f"left {identifier}" for identifier in self._asked.ids]
        self._changed.ids = [f"right {identifier}" for identifier in self._changed.ids]
        self._malformed = {kind: itertools.cycle(list(oddities.malformed(kind))) for kind in oracle.KINDS}
        self._numbers = itertools.count(1)

    def fill(self):
        """The tables' first rows, for both halves."""
        for generator in (self._asked, self._changed):
            self._deployment.publish(self._changes(generator, 5_000))

    @contextlib.contextmanager
    def running(self):
        """Publishes within, at the rate; the halves change places after."""
        stop = threading.Event()
        failure = []

        def run():
            try:
                self._run(stop)
            except BaseException as error:
                failure.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
        if failure:
            raise failure[0]
        self._deployment.publish(self._erasures(self._changed))
        self._asked, self._changed = self._changed, self._asked

    def _run(self, stop):
        tick = 0.2
        while not stop.is_set():
            began = time.monotonic()
            if self._follows_changes:
                for generator in (self._asked, self._changed):
                    self._deployment.publish(self._changes(generator, max(1, int(self._rate * tick / 2))))
                    self._deployment.publish(self._events(generator, max(1, int(self._rate * tick / 6))))
            else:
                self._deployment.publish(self._changes(self._changed, max(1, int(self._rate * tick / 10))))
                self._deployment.publish(self._events(self._asked, max(1, int(self._rate * tick))))
            stop.wait(max(0, began + tick - time.monotonic()))

    def _events(self, generator, count):
        for _ in range(count):
            yield from self._sometimes_malformed(oracle.QUESTIONS, generator)
            yield oracle.QUESTIONS, *generator.question(), generator.headers()

    def _changes(self, generator, count):
        for number in range(count):
            kind = oracle.VOTES if number % 3 else oracle.ANSWERS
            yield from self._sometimes_malformed(kind, generator)
            make = generator.vote if kind == oracle.VOTES else generator.answer
            yield kind, *make(), generator.headers()

    def _sometimes_malformed(self, kind, generator):
        if next(self._numbers) % MALFORMED_EVERY == 0:
            key, value, _ = next(self._malformed[kind])
            yield kind, key, value, generator.headers()

    def _erasures(self, generator):
        """Tombstones for the questions that have grown large."""
        for identifier, answers in generator._answers.items():
            if len(answers) > MOST_ANSWERS:
                answers.clear()
                yield oracle.ANSWERS, identifier.encode(), None, []
                yield oracle.VOTES, identifier.encode(), None, []
