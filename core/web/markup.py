"""The main part of a page as Markdown: headings, lists, tables and code as they stand. Knows no network.

Resiliparse's main text is better at leaving menus out, but it knows no headings, and a document
that is split along its structure needs both.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from bs4 import BeautifulSoup, Tag

# What is around a page, and what says nothing in text.
_AROUND = [
    "nav", "footer", "aside", "script", "style", "noscript", "template", "iframe", "object", "svg", "canvas", "math",
    "button", "input", "select", "textarea", "dialog", "img", "picture", "video", "audio", "head",
]  # fmt: skip
_ROLES = {"navigation", "banner", "contentinfo", "search", "complementary", "dialog", "alertdialog", "menu", "menubar"}
_NAMES = {
    "nav", "navbar", "navigation", "menu", "breadcrumb", "breadcrumbs", "sidebar", "footer", "site-footer",
    "pagination", "cookie-banner", "cookie-notice", "cookie-consent", "skip-link", "toc", "share",
}  # fmt: skip


def as_markdown(html: bytes, most_deep: int = 80) -> str:
    """The main part of `html`, which is UTF-8; "" when it is nested deeper than `most_deep` elements.

    Time is linear in the length of the page for a given depth.
    """
    # markdownify takes longer to import than a page takes to read.
    from markdownify import ATX, MarkdownConverter

    soup = BeautifulSoup(html, "lxml", from_encoding="utf-8")
    part = _main(soup)
    if _is_deeper(part, most_deep):
        return ""
    for tag in [tag for tag in part.find_all(True) if _is_around(tag)]:
        _become(tag, "")
    for anchor in part.find_all("a"):
        _become(anchor, _written(anchor))
    for cell in part.find_all(["td", "th"]):
        # One cell may claim a thousand columns.
        cell.attrs = {}
    converter = MarkdownConverter(
        heading_style=ATX, bullets="-", escape_asterisks=False, escape_underscores=False, table_infer_header=True,
    )  # fmt: skip
    return converter.convert_soup(part).strip()


def _become(tag: Tag, text: str) -> None:
    """Make `tag` an element that is but `text`. Taking it out would look for it among all of its neighbours."""
    tag.clear()
    tag.name, tag.attrs, tag.string = "span", {}, text


def _main(soup: BeautifulSoup) -> Tag:
    """The element that holds what the page is about, where it says so."""
    articles = soup.find_all("article")
    found = soup.find("main") or soup.find(None, {"role": "main"}) or (articles[0] if len(articles) == 1 else soup.body)
    return found if isinstance(found, Tag) else soup


def _is_around(tag: Tag) -> bool:
    if tag.name in _AROUND or str(tag.get("role", "")).lower() in _ROLES:
        return True
    if tag.name == "header":
        return tag.find(re.compile(r"h[1-6]")) is None
    words = {*(tag.get_attribute_list("class")), tag.get("id")}
    return bool(_NAMES & {str(word).lower() for word in words}) and tag.name != "body" and tag.find("h1") is None


def _is_deeper(tag: Tag, most: int) -> bool:
    depth, row = 0, [tag]
    while row:
        row = [child for parent in row for child in parent.children if isinstance(child, Tag)]
        depth += 1
        if depth > most:
            return True
    return False


def _written(anchor: Tag) -> str:
    """A link as its text, with the address where that says what the text does not: another site, mail, telephone."""
    text = " ".join(anchor.get_text(" ").split())
    href = str(anchor.get("href", "")).strip()
    try:
        scheme = urlsplit(href).scheme.lower()
    except ValueError:
        return text
    if scheme in ("mailto", "tel"):
        address = href.partition(":")[2].partition("?")[0]
        return text if address in text else f"{text} ({address})".strip()
    if (
        scheme in ("http", "https")
        and text
        and href not in text
        and len(href) < 500
        and not re.search(r"[\s()<>]", href)
    ):
        return f"[{text}]({href})"
    return text
