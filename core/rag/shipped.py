"""The index of the documents that come with the app: opened once, in the background, and shared by all who ask."""

from __future__ import annotations

from concurrent.futures import Future
from functools import cache
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.rag.index import Index

FOLDER = Path(__file__).parents[2] / "knowledge-base"


def shipped() -> Future[Index]:
    """The index, ready to be searched, or on its way: seconds, or minutes when it has to be made.

    Where it failed, it begins anew.
    """
    opening = _opening()
    if opening.done() and opening.exception() is not None:
        _opening.cache_clear()
        opening = _opening()
    return opening


@cache
def _opening() -> Future[Index]:
    opening: Future[Index] = Future()
    Thread(target=_open, args=(opening,), name="knowledge base", daemon=True).start()
    return opening


def _open(opening: Future[Index]) -> None:
    from core.rag import open_index

    try:
        index = open_index(FOLDER)
        index.lookup()
    except BaseException as error:
        # Whoever waits must hear of it: an exception in a thread is nobody's otherwise.
        opening.set_exception(error)
    else:
        opening.set_result(index)
