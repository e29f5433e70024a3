"""Documents into passages: along the Markdown, or as LangChain's splitters do it, for comparison.

A passage is what is found and cited, so it has to make sense by itself: it holds the headings it stands below, it
begins and ends where a reader would, and what the embedding model cannot read of it is not in it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from core.errors import BadSetting
from core.rag.cutting import SMALLEST, Piece, cut
from core.rag.outline import Section, sections
from core.rag.passages import Document, Passage

if TYPE_CHECKING:
    from langchain_text_splitters import TextSplitter

# How many tokens the embedding model makes of a text, those counted that it puts around it.
Tokens = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How documents are split.

    "structure" goes along headings, tables, lists and sentences. "recursive" and "plain" are LangChain's
    RecursiveCharacterTextSplitter and CharacterTextSplitter as they come; "plain" is its well-known 1000 and 200,
    whatever `size` and `overlap` say, and cuts at blank lines only, so that its passages may have any length.
    `size` and `overlap` are in characters, `window` is in tokens of the embedding model, for "structure" only: what is
    past it would not be embedded (all-MiniLM-L6-v2 reads 256). Raises BadSetting.
    """

    kind: Literal["structure", "recursive", "plain"] = "structure"
    size: int = 500
    overlap: int = 60
    window: int = 256

    def __post_init__(self) -> None:
        if not 2 * SMALLEST <= self.size <= 100_000:
            raise BadSetting(f"A passage must have between {2 * SMALLEST} and 100,000 characters.")
        if not 0 <= self.overlap <= self.size // 2:
            raise BadSetting("Passages may overlap by half of their size at most.")


def split(document: Document, recipe: Recipe = Recipe(), tokens: Tokens | None = None) -> list[Passage]:
    """The passages of `document`, in order. Takes time in proportion to its length.

    Every character that is not blank stands in some passage's text, lead, heading or title. `tokens` bounds what
    `Passage.shown` holds to `recipe.window`; a passage is never made smaller than 80 characters for it.

    An id is made of the source, of all that is embedded, and of how often that came before in the same document. So it
    stays while a passage reads the same, wherever it has moved to: an index may keep the vector of an id it knows, and
    has to take over the new offsets and page.
    """
    if recipe.kind == "structure":
        return list(_numbered(document, _along(document, recipe, tokens)))
    return list(_numbered(document, _by_langchain(document, recipe)))


def _numbered(document: Document, passages: Iterable[Passage]) -> Iterator[Passage]:
    seen: Counter[str] = Counter()
    for passage in passages:
        shown = passage.shown
        key = "\0".join((document.source, shown, str(seen[shown])))
        seen[shown] += 1
        page = max(1, bisect_right(document.pages, passage.start)) if document.pages else None
        yield replace(passage, id=sha256(key.encode("utf-8", "replace")).hexdigest()[:24], page=page)


def _passage(document: Document, start: int, end: int, path: tuple[str, ...] = (), lead: str = "") -> Passage:
    """A passage that has everything but its id and page."""
    text = document.text[start:end]
    heading = " > ".join(path)
    return Passage(
        "", document.source, document.title, text, start, end, document.doc_type, heading, lead=lead
    )  # fmt: skip


