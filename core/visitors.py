"""Who asks: the visitor on whose behalf code runs, carried from the page to wherever it is needed. Knows no page.

The page sets it around every handler; tasks, threads started by asyncio and jobs inherit it. Where nobody has set it,
the owner of the machine asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Visitor:
    """One visitor: the name of a login, the browser or session, the address asked from. All "": the owner.

    `keys` are providers' keys that this visitor has brought, by the name of the provider's variable ("OPENAI_API_KEY").
    They live in the memory of one session and are never shown, also not in the text of an exception.
    """

    name: str = ""
    session: str = ""
    address: str = ""
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def owner(self) -> str:
        """Whose a job, an index or a count is. A session's name has a mark before it, which no login may have.

        It can be the name of a folder.
        """
        return self.name or (f"~{self.session}" if self.session else "")


OWNER = Visitor()
_asking: ContextVar[Visitor] = ContextVar("visitor", default=OWNER)


def visitor() -> Visitor:
    """Who asks now."""
    return _asking.get()


@contextmanager
def visiting(who: Visitor) -> Iterator[None]:
    """What is run inside is run for `who`."""
    token = _asking.set(who)
    try:
        yield
    finally:
        _asking.reset(token)


def arrive(who: Visitor) -> None:
    """From here on in this task or thread, `who` asks."""
    _asking.set(who)
