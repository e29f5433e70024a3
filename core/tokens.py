"""What a text is to a model: tokens with their ids and places, and what so many of them cost. Knows no tokenizer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from core.llm import Conversation, Price, ToolSpec


@dataclass(frozen=True, slots=True)
class Token:
    """One token. `start` and `end` are offsets in bytes of the text's UTF-8; they are equal where it was added.

    `special` tokens mark the structure of a conversation and are no text.
    """

    id: int
    text: str
    start: int
    end: int
    special: bool = False


@runtime_checkable
class Tokenizes(Protocol):
    """A backend that knows its models' tokenizers."""

    async def tokens(self, model: str, text: str, added: bool = True) -> tuple[Token, ...]:
        """`text` as the model reads it, with the tokens that its tokenizer adds where `added`. Raises AppError."""
        ...


@runtime_checkable
class Renders(Protocol):
    """A backend that knows its models' chat templates."""

    async def rendered(self, model: str, conversation: Conversation, tools: tuple[ToolSpec, ...] = ()) -> str:
        """The whole prompt as text, up to where the answer begins. Raises AppError."""
        ...


def shown(part: bytes) -> str:
    """The bytes of a token as text; those that are no whole character as their numbers, <0xE2>."""
    try:
        return part.decode()
    except UnicodeDecodeError:
        return "".join(f"<0x{byte:02X}>" for byte in part)


@dataclass(frozen=True, slots=True)
class Share:
    """What a number of tokens is to a model: its price as input in US dollars, and the part of its context window."""

    choice: str
    cost: float | None
    window: int | None
    fraction: float | None


def share(choice: str, price: Price | None, window: int | None, count: int) -> Share:
    """What `count` tokens cost `choice` to read, and how much of its window they fill."""
    return Share(choice, price.of(count, 0) if price else None, window, count / window if window else None)
