"""Stands in for the package `spaces` on a ZeroGPU Space: a generator function runs in a forked process.

As in spaces 0.51: one process for each function, kept for the next call; arguments and items are pickled, an error
comes back as a text, and closing the generator stops the work at its next item.
"""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Callable, Iterator
from typing import Any

_FORK = multiprocessing.get_context("fork")


def GPU(task: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:  # noqa: N802  (the package's own name)
    """The decorator."""
    kept: list[Any] = []

    def called(*given: Any, **named: Any) -> Iterator[Any]:
        if not kept:
            ours, theirs = _FORK.Pipe()
            stop = _FORK.Event()
            _FORK.Process(target=_serve, args=(task, theirs, stop), daemon=True).start()
            kept.append((ours, stop))
        pipe, stop = kept[0]
        stop.clear()
        pipe.send(pickle.dumps((given, named)))
        try:
            while (kind_and_item := pipe.recv())[0] == "item":
                yield pickle.loads(kind_and_item[1])
        except GeneratorExit:
            stop.set()
            while pipe.recv()[0] == "item":
                pass
            raise
        if kind_and_item[0] == "error":
            raise RuntimeError(kind_and_item[1])

    return called


def _serve(task: Callable[..., Iterator[Any]], pipe: Any, stop: Any) -> None:
    while True:
        given, named = pickle.loads(pipe.recv())
        try:
            items = task(*given, **named)
            for item in items:
                if stop.is_set():
                    items.close()  # type: ignore[attr-defined]
                    break
                pipe.send(("item", pickle.dumps(item)))
            pipe.send(("end", None))
        except Exception as error:
            pipe.send(("error", type(error).__name__))
