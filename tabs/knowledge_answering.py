"""A question to the documents, from what a page or a client has chosen to the answer as it comes. Knows no widget."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from backends import find
from core.errors import AppError, BadSetting
from core.llm import Backend, Conversation, Message
from core.rag.answer import Answer, ask
from core.rag.index import Index
from core.rag.nearness import Nearness, nearness
from core.rag.passages import Hit
from core.rag.rewrite import Rewritten
from core.rag.search import Found, Search, search
from tabs.knowledge_bases import ready
from tabs.knowledge_view import Talk
from tabs.parts import told

_DEFAULTS = Search()


def wished(
    k: float | None, mode: str | None, weight: float | None, budget: float | None, doc_types: list[str] | None = None,
    sources: list[str] | None = None,
) -> Search:  # fmt: skip
    """The search that the widgets say. Raises BadSetting."""
    return Search(
        k=_whole("k", k, _DEFAULTS.k),
        mode=mode or _DEFAULTS.mode,  # type: ignore[arg-type]
        weight=_DEFAULTS.weight if weight is None else weight,
        budget=_whole("The budget", budget, _DEFAULTS.budget),
        doc_types=tuple(doc_types or ()),
        sources=tuple(sources or ()),
    )


def _whole(name: str, value: float | None, default: int) -> int:
    if value is None:
        return default
    if isinstance(value, bool) or value != value or int(value) != value:
        raise BadSetting(f"{name} must be a whole number.")
    return int(value)


def said_before(talk: Talk) -> Conversation:
    """The conversation as `ask` takes it: questions as they were understood, so that a row of follow-ups holds on."""
    pairs = [
        (Message("user", answer.rewritten.question), Message("assistant", answer.text))
        for answer in talk
        if answer.text
    ]
    return tuple(message for pair in pairs for message in pair)


async def answers(
    question: str, history: Conversation, base: str, choice: str, alone: bool, wish: Search
) -> AsyncGenerator[Answer]:
    """The answer as it comes. A model that cannot be used is told of, and quotes take its place. Raises AppError."""
    backend, model, problem = _asked(choice, alone)
    there: Index | str = ""
    async with aclosing(ready(base)) as steps:
        async for there in steps:
            if isinstance(there, str):
                yield Answer(question, Rewritten(question), there)
    if isinstance(there, str):
        return

    def looked(query: str, index: Index = there) -> Found:
        return search(index.lookup(), query, wish)

    def near(query: str, hits: Sequence[Hit], index: Index = there) -> Nearness | None:
        return nearness(index.lookup(), query, hits)

    async with aclosing(ask(question, history, backend, model, looked, near=near)) as drawn:
        async for answer in drawn:
            yield replace(answer, error=answer.error or problem)


def _asked(choice: str, alone: bool) -> tuple[Backend | None, str, str]:
    """Who answers, and why nobody does."""
    if alone:
        return None, "", ""
    try:
        return *find(choice), ""
    except AppError as error:
        return None, "", told(error)
