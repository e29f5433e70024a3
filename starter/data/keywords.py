"""Questions in other words: a few words of the sentence that answers, or words of the same meaning."""

import re
from functools import cache
from random import Random

from starter.data.forms import form, sections
from starter.data.grammar import capital
from starter.data.words import words

LEAST, MOST = 2, 4  # Words of the sentence in the question.


def telling(sentence: str) -> list[str]:
    """The words of a sentence that say what it is about."""
    plain = {word.lower() for word in words("common")}
    found = re.findall(r"[^\W\d_][\w'-]{3,}", sentence.replace("*", ""))
    return list(dict.fromkeys(word for word in found if word.lower() not in plain))


def sentences(text: str) -> list[str]:
    """The sentences and lines of a text."""
    return [part for part in re.split(r"(?<=[.!?;])\s+|\n+", text) if part.strip()]


def asked(rng: Random, sentence: str, passages: str) -> str:
    """Some words of the sentence that stand together in no other sentence of the passages; or nothing."""
    known = telling(sentence)
    if len(known) < LEAST + 1:
        return ""
    chosen = rng.sample(known, rng.randint(LEAST, min(MOST, len(known) - 1)))
    if rng.random() < 0.7:
        chosen.sort(key=known.index)
    if sum(all(word in other for word in chosen) for other in sentences(passages)) != 1:
        return ""
    text = form(rng, "passages", "keywords")
    for slot, word in zip(("{1}", "{2}", "{3}", "{4}"), chosen, strict=False):
        text = text.replace(slot, bent(rng, word))
    return re.sub(r" ?\{\d\}", "", text)


def bent(rng: Random, word: str) -> str:
    """The word in another form at times: plural for singular, "ing" for "ed"."""
    if rng.random() > 0.3 or word[0].isupper():
        return word
    for end, other in (("ies", "y"), ("ing", "ed"), ("ed", "ing"), ("ed", ""), ("s", ""), ("", "s")):
        if word.endswith(end) and rng.random() < 0.6:
            return word[: len(word) - len(end)] + other
    return word


@cache
def alternatives() -> dict[str, tuple[str, ...]]:
    """Words that may stand for one another."""
    groups = [tuple(line.split()) for line in sections("passages")["synonyms"]]
    return {word: tuple(x for x in group if x != word) for group in groups for word in group}


def reworded(rng: Random, text: str, odds: float) -> str:
    """The text with some of its words replaced by others of the same meaning; slots and names stay."""

    def other(found: re.Match[str]) -> str:
        article, word = found[1] or "", found[2]
        known = alternatives().get(word.lower())
        if not known or rng.random() > odds or (word[0].isupper() and found.start() > 0):
            return found[0]
        new = rng.choice(known)
        if article:
            article = article[0] + ("n " if new[0] in "aeio" else " ")
        return article + (capital(new) if word[0].isupper() else new)

    return re.sub(r"(?<![\w{'-])((?:[Aa]n? )?)([A-Za-z]{3,})(?![\w}'-])", other, text)
