"""Whether a picture shows what was asked for, by its pixels alone. Knows nothing of the model that drew it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from core.pipelines.builtin.shapes.draw import drawn
from core.pipelines.builtin.shapes.scenes import COLOURS, PLACES, SHAPES, Request, Scene, Thing

_TOLERANCE = 0.3  # How far from its place a thing may stand, in half pictures.
_LEAST = 0.004  # Share of the picture below which a patch is a blemish and no thing.
_SIDE = 32  # Pixels of the templates that shapes are compared with.


@dataclass(frozen=True, slots=True)
class Seen:
    """A patch of one colour: what it looks like, where its middle is and half of its greater extent, as in scenes."""

    shape: str
    colour: str
    x: float
    y: float
    size: float


def seen(picture: Any) -> tuple[str, list[Seen]]:
    """The ground's colour and the things on it. `picture` is [height, width, 3] of bytes."""
    from scipy.ndimage import label

    names, palette = list(COLOURS), np.array(list(COLOURS.values()), dtype=np.float32)
    pixels = np.asarray(picture, dtype=np.float32)
    nearest = ((pixels[:, :, None, :] - palette) ** 2).sum(-1).argmin(-1)
    border = np.concatenate([nearest[0], nearest[-1], nearest[:, 0], nearest[:, -1]])
    ground = int(np.bincount(border, minlength=len(names)).argmax())
    # A pixel that lies near the ground's colour is the blend at an edge, whatever palette colour is nearest.
    is_thing = (np.abs(pixels - palette[ground]).max(-1) > 60) & (nearest != ground)
    patches, count = label(is_thing)
    found = [_thing(patches == number, nearest, names) for number in range(1, count + 1)]
    return names[ground], [thing for thing, share in found if share > _LEAST]


def _thing(mask: Any, nearest: Any, names: list[str]) -> tuple[Seen, float]:
    rows, columns = np.where(mask)
    top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    height, width = mask.shape
    colour = names[int(np.bincount(nearest[mask], minlength=len(names)).argmax())]
    shape = _shape(mask[top:bottom, left:right])
    x, y = (left + right) / width - 1, (top + bottom) / height - 1
    size = max((bottom - top) / height, (right - left) / width)
    return Seen(shape, colour, float(x), float(y), float(size)), float(mask.mean())


def _shape(mask: Any) -> str:
    """The shape whose template overlaps most, both stretched to the same square."""
    small = _stretched(mask)
    overlap = {name: (small & form).sum() / (small | form).sum() for name, form in _templates().items()}
    return max(overlap, key=lambda name: overlap[name])


@cache
def _templates() -> dict[str, Any]:
    pictures = drawn([Scene((Thing(shape, "black", 0, 0, 0.7),), "white") for shape in SHAPES])
    found = {}
    for shape, picture in zip(SHAPES, pictures.numpy(), strict=True):
        mask = picture[0] < 0
        rows, columns = np.where(mask)
        found[shape] = _stretched(mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1])
    return found


def _stretched(mask: Any) -> Any:
    rows = (np.arange(_SIDE) + 0.5) * mask.shape[0] / _SIDE
    columns = (np.arange(_SIDE) + 0.5) * mask.shape[1] / _SIDE
    return mask[np.ix_(rows.astype(int), columns.astype(int))]


def wrong(picture: Any, wanted: Request) -> str:
    """What of the request the picture does not show, "" when it shows all of it."""
    ground, things = seen(picture)
    asked = [(wanted.shape, wanted.colour)] * wanted.count + ([wanted.second] if wanted.relation else [])
    if ground != (wanted.ground or "white"):
        return f"ground {ground}"
    if len(things) != len(asked):
        return f"{len(things)} things"
    if sorted(thing.colour for thing in things) != sorted(colour for _, colour in asked):
        return "colours " + ", ".join(thing.colour for thing in things)
    if sorted((thing.shape, thing.colour) for thing in things) != sorted(asked):
        return "shapes " + ", ".join(f"{thing.colour} {thing.shape}" for thing in things)
    return _misplaced(things, wanted)


def _misplaced(things: list[Seen], wanted: Request) -> str:
    if wanted.relation:
        first, second = things
        if (first.shape, first.colour) != (wanted.shape, wanted.colour):
            first, second = second, first
        if (wanted.shape, wanted.colour) == wanted.second:
            return ""
        gap = {"left of": second.x - first.x, "right of": first.x - second.x}
        gap |= {"above": second.y - first.y, "below": first.y - second.y}
        return "" if gap.get(wanted.relation, 1.0) > 0.2 else f"not {wanted.relation}"
    if wanted.count > 1:
        return ""
    (thing,) = things
    x, y = PLACES.get(wanted.place, (0.0, 0.0))
    if max(abs(thing.x - x), abs(thing.y - y)) > _TOLERANCE:
        return f"stands at {thing.x:.2f}, {thing.y:.2f}"
    sizes = {"small": (0.0, 0.29), "big": (0.42, 1.0)}
    least, most = sizes.get(wanted.size, (0.0, 1.0))
    return "" if least <= thing.size <= most else f"size {thing.size:.2f}"
