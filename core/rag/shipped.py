"""The index of the documents that come with the app: opened once, by whoever asks first, and shared by all."""

from __future__ import annotations

import threading
from concurrent.futures import Future, wait
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import BadSetting
from core.rag.passages import Report, quiet

if TYPE_CHECKING:
    from core.rag.index import Index

FOLDER = Path(__file__).parents[2] / "knowledge-base"

_TICK = 0.2  # seconds between two looks at whether it is there


class _Opening:
    """The index, or where it is being opened."""

    guard = threading.Lock()
    future: Future[Index] | None = None


def shipped() -> Future[Index]:
    """The index, ready to be searched, or on its way in the background: seconds, or minutes when it has to be made.

    Where it failed, it begins anew.
    """
    opening, is_new = _claimed()
    if is_new:
        threading.Thread(target=_behind, args=(opening,), name="knowledge base", daemon=True).start()
    return opening


def opened(report: Report) -> Index:
    """The same, opened here if nobody has begun: `report` is told how far it is, and stops it by raising.

    Where somebody else is at it, it is waited for. Raises AppError.
    """
    opening, is_new = _claimed()
    if is_new:
        _open(opening, report)
    while not wait([opening], _TICK).done:
        report(None, "Being read")
    return opening.result()


def _claimed() -> tuple[Future[Index], bool]:
    """What is to be waited for, and whether it is the caller who has to bring it."""
    with _Opening.guard:
        known = _Opening.future
        if known is not None and not (known.done() and known.exception() is not None):
            return known, False
        _Opening.future = Future()
        return _Opening.future, True


def _behind(opening: Future[Index]) -> None:
    # Whoever waits is told of what goes wrong; there is nobody else to tell here.
    with suppress(Exception):
        _open(opening, quiet)


def _open(opening: Future[Index], report: Report) -> None:
    from core.rag import open_index

    try:
        index = open_index(FOLDER, report=report)
        index.lookup(report)
    except BaseException as error:
        # Others may wait for it, and a Stop of this work is none of theirs.
        stopped = BadSetting("Reading the documents was stopped. Open the Knowledge tab again to begin anew.")
        opening.set_exception(error if isinstance(error, Exception) else stopped)
        raise
    opening.set_result(index)
