"""Who answers. One file per wire format; this is the registry. A choice is "provider/model", as a dropdown holds it."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from core.errors import AppError, SetupNeeded, TimedOut
from core.llm import Backend, Keyed
from core.plugins import modules
from core.settings import settings
from core.visitors import visitor

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Choice:
    """One row of the model picker. A provider that cannot be used has one row without a model, and says why."""

    provider: str
    label: str
    model: str = ""
    reason: str = ""

    @property
    def choice(self) -> str:
        return f"{self.provider}/{self.model}"

    @property
    def available(self) -> bool:
        return not self.reason


@cache
def backends() -> dict[str, Backend]:
    """Every backend, by name. Each module of this folder offers its own as `backends()`."""
    found: Iterable[Backend] = (b for module in modules(sys.modules[__name__]) for b in module.backends())
    return {backend.name: backend for backend in found}


def find(choice: str) -> tuple[Backend, str]:
    """The backend and the model's name of "provider/model". Raises SetupNeeded when there is no such provider."""
    provider, _, model = choice.partition("/")
    backend = backends().get(provider)
    if backend is None:
        raise SetupNeeded(f"There is no provider {provider!r}. Choose one of {', '.join(sorted(backends()))}.")
    if not model:
        _, rows = _lists.get(_list_of(backend), (0, []))
        missing = next((row.reason for row in rows if row.reason), "")
        raise SetupNeeded(missing or f"Choose a model of {backend.label}.")
    return backend, model


async def choices(fresh: bool = False) -> list[Choice]:
    """Every model of every provider, asked side by side; a list is kept for a minute. `fresh` asks again."""
    found = await asyncio.gather(*(_of(backend, fresh) for backend in backends().values()))
    return [row for rows in found for row in rows]


# What each provider offered, and when. Shared by all visitors but those who have brought a key: they have their own.
_lists: dict[tuple[str, str], tuple[float, list[Choice]]] = {}
_MOST_LISTS = 500
# The first list of a process may take longer: it imports the provider's SDK, seconds on a busy machine.
_IMPORTING = 10


async def _of(backend: Backend, fresh: bool) -> list[Choice]:
    which = _list_of(backend)
    asked, rows = _lists.get(which, (float("-inf"), []))
    if fresh or time.monotonic() - asked > settings().list_lifetime:
        rows = await _ask(backend, settings().list_timeout + (0 if rows else _IMPORTING))
        _lists[which] = (time.monotonic(), rows)
        if len(_lists) > _MOST_LISTS:
            _lists.pop(min(_lists, key=lambda key: _lists[key][0]), None)
    return rows


def _list_of(backend: Backend) -> tuple[str, str]:
    """Which list of a backend is this visitor's, without the key itself."""
    own = visitor().keys.get(backend.key_variable, "") if isinstance(backend, Keyed) else ""
    return backend.name, hashlib.sha256(own.encode()).hexdigest() if own else ""


async def _ask(backend: Backend, limit: float) -> list[Choice]:
    try:
        async with asyncio.timeout(limit):
            names = await backend.models()
    except TimeoutError:
        return [Choice(backend.name, backend.label, reason=str(TimedOut(backend.label)))]
    except AppError as error:
        return [Choice(backend.name, backend.label, reason=str(error))]
    except Exception:
        # One provider that fails in a way nobody foresaw must not take the others' lists with it.
        log.exception("listing the models of %s failed", backend.name)
        return [Choice(backend.name, backend.label, reason=f"{backend.label} could not list its models: see the log.")]
    return [Choice(backend.name, backend.label, name) for name in names]
