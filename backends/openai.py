"""OpenAI's chat completions, spoken by OpenAI and by every server that is compatible with it.

What differs between servers is data: _openai/servers.json, and in the same form whatever SWITCHBOARD_PROVIDERS adds.
The wire format is _openai/wire.py, what a model takes _openai/facts.py.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError

from backends._openai import logprobs
from backends._openai.facts import knobs, known, reason, takes
from backends._openai.snippet import snippet
from backends._openai.wire import Answer, json_format, messages, tool
from backends._openai.words import encoded, encoding
from core.catalogue import price
from core.errors import AppError, BadReply, BadSetting, CutOff, RequestRefused, SetupNeeded, Unreachable, from_status
from core.llm import (
    KNOBS,
    Backend,
    BackendEvent,
    Capabilities,
    Conversation,
    Done,
    Message,
    Replay,
    Sampling,
    ToolSpec,
)
from core.remote import MALFORMED, from_transport, key, retry_after, tls, translated
from core.sampling import Pick, Scores
from core.settings import secret, settings
from core.streams import paced
from core.tokens import Token
from core.visitors import visitor

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types.chat import ChatCompletionChunk

# Models that a server lists and that cannot chat, whoever made them.
OTHER_KINDS = re.compile(
    "embed|tts|whisper|dall-e|moderation|realtime|audio|image|transcribe|sora|speech|rerank|guard|babbage|davinci"
)
EMBEDDERS = re.compile("embed|bge-|gte-|e5-|minilm")
NOTHING = re.compile("(?!)")


def _knob(name: str) -> str:
    if name not in KNOBS:
        raise ValueError(f"there is no knob {name!r}")
    return name


Knob = Annotated[str, AfterValidator(_knob)]


@dataclass(frozen=True, slots=True)
class OpenAI:
    """One server. Rows of servers.json and of SWITCHBOARD_PROVIDERS have these fields.

    `knobs` maps our knobs to the server's names for them. `hidden` and `without_tools` are patterns of model ids.
    `profiles` and `prices` name the tables for core/catalogue.py. `echo` is a field beside the standard that the
    server wants back with a tool call. `usage` is false for a server that refuses `stream_options`. `vectors` names
    embedding models of a server that lists none.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    label: Annotated[str, Field(min_length=1)]
    base_url: Annotated[str, Field(pattern=r"^https?://[^/]")]
    base_variable: str = ""
    key_variable: str = ""
    key_needed: bool = True
    listing: str = "/models"
    start: str = ""
    profiles: str = ""
    prices: str = ""
    hidden: re.Pattern[str] = NOTHING
    without_tools: re.Pattern[str] = NOTHING
    prefix: str = ""
    echo: str = ""
    vectors: tuple[str, ...] = ()
    tools: bool = True
    structured: bool = True
    usage: bool = True
    knobs: Mapping[Knob, str] = field(
        default_factory=lambda: {"temperature": "temperature", "max_tokens": "max_tokens"}
    )
    problem: str = ""

    async def models(self) -> list[str]:
        """Every model that can chat, newest first where the server tells."""
        names = await self._listed()
        return [name for name in names if not (OTHER_KINDS.search(name.lower()) or self.hidden.search(name))]

    async def embedders(self) -> list[str]:
        """Every model whose name says that it makes vectors, newest first where the server tells."""
        if self.vectors:
            return list(self.vectors)
        return [name for name in await self._listed() if EMBEDDERS.search(name.lower())]

    async def embed(self, model: str, texts: list[str]) -> list[list[float]]:
        """By the endpoint that OpenAI's servers, text-embeddings-inference, vLLM and others share."""
        async with self._client() as client:
            # Without a word on the format the SDK asks for base64, which not every server knows.
            reply = await client.embeddings.create(model=model, input=texts, encoding_format="float")
            rows = sorted(reply.data, key=lambda row: row.index)
            return [row.embedding for row in rows]

    async def capabilities(self, model: str) -> Capabilities:
        """What the catalogue knows of `model`; for others, what the server's row says."""
        entry, taken = known(self, model), takes(self, model)
        toolless = self.without_tools.search(model) is not None
        cost = await asyncio.to_thread(price, self.prices, model) if self.prices else None
        return Capabilities(
            tools=bool(entry.get("tool_calling", self.tools)) and not toolless,
            thinking=bool(entry.get("reasoning_output")),
            structured=bool(entry.get("structured_output", self.structured)),
            sampling=taken,
            reasons={knob: reason(self, model, knob) for knob in KNOBS - taken},
            context_window=entry.get("max_input_tokens"),
            max_output=entry.get("max_output_tokens"),
            price=cost,
            note=f"{self.label} takes tools for this model only in its Responses API, not here." if toolless else "",
        )

    async def stream(
        self,
        model: str,
        conversation: Conversation,
        tools: tuple[ToolSpec, ...] = (),
        sampling: Sampling = Sampling(),
        schema: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[BackendEvent]:
        """One answer. A tool call is emitted only once the server says that the answer is complete."""
        request = self._request(model, conversation, tools, sampling, schema)
        answer = Answer({call.id for message in conversation for call in message.tool_calls})
        with translated(self._error):
            async with aclosing(self._chunks(request)) as raw, aclosing(paced(raw, self.label)) as chunks:
                async for chunk in chunks:
                    for piece in answer.take(chunk):
                        yield piece
            for event in self._end(answer, model):
                yield event

    async def next_token(self, model: str, prompt: str, answer: tuple[Pick, ...] = (), raw: bool = False) -> Scores:
        """The likeliest twenty, from the answer's log probabilities. Raises RequestRefused where none are told."""
        if raw:
            raise BadSetting(f"{self.label} takes chat messages only. Switch the bare text off.")
        said = logprobs.conversation(prompt, answer)
        request = self._request(model, said, (), Sampling(max_tokens=1), None) | logprobs.ASKED
        with translated(self._error):
            async with aclosing(self._chunks(request)) as raw_chunks, aclosing(paced(raw_chunks, self.label)) as chunks:
                async for chunk in chunks:
                    if found := logprobs.scores(chunk, answer):
                        return found
        happened = "{provider} does not tell the likeliest tokens of this model."
        raise RequestRefused(self.label, "Choose another one; a model in this process tells all.", happened)

    async def tokens(self, model: str, text: str, added: bool = True) -> tuple[Token, ...]:
        """By tiktoken, which adds none of its own. Raises RequestRefused for a model whose tokenizer is not public."""
        async with asyncio.timeout(settings().read_timeout):
            made_by = await asyncio.to_thread(encoding, self.label, model)
        return await asyncio.to_thread(encoded, made_by, text)

    async def python(self, model: str, prompt: str, sampling: Sampling) -> str:
        """The request through OpenAI's SDK."""
        return snippet(self, self._request(model, (Message("user", prompt),), (), sampling, None))

    # --- asking ---

    async def _listed(self) -> list[str]:
        async with self._client() as client:
            reply: Any = await client.get(self.listing, cast_to=object)
            rows = reply["data"] if isinstance(reply, dict) else reply
            rows = sorted(rows, key=_made, reverse=True)
            return [str(row["id"]).removeprefix(self.prefix) for row in rows]

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[AsyncOpenAI]:
        """A client for one request: it belongs to one event loop, and closing it ends the request."""
        api_key = self._key()
        await asyncio.to_thread(import_module, "openai")
        import httpx2
        import openai

        limits = settings()
        timeout = openai.Timeout(limits.first_token_timeout, connect=limits.connect_timeout)
        address = os.environ.get(self.base_variable, "").strip() or self.base_url
        with translated(self._error):
            http = openai.DefaultAsyncHttpxClient(verify=tls(httpx2), timeout=timeout)
            async with openai.AsyncOpenAI(
                api_key=api_key,
                base_url=address,
                timeout=timeout,
                max_retries=0,
                default_headers=self._headers(api_key),
                http_client=http,
            ) as client:
                yield client

    def _headers(self, api_key: str) -> Any:
        """None, or what keeps the owner's organisation, project and headers of OpenAI from others.

        The SDK takes these from the environment and sends them to every address, an Authorization header included:
        also to other servers, and with the key that a visitor has brought.
        """
        if self.key_variable == "OPENAI_API_KEY" and self.key_variable not in visitor().keys:
            return None
        import openai

        lines = os.environ.get("OPENAI_CUSTOM_HEADERS", "").splitlines()
        foreign = ["OpenAI-Organization", "OpenAI-Project", *(line.partition(":")[0].strip() for line in lines)]
        return dict.fromkeys(foreign, openai.omit) | {"Authorization": f"Bearer {api_key}"}

    def _key(self) -> str:
        if self.problem:
            raise SetupNeeded(self.problem)
        if self.key_variable and (self.key_needed or secret(self.key_variable)):
            return key(self.key_variable, self.label)
        return "none"  # The SDK wants one; a server without keys looks at none.

    async def _chunks(self, request: Mapping[str, Any]) -> AsyncGenerator[ChatCompletionChunk]:
        async with self._client() as client, await client.chat.completions.create(stream=True, **request) as stream:
            async for chunk in stream:
                yield chunk

    def _request(
        self,
        model: str,
        conversation: Conversation,
        tools: tuple[ToolSpec, ...],
        sampling: Sampling,
        schema: Mapping[str, Any] | None,
    ) -> dict[str, Any]:
        request: dict[str, Any] = {
            "model": model,
            "messages": messages(conversation, model, self.name, self.echo),
            "extra_body": knobs(self, model, sampling),
        }
        if self.usage:
            request["stream_options"] = {"include_usage": True}
        if tools:
            request["tools"] = [tool(spec) for spec in tools]
        if schema is not None:
            request["response_format"] = json_format(schema)
        return request

    # --- reading the answer ---

    def _end(self, answer: Answer, model: str) -> Iterator[BackendEvent]:
        if answer.finish is None:
            raise CutOff(self.label) if answer.heard else BadReply(self.label)
        calls, stop = answer.end()
        for call in calls:
            yield call.whole()
        extras = tuple({self.echo: call.extra[self.echo]} if self.echo in call.extra else {} for call in calls)
        replay = Replay(self.name, model, extras) if any(extras) else None
        yield Done(stop, answer.input_tokens, answer.output_tokens, replay)

    def _error(self, error: Exception) -> AppError | None:
        """What the SDK raised, in our words."""
        import httpx2
        import openai

        match error:
            case openai.APIConnectionError():
                ours: AppError = from_transport(self.label, error.__cause__, httpx2)
            case openai.APIStatusError():
                hint, wait = f"{error.code} {error.type} {error.body}", error.response.headers.get("retry-after")
                ours = from_status(self.label, error.status_code, hint, retry_after(wait))
            case openai.APIError():
                ours = from_status(self.label, _status(error), f"{error.code} {error.type} {error.body}")
            case httpx2.HTTPError() | httpx2.InvalidURL():
                ours = from_transport(self.label, error, httpx2)
            case _:
                return BadReply(self.label) if isinstance(error, MALFORMED) else None
        return Unreachable(self.label, self.start) if self.start and isinstance(ours, Unreachable) else ours


def _made(row: Mapping[str, Any]) -> float:
    made = row.get("created")
    return made if isinstance(made, int | float) else 0


def _status(error: Any) -> int:
    """The HTTP status that an error inside a stream stands for: some servers send it as the code, others a word."""
    code = str(error.code or "")
    if code.isdigit():
        return int(code)
    return IN_STREAM.get(code) or IN_STREAM.get(str(error.type)) or 500


IN_STREAM = {
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "context_length_exceeded": 400,
    "invalid_request_error": 400,
}


def backends() -> list[Backend]:
    """The servers we know, and those that SWITCHBOARD_PROVIDERS adds or changes."""
    known = _ROWS.validate_json((Path(__file__).parent / "_openai" / "servers.json").read_bytes())
    return [*known, *_added(settings().providers.strip())]


def _added(given: str) -> list[OpenAI]:
    if not given:
        return []
    try:
        text = given if given.startswith(("[", "{")) else Path(given).expanduser().read_text("utf-8")
        return _ROWS.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        return [_broken(f"{first['msg']}{f' at {where}' if where else ''}")]
    except (OSError, ValueError):
        return [_broken("it is neither JSON nor the path of a file that can be read")]


def _broken(why: str) -> OpenAI:
    problem = f"SWITCHBOARD_PROVIDERS cannot be used: {why}. README shows its form."
    return OpenAI("providers", "Added providers", "", problem=problem)


_ROWS = TypeAdapter(list[OpenAI])
