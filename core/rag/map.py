"""A map of an index: where its passages' vectors lie in two and three dimensions. Made once for a generation, and kept.

PCA keeps what is far apart far apart; t-SNE (van der Maaten and Hinton, 2008) keeps neighbours together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import BadSetting
from core.rag.corpus import Corpus
from core.rag.passages import Report

Method = Literal["pca", "tsne"]
Vectors = NDArray[np.float32]

MOST = 5_000  # passages drawn: browsers turn no more of them smoothly
LEAST = 5
_FILE = "map.npz"
_FIRST = 50  # dimensions that t-SNE is given, as its authors advise
_NEIGHBOURS = 30  # the perplexity: about how many neighbours of a passage count


@dataclass(frozen=True, slots=True, eq=False)
class Map:
    """`rows` (n) are those of the corpus that are drawn; `places` (n, dimensions) by "pca2", "pca3", "tsne2", "tsne3".

    `middle` (dimension) and `axes` (3, dimension) put another vector into the PCA.
    """

    rows: NDArray[np.int64]
    places: Mapping[str, Vectors]
    middle: Vectors
    axes: Vectors

    def where(self, method: Method, dimensions: int) -> Vectors:
        """Where the passages lie: (n, dimensions)."""
        return self.places[f"{method}{dimensions}"]

    def place(self, vector: Vectors, hits: NDArray[np.int64], method: Method, dimensions: int) -> Vectors | None:
        """Where a question lies: exactly for PCA; for t-SNE amid the first of its hits, None where none is drawn."""
        if method == "pca":
            found: Vectors = ((vector - self.middle) @ self.axes[:dimensions].T).astype(np.float32)
            return found
        drawn = [place for row in hits for place in np.flatnonzero(self.rows == row)][:3]
        middle: Vectors | None = self.where(method, dimensions)[drawn].mean(axis=0) if drawn else None
        return middle


def load(generation: Path) -> Map | None:
    """The map that is kept with a generation, None before it is made."""
    try:
        with np.load(generation / _FILE, allow_pickle=False) as kept:
            names = [f"{method}{dimensions}" for method in ("pca", "tsne") for dimensions in (2, 3)]
            return Map(kept["rows"], {name: kept[name] for name in names}, kept["middle"], kept["axes"])
    except (OSError, ValueError, KeyError):
        return None


def large_enough(corpus: Corpus) -> None:
    """Raise BadSetting for an index too small for a map."""
    if (count := len(corpus.passages)) < LEAST:
        raise BadSetting(f"A map needs at least {LEAST} passages, and there are {count}. Add documents first.")


def make(corpus: Corpus, generation: Path, report: Report) -> Map:
    """Make the map and keep it in the folder `generation`. It blocks, for seconds to minutes; `report` may stop it.

    Raises what `large_enough` raises.
    """
    large_enough(corpus)
    count = len(corpus.passages)
    rows = np.sort(np.random.default_rng(0).choice(count, min(MOST, count), replace=False))
    vectors = np.asarray(corpus.vectors[rows], np.float32)
    report(0.1, "Finding the main directions")
    middle, axes = _directions(vectors)
    flat: Vectors = ((vectors - middle) @ axes.T).astype(np.float32)
    places: dict[str, Any] = {"pca2": flat[:, :2], "pca3": flat[:, :3]}
    for step, dimensions in enumerate((2, 3)):
        report(0.2 + 0.4 * step, f"Putting neighbours together in {dimensions} dimensions")
        places[f"tsne{dimensions}"] = _neighbours(flat, dimensions)
    found = Map(rows, places, middle, axes[:3])
    beside = generation / f"new-{_FILE}"
    np.savez(beside, rows=rows, middle=middle, axes=axes[:3], **places)
    beside.replace(generation / _FILE)
    return found


def _directions(vectors: Vectors) -> tuple[Vectors, Vectors]:
    """The mean (dimension) and the directions of most variance (up to 50, dimension)."""
    from sklearn.decomposition import PCA

    fitted = PCA(min(_FIRST, *vectors.shape), random_state=0).fit(vectors)
    return fitted.mean_.astype(np.float32), fitted.components_.astype(np.float32)


def _neighbours(flat: Vectors, dimensions: int) -> Vectors:
    from sklearn.manifold import TSNE

    perplexity = min(_NEIGHBOURS, (len(flat) - 1) / 3)
    found = TSNE(dimensions, perplexity=perplexity, init="pca", random_state=0, n_jobs=1).fit_transform(flat)
    return np.asarray(found, np.float32)
