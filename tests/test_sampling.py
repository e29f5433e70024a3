"""What the next-token view shows is what `generate` draws from: the same steps, the same numbers, real draws."""

from __future__ import annotations

import asyncio
import json
import runpy
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from backends._local.choosing import processors
from backends.claude import backends as claude
from backends.local import Local
from backends.ollama import backends as ollama
from backends.openai import backends as openai
from core.errors import BadSetting, ContextTooLong, RequestRefused
from core.llm import Message, Sampling, TextDelta
from core.sampling import Pick, Predicts, Scores, likeliest, softmax, steps
from core.snippets import Coded
from tests import tiny
from tests.services import Provider, Raw, Refuse, Say

LOCAL = Local()
# Far from certain after this: many tokens are in play, and some of them stand in the text.
PROMPT = "one two la la the fare"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny.build(tmp_path_factory.mktemp("tiny")))


@pytest.fixture(scope="module")
def scores(model: str) -> Scores:
    return asyncio.run(LOCAL.next_token(model, PROMPT, raw=True))


def ids_of(model: str, text: str) -> list[int]:
    ids: list[int] = AutoTokenizer.from_pretrained(model)(text).input_ids
    return ids


# --- the same numbers as transformers ---------------------------------------------------------------------------------

SETTINGS = [
    Sampling(),
    Sampling(temperature=0.3),
    Sampling(temperature=2),
    Sampling(temperature=0),
    Sampling(temperature=0, top_k=5, top_p=0.5, min_p=0.5),
    Sampling(top_k=1),
    Sampling(top_k=7),
    Sampling(top_k=200),
    Sampling(top_p=0.9),
    Sampling(top_p=0.05),
    Sampling(top_p=0),
    Sampling(top_p=1),
    Sampling(min_p=0.02),
    Sampling(min_p=1),
    Sampling(repetition_penalty=1.3),
    Sampling(repetition_penalty=0.7),
    Sampling(temperature=1.7, top_k=40, top_p=0.95, min_p=0.03, repetition_penalty=1.2),
    Sampling(temperature=0.6, top_k=20, top_p=0.8, repetition_penalty=0.9),
]


def generated(model: str, prompt: str, sampling: Sampling, count: int = 1) -> Any:
    """What `generate` says of the token after `prompt`: logits, scores after every processor, and `count` draws."""
    ids = torch.tensor([ids_of(model, prompt)])
    draws = {"do_sample": False} if sampling.temperature == 0 else {"do_sample": True, "top_k": 0}
    given = sampling.given() if sampling.temperature != 0 else sampling.only(frozenset({"repetition_penalty"})).given()
    torch.manual_seed(3)
    return real(model).generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=1, num_return_sequences=count, output_scores=True,
        output_logits=True, return_dict_in_generate=True, **{**draws, **given},
    )  # fmt: skip


@cache
def real(model: str) -> Any:
    return AutoModelForCausalLM.from_pretrained(model)


def test_the_scores_are_those_of_generate(model: str, scores: Scores) -> None:
    expected = generated(model, PROMPT, Sampling()).logits[0][0].numpy()
    assert scores.whole
    assert np.abs(scores.logits - expected).max() < 1e-5


@pytest.mark.parametrize("sampling", SETTINGS, ids=str)
def test_the_probabilities_are_those_of_generate(model: str, scores: Scores, sampling: Sampling) -> None:
    expected = generated(model, PROMPT, sampling).scores[0][0].softmax(-1).numpy()
    if sampling.temperature == 0:
        expected = (expected == expected.max()).astype(np.float32)
    found = steps(scores, sampling)[-1].probabilities
    assert np.abs(found - expected).max() < 1e-5
    assert (found > 0).sum() == (expected > 0).sum()


@pytest.mark.parametrize("sampling", [s for s in SETTINGS if s.temperature], ids=str)
def test_the_probabilities_are_those_that_an_answer_here_is_drawn_from(
    model: str, scores: Scores, sampling: Sampling
) -> None:
    logits, ids = torch.tensor(scores.logits)[None], torch.tensor([ids_of(model, PROMPT)])
    *chain, _noise = processors(sampling, {}, None, "cpu")
    for processor in chain:
        logits = processor(ids, logits)
    assert np.abs(steps(scores, sampling)[-1].probabilities - logits[0].softmax(-1).numpy()).max() < 1e-5


def unlikely(drawn: Counter[Any], expected: dict[Any, float]) -> bool:
    """Whether a chi-square test refuses, at 1 in 1,000, that `drawn` comes from `expected`. Rare kinds count as one."""
    total = drawn.total()
    assert {kind for kind in drawn if not expected.get(kind)} == set()
    common = [kind for kind, share in expected.items() if share * total >= 5]
    assert len(common) >= 4, "too few kinds for a test"
    pairs = [(drawn[kind], expected[kind] * total) for kind in common]
    rest = (total - sum(seen for seen, _ in pairs), total - sum(wanted for _, wanted in pairs))
    pairs += [rest] if rest[1] >= 5 else []
    statistic, free = sum((seen - wanted) ** 2 / wanted for seen, wanted in pairs), len(pairs) - 1
    # Wilson and Hilferty's approximation of the quantile; 3.09 is the normal distribution's.
    return statistic > free * (1 - 2 / (9 * free) + 3.09 * (2 / (9 * free)) ** 0.5) ** 3


