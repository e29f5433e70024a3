"""Models in this very process, through transformers: the built-in one, the Hub cache's, any Hub id, any folder.

"name@variant" chooses a precision. What the parts know: backends/_local/.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from backends._local import LABEL
from backends._local.answer import Ended, pieces
from backends._local.choosing import KNOBS, REASONS
from backends._local.files import Files, files, installed
from backends._local.forms import PLAIN, Reader
from backends._local.load import Loaded, loaded, ready
from backends._local.precision import VARIANTS, split
from backends._local.predict import predicted
from backends._local.prompt import begun, functions, written
from backends._local.request import asked
from backends._local.snippet import snippet
from backends._local.stopping import Until
from backends._local.words import encoded, tokenizer
from core.download import download
from core.errors import AppError, SetupNeeded, ToolError
from core.llm import (
    Backend,
    BackendEvent,
    Capabilities,
    Conversation,
    Done,
    Price,
    Progress,
    Sampling,
    Stop,
    ToolCall,
    ToolSpec,
)
from core.sampling import Pick, Scores
from core.tokens import Token
from core.zero import may_use_gpu, on_gpu


@dataclass(frozen=True, slots=True)
class Local:
    """The backend. It holds nothing: models are kept by backends/_local/load.py, everything else is per call."""

    name: str = "local"
    label: str = LABEL

    async def models(self) -> list[str]:
        """The built-in model first, then those of the Hub cache that can converse."""
        found = await asyncio.to_thread(installed)
        if not found:
            raise SetupNeeded("No model is on this machine. Type the Hub id of one (owner/name) to download it.")
        return found

    async def capabilities(self, model: str) -> Capabilities:
        """Read from the model's files. Raises BadSetting for an unknown variant."""
        name, _ = split(model)
        try:
            found = await asyncio.to_thread(files, name)
        except AppError:
            return Capabilities(sampling=KNOBS, reasons=REASONS, price=Price(0, 0))
        there = ready(model)
        return _capabilities(found, there.memory if there else None)

    async def stream(
        self,
        model: str,
        conversation: Conversation,
        tools: tuple[ToolSpec, ...] = (),
        sampling: Sampling = Sampling(),
        schema: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[BackendEvent]:
        """One answer. Waiting for the model to be read, and for other answers of it, is told as Progress."""
        # Whoever asked runs the tools; with what runs them, they could not go where a lent GPU is.
        offered = tuple(replace(tool, run=_not_here) for tool in tools)
        async with aclosing(_stream(model, conversation, offered, sampling, schema)) as events:
            async for event in events:
                yield event

    async def prepare(self, model: str) -> None:
        """Read the model's weights, and import what reads them: seconds that the first answer need not wait for."""
        if not may_use_gpu():
            return  # It would be read in another process than the one that answers.
        async with aclosing(loaded(model)) as steps:
            async for _ in steps:
                pass

    async def next_token(self, model: str, prompt: str, answer: tuple[Pick, ...] = (), raw: bool = False) -> Scores:
        """What `model` gives each token that may come next."""
        async with aclosing(loaded(model)) as steps:
            there = [step async for step in steps if isinstance(step, Loaded)][-1]
        return await asyncio.to_thread(predicted, there, prompt, answer, raw)

    async def tokens(self, model: str, text: str, added: bool = True) -> tuple[Token, ...]:
        """By the model's tokenizer; its weights are not read."""
        return encoded(await asyncio.to_thread(tokenizer, split(model)[0]), text, added)

    async def rendered(self, model: str, conversation: Conversation, tools: tuple[ToolSpec, ...] = ()) -> str:
        """By the model's chat template."""
        return written(await asyncio.to_thread(tokenizer, split(model)[0]), conversation, tools, None)

    async def python(self, model: str, prompt: str, sampling: Sampling) -> str:
        """The request through transformers."""
        return await asyncio.to_thread(snippet, model, prompt, sampling)

    def fetch(self, model: str) -> AsyncGenerator[Progress]:
        """Download a model from the Hub; the last Progress has fraction 1. Closing the generator stops the download."""
        return download(split(model)[0])


def backends() -> list[Backend]:
    """What this module offers to the registry."""
    return [Local()]


def _capabilities(found: Files, memory: int | None) -> Capabilities:
    thinks = "enable_thinking" in found.template or "reasoning_effort" in found.template
    knobs = KNOBS if thinks else KNOBS - {"effort"}
    return Capabilities(
        tools="tools" in found.template,
        thinking=thinks or "<think>" in found.template,
        structured=True,
        sampling=knobs,
        reasons=REASONS if thinks else REASONS | {"effort": "This model has no switch for thinking."},
        context_window=found.context_window,
        max_output=found.context_window,
        variants=() if found.quantized else VARIANTS,
        price=Price(0, 0),
        memory=memory,
        note="The small model that comes with the app: it knows a few things only." if found.name == "starter" else "",
    )


def _not_here(arguments: Mapping[str, Any]) -> str:
    raise ToolError("Tools are not run by the model.")


@on_gpu
async def _stream(
    model: str,
    conversation: Conversation,
    tools: tuple[ToolSpec, ...],
    sampling: Sampling,
    schema: Mapping[str, Any] | None,
) -> AsyncGenerator[BackendEvent]:
    async with aclosing(loaded(model)) as steps:
        async for step in steps:
            if isinstance(step, Progress):
                yield step
            else:
                there = step
    ticket = object()
    try:
        async with aclosing(there.turns.wait(ticket)) as line:
            async for ahead in line:
                yield Progress(f"Waiting for {ahead} other answer{'s' if ahead > 1 else ''} of this model")
        async with aclosing(_answer(there, conversation, tools, sampling, schema)) as events:
            async for event in events:
                yield event
    finally:
        there.turns.leave(ticket)


async def _answer(
    there: Loaded,
    conversation: Conversation,
    tools: tuple[ToolSpec, ...],
    sampling: Sampling,
    schema: Mapping[str, Any] | None,
) -> AsyncGenerator[BackendEvent]:
    tools = tools if "tools" in there.files.template else ()
    # JSON is demanded from the first token on, so there is no room for thoughts and nothing may be read as a call.
    effort, form = (sampling.effort, there.form) if schema is None else ("none", PLAIN)
    prompt = written(there.tokenizer, conversation, tools, effort)
    wanted = await asyncio.to_thread(asked, there, prompt, tools, sampling, schema)
    reader = Reader(there.tokenizer, form, begun(form, prompt), functions(tools))
    until, called, tokens = Until(sampling.stop or ()), False, 0
    stop: Stop = "end"
    async with aclosing(pieces(there, wanted)) as texts:
        async for piece in texts:
            tokens = piece.tokens
            cut = isinstance(piece, Ended) and not piece.by_model
            stop = "length" if cut else "end"
            for event in until.passing(reader.end() if isinstance(piece, Ended) else reader.feed(piece.text)):
                if cut and isinstance(event, ToolCall):
                    continue  # What the limit has left of a call is none, as with every other backend.
                called = called or isinstance(event, ToolCall)
                yield event
            if until.met:
                break
    for event in until.rest():
        yield event
    yield Done("stop_sequence" if until.met else "tool_use" if called else stop, len(wanted.ids), tokens)
