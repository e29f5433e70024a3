"""Models side by side: one prompt to several at once, a vote on their answers, and a bench over a file of prompts."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import gradio as gr
from gradio.events import api

from core.bench import table_of
from core.chat import ask
from core.compare import START, invented, voted
from core.errors import AppError, BadSetting
from core.llm import Conversation
from core.settings import settings
from core.streams import together
from core.tools import tools
from tabs import Page
from tabs.answering import answered
from tabs.benching import benching, usable
from tabs.bubbles import bubbles
from tabs.chart import quoted
from tabs.columns import MOST, Columns, Plan, Run, columns, prepare
from tabs.endpoints import reply
from tabs.parts import QUIET, refusal, toast
from tabs.remembering import remembered
from tabs.saving import saves

TITLE = "Compare"
ORDER = 60

LETTERS = "ABCD"
PROMPT = "How much is a flight from Delhi to Paris?"

Ratings = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Vote:
    """The widgets of a vote. `ratings` are kept in the browser: choice -> Elo and votes."""

    ratings: gr.State
    known: Any  # the event of the ratings' being read from the browser
    row: gr.Row
    buttons: list[gr.Button]
    table: gr.Markdown


def build(page: Page) -> None:
    """Draw the tab and wire it."""
    with gr.Tabs():
        with gr.Tab("Side by side"):
            _side_by_side(page)
        with gr.Tab("Bench"):
            benching(page)
    limit = settings().answers_at_once
    api(endpoint, api_name="compare", concurrency_limit=limit, concurrency_id="answers")


def _side_by_side(page: Page) -> None:
    chosen = gr.Dropdown(
        [settings().model], value=[settings().model], label=f"Models, two to {MOST}", multiselect=True,
        max_choices=MOST, allow_custom_value=True, elem_id="compare-models",
    )  # fmt: skip
    with gr.Row(equal_height=True):
        prompt = gr.Textbox(PROMPT, label="Prompt", lines=2, scale=4, min_width=240, elem_id="compare-prompt")
        go = gr.Button("Ask all of them", variant="primary", scale=1, min_width=140, elem_id="compare-run")
    with gr.Row():
        known = sorted(tools())
        allowed = gr.CheckboxGroup(known, value=known, label="Tools", min_width=260, elem_id="compare-tools")
        blind = gr.Checkbox(
            label="Blind: names and figures only after the vote", min_width=260, elem_id="compare-blind"
        )
    drawn = columns("compare", _bot, shown, under)
    vote = _vote(page)
    asked = [drawn.plan, chosen, prompt, allowed, blind]
    for event in (go.click, prompt.submit):
        event(_start, asked, [*drawn.prepared, vote.row, *vote.buttons], **QUIET)
    for done in drawn.done:
        done.success(_votable, [drawn.plan, *drawn.conversations], vote.row, **QUIET)
    _wire_vote(drawn, vote)
    page.load(lambda: gr.update(choices=usable()), None, chosen, **QUIET)


def _bot(index: int) -> gr.Chatbot:
    return gr.Chatbot(
        show_label=False, label=f"Answer {LETTERS[index]}", height=420, buttons=["copy"], elem_classes="fixed",
        elem_id=f"compare-bot-{index}",
    )  # fmt: skip


def _vote(page: Page) -> Vote:
    ratings, known = remembered(page.load, "switchboard-ratings")
    with gr.Row(visible=False, elem_id="compare-vote") as row:
        buttons = [gr.Button(f"{letter} is best", size="sm", min_width=90) for letter in LETTERS]
        buttons.append(gr.Button("A tie", size="sm", min_width=90))
    with gr.Accordion("Ratings", open=True):
        table = gr.Markdown(elem_classes="wide", elem_id="compare-ratings")
        with gr.Row():
            export = gr.Button("Export CSV", size="sm", elem_id="compare-export")
            reset = gr.Button("Forget all votes", size="sm", elem_id="compare-forget")
    saves(export, ratings_csv, [ratings], "ratings.csv")
    reset.click(lambda: ({}, rated(None)), None, [ratings, table], **QUIET)
    return Vote(ratings, known, row, buttons, table)


def _wire_vote(drawn: Columns, vote: Vote) -> None:
    after = [vote.ratings, vote.table, vote.row, *drawn.titles, *drawn.answers, *drawn.lines]
    for index, button in enumerate(vote.buttons):
        best = index if index < MOST else None
        button.click(partial(_voted, best), [vote.ratings, drawn.plan, *drawn.conversations], after, **QUIET)
    for known in (vote.known.success, vote.ratings.change):
        known(rated, vote.ratings, vote.table, **QUIET)


# --- asking -----------------------------------------------------------------------------------------------------------


def planned(prompt: str, chosen: list[str], allowed: list[str], blind: bool) -> Plan:
    """What the columns are asked; blind ones in an order that nobody knows. Raises BadSetting."""
    ask((), prompt)
    chosen = list(dict.fromkeys(chosen))
    if not 2 <= len(chosen) <= MOST:
        raise BadSetting(f"Choose two to {MOST} models.")
    if blind:
        random.shuffle(chosen)
    runs = tuple(
        Run(f"Model {letter}" if blind else f"{letter} · {choice}", choice, {}, hidden=blind)
        for letter, choice in zip(LETTERS, chosen, strict=False)
    )
    return Plan(prompt, runs, tuple(allowed))


def _start(before: Plan, chosen: list[str] | None, prompt: str | None, allowed: list[str] | None, blind: bool) -> Any:
    try:
        plan = planned(prompt or "", chosen or [], allowed or [], bool(blind))
    except AppError as error:
        return toast(error)
    before.leave()
    buttons = [gr.update(visible=index < len(plan.runs) or index == MOST) for index in range(MOST + 1)]
    return [*prepare(plan, []), gr.update(visible=False), *buttons]


def shown(run: Run, conversation: Conversation) -> Any:
    """A column's bubbles: what the model said after the question, without figures where they would tell its name."""
    answer = conversation[1:]
    return bubbles(tuple(replace(message, done=None) for message in answer) if run.hidden else answer)


