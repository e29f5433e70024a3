"""Any sentence-transformers model that lies on this machine: run by torch, its own prompts kept, never fetched."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import BadSetting, SetupNeeded
from core.machine import reading

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True, slots=True)
class SentenceModel:
    """An Embedder."""

    name: str
    revision: str
    dimension: int
    max_tokens: int
    _model: SentenceTransformer
    # The tokenizer changes its own settings while it encodes, and fails where two threads do so at once.
    _lock: Lock

    def tokens(self, text: str) -> int:
        """How many tokens `text` has."""
        with self._lock:
            return len(self._model.tokenizer.encode(text, truncation=False, verbose=False))

    def embed(self, texts: Sequence[str], query: bool = False) -> NDArray[np.float32]:
        """Vectors (n, dimension) of unit length, with the model's own prompt for a query or a passage."""
        if not texts:
            return np.empty((0, self.dimension), np.float32)
        encode = self._model.encode_query if query else self._model.encode_document
        with self._lock:
            made: Any = encode(list(texts), normalize_embeddings=True, show_progress_bar=False, convert_to_numpy=True)
        vectors: NDArray[np.float32] = np.asarray(made, np.float32)
        return vectors


@cache
def sentence_model(model: str) -> SentenceModel:
    """The model of a Hub id or a folder, read once. Raises BadSetting for a name that is neither, and SetupNeeded.

    It takes safetensors only, runs none of the model's code, and asks no network: what is missing is told at once.
    """
    folder = _folder(model)
    weights = sorted([*folder.glob("*.safetensors"), *folder.glob("*/*.safetensors")])
    if not (folder / "modules.json").is_file() or not weights:
        raise SetupNeeded(f"{model} holds no sentence-transformers model in safetensors.")
    from safetensors import SafetensorError
    from sentence_transformers import SentenceTransformer

    unreadable = (SafetensorError, OSError, ValueError, LookupError, TypeError, RuntimeError, AttributeError)
    try:
        with reading:
            loaded = SentenceTransformer(
                str(folder),
                device="cpu",
                trust_remote_code=False,
                local_files_only=True,
                model_kwargs={"use_safetensors": True},
            )
        dimension = loaded.get_embedding_dimension()
    except unreadable as error:
        # The files are anybody's: whatever is wrong with them is theirs.
        raise SetupNeeded(f"The embedding model {model} cannot be read: its files are damaged or too new.") from error
    if not dimension:
        raise SetupNeeded(f"{model} makes no vectors of one length.")
    limit = loaded.max_seq_length or 512
    return SentenceModel(f"st/{model}", _digest(weights), dimension, limit, loaded, Lock())


def _folder(model: str) -> Path:
    """Where the files lie: the folder itself, or the Hub id's in the cache of this machine."""
    if Path(model).is_dir():
        return Path(model)
    if not _HUB_ID.fullmatch(model):
        raise BadSetting(f"{model!r} is neither a folder nor the id of a model, as in OWNER/MODEL.")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(snapshot_download(model, local_files_only=True))
    except LocalEntryNotFoundError as error:
        raise SetupNeeded(
            f"The embedding model {model} is not on this machine. Fetch it: hf download {model}"
        ) from error


def _digest(files: list[Path]) -> str:
    whole = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()[:12]
