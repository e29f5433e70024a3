"""Who does something, and what: subjects, and verbs with their pronouns, in both languages. Knows no clause."""

from __future__ import annotations

import random
from dataclasses import dataclass

from core.pipelines.builtin.french import conjugation


@dataclass(frozen=True, slots=True)
class Subject:
    """Who does it; `person` 0 (je) to 5 (ils) is that of the French verb."""

    name: str
    english: str
    french: str
    person: int
    feminine: bool = False
    plural: bool = False

    @property
    def english_person(self) -> int:
        return 3 if self.name == "on" else self.person

    @property
    def own(self) -> str:
        """Which possessive stands for the subject's own."""
        mine = ("my", "tu", "her" if self.feminine else "his", "our", "your", "their")
        return mine[self.english_person]


SUBJECTS = {
    one.name: one
    for one in (
        Subject("I", "I", "je", 0), Subject("you", "you", "vous", 4), Subject("you_", "you", "tu", 1),
        Subject("he", "he", "il", 2), Subject("she", "she", "elle", 2, feminine=True), Subject("it", "it", "il", 2),
        Subject("we", "we", "nous", 3, plural=True), Subject("on", "we", "on", 2, plural=True),
        Subject("they", "they", "ils", 5, plural=True),
        Subject("elles", "they", "elles", 5, feminine=True, plural=True),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Object:
    """To whom it is done, as a pronoun: in French one when direct and another when indirect."""

    english: str
    direct: str
    indirect: str
    feminine: bool = False
    plural: bool = False


_OBJECTS = (
    Object("me", "me", "me"), Object("you", "vous", "vous"), Object("you", "te", "te"), Object("him", "le", "lui"),
    Object("her", "la", "lui", feminine=True), Object("us", "nous", "nous", plural=True),
    Object("them", "les", "leur", plural=True),
)  # fmt: skip
SELF = ("me", "te", "se", "nous", "vous", "se")


class Verb:
    """What is done: English and French as in verbs.txt, "@" being somebody; `chain` is a verb before it ("try to")."""

    def __init__(self, pair: tuple[str, str], kind: str, subject: Subject, chance: random.Random, loose: bool) -> None:
        self.english, self.french, self.kind = *pair, kind
        self.chain: tuple[str, str] | None = None
        self.object: Object | None = None
        if "@" not in self.french:
            return
        if chance.random() < 0.3:
            named = chance.choice(("family1:my", "family1:your", "nameM1", "nameF1", "person1:the"))
            self.english, self.french = (text.replace("@", "{" + named + "}") for text in (self.english, self.french))
            return
        barred = {"I": ("me", "us"), "we": ("me", "us"), "on": ("me", "us"), "you": ("you",), "you_": ("you",)}.get(
            subject.name, ()
        )
        self.object = chance.choice(
            [one for one in _OBJECTS if one.english not in barred and (loose or one.direct != "te")]
        )
        self.english = self.english.replace("@", self.object.english)

    def parts(self, subject: Subject) -> tuple[list[str], str, str]:
        """In French: the pronouns before the verb, the infinitive, what follows."""
        text = self.french
        before: list[str] = []
        if self.object:
            indirect = "à @" in text
            text = " ".join(text.replace("à @" if indirect else "@", "").split())
            before = [self.object.indirect if indirect else self.object.direct]
        first, _, rest = text.partition(" ")
        while first in ("se", "y", "en", "le", "les") or first.startswith("s'"):
            if first.startswith("s'"):
                before.append(SELF[subject.person])
                first = first[2:]
                continue
            before.append(SELF[subject.person] if first == "se" else first)
            first, _, rest = rest.partition(" ")
        return before, first, rest

    def infinitive(self, subject: Subject) -> str:
        """In French, with its pronouns."""
        before, verb, rest = self.parts(subject)
        first, rest = adverb_first(rest)
        return " ".join([first, *before, verb, rest])

    def bare(self, form: str, subject: Subject, language: str) -> str:
        """Infinitive ("inf", "ing" in English) or order ("imp", "not", "let", "tu", "nottu"), without who does it."""
        if language == "en":
            if form == "ing":
                return conjugation.english(self.english, "ing", 0)
            return {"not": "don't ", "nottu": "don't ", "let": "let's ", "notinf": "not to "}.get(
                form, ""
            ) + self.english
        if form in ("inf", "ing"):
            return self.infinitive(subject)
        if form == "notinf":
            return "ne pas " + self.infinitive(subject)
        before, verb, rest = self.parts(subject)
        said = conjugation.french(verb, "imperative", {"let": 3, "tu": 1, "nottu": 1}.get(form, 4))
        if form.startswith("not"):
            return " ".join(["ne", *before, said, "pas", rest])
        if before and before[0] == "y" and said == "va":
            said = "vas"
        after = "".join("-" + {"me": "moi", "te": "toi"}.get(one, one) for one in before)
        return f"{said}{after} {rest}"


def adverb_first(rest: str) -> tuple[str, str]:
    """A short adverb that stands before an infinitive or a participle (bien dormir), and what follows it."""
    first, _, more = rest.partition(" ")
    return (first, more) if first in ("bien", "mal", "tout") else ("", rest)
