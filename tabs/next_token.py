"""What may come next: a model's candidates for one token, and what each knob makes of them, step by step."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from backends import find
from core.budget import Bill, admit, billed
from core.chat import ask
from core.errors import AppError, RequestRefused
from core.llm import Capabilities, Sampling
from core.sampling import Pick, Predicts, Scores, Step, likeliest, steps
from core.settings import settings
from tabs.chart import SHOWN, TITLES, bars, numbers, percent, table, visible
from tabs.knobs import Knobs
from tabs.parts import QUIET, refusal, toast

PROMPT = "The flight to"
HINT = "Each candidate is a button: the answer goes on with that token."
STAGES = [("All steps", ""), *((title, name) for name, title in TITLES.items() if name != "model")]


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What a model said of the token after `picks`, and which knobs it takes: the sliders act on this alone."""

    scores: Scores
    takes: frozenset[str]
    picks: tuple[Pick, ...]

    def steps(self, given: dict[str, Any]) -> list[Step]:
        """The probabilities, step by step, under these knobs."""
        return steps(self.scores, Sampling.of(given).only(self.takes))


@dataclass(frozen=True)
class View:
    """The widgets."""

    looked: gr.State
    prompt: gr.Textbox
    raw: gr.Checkbox
    look: gr.Button
    said: gr.Textbox
    stage: gr.Radio
    chart: gr.Plot
    chips: list[gr.Button]
    draw: gr.Button
    back: gr.Button
    clear: gr.Button
    steps: gr.Markdown
    numbers: gr.Markdown
    note: gr.Markdown

    @property
    def drawn(self) -> list[Any]:
        """What a moved knob changes."""
        return [self.chart, self.steps, self.numbers, self.note, *self.chips]


def next_token(choice: gr.Dropdown, knobs: Knobs) -> None:
    """Draw the view and wire it."""
    view = _layout()
    shown = [view.looked, view.said, *view.drawn]
    asked = [view.looked, choice, view.prompt, view.raw, knobs.given, view.stage]
    loud: dict[str, Any] = {"api_visibility": "private", "show_progress_on": view.chart}
    starts = (view.look.click, view.prompt.submit, view.clear.click)
    goes = [(start, _begin) for start in starts] + [(view.back.click, _back), (view.draw.click, _drawn)]
    goes += [(chip.click, partial(_chosen, rank)) for rank, chip in enumerate(view.chips)]
    for event, go in goes:
        event(go, asked, shown, **loud)
    # The last position of a slider is the one that counts, so later moves replace those that wait.
    drawn_from = [view.looked, knobs.given, view.stage]
    triggers = [knobs.given.change, view.stage.change]
    gr.on(triggers, _redrawn, drawn_from, view.drawn, trigger_mode="always_last", **QUIET)
    choice.change(_emptied, None, shown, **QUIET)


def _layout() -> View:
    looked = gr.State(None)
    with gr.Row(equal_height=True):
        prompt = gr.Textbox(PROMPT, label="Prompt", lines=2, scale=4, min_width=240, elem_id="next-prompt")
        look = gr.Button("Show what may come next", variant="primary", scale=1, min_width=160, elem_id="next-look")
    raw = gr.Checkbox(
        True, label="Bare text: go on from the prompt itself, without the chat template", container=False,
        elem_id="next-raw",
    )  # fmt: skip
    said = gr.Textbox(label="Answer so far", interactive=False, lines=1, max_lines=4, elem_id="next-said")
    with gr.Row(elem_classes="chips"):
        chips = [gr.Button(visible=False, size="sm", min_width=0, elem_classes="chip") for _ in range(SHOWN)]
    with gr.Row():
        draw = gr.Button("🎲 Draw one", size="sm", elem_id="next-draw")
        back = gr.Button("⌫ Take one back", size="sm", elem_id="next-back")
        clear = gr.Button("Start anew", size="sm", elem_id="next-clear")
    note = gr.Markdown(HINT, elem_classes="hint", elem_id="next-note")
    stage = gr.Radio(STAGES, value="", label="Before and after", elem_id="next-stage")
    chart = gr.Plot(show_label=False, label="Candidates", elem_id="next-chart")
    table = gr.Markdown(elem_id="next-steps", elem_classes="wide")
    with gr.Accordion("Every candidate after every step", open=False):
        listed = gr.Markdown(elem_id="next-numbers", elem_classes="wide")
    return View(looked, prompt, raw, look, said, stage, chart, chips, draw, back, clear, table, listed, note)


# --- handlers ---------------------------------------------------------------------------------------------------------


def predicted(choice: str, prompt: str, raw: bool, picks: tuple[Pick, ...] = ()) -> Look:
    """Ask the model. Raises AppError."""
    backend, model = find(choice)
    if not isinstance(backend, Predicts):
        raise RequestRefused(
            backend.label,
            "Choose a model in this process, or of a server that speaks OpenAI's protocol.",
            "{provider} does not tell what may come next.",
        )
    return asyncio.run(_look(backend, model, prompt, picks, raw))


