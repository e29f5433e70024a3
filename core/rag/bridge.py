"""The bridge to LangChain: its embedding models make an index here, and an index here is a retriever of its own kind.

What LangChain has and this app has not are the embeddings of a dozen more providers: `langchain.embeddings` knows them
by name, and each is a package of its own (https://docs.langchain.com/oss/python/integrations/providers/overview).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import AppError, BadReply, BadSetting, SetupNeeded
from core.rag.passages import Hit

if TYPE_CHECKING:
    from langchain_core.documents import Document
    from langchain_core.embeddings import Embeddings
    from langchain_core.retrievers import BaseRetriever

    from core.rag.index import Index
    from core.rag.search import Search

# What one call holds. A provider does not tell its limit; 512 tokens is what models that people run read at least.
_TEXTS, _LIMIT = 32, 512


# --- from LangChain ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LangChainModel:
    """An Embedder. `model` is as `init_embeddings` takes it: "PROVIDER:MODEL"."""

    model: str
    dimension: int
    _embeddings: Embeddings = field(repr=False)
    revision: str = ""  # Nobody tells it: a provider may change a model behind its name.
    max_tokens: int = _LIMIT

    @property
    def name(self) -> str:
        """As `embedder` takes it."""
        return f"langchain/{self.model}"

    def tokens(self, text: str) -> int:
        """An estimate on the safe side, for the tokenizer is not here: a token has three characters or more."""
        return len(text) // 3 + 3

    def embed(self, texts: Sequence[str], query: bool = False) -> NDArray[np.float32]:
        """Vectors (n, dimension) of unit length; a query is embedded as LangChain embeds queries."""
        rows: list[list[float]] = []
        with _translated(self.model):
            if query:
                rows = [self._embeddings.embed_query(text) for text in texts]
            else:
                for start in range(0, len(texts), _TEXTS):
                    rows += self._embeddings.embed_documents([text or " " for text in texts[start : start + _TEXTS]])
        return _vectors(rows, len(texts), self.dimension, self.model)


def langchain_model(model: str) -> LangChainModel:
    """The model of this name, asked once for the length of its vectors. Raises BadSetting, SetupNeeded and BadReply."""
    from langchain.embeddings import init_embeddings

    with _translated(model):
        try:
            embeddings = init_embeddings(model)
        except ImportError as error:
            raise SetupNeeded(f"The embedding model {model} needs another package of LangChain's. {error}") from error
        except ValueError as error:
            raise BadSetting(f"LangChain has no embedding model {model!r}, or its key is not set.") from error
        dimension = len(embeddings.embed_query("length"))
    return LangChainModel(model, dimension, embeddings)


def _vectors(rows: list[list[float]], count: int, dimension: int, model: str) -> NDArray[np.float32]:
    whole = len(rows) == count and all(len(row) == dimension for row in rows)
    made = np.array(rows, np.float32).reshape(count, dimension) if whole else np.full((1, 1), np.nan, np.float32)
    if not np.isfinite(made).all():
        raise BadReply(_provider(model))
    lengths = np.linalg.norm(made, axis=1, keepdims=True)
    return (made / np.where(lengths > 0, lengths, 1)).astype(np.float32)


@contextmanager
def _translated(model: str) -> Iterator[None]:
    """Whatever a provider's package raises, in our words: they have no class in common."""
    try:
        yield
    except AppError:
        raise
    except Exception as error:
        raise SetupNeeded(
            f"{_provider(model)} made no vectors with {model.partition(':')[2]}. Check that the model is there, "
            "that its key is set, and that the provider can be reached."
        ) from error


def _provider(model: str) -> str:
    return model.partition(":")[0]


# --- to LangChain -----------------------------------------------------------------------------------------------------


def retriever(index: Index, wish: Search) -> BaseRetriever:
    """`index` as a retriever of LangChain's, for its chains and agents: the whole search, not its vectors alone.

    Each document holds what a reader is given, and in its metadata `id`, `source`, `doc_type`, `title`, `heading`,
    `page`, `start`, `end` and `score`.
    """
    from langchain_core.callbacks import CallbackManagerForRetrieverRun
    from langchain_core.retrievers import BaseRetriever

    from core.rag.search import search

    class Retriever(BaseRetriever):
        def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
            return [_document(hit) for hit in search(index.lookup(), query, wish).hits]

    return Retriever(name="Switchboard", tags=["hybrid"])


def _document(hit: Hit) -> Document:
    from langchain_core.documents import Document

    passage = hit.passage
    about = {name: getattr(passage, name) for name in ("source", "doc_type", "title", "heading", "page")}
    place = {"start": hit.start, "end": hit.end, "score": hit.score}
    return Document(id=passage.id, page_content=hit.shown, metadata=about | place)
