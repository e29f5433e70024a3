"""Reading one page: its charset, title, description, main text and links. Knows no network.

The structure comes from BeautifulSoup over lxml, the main text from Resiliparse: on pages of companies it keeps lists
and short paragraphs, and it takes 6 ms where trafilatura takes 95 (200 kB of dense HTML). When it finds too little,
all visible text is taken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from bs4 import BeautifulSoup, Tag
from bs4.filter import SoupStrainer
from resiliparse.extract.html2text import extract_plain_text

from core.material import visible as seen
from core.web.bounds import MOST_TAGS, bounded
from core.web.charset import decoded
from core.web.hidden import without_hidden
from core.web.lists import with_lists
from core.web.markup import as_markdown

LONGEST_TEXT = 100_000  # characters of a page's text that are kept
MOST_LINKS = 3_000
# A tree of the whole page would cost more than everything else here together.
_NEEDED = SoupStrainer(["base", "title", "meta", "h1", "a"])
_THIN = 250  # characters: less than this is no text of a page


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a page: absolute, without fragment; `text` is what the page writes on it."""

    url: str
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page that was read. `bytes` are those of the decompressed body; `note` says what is odd about it, or "".

    `markdown` is the text with its headings, lists and tables, where it was asked for.
    """

    url: str
    final_url: str
    status: int
    title: str
    description: str
    text: str
    links: tuple[Link, ...]
    bytes: int
    seconds: float = 0.0
    note: str = ""
    markdown: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a page is read: whether as Markdown too, up to how many tags, and how many characters are kept."""

    structured: bool = False
    tags: int = MOST_TAGS
    longest: int = LONGEST_TEXT


def page(
    url: str, final_url: str, body: bytes, kind: str, content_type: str, how: Reading = Reading()
) -> Page:  # fmt: skip
    """The page in `body`, whatever its bytes are: `kind` is its media type, `content_type` may name its charset."""
    text = decoded(body, content_type)
    if kind == "text/plain":
        plain = _clean(text[: how.longest])
        return Page(url, final_url, 200, "", "", plain, (), len(body), markdown=plain if how.structured else "")
    # From here on as UTF-8: one emoji makes every character of a str four bytes long.
    html, deep = bounded(text.encode("utf-8", "replace"), how.tags)
    del text
    html = without_hidden(html)
    visible = _visible(html.decode(), deep, how.longest)
    structure = "" if deep or not how.structured else _structure(html, visible, how.longest)
    soup = BeautifulSoup(html, "lxml", from_encoding="utf-8", parse_only=_NEEDED)
    title, links = _title(soup), _links(soup, final_url)
    note = _empty(html, visible) or _missing(title, visible)
    return Page(
        url, final_url, 200, title, _description(soup), visible, links, len(body), note=note, markdown=structure
    )


# --- text -------------------------------------------------------------------------------------------------------------


def _visible(html: str, deep: bool, longest: int) -> str:
    """The main text of a page, or all that it shows where there is little that looks like one.

    Looking for the main text takes quadratic time in a `deep` page, so there all is taken.
    """
    main = "" if deep else extract_plain_text(with_lists(html), main_content=True, alt_texts=False)
    if len(main) < _THIN:
        main = extract_plain_text(html, main_content=False, alt_texts=False)
    return _clean(main[:longest])


def _structure(html: bytes, text: str, longest: int) -> str:
    """The page as Markdown, or the text where that would lose most of it."""
    markdown = seen(as_markdown(html)[:longest])
    return markdown if 2 * len(markdown) > len(text) else text


def _clean(text: str) -> str:
    """`text` as a reader sees it, its spaces evened."""
    lines = (" ".join(line.split()) for line in seen(text).splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _line(text: str, longest: int) -> str:
    return " ".join(_clean(text[: longest * 4]).split())[:longest]


# --- structure --------------------------------------------------------------------------------------------------------


def _title(soup: BeautifulSoup) -> str:
    found = soup.find("title") or soup.find("h1")
    return _line(found.get_text(" "), 200) if found else ""


def _description(soup: BeautifulSoup) -> str:
    for name, value in (("name", "description"), ("property", "og:description")):
        found = soup.find("meta", attrs={name: value})
        if isinstance(found, Tag) and found.get("content"):
            return _line(str(found["content"]), 500)
    return ""


# Endings of addresses that are no pages.
_ASSETS = (
    ".jpg", ".jpeg", ".png", ".gif", ".svg", ".webp", ".ico", ".css", ".js", ".json", ".xml", ".pdf", ".zip", ".gz",
    ".mp3", ".mp4", ".webm", ".mov", ".avi", ".doc", ".docx", ".xls", ".xlsx", ".ppt", ".pptx", ".woff", ".woff2",
    ".ttf", ".exe", ".dmg", ".apk", ".rss", ".atom", ".ics", ".vcf",
)  # fmt: skip


def _links(soup: BeautifulSoup, base: str) -> tuple[Link, ...]:
    """Links to other pages, each once with the first text that says something, in the order of the page."""
    declared = soup.find("base", href=True)
    if isinstance(declared, Tag):
        base = _absolute(str(declared["href"]), base) or base
    found: dict[str, str] = {}
    for anchor in soup.find_all("a", href=True):
        url = _absolute(str(anchor["href"]), base)
        if url and url != base and len(found) < MOST_LINKS:
            found[url] = found.get(url) or _line(anchor.get_text(" ") or str(anchor.get("title", "")), 120)
    return tuple(Link(url, text) for url, text in found.items())


def _absolute(href: str, base: str) -> str:
    """The address that a link leads to, without fragment; "" for mail, telephone, script, assets and nonsense."""
    try:
        parts = urlsplit(urljoin(base, href.strip()))
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.lower().endswith(_ASSETS):
        return ""
    url = parts._replace(fragment="", path=parts.path or "/").geturl().replace(" ", "%20")
    return url if len(url) <= 2000 and url.isprintable() else ""


# --- what is odd ------------------------------------------------------------------------------------------------------


_ASKS = re.compile(rb"<noscript[^>]*>[^<]*(?:<(?!/noscript)[^<]*)*javascript", re.IGNORECASE)
_MOUNT = re.compile(rb"\bid\s*=\s*[\"']?(?:root|app|__next|__nuxt|___gatsby|svelte|main-app)[\"'\s>]", re.IGNORECASE)


def _empty(html: bytes, visible: str) -> str:
    """Why a page has nothing to read, when a program in it would have drawn the rest."""
    if len(visible) >= _THIN or b"<script" not in html.lower():
        return ""
    if len(visible) < 20 or _ASKS.search(html) or _MOUNT.search(html):
        return "This page is empty without JavaScript, which Switchboard does not run."
    return ""


_NOT_FOUND = re.compile(
    r"\b404\b|not found|page (does not|doesn.t) exist|no longer (exists|available)|seite nicht gefunden|introuvable",
    re.I,
)


def _missing(title: str, visible: str) -> str:
    """Whether a page says that it is none, though its status says that it is."""
    if _NOT_FOUND.search(title) or (len(visible) < 600 and _NOT_FOUND.search(visible[:200])):
        return "This page says that it was not found."
    return ""
