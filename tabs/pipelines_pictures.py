"""Pictures on the page: a prompt and its settings in, the picture step by step, and settings back out of a PNG."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from core.errors import AppError
from core.llm import Progress
from core.markdown import plain
from core.pipelines.diffusion import TASK, Picture, Step, draw, suggested
from core.pipelines.picture import MOST_IMAGES, SCHEDULERS, Wish, read_back, wish
from core.pipelines.task import BUILT_IN
from tabs import Page
from tabs.parts import QUIET, Turn, toast, told
from tabs.pipelines_model import itself, model_box, wire
from tabs.pipelines_run import ended, problem, run_buttons, steps, wire_run

EXAMPLES = (
    "a red circle left of a blue square",
    "three purple crosses",
    "a big yellow star on a blue background",
    "a small black ring at the top",
)
_SIDE = 384  # pixels of the picture while it is being made
# The fields of a wish, in the order of the widgets.
FIELDS = ("prompt", "negative_prompt", "steps", "guidance", "width", "height", "seed", "count", "scheduler")


def pictures(page: Page, opened: Callable[..., Any]) -> None:
    """Draw the view and wire it."""
    with gr.Row(equal_height=False):
        with gr.Column(scale=1, min_width=300):
            prompt = gr.Textbox(EXAMPLES[0], label="Prompt", lines=2, max_lines=6, elem_id="pictures-prompt")
            with gr.Row(elem_classes="chips"):
                for example in EXAMPLES:
                    button = gr.Button(example, size="sm", min_width=0, elem_classes="chip")
                    button.click(lambda example=example: example, None, prompt, **QUIET)
            box = model_box(TASK)
            run = run_buttons("pictures", "Draw")
        with gr.Column(scale=2, min_width=340):
            live = gr.Image(
                label="Being drawn", show_label=False, interactive=False, height=_SIDE, format="png", buttons=[],
                elem_id="pictures-live",
            )  # fmt: skip
            gallery = gr.Gallery(
                label="Pictures", columns=4, height=_SIDE, object_fit="contain", format="png", interactive=False,
                visible=False, buttons=["download", "fullscreen"], elem_id="pictures-gallery",
            )  # fmt: skip
            about = gr.Markdown(elem_classes="facts", elem_id="pictures-about")
            dropped = gr.File(
                label="Drop a PNG made here for its settings", file_types=[".png"], height=150, elem_id="pictures-drop"
            )
    # Below both columns, so that on a telephone the picture comes before them.
    with gr.Accordion("Settings", open=True):
        widgets = [prompt, *_settings()]
    wire(page, opened, box, TASK, [box.dropdown], itself)
    box.dropdown.input(_suited, box.dropdown, widgets[2:6], **QUIET)
    dropped.upload(_read, dropped, [box.dropdown, *widgets], **QUIET)
    wire_run(run, _run, [box.dropdown, *widgets], [live, gallery, about])


def _settings() -> list[Any]:
    """The widgets of FIELDS but for the prompt."""
    first = suggested(BUILT_IN)
    negative = gr.Textbox(label="Negative prompt: what it must not show", lines=1, elem_id="pictures-negative")
    with gr.Row():
        steps_ = gr.Slider(
            1, 100, first["steps"], step=1, label="Steps", info="More are cleaner and slower.", min_width=250
        )
        guidance = gr.Slider(
            0, 20, first["guidance"], step=0.5, label="Guidance", info="How much the prompt counts.", min_width=250
        )
    with gr.Row():
        width = gr.Number(first["width"], label="Width", precision=0, step=8, min_width=100, elem_id="pictures-width")
        height = gr.Number(first["height"], label="Height", precision=0, step=8, min_width=100)
        seed = gr.Number(0, label="Seed", precision=0, minimum=0, min_width=100, elem_id="pictures-seed")
        count = gr.Slider(1, MOST_IMAGES, 1, step=1, label="Pictures", min_width=140)
    scheduler = gr.Dropdown(
        [("the model's own", ""), *((name, name) for name in SCHEDULERS if name)], value="", label="Scheduler",
        elem_id="pictures-scheduler",
    )  # fmt: skip
    return [negative, steps_, guidance, width, height, seed, count, scheduler]


def _suited(name: str | None) -> list[Any]:
    """Steps, guidance and size that suit the chosen model."""
    found = suggested(itself(name))
    return [found[key] for key in ("steps", "guidance", "width", "height")]


def _read(path: str | None) -> Any:
    """The settings of a dropped picture, for the widgets."""
    if not path:
        return gr.skip()
    try:
        asked, name = read_back(Path(path).read_bytes())
    except AppError as error:
        return toast(error)
    return [name or BUILT_IN, *(getattr(asked, field) for field in FIELDS)]


async def _run(turn: Turn, name: str, *values: Any) -> AsyncGenerator[tuple[Any, ...]]:
    made: list[Picture] = []
    nothing = (gr.skip(),) * 4
    try:
        asked = wish(_given(itself(name), values))
        yield "Beginning", gr.update(value=None, visible=True), gr.update(value=None, visible=False), ""
        job: Any = partial(draw, itself(name), asked)
        async with aclosing(steps(turn, job)) as batches:
            async for batch in batches:
                made += [item for item in batch if isinstance(item, Picture)]
                drawn = [item for item in batch if isinstance(item, Step)]
                said = next((item.text for item in batch if isinstance(item, Progress)), None)
                if drawn:
                    yield f"Step {drawn[-1].done} of {drawn[-1].steps}", _live(drawn, asked), gr.skip(), gr.skip()
                else:
                    yield (said, *nothing[1:]) if said else nothing
        if turn.over != "left":
            yield ended(turn, _count(made)), *_finished(made)
    except Exception as error:
        turn.over = turn.over or "done"
        yield problem(error, told), gr.skip(), gr.skip(), gr.skip()


def _given(name: str, values: tuple[Any, ...]) -> dict[str, Any]:
    """What the widgets say; one in a part of the page that was never opened says nothing."""
    told_ = {field: value for field, value in zip(FIELDS, values, strict=True) if value is not None}
    return {field: value for field, value in suggested(name).items() if field not in told_} | told_


def _live(drawn: list[Step], asked: Wish) -> Any:
    """The latest sketches side by side, as large as the pictures will be shown."""
    sketches = next((step.sketches for step in reversed(drawn) if step.sketches), None)
    if not sketches:
        return gr.skip()
    from PIL import Image

    scale = _SIDE / max(asked.width * len(sketches), asked.height)
    size = max(1, round(asked.width * scale)), max(1, round(asked.height * scale))
    sheet = Image.new("RGB", (size[0] * len(sketches), size[1]))
    for place, sketch in enumerate(sketches):
        sheet.paste(sketch.resize(size, Image.Resampling.BICUBIC), (place * size[0], 0))
    return sheet


def _finished(made: list[Picture]) -> tuple[Any, Any, str]:
    """In the place of the sketches the pictures themselves, the first one large, and what made it."""
    if not made:
        return gr.skip(), gr.skip(), ""
    images = [(one.image, f"seed {one.settings['seed']}") for one in made]
    told_ = ", ".join(f"{name.replace('_', ' ')} {plain(str(v))}" for name, v in made[0].settings.items() if v != "")
    # A tile of the gallery cuts a picture off; the one that is chosen is shown whole.
    shown = gr.update(value=images, visible=True, selected_index=0)
    return gr.update(visible=False), shown, f"Written into each PNG: {told_}"


def _count(made: list[Picture]) -> str:
    return f"{len(made)} {'picture' if len(made) == 1 else 'pictures'}" if made else ""
