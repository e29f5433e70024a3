"""Waiting on streams: how long a silence may last, and how often what came is looked at. Knows nothing of models."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import TypeVar

from core.errors import TimedOut
from core.settings import settings

T = TypeVar("T")


async def paced(stream: AsyncIterator[T], provider: str) -> AsyncGenerator[T]:
    """`stream`, with a limit on every wait. Raises TimedOut naming `provider`.

    The first item may take `first_token_timeout` (a model reads a long prompt, or thinks); later ones `read_timeout`.
    An SDK's own timeout cannot tell the two apart.
    """
    limit = settings().first_token_timeout
    while True:
        try:
            async with asyncio.timeout(limit):
                item = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError as silence:
            raise TimedOut(provider) from silence
        yield item
        limit = settings().read_timeout


async def ticks(stream: AsyncGenerator[T], every: float) -> AsyncGenerator[list[T]]:
    """What came from `stream` since the last tick, at most once in `every` seconds; an empty list when nothing came.

    Closing this closes `stream` at once, also while it waits for its next item: Gradio can stop a handler only where
    it yields, so a handler that ticks is stopped within one tick however silent the provider is.
    What came before an error is still yielded, then the error is raised.
    """
    queue: asyncio.Queue[T] = asyncio.Queue()
    pump = asyncio.create_task(_pump(stream, queue))
    try:
        while not pump.done():
            await asyncio.wait({pump}, timeout=every)
            yield _drain(queue)
        # While the reader was busy with its last tick, the stream may have come to its end.
        yield _drain(queue)
        pump.result()
    finally:
        pump.cancel()
        await asyncio.wait({pump})


async def _pump(stream: AsyncGenerator[T], queue: asyncio.Queue[T]) -> None:
    async with aclosing(stream):
        async for item in stream:
            queue.put_nowait(item)


def _drain(queue: asyncio.Queue[T]) -> list[T]:
    return [queue.get_nowait() for _ in range(queue.qsize())]


async def together(streams: Sequence[AsyncGenerator[T]]) -> AsyncGenerator[tuple[int, T]]:
    """What comes from several streams, as it comes, with the number of its stream. None waits for another.

    Closing this closes all of them. An error of one is raised once the others are through.
    """
    queue: asyncio.Queue[tuple[int, T] | None] = asyncio.Queue()
    tasks = [asyncio.create_task(_feed(number, stream, queue)) for number, stream in enumerate(streams)]
    try:
        running = len(tasks)
        while running:
            item = await queue.get()
            if item is None:
                running -= 1
            else:
                yield item
        for task in tasks:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _feed(number: int, stream: AsyncGenerator[T], queue: asyncio.Queue[tuple[int, T] | None]) -> None:
    try:
        async with aclosing(stream):
            async for item in stream:
                queue.put_nowait((number, item))
    finally:
        queue.put_nowait(None)
