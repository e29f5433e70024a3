"""Requests that lack what they seem to give: "somebody" where a name should stand, a day where a room should."""

import re
from random import Random

from starter.data import values as w
from starter.data.archetypes import Archetype, Parameter
from starter.data.forms import expand
from starter.data.frames import stray
from starter.data.widened import TOLD, free, with_words

THING = ("it", "that one", "something", "one of them", "this one")
PLACE = ("that town", "another city", "a village nearby", "somewhere by the sea", "his home town", "a place I like")
NAMELESS: dict[str, tuple[str, ...]] = {
    "person": ("somebody", "someone", "one of us", "a friend", "a colleague", "one of them", "someone new"),
    "place": PLACE,
    "address": ("his place", "their house", "her new flat", "a house nearby", "somebody's door"),
    "date": ("some day", "one of these days", "another day", "a day that suits us"),
    "int": ("some", "a few", "several", "a number of"),
    "number": ("some", "a few", "a certain number of"),
    "code": ("it", "this one", "that one", "one of them"),
    "brand": ("a company", "some firm", "one of the companies", "that company"),
    "email": ("him", "her", "them", "the others", "a colleague"),
    "phone": ("him", "her", "them"),
    "language": ("another language", "a language I can't read", "their language"),
    "currency": ("another currency", "foreign money", "their money"),
    "year": ("some year", "that year", "another year"),
    "room": ("that room", "another room", "one of the rooms"),
    "quoted": ("something nice", "a few words", "the usual text"),
    "list": ("a few things", "some of them", "several things"),
    "path": ("that file", "one of the files"),
    "url": ("that page", "a website"),
    "unit": ("another unit",),
} | dict.fromkeys(("of", "label", "phrase", "word", "noun", "dish", "task"), THING)
BOUND = "a an the my our your his her their this that every no number row room hall seat gate kilometre"
COUNTING = "for with to are by about bring get need want have take me only another put send"
NAMES = {"of", "label", "phrase", "word", "noun", "quoted", "task", "code", "brand", "list", "dish"}  # Of anything.


def replaceable(pattern: str, p: Parameter) -> bool:
    """Whether the argument stands where a word that names nothing could stand in its place."""
    slot = "{" + p.name + "}"
    if p.optional or p.kind not in NAMELESS or pattern.count(slot) != 1:
        return False
    before, _, after = pattern.partition(slot)
    last = before.split()[-1] if before.strip() else ""
    if last in BOUND.split() or before[-1:].strip() or (after and after[0] not in " ,.?!:;"):
        return False
    if p.kind in ("int", "number"):
        return bool(re.match(r" [a-z]", after)) and (last in COUNTING.split() or last.endswith((",", ":")))
    return True


def vague(rng: Random, pattern: str, kind: Archetype) -> str:
    """The form with a needed argument or two left in the dark: "enter somebody for the 10k"."""
    found = [p for p in kind.parameters if replaceable(pattern, p)]
    for p in rng.sample(found, min(len(found), rng.choice((1, 1, 1, 2)))):
        pattern = pattern.replace("{" + p.name + "}", rng.choice(NAMELESS[p.kind]))
    return pattern


def beside(rng: Random, pattern: str, kind: Archetype) -> str:
    """The form with words added whose value none of the tool's arguments takes, where there are such words."""
    own = {p.kind for p in kind.parameters}
    barred = own | NAMES | {k for k in TOLD if not free(kind, k)}
    if own & NAMES:
        barred |= {"person", "place", "email", "date", "time"}
    more = expand(rng, stray(rng, barred))
    return with_words(rng, pattern, more) if more else pattern


def strewn(rng: Random, pattern: str, kind: Archetype) -> str:
    """The form with every slot filled that is no argument of the tool: people, days and things that only stand by."""
    own = {p.name for p in kind.parameters}
    return re.sub(r"\{(\w+)\}", lambda m: m[0] if m[1] in own else w.filled(rng, m[0]), pattern)
