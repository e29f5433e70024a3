"""English sentences of everyday life with their French, composed of words.txt, verbs.txt and frames.txt.

A frame says the sentence in both languages: "<a|b>" are wordings, the first the one that is written and all of them
read; "{place:the}" is a word of a list in a form, the same word where the slot comes again; "{c:past}" a clause.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from core.pipelines.builtin.forms import chosen, lines
from core.pipelines.builtin.french import figures
from core.pipelines.builtin.french.clauses import DENYING, Clause, english, french
from core.pipelines.builtin.french.verb import SUBJECTS, Subject, Verb
from core.pipelines.builtin.french.words import Adjective, Noun, both, entries, sections, tidy

_HERE = Path(__file__).parent
_SLOT = re.compile(r"\{([a-zA-Z]+)(\d*)(?::([^}]*))?\}")
_KINDS = {"c": "", "n": "not", "q": "asked", "w": "asked"}  # a clause that says, denies, asks, asks after wh-
Pair = tuple[str, str]


@cache
def words() -> dict[str, list[Noun | Adjective | Pair]]:
    """The lists of words.txt by their names."""
    return entries(_HERE / "words.txt")


@cache
def verbs() -> dict[str, list[Pair]]:
    """The lists of verbs.txt: what somebody does, in both languages, with slots."""
    found: dict[str, list[Pair]] = {}
    for [name], part in sections(_HERE / "verbs.txt"):
        found.setdefault(name, []).append(both(part))
    return found


@cache
def frames() -> tuple[list[Pair], list[int]]:
    """The frames, and how often each is taken: "3* …" three times as often as one without."""
    found, weights = [], []
    for line in lines(_HERE / "frames.txt"):
        weight = re.match(r"(\d+)\* ", line)
        found.append(both(line[weight.end() if weight else 0 :]))
        weights.append(int(weight[1]) if weight else 1)
    return found, weights


def groups() -> list[list[Pair]]:
    """Words that may take each other's place: of one list, gender and beginning, so that nothing else changes."""
    found: dict[tuple[str, ...], list[Pair]] = {}
    for name, listed in words().items():
        for word in listed:
            if isinstance(word, Noun) and not set(" *") & set(word.english + word.french):
                vowels = word.english[0] in "aeiou", tidy(f"le {word.french}")[1] == "'"
                found.setdefault((name, word.gender, *map(str, vowels)), []).append((word.english, word.french))
    alike = ("day", "month", "town", "nameM", "nameF")
    return list(found.values()) + [[w for w in words()[name] if isinstance(w, tuple)] for name in alike]


