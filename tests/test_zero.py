"""Work on a GPU that is lent for a call at a time: in another process, streamed, stopped, with its errors in words.

There is no such Space here: tests/lent/spaces.py stands in for the processes that Hugging Face's package makes.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

BEGIN = """
import asyncio, os, sys
from contextlib import aclosing
from functools import partial
from backends import _local
from backends.local import Local
from backends._local import load
from core.errors import AppError
from core.llm import Done, Message, Progress, TextDelta
from core.pipelines import kept
from core.pipelines.sentiment import sentiment
from core.pipelines.worker import told
from core.tools import tools

async def said(text, stop_after=None):
    found = ""
    offered = tuple(tools().values())
    async with aclosing(Local().stream("starter", (Message("user", text),), offered)) as events:
        async for event in events:
            found += event.text if isinstance(event, TextDelta) else ""
            if stop_after is not None and len(found) > stop_after:
                return found + "|stopped"
            found += "|done" if isinstance(event, Done) else ""
    return found
"""
ANSWERS = """
async def main():
    print(await said("What can you do?"))
    print(len(await said("What can you do?", 3)) < 60)
    print(await said("What can you do?"))
    print("read here:", len(load._models))
"""
WORKS = """
async def main():
    work = partial(sentiment, "built-in", ["I love it", "I hate it"])
    async with aclosing(told(work)) as batches:
        print([one.number for batch in [item async for item in batches] if isinstance(batch, list) for one in batch])
    print("read here:", len(kept.listed()))
"""
FAILS = """
async def main():
    answer = Local().stream("nobody/has-it", (Message("user", "?"),))
    for stream in (told(partial(sentiment, "nobody/has-it", ["x"])), answer):
        try:
            async with aclosing(stream) as items:
                print([item async for item in items])
        except AppError as error:
            print(error)
"""


def ran(program: str, lent: bool) -> list[str]:
    """What a program prints in a process of its own, on a Space that lends a GPU or elsewhere."""
    variables = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": f"{ROOT}:{ROOT / 'tests' / 'lent'}"}
    variables |= {"SPACES_ZERO_GPU": "true"} if lent else {}
    command = [sys.executable, "-c", f"{BEGIN}{program}\nasyncio.run(main())"]
    ended = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=180, check=False)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return ended.stdout.splitlines()


@pytest.mark.parametrize("lent", [False, True])
def test_an_answer_is_made_where_the_gpu_is(lent: bool) -> None:
    first, stopped_early, again, read = ran(ANSWERS, lent)
    assert first.startswith("I am the small built-in model of Switchboard.")
    assert first.endswith("|done")
    assert (stopped_early, again, read) == ("True", first, f"read here: {0 if lent else 1}")


@pytest.mark.parametrize("lent", [False, True])
def test_a_pipeline_works_where_the_gpu_is(lent: bool) -> None:
    assert ran(WORKS, lent) == ["[0, 1]", f"read here: {0 if lent else 1}"]


def test_what_goes_wrong_there_is_told_in_the_same_words() -> None:
    told = ran(FAILS, lent=True)
    assert len(told) == 2
    assert told == ran(FAILS, lent=False)
