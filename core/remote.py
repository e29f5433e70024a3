"""Asking a service over HTTP: its key, its TLS, its waits, and how a broken connection reads. Knows no vendor.

`http` is the client library a vendor's SDK stands on, given as a module: httpx, or httpx2 with the same names.
"""

from __future__ import annotations

import hashlib
import math
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from types import ModuleType

from core.errors import AppError, BadReply, CutOff, ProviderError, RateLimited, SetupNeeded, TimedOut, Unreachable
from core.settings import secret, settings

# What reading a reply raises when it has not the shape that was promised. JSON and pydantic raise ValueErrors.
MALFORMED = (ValueError, TypeError, AttributeError, LookupError, AssertionError)


def key(variable: str, label: str) -> str:
    """The provider's key. Raises SetupNeeded when it is not set, or cannot be a key at all."""
    value = secret(variable)
    if not value:
        raise SetupNeeded(_missing(variable, label))
    if not can_be_key(value):
        raise SetupNeeded(f"{variable} holds characters that no key has. Copy the key again to use {label}.")
    return value


def can_be_key(value: str) -> bool:
    """Whether a header takes it: others fail deep in the client, with the key in the text of the exception."""
    return re.fullmatch(r"[!-~]{1,1000}", value) is not None


def _missing(variable: str, label: str) -> str:
    """What to do about a key that is not there: a visitor of somebody else's app cannot set a variable."""
    if settings().visitor_keys:
        return f"Enter your own key under “Settings” to use {label}."
    return f"{label} is not set up here." if settings().public else f"Set {variable} to use {label}."


@cache
def tls(http: ModuleType) -> ssl.SSLContext:
    """One TLS context for all requests: making one reads every certificate, 30 ms during which no stream moves."""
    context: ssl.SSLContext = http.create_ssl_context()
    return context


@contextmanager
def translated(to_ours: Callable[[Exception], AppError | None]) -> Iterator[None]:
    """What is raised inside, in our words. `to_ours` answers None for what is not the provider's doing."""
    try:
        yield
    except AppError:
        raise
    except Exception as error:
        ours = to_ours(error)
        if ours is None:
            raise
        raise ours from error


def from_transport(provider: str, error: BaseException | None, http: ModuleType) -> ProviderError:
    """The error for a connection that failed: never made, silent for too long, or cut."""
    if isinstance(error, http.ConnectTimeout | http.ConnectError | http.ProxyError):
        return Unreachable(provider)
    if isinstance(error, http.TimeoutException):
        return TimedOut(provider)
    if isinstance(error, http.DecodingError | http.TooManyRedirects):
        return BadReply(provider)
    if isinstance(error, http.NetworkError | http.RemoteProtocolError):
        return CutOff(provider)
    return Unreachable(provider)


def retry_after(header: str | None) -> float | None:
    """The seconds that a Retry-After header asks for: a number, or an HTTP date (RFC 9110, section 10.2.3)."""
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def retry_wait(busy: ProviderError, attempt: int) -> int | None:
    """Whole seconds to wait before the next attempt: what the provider asked for, else 1, 2, 4 …; None to give up."""
    asked = busy.retry_after if isinstance(busy, RateLimited) and busy.retry_after is not None else 2**attempt
    limits = settings()
    return None if attempt >= limits.retries or asked > limits.longest_retry_wait else max(1, round(asked))


def wire_id(id: str) -> str:
    """A tool call's id as every provider takes it, whoever made it: up to 40 letters, digits, "_" and "-"."""
    if re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", id):
        return id
    return f"call_{hashlib.sha256(id.encode()).hexdigest()[:32]}"


def wire_name(name: str) -> str:
    """A tool's name as every provider takes it, also when a model has made it up."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:64] or "unnamed"
