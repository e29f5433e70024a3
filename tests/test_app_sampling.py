"""The endpoints of Sampling, Compare and Tokens in the launched app, and how quickly a slider is answered."""

from __future__ import annotations

import time
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from core.llm import KNOBS
from tabs.next_token import Look, _redrawn
from tests.services import Call, Provider, Refuse, Reply, Request, Say

OPENAI, CLAUDE, OLLAMA = "openai/gpt-4.1", "claude/claude-haiku-4-5", "ollama/llama3.2:3b"


def test_next_token_tells_every_step(client: Client) -> None:
    given = {"temperature": 0.5, "top_k": 5, "top_p": 0.9, "frequency_penalty": 1}
    told = client.predict("The flight to", "local/starter", given, True, api_name="/next_token")
    assert told["whole_vocabulary"] is True
    names = ["model", "penalties", "temperature", "top_k", "top_p", "min_p"]
    assert [step["step"] for step in told["steps"]] == names
    # A knob that the model does not take is not applied: models in this process have no frequency penalty.
    assert [step["acts"] for step in told["steps"]] == [True, False, True, True, True, False]
    assert told["steps"][3]["left"] == 5
    assert told["steps"][3]["removed_count"] == told["steps"][2]["left"] - 5
    after = [row["after"] for row in told["candidates"]]
    assert sum(after) == pytest.approx(1, abs=1e-4)
    assert [row["before"] for row in told["candidates"]] == sorted(
        (r["before"] for r in told["candidates"]), reverse=True
    )
    assert all((row["removed_by"] is None) == (row["after"] > 0) for row in told["candidates"])


def test_tokens_come_with_ids_bytes_and_template(client: Client) -> None:
    told = client.predict("é 1000", "local/starter", api_name="/tokens")
    assert told["count"] == len(told["tokens"])
    assert told["tokens"][0]["start"] == 0
    assert told["tokens"][-1]["end"] == len("é 1000".encode())
    assert all(a["end"] == b["start"] for a, b in zip(told["tokens"], told["tokens"][1:], strict=False))
    assert "é 1000" in told["chat_template"]
    assert told["chat_template"] != "é 1000"


def test_compare_streams_all_and_one_failure_is_its_own(client: Client, service: Provider) -> None:
    def answer(request: Request) -> Reply:
        if request.wire == "claude":
            return Refuse(401, {"error": {"message": "sk-canary-77"}})
        if not any(m["role"] == "tool" for m in request.body["messages"]):
            return Say(calls=(Call("get_ticket_price", {"origin": "Delhi", "destination": "Paris"}),))
        return Say(("It costs ", "499", " or ", "612."), pace=0.15)

    service.script = answer
    asked = ("Delhi to Paris?", [OPENAI, CLAUDE, OLLAMA], ["get_ticket_price"], {"temperature": 0.5})
    client.predict(*asked, api_name="/compare")  # The first request of a provider waits for the import of its SDK.
    steps = list(client.submit(*asked, api_name="/compare"))
    last = {row["choice"]: row for row in steps[-1]}
    assert list(last) == [OPENAI, CLAUDE, OLLAMA]
    assert all(row["done"] for row in last.values())
    assert "refused the key" in last[CLAUDE]["error"]
    for choice in (OPENAI, OLLAMA):
        assert last[choice]["text"] == "It costs 499 or 612."
        assert last[choice]["invented"] == ["612"]
        assert last[choice]["usage"] == {"input_tokens": 22, "output_tokens": 14}
        assert last[choice]["seconds_to_first_token"] > 0
    assert any(step[1]["done"] and not step[0]["done"] for step in steps)
    assert "canary" not in str(steps)
    assert {r.body.get("temperature") for r in service.asked() if r.wire == "openai"} == {0.5}


@pytest.mark.parametrize(
    ("endpoint", "arguments", "said"),
    [
        ("/compare", {"prompt": "hi", "models": [OPENAI]}, "two to 4 models"),
        ("/compare", {"prompt": "hi", "models": [OPENAI] * 3}, "two to 4 models"),
        ("/compare", {"prompt": " ", "models": [OPENAI, CLAUDE]}, "empty"),
        ("/next_token", {"prompt": "", "model": "local/starter"}, "empty"),
        ("/next_token", {"prompt": "hi", "model": "local/starter", "sampling": {"heat": 1}}, "no knob"),
        ("/next_token", {"prompt": "hi", "model": CLAUDE}, "does not tell"),
        ("/tokens", {"text": "hi", "model": CLAUDE}, "keeps its tokenizers"),
        ("/tokens", {"text": "x" * 100_001, "model": "local/starter"}, "too long"),
    ],
)
def test_what_cannot_be_used_is_told(client: Client, endpoint: str, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(AppError, match=said):
        client.predict(**arguments, api_name=endpoint)


def test_a_moved_slider_is_answered_within_100_ms() -> None:
    import numpy as np

    from core.sampling import Scores

    # The largest vocabularies in use have some 150,000 tokens (Qwen); the built-in model has 4,096.
    logits = np.random.default_rng(0).normal(size=151_936).astype(np.float32) * 3
    look = Look(Scores(logits, str, seen=frozenset(range(500))), KNOBS, ())
    given = {"temperature": 0.9, "top_k": 100, "top_p": 0.95, "min_p": 0.01, "repetition_penalty": 1.1}
    took = []
    for _ in range(7):
        started = time.perf_counter()
        _redrawn(look, given, "")
        took.append(time.perf_counter() - started)
    assert min(took) < 0.1