DRAWN = [Sampling(temperature=2, top_k=40), Sampling(temperature=1.5, top_p=0.9, repetition_penalty=1.2)]


@pytest.mark.parametrize("sampling", DRAWN, ids=str)
def test_generate_really_draws_so(model: str, scores: Scores, sampling: Sampling) -> None:
    drawn = Counter(generated(model, PROMPT, sampling, 2000).sequences[:, -1].tolist())
    shares = dict(enumerate(steps(scores, sampling)[-1].probabilities.tolist()))
    assert not unlikely(drawn, shares)
    flat = {place: 1 / len(drawn) for place in drawn}
    assert unlikely(drawn, flat), "the test would not notice another distribution"


async def test_answers_of_this_app_are_really_drawn_so(model: str) -> None:
    # Nothing is cut off: two tokens that are nearly as likely could change places at the edge of a top-k.
    sampling = Sampling(temperature=1.5, max_tokens=1)
    found = steps(await LOCAL.next_token(model, "fare"), sampling)[-1].probabilities
    reader = AutoTokenizer.from_pretrained(model)
    shares: Counter[str] = Counter()
    for place in np.flatnonzero(found):
        text = reader.decode([int(place)], skip_special_tokens=True)
        # Torn characters and the marks of thoughts and calls are no text of an answer.
        shares["" if "\ufffd" in text or text.startswith("<") else text.strip()] += float(found[place])
    drawn: Counter[str] = Counter()
    for seed in range(400):
        asked = LOCAL.stream(model, (Message("user", "fare"),), sampling=replace(sampling, seed=seed))
        drawn["".join([event.text async for event in asked if isinstance(event, TextDelta)])] += 1
    assert not unlikely(drawn, dict(shares))


# --- what each step says of itself ------------------------------------------------------------------------------------


def known(*logits: float, **more: Any) -> Scores:
    return Scores(np.array(logits, np.float32), "abcdefgh".__getitem__, **more)


def test_steps_come_in_transformers_order_and_say_what_they_removed() -> None:
    given = known(3, 2, 1, 0, -1)
    found = steps(given, Sampling(temperature=0.5, top_k=4, top_p=0.99, min_p=0.1))
    assert [step.name for step in found] == ["model", "penalties", "temperature", "top_k", "top_p", "min_p"]
    assert [step.acts for step in found] == [True, False, True, True, True, True]
    assert [step.removed.tolist() for step in found] == [[], [], [], [4], [3], [2]]
    assert [step.left for step in found] == [5, 5, 5, 4, 3, 2]
    assert found[3].lost == pytest.approx(float(found[2].probabilities[4]))
    assert found[-1].probabilities.sum() == pytest.approx(1)


def test_entropy_is_in_bits() -> None:
    assert steps(known(1, 1, 1, 1), Sampling())[-1].entropy == pytest.approx(2)
    assert str(steps(known(9, 1, 1, 1), Sampling(temperature=0))[-1].entropy) == "0.0"


def test_openai_penalties_fall_with_each_use() -> None:
    given = known(1, 1, 1, counts={0: 3, 1: 1})
    found = steps(given, Sampling(frequency_penalty=0.5, presence_penalty=0.25))[-1].probabilities
    assert np.allclose(found, softmax(np.array([1 - 1.75, 1 - 0.75, 1], np.float32)))


def test_what_the_user_leaves_alone_is_the_models_own() -> None:
    given = known(3, 2, 1, 0, own={"top_k": 2, "temperature": 0.5})
    assert [step.acts for step in steps(given, Sampling())][1:] == [False, True, True, False, False]
    assert steps(given, Sampling())[-1].left == 2
    assert steps(given, Sampling(top_k=3))[-1].left == 3


def test_the_tokens_to_look_at_are_the_likeliest_before_and_after() -> None:
    given = known(5, 4, 3, 2, 1, seen=frozenset({0, 1}))
    found = steps(given, Sampling(repetition_penalty=2, top_k=2))
    assert likeliest(found, 3) == [0, 1, 2]
    assert likeliest(found, 99) == [0, 1, 2, 3, 4]


# --- asking backends --------------------------------------------------------------------------------------------------


def test_what_is_picked_goes_on_as_the_same_tokens(model: str) -> None:
    first = asyncio.run(LOCAL.next_token(model, "count"))
    best = int(first.logits.argmax())
    second = asyncio.run(LOCAL.next_token(model, "count", (Pick(best, first.spell(best)),)))
    assert second.counts == {best: 1}
    assert best in second.seen
    text = first.spell(best) + second.spell(int(second.logits.argmax()))
    assert tiny.DIALOGUES["count"].startswith(text)


