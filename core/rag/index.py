"""An index on disk: made beside the one that is in use, switched in one step, one writer, any number of readers.

ROOT/
├── current        the name of the generation in use, replaced in one step
├── generations/   each in a folder of its own (generation.py)
├── vectors.sqlite every vector that was made, by its text and model (vectors.py)
├── lock           held by the one who writes; the system lets go of it when the process ends
└── damaged/       the last generation that was found to be damaged
"""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
import uuid
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.errors import BadSetting, IndexDamaged, OtherModel, StoreUnusable
from core.rag import onepass, upkeep
from core.rag.corpus import LARGE, Corpus, corpus
from core.rag.embedding import Embedder
from core.rag.generation import (
    Manifest,
    current,
    generations,
    read_contents,
    read_manifest,
    replace_text,
    write_contents,
    write_manifest,
)  # fmt: skip
from core.rag.guards import is_read, reading, room, writing
from core.rag.lookup import Lookup, lookup
from core.rag.onepass import Before
from core.rag.origins import Origins
from core.rag.passages import Passage, Report, quiet
from core.rag.refresh import Refreshed, gathered, plan, refreshed, rows_of
from core.rag.split import Recipe
from core.rag.store import About, Store, Vector, known
from core.settings import settings

if TYPE_CHECKING:
    from langchain_core.retrievers import BaseRetriever

    from core.rag.search import Mode, Search

log = logging.getLogger(__name__)

_TRIES = 3


