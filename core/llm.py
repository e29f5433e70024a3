"""The vocabulary every part speaks: messages, events, sampling, capabilities, tools, and the Backend protocol.

Values are frozen dataclasses, told apart by class with `match`. Failures are exceptions (core/errors.py), not events.
"""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Protocol, runtime_checkable

from core.errors import BadSetting

Role = Literal["system", "user", "assistant", "tool"]
Stop = Literal["end", "length", "tool_use", "stop_sequence", "refusal"]


# --- events: what a stream is made of ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Thinking:
    """The next piece of what the model thinks before it answers."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One whole tool call. `problem` says why the arguments could not be read; the tool loop sends it back."""

    id: str
    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool answered, or why it did not. Emitted by the tool loop only."""

    id: str
    name: str
    content: str
    is_error: bool = False
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """The tool loop waits `seconds` more before it asks again, because of `reason`."""

    seconds: int
    reason: str


@dataclass(frozen=True, slots=True)
class Progress:
    """Something takes long before the first token: weights being read, a model being pulled. `fraction` in 0..1."""

    text: str
    fraction: float | None = None


@dataclass(frozen=True, slots=True)
class Replay:
    """Vendor blocks that must be sent back verbatim. Only the backend named `maker` reads them."""

    maker: str
    model: str
    blocks: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """The end of one answer of the model. A backend fills the first four fields, the tool loop the rest.

    `cost` is in US dollars, None where no price is known. `choice` is "provider/model".
    """

    stop: Stop = "end"
    input_tokens: int | None = None
    output_tokens: int | None = None
    replay: Replay | None = None
    seconds_to_first_token: float | None = None
    seconds: float | None = None
    cost: float | None = None
    choice: str = ""

    @property
    def tokens_per_second(self) -> float | None:
        """The pace of the answer once it had begun, None where it cannot be known."""
        if self.output_tokens is None or self.seconds is None or self.seconds_to_first_token is None:
            return None
        streaming = self.seconds - self.seconds_to_first_token
        return self.output_tokens / streaming if streaming > 0 else None


BackendEvent = TextDelta | Thinking | ToolCall | Progress | Done
Event = BackendEvent | ToolResult | Waiting


# --- the conversation -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `note` says why it is incomplete ("Stopped."); `done` is set once the model has finished it."""

    role: Role
    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_result: ToolResult | None = None
    replay: Replay | None = None
    thinking: str = ""
    done: Done | None = None
    note: str = ""


Conversation = tuple[Message, ...]


# --- sampling: one field = one knob = one slider ----------------------------------------------------------------------


def _knob(help: str, low: float = 0, high: float = 0, step: float = 0, neutral: float | None = None) -> Any:
    return field(default=None, metadata={"help": help, "low": low, "high": high, "step": step, "neutral": neutral})


