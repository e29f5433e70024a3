"""The pipelines as an API: `/sentiment`, `/entities`, `/translate`, `/image`. These names are stable."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from gradio.events import api

from core.budget import admit
from core.pipelines import diffusion
from core.pipelines import entities as entity_task
from core.pipelines import sentiment as sentiment_task
from core.pipelines import translation as translation_task
from core.pipelines.picture import png, wish
from core.pipelines.task import BUILT_IN, Tell, gathered
from tabs.parts import refusal

_AT_ONCE = 4  # works of all visitors; each uses all processors


def endpoints() -> None:
    """Make the four endpoints known to Gradio."""
    for name, run in {"sentiment": sentiment, "entities": entities, "translate": translate, "image": image}.items():
        api(run, api_name=name, concurrency_limit=_AT_ONCE, concurrency_id="pipelines")


def sentiment(text: Any, model: str = BUILT_IN, labels: list[str] | None = None) -> Any:
    """Of a text: label, score and all scores; of a list of texts, a list of these. `labels`: your own, zero-shot."""
    found = _numbered(
        lambda tell: sentiment_task.sentiment(model or BUILT_IN, _listed(text), tell, labels=labels or ())
    )
    rows = [
        {
            "label": one.scores[0][0] if one.scores else None, "score": one.scores[0][1] if one.scores else None,
            "scores": dict(one.scores), "error": one.error,
        }
        for one in found
    ]  # fmt: skip
    return rows if isinstance(text, list) else rows[0]


def entities(text: Any, model: str = BUILT_IN, strategy: str = "first") -> Any:
    """Of a text, its entities with label, text, start, end (characters) and score; of a list of texts, a list of lists.

    A text that failed raises alone; in a list it is null.
    """
    found = _numbered(lambda tell: entity_task.entities(model or BUILT_IN, _listed(text), tell, strategy=strategy))
    rows = [None if one.error else [asdict(entity) for entity in one.entities] for one in found]
    return rows if isinstance(text, list) else rows[0]


def translate(text: Any, source: str = "", target: str = "en", model: str = "") -> Any:
    """Of a text: translation, source language and, where something is missing, error; of a list, a list of these."""
    name = model or translation_task.BY_PAIR
    found = _numbered(lambda tell: translation_task.translate(name, _listed(text), target, tell, source=source))
    rows = [{"translation": one.text, "source": one.source, "error": one.error} for one in found]
    return rows if isinstance(text, list) else rows[0]


def image(
    prompt: str, negative_prompt: str = "", steps: int | None = None, guidance: float | None = None,
    width: int | None = None, height: int | None = None, seed: int = 0, model: str = BUILT_IN, scheduler: str = "",
) -> dict[str, Any]:  # fmt: skip
    """The picture as a PNG in a data: address, and the settings that made it, which are in the PNG too."""
    name = model or BUILT_IN
    given = {
        "prompt": prompt, "negative_prompt": negative_prompt, "steps": steps, "guidance": guidance, "width": width,
        "height": height, "seed": seed, "scheduler": scheduler,
    }  # fmt: skip
    try:
        asked = wish(diffusion.suggested(name) | {key: value for key, value in given.items() if value is not None})
        made = next(one for one in _told(lambda tell: diffusion.draw(name, asked, tell)) if _is_picture(one))
    except Exception as error:
        raise refusal(error) from error
    return {
        "image": f"data:image/png;base64,{base64.b64encode(png(made.image)).decode()}",
        "settings": made.settings,
    }


def _is_picture(item: Any) -> bool:
    return isinstance(item, diffusion.Picture)


def _listed(text: Any) -> list[Any]:
    return text if isinstance(text, list) else [text]


def _told(work: Callable[[Tell[Any]], None]) -> list[Any]:
    told: list[Any] = []
    admit()
    work(told.append)
    return told


def _numbered(work: Callable[[Tell[Any]], None]) -> list[Any]:
    """The last word on each text, in order. Raises what the page shows."""
    try:
        admit()
        return gathered(work)
    except Exception as error:
        raise refusal(error) from error