# --- along the structure ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a section, or several sections joined: `text[start:end]` below the headings of `path`.

    `heads` are as those of a Section. `header` is the span of the table header that belongs to it.
    """

    path: tuple[str, ...]
    heads: tuple[int, ...]
    start: int
    end: int
    header: tuple[int, int] = (0, 0)


def _along(document: Document, recipe: Recipe, tokens: Tokens | None) -> Iterator[Passage]:
    def as_passage(part: _Part) -> Passage:
        lead = document.text[slice(*part.header)]
        return _passage(document, part.start, part.end, part.path, lead)

    def full(part: _Part) -> float:
        """How much of the bounds a part takes; above 1 it is too large."""
        length = (part.end - part.start + part.header[1] - part.header[0]) / recipe.size
        return max(length, tokens(as_passage(part).shown) / recipe.window if tokens and length <= 1 else 0)

    parts = [
        part
        for section in sections(document.text, document.title)
        for part in _parts(document.text, section, recipe, full)
    ]
    # Brothers are joined before cousins: what is nearer belongs closer together.
    for depth in range(max((len(part.path) for part in parts), default=0), -1, -1):
        parts = _joined(parts, depth, recipe.size, full)
    return map(as_passage, parts)


def _parts(text: str, section: Section, recipe: Recipe, full: Callable[[_Part], float]) -> list[_Part]:
    """A section, cut where it is too long."""

    def part(piece: Piece) -> _Part:
        return _Part(section.path, (-1,) * len(section.path), piece.start, piece.end, piece.header)

    pieces = cut(text, section.start, section.end, recipe.size, recipe.overlap, lambda piece: full(part(piece)))
    parts = [part(piece) for piece in pieces]
    return [_Part(section.path, section.heads, parts[0].start, parts[0].end), *parts[1:]]


def _joined(parts: list[_Part], depth: int, size: int, full: Callable[[_Part], float]) -> list[_Part]:
    """`parts`, those joined that follow one another, share `depth` headings, and fit into one passage."""
    joined: list[_Part] = []
    for part in parts:
        near = joined and part.end - joined[-1].start <= size
        both = _both(joined[-1], part) if near else None
        if both and len(both.path) >= depth and full(both) <= 1:
            joined[-1] = both
        else:
            joined.append(part)
    return joined


def _both(first: _Part, second: _Part) -> _Part | None:
    """Two parts in one, below the headings that they share; None where the other headings would be lost."""
    pairs = zip(first.path, second.path, strict=False)
    shared = next((n for n, (one, other) in enumerate(pairs) if one != other), min(len(first.path), len(second.path)))
    start = first.start
    if shared < len(first.path):
        start = first.heads[shared]
        if start < 0:
            return None
    return _Part(first.path[:shared], first.heads[:shared], start, second.end, first.header)


# --- as LangChain does it ---------------------------------------------------------------------------------------------

# So many places are told apart, by the characters from U+10000 on.
_KNOWN = 1_000_000
_FIRST = 0x10000
_LONGEST_OVERLAP = 100_000


def _by_langchain(document: Document, recipe: Recipe) -> Iterator[Passage]:
    """Passages of LangChain's splitters, with the offsets they truly have.

    Its `add_start_index` searches for the text, which finds the wrong place where text repeats, and none (-1) where
    the splitter has dropped one of several blank lines. These splitters see nothing but white space and lengths: so
    they are given a text in which every other character says where it stands.
    """
    if not document.text.strip():
        return
    marked = "".join(char if char.isspace() else chr(_FIRST + n % _KNOWN) for n, char in enumerate(document.text))
    start, end = 0, 0
    for chunk in _splitter(recipe).split_text(marked):
        # Both ends of a chunk are no white space.
        start = _place(document.text, chunk[0], max(start, end - _LONGEST_OVERLAP))
        end = _place(document.text, chunk[-1], start + len(chunk) - 1) + 1
        yield _passage(document, start, end)


def _place(text: str, mark: str, at: int) -> int:
    """Where the marked character stands, which is not before `at`."""
    at += (ord(mark) - _FIRST - at) % _KNOWN
    while text[at].isspace():
        at += _KNOWN
    return at


def _splitter(recipe: Recipe) -> TextSplitter:
    from langchain_text_splitters import CharacterTextSplitter, RecursiveCharacterTextSplitter

    if recipe.kind == "plain":
        return CharacterTextSplitter(separator="\n\n", chunk_size=1000, chunk_overlap=200)
    return RecursiveCharacterTextSplitter(chunk_size=recipe.size, chunk_overlap=recipe.overlap)
