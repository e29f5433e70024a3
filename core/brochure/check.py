"""What a model wrote, held against the pages that were read: links, numbers, and which pages each section rests on.

A pure function of the text so far, so that it can be drawn while it comes: what is not yet certain to be harmless, the
half of a link or of a number, is held back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urldefrag, urljoin

from core.markdown import harmless
from core.values import EMAIL, LINK, NUMBER, numbers, value
from core.web import Page


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, and the addresses of the pages that its text rests on."""

    heading: str
    pages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """A brochure fit to be shown. `removed` are links and addresses that no page stands behind, `doubtful` numbers."""

    markdown: str = ""
    removed: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()


def checked(text: str, pages: Sequence[Page], *, whole: bool, verbatim: bool = False) -> Checked:
    """`text` as Markdown in which every link leads to one of `pages`. With `whole`, the model has finished.

    With `verbatim`, a sentence stays only if it stands on a page, as a model was asked that is too small to write.
    """
    text = re.sub(r"[\ue000-\uf8ff]", "", _unfenced(text))
    text = text if whole else settled(text)
    marks = _Marks(pages)
    if verbatim:
        text = _quoted(text, pages, marks.removed)
    parts, sections = [], []
    found = _sections(text)
    for number, part in enumerate(found):
        closed = whole or number < len(found) - 1
        body, named = _named(part, pages)
        rests = _rests_on(body, named, pages) if closed else ()
        body = marks.numbers(marks.links(body))
        if closed and _says_something(part):
            heading = re.sub(r"\[(.*?)\]\(.*?\)", r"\1", _heading(marks.restored(body)))
            sections.append(Section(heading, tuple(page.final_url for page in rests)))
            body = f"{body.rstrip()}\n\n{_source(rests, marks)}\n\n"
        parts.append(body)
    markdown = marks.restored(harmless("".join(parts))).strip()
    return Checked(markdown, tuple(marks.removed), tuple(marks.doubtful), tuple(sections))


def _unfenced(text: str) -> str:
    """The text without the fence that some models put around a whole document."""
    opening = re.match(r"\s*```(?:markdown|md)?[ \t]*\n", text)
    return re.sub(r"\n```\s*$", "\n", text[opening.end() :]) if opening else text


# How what begins with this character ends: a link or what turns out to be none, a tag or an address.
_CLOSING = {"[": re.compile(r"\](?:\([^()\n]*\)|[^(\[\n]|\[[^\]\n]*\])"), "<": re.compile(">")}


def settled(text: str) -> str:
    """`text` up to where the next piece could still change what it means: a word, a number, a link, a mark."""
    start = text.rfind("\n") + 1
    line = text[start:]
    end = max(line.rfind(" "), line.rfind("\t")) + 1
    for opening in re.finditer(r"[\[<]", line[:end]):
        if not _CLOSING[opening[0]].search(line, opening.start(), end):
            return text[: start + opening.start()]
    return text[: start + end]


# --- sentences of the pages -------------------------------------------------------------------------------------------


def _quoted(text: str, pages: Sequence[Page], removed: list[str]) -> str:
    """The sentences of `text` that stand on `pages`, under those headings that have any."""
    said = " ".join(_even(f"{page.title} {page.text}") for page in pages)
    parts = []
    for part in _sections(text):
        heading, _, body = part.partition("\n") if part.startswith("#") else ("", "", part)
        lines = [_sentences(line, said, removed) for line in body.split("\n")]
        if any(lines) or heading.startswith("# "):
            parts.append("\n".join([heading, *lines]))
    return re.sub(r"\n{3,}", "\n\n", "\n\n".join(parts))


def _sentences(line: str, said: str, removed: list[str]) -> str:
    kept = []
    for sentence in re.split(r"(?<=[.!?])\s+", line.strip()):
        if _even(sentence) and f" {_even(sentence)} " in f" {said} ":
            kept.append(sentence)
        elif sentence:
            _note(removed, sentence)
    return " ".join(kept)


def _even(text: str) -> str:
    """The words of a text, so that marks and line breaks make no difference."""
    return " ".join(re.findall(r"\w+", text.lower()))


# --- links and numbers ------------------------------------------------------------------------------------------------

_INLINE = re.compile(
    r"!?\[((?:[^\[\]\\]|\\.|\[[^\[\]]*\])*)\]\(\s*<?([^\s<>()]*(?:\([^\s()]*\)[^\s<>()]*)*)>?[^()\n]*\)"
)
_DEFINITION = re.compile(
    r"^ {0,3}\[[^\]\n]+\]:\s*(\S+)[ \t]*(?:\"[^\"\n]*\"|'[^'\n]*'|\([^()\n]*\))?[ \t]*$", re.MULTILINE
)
_ORDER = re.compile(r"[ \t]*(?:[-*] +)?\d+[.)](?=\s)")


