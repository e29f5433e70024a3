"""The pairs that the model learns from: where they lie, which are kept back, and how people really type them."""

from __future__ import annotations

import hashlib
import random
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from core.pipelines.builtin.forms import lines

FOLDER = Path(__file__).parent
MARKS = {"fr": ">>fra<<", "en": ">>eng<<"}  # What the model is to write; core/pipelines/translation.py knows them.
EVALUATION = FOLDER / "evaluation.txt"

Pair = tuple[str, str]  # English, French


def read(file: Path) -> list[Pair]:
    """The pairs of a file, "English = French" a line. Raises ValueError for a line that is none."""
    found = []
    for line in lines(file):
        english, equals, french = line.partition(" = ")
        if not (english.strip() and equals and french.strip()):
            raise ValueError(f"{file.name}: no pair: {line}")
        found.append((english.strip(), french.strip()))
    return found


def written() -> list[Pair]:
    """All pairs written by hand, each once."""
    return list(dict.fromkeys(pair for file in sorted((FOLDER / "pairs").glob("*.txt")) for pair in read(file)))


def kept_back(french: str) -> bool:
    """Whether a pair is of the tenth for choosing. It goes by the letters, so that near twins stay together."""
    return hashlib.sha256(bare(french).encode()).digest()[0] % 10 == 0


def learnt() -> list[Pair]:
    """The pairs written by hand that are learnt."""
    return [pair for pair in written() if not kept_back(pair[1])]


def held() -> list[Pair]:
    """Those that are kept back."""
    return [pair for pair in written() if kept_back(pair[1])]


