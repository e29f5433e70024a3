"""Where models of the Hugging Face Hub lie on this machine, and what of them may be read. Asks the disk alone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.errors import ModelMissing, RequestRefused
from core.settings import settings

HERE = "This machine"

_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def is_hub_id(name: str) -> bool:
    """Whether `name` looks like owner/name."""
    return _HUB_ID.fullmatch(name) is not None and ".." not in name


def place(name: str, file: str = "config.json") -> Path:
    """The folder of a Hub id, or the folder itself; a model's folder has `file` in it.

    Raises ModelMissing (`fetchable` for a Hub id, where downloading is allowed).
    """
    typed = Path(name).expanduser()
    # Strangers name no folder of this machine; a Hub id leads to what its owner has downloaded, and to nothing else.
    if not settings().public and typed.is_dir():
        return typed
    if not is_hub_id(name):
        raise ModelMissing(
            HERE, "Type a Hub id (owner/name) or a model's folder.", f"There is no model {shown(name)} here."
        )
    found = _snapshots(name, file)
    if not found:
        raise absent(name)
    # A repository whose weights are pickled may have a second revision in which they are not (core/download.py).
    return next((folder for folder in found if any(folder.rglob("*.safetensors"))), found[0])


def _snapshots(name: str, file: str) -> list[Path]:
    """The revisions of a Hub id that were downloaded, the main one first."""
    from huggingface_hub import constants, try_to_load_from_cache
    from huggingface_hub.file_download import repo_folder_name

    main = try_to_load_from_cache(name, file)
    kept = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=name, repo_type="model") / "snapshots"
    others = sorted(path.parent for path in kept.glob(f"*/{file}"))
    return ([Path(main).parent] if isinstance(main, str) else []) + others


def absent(name: str) -> ModelMissing:
    """The error for a Hub id that is not on this machine."""
    fetchable = not settings().public
    remedy = "Download it, or choose one that is." if fetchable else "Choose one of the list."
    return ModelMissing(HERE, remedy, f"{shown(name)} is not on this machine.", fetchable=fetchable)


def weights(name: str, folder: Path, stem: str = "model") -> list[Path]:
    """The safetensors files `stem` in `folder`, all of them there. A pickle can run any code when read, so none is.

    Raises ModelMissing, and RequestRefused where there are pickles only.
    """
    parts = read_json(folder / f"{stem}.safetensors.index.json").get("weight_map", {})
    wanted = sorted({folder / part for part in parts.values()}) or [folder / f"{stem}.safetensors"]
    if all(file.is_file() for file in wanted):
        return wanted
    if not parts and any(True for pattern in _PICKLED for _ in folder.glob(pattern)):
        raise RequestRefused(
            HERE,
            "Choose a model with safetensors files.",
            f"{shown(name)} holds its weights as pickle files only, which can run code of their own.",
        )
    if is_hub_id(name) and not Path(name).is_dir():
        raise absent(name)
    raise ModelMissing(HERE, "Copy them there.", f"Weights of {shown(name)} are missing: {wanted[0].name}.")


def cached() -> Iterator[str]:
    """The Hub ids of the models that were downloaded, whole or not."""
    from huggingface_hub import constants, scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        repos = scan_cache_dir(constants.HF_HUB_CACHE).repos
    except CacheNotFound:
        return
    yield from (repo.repo_id for repo in repos if repo.repo_type == "model" and is_hub_id(repo.repo_id))


def read_json(file: Path) -> dict[str, Any]:
    """The object in a file, an empty one where there is none."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def shown(name: str) -> str:
    """`name` for an error's text, which is a format string."""
    return name[:100].replace("{", "{{").replace("}", "}}")