def under(_: Run, conversation: Conversation) -> str:
    """The line under a column: the tools it called, and whether its numbers are theirs."""
    called = [call.name for message in conversation for call in message.tool_calls]
    return f"called {', '.join(called)} · {_numbers(conversation)}" if called else ""


def _numbers(conversation: Conversation) -> str:
    wrong = invented(conversation)
    if wrong is None:
        return "no result yet"
    return f"⚠️ not from a tool: {', '.join(wrong[:5])}" if wrong else "✓ every number is a tool's"


# --- voting -----------------------------------------------------------------------------------------------------------


def _votable(plan: Plan, *conversations: Conversation) -> Any:
    """A vote is asked for once all have ended and at least two have answered."""
    ended = all(run.turn.over for run in plan.runs)
    return gr.update(visible=ended and len(_answers(plan, conversations)) > 1)


def _answers(plan: Plan, conversations: tuple[Conversation, ...]) -> list[str]:
    """The models that have answered."""
    both = zip(plan.runs, conversations, strict=False)
    return [run.choice for run, conversation in both if conversation and conversation[-1].done is not None]


def _voted(best: int | None, ratings: Ratings | None, plan: Plan, *conversations: Conversation) -> Any:
    """The ratings after the vote, and the columns with their names."""
    answered = _answers(plan, conversations)
    winner = plan.runs[best].choice if best is not None else None
    if winner is not None and winner not in answered:
        return toast(BadSetting("This model has not answered."))
    after = counted(ratings, answered, winner)
    named = [replace(run, hidden=False) for run in plan.runs]
    both = list(zip(named, conversations, strict=False))
    spare = [gr.skip()] * (MOST - len(named))
    titles = [
        f"**{letter} · {run.choice}{' 🏆' if run.choice == winner else ''}**"
        for letter, run in zip(LETTERS, named, strict=False)
    ]
    answers, lines = [shown(run, said) for run, said in both], [under(run, said) for run, said in both]
    return [after, rated(after), gr.update(visible=False), *titles, *spare, *answers, *spare, *lines, *spare]


def counted(ratings: Ratings | None, models: list[str], winner: str | None) -> Ratings:
    """Ratings and numbers of votes after one more. What a browser has spoilt begins anew."""
    known = _sound(ratings)
    elo = voted({model: row["elo"] for model, row in known.items()}, models, winner)
    return {
        model: {"elo": value, "votes": known.get(model, {"votes": 0})["votes"] + (model in models)}
        for model, value in elo.items()
    }


def _sound(ratings: Any) -> Ratings:
    rows = ratings.items() if isinstance(ratings, dict) else ()
    return {
        str(model): {"elo": float(row["elo"]), "votes": int(row["votes"])}
        for model, row in rows
        if isinstance(row, dict) and all(isinstance(row.get(key), int | float) for key in ("elo", "votes"))
    }


def rated(ratings: Ratings | None) -> str:
    """The table of ratings, the best first."""
    rows = sorted(_sound(ratings).items(), key=lambda row: -row[1]["elo"])
    if not rows:
        return f"No votes yet. Every model begins at {START:.0f}; a vote moves points from the loser to the winner."
    lines = [f"| {quoted(model, 80)} | {row['elo']:.0f} | {row['votes']:.0f} |" for model, row in rows]
    return "\n".join(["| model | Elo | votes |", "|---|---:|---:|", *lines])


def ratings_csv(ratings: Ratings | None) -> str:
    """The same as a file."""
    rows = _sound(ratings)
    return table_of(("model", "elo", "votes"), [{"model": name, **row} for name, row in rows.items()]) if rows else ""


# --- as an API --------------------------------------------------------------------------------------------------------


async def endpoint(
    prompt: str, models: list[str], tools: list[str] | None = None, sampling: dict[str, Any] | None = None
) -> AsyncGenerator[list[dict[str, Any]]]:
    """One prompt to two to four models, streamed side by side: for each what `/chat` says, its error, its numbers."""
    try:
        plan = planned(prompt, models, tools or [], False)
    except AppError as error:
        raise refusal(error) from error
    asked = ask((), prompt)
    rows = [_row(run, asked) for run in plan.runs]
    streams = [answered(run.turn, run.choice, asked, sampling or {}, plan.tools) for run in plan.runs]
    async with aclosing(together(streams)) as steps:
        async for number, step in steps:
            if step is not None:
                rows[number] = _row(plan.runs[number], step[0])
                yield rows


def _row(run: Run, conversation: Conversation) -> dict[str, Any]:
    """One model's answer so far. `invented` are numbers that no tool gave, None where no tool was called."""
    error = conversation[-1].note
    return {
        "choice": run.choice, "done": bool(run.turn.over), "error": error or None, **reply(conversation[1:]),
        "invented": invented(conversation),
    }  # fmt: skip