def bare(text: str) -> str:
    """The text without what exact match forgives: capitals, punctuation, how blanks and apostrophes are written."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return " ".join(re.sub(r"[^\w' ]+", " ", text).replace("'", "' ").split())


# --- as people type ---------------------------------------------------------------------------------------------------

_LONG = (
    (r"\b(I)'m\b", r"\1 am"), (r"\b(you|we|they)'re\b", r"\1 are"), (r"\b(he|she|it|that|what|where)'s\b", r"\1 is"),
    (r"\bcan't\b", "cannot"), (r"\bwon't\b", "will not"), (r"\b(\w+)n't\b", r"\1 not"), (r"\b(\w+)'ll\b", r"\1 will"),
    (r"\b(I|you|we|they)'ve\b", r"\1 have"), (r"\b(I|you|he|she|we|they)'d like\b", r"\1 would like"),
)  # fmt: skip
_PARTICIPLE = re.compile(r"'s (?:been|got|gone|had|\w+ed)\b")  # "he's gone" is "he has gone"
_SHORT = re.compile(r"^([^.?!]*?)\b(?:do|does|did|is|are|was|were|have|has|ca|wo|would|could|should)n't\b[^.?!]*\?")


def typed(text: str, language: str, chance: random.Random) -> str:
    """The text as somebody may have typed it who is in a hurry; mostly as it is. For what is read, never written."""
    if chance.random() < 0.5:
        return text
    if language == "en" and chance.random() < 0.4:
        text = _spelt_out(text)
    if language == "fr" and chance.random() < 0.35:
        text = _familiar(_asked_plainly(text), chance)
    if language == "fr" and chance.random() < 0.15:
        text = re.sub(r"\b([Jj]e|[Tt]u|[Oo]n|[Cc]e) n(?:e |')(\w+(?: \w+)? (?:pas|plus|jamais|rien)\b)", r"\1 \2", text)
    if language == "fr" and chance.random() < 0.25:
        text = re.sub(" ([?!:;])", r"\1", text)
    if language == "fr" and chance.random() < 0.12:
        text = "".join(one for one in unicodedata.normalize("NFD", text) if not unicodedata.combining(one))
    if chance.random() < 0.2:
        text = re.sub(r"[.?!]$", "", text).rstrip()
    if chance.random() < 0.15:
        text = text.lower()
    return text.replace("'", "’") if chance.random() < 0.15 else text


def _spelt_out(text: str) -> str:
    """ "I'm" as "I am". Questions with "n't" stay: "Do not you …?" nobody says."""
    for short, long in _LONG:
        if ("n't" in short and _SHORT.search(text)) or (r"'s\b" in short and _PARTICIPLE.search(text)):
            continue
        text = re.sub(short, long, text, flags=re.IGNORECASE)
    return text


def _asked_plainly(text: str) -> str:
    """A question without "est-ce que", by its tone."""
    whole = re.match(r"^(?:Est-ce que |Est-ce qu')(\w.*\?)$", text)
    if whole and text.count("?") == 1:
        return whole[1][0].upper() + whole[1][1:]
    return text


_TO_A_FRIEND = {
    "Pourriez": ("Tu pourrais", "Pourrais-tu"), "Pouvez": ("Tu peux", "Peux-tu"), "Avez": ("Tu as", "As-tu"),
    "Savez": ("Tu sais", "Sais-tu"), "Voulez": ("Tu veux", "Veux-tu"), "Êtes": ("Tu es", "Es-tu"),
    "Connaissez": ("Tu connais", "Connais-tu"), "Parlez": ("Tu parles", "Parles-tu"), "Aimez": ("Tu aimes", "Aimes-tu"),
    "Allez": ("Tu vas", "Vas-tu"),
}  # fmt: skip


def _familiar(text: str, chance: random.Random) -> str:
    """A question to strangers as one to a friend, where nothing else in it would have to change."""
    polite = re.match(r"(\w+)-vous\b(.*)$", text.replace("s'il vous plaît", "s'il te plaît"))
    if polite is None or polite[1] not in _TO_A_FRIEND or re.search(r"\b(?:vous|votre|vos)\b", polite[2]):
        return text
    return chance.choice(_TO_A_FRIEND[polite[1]]) + polite[2]


def swaps(groups: list[list[Pair]]) -> dict[str, list[Pair]]:
    """For each English word, the pairs that may take its place; all of a group agree alike in French."""
    return {english: group for group in groups for english, _ in group if len(group) > 1}


# "After dinner" is "après le dîner": a noun is exchanged only where it stands behind one of these.
_BEFORE = "(?:a|an|the|my|your|his|her|our|their|this|that|some|any|no|another) "


def swapped(pair: Pair, known: dict[str, list[Pair]], chance: random.Random) -> Pair:
    """The pair with one word exchanged in both languages, where it stands once in each; else the pair itself."""
    words = [word for word in re.findall(r"[A-Za-z]+", pair[0]) if word in known]
    if not words:
        return pair
    word = chance.choice(words)
    old, new = next(one for one in known[word] if one[0] == word), chance.choice(known[word])
    before = "" if word[0].isupper() else _BEFORE
    english, once = re.subn(rf"\b({before}){old[0]}\b", lambda found: found[1] + new[0], pair[0])
    french, also = re.subn(rf"(?<![\w-]){old[1]}(?![\w-])", new[1], pair[1])
    return (english, french) if once == also == 1 else pair


def forever(seed: int, share: float) -> Iterator[tuple[Pair, Pair]]:
    """Pairs without end, each for both directions: the one to be put into French, the one to be put into English.

    `share` of them are written by hand, the others composed. None is kept back.
    """
    from core.pipelines.builtin.french import grammar

    chance = random.Random(seed)
    hand, secret = learnt(), {bare(french) for _, french in held()}
    known = swaps(grammar.groups())
    while True:
        if chance.random() < share:
            pair = chance.choice(hand)
            pair = swapped(pair, known, chance) if chance.random() < 0.4 else pair
            both = (pair, pair)
        else:
            both = (grammar.pair(chance, "fr"), grammar.pair(chance, "en"))
        if chance.random() < 0.04:
            more = chance.choice(hand)
            both = tuple((one[0] + " " + more[0], one[1] + " " + more[1]) for one in both)  # type: ignore[assignment]
        if all(bare(french) not in secret for _, french in both):
            yield both
