"""The steps to a brochure, each yielding the dossier whenever it has changed. They are given a backend and a visit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from core.brochure.choose import OFFERED, Picked, answered, by_words, kept, offered, schema
from core.brochure.dossier import Dossier, Row
from core.brochure.prompts import choosing, origin, repairing, translating, writing
from core.brochure.wish import Wish
from core.chat import converse
from core.errors import BadSetting, PageUnread
from core.llm import Backend, Conversation, Done, Event, Progress, Sampling, TextDelta, Thinking, Waiting
from core.material import is_small
from core.web import Link, Page, Visit, fetch, fetch_all, target

_OFFERED_SMALL = 25  # links that fit into a small window together with an answer
_LONGEST_SMALL = 700  # tokens: a small model that has lost its thread would go on to the end of its window

Steps = AsyncGenerator[Dossier]


async def choose(dossier: Dossier, backend: Backend, model: str, visit: Visit) -> Steps:
    """Read the front page and let the model pick links. Raises AddressRefused, PageUnread and the backend's errors."""
    if not dossier.company.strip():
        raise BadSetting("Whose brochure is it? Write the company's name.")
    front_url = target(dossier.url, visit.wire.allowed).url
    yield (dossier := replace(dossier, step=f"Reading {front_url}"))
    front = await _front(front_url, visit)
    can = await backend.capabilities(model)
    links = offered(front, _OFFERED_SMALL if is_small(can) else OFFERED)
    notes = (front.note,) if front.note else ()
    dossier = replace(dossier, front=front, offered=links, rows=(_row_of(front),), notes=notes, pages=(front,))
    if not links:
        yield replace(dossier, step="The front page links to no other page of its site.")
        return
    yield (dossier := replace(dossier, step=f"Choosing among {len(links)} links"))
    here, told = "/".join(front.final_url.split("/")[:3]), origin(front.final_url, can)
    named = [replace(link, url=link.url.replace(here, told, 1)) for link in links]
    asked = choosing(named, front, dossier.company, can)
    async with aclosing(_picking(dossier, backend, model, asked, named)) as steps:
        async for dossier in steps:
            picked = tuple(replace(link, url=link.url.replace(told, here, 1)) for link in dossier.picked)
            yield replace(dossier, picked=picked)


async def _front(url: str, visit: Visit) -> Page:
    """The front page, in a thread that ends when its reader leaves."""
    try:
        return await asyncio.to_thread(fetch, url, visit)
    except asyncio.CancelledError:
        visit.wire.stop.set()
        raise


async def _picking(
    dossier: Dossier, backend: Backend, model: str, asked: Conversation, links: Sequence[Link]
) -> Steps:  # fmt: skip
    """The dossier with the model's choice. An answer that cannot be read is sent back once."""
    problem = ""
    for _ in range(2):
        reply = ""
        async with aclosing(_said(backend, model, asked, schema(links), Sampling(temperature=0))) as events:
            async for event in events:
                reply += event.text if isinstance(event, TextDelta) else ""
                if step := _waiting(event):
                    yield replace(dossier, step=step)
        try:
            picked, invented = kept(answered(reply), links)
        except ValueError as error:
            problem = str(error)
            asked = repairing(asked, reply, problem)
            yield replace(dossier, step="The answer was no list of links: asking once more")
            continue
        yield replace(dossier, picked=picked, invented=invented, step=_picked_step(picked))
        return
    note = f"The model gave no list of links ({problem}). These were chosen by the words on them."
    picked = by_words(links)
    yield replace(dossier, picked=picked, notes=(*dossier.notes, note), step=_picked_step(picked))


def _picked_step(picked: Sequence[Picked]) -> str:
    return f"{len(picked)} of the links chosen" if picked else "None of the links was chosen"


async def read(dossier: Dossier, visit: Visit) -> Steps:
    """Read the picked pages side by side. A page that cannot be read is a row that says why, and no more."""
    if dossier.front is None:
        raise BadSetting("Read the front page first.")
    rows = {link.url: Row(link.url, link.text, link.kind) for link in dossier.picked}
    first, front = dossier.front, _row_of(dossier.front)
    dossier = replace(dossier, pages=(first,), step=f"Reading {len(rows)} more pages" if rows else "")
    yield replace(dossier, rows=(front, *rows.values()))
    found: dict[str, Page] = {}
    async with aclosing(fetch_all(list(rows), visit)) as outcomes:
        async for url, outcome in outcomes:
            rows[url] = _outcome(rows[url], outcome)
            if isinstance(outcome, Page) and not outcome.note:
                found[url] = outcome
            pages = _distinct([first, *(found[url] for url in rows if url in found)])
            yield replace(dossier, rows=(front, *rows.values()), pages=pages)


