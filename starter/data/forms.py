"""Sentence forms from `forms/`: one a line, `<a|b>` chooses, `{slot}` is filled in, `[name]` starts a section.

An arrow of a user's own is written `-\\>`, so that it closes no choice.
"""

import re
from functools import cache, lru_cache
from pathlib import Path
from random import Random

FOLDER = Path(__file__).parent.parent / "forms"
Part = str | list["Choice"]
Choice = list[Part]


@cache
def sections(file: str) -> dict[str, tuple[str, ...]]:
    """The forms of one file by section."""
    found: dict[str, list[str]] = {}
    for line in (FOLDER / f"{file}.txt").read_text(encoding="utf-8").splitlines():
        if re.fullmatch(r"\[\w+\]", line):
            found[line[1:-1]] = current = []
        elif line.strip():
            current.append(line)
    return {name: tuple(lines) for name, lines in found.items()}


@lru_cache(maxsize=16384)  # Bounded: forms with names in them come once and never again.
def parsed(pattern: str) -> Choice:
    """The pattern as nested choices: text, or a list of alternatives each of which is such a sequence again."""
    stack: list[list[Choice]] = [[[]]]
    for piece in re.findall(r"\\>|[<|>]|[^<|>\\]+", pattern):
        if piece == "<":
            stack.append([[]])
        elif piece == ">" and len(stack) > 1:
            alternatives = stack.pop()
            stack[-1][-1].append(alternatives)
        elif piece == "|" and len(stack) > 1:
            stack[-1].append([])
        else:
            stack[-1][-1].append(piece.removeprefix("\\"))
    return stack[0][0]


def chosen(rng: Random, choice: Choice) -> str:
    """Text with an alternative taken at every choice."""
    return "".join(p if isinstance(p, str) else chosen(rng, rng.choice(p)) for p in choice)


def expand(rng: Random, pattern: str) -> str:
    """The pattern with every choice made; slots stay."""
    return chosen(rng, parsed(pattern))


def form(rng: Random, file: str, section: str) -> str:
    """Any form of the section, its choices made."""
    return expand(rng, rng.choice(sections(file)[section]))


def typo(rng: Random, text: str) -> str:
    """One slip of the finger: a letter lost, doubled, swapped or hit beside; in a short word, mostly two swapped."""
    spots = [i for i in range(1, len(text) - 1) if text[i].isalpha()]
    if len(spots) < 3:
        return swapped_short(rng, text)
    i = rng.choice(spots)
    lost, doubled = text[:i] + text[i + 1 :], text[:i] + text[i] + text[i:]
    swapped = text[:i] + text[i + 1] + text[i] + text[i + 2 :]
    return rng.choice((lost, doubled, swapped, text[:i] + rng.choice("aeiorstn") + text[i + 1 :]))


def swapped_short(rng: Random, text: str) -> str:
    """A word of up to four letters with two neighbours swapped, or one lost: "form", "ot", "teh", "fo"."""
    if len(text) < 2 or not text.isalpha():
        return text
    i = rng.randrange(len(text) - 1)
    swapped = text[:i] + text[i + 1] + text[i] + text[i + 2 :]
    lost = text[:i] + text[i + 1 :]
    return rng.choice((swapped, swapped, swapped, lost)) if len(text) > 2 else swapped


def fill(pattern: str, values: dict[str, str]) -> str:
    """The pattern with each slot replaced by its value."""
    for name, value in values.items():
        pattern = pattern.replace("{" + name + "}", value)
    return pattern


def dressed(rng: Random, text: str) -> str:
    """A request with some chatter before and after it, as people write."""
    roll = rng.random()
    if roll < 0.22:
        opening = form(rng, "chatter", "before")
        if not opening.endswith((".", "!", "?")) and not text.startswith(("I ", "I'")) and rng.random() < 0.8:
            text = text[0].lower() + text[1:]
        text = f"{opening} {text}"
    if rng.random() < 0.16:
        mark = "" if text[-1] in ".?!" else rng.choice((",", ".", ""))
        text = f"{text}{mark} {form(rng, 'chatter', 'after')}"
    return text


def noisy(rng: Random, text: str) -> str:
    """Typing mistakes and missing marks in the words between the slots."""
    roll = rng.random()
    if roll < 0.16:
        parts = re.split(r"(\{\w+\}|\s+)", text)
        spots = [i for i, p in enumerate(parts) if len(p) > 1 and p.isalpha()]
        for i in rng.sample(spots, min(len(spots), rng.choice((1, 1, 2, 3, 5)))):
            parts[i] = typo(rng, parts[i])
        gaps = [i for i, p in enumerate(parts) if p == " " and parts[i - 1].isalpha() and parts[i + 1].isalpha()]
        if gaps and rng.random() < 0.12:
            parts[rng.choice(gaps)] = ""
        text = "".join(parts)
    if rng.random() < 0.2:
        text = text.rstrip("?.! ") or text
    return text


def utter(
    rng: Random, pattern: str, values: dict[str, str], chatter: bool = True, typed: frozenset[str] = frozenset()
) -> tuple[str, dict[str, str]]:
    """What the user types, and the values as a careful reader would write them down.

    In lower-case typing names get their capitals back, save the values named in `typed`, which are taken as they
    stand; a mistyped value is read as it was typed, and so is one all in capitals.
    """
    text = expand(rng, pattern)
    if chatter:
        text = dressed(rng, text)
    text = noisy(rng, text)
    read = {k: typo(rng, v) if v.isalpha() and rng.random() < 0.02 else v for k, v in values.items()}
    roll = rng.random()
    if roll < 0.2:
        return fill(text, read).lower(), {k: v.lower() if k in typed else v for k, v in read.items()}
    if roll < 0.27 and not typed:
        return fill(text, read).upper(), {k: v.upper() for k, v in read.items()}
    if roll < 0.95 and not text.startswith("{"):
        text = text[0].upper() + text[1:]
    return fill(text, read), read
