"""Scenes as pictures, many at once, on the CPU or a GPU. The formulas are signed distances to unit shapes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from core.pipelines.builtin.shapes.scenes import COLOURS, SHAPES, Scene

PIXELS = 128
_MOST = 4  # Things in a picture.


def drawn(scenes: Sequence[Scene], device: str = "cpu") -> Any:
    """The pictures as a tensor: [scene, 3, PIXELS, PIXELS], from -1 to 1, with smooth edges."""
    import torch

    axis = (torch.arange(PIXELS, device=device) + 0.5) / PIXELS * 2 - 1
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    picture = _colours([scene.ground for scene in scenes], device)[:, :, None, None].expand(-1, -1, PIXELS, PIXELS)
    for place in range(_MOST):
        here = [(number, scene.things[place]) for number, scene in enumerate(scenes) if len(scene.things) > place]
        if not here:
            break
        at = torch.tensor([[thing.x, thing.y, thing.size] for _, thing in here], device=device)[..., None, None]
        cover = _cover((x - at[:, 0]) / at[:, 2], (y - at[:, 1]) / at[:, 2], [thing.shape for _, thing in here])
        # Half a pixel to each side of the edge is blended.
        cover = (0.5 - cover * at[:, 2] * PIXELS / 2).clamp(0, 1)[:, None]
        whole = torch.zeros(len(scenes), 1, PIXELS, PIXELS, device=device)
        rows = torch.tensor([number for number, _ in here], device=device)
        whole[rows] = cover
        colours = torch.zeros(len(scenes), 3, device=device)
        colours[rows] = _colours([thing.colour for _, thing in here], device)
        picture = picture * (1 - whole) + colours[:, :, None, None] * whole
    return picture


def _colours(names: Sequence[str], device: str) -> Any:
    import torch

    return torch.tensor([COLOURS[name] for name in names], device=device, dtype=torch.float32) / 127.5 - 1


def _cover(x: Any, y: Any, shapes: Sequence[str]) -> Any:
    """The distance of each pixel to the edge of its picture's shape, in units of the shape's size, below 0 inside."""
    import torch

    found = torch.empty_like(x)
    for shape in SHAPES:
        rows = torch.tensor([name == shape for name in shapes], device=x.device)
        if rows.any():
            found[rows] = _distance(shape, x[rows], y[rows])
    return found


def _distance(shape: str, x: Any, y: Any) -> Any:
    import torch

    far = torch.hypot(x, y)
    match shape:
        case "circle":
            return far - 1
        case "square":
            return torch.maximum(x.abs(), y.abs()) - 0.88
        case "diamond":
            return (x.abs() * 1.35 + y.abs() - 1.1) / 1.68
        case "triangle":
            low = y - 0.25
            return torch.maximum(low - 0.5, (x.abs() * math.sqrt(3) - low) / 2 - 0.5)
        case "ring":
            return (far - 0.74).abs() - 0.24
        case "cross":
            across, along = torch.minimum(x.abs(), y.abs()), torch.maximum(x.abs(), y.abs())
            return torch.maximum(across - 0.3, along - 1)
        case "heart":
            return _heart(x, y)
    return _star(x, y)


def _star(x: Any, y: Any) -> Any:
    """Five points: the fold of a fifth of the circle onto one edge."""
    import torch

    fifth = 2 * math.pi / 5
    angle = torch.atan2(x, -y)
    folded = (torch.remainder(angle + fifth / 2, fifth) - fifth / 2).abs()
    far = torch.hypot(x, y)
    u, v = far * torch.sin(folded), far * torch.cos(folded)
    # The edge runs from the point (0, 1) to the notch, at a tenth of the circle and 0.42 of the radius.
    notch = (0.42 * math.sin(fifth / 2), 0.42 * math.cos(fifth / 2))
    normal = (1 - notch[1], notch[0])
    length = math.hypot(*normal)
    return (u * normal[0] + (v - 1) * normal[1]) / length


def _heart(x: Any, y: Any) -> Any:
    """(x² + y² - 1)³ = x² y³, divided by its slope to read as a distance."""
    a, b = x * 1.15, -y * 1.15 + 0.1
    ring = a * a + b * b - 1
    value = ring**3 - a * a * b**3
    du = 6 * a * ring**2 - 2 * a * b**3
    dv = 6 * b * ring**2 - 3 * a * a * b * b
    return value / ((du * du + dv * dv).sqrt() * 1.15 + 0.02)
