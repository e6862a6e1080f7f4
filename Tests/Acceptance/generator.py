"""Made-up traffic of a question-and-answer site, the same for the same seed.

Everything the contract lets a record vary in varies here: scripts, spacing, escapes, unknown fields, ways to write a
moment, edits, withdrawals, changed votes, counted tallies, erasures. All of it is valid.
"""

import json
import random

WORDS = (
    "pulse fever bread breaker kettle tomato chain rent vaccine dough battery roof cat knee privé Führerschein año "
    "давление кішка ψωμί 血圧 面包 전기 גינה قطة दर्द ขนมปัง 🙂 🍅 a\u0301 \u2028 \\ / \" <b> & null 0"
).split(" ")
PROFESSIONS = ("Doctor", "Pharmacist", "Electrician", "Avocat", "助産師", "Ветеринар")
SPECIALTIES = ("Cardiology", "Pädiatrie", "Wiring", "皮膚科", "Small animals")
PLACES = ("Leeds", "Göteborg", "São Paulo", "札幌", "عمّان", "Київ")


class Generator:
    def __init__(self, seed, questions=100):
        self.random = random.Random(seed)
        self.ids = [self._question_id(number) for number in range(questions)]
        # An answer's own tally and an erasure of votes stand in two topics, too: a question has the one or the other.
        self._tallied = set(self.ids[1::2])
        self._answers = {}  # question id -> ids of its answers, for votes to aim at
        self._serial = 0

    # --- records, each as (key, value) with value None for a tombstone ---------------------------------------

    def question(self):
        identifier = self._any_question()
        if self.random.random() < 0.01:
            return identifier.encode(), None
        value = {"id": self._written_id(identifier), "title": self._text(2, 8)}
        if self._often():
            value["body"] = self._text(5, 40)
        if self._often():
            value["author"] = {"id": f"u-{self.random.randrange(1000)}", "displayName": self._text(1, 2)}
        if self._often():
            value["tags"] = [self._text(1, 1) for _ in range(self.random.randrange(4))]
        if self._often():
            value["askedAt"] = self._moment()
        return identifier.encode(), self._written(value)

    def answer(self):
        question = self._any_question()
        if self.random.random() < 0.005:
            return question.encode(), None
        known = self._answers.setdefault(question, [])
        if known and self.random.random() < 0.15:
            identifier = self.random.choice(known)
        else:
            self._serial += 1
            identifier = self.random.choice(("a-{}", "{}", "réponse-{}", "答{}", "a/{} b", "tallied-{}")).format(self._serial)
            known.append(identifier)
        value = {"id": self._written_id(identifier), "questionId": self._written_id(question)}
        if self._often():
            value["title"] = self._text(1, 5)
        if self._often():
            value["body"] = self._text(3, 60)
        if self._often():
            value["author"] = self._professional()
        if self._often():
            value["answeredAt"] = self._moment()
        if self.random.random() < 0.08:
            value["withdrawn"] = self.random.random() < 0.7
        # An answer's own tally and votes cast for it stand in two topics, without an order between them: it has the one
        # or the other.
        if identifier.startswith("tallied-") and question in self._tallied and self._often():
            value["voteCount"] = self.random.choice((0, 3, -5, 41, 2**53))
        return question.encode(), self._written(value)

    def vote(self):
        question = self._any_question()
        if self.random.random() < 0.003 and question not in self._tallied:
            return question.encode(), None
        known = self._answers.get(question)
        # Some votes are for answers that never come.
        identifier = self.random.choice(known) if known and self.random.random() < 0.95 else "a-lost"
        if identifier.startswith("tallied-"):
            identifier = "a-lost"
        value = {"questionId": self._written_id(question), "answerId": self._written_id(identifier)}
        if self.random.random() < 0.06:
            value["voteCount"] = self.random.choice((0, -2, 7, 57, 1200, 2**53, -(2**53), self.random.randrange(-40, 400)))
            if self._often():
                value["countedAt"] = self._moment()
        else:
            value["voterId"] = f"u-{self.random.randrange(60)}"
            value["value"] = self.random.choice((1, 1, 1, 1, -1, -1, 0))
            if self._often():
                value["castAt"] = self._moment()
        return question.encode(), self._written(value)

    def headers(self):
        """None most of the time; else headers with repeats, empty and null values."""
        if self.random.random() < 0.85:
            return []
        span = f"00-{self.random.getrandbits(128):032x}-{self.random.getrandbits(64):016x}-01"
        headers = [("traceparent", span.encode())]
        if self._often():
            headers += [("tenant", "münster".encode()), ("empty", b""), ("nothing", None), ("tenant", b"\x00\xff")]
        return headers

    # --- parts -----------------------------------------------------------------------------------------------

    def _often(self):
        return self.random.random() < 0.8

    def _written_id(self, identifier):
        """An id of digits alone may be written as a number, too."""
        return int(identifier) if identifier.isascii() and identifier.isdigit() and self.random.random() < 0.7 else identifier

    def _question_id(self, number):
        return self.random.choice(("{}", "10000000000000000{}", "q-{}", "q-{}", "q-{}", "garden/{}", "問{}", "q {}", 'q"{}', "é{}")).format(number)

    def _any_question(self):
        # Some questions are asked about far more than others.
        return self.ids[int(self.random.random() ** 2 * len(self.ids))]

    def _text(self, least, most):
        return " ".join(self.random.choices(WORDS, k=self.random.randint(least, most)))

    def _moment(self):
        # Few distinct moments, many ways to write them: ties, and order that differs from the text's.
        hour, minute = self.random.randrange(6, 9), self.random.choice((0, 30))
        fraction = self.random.choice(("", "", ".5", ".500", ".123456789", ".1234567891"))
        zone, shift = self.random.choice((("Z", 0), ("z", 0), ("+00:00", 0), ("+05:00", 5), ("-03:00", -3)))
        return f"2025-09-{self.random.randrange(15, 17)}T{hour + shift:02}:{minute:02}:00{fraction}{zone}"

    def _professional(self):
        author = {"id": f"p-{self.random.randrange(300)}", "displayName": self._text(1, 3)}
        for name, choices in (("profession", PROFESSIONS), ("specialty", SPECIALTIES), ("location", PLACES)):
            if self._often():
                author[name] = self.random.choice(choices)
        if self._often():
            author["rating"] = self.random.randrange(10, 51) / 10
            author["reviewCount"] = self.random.randrange(500)
        return author

    def _written(self, value):
        if self.random.random() < 0.2:
            value["x-" + self._text(1, 1)] = self.random.choice(([], {"id": None}, 1e300, "\u0000", [[{"a": True}]], -0.0))
        if self.random.random() < 0.2:
            members = list(value.items())
            self.random.shuffle(members)
            value = dict(members)
        style = self.random.random()
        if style < 0.6:
            text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        elif style < 0.8:
            text = json.dumps(value)
        elif style < 0.9:
            text = json.dumps(value, ensure_ascii=False, indent=2)
        else:
            text = "\t" + json.dumps(value, ensure_ascii=False).replace("/", "\\/") + "\r\n"
        return text.encode()
