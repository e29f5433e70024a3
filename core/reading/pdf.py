"""PDF files, page by page, with the headings that their bookmarks name."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any

from pypdf import PasswordType, PdfReader
from pypdf.errors import DependencyError

from core.reading.text import Refused, Text, whole

MOST_PAGES = 5_000
# What PDF programs write as a title when nobody has given one.
_NO_TITLE = re.compile(
    r"untitled.*|microsoft (word|powerpoint|excel) - .*|.*\.(docx?|pptx?|xlsx?|indd|tex|pdf|odt|rtf)|", re.I
)
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
_PROTECTED = "it is protected with a password"

# level, title
Bookmark = tuple[int, str]


def read_pdf(data: bytes) -> Text:
    """The text of a PDF file. Raises Refused."""
    reader = PdfReader(BytesIO(data), strict=False)
    if reader.is_encrypted:
        _open(reader)
    broken: list[int] = []
    pages = list(_pages(reader, broken))
    if not any(page.strip() for page in pages):
        raise Refused("it holds no text that can be read" if broken else "it holds no text, only pictures of it")
    bookmarks = _bookmarks(reader)
    texts = (_marked(page, bookmarks[number]) for number, page in enumerate(_bare(pages)))
    return whole(map(_flowing, texts), _title(reader), tuple(_notes(pages, broken, len(reader.pages))))


def _open(reader: PdfReader) -> None:
    """Many files are encrypted with an empty password, only to say that they should not be changed."""
    try:
        if reader.decrypt("") == PasswordType.NOT_DECRYPTED:
            raise Refused(_PROTECTED)
    except (DependencyError, NotImplementedError) as error:
        raise Refused("it is encrypted") from error


def _pages(reader: PdfReader, broken: list[int]) -> Iterator[str]:
    """The text of each page; the numbers of those that cannot be read are added to `broken`."""
    for number in range(min(len(reader.pages), MOST_PAGES)):
        try:
            yield reader.pages[number].extract_text().translate(_LIGATURES)
        except MemoryError:
            raise
        except Exception:  # A broken page may raise anything, and costs no other page.
            broken.append(number + 1)
            yield ""


def _notes(pages: list[str], broken: list[int], count: int) -> Iterator[str]:
    if broken:
        yield f"{len(broken)} of its {count:,} pages could not be read, the first is page {broken[0]}."
    if empty := sum(not page.strip() for page in pages) - len(broken):
        yield f"{empty} of its {count:,} pages hold no text."
    if count > len(pages):
        yield f"Only the first {len(pages):,} of its {count:,} pages were read."


def _title(reader: PdfReader) -> str:
    try:
        title = str((reader.metadata and reader.metadata.title) or "").strip()
    except Exception:  # as with pages
        return ""
    return "" if _NO_TITLE.fullmatch(title) else title


# --- what stands on every page ----------------------------------------------------------------------------------------

_NUMBER = re.compile(r"\W*(?:page|seite|p\.)?\s*\d{1,5}(?:\s*(?:/|of|von|-)\s*\d{1,5})?\W*", re.I)


def _bare(pages: list[str]) -> Iterator[str]:
    """Pages without their numbers; and lines that head and foot most of them are left on the first one only."""
    edges = Counter(line for page in pages for line in {line.strip() for line in _edges(page.split("\n"))})
    running = {line for line, count in edges.items() if count > 3 and count > len(pages) // 2}
    shown: set[str] = set()
    for page in pages:
        lines = page.split("\n")
        edge = {id(line) for line in _edges(lines)}
        again = running & shown
        shown |= {line.strip() for line in lines}
        yield "\n".join(
            line
            for line in lines
            if id(line) not in edge or not (line.strip() in again or _is_number(line, len(pages)))
        )


def _is_number(line: str, pages: int) -> bool:
    """Whether a line at the edge of a page is but its number. A text of one page has none."""
    return pages > 1 and len(line) < 30 and _NUMBER.fullmatch(line) is not None


def _edges(lines: list[str]) -> list[str]:
    """The first two and the last two lines in which something stands."""
    filled = [line for line in lines if line.strip()]
    return filled[:2] + filled[2:][-2:]


# --- headings ---------------------------------------------------------------------------------------------------------


def _bookmarks(reader: PdfReader) -> defaultdict[int, list[Bookmark]]:
    """The bookmarks of each page, which are its headings; none where the list of them is broken."""
    found: defaultdict[int, list[Bookmark]] = defaultdict(list)
    try:
        for level, item in _items(reader.outline, 2):
            number = reader.get_destination_page_number(item)
            if number is not None:
                found[number].append((level, str(item.title)))
    except Exception:  # as with pages
        return defaultdict(list)
    return found


def _items(outline: Iterable[Any], level: int) -> Iterator[tuple[int, Any]]:
    for item in outline:
        if isinstance(item, list):
            yield from _items(item, min(6, level + 1))
        else:
            yield level, item


def _marked(page: str, bookmarks: list[Bookmark]) -> str:
    """A page in which the lines that a bookmark names are headings."""
    levels = {_named(title): level for level, title in bookmarks}
    levels.pop("", None)
    lines = []
    for line in page.split("\n"):
        level = levels.pop(_named(line), 0)
        lines.append(f"\n{'#' * level} {line.strip()}\n" if level else line)
    return "\n".join(lines)


def _named(line: str) -> str:
    """A heading as it is compared: without its number, which the bookmark or the page may leave out."""
    return re.sub(r"^[\d.]+\s+", "", " ".join(line[:300].split())).casefold()


# --- lines ------------------------------------------------------------------------------------------------------------

_OPENS = re.compile(r"\s*(?:[-*+•▪–]|\d{1,3}[.)]|#+)\s")
_FULL = 45  # characters: a line this long was broken because the page ended, not because a thought did


def _flowing(page: str) -> str:
    """Lines of one paragraph as one line, words that were parted at the end of a line whole."""
    lines: list[str] = []
    for line in page.split("\n"):
        last = lines[-1] if lines else ""
        broken = len(last) >= _FULL and not last.startswith("#") and line.strip() and not _OPENS.match(line)
        if broken and re.search(r"[a-zà-ÿ]{2}[-\u2010\xad]$", last) and re.match(r"[a-zà-ÿ]{2}", line):
            lines[-1] = last[:-1] + line.strip()
        elif broken and last[-1:] not in ".!?:":
            lines[-1] = f"{last} {line.strip()}"
        else:
            lines.append(re.sub(r"^(\s*)[•▪–]\s", r"\1- ", line.rstrip()))
    return "\n".join(lines)
