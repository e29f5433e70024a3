"""How much may be asked and spent: messages of one visitor in a minute, tokens and money of all in a day.

What an answer may cost at most is held before the provider is asked, and settled when the answer has ended. It is kept
in data/budget.sqlite3, which several processes may use at once and which a restart leaves as it is. A process that is
killed in mid-answer leaves what it held as spent.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.errors import BadSetting, LimitReached
from core.llm import (
    Backend,
    BackendEvent,
    Capabilities,
    Conversation,
    Done,
    Embeds,
    Keyed,
    Price,
    Progress,
    Sampling,
    TextDelta,
    Thinking,
    ToolCall,
    ToolSpec,
    Waiting,
)
from core.settings import settings
from core.visitors import visitor

USED_UP = "The daily budget is used up. Try again tomorrow."
# What a model without a known price is taken to cost: as much as the dear ones.
UNKNOWN = Price(5, 25)
# The longest answer of a model that does not tell, in tokens.
LONGEST = 8_192
# Gradio lets a client choose the name of its session, so many sessions of one address count together as well.
SESSIONS_AN_ADDRESS = 6
# Tokens are at least this long on the average, in bytes of UTF-8: to hold too much is the safe side.
BYTES_A_TOKEN = 3


# --- messages ---------------------------------------------------------------------------------------------------------


def admit() -> None:
    """Count one more message of whoever asks. Raises LimitReached; does nothing where no limit is set."""
    most, who = settings().messages_a_minute, visitor()
    if not most:
        return
    limits = {who.owner or "owner": most}
    if not who.name and who.address:
        limits[f"@{who.address}"] = most * SESSIONS_AN_ADDRESS
    now = time.time()
    with _books() as books:
        books.execute("delete from asked where at < ? or at > ?", (now - 60, now + 60))
        for name, limit in limits.items():
            (count,) = books.execute("select count(*) from asked where who = ?", (name,)).fetchone()
            if count >= limit:
                raise LimitReached(f"At most {most} messages a minute are taken. Wait a moment.")
        books.executemany("insert into asked values (?, ?)", [(name, now) for name in limits])


# --- tokens and money -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bill:
    """What one answer may cost at most: tokens in and out, and a price that is (0, 0) where nobody's key is used."""

    input_tokens: int
    output_tokens: int
    price: Price

    @classmethod
    def of(
        cls, backend: Backend, can: Capabilities, sent: Conversation, tools: tuple[ToolSpec, ...], sampling: Sampling
    ) -> Bill:
        """The bill of an answer that is about to be asked for. Raises BadSetting for a prompt that is too long."""
        texts = [message.text or (message.tool_result.content if message.tool_result else "") for message in sent]
        texts += [json.dumps(dict(call.arguments), default=str) for message in sent for call in message.tool_calls]
        longest, length = settings().longest_prompt, sum(map(len, texts))
        if length > longest:
            raise BadSetting(
                f"The conversation is too long: {length:,} characters, and at most {longest:,} are taken. "
                "Start a new one."
            )
        texts += [tool.description + json.dumps(dict(tool.parameters)) for tool in tools]
        out = sampling.max_tokens or can.max_output or LONGEST
        return cls(sum(map(_tokens, texts)), out, _price(backend, can))

    @classmethod
    async def of_texts(cls, backend: Embeds, model: str, texts: Sequence[str]) -> Bill:
        """The bill of vectors of `texts`, which nothing is written for."""
        # Asked for every batch, and some have to ask their server.
        can = await backend.capabilities(model) if _limited() and not _is_free(backend) else Capabilities()
        return cls(sum(map(_tokens, texts)), 0, _price(backend, can))

    @property
    def charged(self) -> bool:
        """Whether the owner pays for it, and has said how much it may be."""
        return _limited() and self.price != Price(0, 0)


class Meter:
    """What an answer has cost so far, in tokens."""

    def __init__(self, bill: Bill) -> None:
        self.input_tokens, self.output_tokens = 0, 0
        self._bill = bill

    def take(self, event: BackendEvent | Waiting) -> None:
        """Count one event; the last one knows better than any estimate."""
        match event:
            case TextDelta(text) | Thinking(text):
                self.answered(_tokens(text))
            case ToolCall():
                self.answered(_tokens(json.dumps(dict(event.arguments), default=str)))
            case Done(_, int(read), int(written)):
                self.input_tokens, self.output_tokens = read, written
            case Done() | Progress() | Waiting():
                pass

    def answered(self, tokens: int = 0) -> None:
        """The provider has begun to answer, so it has read the whole prompt."""
        self.input_tokens = self.input_tokens or self._bill.input_tokens
        self.output_tokens += tokens


