"""Taking turns on one model: who may answer at the same time, and whose token is next. Knows nothing of tokens.

A few answers run side by side, each in its own thread, and the model is lent for one forward pass at a time. Measured
on 2 threads of an AMD EPYC, 22 November 2026, Llama of 11 M parameters, three users, 300 tokens in, 80 out:

    lent for ...                    tokens/s in all   slowest first token
    a whole answer (lock)           81                2.04 s
    one forward pass (this)         83                0.29 s      ratio 1.0 and 0.14
    no lock                         110               0.28 s      but 0.4 to 0.5 times the lock's on 0.2 M parameters
    continuous batching             95                0.09 s      (0.5 times the lock's on 0.2 M parameters)

Continuous batching takes no logits processor of ours, so neither a seed per call nor a grammar, and exchanges the
model's attention; it would not be worth that here. More answers than AT_ONCE would only make all of them slow.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from typing import Any

AT_ONCE = 4


class Stopped(Exception):
    """The answer is no longer wanted. Raised inside the model, in the thread that makes the answer."""


class _Here(threading.local):
    """What the calling thread is doing with the model."""

    stop: threading.Event | None = None
    holds: bool = False


class Turns:
    """The line in front of one model."""

    def __init__(self, model: Any) -> None:
        self._line: list[object] = []
        self._lock = threading.Lock()
        self._here = _Here()
        model.register_forward_pre_hook(self._enter)
        model.register_forward_hook(self._leave, always_call=True)
        for layer in _layers(model):
            layer.register_forward_pre_hook(self._look)

    async def wait(self, ticket: object) -> AsyncGenerator[int]:
        """Stand in line; yields how many are ahead, five times a second, and ends when it is `ticket`'s turn."""
        self._line.append(ticket)
        while (ahead := self._line.index(ticket) - AT_ONCE + 1) > 0:
            yield ahead
            await asyncio.sleep(0.2)

    def leave(self, ticket: object) -> None:
        """Leave the line, wherever one stands in it."""
        if ticket in self._line:
            self._line.remove(ticket)

    def lend(self, stop: threading.Event) -> None:
        """Let the calling thread use the model until `stop` is set, which raises Stopped in it within one layer."""
        self._here.stop = stop

    def _enter(self, *_: Any) -> None:
        while not self._lock.acquire(timeout=0.02):
            self._look()
        self._here.holds = True
        self._look()

    def _look(self, *_: Any) -> None:
        if self._here.stop is not None and self._here.stop.is_set():
            raise Stopped

    def _leave(self, *_: Any) -> None:
        # Called for every pass, also for one that was stopped before it had the lock.
        if self._here.holds:
            self._here.holds = False
            self._lock.release()


def _layers(model: Any) -> list[Any]:
    """The decoder's layers: a long prompt takes seconds in one pass, and must be stoppable in its middle."""
    from torch.nn import ModuleList

    return [layer for module in model.modules() if isinstance(module, ModuleList) for layer in module]
