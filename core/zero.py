"""Work on a GPU that is lent for one call at a time, as Hugging Face's ZeroGPU does. Elsewhere work stays where it is.

The decorator of the package `spaces` (0.51 read) runs a generator function in a forked process, the only one in which
the GPU is there, and hands its arguments and items over pickled; an error comes back without its class, so an AppError
goes as an item. The whole work goes there, with the reading of the model: what this process reads after its start is
not on that GPU. No Space of this kind was at hand: tests/test_zero.py stands in for its processes.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial, wraps
from typing import ParamSpec, TypeVar, cast

from core.errors import AppError

P = ParamSpec("P")
T = TypeVar("T")

LENT = os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")
_END = object()
_here = not LENT  # Whether this process may use a GPU.


def may_use_gpu() -> bool:
    """Whether this process may use a GPU: where one is lent, torch tells every process that there is one."""
    return _here


def on_gpu(work: Callable[P, AsyncGenerator[T]]) -> Callable[P, AsyncGenerator[T]]:
    """`work`, done where the GPU is. What it is given and gives must then be picklable, and it must be of a module.

    It raises AppError only, which arrives as one of that very class.
    """
    if not LENT:
        return work
    import spaces  # Before torch, which it has every process believe in a GPU with.

    lent = cast("Callable[P, Generator[T | AppError]]", spaces.GPU(_inside(work)))

    @wraps(work)
    async def handed(*given: P.args, **named: P.kwargs) -> AsyncGenerator[T]:
        items = lent(*given, **named)
        # One thread: what is still waited for when the work is no longer wanted ends before it is closed.
        with ThreadPoolExecutor(1) as thread:
            loop = asyncio.get_running_loop()
            try:
                # In this context, by which the package knows who asks.
                while (
                    item := await loop.run_in_executor(thread, copy_context().run, partial(next, items, _END))
                ) is not _END:
                    if isinstance(item, AppError):
                        raise item
                    yield item
            finally:
                await loop.run_in_executor(thread, items.close)

    return handed


def _inside(work: Callable[P, AsyncGenerator[T]]) -> Callable[P, Generator[T | AppError]]:
    """`work` as a plain generator function, for the process that has the GPU."""

    @wraps(work)
    def stepping(*given: P.args, **named: P.kwargs) -> Generator[T | AppError]:
        global _here
        _here = True
        with asyncio.Runner() as runner:
            steps = work(*given, **named)
            try:
                while (item := runner.run(_next(steps))) is not _END:
                    yield cast("T", item)
            except AppError as error:
                yield AppError(str(error))
            finally:
                runner.run(steps.aclose())

    return stepping


async def _next(steps: AsyncGenerator[T]) -> T | object:
    return await anext(steps, _END)