def test_what_cannot_be_asked_is_told(model: str) -> None:
    with pytest.raises(ContextTooLong):
        asyncio.run(LOCAL.next_token(model, "la " * 900))
    with pytest.raises(BadSetting, match="another model"):
        asyncio.run(LOCAL.next_token(model, "count", (Pick(999_999, "x"),)))
    with pytest.raises(BadSetting, match="empty"):
        asyncio.run(LOCAL.next_token(model, "", raw=True))


def logprobs(*rows: tuple[str, float]) -> Raw:
    told = [{"token": text, "logprob": value, "bytes": list(text.encode())} for text, value in rows]
    first = {"content": [{**told[0], "top_logprobs": told}]}
    chunks = [
        {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {"content": rows[0][0]}, "logprobs": first, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]},
    ]
    return Raw("".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n")


async def test_a_provider_tells_its_likeliest_tokens(provider: Provider) -> None:
    remote = openai()[0]
    assert isinstance(remote, Predicts)
    provider.say(logprobs((" Paris", -0.1), (" Rome", -2.5), ("é", -4.0)))
    found = await remote.next_token("gpt-4.1", "Capital?", (Pick(-1, "It is"), Pick(-1, " Rome")))
    assert [found.spell(place) for place in range(3)] == [" Paris", " Rome", "é"]
    assert not found.whole
    assert found.counts == {1: 1}
    body = provider.asked()[-1].body
    assert (body["logprobs"], body["top_logprobs"], body["max_completion_tokens"]) == (True, 20, 1)
    assert [m["content"] for m in body["messages"]] == ["Capital?", "It is Rome"]
    assert steps(found, Sampling(top_k=1))[-1].left == 1


async def test_a_provider_that_tells_none_says_so(provider: Provider) -> None:
    remote = openai()[0]
    assert isinstance(remote, Predicts)
    provider.say(Say(("Hello",)))
    with pytest.raises(RequestRefused, match="does not tell the likeliest"):
        await remote.next_token("gpt-4.1", "Hi")
    provider.say(Refuse(400, {"error": {"message": "logprobs are not supported"}}))
    with pytest.raises(RequestRefused):
        await remote.next_token("gpt-5", "Hi")
    with pytest.raises(BadSetting, match="bare text"):
        await remote.next_token("gpt-4.1", "Hi", raw=True)


def test_steps_are_quick_on_a_large_vocabulary() -> None:
    logits = np.random.default_rng(0).normal(size=151_936).astype(np.float32) * 3
    large = Scores(logits, str, seen=frozenset(range(2000)))
    started = time.perf_counter()
    likeliest(steps(large, Sampling(temperature=1.3, top_p=0.9, min_p=0.0001, repetition_penalty=1.2)), 12)
    assert time.perf_counter() - started < 1  # 0.05 s where nothing else runs; the page's limit is in its own test.


# --- the request as Python --------------------------------------------------------------------------------------------

ASKED = [
    (openai()[0], "gpt-4.1", Sampling(temperature=0.5, top_p=0.9, seed=7, stop=("a\n", '"'), max_tokens=20)),
    (openai()[0], "gpt-5", Sampling(effort="low", max_tokens=50)),
    (claude()[0], "claude-haiku-4-5", Sampling(temperature=0.5, top_k=5, max_tokens=20)),
    (ollama()[0], "llama3.2:3b", Sampling(temperature=0.5, min_p=0.1, repetition_penalty=1.1, effort="none")),
]


@pytest.mark.parametrize(("backend", "model", "sampling"), ASKED, ids=str)
async def test_the_program_sends_what_the_app_sends(
    provider: Provider, tmp_path: Path, backend: Any, model: str, sampling: Sampling
) -> None:
    assert isinstance(backend, Coded)
    prompt = 'Say "hi"\nand \\ ünd 😀'
    async for _ in backend.stream(model, (Message("user", prompt),), sampling=sampling):
        pass
    program = tmp_path / "program.py"
    program.write_text(await backend.python(model, prompt, sampling), "utf-8")
    # A process of its own, as its reader will have: an SDK may take the address when it is imported. The loopback
    # server streams only, so the program may fail at the answer; what counts here is what was asked.
    await asyncio.to_thread(subprocess.run, [sys.executable, str(program)], capture_output=True, timeout=120)
    by_app, by_program = (dict(request.body) for request in provider.asked()[-2:])
    for body in (by_app, by_program):
        for name in ("stream", "stream_options"):
            body.pop(name, None)
        body.get("options", {}).pop("num_ctx", None)
    assert {name: value for name, value in by_app.items() if value} == {
        name: value for name, value in by_program.items() if value
    }


@pytest.mark.parametrize(
    "sampling", [Sampling(), Sampling(temperature=0), Sampling(temperature=0.01, top_k=3, seed=1, stop=("three",))]
)
async def test_the_program_for_a_model_in_this_process_runs(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], sampling: Sampling
) -> None:
    program = tmp_path / "program.py"
    program.write_text(await LOCAL.python(f"{model}@fp32", "count", sampling), "utf-8")
    await asyncio.to_thread(runpy.run_path, str(program))
    assert capsys.readouterr().out.startswith("one two three")
