"""Work that blocks, in a thread of its own, as a stream: what it tells comes out, and closing stops it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from contextvars import copy_context
from dataclasses import dataclass
from typing import TypeVar

from core.jobs import Stopped
from core.pipelines.task import Tell
from core.zero import on_gpu

T = TypeVar("T")

_PATIENCE = 2.0  # seconds


@dataclass(frozen=True, slots=True)
class _Ended:
    error: BaseException | None = None


@on_gpu
async def told(work: Callable[[Tell[T]], None]) -> AsyncGenerator[T]:
    """What `work` tells, as it comes. Closing this makes its next telling raise Stopped.

    Raises what `work` raises.
    """
    queue: asyncio.Queue[T | _Ended] = asyncio.Queue()
    loop, stop = asyncio.get_running_loop(), threading.Event()

    def tell(item: T) -> None:
        if stop.is_set():
            raise Stopped
        loop.call_soon_threadsafe(queue.put_nowait, item)

    def run() -> None:
        ended = _Ended()
        try:
            work(tell)
        except BaseException as error:
            ended = _Ended(error)
        loop.call_soon_threadsafe(queue.put_nowait, ended)

    thread = threading.Thread(target=copy_context().run, args=(run,), name="pipeline", daemon=True)
    thread.start()
    try:
        while not isinstance(item := await queue.get(), _Ended):
            yield item
        if item.error is not None and not isinstance(item.error, Stopped):
            raise item.error
    finally:
        stop.set()
        # A model that is being read cannot be stopped; nobody need wait for that.
        await asyncio.to_thread(thread.join, _PATIENCE)
