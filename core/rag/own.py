"""A visitor's own documents: the private folder that holds their index, how it is made, and what goes in and out.

data/visitors/DIGEST/
├── making.json   how the index is made
└── index/        index.py
"""

from __future__ import annotations

import json
import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any

from core.errors import BadSetting, LimitReached
from core.llm import Embeds
from core.rag.embedding import BUILT_IN, embedder
from core.rag.generation import current, generations, read_contents, read_manifest, replace_text
from core.rag.index import Index
from core.rag.origins import FolderOrigins, Origin, Outcome, ReadyOrigins
from core.rag.passages import Document, Report
from core.rag.refresh import Refreshed
from core.rag.split import Recipe
from core.rag.upkeep import left
from core.settings import settings

Find = Callable[[str], tuple[Embeds, str]]

_MOST = 16  # indexes of visitors that stay loaded


@dataclass(frozen=True, slots=True)
class Making:
    """How an index is made: the embedding model's name, the store, how documents are split, and a folder to read.

    In public mode visitors read no folder of the machine, and have no model that costs or has to be fetched: that
    raises BadSetting.
    """

    model: str = field(default_factory=lambda: settings().embedding)
    store: str = field(default_factory=lambda: settings().vector_store)
    recipe: Recipe = field(default_factory=Recipe)
    folder: str = ""

    def __post_init__(self) -> None:
        if not settings().public:
            return
        if self.folder:
            raise BadSetting("Folders of this machine are for its owner only. Upload the files instead.")
        if self.model not in BUILT_IN or self.store not in ("chroma", "faiss"):
            raise BadSetting(
                f"On a public page, choose one of the models {', '.join(BUILT_IN)} and a store of this app."
            )


def home(owner: str) -> Path:
    """The folder of a visitor; it need not be there."""
    return Path(settings().data).absolute() / "visitors" / sha256(owner.encode()).hexdigest()[:32]


def making(home: Path) -> Making:
    """How the index in `home` is made; as usual where nothing is kept."""
    try:
        return made(json.loads((home / "making.json").read_text("utf-8")))
    except (OSError, ValueError, TypeError, LookupError, BadSetting):
        return Making()


def made(told: Mapping[str, Any]) -> Making:
    """A Making from what `asdict` tells of it. Raises what no Making has: TypeError, LookupError, BadSetting."""
    return Making(**{**told, "recipe": Recipe(**told["recipe"])})


def documents(home: Path) -> list[Document]:
    """What was added by itself: uploads and pages, not what a folder holds. Raises IndexDamaged."""
    folder = current(home / "index")
    if folder is None:
        return []
    manifest = read_manifest(folder)
    return [document for document, _ in read_contents(folder, manifest)[0] if _is_alone(manifest, document)]


def _is_alone(manifest: Any, document: Document) -> bool:
    entry = manifest.entries.get(document.source)
    return entry is None or entry.stamp is None  # Only a file of a folder has a stamp.


def change(
    home: Path, how: Making, report: Report, find: Find, add: Sequence[Document] = (), drop: Sequence[str] = (),
    rebuild: bool = False,
) -> Refreshed:  # fmt: skip
    """Bring the index in `home` up to date, with some documents more and some less. It blocks.

    A document replaces the one of the same source. `rebuild` is consent to another embedding model. Raises what
    Index.refresh raises.
    """
    kept = {document.source: document for document in documents(home) if document.source not in drop}
    kept |= {document.source: document for document in add}
    _within_limits(kept.values())
    home.mkdir(parents=True, exist_ok=True)
    done = index(home, how, find).refresh(_Together(how.folder, tuple(kept.values())), how.recipe, report, rebuild)
    replace_text(home / "making.json", json.dumps(asdict(how)))
    return done


def _within_limits(alone: Collection[Document]) -> None:
    """What a visitor adds by itself is bounded; a folder belongs to the owner."""
    most, megabytes = settings().upload_files + settings().crawl_pages, settings().upload_megabytes
    if len(alone) > most or sum(len(document.text) for document in alone) > megabytes * 1_000_000:
        raise LimitReached(f"{most:,} documents and {megabytes:g} MB of text can be added. Remove some first.")


@dataclass(frozen=True, slots=True)
class _Together:
    """The files of a folder, if one is given, and documents that were read already."""

    folder: str
    documents: Sequence[Document]

    def listed(self) -> list[Origin]:
        files = FolderOrigins(Path(self.folder)).listed() if self.folder else []
        return [*files, *self._others({file.source for file in files}).listed()]

    def read(self, sources: Sequence[str]) -> Iterator[Outcome]:
        ready = {document.source for document in self.documents}
        alone = self._others(set())
        if not self.folder:
            return alone.read(sources)
        return chain(FolderOrigins(Path(self.folder)).read(sources), alone.read([s for s in sources if s in ready]))

    def _others(self, there: set[str]) -> ReadyOrigins:
        return ReadyOrigins([document for document in self.documents if document.source not in there])


# --- the open ones ----------------------------------------------------------------------------------------------------

_guard = threading.Lock()
_open: OrderedDict[tuple[Path, str, str], Index] = OrderedDict()


def index(home: Path, how: Making, find: Find) -> Index:
    """The index in `home`, shared by all who ask it. Raises what `embedder` raises."""
    key = (home, how.model, how.store)
    with _guard:
        if key in _open:
            _open.move_to_end(key)
            return _open[key]
    made = Index(home / "index", embedder(how.model, find), how.store)
    with _guard:
        found = _open.setdefault(key, made)
        if len(_open) > _MOST:
            _open.popitem(last=False)
        return found


def remove(home: Path) -> None:
    """Forget a visitor's documents."""
    with _guard:
        for key in [key for key in _open if key[0] == home]:
            del _open[key]
    for folder in generations(home / "index"):
        left(folder)
    shutil.rmtree(home, ignore_errors=True)
