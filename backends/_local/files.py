"""Where models lie on this machine and what their files say. Reads JSON and file names only, never weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backends._local import LABEL
from core import hub
from core.errors import ModelMissing, RequestRefused
from core.remote import MALFORMED


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
    return found + sorted(name for name in hub.cached() if _converses(name))


def files(name: str) -> Files:
    """The files of "starter", of a Hub id or of a folder. Asks nothing but the disk.

    Raises ModelMissing (`fetchable` for a Hub id), and RequestRefused for files that cannot or must not be used.
    """
    try:
        return _files(name)
    except (*MALFORMED, OSError, RuntimeError) as error:
        # The files are anybody's, and so is the name: whatever is wrong with them is theirs.
        raise RequestRefused(
            LABEL, "Download it again, or choose another model.", f"The files of {hub.shown(name)} cannot be read."
        ) from error


def _files(name: str) -> Files:
    there = folder(name)
    config = hub.read_json(there / "config.json")
    if not config:
        raise ModelMissing(
            LABEL, "Type a Hub id (owner/name) or a model's folder.", f"{hub.shown(name)} holds no model."
        )
    weights = hub.weights(name, there)
    template = _template(there)
    if not template:
        raise RequestRefused(
            LABEL, "Choose an instruction-tuned model.", f"{hub.shown(name)} has no chat template: it cannot converse."
        )
    return Files(name, there, config, template, sum(file.stat().st_size for file in weights))


def folder(name: str) -> Path:
    """Where the files of "starter", of a Hub id or of a folder lie. Raises ModelMissing (`fetchable` for a Hub id)."""
    from starter import PATH

    if name == "starter":
        return PATH
    return hub.place(name)


def _template(folder: Path) -> str:
    """The chat template; of several named ones the one for tools."""
    alone = folder / "chat_template.jinja"
    if alone.is_file():
        return alone.read_text(encoding="utf-8")
    found = hub.read_json(folder / "tokenizer_config.json").get("chat_template") or hub.read_json(
        folder / "chat_template.json"
    ).get("chat_template")
    if isinstance(found, list):
        named = {row["name"]: row["template"] for row in found}
        found = named.get("tool_use") or named.get("default")
    return found if isinstance(found, str) else ""


def _converses(name: str) -> bool:
    try:
        found = files(name)
    except (ModelMissing, RequestRefused):
        return False
    architectures = found.config.get("architectures") or []
    return any(name.endswith(("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")) for name in architectures)
