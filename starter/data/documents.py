"""Documents as companies keep them: Markdown sections that differ from their neighbours in a name or a figure only."""

import re
from dataclasses import dataclass
from functools import cache
from random import Random

from starter.data import values as w
from starter.data.facts import Fact, filled_in, sibling, subject, templates_of
from starter.data.forms import expand, form, sections
from starter.data.grammar import capital
from starter.data.sentences import saying
from starter.data.words import words

# What may differ between near-identical passages; everything else is drawn alike for all of them.
FIGURES = frozenset(words("figures"))
STYLES = ("prose", "rows", "bullets", "stars", "lines", "plain", "inline", "dash", "defined", "nested", "numbers")
LONG = 800  # Characters of a passage, about as the knowledge tab splits documents.
SUBJECTS = {"project": "company", "supplier": "company", "claim": "company"}


@dataclass(frozen=True)
class Sheet:
    """One passage: its crumbs, its text, questions with the words that answer them."""

    subject: str
    heading: str
    text: str
    answers: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Entry:
    """A fact of one subject, filled in."""

    label: str
    value: str
    sentence: str
    question: str
    wide: bool  # The sentence tells more than the value: a question may ask for the rest.


@cache
def outlines() -> dict[str, dict[str, tuple[Fact, ...]]]:
    """For each kind of document its sections, and the facts that each may hold."""
    found: dict[str, dict[str, tuple[Fact, ...]]] = {}
    for name, lines in sections("documents").items():
        kind, _, heading = name.partition("__")
        if heading:
            found.setdefault(kind, {})[heading] = templates_of(lines)
    return found


def called(rng: Random, kind: str, name: str, others: list[str]) -> str:
    """How a question names the subject: in full, or in short where that is clear."""
    first = name.split(" ")[0]
    alone = kind in ("contract", "company", "project") and not any(first in o for o in others)
    return first if alone and " " in name and rng.random() < 0.25 else name


def entry(rng: Random, alike: Random, fact: Fact, name: str, said: str) -> Entry:
    """The fact of this subject: forms and words from `alike`, names and figures from `rng`."""
    made = filled_in(rng, alike, fact, name, said, FIGURES)
    slots = set(re.findall(r"\{\w+\}", fact.sentence)) - {"{S}"}
    wide = bool(slots - set(re.findall(r"\{\w+\}", fact.value)))
    return Entry(made.label, made.value, made.sentence, made.questions[0], wide)


def shown(rng: Random, style: str, e: Entry) -> tuple[str, str]:
    """The entry as a line of the passage, and as it is quoted in an answer."""
    if style == "prose":
        marked = e.sentence.replace(e.value, f"**{e.value}**") if rng.random() < 0.4 else e.sentence
        return marked, marked
    value = e.sentence.rstrip(".") if e.wide else e.value
    if style == "rows":
        return f"| {e.label.lower()} | {value} |", f"{e.label.lower()}: {value}"
    if style == "inline":
        return f"{e.label.lower()}: {value.rstrip('.')}", f"{e.label.lower()}: {value}"
    marks = {"bullets": "- **{}:** {}", "stars": "* {}: {}", "lines": "**{}:** {}", "plain": "{}: {}"}
    marks |= {"dash": "{} – {}", "defined": "{}\n: {}", "nested": "  - {}: {}", "numbers": "1. {}: {}"}
    return marks[style].format(e.label, value), f"{e.label}: {value}"


def joined(rng: Random, first: str, second: str) -> tuple[str, str]:
    """Two sentences as one, which then answers the questions on both."""
    low = second[0].lower() + second[1:] if second.split(" ")[0] in ("It", "The", "A", "An", "They") else second
    text = first.rstrip(".") + (rng.choice(("; ", ", and ", "; ", ", but ")) if low != second else "; ") + low
    return text, text


def block(style: str, lines: list[str]) -> str:
    """Lines of one style put together."""
    if style == "rows":
        head = "| | |" if len(lines) % 3 else "| item | value |"
        return "\n".join([head, "|---|---|", *lines])
    if style == "inline":
        return f"{'; '.join(lines)}."
    top = ["- details"] if style == "nested" else []
    return (" " if style == "prose" else "\n").join([*top, *lines])


def aside(rng: Random) -> str:
    """Sentences that nobody asks about."""
    if rng.random() < 0.15:
        return w.filled(rng, "- {adj} {noun}s\n- the {noun} of {place}\n- {noun}s for {noun2}s")
    said = [saying(rng).sentence for _ in range(rng.randint(1, 3))]
    if rng.random() < 0.4:
        said.append(capital(w.filled(rng, form(rng, "passages", "filler").replace("{S}", "It"))))
    return " ".join(said)


