"""Claude, on Anthropic's Messages API. The wire format is _claude/wire.py, what a model takes _claude/facts.py."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from backends._claude.facts import Facts, facts, knobs, reason, takes
from backends._claude.snippet import snippet
from backends._claude.wire import MAKER, Answer, messages, system, tools
from core.catalogue import price
from core.errors import AppError, BadReply, CutOff, from_status
from core.llm import KNOBS, Backend, BackendEvent, Capabilities, Conversation, Done, Message, Sampling, ToolSpec
from core.remote import MALFORMED, from_transport, key, retry_after, tls, translated
from core.settings import settings
from core.streams import paced

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from anthropic.types import RawMessageStreamEvent

# The status that an error event inside a stream stands for; the response itself had said 200.
IN_STREAM = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "timeout_error": 504,
    "overloaded_error": 529,
}

# What the account's list said last, by address and model: thinking types, effort, limits. The same for all visitors.
_listed: dict[tuple[str, str], Mapping[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class Claude:
    """Anthropic's models."""

    name: str = MAKER
    label: str = "Claude"
    key_variable: str = "ANTHROPIC_API_KEY"
    key_needed: bool = True

    async def models(self) -> list[str]:
        """Every model that is not retired, newest first."""
        async with self._client() as client:
            page = await client.models.list(limit=1000)
            listed = [entry.to_dict() for entry in page.data]
            _listed.update({(_address(), str(entry["id"])): entry for entry in listed})
            return [str(entry["id"]) for entry in listed if entry.get("lifecycle") != "retired"]

    async def capabilities(self, model: str) -> Capabilities:
        """What Anthropic's list says of `model`, where it was read, and LangChain's profile."""
        about = _about(model)
        taken = takes(about)
        return Capabilities(
            tools=about.tools,
            thinking=about.adaptive,
            structured=about.structured,
            sampling=taken,
            reasons={knob: reason(about, knob) for knob in KNOBS - taken},
            context_window=about.context_window,
            max_output=about.max_output,
            price=await asyncio.to_thread(price, "anthropic", model),
            note=f"Anthropic retires this model on {about.retires}." if about.retires else "",
        )

    async def stream(
        self,
        model: str,
        conversation: Conversation,
        tools: tuple[ToolSpec, ...] = (),
        sampling: Sampling = Sampling(),
        schema: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[BackendEvent]:
        """One answer. Tool calls are emitted at its end, when the model has stopped for them."""
        request = _request(model, conversation, tools, sampling)
        answer = Answer()
        with translated(self._error):
            async with aclosing(self._events(request, schema)) as raw, aclosing(paced(raw, self.label)) as events:
                async for event in events:
                    for piece in answer.take(event):
                        yield piece
            for last in self._end(answer, model):
                yield last

    async def python(self, model: str, prompt: str, sampling: Sampling) -> str:
        """The request through Anthropic's SDK."""
        return snippet(_request(model, (Message("user", prompt),), (), sampling))

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[AsyncAnthropic]:
        """A client for one request: it belongs to one event loop, and closing it ends the request."""
        api_key = key(self.key_variable, self.label)
        await asyncio.to_thread(import_module, "anthropic")
        import anthropic
        import httpx2

        limits = settings()
        timeout = anthropic.Timeout(limits.first_token_timeout, connect=limits.connect_timeout)
        with translated(self._error):
            # Retries are the tool loop's, where they are seen; the SDK would obey a Retry-After of any length.
            # A redirect to another host would take the key along: only an Authorization header is held back.
            http = anthropic.DefaultAsyncHttpxClient(verify=tls(httpx2), timeout=timeout, follow_redirects=False)
            async with anthropic.AsyncAnthropic(
                api_key=api_key, timeout=timeout, max_retries=0, http_client=http
            ) as client:
                yield client

    async def _events(
        self, request: dict[str, Any], schema: Mapping[str, Any] | None
    ) -> AsyncGenerator[RawMessageStreamEvent]:
        async with self._client() as client:
            if schema is not None:
                import anthropic

                form = {"type": "json_schema", "schema": anthropic.transform_schema(dict(schema))}
                request["output_config"] = request.get("output_config", {}) | {"format": form}
            async with await client.messages.create(stream=True, **request) as stream:
                async for event in stream:
                    yield event

    def _end(self, answer: Answer, model: str) -> Iterator[BackendEvent]:
        if answer.finish is None:
            raise CutOff(self.label) if answer.heard else BadReply(self.label)
        calls, stop, replay = answer.end(model)
        yield from calls
        yield Done(stop, answer.input_tokens, answer.output_tokens, replay)

    def _error(self, error: Exception) -> AppError | None:
        """What the SDK raised, in our words."""
        import anthropic
        import httpx2

        match error:
            case anthropic.APIConnectionError():
                return from_transport(self.label, error.__cause__, httpx2)
            case anthropic.APIStatusError():
                wait = retry_after(error.response.headers.get("retry-after"))
                return from_status(self.label, _status(error), f"{error.type} {error.body}", wait)
            case httpx2.HTTPError() | httpx2.InvalidURL():
                return from_transport(self.label, error, httpx2)
            case anthropic.APIError():
                return BadReply(self.label)
            case _:
                return BadReply(self.label) if isinstance(error, MALFORMED) else None


def _status(error: Any) -> int:
    return IN_STREAM.get(str(error.type), 500) if error.status_code == 200 else int(error.status_code)


def _address() -> str:
    return os.environ.get("ANTHROPIC_BASE_URL", "")


def _about(model: str) -> Facts:
    return facts(model, _listed.get((_address(), model), {}))


def _request(
    model: str, conversation: Conversation, offered: tuple[ToolSpec, ...], sampling: Sampling
) -> dict[str, Any]:
    request = {"model": model, "messages": messages(conversation, model), **tools(offered, conversation)}
    if told := system(conversation):
        request["system"] = told
    return request | knobs(_about(model), sampling)


def backends() -> list[Backend]:
    """Anthropic is one."""
    return [Claude()]