def _tokens(text: str) -> int:
    return len(text.encode("utf-8", "replace")) // BYTES_A_TOKEN + 1


def _price(backend: Backend | Embeds, can: Capabilities) -> Price:
    """The price that counts: nothing on a server of one's own, and what a visitor's own key pays is not our matter."""
    return Price(0, 0) if _is_free(backend) else can.price or UNKNOWN


def _limited() -> bool:
    return bool(settings().daily_tokens or settings().daily_dollars)


def _is_free(backend: Backend | Embeds) -> bool:
    if not isinstance(backend, Keyed):
        return False
    return backend.key_variable in visitor().keys or not (backend.key_variable and backend.key_needed)


@asynccontextmanager
async def billed(bill: Bill) -> AsyncIterator[Meter]:
    """Hold what `bill` says while the provider is asked, then settle what its meter shows. Raises LimitReached."""
    meter = Meter(bill)
    if not bill.charged:
        yield meter
        return
    # Neither is awaited: who closes a stream must not come between them. Each takes less than a millisecond.
    day = _hold(bill)
    try:
        yield meter
    except (GeneratorExit, asyncio.CancelledError):
        # The visitor has left, perhaps before the first token: the provider has read the prompt all the same.
        meter.answered()
        raise
    finally:
        _settle(day, bill, meter)


async def metered(events: AsyncGenerator[BackendEvent | Waiting], bill: Bill) -> AsyncGenerator[BackendEvent | Waiting]:
    """`events`, the stream of one answer, asked for only within the budget. Raises LimitReached."""
    async with aclosing(events), billed(bill) as meter:
        async for event in events:
            meter.take(event)
            yield event


def _hold(bill: Bill) -> str:
    """Count the bill as spent before anybody is asked; the day it is counted on."""
    day, limits = time.strftime("%Y-%m-%d", time.gmtime()), settings()
    tokens, dollars = bill.input_tokens + bill.output_tokens, bill.price.of(bill.input_tokens, bill.output_tokens)
    with _books() as books:
        books.execute("insert or ignore into spent values (?, 0, 0)", (day,))
        spent, paid = books.execute("select tokens, dollars from spent where day = ?", (day,)).fetchone()
        too_many = limits.daily_tokens and spent + tokens > limits.daily_tokens
        if too_many or (limits.daily_dollars and paid + dollars > limits.daily_dollars):
            raise LimitReached(USED_UP)
        _add(books, day, tokens, dollars)
    return day


def _settle(day: str, bill: Bill, meter: Meter) -> None:
    more = meter.input_tokens - bill.input_tokens + meter.output_tokens - bill.output_tokens
    paid = bill.price.of(meter.input_tokens, meter.output_tokens)
    with _books() as books:
        _add(books, day, more, paid - bill.price.of(bill.input_tokens, bill.output_tokens))


def _add(books: sqlite3.Connection, day: str, tokens: int, dollars: float) -> None:
    books.execute("update spent set tokens = tokens + ?, dollars = dollars + ? where day = ?", (tokens, dollars, day))


def spent() -> tuple[int, float]:
    """Tokens and US dollars of today, what is held included."""
    with _books() as books:
        day = time.strftime("%Y-%m-%d", time.gmtime())
        return books.execute("select tokens, dollars from spent where day = ?", (day,)).fetchone() or (0, 0.0)


@contextmanager
def _books() -> Iterator[sqlite3.Connection]:
    """One transaction that no other process comes between."""
    folder = Path(settings().data)
    folder.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(folder / "budget.sqlite3", timeout=10, isolation_level=None)) as books:
        # Only a loss of power could undo what is written so, and it does not wait for the disk.
        books.execute("pragma synchronous = off")
        books.execute("create table if not exists spent (day text primary key, tokens integer, dollars real)")
        books.execute("create table if not exists asked (who text, at real)")
        books.execute("begin immediate")
        try:
            yield books
            books.execute("commit")
        except BaseException:
            books.execute("rollback")
            raise
