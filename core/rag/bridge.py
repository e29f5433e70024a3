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
from core.rag.remote_model import LIMIT, batches, estimated, of_unit_length

if TYPE_CHECKING:
    from langchain_core.documents import Document
    from langchain_core.embeddings import Embeddings
    from langchain_core.retrievers import BaseRetriever

    from core.rag.index import Index
    from core.rag.search import Search


# --- from LangChain ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LangChainModel:
    """An Embedder. `model` is as `init_embeddings` takes it: "PROVIDER:MODEL"."""

    model: str
    dimension: int
    _embeddings: Embeddings = field(repr=False)
    revision: str = ""  # Nobody tells it: a provider may change a model behind its name.
    max_tokens: int = LIMIT

    @property
    def name(self) -> str:
        """As `embedder` takes it."""
        return f"langchain/{self.model}"

    def tokens(self, text: str) -> int:
        """An estimate: the tokenizer is not here."""
        return estimated(text)

    def embed(self, texts: Sequence[str], query: bool = False) -> NDArray[np.float32]:
        """Vectors (n, dimension) of unit length; a query is embedded as LangChain embeds queries."""
        if not texts:
            return np.empty((0, self.dimension), np.float32)
        with _translated(self.model):
            if query:
                rows = [self._embeddings.embed_query(text) for text in texts]
            else:
                rows = [row for batch in batches(texts) for row in self._embeddings.embed_documents(batch)]
        made = of_unit_length(rows, len(texts), _provider(self.model))
        if made.shape[1] != self.dimension:
            raise BadReply(_provider(self.model))
        return made


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
