"""All that is known of one brochure at one moment: a value, from which a page or an endpoint shows what it likes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from core.brochure.check import Checked, checked
from core.brochure.choose import Picked
from core.brochure.wish import Wish
from core.llm import Done
from core.web import Link, Page


@dataclass(frozen=True, slots=True)
class Row:
    """One page of the site and how it is with it. `state` is "waiting", "read" or "failed"; `note` says why."""

    url: str
    text: str
    kind: str = ""
    state: str = "waiting"
    note: str = ""
    seconds: float | None = None
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Dossier:
    """The site, the choice among its links, the pages that were read, and the text so far.

    `step` says in a sentence what is going on; `notes` what a reader should know besides. `invented` are links that
    the model made up. `text` is the model's own, never to be shown; `brochure` is what it becomes, with `verbatim`
    only of sentences that stand on the pages.
    """

    company: str = ""
    url: str = ""
    step: str = ""
    notes: tuple[str, ...] = ()
    front: Page | None = None
    offered: tuple[Link, ...] = ()
    picked: tuple[Picked, ...] = ()
    invented: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    pages: tuple[Page, ...] = ()
    wish: Wish = field(default_factory=Wish)
    text: str = ""
    whole: bool = False
    verbatim: bool = False
    done: Done | None = None

    @property
    def finished(self) -> bool:
        """Whether there is a brochure to keep, to export, to translate."""
        return self.whole and bool(self.text.strip())

    @property
    def brochure(self) -> Checked:
        """The text so far, every link and number of it checked."""
        return checked(self.text, self.pages, whole=self.whole, verbatim=self.verbatim)


def left(dossier: Dossier, why: str) -> Dossier:
    """The dossier after a step that did not come to its end. What there is of the text stays, and says so."""
    notes = (
        (*dossier.notes, f"The brochure is incomplete. {why}") if dossier.text and not dossier.whole else dossier.notes
    )
    rows = tuple(row if row.state != "waiting" else replace(row, state="failed", note=why) for row in dossier.rows)
    return replace(dossier, step=why, notes=notes, rows=rows, whole=True)
