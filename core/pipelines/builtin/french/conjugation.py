"""Forms of French and English verbs: persons, tenses of everyday speech, participles. Knows no sentence."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from core.pipelines.builtin.forms import lines

_IMPERFECT = ("ais", "ais", "ait", "ions", "iez", "aient")
_FUTURE = ("ai", "as", "a", "ons", "ez", "ont")
_TO_BE = ("am", "are", "is", "are", "are", "are")
_MODALS = {"can": "could", "must": "had to", "should": "should have"}


@cache
def _table(language: str) -> dict[str, list[str]]:
    """The irregular verbs, each with its forms as irregular_fr.txt and irregular_en.txt have them."""
    file = Path(__file__).parent / f"irregular_{language}.txt"
    return {name.strip(): rest.split() for name, _, rest in (line.partition(":") for line in lines(file))}


# --- French -----------------------------------------------------------------------------------------------------------


def french(verb: str, tense: str, person: int) -> str:
    """One form: tense "present", "imperfect", "future", "conditional" or "imperative"; person 0 (je) to 5 (ils)."""
    if tense == "present":
        return _presents(verb)[person]
    if tense == "imperfect":
        stem = "ét" if verb == "être" else _presents(verb)[3].removesuffix("ons")
        ending = _IMPERFECT[person]
        if ending[0] == "i":  # nous mangions, nous commencions
            stem = stem[:-1] if stem.endswith("ge") else stem[:-1] + "c" if stem.endswith("ç") else stem
        return stem + ending
    if tense == "imperative":
        return _imperative(verb, person)
    return _future(verb) + (_FUTURE if tense == "future" else _IMPERFECT)[person]


def participle(verb: str) -> str:
    """The past participle, masculine and singular."""
    if irregular := _irregular(verb):
        return irregular[0] + irregular[1][7]
    return verb[:-2] + {"er": "é", "ir": "i", "re": "u"}[verb[-2:]]


def _irregular(verb: str) -> tuple[str, list[str]] | None:
    """The prefix of a verb and the forms of the irregular one in it: six of the present, future, participle."""
    table = _table("fr")
    for cut in range(min(4, len(verb))):
        if verb[cut:] in table and (
            cut == 0 or verb[cut:] not in ("aller", "être", "avoir", "rire", "dire", "lire", "faire", "voir")
        ):
            return verb[:cut], table[verb[cut:]]
    return None


def _presents(verb: str) -> list[str]:
    if found := _irregular(verb):
        return [found[0] + form for form in found[1][:6]]
    stem, kind = verb[:-2], verb[-2:]
    if kind == "re":
        return [stem + ending for ending in ("s", "s", "", "ons", "ez", "ent")]
    if kind == "ir":
        return [stem + ending for ending in ("is", "is", "it", "issons", "issez", "issent")]
    strong, soft = _strong(verb), stem + "e" if stem.endswith("g") else stem[:-1] + "ç" if stem.endswith("c") else stem
    return [strong + "e", strong + "es", strong + "e", soft + "ons", stem + "ez", strong + "ent"]


def _strong(verb: str) -> str:
    """The stem of a verb in -er where the ending is mute: j'achète, je préfère, j'appelle, j'essuie."""
    stem = verb[:-2]
    if stem.endswith(("ppel", "jet")):
        return stem + stem[-1]
    if stem.endswith(("oy", "uy", "ay")):
        return stem[:-1] + "i"
    if len(stem) > 1 and stem[-2] in "eé" and stem[-1] in "tnvlsmr":
        return stem[:-2] + "è" + stem[-1]
    return stem


def _future(verb: str) -> str:
    if found := _irregular(verb):
        return found[0] + found[1][6]
    if verb.endswith("er"):
        mute = _strong(verb)
        return (verb[:-2] if "é" in verb[-4:-2] else mute) + "er"
    return verb.removesuffix("e")


def _imperative(verb: str, person: int) -> str:
    known = {
        "être": ("sois", "soyons", "soyez"),
        "avoir": ("aie", "ayons", "ayez"),
        "savoir": ("sache", "sachons", "sachez"),
    }
    if verb in known:
        return known[verb][{1: 0, 3: 1, 4: 2}[person]]
    form = _presents(verb)[person]
    return form.removesuffix("s") if person == 1 and form.endswith(("es", "as")) else form


# --- English ----------------------------------------------------------------------------------------------------------


def english(verb: str, tense: str, person: int) -> str:
    """One form of the first word of `verb`, which may have more: "present", "past", "participle" or "ing"."""
    word, blank, rest = verb.partition(" ")
    return _english(word, tense, person) + blank + rest


def _english(verb: str, tense: str, person: int) -> str:
    if tense == "present":
        if verb == "be":
            return _TO_BE[person]
        return _third(verb) if person == 2 else verb
    if tense == "ing":
        return _ing(verb)
    if verb == "be":
        return "been" if tense == "participle" else "was" if person in (0, 2) else "were"
    if found := _table("en").get(verb):
        return found[1 if tense == "participle" else 0]
    if verb.endswith("e"):
        return verb + "d"
    return verb[:-1] + "ied" if verb.endswith("y") and verb[-2] not in "aeou" else verb + "ed"


def _third(verb: str) -> str:
    if verb in ("have", "do", "go"):
        return {"have": "has", "do": "does", "go": "goes"}[verb]
    if verb.endswith("y") and verb[-2] not in "aeou":
        return verb[:-1] + "ies"
    return verb + ("es" if verb.endswith(("s", "sh", "ch", "x", "z")) else "s")


def _ing(verb: str) -> str:
    found = _table("en").get(verb, [])
    if len(found) > 2:
        return found[2]
    if verb.endswith("ie"):
        return verb[:-2] + "ying"
    return (verb[:-1] if verb.endswith("e") and not verb.endswith("ee") and verb != "be" else verb) + "ing"