def _choice(help: str, *choices: str) -> Any:
    return field(default=None, metadata={"help": help, "choices": choices})


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen. None means "not sent": the provider's own default holds.

    Ranges are the widest that a provider documents; a model that takes less says so itself. `neutral` in a field's
    metadata is the value that changes nothing, where there is one.
    """

    temperature: float | None = _knob("Higher is more varied, 0 always takes the likeliest token.", 0, 2, 0.05, 1)
    top_p: float | None = _knob("Only the likeliest tokens that together reach this probability.", 0, 1, 0.01, 1)
    top_k: int | None = _knob("Only this many of the likeliest tokens.", 1, 200, 1, 50)
    min_p: float | None = _knob("Only tokens at least this likely, relative to the likeliest.", 0, 1, 0.01, 0)
    repetition_penalty: float | None = _knob("Above 1, tokens already in the text become less likely.", 0.5, 2, 0.05, 1)
    frequency_penalty: float | None = _knob("Lowers a token the more often it has been used.", -2, 2, 0.1, 0)
    presence_penalty: float | None = _knob("Lowers every token that has been used at all.", -2, 2, 0.1, 0)
    max_tokens: int | None = _knob("The longest answer, in tokens.", 1, 131_072, 1)
    seed: int | None = _knob(
        "The same seed and settings give the same answer where the model allows it.", 0, 2**31 - 1, 1
    )
    effort: str | None = _choice("How long the model may think first.", "none", "low", "medium", "high")
    stop: tuple[str, ...] | None = _knob("The answer ends before any of these texts, at most four.", 0, 4)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Sampling:
        """The knobs of a JSON object. Raises BadSetting for an unknown one, and as the constructor does."""
        if unknown := sorted(set(given) - KNOBS):
            raise BadSetting(f"There is no knob {unknown[0]!r}. The knobs are: {', '.join(sorted(KNOBS))}.")
        knobs: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
        return cls(**knobs)

    def __post_init__(self) -> None:
        """Raise BadSetting for NaN, infinity, booleans, wrong types and anything out of range.

        A whole number where a fraction may stand becomes a float: transformers refuses a temperature of 2.
        """
        for knob in fields(self):
            value = getattr(self, knob.name)
            if value is not None:
                _check(knob.name, str(knob.type), knob.metadata, value)
                if isinstance(value, int) and str(knob.type).startswith("float"):
                    object.__setattr__(self, knob.name, float(value))

    def only(self, names: frozenset[str]) -> Sampling:
        """The same settings without the knobs that a model does not take."""
        return Sampling(**{name: value for name, value in self.given().items() if name in names})

    def given(self) -> dict[str, Any]:
        """The knobs that are set."""
        return {knob.name: value for knob in fields(self) if (value := getattr(self, knob.name)) is not None}


KNOBS: frozenset[str] = frozenset(knob.name for knob in fields(Sampling))


def _check(name: str, kind: str, meta: Mapping[str, Any], value: Any) -> None:
    label = name.replace("_", " ").capitalize()
    if name == "stop":
        fine = isinstance(value, tuple) and len(value) <= meta["high"] and all(isinstance(s, str) and s for s in value)
        if not fine:
            raise BadSetting("Stop must be at most four texts, none of them empty.")
    elif "choices" in meta:
        if value not in meta["choices"]:
            raise BadSetting(f"{label} must be one of {', '.join(meta['choices'])}.")
    elif kind.startswith("int") and (not isinstance(value, int) or isinstance(value, bool)):
        raise BadSetting(f"{label} must be a whole number.")
    elif not _within(value, meta["low"], meta["high"]):
        raise BadSetting(f"{label} must be between {meta['low']} and {meta['high']}.")


def _within(value: Any, low: float, high: float) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and low <= value <= high


# --- models -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens."""

    input: float
    output: float

    def of(self, input_tokens: int, output_tokens: int) -> float:
        """The price of one answer, in US dollars."""
        return (input_tokens * self.input + output_tokens * self.output) / 1_000_000


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What one model can do: a fact, as data.

    `reasons` tells for a knob why the model does not take it. `context_window` and `max_output` are in tokens.
    `variants` are other ways to load the same model (a precision); "name@variant" chooses one. `memory` is the
    measured footprint in bytes of the weights, once loaded. `note` is one sentence that the user should read.
    """

    tools: bool = False
    thinking: bool = False
    images: bool = False
    structured: bool = False
    sampling: frozenset[str] = frozenset()
    reasons: Mapping[str, str] = field(default_factory=dict)
    context_window: int | None = None
    max_output: int | None = None
    price: Price | None = None
    variants: tuple[str, ...] = ()
    memory: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool: what the model is told (`name`, `description`, `parameters` as JSON schema) and how it is run.

    `run` takes the raw arguments, checks them, and returns the text for the model; it raises ToolError.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    run: Callable[[Mapping[str, Any]], str]
    note: str = ""


class Backend(Protocol):
    """Who answers. There is one way to talk to a model: async and streaming; a whole reply is a fold of the stream.

    `name` is the first part of a choice ("openai"), `label` what people read ("OpenAI").
    Every method raises AppError only.
    """

    @property
    def name(self) -> str: ...

    @property
    def label(self) -> str: ...

    async def models(self) -> list[str]:
        """The models that can be used now. Raises SetupNeeded with the one thing to do, or Unreachable."""
        ...

    async def capabilities(self, model: str) -> Capabilities:
        """What `model` can do. Never asks for more than a listing does; unknown models get modest defaults."""
        ...

    def stream(
        self,
        model: str,
        conversation: Conversation,
        tools: tuple[ToolSpec, ...] = (),
        sampling: Sampling = Sampling(),
        schema: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[BackendEvent]:
        """One answer: TextDelta, Thinking, ToolCall (whole), Progress, and one Done at the end.

        With `schema` (a JSON schema) the text is one JSON value that fits it. Closing the generator ends the request.
        """
        ...


@runtime_checkable
class Keyed(Protocol):
    """A backend that takes a key, from the variable `key_variable` ("": from none).

    Where no key is needed, the server is one's own and an answer costs nothing.
    """

    @property
    def key_variable(self) -> str: ...

    @property
    def key_needed(self) -> bool: ...


@runtime_checkable
class Fetches(Protocol):
    """A backend that can bring a model to this machine."""

    def fetch(self, model: str) -> AsyncGenerator[Progress]:
        """Download `model`; the last Progress has fraction 1. Closing the generator stops the download."""
        ...


@runtime_checkable
class Prepares(Protocol):
    """A backend whose first answer would wait for something slow that can be done before it is asked for."""

    async def prepare(self, model: str) -> None:
        """Get ready to answer with `model`. Raises AppError, as `stream` would."""
        ...


@runtime_checkable
class Embeds(Protocol):
    """A backend that can also turn texts into vectors."""

    @property
    def label(self) -> str: ...

    async def embedders(self) -> list[str]:
        """The embedding models that can be used now. Raises as `models` does."""
        ...

    async def capabilities(self, model: str) -> Capabilities:
        """As of any model: what its vectors cost."""
        ...

    async def embed(self, model: str, texts: list[str]) -> list[list[float]]:
        """A vector for each text, in order. Raises AppError."""
        ...