@dataclass(slots=True)
class _Maker:
    """One sentence in the making: what its slots have been filled with, and which language is read, not written."""

    chance: random.Random
    target: str
    subject: Subject | None = None
    bound: dict[str, Any] = field(default_factory=dict)

    def said(self, frame: Pair) -> Pair:
        wordings = [
            chosen(side, self.chance) if language != self.target else _first(side)
            for side, language in zip(frame, ("en", "fr"), strict=True)
        ]
        return self.filled(wordings[0], "en", False), self.filled(wordings[1], "fr", False)

    def filled(self, text: str, language: str, denied: bool) -> str:
        return _SLOT.sub(lambda slot: self.slot(slot[1], slot[2], slot[3] or "", language, denied), text)

    def slot(self, name: str, number: str, form: str, language: str, denied: bool) -> str:
        if name in _KINDS:
            return self.clause(name, number, form, language)
        if name == "vp":
            return self.clause_bare(number, form, language)
        if name in figures.MAKERS:
            made: Pair = self.fixed(name + number, lambda: figures.MAKERS[name](self.chance))
            return made[language == "fr"]
        word: Noun | Adjective | Pair = self.fixed(name + number, lambda: self.chance.choice(words()[name]))
        if isinstance(word, Noun):
            return self.noun(word, form, language, denied)
        if isinstance(word, Adjective):
            return self.quality(word, form, language)
        return self.filled(word[language == "fr"], language, denied)

    def fixed(self, key: str, make: Callable[[], Any]) -> Any:
        """What the slot was filled with before, or what `make` makes now."""
        if key not in self.bound:
            self.bound[key] = make()
        return self.bound[key]

    def noun(self, word: Noun, form: str, language: str, denied: bool) -> str:
        form, _, extra = form.partition("+")
        if form in ("own", "ownpl"):
            form = (self.subject or SUBJECTS["I"]).own + form[3:]
        if form == "e":  # a participle's ending that agrees
            return "e" * (word.gender == "f")
        added = self.fixed(extra, lambda: self.chance.choice(words()[extra])) if extra else None
        return word.said(form, language, denied, added)

    def quality(self, word: Adjective, form: str, language: str) -> str:
        """An adjective that agrees with the slot that `form` names, "s" being the subject; "+more" compares."""
        to, _, grade = form.partition("+")
        if language == "en":
            return word.english_form(grade)
        if to in ("s", "") or to not in self.bound:
            subject = self.subject or SUBJECTS["he"]
            feminine, plural = (subject.feminine, subject.plural) if to == "s" else (to == "f", grade.startswith("pl"))
        else:
            noun = self.bound[to]
            feminine, plural = noun.gender == "f", grade.startswith("pl")
        return ({"more": "plus ", "plmore": "plus "}.get(grade, "")) + word.agreeing(feminine, plural)

    # --- clauses ------------------------------------------------------------------------------------------------------

    def doing(self, number: str, kinds: str, chained: float = 0.0) -> Verb:
        """What is done in the clause: a line of verbs.txt, at times behind another such as "want to"."""

        def make() -> Verb:
            kind = self.chance.choice(kinds.split())
            verb = Verb(
                self.chance.choice(verbs()[kind]), kind, self.subject or SUBJECTS["I"], self.chance, self.target == "en"
            )
            if kind not in ("state", "be") and self.chance.random() < chained:
                verb.chain = self.chance.choice(verbs()["chain"])
            return verb

        made: Verb = self.fixed("verb" + number, make)
        return made

    def clause(self, name: str, number: str, form: str, language: str) -> str:
        """A clause. `form` is the tense, and after "/" who does it (else anybody), after "/" which lists of verbs."""
        tense, who, kinds = [*form.split("/"), "", ""][:3]
        subject = self.fixed("s" + number, lambda: self.anybody(who))
        self.subject = subject
        verb = self.doing(
            number, kinds or _lists(tense), 0.2 if tense in ("present", "past", "will") and not kinds else 0.0
        )
        clause = Clause(subject, verb, tense, _KINDS[name], name == "w")
        how = self.fixed("how" + number, lambda: self.chance.random() if self.target == "en" else 0.0)
        made = (
            english(clause, self.target == "fr" and self.chance.random() < 0.2)
            if language == "en"
            else french(clause, how)
        )
        return self.filled(made, language, name == "n" or tense in DENYING)

    def clause_bare(self, number: str, form: str, language: str) -> str:
        """Only what is done: "inf", "ing", "imp" (an order), "not" (a forbidding), "let", "tu", "nottu"."""
        form, who, kinds = [*form.split("/"), "", ""][:3]
        self.subject = (
            SUBJECTS[who or "you"]
            if form not in ("let", "tu", "nottu")
            else SUBJECTS["we" if form == "let" else "you_"]
        )
        verb = self.doing(number, kinds or "do go")
        made = verb.bare(form, self.subject, language)
        return self.filled(made, language, form.startswith("not"))

    def anybody(self, who: str) -> Subject:
        if who:
            among = [name for name in who.split() if self.target == "en" or name != "you_"]
            return SUBJECTS[self.chance.choice(among or who.split())]
        if self.chance.random() < 0.75:
            subject = SUBJECTS[
                self.chance.choice(("I", "I", "I", "you", "you", "he", "she", "we", "we", "they", "they"))
            ]
            if self.target == "en":  # what is read may be familiar
                other = {"you": "you_", "we": "on", "they": "elles"}.get(subject.name, "")
                return SUBJECTS[other] if other and self.chance.random() < 0.4 else subject
            return subject
        noun = self.chance.choice(words()[self.chance.choice(("family", "family", "person", "nameM", "nameF"))])
        if isinstance(noun, tuple):
            name = str(noun[0]), str(noun[1])
            return Subject("name", *name, 2, feminine=noun in words()["nameF"])
        if not isinstance(noun, Noun):
            raise TypeError(f"{noun} is no noun")
        form = self.chance.choice(("my", "my", "your", "his", "our")) if noun in words()["family"] else "the"
        if self.chance.random() < 0.25:
            noun, form = self.chance.choice(words()["several" if form != "the" else "person"]), form + "pl"
        return _several(noun, form)


def _several(noun: Any, form: str) -> Subject:
    """A noun, or several, as the subject."""
    plural = form.endswith("pl")
    person = 5 if plural else 2
    return Subject("noun", noun.said(form, "en"), noun.said(form, "fr"), person, noun.gender == "f", plural)


def _lists(tense: str) -> str:
    return (
        "do do do go go state be object" if tense in ("present", "past", "future", "can") else "do do do go go object"
    )


def _first(side: str) -> str:
    """The side with the first of all wordings."""
    while found := re.search(r"<([^<>]*)>", side):
        side = side[: found.start()] + found[1].split("|")[0] + side[found.end() :]
    return side


def pair(chance: random.Random, target: str) -> Pair:
    """A sentence in English and in French. The side of `target`, "fr" or "en", has the wording that is written."""
    pairs, weights = frames()
    english, french = _Maker(chance, target).said(chance.choices(pairs, weights)[0])
    english, french = " ".join(english.split()), tidy(french)
    return english[0].upper() + english[1:], french[0].upper() + french[1:]
