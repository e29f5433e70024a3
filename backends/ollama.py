"""Ollama, on its native API. What a model can do is asked of the server; the wire format is _ollama/wire.py."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from backends._ollama.window import Size, size, was_cut, window
from backends._ollama.wire import OPTIONS, Answer, message, options, tool
from core.errors import AppError, BadReply, ContextTooLong, CutOff, ModelMissing, SetupNeeded, Unreachable, from_status
from core.llm import (
    KNOBS,
    Backend,
    BackendEvent,
    Capabilities,
    Conversation,
    Message,
    Price,
    Progress,
    Sampling,
    ToolSpec,
)
from core.remote import MALFORMED, from_transport, tls, translated
from core.settings import settings
from core.snippets import call
from core.streams import paced

if TYPE_CHECKING:
    from ollama import AsyncClient, ChatResponse, ListResponse, ProgressResponse

# Room for the answer in the context window, in tokens; thinking counts.
ANSWER_ROOM, THINKING_ROOM = 2048, 8192


@dataclass(frozen=True, slots=True)
class Facts:
    """What the server says of a model. `levels`: it takes levels of thinking, where others know only yes and no."""

    tools: bool
    thinking: bool
    levels: bool
    context_window: int | None


@dataclass(frozen=True, slots=True)
class Ollama:
    """The server that OLLAMA_HOST names, or the one on this machine."""

    name: str = "ollama"
    label: str = "Ollama"

    async def models(self) -> list[str]:
        """Every model on the server that can chat, the latest change first."""
        names = [str(row.model) for row in await self._listed() if not _embeds(row)]
        if not names:
            raise SetupNeeded("Ollama has no model yet. Fetch one: ollama pull MODEL.")
        return names

    async def embedders(self) -> list[str]:
        """Every model on the server whose family or name says that it makes vectors."""
        return [str(row.model) for row in await self._listed() if _embeds(row)]

    async def embed(self, model: str, texts: list[str]) -> list[list[float]]:
        """What is past a model's window is cut by the server, as everywhere."""
        async with self._client() as client:
            reply = await client.embed(model, texts, truncate=True)
            return [list(row) for row in reply.embeddings]

    async def capabilities(self, model: str) -> Capabilities:
        """What the server says of `model`."""
        async with self._client() as client:
            facts = await _facts(client, model)
        takes = frozenset(OPTIONS) | ({"effort"} if facts.thinking else frozenset())
        return Capabilities(
            tools=facts.tools,
            thinking=facts.thinking,
            structured=True,
            sampling=takes,
            reasons=dict.fromkeys(KNOBS - takes, "This model does not think before it answers."),
            context_window=facts.context_window,
            # What runs on one's own machine is free; Ollama's hosted models are named so.
            price=None if model.endswith("cloud") else Price(0, 0),
        )

    async def stream(
        self,
        model: str,
        conversation: Conversation,
        tools: tuple[ToolSpec, ...] = (),
        sampling: Sampling = Sampling(),
        schema: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[BackendEvent]:
        """One answer. Raises ContextTooLong where Ollama would cut the conversation and answer what is left of it."""
        request: dict[str, Any] = {
            "model": model,
            "messages": [message(said) for said in conversation],
            "tools": [tool(spec) for spec in tools],
            "format": dict(schema) if schema is not None else None,
        }
        answer = Answer(self.label)
        with translated(self._error):
            async with aclosing(self._chunks(request, sampling)) as raw, aclosing(paced(raw, self.label)) as chunks:
                async for chunk in chunks:
                    for event in answer.take(chunk):
                        yield event
        answer.check()

    async def fetch(self, model: str) -> AsyncGenerator[Progress]:
        """Pull `model` from Ollama's library. Closing the generator stops the download; a later one resumes it."""
        layers: dict[str, tuple[int, int]] = {}
        furthest = 0.0
        async with self._client(self._fetch_error) as client, aclosing(await _pull(client, model)) as steps:
            async for step in steps:
                if step.digest and step.total:
                    layers[step.digest] = (step.completed or 0, step.total)
                if step.status == "success":
                    yield Progress(f"{model} is here.", 1.0)
                    return
                # Layers become known one by one, so the true share goes back now and then.
                furthest = max(furthest, _share(layers))
                yield Progress(f"Fetching {model}", furthest)
        raise CutOff(self.label)

    async def python(self, model: str, prompt: str, sampling: Sampling) -> str:
        """The request through Ollama's SDK. The app also sets the size of the window, to fit the conversation."""
        async with self._client() as client:
            think = _think(await _facts(client, model), sampling.effort)
        said = [message(Message("user", prompt))]
        asking = call(
            "answer = ollama.chat", {"model": model, "messages": said, "think": think, "options": options(sampling)}
        )
        return f"import ollama\n\n{asking}\nprint(answer.message.content)\n"

    # --- asking ---

    async def _listed(self) -> list[ListResponse.Model]:
        async with self._client() as client:
            return [row for row in (await client.list()).models if row.model]

    @asynccontextmanager
    async def _client(
        self, to_ours: Callable[[Exception], AppError | None] | None = None
    ) -> AsyncIterator[AsyncClient]:
        """A client for one request: it belongs to one event loop, and closing it ends the request."""
        await asyncio.to_thread(import_module, "ollama")
        import httpx
        import ollama

        limits = settings()
        timeout = httpx.Timeout(limits.first_token_timeout, connect=limits.connect_timeout)
        with translated(to_ours or self._error):
            async with ollama.AsyncClient(timeout=timeout, verify=tls(httpx)) as client:
                yield client

    async def _chunks(self, request: dict[str, Any], sampling: Sampling) -> AsyncGenerator[ChatResponse]:
        prompt = size(request["messages"], request["tools"])
        async with self._client() as client:
            facts = await _facts(client, request["model"])
            if facts.context_window and prompt.least > facts.context_window:
                raise ContextTooLong(self.label)
            context = await _context(client, request["model"], facts, prompt, sampling.max_tokens)
            told = options(sampling) | {"num_ctx": context}
            think = _think(facts, sampling.effort)
            stream = await client.chat(**request, options=told, think=think, stream=True)
            async with aclosing(cast("AsyncGenerator[ChatResponse]", stream)) as chunks:
                async for chunk in chunks:
                    if was_cut(prompt, chunk.prompt_eval_count, context):
                        raise ContextTooLong(self.label)
                    yield chunk

    # --- what went wrong ---

    def _error(self, error: Exception) -> AppError | None:
        """What the SDK raised, in our words. It lets its HTTP library's exceptions through."""
        import httpx
        import ollama

        match error:
            case ollama.ResponseError():
                ours: AppError = from_status(self.label, _status(error), str(error.error))
            case httpx.HTTPError() | httpx.InvalidURL():
                ours = from_transport(self.label, error, httpx)
            case ConnectionError():
                ours = Unreachable(self.label)
            case _:
                return BadReply(self.label) if isinstance(error, MALFORMED) else None
        if isinstance(ours, ModelMissing):
            return ModelMissing(self.label, "Fetch it, or choose another one from the list.", fetchable=True)
        if isinstance(ours, Unreachable):
            return Unreachable(self.label, "Start Ollama, or set OLLAMA_HOST to where it runs.")
        return ours

    def _fetch_error(self, error: Exception) -> AppError | None:
        """The same for a download, where what fails is most often between Ollama and its library."""
        import ollama

        ours = self._error(error)
        if isinstance(ours, ModelMissing):
            return ModelMissing(self.label, "Check its name.", "{provider}'s library does not have this model.")
        if isinstance(error, ollama.ResponseError) and error.status_code == -1:
            return Unreachable(self.label, "Check the network of its machine.", "{provider} cannot reach its library.")
        return ours


def _status(error: Any) -> int:
    """The HTTP status that an error stands for; one inside a stream has only a text."""
    if error.status_code != -1:
        return int(error.status_code)
    said = str(error.error).lower()
    return 404 if "not found" in said or "does not exist" in said else 500


def _embeds(row: ListResponse.Model) -> bool:
    family = (row.details and row.details.family) or ""
    return "bert" in family or "embed" in (row.model or "")


async def _facts(client: AsyncClient, model: str) -> Facts:
    shown = await client.show(model)
    abilities, about = shown.capabilities or (), shown.modelinfo or {}
    family = str(about.get("general.architecture", ""))
    return Facts(
        tools="tools" in abilities,
        thinking="thinking" in abilities,
        levels=family == "gptoss",
        context_window=about.get(f"{family}.context_length"),
    )


async def _context(client: AsyncClient, model: str, facts: Facts, prompt: Size, max_tokens: int | None) -> int:
    """The `num_ctx` to ask for: enough, and what the model is loaded with if that is enough; a change reloads it."""
    room = max_tokens or (THINKING_ROOM if facts.thinking else ANSWER_ROOM)
    enough = window(prompt, room, facts.context_window)
    loaded = [row.context_length or 0 for row in (await client.ps()).models if row.model == model]
    return max([enough, *loaded])


def _think(facts: Facts, effort: str | None) -> Any:
    """Ollama's `think`. gpt-oss takes levels and cannot do without; the others know only yes and no."""
    if not facts.thinking:
        return None
    if facts.levels:
        return "low" if effort == "none" else effort
    return effort != "none"


async def _pull(client: AsyncClient, model: str) -> AsyncGenerator[ProgressResponse]:
    return cast("AsyncGenerator[ProgressResponse]", await client.pull(model, stream=True))


def _share(layers: Mapping[str, tuple[int, int]]) -> float:
    total = sum(total for _, total in layers.values())
    return sum(done for done, _ in layers.values()) / total if total else 0.0


def backends() -> list[Backend]:
    """Ollama is one."""
    return [Ollama()]
