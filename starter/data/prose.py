"""Real prose: paragraphs of rules, contracts, guides and histories in which one sentence answers a question."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from random import Random

from starter.data import values as w
from starter.data.documents import Sheet, aside
from starter.data.facts import sibling, subject
from starter.data.forms import expand, sections
from starter.data.grammar import capital
from starter.data.keywords import reworded
from starter.data.words import words

BOOKS = "rules work contrast trade tech people world office goods public makers deals staff daily firms"
FILES = tuple(f"prose_{name}" for name in BOOKS.split())
FIGURES = frozenset(words("figures")) | {"few", "day", "dish", "language", "field", "team", "role"}
NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten"}
DIGITS = {word: str(number) for number, word in NUMBERS.items()}
SHARED = ("contract", "product")  # Sections whose paragraphs may all tell of one subject.
SITED = ("policy", "faq", "knowhow", "prices", "town")  # Sections of which every site has its own.
# What a paragraph of this section is about, where it names anything; the others are about a company or a thing.
SUBJECTS = {"biography": "person", "product": "product", "guide": "office", "office": "office", "event": "event"}
# Sections that a company's own documents would have.
COMPANY = (
    "policy", "faq", "contract", "product", "release", "incident", "company", "minutes", "supplier", "biography",
    "team", "event", "office", "knowhow", "project", "api", "finance", "decision", "shop", "shipping", "lab", "repo",
    "quality", "customer", "plant",
)  # fmt: skip
ROOM = (900, 1800, 1800, 2800, 2800, 4200, 5600)  # Characters of passages in one prompt.


@dataclass
class Line:
    """A sentence with slots, the questions it answers, and those that it answers with the sentence before it."""

    sentence: str
    questions: list[str] = field(default_factory=list)
    both: list[str] = field(default_factory=list)


@dataclass
class Paragraph:
    """A heading, its sentences, and questions close by that none of them answers."""

    section: str
    heading: str
    lines: list[Line] = field(default_factory=list)
    beyond: list[str] = field(default_factory=list)

    @property
    def topic(self) -> str:
        """The first way to say the heading: paragraphs that share it tell of the same thing in other words."""
        said = self.heading.strip("<>").split("|")[0]
        return self.lines[0].sentence if "{" in said else said

    @property
    def named(self) -> bool:
        """Whether it tells of somebody or something that has a name."""
        return any("{S}" in text for line in self.lines for text in (line.sentence, *line.questions))


@cache
def paragraphs() -> dict[str, tuple[Paragraph, ...]]:
    """The paragraphs of all files by section.

    `# heading` begins one, `? a ; b` asks for the line before, `+ a` for it and the one before it, `! a` for neither.
    """
    found: dict[str, list[Paragraph]] = {}
    for file in FILES:
        for section, lines in sections(file).items():
            found.setdefault(section, []).extend(read(section, lines))
    return {section: tuple(made) for section, made in found.items()}


def read(section: str, lines: Iterable[str]) -> list[Paragraph]:
    """The paragraphs of one section."""
    made: list[Paragraph] = []
    for text in lines:
        mark, rest = text[:2], text[2:].split(" ; ")
        if mark == "# ":
            made.append(Paragraph(section, text[2:]))
        elif mark == "? ":
            made[-1].lines[-1].questions += rest
        elif mark == "+ ":
            made[-1].lines[-1].both += rest
        elif mark == "! ":
            made[-1].beyond += rest
        else:
            made[-1].lines.append(Line(text))
    return made


class Filling:
    """What stands in the slots of one paragraph: the same word wherever the same slot comes."""

    def __init__(self, rng: Random, alike: Random) -> None:
        self.rng, self.alike = rng, alike
        self.values: dict[str, str] = {}

    def value(self, slot: str) -> str:
        if slot not in self.values:
            name = slot.rstrip("23456789")
            rng = self.rng if name in FIGURES else self.alike
            self.values[slot] = few(rng) if name == "few" else w.MAKERS[name](rng)
        return self.values[slot]

    def full(self, text: str) -> str:
        said = re.sub(r"\{(\w+)\}", lambda m: self.value(m[1]), text)
        return capital(re.sub(r"\b(\w+)(?= %)", lambda m: DIGITS.get(m[1], m[1]), said) if " %" in said else said)


def few(rng: Random) -> str:
    """A small number, spelled out or in digits."""
    number = rng.randint(2, 10)
    return NUMBERS[number] if rng.random() < 0.55 else str(number)


def bold(rng: Random, filling: Filling, sentence: str) -> str:
    """The sentence with one of its values marked, mostly in bold, as documents mark what matters."""
    said = [v for slot, v in filling.values.items() if slot != "S" and len(v) > 1 and sentence.count(v) == 1]
    if not said:
        return sentence
    value = rng.choice(said)
    mark = rng.choice(("**{}**", "**{}**", "**{}**", "**{}**", "*{}*", "[{}](notes.md)"))
    start = sentence.index(value)
    end = start + len(value)
    start -= sentence[start - 1 : start] == "$"
    end += 2 * sentence.startswith(" %", end)
    if sentence[start - 1 : start].isalnum() or sentence[end : end + 1].isalnum():
        return sentence
    return sentence[:start] + mark.format(sentence[start:end]) + sentence[end:]


def asked(rng: Random, filling: Filling, question: str, site: str) -> str:
    """The question filled in; for one site or year of several it is named."""
    text = filling.full(reworded(rng, expand(rng, question), 0.3))
    if not site:
        return text
    low = text[0].lower() + text[1:] if text[1:2].islower() and text[0] != "I" else text
    ways = (
        f"{text.rstrip('?.')} in {site}?",
        f"{site}: {low}",
        f"{text.rstrip('?.')}, in {site}?",
        f"In {site}, {low}",
    )
    return text.rstrip("?.") + f" in {site}?" if "?" not in text else rng.choice(ways)


def doubted(rng: Random, alike: Random, line: Line, name: str, filling: Filling) -> str:
    """Whether it is true what the sentence says, or that with other figures; the sentence answers both."""
    said = filling
    if rng.random() < 0.5:
        said = Filling(rng, alike)
        said.values["S"] = name
    text = said.full(expand(rng, line.sentence)).rstrip(".")
    low = text if line.sentence.startswith("{") else text[0].lower() + text[1:]
    return rng.choice(("Is it true that {}?", "Is it right that {}?", "I heard that {}, is that so?")).format(low)


def told(rng: Random, alike: Random, paragraph: Paragraph, name: str, site: str) -> tuple[Sheet, list[str]]:
    """The paragraph as a passage, and the questions that it leaves open; at times one of its sentences is lost."""
    filling = Filling(rng, alike)
    filling.values["S"] = name
    lost = rng.randrange(len(paragraph.lines)) if len(paragraph.lines) > 2 and rng.random() < 0.3 else -1
    open_ = [asked(rng, filling, q, site) for q in paragraph.beyond]
    said: list[str] = []
    answers: list[tuple[str, str]] = []
    for i, line in enumerate(paragraph.lines):
        sentence = filling.full(reworded(alike, expand(alike, line.sentence), 0.12))
        if i == lost:
            open_ += [asked(rng, filling, q, site) for q in line.questions]
            continue
        if alike.random() < 0.2:
            sentence = bold(alike, filling, sentence)
        answers += [(asked(rng, filling, q, site), sentence) for q in line.questions]
        if rng.random() < 0.12 and ("{S}" in line.sentence or not name + site):
            answers.append((doubted(rng, alike, line, name, filling), sentence))
        if said and i != lost + 1:
            answers += [(asked(rng, filling, q, site), f"{said[-1]} {sentence}") for q in line.both]
        said.append(sentence)
    top = expand(alike, dict(x.split(" : ") for x in sections("passages")["crumbs"])[paragraph.section])
    crumbs = filling.full(top + expand(alike, paragraph.heading)) + (f" > {site}" if site else "")
    return Sheet(name or site, crumbs, laid_out(alike, said), tuple(answers)), open_


def laid_out(rng: Random, said: list[str]) -> str:
    """The sentences as one paragraph or two, or as a list; other sentences before or after them at times."""
    roll, cut = rng.random(), rng.randint(1, max(1, len(said) - 1))
    if roll < 0.1:
        return "\n".join(f"- {s}" for s in said)
    blocks = [" ".join(said)] if roll < 0.75 else [" ".join(said[:cut]), " ".join(said[cut:])]
    if rng.random() < 0.08:
        blocks.insert(rng.randint(0, len(blocks)), aside(rng))
    return "\n\n".join(b for b in blocks if b)


Names = list[tuple[str, str]]


def names(rng: Random, paragraph: Paragraph) -> Names:
    """Subjects and sites for near-identical passages made from one paragraph."""
    count = rng.choice((1, 1, 2, 3, 4))
    if not paragraph.named:
        sites = [w.place(rng) for _ in range(count)] if paragraph.section in SITED and rng.random() < 0.25 else [""]
        return [("", site) for site in dict.fromkeys(sites)]
    kind = SUBJECTS.get(paragraph.section, "company")
    found = [subject(rng, kind)]
    while len(found) < count:
        name = sibling(rng, kind, found[-1])
        if not any(name in f or f in name for f in found):
            found.append(name)
    return [(name, "") for name in found]


def shelf(rng: Random, company: bool = False) -> tuple[list[Sheet], list[str]]:
    """Passages of one kind of document, at times with one of another, and questions that they leave open.

    What a company's own documents would not tell is left out where they are searched.
    """
    every = {name: found for name, found in paragraphs().items() if name in COMPANY or not company}
    section, other = rng.choices(tuple(every), [len(p) for p in every.values()], k=2)
    own = list({p.topic: p for p in rng.sample(every[section], min(len(every[section]), 6))}.values())
    hidden = own.pop() if len(own) > 2 else None  # A topic that no passage has.
    chosen = own[: rng.choice((1, 2, 2, 3, 4, 5))]
    together = section in SHARED and all(p.named for p in chosen) and rng.random() < 0.5
    sheets, open_ = filled(rng, chosen, names(rng, chosen[0]) if together else None)
    if other != section and rng.random() < 0.4:
        stranger = rng.choice(every[other])
        sheet, _ = told(rng, rng, stranger, *names(rng, stranger)[0])
        sheets.append(Sheet(sheet.subject, sheet.heading, sheet.text, ()))
    if hidden and rng.random() < 0.3:
        sheet, _ = told(rng, rng, hidden, *names(rng, hidden)[0])
        open_ += [q for q, _ in sheet.answers][:2]
    rng.shuffle(sheets)
    return sheets[:8], open_


def filled(rng: Random, chosen: list[Paragraph], shared: Names | None) -> tuple[list[Sheet], list[str]]:
    """The paragraphs for a subject each, or all of them for the same subjects, as many as there is room for."""
    sheets: list[Sheet] = []
    open_: list[str] = []
    room = rng.choice(ROOM)
    for paragraph in chosen:
        seed = rng.random()
        for name, site in shared or names(rng, paragraph):
            sheet, beyond = told(rng, Random(seed), paragraph, name, site)
            if room > len(sheet.text) or not sheets:
                sheets.append(sheet)
                # What one section leaves open another on the same subject may tell.
                open_ += [] if shared else beyond
            else:
                open_ += [q for q, _ in sheet.answers]
            room -= len(sheet.text)
        open_ += [] if shared else absent(rng, Random(seed), paragraph, sheets)
    return sheets, open_


def absent(rng: Random, alike: Random, paragraph: Paragraph, sheets: list[Sheet]) -> list[str]:
    """What the paragraph would be asked of one more of its kind, of whom nothing is told."""
    if not paragraph.named or rng.random() < 0.4:
        return []
    name = sibling(rng, SUBJECTS.get(paragraph.section, "company"), sheets[-1].subject)
    if any(name in s.text + s.heading or s.subject in name for s in sheets if s.subject):
        return []
    sheet, _ = told(rng, alike, paragraph, name, "")
    return [q for q in rng.sample([q for q, _ in sheet.answers], min(3, len(sheet.answers))) if name in q]


__all__ = ["paragraphs", "shelf"]
