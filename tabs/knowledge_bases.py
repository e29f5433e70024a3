"""Which documents are asked: those that come with the app, or the visitor's own; and whether they can be yet."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from typing import Any

from backends import find
from core import jobs
from core.errors import BadSetting
from core.jobs import Job, Report
from core.llm import Embeds
from core.rag import shipped
from core.rag.generation import current
from core.rag.index import Index, place
from core.rag.own import home, index, making
from core.visitors import visitor
from tabs.parts import TICK

SAMPLE, OWN = "sample", "own"
CHOICES = [("The sample company", SAMPLE), ("My documents", OWN)]
EMPTY = "You have added no documents yet. Open “Documents”, and add files or a web page."


def embedding_model(choice: str) -> tuple[Embeds, str]:
    """The backend and the model of a choice. Raises BadSetting for one that makes no vectors."""
    backend, model = find(choice)
    if not isinstance(backend, Embeds):
        raise BadSetting(f"{backend.label} has no embedding models here.")
    return backend, model


def opened(base: str) -> Index | str:
    """The index, or a sentence about what it waits for. It may block for a second. Raises AppError."""
    if base == SAMPLE:
        return _sample()
    if base != OWN:
        raise BadSetting(f"The documents must be {SAMPLE} or {OWN}.")
    own = home(visitor().owner)
    if current(own / "index") is None:
        raise BadSetting(EMPTY)
    return index(own, making(own), embedding_model)


async def ready(base: str) -> AsyncGenerator[Index | str]:
    """Sentences about what is waited for, and at last the index. Raises AppError."""
    while isinstance(found := await asyncio.to_thread(opened, base), str):
        yield found
        await asyncio.sleep(TICK * 4)
    yield found


# --- the documents that come with the app -----------------------------------------------------------------------------


class _Making:
    """The job that makes the sample's index where it has never been made: one for all visitors."""

    guard = threading.Lock()
    id = ""


def prepare() -> None:
    """Open the sample's index, or have it made in a job. It does not wait. Raises AppError."""
    if current(place(shipped.FOLDER)) is not None:
        shipped.shipped()
        return
    with _Making.guard:
        if _job() is None:
            _Making.id = jobs.start("index", "Reading the sample documents", _make).id


def _job() -> Job | None:
    """The job, while it runs."""
    try:
        job = jobs.get(_Making.id)
    except BadSetting:
        return None
    if job.state == "running":
        return job
    _Making.id = ""
    if job.state == "failed":
        raise BadSetting(f"The sample documents could not be read. {job.error}")
    return None


def _make(report: Report) -> Any:
    passages = len(shipped.opened(report).corpus().passages)
    report(1.0, f"{passages:,} passages")
    return {"passages": passages}


def _sample() -> Index | str:
    if (job := _job()) is not None:
        share = f" ({job.fraction:.0%})" if job.fraction else ""
        return f"The sample documents are being read for the first time: {job.text or 'it begins'}{share}"
    if current(place(shipped.FOLDER)) is None:
        prepare()
        return "The sample documents are being read for the first time."
    opening = shipped.shipped()
    return opening.result() if opening.done() else "The sample documents are being opened."