async def _look(backend: Any, model: str, prompt: str, picks: tuple[Pick, ...], raw: bool) -> Look:
    """Ask within the budget: what costs the owner counts as a message."""
    can: Capabilities = await backend.capabilities(model)
    bill = Bill.of(backend, can, ask((), prompt), (), Sampling(max_tokens=1))
    if bill.charged:
        admit()
    async with billed(bill) as meter:
        scores = await backend.next_token(model, prompt, picks, raw)
        meter.answered(1)
    return Look(scores, can.sampling, picks)


def _looked(
    picks: tuple[Pick, ...], choice: str, prompt: str | None, raw: bool, given: dict[str, Any], stage: str
) -> Any:
    """Values for `looked`, `said` and all that is drawn."""
    try:
        look = predicted(choice, prompt or "", bool(raw), picks)
    except AppError as error:
        return toast(error)
    return [look, "".join(pick.text for pick in picks), *_redrawn(look, given, stage)]


def _begin(_: Look | None, *asked: Any) -> Any:
    return _looked((), *asked)


def _back(look: Look | None, *asked: Any) -> Any:
    return _looked(look.picks[:-1] if look else (), *asked)


def _chosen(rank: int, look: Look, choice: str, prompt: str, raw: bool, given: dict[str, Any], stage: str) -> Any:
    """Go on with the candidate of that rank."""
    place = likeliest(look.steps(given), SHOWN)[rank]
    return _looked((*look.picks, _pick(look.scores, place)), choice, prompt, raw, given, stage)


def _drawn(look: Look | None, choice: str, prompt: str, raw: bool, given: dict[str, Any], stage: str) -> Any:
    """Go on with a token drawn as the knobs have it. With a seed the same draws come again."""
    if look is None:
        return _looked((), choice, prompt, raw, given, stage)
    seed = given.get("seed")
    chance = random.Random() if seed is None else random.Random(seed + len(look.picks))
    shares = look.steps(given)[-1].probabilities
    place = chance.choices(range(len(shares)), shares.tolist())[0]
    return _looked((*look.picks, _pick(look.scores, place)), choice, prompt, raw, given, stage)


def _pick(scores: Scores, place: int) -> Pick:
    return Pick(place if scores.whole else -1, scores.spell(place))


def _redrawn(look: Look | None, given: dict[str, Any], stage: str) -> list[Any]:
    """Chart, tables, note and candidates for the knobs as they stand: some milliseconds, and no model is asked."""
    if look is None:
        return [gr.skip()] * (4 + SHOWN)
    scores, done = look.scores, look.steps(given)
    places = likeliest(done, SHOWN)
    chips = [
        gr.update(value=f"{visible(scores.spell(p))} {percent(float(done[-1].probabilities[p]))}", visible=True)
        for p in places
    ]
    chips += [gr.update(visible=False)] * (SHOWN - len(places))
    tables = table(scores, done, {**scores.own, **given}), numbers(scores, done, places)
    return [bars(scores, done, places, stage or ""), *tables, _note(scores, given), *chips]


def _note(scores: Scores, given: dict[str, Any]) -> str:
    notes = [] if scores.whole else ["The provider tells its likeliest tokens only; the steps act on these alone."]
    if not scores.samples and not {"temperature", "top_k", "top_p", "min_p"} & given.keys():
        notes.append("With no knob moved, a chat with this model takes the likeliest token every time.")
    if scores.own:
        own = ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in scores.own.items() if value != 1)
        notes += [f"The model's own settings hold where you set nothing: {own}."] if own else []
    return " ".join(notes or [HINT])


def _emptied() -> list[Any]:
    """Another model knows nothing of what this one said."""
    return [None, "", None, "", "", HINT, *[gr.update(visible=False)] * SHOWN]


# --- as an API --------------------------------------------------------------------------------------------------------


def endpoint(
    prompt: str, model: str = "", sampling: dict[str, Any] | None = None, raw: bool = False, count: int = SHOWN
) -> dict[str, Any]:
    """The likeliest next tokens with their probability after each step, and what each step removed and left."""
    try:
        look = predicted(model or settings().model, prompt, raw)
        scores, done = look.scores, look.steps(sampling or {})
    except AppError as error:
        raise refusal(error) from error
    return {
        "whole_vocabulary": scores.whole,
        "steps": [
            {
                "step": step.name, "acts": step.acts, "left": step.left, "entropy_bits": step.entropy,
                "removed": [scores.spell(int(place)) for place in step.removed[:SHOWN]],
                "removed_count": len(step.removed), "removed_probability": step.lost,
            }
            for step in done
        ],
        "candidates": [
            {
                "token": scores.spell(place), "id": place if scores.whole else None,
                "before": float(done[0].probabilities[place]), "after": float(done[-1].probabilities[place]),
                "probabilities": {step.name: float(step.probabilities[place]) for step in done},
                "removed_by": next((step.name for step in done if place in step.removed), None),
            }
            for place in likeliest(done, max(1, min(count, 100)))
        ],
    }  # fmt: skip
