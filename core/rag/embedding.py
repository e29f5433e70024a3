"""What an embedding model is, whoever runs it, and how one is found by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from core.errors import BadSetting
from core.llm import Embeds

DEFAULT = "minilm"
# What comes along, by name, and what to say of it.
BUILT_IN = {
    "minilm": "all-MiniLM-L6-v2",
    "minilm-int8": "all-MiniLM-L6-v2 in 8 bits: half the time, hardly less exact",
}
Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Turns texts into vectors whose scalar product says how alike two texts are.

    `name` and `revision` together say which vectors can be compared. `dimension` is their length; `max_tokens` is how
    much of a text is read. Several threads may use one at a time. It blocks: call it in a thread, never on an event
    loop. Every method raises AppError only.
    """

    @property
    def name(self) -> str: ...

    @property
    def revision(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    @property
    def max_tokens(self) -> int: ...

    def embed(self, texts: Sequence[str], query: bool = False) -> Vectors:
        """(n, dimension), each row of unit length. Some models read a `query` otherwise than a passage."""
        ...

    def tokens(self, text: str) -> int:
        """How many of its tokens `text` has, those that begin and end it included, were it never cut."""
        ...


# The ids of a text's tokens (m), and a vector of unit length for each of them in its place (m, dimension).
States = tuple[NDArray[np.int32], Vectors]


@runtime_checkable
class ByTokens(Embedder, Protocol):
    """One that also tells what it makes of each token of a text, and reads queries as it reads passages."""

    def ids(self, pieces: Iterable[str]) -> frozenset[int]:
        """The numbers of those `pieces` that are tokens by themselves."""
        ...

    def read(self, texts: Sequence[str]) -> tuple[Vectors, list[States]]:
        """What `embed` gives, and the tokens of each text, for the price of one of them."""
        ...

    def places(self, text: str) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """The ids of these tokens (m), and where in `text` each begins and ends (m, 2); the model is not run."""
        ...


def embedder(name: str = DEFAULT, find: Callable[[str], tuple[Embeds, str]] | None = None) -> Embedder:
    """The model of that name, ready to use; its weights are read once for a process.

    A name is "minilm", "minilm-int8", "st/MODEL" for any sentence-transformers model on this machine (a Hub id or a
    folder), "langchain/PROVIDER:MODEL" for any that LangChain knows, or "PROVIDER/MODEL", for which `find` gives the
    backend and the model's name. Raises BadSetting for a name that is none of these, SetupNeeded for what is not here
    yet, and ProviderError.
    """
    if name in BUILT_IN:
        from core.rag.minilm import minilm

        return minilm(int8=name == "minilm-int8")
    kind, _, model = name.partition("/")
    if kind == "st" and model:
        from core.rag.sentence_model import sentence_model

        return sentence_model(model)
    if kind == "langchain" and model:
        from core.rag.bridge import langchain_model

        return langchain_model(model)
    if find is None or not model:
        raise BadSetting(f"There is no embedding model {name!r}. Choose {', '.join(BUILT_IN)}, or PROVIDER/MODEL.")
    from core.rag.remote_model import remote_model

    return remote_model(name, *find(name))
