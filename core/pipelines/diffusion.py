"""Pictures from words: any diffusers pipeline that takes a prompt, step by step, stopped within a step."""

from __future__ import annotations

import copy
import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.errors import BadSetting, RequestRefused
from core.hub import HERE, shown
from core.llm import Progress
from core.pipelines.encoder import said
from core.pipelines.kept import Kept, model
from core.pipelines.picture import SCHEDULERS, Wish, described, marked
from core.pipelines.sketch import Sketch, fitted
from core.pipelines.task import BUILT_IN, Files, Task, Tell

_BETWEEN = 0.08  # Seconds between two sketches: a GPU would wait for each of them.


@dataclass(frozen=True, slots=True)
class Painter:
    """A pipeline, and what shows its half-made pictures."""

    pipe: Any
    sketch: Sketch | None
    offloaded: bool

    @property
    def components(self) -> dict[str, Any]:
        """The pipeline's models and the rest of it."""
        found: dict[str, Any] = self.pipe.components
        return found


def _read(files: Files) -> Painter:
    import torch
    from diffusers import DiffusionPipeline
    from diffusers.utils import logging

    from core.machine import device, free_memory

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    where = device()
    short = files.size * 1.5 > free_memory()  # Before the weights take their part of it.
    variant = "fp16" if any(".fp16" in file.name for file in files.weights) else None
    number = torch.float32 if where == "cpu" else torch.float16 if variant else _half()
    pipe = DiffusionPipeline.from_pretrained(
        files.folder, local_files_only=True, use_safetensors=True, dtype=number, variant=variant
    )
    pipe.set_progress_bar_config(disable=True)
    if "prompt" not in inspect.signature(pipe.__call__).parameters:
        raise RequestRefused(HERE, "Choose another model.", f"{shown(files.name)} does not draw from words.")
    offloaded = short and where == "cuda"
    if offloaded:
        pipe.enable_model_cpu_offload()
    else:
        pipe.to(where)
    if short:
        pipe.enable_attention_slicing()
    vae = getattr(pipe, "vae", None)
    return Painter(pipe, fitted(vae) if vae is not None and not offloaded else None, offloaded)


def _half() -> Any:
    """The 16-bit type of this GPU: bfloat16's range keeps decoders from overflowing."""
    import torch

    return torch.bfloat16 if torch.cuda.is_available() and torch.cuda.is_bf16_supported() else torch.float16


TASK = Task(
    name="diffusion",
    title="Pictures",
    order=40,
    models=("stabilityai/sd-turbo", "stabilityai/sdxl-turbo", "stable-diffusion-v1-5/stable-diffusion-v1-5"),
    fits=lambda config: str(config.get("_class_name", "")).endswith("Pipeline"),
    read=_read,
    file="model_index.json",
    home="shapes",
    built_in="Coloured shapes, 128 pixels wide: “a red circle left of a blue square on yellow”.",
    offloads=True,
)


@dataclass(frozen=True, slots=True)
class Step:
    """`done` of `steps` are over; what the pictures look like by now, small, or nothing where that cannot be told."""

    done: int
    steps: int
    sketches: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A finished picture of Pillow's, with the settings that make it again in its `info`."""

    image: Any
    settings: dict[str, Any]


def suggested(name: str) -> dict[str, Any]:
    """Settings that suit a model, by its name: distilled ones need few steps and no guidance."""
    low = name.lower()
    if name == BUILT_IN:
        return {"steps": 20, "guidance": 3.0, "width": 128, "height": 128}
    size = 1024 if "xl" in low and "turbo" not in low else 512
    if any(sign in low for sign in ("turbo", "lightning", "schnell", "lcm", "hyper")):
        return {"steps": 2 if "turbo" in low else 4, "guidance": 0.0, "width": size, "height": size}
    return {"steps": 25, "guidance": 7.0, "width": size, "height": size}


def draw(name: str, asked: Wish, tell: Tell[Progress | Step | Picture]) -> None:
    """Tell the steps, then the pictures. Whoever draws with the same model takes turns, a step each. Raises AppError.

    The same wish gives the same pictures on the same machine, whatever else is drawn meanwhile.
    """
    tell(Progress(f"Reading {name}"))
    kept = model(TASK, name)
    painter: Painter = kept.model
    pipe = _own(painter.pipe, asked.scheduler)
    turn = _Turn(kept, tell)
    try:
        turn.take()
        images = pipe(**_options(pipe, asked, _follower(painter, asked, turn, tell))).images
    except Exception as error:
        raise said(error) from error
    finally:
        turn.give()
        if painter.offloaded:
            pipe.maybe_free_model_hooks()
    for number, image in enumerate(images):
        settings = described(asked, name, number)
        tell(Picture(marked(image, settings), settings))


def _own(pipe: Any, scheduler: str) -> Any:
    """The pipeline with a state and a scheduler of this call's own; the models are everybody's."""
    import diffusers

    own, wanted = copy.copy(pipe), SCHEDULERS[scheduler]
    kind = getattr(diffusers, wanted) if wanted else type(pipe.scheduler)
    if wanted and kind not in [*pipe.scheduler.compatibles, type(pipe.scheduler)]:
        raise BadSetting(f"This model does not work with the scheduler {scheduler}. Choose another one.")
    own.scheduler = kind.from_config(pipe.scheduler.config)
    return own


def _options(pipe: Any, asked: Wish, follower: Callable[..., Any]) -> dict[str, Any]:
    """What the pipeline is called with: those of our settings that it knows."""
    import torch

    seeds = [(asked.seed + number) % 2**32 for number in range(asked.count)]
    wanted = {
        "prompt": asked.prompt, "negative_prompt": asked.negative_prompt or None, "num_inference_steps": asked.steps,
        "guidance_scale": asked.guidance, "width": asked.width, "height": asked.height,
        "num_images_per_prompt": asked.count, "callback_on_step_end": follower,
        # On the CPU, so that every machine draws the same noise.
        "generator": [torch.Generator("cpu").manual_seed(seed) for seed in seeds],
    }  # fmt: skip
    known = inspect.signature(pipe.__call__).parameters
    return {name: value for name, value in wanted.items() if name in known}


def _follower(painter: Painter, asked: Wish, turn: _Turn, tell: Tell[Any]) -> Callable[..., dict[str, Any]]:
    """Called by the pipeline after every step: tells it, which raises when nobody wants more, and gives the turn on."""
    shown_at = 0.0

    def follow(pipe: Any, step: int, when: Any, values: dict[str, Any]) -> dict[str, Any]:
        nonlocal shown_at
        latents, sketches = values.get("latents"), ()
        due = time.monotonic() - shown_at > _BETWEEN or step + 1 >= asked.steps
        if painter.sketch is not None and latents is not None and latents.ndim == 4 and due:
            sketches = tuple(painter.sketch.pictures(latents))
            shown_at = time.monotonic()
        tell(Step(min(step + 1, asked.steps), asked.steps, sketches))
        turn.pass_on()
        return {}

    return follow


class _Turn:
    """Whose step it is."""

    def __init__(self, kept: Kept, tell: Tell[Any]) -> None:
        self._kept, self._tell, self._mine = kept, tell, False

    def take(self) -> None:
        """Wait for it; who is no longer wanted stops waiting."""
        while not self._kept.turn.acquire(timeout=0.2):
            self._tell(Progress("Waiting for another picture"))
        self._mine = True

    def give(self) -> None:
        """Let the next one have it."""
        if self._mine:
            self._mine = False
            self._kept.turn.release()

    def pass_on(self) -> None:
        """Let the others have a step."""
        self.give()
        time.sleep(0)
        self.take()