def _row_of(page: Page) -> Row:
    return _outcome(Row(page.final_url, page.title, "front page"), page)


def _outcome(row: Row, outcome: Page | PageUnread) -> Row:
    if isinstance(outcome, PageUnread):
        return replace(row, state="failed", note=str(outcome))
    return replace(
        row, state="failed" if outcome.note else "read", note=outcome.note, text=row.text or outcome.title,
        seconds=outcome.seconds, bytes=outcome.bytes,
    )  # fmt: skip


def _distinct(pages: Sequence[Page]) -> tuple[Page, ...]:
    """Pages that led to different addresses."""
    return tuple({page.final_url: page for page in reversed(pages)}.values())[::-1]


async def write(dossier: Dossier, backend: Backend, model: str, wish: Wish) -> Steps:
    """Write the brochure from the pages that were read."""
    can = await backend.capabilities(model)
    if not any(page.text for page in dossier.pages):
        raise PageUnread("None of the pages has a text to make a brochure from.")
    notes: tuple[str, ...] = (dossier.front.note,) if dossier.front and dossier.front.note else ()
    if is_small(can):
        notes += (
            f"This model reads {can.context_window:,} tokens at a time: it makes a plain brochure of sentences that "
            "stand on the pages. For a tone, an audience, a length or another language choose a larger one.",
        )
    start = replace(
        dossier, wish=wish, notes=notes, text="", whole=False, verbatim=is_small(can), done=None,
        step="Writing the brochure",
    )  # fmt: skip
    asked = writing(dossier.company, dossier.pages, wish, can)
    # A small model is asked for sentences of the pages, so it has nothing to vary.
    sampling = Sampling(max_tokens=_LONGEST_SMALL, temperature=0) if is_small(can) else Sampling()
    async with aclosing(_written(start, backend, model, asked, sampling)) as steps:
        async for step in steps:
            yield step


async def translate(dossier: Dossier, backend: Backend, model: str, language: str) -> Steps:
    """The same brochure in another language, held against the same pages; the site is not read again."""
    if not dossier.whole or not dossier.text:
        raise BadSetting("There is no finished brochure to translate yet.")
    wish = replace(dossier.wish, language=language)
    if is_small(await backend.capabilities(model)):
        raise BadSetting("This model is too small to translate a brochure. Choose a larger one.")
    start = replace(dossier, wish=wish, text="", whole=False, done=None, step=f"Translating into {language}")
    async with aclosing(_written(start, backend, model, translating(dossier.text, language), Sampling())) as steps:
        async for step in steps:
            yield step


async def _written(
    dossier: Dossier, backend: Backend, model: str, asked: Conversation, sampling: Sampling
) -> Steps:  # fmt: skip
    writing = dossier.step
    yield dossier
    async with aclosing(_said(backend, model, asked, None, sampling)) as events:
        async for event in events:
            match event:
                case TextDelta(text):
                    dossier = replace(dossier, text=dossier.text + text, step=writing)
                case Done(stop=stop):
                    notes = dossier.notes + _why_ended(stop)
                    dossier = replace(dossier, whole=True, done=event, notes=notes, step="")
                case _:
                    dossier = replace(dossier, step=_waiting(event) or writing)
            yield dossier


def _why_ended(stop: str) -> tuple[str, ...]:
    if stop == "length":
        return ("The brochure is incomplete: the model reached the longest length that it may write.",)
    if stop == "refusal":
        return ("The model declined to write this brochure. Choose another model.",)
    return ()


def _said(
    backend: Backend, model: str, asked: Conversation, form: Mapping[str, Any] | None, sampling: Sampling
) -> AsyncGenerator[Event]:
    """The model's answer to a whole conversation, its system message included. It gets no tools, ever."""
    system = asked[0].text if asked[0].role == "system" else ""
    return converse(backend, model, asked[1:] if system else asked, system=system, sampling=sampling, schema=form)


def _waiting(event: Event) -> str:
    match event:
        case Waiting(seconds, reason):
            return f"{reason}: trying again in {seconds} s"
        case Progress(text, fraction):
            return text if fraction is None else f"{text} ({fraction:.0%})"
        case Thinking():
            return "The model is thinking"
    return ""
