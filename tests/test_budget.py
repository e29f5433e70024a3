"""What may be asked and spent, against a real provider on loopback and a real file that several processes use."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from backends import choices, find
from core import budget
from core.budget import USED_UP, spent
from core.chat import ask, converse
from core.errors import AppError, BadSetting, KeyRefused, LimitReached
from core.llm import Done, Message, Sampling, TextDelta
from core.settings import accounts, lends, secret, settings
from core.tools import tools
from core.visitors import Visitor, visiting
from tests.services import Call, Provider, Refuse, Say

ROOT = Path(__file__).parent.parent
MODEL = "openai/gpt-4.1"  # 2 dollars for a million tokens in, 8 out
ANN = Visitor("ann")


@pytest.fixture
def public(tmp_path: Path, limits: Callable[..., None], provider: Provider) -> Callable[..., None]:
    """Public mode with these limits, on a data folder of its own."""

    def opened(**values: object) -> None:
        limits(**{"public": 1, "data": tmp_path, "messages_a_minute": 1000, **values})

    opened()
    return opened


async def answered(choice: str = MODEL, text: str = "Hello", **options: object) -> str:
    backend, model = find(choice)
    events = converse(backend, model, ask((), text), **options)  # type: ignore[arg-type]
    async with aclosing(events):
        return "".join([event.text async for event in events if isinstance(event, TextDelta)])


# --- messages a minute ------------------------------------------------------------------------------------------------


async def test_a_visitor_may_ask_so_often_a_minute(public: Callable[..., None], provider: Provider) -> None:
    public(messages_a_minute=3)
    with visiting(ANN):
        for _ in range(3):
            await answered("ollama/llama3.2:3b")
        before = len(provider.asked())
        with pytest.raises(LimitReached, match="At most 3 messages a minute"):
            await answered("ollama/llama3.2:3b")
    assert len(provider.asked()) == before
    with visiting(Visitor("bob")):
        await answered("ollama/llama3.2:3b")


async def test_a_new_session_is_no_way_around(public: Callable[..., None]) -> None:
    public(messages_a_minute=1)
    for number in range(budget.SESSIONS_AN_ADDRESS):
        with visiting(Visitor(session=str(number), address="1.2.3.4")):
            budget.admit()
    with visiting(Visitor(session="another", address="1.2.3.4")), pytest.raises(LimitReached):
        budget.admit()
    with visiting(Visitor(session="another", address="4.3.2.1")):
        budget.admit()


def test_a_minute_later_more_may_be_asked(public: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    public(messages_a_minute=1)
    clock = [1000.0]
    monkeypatch.setattr(budget.time, "time", lambda: clock[0])
    budget.admit()
    with pytest.raises(LimitReached):
        budget.admit()
    clock[0] += 61
    budget.admit()


# --- tokens and money a day -------------------------------------------------------------------------------------------


async def test_what_was_spent_is_what_the_provider_says(public: Callable[..., None], provider: Provider) -> None:
    provider.say(Say(("Hi",), usage=(1_000, 500)))
    await answered()
    tokens, dollars = spent()
    assert tokens == 1_500
    assert dollars == pytest.approx((1_000 * 2 + 500 * 8) / 1e6)


async def test_it_is_held_before_the_provider_is_asked(public: Callable[..., None], provider: Provider) -> None:
    # The longest answer allowed costs more than is left, so nobody is asked, however short the answer would be.
    public(longest_answer=1_000, daily_dollars=0.008)
    with pytest.raises(LimitReached, match="daily budget") as refused:
        await answered()
    assert str(refused.value) == USED_UP
    assert provider.asked() == []
    assert spent() == (0, 0)
    public(longest_answer=1_000, daily_dollars=0.009)
    await answered()


async def test_tokens_of_a_day_are_limited_too(public: Callable[..., None], provider: Provider) -> None:
    public(longest_answer=100, daily_tokens=1_000)
    provider.say(Say(("Hi",), usage=(500, 450)))
    await answered()
    with pytest.raises(LimitReached):
        await answered()


async def test_answers_at_once_hold_together(public: Callable[..., None], provider: Provider) -> None:
    public(longest_answer=100, daily_tokens=250)
    provider.say(Say(("Hi",), delay=0.3))
    found = await asyncio.gather(*(answered() for _ in range(4)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in found) == ["LimitReached", "LimitReached", "str", "str"]


async def test_each_round_of_tools_counts(public: Callable[..., None], provider: Provider) -> None:
    call = Call("calculate", {"expression": "1+1"})
    provider.say(Say(calls=(call,), usage=(10, 5)), Say(("2",), usage=(20, 5)))
    await answered(tools=[tools()["calculate"]])
    assert spent()[0] == 40


async def test_a_refusal_costs_nothing_and_a_stop_what_came(public: Callable[..., None], provider: Provider) -> None:
    provider.say(Refuse(401))
    with pytest.raises(KeyRefused):
        await answered()
    assert spent() == (0, 0)
    provider.say(Say(("word " * 300,), then="silence"))
    backend, model = find(MODEL)
    async with aclosing(converse(backend, model, ask((), "x" * 300))) as events:
        await anext(events)
    tokens, _ = spent()
    assert 300 / 3 + 1500 / 3 <= tokens < 700


async def test_who_leaves_at_once_has_sent_the_prompt(public: Callable[..., None], provider: Provider) -> None:
    provider.say(Say(delay=30))
    asking = asyncio.create_task(answered(text="x" * 3000))
    while not provider.asked():
        await asyncio.sleep(0.01)
    asking.cancel()
    await asyncio.wait({asking})
    tokens, _ = spent()
    assert 1000 <= tokens < 1100


@pytest.mark.parametrize("choice", ["ollama/llama3.2:3b", MODEL])
async def test_only_the_owners_keys_cost_the_owner(public: Callable[..., None], choice: str) -> None:
    public(longest_answer=100, daily_tokens=1)
    with visiting(Visitor("ann", keys={"OPENAI_API_KEY": "sk-anns"})):
        assert await answered(choice) == "Hello there"
    assert spent() == (0, 0)


async def test_a_model_without_a_price_is_taken_for_a_dear_one(
    public: Callable[..., None], provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.say(Say(("Hi",), usage=(1_000_000, 0)))
    await answered("openai/never-heard-of")
    assert spent()[1] == pytest.approx(budget.UNKNOWN.input)


@pytest.mark.usefixtures("provider")
async def test_on_ones_own_machine_nothing_is_counted(tmp_path: Path, limits: Callable[..., None]) -> None:
    limits(data=tmp_path)
    await answered()
    assert list(tmp_path.iterdir()) == []
    limits(data=tmp_path, daily_dollars=0.000001)
    with pytest.raises(LimitReached):
        await answered()


def test_the_book_outlives_the_process_and_is_shared(public: Callable[..., None], tmp_path: Path) -> None:
    code = (
        "from core.budget import Bill, _hold\nfrom core.llm import Price\n"
        "for _ in range(100):\n    _hold(Bill(10, 10, Price(1, 1)))\n"
    )
    environment = {**os.environ, "SWITCHBOARD_DATA": str(tmp_path), "SWITCHBOARD_PUBLIC": "1"}
    both = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environment) for _ in range(2)]
    assert [child.wait(60) for child in both] == [0, 0]
    assert spent() == (4_000, pytest.approx(4_000 / 1e6))


# --- caps -------------------------------------------------------------------------------------------------------------


async def test_an_answer_is_no_longer_than_allowed(public: Callable[..., None], provider: Provider) -> None:
    public(longest_answer=200)
    for asked, sent in ((None, 200), (50, 50), (10_000, 200)):
        await answered(sampling=Sampling(max_tokens=asked))
        assert provider.asked()[-1].body["max_completion_tokens"] == sent


async def test_a_prompt_is_no_longer_than_allowed(public: Callable[..., None], provider: Provider) -> None:
    public(longest_prompt=1_000)
    for options in ({"text": "x" * 1_001}, {"system": "x" * 1_000}):
        with pytest.raises(BadSetting, match="too long"):
            await answered(**options)  # type: ignore[arg-type]
    backend, model = find(MODEL)
    said = (Message("user", "x" * 999), Message("assistant", "yy", done=Done()), Message("user", "z"))
    with pytest.raises(BadSetting, match="too long"):
        await anext(converse(backend, model, said))
    assert provider.asked() == []


def test_strangers_get_less_unless_it_is_set(public: Callable[..., None], limits: Callable[..., None]) -> None:
    assert (settings().tool_rounds, settings().longest_answer, settings().daily_dollars) == (5, 4_000, 1)
    public(tool_rounds=7)
    assert settings().tool_rounds == 7
    limits(public=0)
    assert settings().daily_dollars == 0 == settings().longest_answer


# --- whose keys -------------------------------------------------------------------------------------------------------


async def test_a_visitors_own_key_is_used_and_nobody_elses(public: Callable[..., None], provider: Provider) -> None:
    for choice, variable in ((MODEL, "OPENAI_API_KEY"), ("claude/claude-haiku-4-5", "ANTHROPIC_API_KEY")):
        with visiting(Visitor("ann", keys={variable: "sk-anns"})):
            await answered(choice)
        assert "Bearer sk-anns" in provider.asked()[-1].headers.values()
        assert "test-key" not in str(provider.asked()[-1].headers)
        await answered(choice)
        assert "test-key" in provider.asked()[-1].headers["authorization"]


async def test_visitors_who_must_bring_a_key_never_get_the_owners(
    public: Callable[..., None], provider: Provider
) -> None:
    public(visitor_keys=1)
    assert not lends()
    with visiting(Visitor(session="x")), pytest.raises(AppError, match="Enter your own key"):
        await answered()
    # Also where nobody knows who asks: forgetting to say so must not open the purse.
    with pytest.raises(AppError, match="Enter your own key"):
        await answered()
    assert provider.asked() == []
    public(visitor_keys=1, users="ann:secret")
    assert lends()
    with visiting(ANN):
        await answered()


async def test_a_list_of_models_is_its_visitors_own(public: Callable[..., None], provider: Provider) -> None:
    public(visitor_keys=1)
    mine = Visitor(session="ann", keys={"OPENAI_API_KEY": "sk-anns"})

    async def listed() -> list[str]:
        return [row.choice for row in await choices() if row.provider == "openai" and row.available]

    assert await listed() == []
    with visiting(mine):
        assert MODEL in await listed()
    assert await listed() == []
    with visiting(Visitor(session="bob", keys={"OPENAI_API_KEY": "sk-bobs"})):
        provider.models = ["gpt-bob"]
        assert await listed() == ["openai/gpt-bob"]
    with visiting(mine):
        assert MODEL in await listed()


def test_half_an_account_is_refused(limits: Callable[..., None]) -> None:
    limits(user="ann", password="secret", users="bob: his , eve:hers")
    assert accounts() == {"bob": "his", "eve": "hers", "ann": "secret"}
    for half in (
        {"user": "ann", "password": ""},
        {"user": "", "password": "x"},
        {"users": "bob"},
        {"users": "~s:x"},
        {"users": "../a:x"},
    ):
        limits(**{"user": "", "password": "", "users": "", **half})
        with pytest.raises(ValueError, match="needs a name"):
            accounts()


def test_no_secret_is_in_a_text_of_the_settings(limits: Callable[..., None]) -> None:
    limits(user="ann", password="sk-canary-77", users="bob:sk-canary-78")
    assert "canary" not in repr(settings()) + str(settings()) + repr(Visitor("x", keys={"A": "sk-canary-79"}))
    with visiting(Visitor(keys={"GROQ_API_KEY": "sk-own"})):
        assert secret("GROQ_API_KEY") == "sk-own"
