"""Word lists from `words/`, and words that no list holds, made of syllables or cut from English ones."""

from functools import cache
from pathlib import Path
from random import Random

FOLDER = Path(__file__).parent.parent / "words"
SOFT_ENDS = ("", "", "n", "r", "s", "l", "x", "nd", "sk", "rt", "ck", "st", "th")


@cache
def words(name: str) -> tuple[str, ...]:
    """The words of one list: separated by spaces, or by commas where the file has any."""
    text = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    parts = text.replace("\n", ",").split(",") if "," in text else text.split()
    return tuple(dict.fromkeys(p.strip() for p in parts if p.strip()))


def pick(rng: Random, name: str) -> str:
    """Any word of the list."""
    return rng.choice(words(name))


def hard_syllable(rng: Random) -> str:
    """With clusters of consonants: "stroork"."""
    coda = pick(rng, "codas") if rng.random() < 0.85 else ""
    return pick(rng, "onsets") * (rng.random() < 0.85) + pick(rng, "vowels") + coda


def soft_word(rng: Random, most: int) -> str:
    """Consonant and vowel in turn: "amerosk"."""
    pairs = (rng.choice("bdfghjklmnprstvwyz") + rng.choice("aaeeiou") for _ in range(rng.randint(1, most)))
    return rng.choice(("", "", "a", "e", "o", "u")) + "".join(pairs) + rng.choice(SOFT_ENDS)


def mashed(rng: Random) -> str:
    """The head of one English word on the tail of another, so that every piece of a word gets copied some day."""
    first, second = pick(rng, "nouns"), pick(rng, rng.choice(("nouns", "adjectives")))
    return first[: rng.randint(1, len(first))] + second[rng.randint(0, max(0, len(second) - 2)) :]


def invented(rng: Random, most: int = 3) -> str:
    """A word that means nothing, in lower case, of up to `most` syllables or so."""
    roll = rng.random()
    if roll < 0.07:
        return "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(3, 9)))
    if roll < 0.4:
        return mashed(rng)
    if roll < 0.75:
        return soft_word(rng, most)
    return "".join(hard_syllable(rng) for _ in range(rng.randint(1, most)))