class _Marks:
    """What of a brochure is kept, taken out and doubted. Each link that stays is one private character meanwhile."""

    def __init__(self, pages: Sequence[Page]) -> None:
        self._known = {_plain(url): page.final_url for page in pages for url in (page.url, page.final_url)}
        self._base = pages[0].final_url if pages else ""
        said = "\n".join(f"{page.title}\n{page.description}\n{page.text}" for page in pages)
        self._emails = {found.lower() for found in EMAIL.findall(said)}
        self._numbers = numbers(said)
        self._kept: list[str] = []
        self.removed: list[str] = []
        self.doubtful: list[str] = []

    def links(self, text: str) -> str:
        """`text` in which links to pages that were read are marks, and nothing else is a link."""
        text = _INLINE.sub(self._inline, text)
        text = _DEFINITION.sub(self._definition, text)
        text = LINK.sub(self._bare, text)
        text = EMAIL.sub(self._email, text)
        # Before a link these would make a picture of it, or text.
        text = re.sub(r"[!\\]+(?=[\ue001-\uf7ff])", "", text)
        # Whatever else a renderer could take for a link, or a picture, is broken up.
        return re.sub(r"(?i)\](?=[(\[:])|:(?=//)|www(?=\.)", r"\g<0>&#8203;", text)

    def link(self, label: str, url: str) -> str:
        """The mark of a link to a page that was read."""
        self._kept.append(linked(label, url))
        return chr(0xE000 + min(len(self._kept), 6000))

    def restored(self, text: str) -> str:
        return re.sub(r"[\ue001-\uf7ff]", lambda mark: self._kept[ord(mark[0]) - 0xE001], text)

    def numbers(self, text: str) -> str:
        """`text` in which a number that stands on no page has a warning sign."""
        return "\n".join(self._doubted(line) for line in text.split("\n"))

    def _doubted(self, line: str) -> str:
        order = _ORDER.match(line)
        start = order.end() if order else 0
        return line[:start] + NUMBER.sub(self._number, line[start:])

    def _number(self, found: re.Match[str]) -> str:
        if value(found[0]) in self._numbers:
            return found[0]
        _note(self.doubtful, found[0])
        return f"{found[0]}\u00a0⚠️"

    def _reached(self, url: str) -> str:
        """The address of the page that `url` leads to, "" when it was not read."""
        try:
            return self._known.get(_plain(urljoin(self._base, url)), "")
        except ValueError:
            return ""

    def _inline(self, found: re.Match[str]) -> str:
        label, url = found[1], found[2]
        if reached := self._reached(url):
            return self.link(self._doubted(LINK.sub("", label)), reached)
        _note(self.removed, url)
        return label

    def _definition(self, found: re.Match[str]) -> str:
        if not self._reached(found[1]):
            _note(self.removed, found[1])
        return ""

    def _bare(self, found: re.Match[str]) -> str:
        url = found[0].strip("<>")
        reached = self._reached(url if "//" in url else f"https://{url}")
        if reached:
            return self.link(re.sub(r"^https?://(www\.)?|/$", "", reached), reached)
        _note(self.removed, url)
        return "(link removed)"

    def _email(self, found: re.Match[str]) -> str:
        if found[0].lower() in self._emails:
            return found[0].replace("@", "&#64;")  # as text: nobody has tried whether it answers
        _note(self.removed, found[0])
        return "(address removed)"


def _note(notes: list[str], what: str) -> None:
    if what not in notes:
        notes.append(what)


def _plain(url: str) -> str:
    return urldefrag(url)[0].rstrip("/")


def linked(label: str, url: str) -> str:
    """A link whose label and address cannot end it early."""
    label = re.sub(r"[\[\]<>`\\]", "", label).replace("@", "&#64;").strip() or "page"
    return f"[{label}]({url.replace('(', '%28').replace(')', '%29')})"


# --- sections ---------------------------------------------------------------------------------------------------------

_CITED = re.compile(r"[ \t]*\[\[\s*(\d+(?:\s*[,;]\s*\d+)*)\s*\]\]")


def _sections(text: str) -> list[str]:
    """The text in pieces that begin with a heading each, but for what stands before the first."""
    pieces = re.split(r"(?m)^(?=#{1,6} )", text)
    return [piece for piece in pieces if piece] or [""]


def _heading(part: str) -> str:
    first = part.lstrip().partition("\n")[0]
    return first.lstrip("# ").strip() if first.startswith("#") else ""


def _says_something(part: str) -> bool:
    body = re.sub(r"(?m)^#.*$", "", part)
    return bool(_CITED.sub("", body).strip())


def _named(part: str, pages: Sequence[Page]) -> tuple[str, tuple[Page, ...]]:
    """A section without its marks "[[1, 2]]", and the pages that they name."""
    numbers = [int(number) for marks in _CITED.findall(part) for number in re.findall(r"\d+", marks)]
    named = dict.fromkeys(number for number in numbers if 1 <= number <= len(pages))
    return _CITED.sub("", part), tuple(pages[number - 1] for number in named)


def _rests_on(body: str, named: tuple[Page, ...], pages: Sequence[Page]) -> tuple[Page, ...]:
    """The pages that a section rests on: those that the model names, else those that share most of its words."""
    if named:
        return named
    words = set(_content(body))
    shares = [(len(words & set(_content(page.text))) / max(1, len(words)), page) for page in pages]
    best = max((share for share, _ in shares), default=0)
    close = [page for share, page in shares if share >= max(0.3, best * 0.9)]
    return tuple(close[:3])


def _content(text: str) -> Iterator[str]:
    return (word.lower() for word in re.findall(r"[^\W\d_]{4,}|\d{2,}", text))


def _source(pages: tuple[Page, ...], marks: _Marks) -> str:
    """The line under a section. It has no words of its own, so that it fits every language."""
    if not pages:
        return "*⚠️ ↳ —*"
    return "*↳ " + " · ".join(marks.link(name(page), page.final_url) for page in pages) + "*"


def name(page: Page) -> str:
    """What a page is called in a list: its title without the part that all pages of a site share."""
    title = re.split(r"\s+[|·–—-]\s+", page.title)[0].strip()
    return title[:60] or page.final_url
