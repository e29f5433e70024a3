"""One prompt for several models or settings at once, each in a column of its own, streaming together."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import gradio as gr

from core.chat import ask
from core.llm import Conversation
from core.markdown import harmless
from core.settings import settings
from tabs.answering import answered
from tabs.bubbles import figures
from tabs.parts import QUIET, Turn

MOST = 4


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One column: who is asked, with which knobs. `title` is what stands above it; `hidden`: nobody may know who."""

    title: str
    choice: str
    given: Mapping[str, Any]
    hidden: bool = False
    turn: Turn = field(default_factory=Turn)


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What all columns are asked. Each plan is another: it is told apart by its identity."""

    prompt: str = ""
    runs: tuple[Run, ...] = ()
    tools: tuple[str, ...] = ()

    def leave(self) -> None:
        """Another plan takes over."""
        for run in self.runs:
            run.turn.leave()

    def stop(self) -> None:
        """Every column that is not done has said enough."""
        for run in self.runs:
            run.turn.stop()


Show = Callable[[Run, Conversation], Any]


@dataclass(frozen=True)
class Columns:
    """The widgets. Setting `plan` starts all columns; `done` are the events after which a column has ended."""

    plan: gr.State
    boxes: list[gr.Column]
    titles: list[gr.Markdown]
    answers: list[Any]
    lines: list[gr.Markdown]
    conversations: list[gr.State]
    stops: list[gr.Button]
    done: list[Any]

    @property
    def prepared(self) -> list[Any]:
        """What `prepare` has values for."""
        return [self.plan, *self.boxes, *self.titles, *self.answers, *self.lines, *self.conversations, *self.stops]


def prepare(plan: Plan, empty: Any) -> list[Any]:
    """Values that begin a plan: as many columns as it has runs, `empty` answers."""
    count = len(plan.runs)
    boxes = [gr.update(visible=index < count) for index in range(MOST)]
    titles = [f"**{harmless(run.title)}**" for run in plan.runs] + [""] * (MOST - count)
    return [plan, *boxes, *titles, *([empty] * MOST), *([""] * MOST), *([()] * MOST), *_stops(plan)]


def _stops(plan: Plan) -> list[Any]:
    """Which buttons are of use: one for each answer that is coming, and one for all of them."""
    coming = [not run.turn.over for run in plan.runs] + [False] * (MOST - len(plan.runs))
    return [gr.update(visible=there) for there in (*coming, sum(coming) > 1)]


def columns(name: str, draw: Callable[[int], Any], show: Show, under: Show) -> Columns:
    """Draw the columns and wire them; `draw` makes a column's answer, `show` gives its value and `under` the line."""
    plan = gr.State(Plan())
    boxes, titles, answers, lines, stops = [], [], [], [], []
    every = gr.Button("Stop all", size="sm", variant="stop", visible=False, elem_id=f"{name}-stop-all")
    with gr.Row(equal_height=False):
        for index in range(MOST):
            with gr.Column(visible=False, min_width=180, elem_id=f"{name}-{index}") as box:
                titles.append(gr.Markdown())
                answers.append(draw(index))
                lines.append(gr.Markdown(elem_classes="facts"))
                stops.append(gr.Button("Stop", size="sm", visible=False, elem_id=f"{name}-stop-{index}"))
            boxes.append(box)
    conversations = [gr.State(()) for _ in range(MOST)]
    done = [
        plan.change(
            partial(_run, index, show, under), plan, [conversations[index], answers[index], lines[index]],
            trigger_mode="multiple", concurrency_limit=settings().answers_at_once, concurrency_id="answers", **QUIET,
        )
        for index in range(MOST)
    ]  # fmt: skip
    for index, button in enumerate(stops):
        button.click(partial(_stop_one, index), plan, None, **QUIET)
    every.click(Plan.stop, plan, None, **QUIET)
    stops.append(every)
    for ended in done:
        ended.success(_stops, plan, stops, **QUIET)
    return Columns(plan, boxes, titles, answers, lines, conversations, stops, done)


def _stop_one(index: int, plan: Plan) -> None:
    plan.runs[index].turn.stop()


async def _run(index: int, show: Show, under: Show, plan: Plan) -> AsyncGenerator[Any]:
    """One column: its conversation, what is shown of it, and a line under it."""
    if index >= len(plan.runs):
        yield gr.skip()
        return
    run = plan.runs[index]
    steps = answered(run.turn, run.choice, ask((), plan.prompt), run.given, plan.tools)
    async with aclosing(steps):
        async for step in steps:
            if step is None:
                yield gr.skip()
            else:
                conversation, status = step
                yield conversation, show(run, conversation), status or under(run, conversation)


def line(conversation: Conversation) -> str:
    """The figures of a finished answer, without the name of the model: that is the column's."""
    done = conversation[-1].done if conversation else None
    return figures(replace(done, choice="")) if done else ""
