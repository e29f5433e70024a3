"""How an answer from documents looks: its text with citations and doubts, its sources, and why it is as it is.

Links like #passage-TURN-NUMBER open a passage (knowledge_document.py). `<mark>` is a value that no passage holds,
`<u>` a doubt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from core.markdown import harmless, plain
from core.rag.answer import Answer
from core.rag.passages import Hit
from core.rag.quote import quoted
from core.rag.search import Found
from core.rag.support import Support, support
from tabs.bubbles import code

Talk = tuple[Answer, ...]
_Piece = tuple[int, int, str]  # a span of the answer, and what stands in its place

_DOUBT = " <u>⚠ not in the passages</u>"
_HOW = {"rules": "completed by rules", "model": "rewritten by the model"}
_STAGES = {"vector": "by vectors", "keyword": "by words", "fused": "after fusion", "reranked": "after reranking"}


def bubbles(talk: Talk) -> list[dict[str, Any]]:
    """The conversation as the Chatbot shows it."""
    shown = []
    for place, answer in enumerate(talk):
        shown.append({"role": "user", "content": harmless(answer.question)})
        if body := said(answer, place):
            shown.append({"role": "assistant", "content": body})
    return shown


def said(answer: Answer, place: int) -> str:
    """One answer: what it says, what it rests on, and what to know of it. `place` is that of its turn, from 0."""
    held = answer.support
    parts = [text(answer.text, held, place)]
    if answer.is_quoted:
        parts.insert(0, "These sentences of the documents fit best:")
    if answer.quotes and not answer.is_quoted:
        lines = quoted(answer.quotes)
        # A model that has found nothing need not be right.
        if answer.says_unknown:
            parts.insert(0, "The model found no answer. It says:")
        title = "The documents, where they come closest" if answer.says_unknown else "What the documents say"
        parts.append(f"**{title}**\n\n{text(lines, _only_citations(answer, lines), place)}")
    parts += [f"⚠️ {harmless(note)}" for note in (answer.error, *answer.notes) if note]
    if answer.whole:
        parts.append(_sources(answer, held, place))
    return "\n\n".join(filter(None, parts))


def _only_citations(answer: Answer, lines: str) -> Support:
    return Support(support(lines, answer.hits).citations)


# --- the text ---------------------------------------------------------------------------------------------------------

_OPEN, _CLOSE = "\ue000", "\ue001"  # of nobody's alphabet: around the number of a piece until the text is harmless


def text(answer: str, support: Support, place: int) -> str:
    """An answer as Markdown: citations are links, what no passage holds is marked, a doubt stands at its sentence."""
    answer = answer.replace(_OPEN, "�").replace(_CLOSE, "�")
    pieces = sorted([*_cited(support, place), *_unknown(answer, support), *_doubts(answer, support)])
    parts: list[str] = []
    kept: list[tuple[str, str]] = []
    end = 0
    for piece in pieces:
        if piece[0] < end:  # Two spans may overlap where one of them was read otherwise; the first one counts.
            continue
        parts += [answer[end : piece[0]], f"{_OPEN}{len(kept)}{_CLOSE}"]
        kept.append((answer[piece[0] : piece[1]], piece[2]))
        end = piece[1]
    # A link that a model has written could lead anywhere under any name: its address is shown, and an address that
    # stands in a passage can be followed all the same.
    shown = re.sub(r"\](?=[(:])", "]\u2060", harmless("".join([*parts, answer[end:]])))

    def put(match: re.Match[str]) -> str:
        original, piece = kept[int(match[1])]
        return original if _in_code(shown, match.start()) else piece

    return re.sub(f"{_OPEN}(\\d+){_CLOSE}", put, shown)


def _cited(support: Support, place: int) -> Iterator[_Piece]:
    for (start, end), marks in groupby(support.citations, key=lambda mark: (mark.start, mark.end)):
        links = [
            link(place, mark.number, str(mark.number)) if mark.found else f"<mark>&#91;{mark.number}&#93;</mark>"
            for mark in marks
        ]
        yield start, end, "".join(links)


def link(place: int, number: int, label: str) -> str:
    """A link that opens a passage; the label is its number or a text that was made plain."""
    return f"[&#91;{label}&#93;](#passage-{place}-{number})"


def _unknown(answer: str, support: Support) -> Iterator[_Piece]:
    return (
        (value.start, value.end, f"<mark>{plain(answer[value.start : value.end])}</mark>") for value in support.unknown
    )


def _doubts(answer: str, support: Support) -> Iterator[_Piece]:
    for claim in support.unsupported:
        # At the end of its words: behind the bar of a table's row it would be a column of its own.
        end = len(answer[: claim.end].rstrip(" \t\n|"))
        yield end, end, _DOUBT


def _in_code(shown: str, at: int) -> bool:
    line = shown[shown.rfind("\n", 0, at) + 1 : at]
    return line.count("`") % 2 == 1 or len(re.findall(r"^\s*```", shown[:at], re.MULTILINE)) % 2 == 1


def _sources(answer: Answer, support: Support, place: int) -> str:
    numbers = sorted({mark.number for mark in support.citations if mark.found})
    hits = answer.hits
    lines = [f"- {link(place, number, str(number))} {where(hits[number - 1])}" for number in numbers]
    return "\n".join(["**Sources**\n", *lines]) if lines else ""


def where(hit: Hit) -> str:
    """Where a passage stands: its document, heading and page."""
    passage = hit.passage
    page = f", page {passage.page}" if passage.page else ""
    return plain(" › ".join(part for part in (passage.source, passage.heading) if part) + page)


# --- why --------------------------------------------------------------------------------------------------------------


def why(talk: Talk) -> str:
    """How the last answer came about, as Markdown."""
    found = talk[-1].found if talk else None
    if found is None:
        return "Ask a question first. Then this tells how its answer was found."
    answer, place = talk[-1], len(talk) - 1
    return "\n\n".join(filter(None, [_question(answer, found), _passages(answer, place), _timings(answer)]))


def _question(answer: Answer, found: Found) -> str:
    rewritten = answer.rewritten
    lines = [f"- Asked: {plain(answer.question)}"]
    if rewritten.how != "asked":
        lines.append(f"- Searched for, {_HOW[rewritten.how]}: {plain(rewritten.question)}")
    if found.corrected:
        changes = ", ".join(f"{plain(old)} → {plain(new)}" for old, new in found.corrected)
        lines.append(f"- Words set right: {changes}")
    lines.append(f"- The passage most like the question has a cosine of {found.best:.2f}")
    return "\n".join(lines)


def _passages(answer: Answer, place: int) -> str:
    head = ["| | passage | score |", *(f" {name} |" for name in _STAGES.values())]
    lines = ["".join(head), "|---|---|---:|" + "---:|" * len(_STAGES)]
    lines += [_row(link(place, number, str(number)), hit) for number, hit in enumerate(answer.hits, start=1)]
    lines += [_row("no room", hit) for hit in answer.left_out]
    return "\n".join(lines)


def _row(mark: str, hit: Hit) -> str:
    ranks = [str(hit.ranks.get(stage, "–")) for stage in _STAGES]
    return f"| {mark} | {where(hit)} | {hit.score:.3f} | {' | '.join(ranks)} |"


def _timings(answer: Answer) -> str:
    if not answer.timings:
        return ""
    shown = " · ".join(f"{plain(stage)} {spent:,.1f}" for stage, spent in answer.timings.items())
    return f"Milliseconds: {shown}"


def prompt(talk: Talk) -> str:
    """The exact prompt of the last answer."""
    if talk and talk[-1].prompt:
        return code(talk[-1].prompt.text)
    return "No model was asked."


# --- the document -----------------------------------------------------------------------------------------------------

_AROUND = 10_000  # characters of a document before and after a passage: a browser marks no book


def marked(document: str, passage: tuple[int, int], sentence: tuple[int, int] | None) -> list[tuple[str, str | None]]:
    """A document's text in pieces, as HighlightedText takes them: what is the passage, and in it the sentence."""
    (start, end), inner = passage, sentence or (passage[0], passage[0])
    first, last = max(0, start - _AROUND), min(len(document), end + _AROUND)
    cuts: Sequence[tuple[int, int, str | None]] = (
        (first, start, None), (start, inner[0], "passage"), (inner[0], inner[1], "sentence"),
        (inner[1], end, "passage"), (end, last, None),
    )  # fmt: skip
    pieces = [(document[one:two], label) for one, two, label in cuts if one < two]
    return [*([("… ", None)] if first else []), *pieces, *([(" …", None)] if last < len(document) else [])]
