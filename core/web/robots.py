"""What a site lets robots read (RFC 9309). Knows no network: it is given what /robots.txt answered."""

from __future__ import annotations

from dataclasses import dataclass

from protego import Protego

from core.web.wire import AGENT

_LONGEST = 500 * 1024  # bytes that are looked at, as the RFC asks for at least
_NAME = AGENT.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Robots:
    """A site's rules. `rules` None: everything is allowed, or nothing when `closed`."""

    rules: Protego | None = None
    closed: bool = False

    def allow(self, url: str) -> bool:
        """Whether this app may read `url`."""
        return self.rules.can_fetch(url, _NAME) if self.rules else not self.closed


def robots(status: int, body: bytes) -> Robots:
    """The rules in an answer. A site that has none (4xx) allows all; one that fails to say (5xx) allows nothing."""
    if status == 200:
        return Robots(Protego.parse(body[:_LONGEST].decode("utf-8", "replace")))
    return Robots(closed=status >= 500)
