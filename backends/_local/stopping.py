"""Ending an answer before a given text: events pass until it comes, and what may be its beginning is held back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from core.llm import TextDelta, Thinking, ToolCall

Said = TextDelta | Thinking | ToolCall


class Until:
    """One per answer. `met` once one of `stops` has come; it is not part of the answer. Thinking is not looked at."""

    def __init__(self, stops: tuple[str, ...]) -> None:
        self.met = False
        self._stops = stops
        self._held = ""

    def passing(self, events: Iterable[Said]) -> Iterator[Said]:
        """The events up to the stop."""
        for event in events:
            if self.met:
                return
            if isinstance(event, TextDelta):
                yield from self._text(event.text)
            else:
                yield from self.rest()
                yield event

    def rest(self) -> Iterator[TextDelta]:
        """What was held back and is no stop after all."""
        if self._held and not self.met:
            yield TextDelta(self._held)
        self._held = ""

    def _text(self, text: str) -> Iterator[TextDelta]:
        self._held += text
        found = [at for stop in self._stops if (at := self._held.find(stop)) >= 0]
        self.met = bool(found)
        cut = min(found) if found else len(self._held) - self._pending()
        if cut:
            yield TextDelta(self._held[:cut])
        self._held = self._held[cut:]

    def _pending(self) -> int:
        """How many characters at the end may be the beginning of a stop."""
        longest = max(map(len, self._stops), default=1) - 1
        for size in range(min(longest, len(self._held)), 0, -1):
            if any(stop.startswith(self._held[-size:]) for stop in self._stops):
                return size
        return 0
