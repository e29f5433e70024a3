"""The brochure as an API: `/links` and `/brochure`. These names are stable; a change to one is a breaking change."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import asdict
from typing import Any

from gradio.events import api

from backends import find
from core import sample_site
from core.brochure import Dossier, Wish, choose, read, write
from core.errors import AppError
from core.llm import Backend
from core.settings import settings
from core.streams import ticks
from core.web import Visit, Wire
from tabs.parts import TICK, warning

Phase = Callable[[Dossier], AsyncGenerator[Dossier]]


def endpoints() -> None:
    """Make both endpoints known to Gradio."""
    limit = settings().answers_at_once
    api(links, api_name="links", concurrency_limit=limit, concurrency_id="answers")
    api(brochure, api_name="brochure", concurrency_limit=limit, concurrency_id="answers")


async def links(url: str, choice: str = "", company: str = "the company") -> AsyncGenerator[dict[str, Any]]:
    """The links of a front page, as a model chooses them, streamed: step, links, invented ones, offered."""
    backend, model = _found(choice)
    address, allowed = sample_site.opened(url)
    visit = Visit(Wire(allowed=allowed))
    phases = [lambda dossier: choose(dossier, backend, model, visit)]
    async with aclosing(_dossiers(Dossier(company, address), phases)) as dossiers:
        async for dossier in dossiers:
            yield {
                "step": dossier.step,
                "links": [{"kind": link.kind, "text": link.text, "url": link.url} for link in dossier.picked],
                "invented": list(dossier.invented),
                "offered": len(dossier.offered),
            }


async def brochure(
    company: str, url: str, choice: str = "", tone: str = "professional", language: str = "English",
    audience: str = "prospective customers", length: str = "medium",
) -> AsyncGenerator[dict[str, Any]]:  # fmt: skip
    """A brochure, streamed: step, pages with their state, markdown, sources by section, what was removed or doubted.

    `url` is an address of the public web, or "sample" for the site that ships with the app. The last one is whole.
    """
    backend, model = _found(choice)
    try:
        wish = Wish(tone, audience, language, length)
    except AppError as error:
        raise warning(error) from error
    address, allowed = sample_site.opened(url)
    visit = Visit(Wire(allowed=allowed))
    phases = [
        lambda dossier: choose(dossier, backend, model, visit),
        lambda dossier: read(dossier, visit),
        lambda dossier: write(dossier, backend, model, wish),
    ]
    async with aclosing(_dossiers(Dossier(company, address), phases)) as dossiers:
        async for dossier in dossiers:
            yield reply(dossier)


def _found(choice: str) -> tuple[Backend, str]:
    try:
        return find(choice or settings().model)
    except AppError as error:
        raise warning(error) from error


async def _dossiers(dossier: Dossier, phases: Sequence[Phase]) -> AsyncGenerator[Dossier]:
    """The dossier after each tick that changed it. Raises what a client is shown."""
    try:
        for phase in phases:
            async with aclosing(ticks(phase(dossier), TICK)) as batches:
                async for batch in batches:
                    if batch:
                        yield (dossier := batch[-1])
    except AppError as error:
        raise warning(error) from error


def reply(dossier: Dossier) -> dict[str, Any]:
    """The dossier as `/brochure` streams it."""
    checked = dossier.brochure
    return {
        "step": dossier.step,
        "pages": [asdict(row) for row in dossier.rows],
        "markdown": checked.markdown,
        "sources": [{"heading": section.heading, "pages": list(section.pages)} for section in checked.sections],
        "removed": [*dossier.invented, *checked.removed],
        "doubtful": list(checked.doubtful),
        "notes": list(dossier.notes),
    }
