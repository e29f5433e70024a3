"""English verbs and noun phrases: tenses, voices, and what follows a question word."""

from dataclasses import dataclass
from functools import cache
from random import Random

from starter.data import values as w
from starter.data.forms import expand, sections
from starter.data.words import words

TENSES = ("present", "past", "past", "will", "must", "may", "can", "perfect")
MODALS = ("will", "must", "may", "can")


@dataclass(frozen=True)
class Verb:
    """The forms of a verb: build, builds, built, built."""

    base: str
    third: str
    past: str
    participle: str


@dataclass(frozen=True)
class Thing:
    """A noun phrase, a shorter way to say it, and whether it is plural or counted."""

    full: str
    short: str
    plural: bool
    counted: str  # "How many houses", where the phrase says how many.


@dataclass(frozen=True)
class Doer:
    """Who acts, and the word that asks for it."""

    name: str
    word: str


def capital(text: str) -> str:
    """The text with its first letter large."""
    return text[0].upper() + text[1:]


def verb(rng: Random, file: str = "actions") -> Verb:
    """Any verb of the list."""
    return Verb(*w.pick(rng, file).split("="))


def other_word(rng: Random, v: Verb) -> Verb:
    """A verb that people use for the same thing, where there is one."""
    group = next((g.split() for g in sections("grammar")["synonyms"] if v.base in g.split()), None)
    if not group or rng.random() < 0.75:
        return v
    base = rng.choice(group)
    return next((Verb(*x.split("=")) for x in words("actions") if x.startswith(base + "=")), v)


def doer(rng: Random) -> Doer:
    """Someone or something that acts."""
    name, word = w.filled(rng, rng.choice(sections("grammar")["doer"])).split(" | ")
    return Doer(name, word)


def thing(rng: Random) -> Thing:
    """Something to be done with."""
    line = rng.choice(sections("grammar")["thing"]).replace("{number}", w.counted(rng))
    for slot in ("noun", "noun2"):
        line = line.replace("{" + slot + "}", w.pick(rng, "nouns"))
    line = line.replace("{brand}", w.brand(rng)).replace("{adj}", w.pick(rng, "adjectives"))
    full, short, number = line.split(" | ")
    counted = f"How many {short}" if number == "counted" else ""
    return Thing(full, short, number != "one", counted)


@cache
def circumstances() -> dict[str, tuple[str, str]]:
    """Where, when, why and the like: forms to say it, and forms to ask for it."""
    return {role: (said, ask) for role, said, ask in (x.split(" : ") for x in sections("grammar")["adjunct"])}


def circumstance(rng: Random, role: str) -> str:
    """A phrase of that role: "in Lima", "since 1998"."""
    extra = {"weekday": "{day}", "other": verb(rng).base, "pp": verb(rng).participle}
    text = expand(rng, circumstances()[role][0])
    for name, value in extra.items():
        text = text.replace("{" + name + "}", value)
    return w.filled(rng, text)


def question_word(rng: Random, role: str) -> str:
    """How to ask for that role."""
    return expand(rng, circumstances()[role][1])


def finite(v: Verb, tense: str) -> str:
    """The verb after its subject: "builds", "has built"."""
    if tense in MODALS:
        return f"{tense} {v.base}"
    return {"present": v.third, "past": v.past, "perfect": f"has {v.participle}"}[tense]


def passive(v: Verb, tense: str, plural: bool) -> str:
    """The verb in the passive: "was built"."""
    if tense in MODALS:
        return f"{tense} be {v.participle}"
    be = {"present": ("is", "are"), "past": ("was", "were"), "perfect": ("has been", "have been")}[tense][plural]
    return f"{be} {v.participle}"


def asked(v: Verb, tense: str, subject: str) -> str:
    """What follows the question word: "did Ann build"."""
    if tense in MODALS:
        return f"{tense} {subject} {v.base}"
    if tense == "perfect":
        return f"has {subject} {v.participle}"
    return f"{'did' if tense == 'past' else 'does'} {subject} {v.base}"


def asked_passive(v: Verb, tense: str, subject: str, plural: bool) -> str:
    """What follows the question word in the passive: "were the houses built"."""
    auxiliary, _, rest = passive(v, tense, plural).partition(" ")
    return f"{auxiliary} {subject} {rest}".replace("  ", " ")
