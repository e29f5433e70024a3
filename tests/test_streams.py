"""Waits are bounded, and what ticks can be stopped at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from core import streams
from core.errors import TimedOut
from core.settings import Settings
from core.streams import paced, ticks


async def numbers(*waits: float, end: BaseException | None = None) -> AsyncGenerator[int]:
    for number, wait in enumerate(waits):
        await asyncio.sleep(wait)
        yield number
    if end:
        raise end


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = Settings(first_token_timeout=0.3, read_timeout=0.05)
    monkeypatch.setattr(streams, "settings", lambda: limits)


@pytest.mark.usefixtures("impatient")
async def test_the_first_may_take_longer_than_the_others() -> None:
    assert [n async for n in paced(numbers(0.1, 0, 0), "P")] == [0, 1, 2]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("waits", [(1.0,), (0.0, 0.2)])
async def test_a_silence_ends_in_an_error_that_names_the_provider(waits: tuple[float, ...]) -> None:
    with pytest.raises(TimedOut, match="Somebody took too long"):
        async for _ in paced(numbers(*waits), "Somebody"):
            pass


async def test_ticks_gather_everything_in_order() -> None:
    batches = [batch async for batch in ticks(numbers(*[0.002] * 50), 0.02)]
    assert [n for batch in batches for n in batch] == list(range(50))
    assert len(batches) < 25


async def test_ticks_come_also_when_nothing_does() -> None:
    assert [] in [batch async for batch in ticks(numbers(0.1), 0.02)]


async def test_what_came_before_an_error_is_not_lost() -> None:
    seen: list[int] = []
    with pytest.raises(ValueError, match="broken"):
        async for batch in ticks(numbers(0, 0, end=ValueError("broken")), 10):
            seen += batch
    assert seen == [0, 1]


async def test_what_comes_while_the_reader_is_busy_is_not_lost() -> None:
    seen: list[int] = []
    async for batch in ticks(numbers(0.01, 0.05, 0.05), 0.02):
        seen += batch
        await asyncio.sleep(0.2)
    assert seen == [0, 1, 2]


async def test_closing_ends_a_silent_source_at_once() -> None:
    closed = asyncio.Event()

    async def silent() -> AsyncGenerator[int]:
        try:
            await asyncio.sleep(60)
            yield 1
        finally:
            closed.set()

    async with aclosing(ticks(silent(), 0.01)) as ticked:
        await anext(ticked)
        started = time.monotonic()
    assert closed.is_set()
    assert time.monotonic() - started < 0.1


async def test_a_cancelled_reader_ends_the_source_too() -> None:
    closed = asyncio.Event()

    async def silent() -> AsyncGenerator[int]:
        try:
            await asyncio.sleep(60)
            yield 1
        finally:
            closed.set()

    async def read() -> None:
        async with aclosing(ticks(silent(), 5)) as ticked:
            async for _ in ticked:
                pass

    reader = asyncio.create_task(read())
    await asyncio.sleep(0.05)
    reader.cancel()
    await asyncio.wait({reader}, timeout=1)
    assert closed.is_set()
