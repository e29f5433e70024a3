"""All that is known of one brochure at one moment: a value, from which a page or an endpoint shows what it likes."""

from __future__ import annotations

from dataclasses import dataclass, field

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
    the model made up. `text` is the model's own, never to be shown; `brochure` is what it becomes.
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
    done: Done | None = None

    @property
    def brochure(self) -> Checked:
        """The text so far, every link and number of it checked."""
        return checked(self.text, self.pages, whole=self.whole)
