"""What a task is: the models it runs on and how one is read. Each file of this folder with a TASK is one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from core.plugins import modules

T = TypeVar("T")
# How a work hands on what it has, item by item. It raises core.jobs.Stopped when nobody wants the rest.
Tell = Callable[[T], None]

BUILT_IN = "built-in"


@dataclass(frozen=True, slots=True)
class Files:
    """A model's files, looked at but not read. `weights` are safetensors; `size` is what they take read, in bytes."""

    name: str
    folder: Path
    weights: tuple[Path, ...]
    size: int


@dataclass(frozen=True, slots=True)
class Task:
    """One thing that models do. `models` are the Hub ids that the page offers; any other may be typed.

    `file` tells that a folder holds a model of this kind, `fits` whether its content, JSON, is one for this task;
    `read` makes it ready for work. `built_in` says what the model that comes along can do, "" where there is none.
    """

    name: str
    title: str
    order: int
    models: tuple[str, ...]
    fits: Callable[[dict[str, Any]], bool]
    read: Callable[[Files], Any]
    file: str = "config.json"
    built_in: str = ""
    home: str = ""  # the folder of the built-in model below builtin/
    offloads: bool = False  # whether `read` copes with a GPU that is too small

    @property
    def choices(self) -> list[str]:
        """What the page offers, the built-in model first: it is there without a download."""
        return ([BUILT_IN] if self.built_in else []) + list(self.models)


def gathered(work: Callable[[Tell[Any]], None]) -> list[Any]:
    """What `work` tells last of each text, in the order of the texts; how far it was meanwhile is left out."""
    told: list[Any] = []
    work(told.append)
    last = {one.number: one for batch in told if isinstance(batch, list) for one in batch}
    return [last[number] for number in sorted(last)]


def tasks() -> list[Task]:
    """Every task of this folder, in the order in which the page shows them."""
    found = (getattr(module, "TASK", None) for module in modules(sys.modules["core.pipelines"]))
    return sorted((task for task in found if task is not None), key=lambda task: task.order)


def architecture(*endings: str) -> Callable[[dict[str, Any]], bool]:
    """For `Task.fits`: whether a transformers model's class has one of these endings."""
    return lambda config: any(str(name).endswith(endings) for name in config.get("architectures") or [])
