"""How fast the built-in model answers: `python -m bench.local`. Absolute times hold for an idle machine of two cores.

1. A conversation with the app's tools and one of 300 tokens: the first word within 150 ms, then 100 tokens a second.
2. At least 0.9 of the speed of a bare `generate` of the same prompt, which has no grammar, no queue and no events.
3. Its files are read within a second, once transformers is imported.

Rounds of ours and of the bare call take turns, and the best of each counts: other programs only ever make it slower.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

import torch
import transformers

from backends._local.load import Loaded, loaded
from backends._local.prompt import written
from backends._local.request import asked
from backends.local import Local
from core.llm import Conversation, Done, Message, Sampling, TextDelta, ToolSpec
from core.tools import tools

MODEL, ASKED = "starter", Sampling(temperature=0, max_tokens=120)
PAGES = """Write a short brochure in Markdown. Use only sentences from the pages.

Company: Harrow & Finch

Page: About us
Harrow & Finch has mended clocks in Durham since 1911. The workshop stands behind the old market, beside the river. \
Seven people work there, four of whom learnt the craft from their parents. Church clocks come to us from all over the \
north of England. We also keep the clocks of two railway stations and a ferry. Visitors may watch us at work on \
Thursdays.

Page: Services
We clean and oil pocket watches within a week. Springs and wheels that nobody makes any more are cut by hand. A clock \
that we have mended is looked after for three years at no charge. Larger clocks are mended where they stand. For \
museums we write a report on every piece. Estimates are free, and the post is paid by us.

Page: Careers
Every autumn we take one apprentice. The training lasts four years and ends with a piece of one's own. No certificate \
is needed, but steady hands are. Write to the workshop before the end of June.
"""
CONVERSATIONS: dict[str, tuple[str, tuple[ToolSpec, ...]]] = {
    "tools": ("What can you do?", tuple(tools().values())),
    "pages": (PAGES, ()),
}


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds to the first piece of text and to the end; tokens of the prompt and of the answer."""

    first: float
    whole: float
    read: int
    written: int

    @property
    def speed(self) -> float:
        """Tokens a second after the first piece."""
        return (self.written - 1) / (self.whole - self.first)


async def ours(talk: Conversation, offered: tuple[ToolSpec, ...]) -> Run:
    """One answer, as the app asks for it."""
    started, first, done = time.perf_counter(), 0.0, Done()
    async with aclosing(Local().stream(MODEL, talk, offered, ASKED)) as events:
        async for event in events:
            if isinstance(event, TextDelta) and not first:
                first = time.perf_counter() - started
            if isinstance(event, Done):
                done = event
    return Run(first, time.perf_counter() - started, done.input_tokens or 0, done.output_tokens or 0)


def bare(there: Loaded, talk: Conversation, offered: tuple[ToolSpec, ...], count: int) -> float:
    """Seconds for so many tokens of transformers' own `generate`."""
    given = asked(there, written(there.tokenizer, talk, offered, None), offered, ASKED, None)
    ids = torch.tensor([given.ids])
    with torch.inference_mode():
        return seconds(
            lambda: there.model.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=count, min_new_tokens=count, do_sample=False
            )
        )


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def promise(name: str, value: float, bound: float, at_most: bool = False) -> bool:
    """Print a figure beside its promise; whether it is kept."""
    kept = value <= bound if at_most else value >= bound
    print(f"  {name}: {value:.3g}  (at {'most' if at_most else 'least'} {bound:g}) {'kept' if kept else 'BROKEN'}")
    return kept


async def measured(there: Loaded, name: str, rounds: int) -> list[bool]:
    """The promises of one conversation."""
    question, offered = CONVERSATIONS[name]
    talk = (Message("user", question),)
    runs, others = [await ours(talk, offered)], list[float]()
    for _ in range(rounds):
        runs.append(await ours(talk, offered))
        others.append(bare(there, talk, offered, runs[-1].written))
    best = min(runs, key=lambda run: run.whole)
    print(f"{name}: {best.read} tokens read, {best.written} written, {there.threads} threads")
    return [
        promise("ms to the first text", 1000 * min(run.first for run in runs), 150, at_most=True),
        promise("tokens a second from there", max(run.speed for run in runs), 100),
        promise("speed over a bare generate", min(others) / best.whole, 0.9),
    ]


async def main() -> int:
    """Measure; 1 when a promise is broken."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=7)
    given = arguments.parse_args()
    transformers.AutoModelForCausalLM  # noqa: B018  (Its import is lazy, and no part of reading the files.)
    started = time.perf_counter()
    there = await read()
    kept = [promise("seconds to read the files", time.perf_counter() - started, 1, at_most=True)]
    for name in CONVERSATIONS:
        kept += await measured(there, name, given.rounds)
    return 0 if all(kept) else 1


async def read() -> Loaded:
    """The built-in model, as the app keeps it."""
    async with aclosing(loaded(MODEL)) as steps:
        return [step async for step in steps if isinstance(step, Loaded)][-1]


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