def sheet(rng: Random, alike: Random, crumbs: str, name: str, entries: list[Entry]) -> Sheet:
    """A passage of one or two blocks, with asides up to a length."""
    cut = alike.choice((0, len(entries), len(entries) // 2))
    blocks, answers = [], []
    for part in (entries[:cut], entries[cut:]):
        style = alike.choices(STYLES, (12, 8, 4, 4, 4, 4, 2, 2, 2, 2, 2))[0]
        if part:
            lines = [shown(alike, style, e) for e in part]
            if style == "prose" and len(lines) > 1 and alike.random() < 0.3:
                lines[:2] = [joined(alike, lines[0][0], lines[1][0])] * 2
            blocks.append(block(style, list(dict.fromkeys(line for line, _ in lines))))
            answers += [(e.question, quote) for e, (_, quote) in zip(part, lines, strict=True)]
    if entries and alike.random() < 0.12:
        text, told = by_year(rng, alike, name)
        blocks.append(text)
        answers += told
    room = alike.choice((0, 0, 0, 150, 300, LONG))
    while sum(map(len, blocks)) < room:
        blocks.insert(rng.randint(0, len(blocks)), aside(rng))
    return Sheet(name, crumbs, "\n\n".join(blocks), tuple(answers))


def by_year(rng: Random, alike: Random, name: str) -> tuple[str, list[tuple[str, str]]]:
    """A small table of the same figures for some years, and the questions that name subject, figure and year."""
    parts = [c.split(" : ") for c in alike.sample(sections("documents")["yearly"], alike.choice((1, 2, 2, 3, 4)))]
    count, last = alike.randint(2, 5), alike.randint(2014, 2027)
    rows, answers = [], []
    for year in range(last - count + 1, last + 1):
        cells = [w.filled(rng, value) for _, value, _ in parts]
        rows.append(f"| {year} | " + " | ".join(cells) + " |")
        for (label, _, asks), cell in zip(parts, cells, strict=True):
            ask = expand(rng, rng.choice(asks.split(" ; "))).replace("{x}", name).replace("{y}", str(year))
            answers.append((capital(ask), f"{year}: {label} {cell}"))
    head = "| " + " | ".join([alike.choice(("year", "year", "Year", "")), *(label for label, _, _ in parts)]) + " |"
    return "\n".join([head, "|" + "---|" * (len(parts) + 1), *rows]), answers


def subjects(rng: Random, kind: str, count: int) -> list[str]:
    """Different subjects, some of nearly the same name."""
    if kind == "policy":
        topics = [w.filled(rng, rng.choice(("{noun}s", "{adj} {noun}s", "{noun} and {noun2}"))) for _ in range(count)]
        return [t.capitalize() for t in dict.fromkeys(topics)]
    if kind == "team":
        return list(dict.fromkeys(f"the {w.pick(rng, rng.choice(('teams', 'nouns')))} team" for _ in range(count)))
    base = SUBJECTS.get(kind, kind)
    found = [subject(rng, base)]
    while len(found) < count:
        name = sibling(rng, base, found[-1])
        if not any(name in f or f in name for f in found):
            found.append(name)
    return found


def shelf(rng: Random, kind: str) -> tuple[list[Sheet], list[str]]:
    """Sections of a few documents of one kind, and questions that another section or document would answer."""
    headings = rng.sample(tuple(outlines()[kind]), rng.randint(1, min(3, len(outlines()[kind]))))
    names, seed = subjects(rng, kind, rng.choice((1, 2, 2, 3, 3, 4))), rng.random()
    taken: set[str] = set()  # A policy has no subject in its questions: each of its rules may come once.
    sheets, hidden = [], []
    for heading in headings:
        for name in names:
            alike = Random(f"{seed}{heading}{name if kind == 'policy' else ''}")
            pool = [f for f in outlines()[kind][heading] if f.label not in taken]
            chosen = alike.sample(pool, min(len(pool), alike.randint(2, 6)))
            taken |= {f.label for f in chosen} if kind == "policy" else set()
            said = called(rng, kind, name, [n for n in names if n != name])
            entries = [entry(rng, alike, f, name, said) for f in chosen]
            lost = entries.pop(rng.randrange(len(entries))) if len(entries) > 1 and rng.random() < 0.5 else None
            hidden += [lost.question] if lost else []
            if entries:
                look = Random(f"{seed}{heading}")  # A lost fact must not change how the others are set.
                sheets.append(sheet(rng, look, titled(rng, kind, name, heading, seed), name, entries))
    rng.shuffle(sheets)
    keep = rng.choice((1, 2, 3, 3, 4, 5, 7))
    beyond = [q for s in sheets[keep:] for q, _ in s.answers]
    return sheets[:keep], hidden + beyond


def titled(rng: Random, kind: str, name: str, heading: str, seed: float) -> str:
    """The crumbs: kind of document, its title, the heading."""
    alike = Random(f"{seed}{heading}")
    title = form(Random(seed), "documents", f"title_{kind}")
    said = heading.replace("_", " ")
    if kind == "policy" or alike.random() < 0.3:
        said = w.filled(alike, alike.choice(("{noun}", "{adj} {noun}s", "{noun} and {noun2}"))).capitalize()
    elif alike.random() < 0.2:
        said = f"{alike.randint(1, 9)}. {said}"
    return f"{w.filled(rng, title).replace('{S}', name)} > {said}"
