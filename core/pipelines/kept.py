"""Models in memory: each read once however many ask, shown, unloaded, and the least used dropped when room is short."""

from __future__ import annotations

import gc
import logging
import threading
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from core.errors import AppError, BadReply, RequestRefused, SetupNeeded
from core.hub import HERE, shown
from core.machine import device, free_memory, free_ram, reading
from core.pipelines.files import found
from core.pipelines.task import Files, Task
from core.processors import processors

log = logging.getLogger(__name__)

_ROOM = 1.25  # What a model takes while it works, over its weights.


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A model that is ready. `memory` is its weights in bytes. Whoever uses `model` holds `turn`, a batch at a time."""

    task: str
    name: str
    model: Any
    memory: int
    turn: threading.Lock = field(default_factory=threading.Lock)


# Weights never change once they are read, so all visitors share them.
_models: OrderedDict[tuple[str, str], Future[Kept]] = OrderedDict()
_guard = threading.Lock()


def model(task: Task, name: str) -> Kept:
    """The model, read if nobody has asked for it before; blocks until it is there. Raises AppError."""
    use_all_processors()
    key = (task.name, name)
    with _guard:
        waiting = _models.get(key)
        future = waiting or Future[Kept]()
        _models[key] = future
        _models.move_to_end(key)
    if waiting is None:
        _fill(task, name, future)
    return future.result()


def listed() -> list[Kept]:
    """The models in memory, the one used last at the end."""
    return [future.result() for future in list(_models.values()) if future.done() and not future.exception()]


def unload(task: str, name: str) -> None:
    """Let a model go. Work that still uses it ends first."""
    with _guard:
        _models.pop((task, name), None)
    _give_back()


def use_all_processors() -> None:
    """Let torch use the processors that this process has, in the calling thread; its default is the host's number."""
    import torch

    torch.set_num_threads(max(1, int(processors())))


def _fill(task: Task, name: str, future: Future[Kept]) -> None:
    try:
        files = found(task, name)
        _make_room(files, task)
        with reading:
            read = task.read(files)
        future.set_result(Kept(task.name, name, read, _memory(read)))
    except BaseException as error:
        # Also of what ends the process: others wait for this future.
        with _guard:
            _models.pop((task.name, name), None)
        if not isinstance(error, AppError):
            log.exception("loading %s for %s failed", name, task.name)
        future.set_exception(error if isinstance(error, AppError) else _said(error, name))


def _make_room(files: Files, task: Task) -> None:
    """Raise RequestRefused when the model does not fit, also not without those that are kept."""
    free = free_ram if task.offloads else free_memory
    needed = files.size * _ROOM
    while needed > free() and (oldest := _oldest()):
        unload(*oldest)
    if needed > free():
        gigabytes = f"about {needed / 1e9:.1f} GB of memory, and {free() / 1e9:.1f} GB are free"
        raise RequestRefused(HERE, "Choose a smaller model.", f"{shown(files.name)} needs {gigabytes}.")


def _oldest() -> tuple[str, str] | None:
    with _guard:
        return next((key for key, future in _models.items() if future.done()), None)


def _give_back() -> None:
    import torch

    gc.collect()
    if device() == "cuda":
        torch.cuda.empty_cache()


def _memory(read: Any) -> int:
    """The weights of a transformers pipeline, of a diffusers pipeline, or of whatever has a `model`."""
    parts = read.components.values() if hasattr(read, "components") else [read.model]
    weights = (tensor for part in parts if hasattr(part, "parameters") for tensor in part.parameters())
    return sum(tensor.numel() * tensor.element_size() for tensor in weights)


def _said(error: BaseException, name: str) -> AppError:
    """What went wrong while reading a model, in a sentence."""
    text = str(error).lower()
    if isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text:
        return RequestRefused(HERE, "Choose a smaller model.", f"There is not enough memory for {shown(name)}.")
    if isinstance(error, ImportError):
        return SetupNeeded("The model needs a Python package that is not installed. Choose another model.")
    if "trust_remote_code" in text:
        remedy = "Choose another model."
        return RequestRefused(HERE, remedy, f"{shown(name)} needs code of its own, which is not run here.")
    return BadReply(
        HERE, "Download it again, or choose another one.", f"The files of {shown(name)} are damaged or do not fit."
    )
