"""Where a task's model lies on this machine, whether it is one for that task, and reading it with transformers."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from core import hub
from core.errors import BadReply, ModelMissing, RequestRefused
from core.hub import HERE, shown
from core.pipelines.builtin import FOLDER
from core.pipelines.task import BUILT_IN, Files, Task
from core.remote import MALFORMED


def found(task: Task, name: str) -> Files:
    """The files of "built-in", of a Hub id or of a folder. Asks nothing but the disk.

    Raises ModelMissing (`fetchable` for a Hub id), and RequestRefused for files that cannot or must not be used.
    """
    try:
        return _found(task, name)
    except ModelMissing as error:
        if not error.fetchable:
            raise
        remedy = "Download it first" + (", or choose the built-in model." if task.built_in else ".")
        raise ModelMissing(HERE, remedy, f"{shown(name)} is not on this machine.", fetchable=True) from error
    except (*MALFORMED, OSError, RuntimeError) as error:
        # The files are anybody's, and so is the name: whatever is wrong with them is theirs.
        raise RequestRefused(
            HERE, "Download it again, or choose another model.", f"The files of {shown(name)} cannot be read."
        ) from error


def _found(task: Task, name: str) -> Files:
    folder = _folder(task, name)
    config = hub.read_json(folder / task.file)
    if not config:
        raise _unfit(task, name, "is no model that this task can use" if any(folder.iterdir()) else "is empty")
    if not task.fits(config):
        raise _unfit(task, name, "is made for something else")
    files = tuple(_weights(name, folder, task.file, folder / "head.safetensors"))
    return Files(name, folder, files, _bytes(files))


def _folder(task: Task, name: str) -> Path:
    if name != BUILT_IN:
        return hub.place(name.strip(), task.file)
    if not task.built_in:
        raise RequestRefused(
            HERE, "Choose a model of the Hub.", f"There is no built-in model for {task.title.lower()}."
        )
    return FOLDER / task.home / "model"


def _unfit(task: Task, name: str, why: str) -> RequestRefused:
    return RequestRefused(HERE, f"Choose a model for {task.title.lower()}.", f"{shown(name)} {why}.")


def _weights(name: str, folder: Path, file: str, head: Path) -> list[Path]:
    if head.is_file():  # A built-in head: its encoder comes with the embedding model's package.
        return [head]
    if file != "model_index.json":
        return hub.weights(name, folder)
    parts = [part for part in sorted(folder.iterdir()) if (part / "config.json").is_file()]
    return [weight for part in parts for weight in _part(name, part)]


def _part(name: str, part: Path) -> list[Path]:
    """The weights of one part of a pipeline, in 16 bits where they are there twice."""
    for stem in ("diffusion_pytorch_model", "model"):
        for variant in (f"{stem}.fp16", stem):
            plain = part / f"{variant}.safetensors"
            if plain.is_file() or (part / f"{stem}.safetensors.index{variant[len(stem) :]}.json").is_file():
                return [plain] if plain.is_file() else sorted(part.glob(f"{stem}*{variant[len(stem) :]}*.safetensors"))
    return hub.weights(name, part, "model")


def _bytes(files: Iterable[Path]) -> int:
    """What the weights take in memory: 4 bytes a number on a processor, 2 on a GPU."""
    from core.machine import device

    return sum(map(_numbers, files)) * (4 if device() == "cpu" else 2)


def _numbers(file: Path) -> int:
    """How many numbers a safetensors file holds, by its header: 8 bytes of length, then JSON."""
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        if length > file.stat().st_size:
            raise ValueError("the file's header is longer than the file")
        header = json.loads(opened.read(length))
    return sum(math.prod(row["shape"]) for name, row in header.items() if name != "__metadata__")


def loaded(files: Files, auto: str) -> tuple[Any, Any]:
    """Model and tokenizer, read by transformers' class `auto`. Raises BadReply where weights are missing."""
    import torch
    import transformers

    from core.machine import device

    safe: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    model, report = getattr(transformers, auto).from_pretrained(
        files.folder, use_safetensors=True, output_loading_info=True,
        dtype=torch.float32 if device() == "cpu" else torch.float16, **safe,
    )  # fmt: skip
    if report["missing_keys"]:
        raise BadReply(HERE, "Download it again, or choose another one.", "The model's file lacks some of its weights.")
    with warnings.catch_warnings():
        # Marian's tokenizer asks for a package that would only unify quotation marks.
        warnings.filterwarnings("ignore", message=".*sacremoses")
        tokenizer = transformers.AutoTokenizer.from_pretrained(files.folder, **safe)
    return model.eval(), tokenizer
