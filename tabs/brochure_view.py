"""How a dossier looks, as Markdown. Titles and addresses come from strangers, so they are shown as plain text."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from core.brochure import Checked, Dossier, Row
from tabs.bubbles import figures

_SIGNS = {"waiting": "⏳", "read": "✅", "failed": "⚠️"}


def plain(text: str) -> str:
    """`text` in Markdown, as it is."""
    escaped = re.sub(r"([\\`*_\[\]()#|~$!])", r"\\\1", " ".join(text.split()))
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace("@", "&#64;").replace("://", ":&#8203;//")


def step(dossier: Dossier, running: bool) -> str:
    """What is going on."""
    if dossier.step:
        return f"⏳ {plain(dossier.step)}" if running else plain(dossier.step)
    if dossier.finished:
        read = sum(row.state == "read" for row in dossier.rows)
        return f"Done: a brochure from {read} page{'s' * (read != 1)}."
    return ""


def pages(dossier: Dossier) -> str:
    """Each page and how it is with it."""
    lines = [_row(row) for row in dossier.rows]
    lines += [f"- ✕ {plain(url)} — invented by the model, left out" for url in dossier.invented]
    return "\n".join(lines)


def _row(row: Row) -> str:
    facts = [row.kind] if row.kind else []
    if row.seconds is not None:
        facts += [f"{row.bytes / 1000:,.1f} kB", f"{row.seconds:.2f} s"]
    said = f" — {plain(row.note)}" if row.note else ""
    return f"- {_SIGNS[row.state]} **{plain(row.text or row.url)}** {' · '.join(facts)}{said}"


def choices(dossier: Dossier) -> list[tuple[str, str]]:
    """The links of the front page as a person ticks them: what is written on them, and where they lead."""
    kinds = {link.url: f" · {link.kind}" for link in dossier.picked if link.kind}
    host = urlsplit(dossier.front.final_url).netloc if dossier.front else ""
    return [
        (f"{link.text or 'no text'} ({_short(link.url, host)}){kinds.get(link.url, '')}", link.url)
        for link in dossier.offered
    ]


def _short(url: str, host: str) -> str:
    parts = urlsplit(url)
    return (parts.path if parts.netloc == host else f"{parts.netloc}{parts.path}")[:40]


def checks(dossier: Dossier, checked: Checked) -> str:
    """What was taken out of the brochure, what to doubt in it, and what it took."""
    lines = [plain(note) for note in dossier.notes]
    if checked.removed:
        lines.append("Left out, because it stands on none of the pages: " + _listed(checked.removed))
    if checked.doubtful:
        lines.append("Numbers marked ⚠️ stand on none of the pages: " + _listed(checked.doubtful))
    if any(not section.pages for section in checked.sections):
        lines.append("Sections marked ⚠️ rest on no page that could be told.")
    if dossier.done:
        lines.append(plain(figures(dossier.done)))
    return "\n\n".join(lines)


def _listed(texts: tuple[str, ...]) -> str:
    shown = [plain(text[:120]) for text in texts[:20]]
    return ", ".join(shown) + (f" and {len(texts) - 20} more" if len(texts) > 20 else "")