def place(folder: Path, data: str | Path | None = None) -> Path:
    """Where the index of a folder of documents is kept, below `data` (default: the setting)."""
    whole = folder.resolve()
    digest = sha256(str(whole).encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return Path(data or settings().data) / "knowledge" / f"{whole.name or 'root'}-{digest}"


class Index:
    """One index and its embedding model. Make one for each `root`: what it has loaded is shared by all who ask it.

    `store` is "chroma", "faiss" or HOST:PORT of a Chroma server; it is made always, and asked above `large` passages.
    """

    def __init__(self, root: Path, model: Embedder, store: str = "chroma", large: int = LARGE) -> None:
        self.root = root
        self.model = model
        self.store = known(store)
        self.large = large
        self._loaded: Corpus | None = None
        self._lock = threading.Lock()
        self._lookup: Lookup | None = None
        self._looking = threading.Lock()

    # --- reading ---

    def corpus(self) -> Corpus:
        """The generation in use, loaded once and shared; a newer one as soon as there is one, whoever made it.

        Raises BadSetting before there is any, IndexDamaged, and OtherModel when another model has made it.
        """
        with self._lock:
            for _ in range(_TRIES):
                folder = current(self.root)
                if folder is None:
                    raise BadSetting("The knowledge base is empty. Add documents to it first.")
                if self._loaded is not None and self._loaded.name == folder.name:
                    return self._loaded
                try:
                    self._loaded = self._load(folder)
                    return self._loaded
                except IndexDamaged:
                    # Another process may have switched and tidied up between two lines of ours.
                    if current(self.root) == folder:
                        raise
            raise IndexDamaged

    def _load(self, folder: Path) -> Corpus:
        mark = reading(folder)
        try:
            made = read_manifest(folder)
            _same(made.about, self.model)
            documents, vectors = read_contents(folder, made)
        except BaseException:
            mark.unlink(missing_ok=True)
            raise
        refused = {entry.source: entry.refused for entry in made.entries.values() if entry.refused}

        # It must not hold this index, which holds the corpus: an old one would linger, and its files with it.
        store, large = self.store, self.large

        def opening(passages: tuple[Passage, ...], vectors: Vector) -> Store | None:
            return upkeep.opened(folder, made.about, store, passages, vectors) if len(passages) > large else None

        loaded = corpus(folder.name, made.about, made.made, documents, vectors, self.model, refused, opening, large)
        weakref.finalize(loaded, mark.unlink, missing_ok=True)
        return loaded

    def lookup(self, report: Report = quiet) -> Lookup:
        """The generation in use, ready to be searched; made once and shared. Raises what `corpus` does."""
        corpus = self.corpus()
        with self._looking:
            if self._lookup is None or self._lookup.corpus is not corpus:
                self._lookup = lookup(corpus, self.root / "generations" / corpus.name, report)
            return self._lookup

    def search(self, query: str, k: int = 10, mode: Mode = "hybrid") -> list[Passage]:
        """The passages that answer `query`, best first: for scripts; search.py tells more and takes more wishes."""
        from core.rag.search import Search, search

        return [hit.passage for hit in search(self.lookup(), query, Search(k=k, mode=mode)).hits]

    def as_retriever(self, wish: Search | None = None) -> BaseRetriever:
        """This index as a retriever of LangChain's, which searches as `wish` says."""
        from core.rag.bridge import retriever
        from core.rag.search import Search

        return retriever(self, wish or Search())

    # --- writing ---

    def refresh(
        self, origins: Origins, recipe: Recipe = Recipe(), report: Report = quiet, rebuild: bool = False
    ) -> Refreshed:  # fmt: skip
        """Bring the index up to date: what is unchanged costs nothing, what is gone leaves nothing behind.

        `report` is called with a fraction and a sentence; what it raises stops the work, and the index in use stays as
        it is. `rebuild` is consent to replace an index that another model has made. It blocks. Raises IndexInUse,
        OtherModel, DiskFull, FileUnread for a folder that is not there, and what the model raises.
        """
        started = time.monotonic()
        with writing(self.root):
            old = self._sound(report)
            if old is not None and not rebuild:
                _same(read_manifest(old).about, self.model)
            done = self._brought_up(origins, replace(recipe, window=self.model.max_tokens), report, old)
            done = replace(done, problem=self._stored(report, old))
            self._tidy()
        return replace(done, seconds=time.monotonic() - started)

    def remove(self) -> None:
        """Remove all of it. Raises IndexInUse."""
        with writing(self.root):
            self._loaded = self._lookup = None
            for folder in generations(self.root):
                upkeep.left(folder)
            shutil.rmtree(self.root / "generations", ignore_errors=True)
        shutil.rmtree(self.root, ignore_errors=True)

    def _brought_up(self, origins: Origins, recipe: Recipe, report: Report, old: Path | None) -> Refreshed:
        made, model = time.time(), self.model
        before = read_manifest(old) if old else None
        about = About(model.name, model.revision, model.dimension, repr(recipe))
        planned = plan(origins.listed(), before)
        if before is not None and old is not None and planned.nothing and before.about == about:
            if planned.kept != before.entries:
                write_manifest(old, replace(before, entries=planned.kept, made=made))
            return refreshed(old.name, planned, planned.kept, before.passages)
        kept, vectors = read_contents(old, before) if old and before else ([], np.empty((0, 0), np.float32))
        same_split = before is not None and before.about.recipe == about.recipe
        with room(planned.named), self._beside() as folder:
            splits, entries = gathered(origins, planned, kept, recipe, model, report, again=not same_split)
            same = before is not None and old is not None and before.about.space == about.space
            there = Before(rows_of(kept), vectors, old / "late") if same and old else Before()
            passages = [passage for _, own in splits for passage in own]
            made_vectors = onepass.made(passages, there, self.root / "vectors.sqlite", model, folder / "late", report)
            report(None, "Writing the index")
            write_contents(folder, splits, made_vectors)
            write_manifest(folder, Manifest(about, made, entries, len(passages)))
            replace_text(self.root / "current", folder.name)
        return refreshed(folder.name, planned, entries, len(passages))

    @contextmanager
    def _beside(self) -> Iterator[Path]:
        """The folder of a new generation, which is removed when nothing comes of it."""
        folder = self.root / "generations" / f"{time.time_ns():x}-{uuid.uuid4().hex[:6]}"
        folder.mkdir(parents=True)
        try:
            yield folder
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _stored(self, report: Report, old: Path | None) -> str:
        """Make the store of the generation in use, unless it has one. Searches do without it meanwhile."""
        folder = current(self.root)
        if folder is None or self.store == "faiss" or upkeep.complete(folder):
            return ""
        # By what it holds: a second instance of the app with the same documents shares it, with others it has its own.
        contents = sha256(repr(sorted(read_manifest(folder).sums.items())).encode()).hexdigest()
        collection = f"switchboard-{contents[:32]}"
        try:
            upkeep.make(folder, self.store, collection if self.store != "chroma" else "passages", report, old)
        except (StoreUnusable, OSError) as problem:
            log.warning("the vector store was not made", exc_info=True)
            return str(problem)
        return ""

    def _sound(self, report: Report) -> Path | None:
        """The generation in use, if its files are what was written; else it is moved aside and made again."""
        folder = current(self.root)
        if folder is None:
            return None
        try:
            read_contents(folder, read_manifest(folder))
        except IndexDamaged as damage:
            report(None, str(damage))
            shutil.rmtree(self.root / "damaged", ignore_errors=True)
            (self.root / "current").unlink()
            if folder.exists():
                os.replace(folder, self.root / "damaged")
            return None
        return folder

    def _tidy(self) -> None:
        """Remove what was left behind, and old generations that nobody reads."""
        for folder in generations(self.root):
            # What its server cannot be told now is told next time.
            if folder != current(self.root) and not is_read(folder) and upkeep.left(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _same(about: About, model: Embedder) -> None:
    if about.space != (model.name, model.revision, model.dimension):
        other = about.model == model.name
        made, asked = (
            (f"{n} {r}" if other else n) for n, r in ((about.model, about.revision), (model.name, model.revision))
        )
        raise OtherModel(made, asked)
