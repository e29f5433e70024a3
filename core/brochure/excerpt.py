"""Cutting pages to what a model can read: by what a brochure needs, not by what comes first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from core.material import tokens
from core.web import Page


@dataclass(frozen=True, slots=True)
class _Paragraph:
    page: int
    place: int
    text: str
    worth: float


def excerpts(pages: Sequence[Page], company: str, budget: int) -> list[str]:
    """The text of each page, together at most about `budget` tokens; "[…]" stands where something was left out.

    What stands on several pages (navigation, footers) is kept once. Every page may fill its share of the budget with
    its own best paragraphs; what one leaves over goes to the others.
    """
    paragraphs = _paragraphs(pages, company)
    taken: set[tuple[int, int]] = set()
    left, shares = budget, [budget // max(1, len(pages))] * len(pages)
    ranked = sorted(paragraphs, key=lambda paragraph: -paragraph.worth)
    for within_share in (True, False):
        for paragraph in ranked:
            cost, key = tokens(paragraph.text) + 1, (paragraph.page, paragraph.place)
            if key in taken or cost > left or (within_share and cost > shares[paragraph.page]):
                continue
            taken.add(key)
            left -= cost
            shares[paragraph.page] -= cost
    return [_joined([p for p in paragraphs if p.page == number], taken) for number in range(len(pages))]


def _joined(paragraphs: list[_Paragraph], taken: set[tuple[int, int]]) -> str:
    lines: list[str] = []
    for paragraph in paragraphs:
        if (paragraph.page, paragraph.place) in taken:
            lines.append(paragraph.text)
        elif not lines or lines[-1] != "[…]":
            lines.append("[…]")
    return "\n".join(lines)


def _paragraphs(pages: Sequence[Page], company: str) -> list[_Paragraph]:
    seen: set[str] = set()
    found = []
    texts = [[line.strip() for line in page.text.split("\n") if line.strip()] for page in pages]
    spread = Counter(line for lines in texts for line in set(lines))
    for number, lines in enumerate(texts):
        linked = {word for link in pages[number].links for word in link.text.lower().split()}
        for place, line in enumerate(lines):
            everywhere = len(pages) > 2 and spread[line] == len(pages) and len(line) < 80
            if line in seen or everywhere or _is_menu(line, linked):
                continue
            seen.add(line)
            for part, piece in enumerate(_pieces(line)):
                worth = _worth(piece, company, place)
                found.append(_Paragraph(number, place * 1000 + part, piece, worth))
    return found


def _is_menu(line: str, linked: set[str]) -> bool:
    """Whether a line is but a row of the page's own links."""
    words = line.lower().split()
    return len(words) > 3 and line[-1:] not in ".!?" and sum(word in linked for word in words) > 0.7 * len(words)


def _pieces(line: str) -> list[str]:
    """A paragraph, or a very long one in parts of some sentences each, so that half of it can be kept."""
    if len(line) <= 700:
        return [line]
    pieces: list[str] = []
    for sentence in re.split(r"(?<=[.!?。])\s+", line):
        for start in range(0, len(sentence), 700):
            part = sentence[start : start + 700]
            if pieces and len(pieces[-1]) + len(part) < 500:
                pieces[-1] += f" {part}"
            else:
                pieces.append(part)
    return pieces[:999]


_NOISE = re.compile(
    r"cookie|privacy|newsletter|subscribe|all rights reserved|©|log ?in|sign ?(in|up)|skip to|back to top|terms of|"
    r"read more|learn more|follow us|accept all|datenschutz|impressum",
    re.IGNORECASE,
)
_FACTS = re.compile(
    r"\d|founded|since|customers?|clients?|employees|people|team|offices?|mission|products?|services?|award|"
    r"based in|headquarter|we (make|build|offer|help|serve|provide|design)|join|hiring|contact",
    re.IGNORECASE,
)


def _worth(text: str, company: str, place: int) -> float:
    """How much a paragraph says: facts, the company's name, whole sentences, and a little for standing early."""
    facts = min(4, len(_FACTS.findall(text)))
    named = 2 if company and company.lower() in text.lower() else 0
    sentence = 2 if len(text) > 60 and text[-1:] in ".!?。" else 0
    early = 2 / (1 + place / 5)
    return facts + named + sentence + early - 6 * bool(_NOISE.search(text) and len(text) < 200)
