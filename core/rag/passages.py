"""The vocabulary of retrieval: a document, its passages, what a search found, and how long work tells how far it is.

Knows no file format and no store.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

# Told of long work: which part of it is done, from 0 to 1 (None: nobody knows), and a sentence. It raises to stop it.
Report = Callable[[float | None, str], None]


def quiet(_: float | None, __: str = "") -> None:
    """A Report that tells nobody."""


@dataclass(frozen=True, slots=True)
class Document:
    """One file or page that was read.

    `source` is how it is cited: the path below its folder with forward slashes, the name of an upload, or a URL.
    `text` is Markdown. `pages` holds the offset in `text` at which each page, slide or sheet begins, nothing where
    there are none. `digest` is the SHA-256 of the bytes it was read from. `note` says what of it could not be read.
    """

    source: str
    title: str
    text: str
    doc_type: str = ""
    pages: tuple[int, ...] = ()
    digest: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document that can be found and cited: `document.text[start:end] == text`.

    `heading` is the path of headings above it ("Terms > Payment"), `page` its first page, from 1. `lead` is what stood
    earlier and belongs to it all the same: the header of the table whose rows it goes on with.
    """

    id: str
    source: str
    title: str
    text: str
    start: int
    end: int
    doc_type: str = ""
    heading: str = ""
    page: int | None = None
    lead: str = ""

    @property
    def crumbs(self) -> str:
        """Where it stands, in one line: "contracts > Kelder Hosting > Payment"."""
        return " > ".join(part for part in (self.doc_type, self.title, self.heading) if part)

    @property
    def shown(self) -> str:
        """What is embedded and what a reader is given: a figure without its heading is nobody's figure."""
        return f"{self.crumbs}\n\n{self.lead}{self.text}"


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that a search found. `score` is comparable within one search only.

    `ranks` holds its place, from 1, by "vector", "keyword", "fused" and "reranked"; a stage that did not find it is
    missing. `text` is what the reader is given: the passage or, where there is room, more of the document around it
    (`document.text[start:end] == text`).
    """

    passage: Passage
    score: float
    text: str
    start: int
    end: int
    ranks: Mapping[str, int] = field(default_factory=dict)

    @property
    def shown(self) -> str:
        """The text with the line that says where it stands."""
        lead = "" if self.passage.lead in self.text else self.passage.lead
        return f"{self.passage.crumbs}\n\n{lead}{self.text}"
