"""What an index has to do when its documents have changed: what to read, split and embed anew, and what to keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.errors import AppError
from core.markdown import sound
from core.rag.embedding import Embedder
from core.rag.generation import Entry, Manifest, Split, ordered
from core.rag.origins import Origin, Origins
from core.rag.passages import Document, Report
from core.rag.split import Recipe, split

# A file that was changed within so many nanoseconds before it was read may change again without its time showing it.
_RACY = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do with each source. `kept` has the entries of those that are unchanged, with their stamps of today."""

    kept: Mapping[str, Entry]
    origins: Mapping[str, Origin]
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]

    @property
    def nothing(self) -> bool:
        return not (self.added or self.changed or self.removed)

    @property
    def named(self) -> str:
        """What would be missing if there were no room for it."""
        first, *more = (*self.added, *self.changed, "the index")
        return f"{first} (and {len(more)} more)" if len(more) > 1 else first


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh has done. `refused` says of each file that holds no passages why. Times are in seconds."""

    name: str
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: int = 0
    passages: int = 0
    refused: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    problem: str = ""


def refreshed(name: str, planned: Plan, entries: Mapping[str, Entry], passages: int) -> Refreshed:
    """What was done according to `planned`."""
    refused = {entry.source: entry.refused for entry in entries.values() if entry.refused}
    return Refreshed(name, planned.added, planned.changed, planned.removed, len(planned.kept), passages, refused)


def plan(origins: Sequence[Origin], old: Manifest | None) -> Plan:
    """Compare what there is with what was read before; a file's bytes are looked at only when its stamp is another."""
    entries = old.entries if old else {}
    there = {origin.source: origin for origin in origins}
    kept = {name: entry for name, origin in there.items() if (entry := _unchanged(origin, old)) is not None}
    return Plan(
        kept,
        there,
        tuple(name for name in there if name not in entries),
        tuple(name for name in there if name in entries and name not in kept),
        tuple(name for name in entries if name not in there),
    )


def _unchanged(origin: Origin, old: Manifest | None) -> Entry | None:
    entry = old.entries.get(origin.source) if old else None
    if entry is None or old is None:
        return None
    if origin.stamp and origin.stamp == entry.stamp and origin.stamp[1] < old.made * 1e9 - _RACY:
        return entry
    return replace(entry, stamp=origin.stamp) if entry.digest and _digest(origin) == entry.digest else None


def _digest(origin: Origin) -> str:
    try:
        return origin.digest()
    except AppError:
        return ""  # Reading it will say why.


def gathered(
    origins: Origins, plan: Plan, old: Sequence[Split], recipe: Recipe, model: Embedder, report: Report, again: bool
) -> tuple[list[Split], dict[str, Entry]]:
    """Every document with its passages, in a generation's order, and every entry. `again` splits the kept ones too."""
    entries = dict(plan.kept)
    splits = [part for part in old if part[0].source in plan.kept]
    if again:
        splits = [(document, split(document, recipe, model.tokens)) for document, _ in splits]
        entries |= {document.source: replace(entries[document.source], passages=len(own)) for document, own in splits}
    chosen = (*plan.added, *plan.changed)
    for done, (source, outcome) in enumerate(origins.read(chosen)):
        report(done / len(chosen), f"Reading {source}")
        if isinstance(outcome, Document):
            document = replace(outcome, source=source, title=sound(outcome.title), text=sound(outcome.text))
            splits.append((document, split(document, recipe, model.tokens)))
        entries[source] = _entry(plan.origins[source], outcome, len(splits[-1][1]) if splits else 0)
    return ordered(splits), entries


def _entry(origin: Origin, outcome: Document | AppError, passages: int) -> Entry:
    if isinstance(outcome, Document):
        return Entry(origin.source, outcome.digest or _digest(origin), origin.stamp, passages)
    return Entry(origin.source, _digest(origin), origin.stamp, refused=str(outcome))


def rows_of(splits: Sequence[Split]) -> dict[str, int]:
    """In which row of its generation the passage of an id stands."""
    ids = (passage.id for _, own in splits for passage in own)
    return {name: row for row, name in enumerate(ids)}
