"""Who may log in, and how often a wrong password may be tried."""

from __future__ import annotations

import hmac
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)

FREE = 3  # wrong guesses before the next one has to wait: 1 s, 2 s, 4 s …
LONGEST_FOR_NAME = 15.0  # seconds; no longer, or strangers could keep somebody out of their own page
LONGEST_FOR_ADDRESS = 300.0
FORGIVEN = 900.0  # seconds after which nothing is held against a name or an address
MOST = 10_000  # names and addresses that are remembered
NOTE = "After a few wrong guesses the next one has to wait, up to some minutes."


class Login:
    """The accounts, and what was guessed of late.

    A name counts as well as an address: behind a tunnel or a proxy an address can be forged, and names can be tried
    from many addresses. While either has to wait, also the right password is refused: Gradio's page knows no other
    answer than that it was wrong.
    """

    def __init__(self, accounts: Mapping[str, str], clock: Callable[[], float] = time.monotonic) -> None:
        self._accounts, self._clock = accounts, clock
        self._wrong: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()

    def allows(self, name: str, password: str, address: str) -> bool:
        """Whether this is the password of `name`, and may be tried now."""
        keys = {("name", name[:200]): LONGEST_FOR_NAME, ("address", address): LONGEST_FOR_ADDRESS}
        if any(self._waits(key, longest) for key, longest in keys.items()):
            return False
        # Compared also where there is no such name, so that the time tells nothing.
        same = hmac.compare_digest(password.encode(), self._accounts.get(name, "").encode())
        right = same and name in self._accounts
        for key in keys:
            if right:
                self._wrong.pop(key, None)
            else:
                self._remember(key)
        return right

    def _waits(self, key: tuple[str, str], longest: float) -> bool:
        count, last = self._wrong.get(key, (0, 0.0))
        return count >= FREE and self._clock() < last + min(2.0 ** (count - FREE), longest)

    def _remember(self, key: tuple[str, str]) -> None:
        now = self._clock()
        count, last = self._wrong.pop(key, (0, now))
        count = 1 if now - last > FORGIVEN else count + 1
        self._wrong[key] = count, now
        if count % 10 == 0:
            log.warning("%d wrong passwords in a row for the %s %r", count, *key)
        if len(self._wrong) > MOST:
            self._wrong.popitem(last=False)
