"""What a picture is asked for with, checked; and how that is written into the PNG and read out of it again."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields
from io import BytesIO
from typing import Any

from core.errors import BadSetting
from core.settings import settings

KEY = "switchboard"  # The name of the PNG's text chunk.
MOST_IMAGES = 8
SIZES = (64, 2048)
# As people know them: the class of diffusers. "" keeps the model's own.
SCHEDULERS = {
    "": "",
    "DDIM": "DDIMScheduler",
    "Euler": "EulerDiscreteScheduler",
    "Euler ancestral": "EulerAncestralDiscreteScheduler",
    "Heun": "HeunDiscreteScheduler",
    "DPM++ 2M": "DPMSolverMultistepScheduler",
    "UniPC": "UniPCMultistepScheduler",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for. Sizes are in pixels; `seed` is the first picture's, each further one has the next number."""

    prompt: str
    negative_prompt: str = ""
    steps: int = 20
    guidance: float = 3.0
    width: int = 128
    height: int = 128
    seed: int = 0
    scheduler: str = ""
    count: int = 1


_RANGES: dict[str, tuple[float, float]] = {
    "steps": (1, 150), "guidance": (0, 30), "width": SIZES, "height": SIZES, "seed": (0, 2**32 - 1),
    "count": (1, MOST_IMAGES),
}  # fmt: skip


def wish(values: dict[str, Any]) -> Wish:
    """The wish that `values` describe; what is not given has its default. Raises BadSetting."""
    known = {field.name: field for field in fields(Wish)}
    given = {name: value for name, value in values.items() if name in known and value is not None}
    for name, (low, high) in _RANGES.items():
        if name in given:
            given[name] = _number(name, given[name], low, high)
    for name in ("width", "height"):
        if given.get(name, 8) % 8:
            raise BadSetting(f"The {name} must be a multiple of 8.")
    if given.get("scheduler", "") not in SCHEDULERS:
        raise BadSetting(f"The scheduler must be one of {', '.join(filter(None, SCHEDULERS))}.")
    for name in ("prompt", "negative_prompt"):
        given[name] = _text(given.get(name, ""))
    if not given["prompt"]:
        raise BadSetting("There is no prompt. Write what the picture is to show.")
    return Wish(**given)


def _number(name: str, value: Any, low: float, high: float) -> float | int:
    whole = name != "guidance"
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadSetting(f"The {name} must be a number.")
    if not low <= value <= high:
        raise BadSetting(f"The {name} must be between {low:g} and {high:g}.")
    return int(value) if whole else float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise BadSetting("The prompt must be a text.")
    if len(value) > min(5000, settings().longest_message):
        raise BadSetting("The prompt has more than 5,000 characters. Models read some hundred of them.")
    return value.encode("utf-8", "replace").decode().replace("\0", " ").strip()


def described(asked: Wish, model: str, number: int) -> dict[str, Any]:
    """The settings of picture `number` alone: given again, they make the same one."""
    return asdict(asked) | {"seed": (asked.seed + number) % 2**32, "count": 1, "model": model}


def marked(picture: Any, told: dict[str, Any]) -> Any:
    """The picture with its settings: Pillow and Gradio write them into the PNG."""
    picture.info[KEY] = json.dumps(told, ensure_ascii=False)
    return picture


def png(picture: Any) -> bytes:
    """The picture as a PNG, its settings in it."""
    from PIL import PngImagePlugin

    info, out = PngImagePlugin.PngInfo(), BytesIO()
    info.add_itxt(KEY, picture.info.get(KEY, "{}"))
    picture.save(out, "PNG", pnginfo=info)
    return out.getvalue()


def read_back(data: bytes) -> tuple[Wish, str]:
    """The wish and the model's name that a PNG was made with. Raises BadSetting."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(BytesIO(data), formats=["PNG"]) as opened:
            # Pillow reads chunks after the picture only with the picture, whose size is told before it is unpacked.
            written = opened.info.get(KEY)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadSetting("This is no PNG that can be read.") from error
    if not isinstance(written, str):
        raise BadSetting("This picture does not tell how it was made.")
    try:
        told = json.loads(written)
        return wish(told), str(told.get("model", ""))[:200]
    except (ValueError, AttributeError, RecursionError) as error:
        raise BadSetting("What this picture tells of itself cannot be read.") from error
