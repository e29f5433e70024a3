"""The brochure: a company's name and address in, its brochure out, each step in sight and the choice of pages open."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import gradio as gr

from backends import find
from core import sample_site
from core.brochure import AUDIENCES, LANGUAGES, LENGTHS, TONES, Dossier, Wish, choose, left, read, translate, write
from core.brochure.choose import Picked
from core.errors import AppError
from core.settings import settings
from core.web import Visit, Wire
from tabs import Page
from tabs.brochure_api import endpoints
from tabs.brochure_files import files
from tabs.brochure_view import checks, choices, pages, step
from tabs.parts import QUIET, Picker, Turn, picker, told, wanted, warning

TITLE = "Brochure"
ORDER = 20

Versions = dict[str, Dossier]


@dataclass(frozen=True)
class Form:
    """What a person enters."""

    company: gr.Textbox
    url: gr.Textbox
    tone: gr.Dropdown
    audience: gr.Dropdown
    language: gr.Dropdown
    length: gr.Dropdown
    first: gr.Checkbox

    def inputs(self) -> list[Any]:
        """The widgets, in the order of `Order`."""
        return [self.company, self.url, self.tone, self.audience, self.language, self.length, self.first]


@dataclass(frozen=True)
class Sheet:
    """What is shown of a dossier."""

    step: gr.Markdown
    pages: gr.Markdown
    choice: gr.Column
    links: gr.CheckboxGroup
    text: gr.Markdown
    checks: gr.Markdown
    after: gr.Column
    versions: gr.Radio

    def outputs(self) -> list[Any]:
        """The widgets, in the order of `_shown`."""
        return [self.step, self.pages, self.choice, self.links, self.text, self.checks, self.after, self.versions]


@dataclass(frozen=True)
class Buttons:
    """What starts and ends a run."""

    make: gr.Button
    stop: gr.Button
    again: gr.Button
    second: gr.Dropdown
    translate: gr.Button


def build(page: Page) -> None:
    """Draw the tab and wire it."""
    dossier, versions = gr.State(Dossier()), gr.State({})
    turn, job = gr.State(Turn("done")), gr.State("")
    with gr.Row(equal_height=False):
        with gr.Column(scale=1, min_width=300):
            form, make, stop = _form()
        with gr.Column(scale=2, min_width=340):
            picked = picker(page, "brochure-model")
            sheet, again, second, translating = _sheet(dossier)
    buttons = Buttons(make, stop, again, second, translating)
    _wire(form, sheet, buttons, picked, dossier, versions, turn, job)
    endpoints()


# --- layout -----------------------------------------------------------------------------------------------------------


def _form() -> tuple[Form, gr.Button, gr.Button]:
    company = gr.Textbox(label="Company", placeholder="Its name", elem_id="company")
    url = gr.Textbox(label="Web site", placeholder="example.com", elem_id="site")
    sample = gr.Button("Try it on the sample site", size="sm", elem_id="sample")
    note = gr.Markdown(elem_classes="hint", elem_id="sample-note")
    sample.click(_sample, None, [company, url, note], **QUIET)
    url.input(lambda: "", None, note, **QUIET)
    defaults = Wish()
    with gr.Row():
        tone = gr.Dropdown(list(TONES), value=defaults.tone, label="Tone", min_width=130, elem_id="tone")
        length = gr.Dropdown(list(LENGTHS), value=defaults.length, label="Length", min_width=130, elem_id="length")
    audience = gr.Dropdown(
        list(AUDIENCES), value=defaults.audience, label="For whom", allow_custom_value=True, elem_id="audience"
    )
    language = gr.Dropdown(
        list(LANGUAGES), value=defaults.language, label="Language", allow_custom_value=True, elem_id="language"
    )
    first = gr.Checkbox(label="Let me change the choice of pages first", container=False, elem_id="pages-first")
    make = gr.Button("Make the brochure", variant="primary", elem_id="make")
    stop = gr.Button("Stop", variant="stop", visible=False, elem_id="stop-brochure")
    return Form(company, url, tone, audience, language, length, first), make, stop


def _sheet(dossier: gr.State) -> tuple[Sheet, gr.Button, gr.Dropdown, gr.Button]:
    step = gr.Markdown("Enter a company and its web site, or try the sample.", elem_id="brochure-step")
    shown = gr.Markdown(elem_id="brochure-pages")
    with gr.Column(visible=False, elem_id="choice") as choice:
        links = gr.CheckboxGroup([], label="Pages for the brochure", elem_id="links")
        again = gr.Button("Write with these pages", size="sm", elem_id="again")
    versions = gr.Radio([], show_label=False, label="Language", container=False, visible=False, elem_id="versions")
    text = gr.Markdown(buttons=["copy"], container=True, visible=False, latex_delimiters=[], elem_id="brochure-text")
    checks = gr.Markdown(elem_classes="facts", elem_id="brochure-checks")
    with gr.Column(visible=False, elem_id="after") as after:
        files(dossier)
        with gr.Row():
            second = gr.Dropdown(
                list(LANGUAGES), value="German", show_label=False, label="Second language", container=False,
                allow_custom_value=True, min_width=140, elem_id="second",
            )  # fmt: skip
            translating = gr.Button("The same in this language", size="sm", elem_id="translate")
    return Sheet(step, shown, choice, links, text, checks, after, versions), again, second, translating


def _sample() -> tuple[str, str, str]:
    running = sample_site.running()
    note = (
        f"⚠️ A demonstration: `{running.url}` is a small site of an invented company that ships with Switchboard and "
        "runs on this machine. This one address is open; every other address inside this network stays closed."
    )
    return sample_site.COMPANY, running.url, note


# --- wiring -----------------------------------------------------------------------------------------------------------


def _wire(
    form: Form, sheet: Sheet, buttons: Buttons, picked: Picker, dossier: gr.State, versions: gr.State, turn: gr.State,
    job: gr.State,
) -> None:  # fmt: skip
    busy = [buttons.make, buttons.stop, buttons.again, buttons.translate]
    # Whatever starts a run puts a new Turn into `turn`, and there is one event that streams.
    for button, what in ((buttons.make, "make"), (buttons.again, "write"), (buttons.translate, "translate")):
        button.click(partial(_begin, what), turn, [job, turn, *busy], **QUIET)
    for box in (form.company, form.url):
        box.submit(partial(_begin, "make"), turn, [job, turn, *busy], **QUIET)
    inputs = [turn, job, dossier, picked.dropdown, sheet.links, buttons.second, *form.inputs()]
    run = turn.change(
        _run, inputs, [dossier, *sheet.outputs()[:-2]], trigger_mode="multiple",
        concurrency_limit=settings().answers_at_once, concurrency_id="answers", **QUIET,
    )  # fmt: skip
    run.success(_finish, [turn, dossier, versions], [versions, sheet.after, sheet.versions, *busy], **QUIET)
    buttons.stop.click(lambda turn: turn.stop(), turn, None, **QUIET)
    sheet.versions.input(_version, [turn, versions, sheet.versions], [dossier, *sheet.outputs()[:-2]], **QUIET)


def _begin(what: str, turn: Turn) -> list[Any]:
    turn.leave()
    return [what, Turn(), *_buttons(running=True)]


def _buttons(running: bool) -> list[Any]:
    """Updates for make, stop, write again and translate."""
    idle = gr.update(interactive=not running)
    return [idle, gr.update(visible=running), idle, idle]


# --- handlers ---------------------------------------------------------------------------------------------------------


async def _run(
    turn: Turn, job: str, dossier: Dossier, choice: str, ticked: list[str], second: str, *entered: Any
) -> AsyncGenerator[Any]:
    """One run, some ten times a second: the dossier and what is shown of it."""
    before = dossier
    try:
        async with aclosing(wanted(_steps(job, dossier, choice, ticked or [], second, *entered), turn)) as batches:
            async for batch in batches:
                if batch:
                    dossier = batch[-1]
                # Also a tick without news must yield: Gradio notices only there that the visitor has left.
                yield _shown(dossier, before, running=True) if batch else gr.skip()
        end = left(dossier, "Stopped.") if turn.over == "stopped" else dossier
    except Exception as error:
        # Whatever went wrong, what has come so far stays on the page, and so does an earlier brochure.
        end = left(dossier, f"⚠️ {told(error)}")
    if turn.over == "left":
        return
    turn.over = turn.over or "done"
    yield _shown(end if end.front else replace(before, step=end.step), before)


async def _steps(
    job: str, dossier: Dossier, choice: str, ticked: list[str], second: str, company: str, url: str, tone: str,
    audience: str, language: str, length: str, first: bool,
) -> AsyncGenerator[Dossier]:  # fmt: skip
    """The steps of a run, one after the other."""
    backend, model = find(choice)
    if job == "translate":
        phases = [partial(translate, backend=backend, model=model, language=second.strip())]
    else:
        wish = Wish(tone, (audience or "").strip(), (language or "").strip(), length)
        address, allowed = sample_site.opened(url if job == "make" else dossier.url)
        visit = Visit(Wire(allowed=allowed))
        looking = partial(choose, backend=backend, model=model, visit=visit)
        writing = [partial(read, visit=visit), partial(write, backend=backend, model=model, wish=wish)]
        if job == "make":
            dossier = Dossier(company.strip(), address)
            phases = [looking] if first else [looking, *writing]
        else:
            dossier, phases = replace(dossier, picked=_ticked(dossier, ticked)), writing
    for phase in phases:
        async with aclosing(phase(dossier)) as steps:
            async for dossier in steps:
                yield dossier


def _ticked(dossier: Dossier, urls: list[str]) -> tuple[Picked, ...]:
    """The links that a person has ticked, with what the model said of them."""
    kinds = {link.url: link.kind for link in dossier.picked}
    return tuple(Picked(link.url, link.text, kinds.get(link.url, "")) for link in dossier.offered if link.url in urls)


def _shown(dossier: Dossier, before: Dossier, running: bool = False) -> list[Any]:
    """Values for the dossier's state and its sheet. Until a front page is there, what was there before stays."""
    if dossier.front is None:
        return [before, step(dossier, running), *[gr.update()] * 5]
    chosen = {link.url for link in dossier.picked}
    checked = dossier.brochure
    return [
        dossier,
        step(dossier, running),
        pages(dossier),
        gr.update(visible=bool(dossier.offered)),
        gr.update(choices=choices(dossier), value=[link.url for link in dossier.offered if link.url in chosen]),
        gr.update(value=checked.markdown, visible=bool(checked.markdown)),
        checks(dossier, checked),
    ]


def _finish(turn: Turn, dossier: Dossier, versions: Versions) -> list[Any]:
    """After a run: what can be done with the brochure, and its languages."""
    if not turn.over:
        return [versions, *[gr.update()] * 2, *_buttons(running=True)]
    if dossier.finished:
        same = {k: v for k, v in versions.items() if v.pages == dossier.pages}
        versions = same | {dossier.wish.language: dossier}
    languages = gr.update(choices=list(versions), value=dossier.wish.language, visible=len(versions) > 1)
    return [versions, gr.update(visible=dossier.finished), languages, *_buttons(running=False)]


def _version(turn: Turn, versions: Versions, language: str) -> list[Any]:
    """Show the brochure in one of its languages."""
    if not turn.over:
        raise warning(AppError("Wait for the brochure, or stop it first."))
    return _shown(versions[language], versions[language])
