"""Where models lie on this machine and what their files say. Reads JSON and file names only, never weights."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backends._local import LABEL
from core.errors import ModelMissing, RequestRefused
from core.remote import MALFORMED
from core.settings import settings

_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True, slots=True)
class Files:
    """A model's folder, known to hold safetensors and a chat template. `size` of the weights is in bytes."""

    name: str
    folder: Path
    config: dict[str, Any]
    template: str
    size: int

    @property
    def context_window(self) -> int | None:
        """The longest text in tokens, prompt and answer together; models that also see keep it one level down."""
        text = self.config.get("text_config") or self.config
        window = text.get("max_position_embeddings") or text.get("n_positions")
        return window if isinstance(window, int) else None

    @property
    def quantized(self) -> bool:
        """Whether the weights are stored in a reduced precision already, which cannot be reduced again."""
        return "quantization_config" in self.config


def installed() -> list[str]:
    """The names of the models that can hold a conversation: the built-in one first, then the Hub cache's."""
    from starter import PATH

    found = ["starter"] if (PATH / "config.json").is_file() else []
    return found + sorted(name for name in _cached() if _converses(name))


def files(name: str) -> Files:
    """The files of "starter", of a Hub id or of a folder. Asks nothing but the disk.

    Raises ModelMissing (`fetchable` for a Hub id), and RequestRefused for files that cannot or must not be used.
    """
    try:
        return _files(name)
    except (*MALFORMED, OSError, RuntimeError) as error:
        # The files are anybody's, and so is the name: whatever is wrong with them is theirs.
        raise RequestRefused(
            LABEL, "Download it again, or choose another model.", f"The files of {_shown(name)} cannot be read."
        ) from error


def _files(name: str) -> Files:
    there = folder(name)
    config = _json(there / "config.json")
    if not config:
        raise ModelMissing(LABEL, "Type a Hub id (owner/name) or a model's folder.", f"{_shown(name)} holds no model.")
    weights = _weights(name, there)
    template = _template(there)
    if not template:
        raise RequestRefused(
            LABEL, "Choose an instruction-tuned model.", f"{_shown(name)} has no chat template: it cannot converse."
        )
    return Files(name, there, config, template, sum(file.stat().st_size for file in weights))


def is_hub_id(name: str) -> bool:
    """Whether `name` looks like owner/name."""
    return _HUB_ID.fullmatch(name) is not None and ".." not in name


def folder(name: str) -> Path:
    """Where the files of "starter", of a Hub id or of a folder lie. Raises ModelMissing (`fetchable` for a Hub id)."""
    from starter import PATH

    if name == "starter":
        return PATH
    typed = Path(name).expanduser()
    # Strangers name no folder of this machine; a Hub id leads to what its owner has downloaded, and to nothing else.
    if not settings().public and typed.is_dir():
        return typed
    if not is_hub_id(name):
        raise ModelMissing(
            LABEL, "Type a Hub id (owner/name) or a model's folder.", f"There is no model {_shown(name)} here."
        )
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(name, "config.json")
    if not isinstance(config, str):
        raise _absent(name)
    return Path(config).parent


def _absent(name: str) -> ModelMissing:
    fetchable = not settings().public
    remedy = "Download it, or choose one that is." if fetchable else "Choose one of the list."
    return ModelMissing(LABEL, remedy, f"{_shown(name)} is not on this machine.", fetchable=fetchable)


def _weights(name: str, folder: Path) -> list[Path]:
    """The safetensors files, all of them there. A pickle can run any code when it is read, so none is."""
    parts = _json(folder / "model.safetensors.index.json").get("weight_map", {})
    wanted = sorted({folder / part for part in parts.values()}) or [folder / "model.safetensors"]
    if all(file.is_file() for file in wanted):
        return wanted
    if not parts and any(True for pattern in _PICKLED for _ in folder.glob(pattern)):
        raise RequestRefused(
            LABEL,
            "Choose a model with safetensors files.",
            f"{_shown(name)} holds its weights as pickle files only, which can run code of their own.",
        )
    if is_hub_id(name) and not Path(name).is_dir():
        raise _absent(name)
    raise ModelMissing(LABEL, "Copy them there.", f"Weights of {_shown(name)} are missing: {wanted[0].name}.")


def _template(folder: Path) -> str:
    """The chat template; of several named ones the one for tools."""
    alone = folder / "chat_template.jinja"
    if alone.is_file():
        return alone.read_text(encoding="utf-8")
    found = _json(folder / "tokenizer_config.json").get("chat_template") or _json(folder / "chat_template.json").get(
        "chat_template"
    )
    if isinstance(found, list):
        named = {row["name"]: row["template"] for row in found}
        found = named.get("tool_use") or named.get("default")
    return found if isinstance(found, str) else ""


def _cached() -> Iterator[str]:
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        repos = scan_cache_dir().repos
    except CacheNotFound:
        return
    yield from (repo.repo_id for repo in repos if repo.repo_type == "model" and is_hub_id(repo.repo_id))


def _converses(name: str) -> bool:
    try:
        found = files(name)
    except (ModelMissing, RequestRefused):
        return False
    architectures = found.config.get("architectures") or []
    return any(name.endswith(("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")) for name in architectures)


def _json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _shown(name: str) -> str:
    """`name` for an error's text, which is a format string."""
    return name[:100].replace("{", "{{").replace("}", "}}")
