"""Searching the documents that come with the app: passages with their numbers, short enough for a small model."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from core.errors import AppError, ToolError
from core.tools import tool

if TYPE_CHECKING:
    from core.rag.index import Index

_WAIT = 6  # seconds for an index that is being opened, less than a tool may take
_PASSAGES = 3
_ROOM = 900  # tokens of passages: the built-in model reads 4,096, tools and conversation among them


@tool
def search_knowledge_base(
    query: Annotated[str, Field(description="A question about the company, in full")],
) -> str:
    """Search the company's own documents: products, prices, contracts, people, policies. Cite passages like [1].

    It searches knowledge-base/, the documents of an invented company, Marrowfen.
    """
    from core.rag.answer import is_relevant
    from core.rag.prompts import UNKNOWN, fitting, numbered
    from core.rag.search import Search, search
    from core.rag.shipped import shipped

    if not query.strip():
        raise ToolError("The query is empty. Say what to search for.")
    found = search(_ready(shipped()).lookup(), query, Search(k=_PASSAGES, widen=False))
    if not is_relevant(found):
        return UNKNOWN
    given, _ = fitting(found.hits, _ROOM)
    return numbered(given)


def _ready(opening: Future[Index]) -> Index:
    try:
        return opening.result(_WAIT)
    except TimeoutError as error:
        raise ToolError("The knowledge base is being read for the first time. Try again in a minute.") from error
    except AppError as error:
        raise ToolError(f"The knowledge base cannot be searched. {error}") from error
