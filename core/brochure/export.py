"""A finished brochure as a file: Markdown, one HTML page that needs nothing else, or a PDF.

The text goes to Typst as data (JSON), never as Typst's own markup, so nothing in it can run or read a file. Typst sets
good type, tables and page numbers, and is one wheel with its fonts inside: WeasyPrint needs Pango on the machine, which
Windows, macOS and a plain container lack, and fpdf2 has no fonts beyond Latin-1 and no line breaking to speak of.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from core.brochure.check import linked, name
from core.brochure.dossier import Dossier

_TEMPLATE = Path(__file__).with_name("brochure.typ")
_STYLE = Path(__file__).with_name("brochure.css")


def _reader() -> MarkdownIt:
    """Markdown without raw HTML, as everywhere in the app."""
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")


def markdown(dossier: Dossier) -> str:
    """The brochure with its pages listed, as Markdown that is harmless in any renderer."""
    pages = "\n".join(f"{number}. {linked(name(page), page.final_url)}" for number, page in enumerate(dossier.pages, 1))
    text = dossier.brochure.markdown
    legend = "\n⚠️ stands on none of these pages.\n" if "⚠️" in text else ""
    return f"{text}\n\n---\n\n{pages}\n{legend}"


def page(dossier: Dossier) -> str:
    """The brochure as one HTML page with its style inside: no script, no picture, no request to anywhere."""
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        f'<!doctype html>\n<html>\n<head>\n<meta charset="utf-8">\n<title>{html.escape(dossier.company)}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<style>\n{_STYLE.read_text('utf-8')}</style>\n</head>\n<body>\n<main>\n"
        f"{_reader().render(markdown(dossier))}</main>\n</body>\n</html>\n"
    )


def pdf(dossier: Dossier) -> bytes:
    """The brochure as an A4 PDF with page numbers, tagged for screen readers."""
    import typst

    tree = SyntaxTreeNode(_reader().parse(markdown(dossier)))
    document = {"title": dossier.company, "body": list(_nodes(tree.children))}
    made: bytes = typst.compile(_TEMPLATE.read_bytes(), sys_inputs={"document": json.dumps(document)})
    return made


# The files that can be made, by ending.
FORMATS: dict[str, Callable[[Dossier], str | bytes]] = {"md": markdown, "html": page, "pdf": pdf}


# --- a syntax tree as data that the template draws --------------------------------------------------------------------

Node = dict[str, Any]


def _nodes(nodes: Iterable[SyntaxTreeNode]) -> Iterator[Node]:
    """Each node as {"kind", "text" or "body", and what the kind needs}."""
    for node in nodes:
        match node.type:
            case "inline":
                yield from _nodes(node.children)
            case "text" | "code_inline" | "fence" | "code_block" | "html_inline" | "html_block":
                yield {"kind": node.type, "text": node.content}
            case "softbreak" | "hardbreak" | "hr":
                yield {"kind": node.type}
            case _:
                yield {"kind": node.type, "body": list(_nodes(node.children)), **_facts(node)}


def _facts(node: SyntaxTreeNode) -> Node:
    match node.type:
        case "heading":
            return {"level": int(node.tag[1])}
        case "link":
            return {"url": str(node.attrs.get("href", ""))}
        case "ordered_list":
            return {"start": int(node.attrs.get("start", 1))}
        case "table":
            return {"columns": len(node.children[0].children[0].children)}
    return {}
