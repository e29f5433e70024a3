"""Votes, numbers, streams side by side and the bench: what the Compare tab stands on."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from backends.claude import backends as claude
from backends.ollama import backends as ollama
from backends.openai import backends as openai
from core.bench import Row, as_csv, bench, prompts, summaries
from core.compare import START, expected, invented, voted
from core.errors import BadSetting
from core.llm import Conversation, Done, Message, Sampling, ToolCall, ToolResult
from core.streams import together
from tabs.compare import counted, rated, ratings_csv
from tabs.side_by_side import differences
from tests.services import Provider, Refuse, Reply, Request, Say

# --- votes ------------------------------------------------------------------------------------------------------------


def test_a_vote_moves_points_and_their_sum_stays() -> None:
    after = voted({}, ["a", "b"], "a")
    assert after == {"a": START + 16, "b": START - 16}
    more = voted(after, ["a", "b", "c"], "c")
    assert sum(more.values()) == pytest.approx(3 * START)
    assert more["c"] > START > more["b"]
    assert more["b"] == pytest.approx(after["b"] - 32 * expected(after["b"], START))


def test_beating_a_stronger_model_is_worth_more() -> None:
    ratings = {"strong": 1400.0, "weak": 1000.0}
    assert expected(1400, 1000) == pytest.approx(10 / 11)
    upset = voted(ratings, ["strong", "weak"], "weak")["weak"] - 1000
    as_foreseen = voted(ratings, ["strong", "weak"], "strong")["strong"] - 1400
    assert upset == pytest.approx(32 * 10 / 11)
    assert as_foreseen == pytest.approx(32 / 11)


def test_a_tie_draws_ratings_together_whatever_the_order() -> None:
    ratings = {"a": 1200.0, "b": 1000.0, "c": 900.0, "away": 1500.0}
    tie = voted(ratings, ["a", "b", "c"], None)
    assert tie["a"] < 1200
    assert tie["c"] > 900
    assert tie["away"] == 1500
    assert tie == pytest.approx(voted(ratings, ["c", "b", "a"], None))


def test_ratings_that_a_browser_spoilt_begin_anew() -> None:
    spoilt = {"a": {"elo": "high", "votes": 1}, "b": 3, "c": {"elo": 1100, "votes": 2}}
    after = counted(spoilt, ["a", "c"], "a")  # type: ignore[arg-type]
    assert set(after) == {"a", "c"}
    assert after["c"]["votes"] == 3
    assert after["a"]["votes"] == 1
    assert rated("nonsense").startswith("No votes yet")  # type: ignore[arg-type]


def test_a_model_whose_name_is_a_formula_is_exported_as_text() -> None:
    assert "'=1+1/x" in ratings_csv({"=1+1/x": {"elo": 1000, "votes": 1}})
    row = rated({"x|y`<img src=x>": {"elo": 1000, "votes": 1}}).splitlines()[-1]
    assert row.count("|") == 4
    assert row.endswith(" | 1000 | 1 |")
    assert "img src" not in row  # No attribute, whatever a renderer makes of the rest.


# --- numbers ----------------------------------------------------------------------------------------------------------


def turn(answer: str, *results: str, asked: str = "How much?") -> Conversation:
    calls = tuple(ToolCall(str(n), "get") for n in range(len(results)))
    told = tuple(Message("tool", tool_result=ToolResult(str(n), "get", text)) for n, text in enumerate(results))
    return (Message("user", asked), Message("assistant", tool_calls=calls), *told, Message("assistant", answer))


@pytest.mark.parametrize(
    ("answer", "result", "wrong"),
    [
        ("It costs 499 dollars.", '{"price": 499}', []),
        ("It costs $1,499.00.", '{"price": 1499}', []),
        ("About 3.14.", "3.14159", []),
        ("About 3.15.", "3.14159", ["3.15"]),
        ("1. It costs 499.\n2. It is cheap.", "499", []),
        ("It costs 512.", "499", ["512"]),
        ("It costs 499, or 512 and 600.", "499", ["512", "600"]),
        ("No numbers.", "499", []),
    ],
)
def test_numbers_that_no_tool_gave_are_found(answer: str, result: str, wrong: list[str]) -> None:
    assert invented(turn(answer, result)) == wrong


def test_the_questions_numbers_are_given_and_without_a_tool_nothing_is_said() -> None:
    assert invented(turn("For 2 people 998.", "998", asked="For 2 people?")) == []
    assert invented((Message("user", "?"), Message("assistant", "It costs 499."))) is None


# --- differences ------------------------------------------------------------------------------------------------------


def test_the_words_that_differ_are_marked() -> None:
    assert list(differences("The cat sat.", "The dog sat.")) == [
        ("The ", None),
        ("dog ", "different"),
        ("sat.", None),
    ]
    assert list(differences("Same\n\ntext.", "Same\n\ntext.")) == [("Same\n\ntext.", None)]
    assert list(differences("", "New.")) == [("New.", "different")]
    assert list(differences("Gone.", "")) == []


# --- side by side -----------------------------------------------------------------------------------------------------


async def counting(name: str, pace: float, closed: list[str]) -> AsyncGenerator[str]:
    try:
        for number in range(3):
            await asyncio.sleep(pace)
            yield f"{name}{number}"
    finally:
        closed.append(name)


async def test_a_slow_stream_holds_no_other_up() -> None:
    closed: list[str] = []
    came = [item async for item in together([counting("slow", 0.1, closed), counting("fast", 0.01, closed)])]
    assert [text for _, text in came][:3] == ["fast0", "fast1", "fast2"]
    assert [number for number, _ in came] == [1, 1, 1, 0, 0, 0]
    assert closed == ["fast", "slow"]


async def test_leaving_closes_every_stream() -> None:
    closed: list[str] = []
    async with aclosing(
        together([counting("a", 9, closed), counting("b", 0, closed), counting("c", 9, closed)])
    ) as items:
        assert await anext(items) == (1, "b0")
    assert sorted(closed) == ["a", "b", "c"]


async def test_an_error_is_raised_after_the_others_are_through() -> None:
    async def failing() -> AsyncGenerator[str]:
        yield "x"
        raise BadSetting("no")

    came = []
    with pytest.raises(BadSetting):
        async for item in together([failing(), counting("a", 0.01, [])]):
            came.append(item)
    assert came == [(0, "x"), (1, "a0"), (1, "a1"), (1, "a2")]


# --- the bench --------------------------------------------------------------------------------------------------------


def test_prompts_are_lines_or_jsonl() -> None:
    assert prompts(b"\xef\xbb\xbfone\r\n\r\n two \n") == ["one", "two"]
    assert prompts(b'{"prompt": "a\\nb", "id": 1}\n"c"\nplain {x}\n"He said" so\n') == [
        "a\nb", "c", "plain {x}", '"He said" so',
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"\n \n", "no prompts"), (b"\xff\xfe", "UTF-8"), (b'{"text": "x"}', "Line 1"), (b"x\n" * 201, "at most 200")],
)
def test_files_that_are_none_are_refused(data: bytes, said: str) -> None:
    with pytest.raises(BadSetting, match=said):
        prompts(data)


async def test_models_run_side_by_side_and_failures_are_rows(provider: Provider) -> None:
    def answer(request: Request) -> Reply:
        if request.wire == "claude":
            return Refuse(401)
        return Say(("ok",), delay=0.2)

    provider.script = answer
    models = [(openai()[0], "gpt-4.1"), (claude()[0], "claude-haiku-4-5"), (ollama()[0], "llama3.2:3b")]
    rows = [row async for row in bench(models, ["one", "two", "three"], Sampling(max_tokens=9))]
    assert len(rows) == 9
    table = {model.choice: model for model in summaries(rows)}
    assert table["claude/claude-haiku-4-5"].failures == 3
    assert table["claude/claude-haiku-4-5"].seconds is None
    assert "refused the key" in next(row.error for row in rows if row.error)
    assert table["openai/gpt-4.1"].answers == 3
    assert (table["openai/gpt-4.1"].seconds_to_first_token or 0) > 0.2
    assert table["openai/gpt-4.1"].cost == pytest.approx(3 * (11 * 2 + 7 * 8) / 1e6)
    assert table["ollama/llama3.2:3b"].cost == 0
    by_wire = {wire: [r.at for r in provider.asked() if r.wire == wire] for wire in ("openai", "ollama")}
    assert by_wire["ollama"][0] < by_wire["openai"][-1], "the second model waited for the first"


def test_medians_are_of_answers_and_a_cost_is_of_all_or_unknown() -> None:
    def row(seconds: float, cost: float | None) -> Row:
        return Row("m", "p", "a", Done(output_tokens=10, seconds_to_first_token=0.5, seconds=seconds, cost=cost))

    (model,) = summaries([row(1, 0.1), row(9, 0.1), row(2, None), Row("m", "p", error="no")])
    assert (model.answers, model.failures, model.seconds, model.cost) == (3, 1, 2, None)
    assert model.tokens_per_second == pytest.approx(10 / 1.5)


def test_the_export_holds_every_answer_and_no_formula() -> None:
    rows = [Row("m/x", "=HYPERLINK(1)", '-1, "quoted"\nline', Done(seconds=1.5)), Row("m/x", "p", error="no")]
    read = list(csv.DictReader(io.StringIO(as_csv(rows))))
    assert read[0]["prompt"] == "'=HYPERLINK(1)"
    assert read[0]["answer"] == '\'-1, "quoted"\nline'
    assert float(read[0]["seconds"]) == 1.5
    assert read[1]["error"] == "no"
