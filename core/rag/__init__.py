"""Answers from documents: files become passages, passages an index, and a question the passages that answer it.

from core.rag import open_index
for passage in open_index("knowledge-base").search("Where is the head office?", k=3):
    print(passage.crumbs, passage.text)
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.rag.index import Index
    from core.rag.passages import Report
    from core.rag.split import Recipe


def open_index(
    folder: str | Path,
    data: str | Path | None = None,
    model: str = "minilm",
    recipe: Recipe | None = None,
    store: str = "chroma",
    rebuild: bool = False,
    report: Report | None = None,
) -> Index:
    """The index of the documents below `folder`, up to date; made at first, which takes seconds to minutes.

    `data` is where indexes are kept (default: the setting), `model` a name as `embedder` takes it; `rebuild` replaces
    an index that another model has made; `report` is told how far it is. While another process changes it, it is given
    as it is. Raises AppError.
    """
    from core.errors import IndexInUse
    from core.rag.embedding import embedder
    from core.rag.index import Index, place
    from core.rag.origins import FolderOrigins
    from core.rag.passages import quiet
    from core.rag.split import Recipe

    index = Index(place(Path(folder), data), embedder(model), store)
    try:
        index.refresh(FolderOrigins(Path(folder)), recipe or Recipe(), report or quiet, rebuild)
    except IndexInUse:
        index.corpus()
    return index
