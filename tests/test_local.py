"""Models in this process: real transformers code on models that know a few dialogues by heart."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import backends._local.load as load
from backends._local.choosing import processors
from backends._local.files import files, installed
from backends._local.turns import AT_ONCE, Stopped
from backends.local import Local
from core.chat import converse
from core.errors import AppError, BadReply, BadSetting, ContextTooLong, ModelMissing, RequestRefused
from core.llm import (
    BackendEvent,
    Done,
    Message,
    Progress,
    Sampling,
    TextDelta,
    Thinking,
    ToolCall,
    ToolResult,
    ToolSpec,
)
from core.tools import tools
from tests import tiny

LOCAL = Local()
COUNT = tiny.DIALOGUES["count"]


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny.build(tmp_path_factory.mktemp("tiny")))


@pytest.fixture(autouse=True)
def no_answer_is_left_behind() -> Iterator[None]:
    yield
    assert not answering()


def answering() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "answer"]


def ask(model: str, text: str, *, system: str = "", **options: Any) -> AsyncIterator[BackendEvent]:
    conversation = (Message("system", system),) if system else ()
    return LOCAL.stream(model, (*conversation, Message("user", text)), **options)


async def events(model: str, text: str, **options: Any) -> list[BackendEvent]:
    """What comes of an answer, but for the news of its loading."""
    return [event async for event in ask(model, text, **options) if not isinstance(event, Progress)]


def said(found: list[BackendEvent], kind: type = TextDelta) -> str:
    return "".join(event.text for event in found if isinstance(event, kind))


def calls(found: list[BackendEvent]) -> list[ToolCall]:
    return [event for event in found if isinstance(event, ToolCall)]


def offered(*names: str) -> tuple[ToolSpec, ...]:
    return tuple(tools()[name] for name in names)


# --- answers ----------------------------------------------------------------------------------------------------------


async def test_text_comes_in_order_and_in_pieces(model: str) -> None:
    *pieces, done = await events(model, "count")
    assert said(pieces) == COUNT
    assert len(pieces) >= 2  # Text that comes within 30 ms comes as one piece.
    assert isinstance(done, Done)
    assert done.stop == "end"
    assert done.output_tokens is not None
    assert done.input_tokens is not None
    assert done.output_tokens >= 12 < done.input_tokens


async def test_a_character_of_several_tokens_is_never_torn(model: str) -> None:
    *pieces, done = await events(model, "smile")
    assert said(pieces) == tiny.DIALOGUES["smile"]
    assert all("\ufffd" not in piece.text for piece in pieces)
    assert isinstance(done, Done)
    assert (done.output_tokens or 0) > len(tiny.DIALOGUES["smile"])  # or no character was of several tokens


async def test_a_character_cut_by_the_limit_is_left_out(model: str) -> None:
    *_, whole = await events(model, "smile")
    assert isinstance(whole, Done)
    for limit in range(1, whole.output_tokens or 0):
        *pieces, done = await events(model, "smile", sampling=Sampling(max_tokens=limit))
        assert tiny.DIALOGUES["smile"].startswith(said(pieces))
        assert isinstance(done, Done)
        assert (done.stop, done.output_tokens) == ("length", limit)


async def test_thinking_is_told_apart(model: str) -> None:
    found = await events(model, "think")
    assert said(found, Thinking).strip() == "Is it so? It is."
    assert said(found) == "Yes."


async def test_marks_of_the_template_never_reach_the_text(model: str) -> None:
    found = await events(model, "marks")
    assert said(found) == "left right"
    assert isinstance(found[-1], Done)
    assert (found[-1].output_tokens or 0) >= 6  # The marks were generated.


async def test_a_stop_text_ends_the_answer_before_it(model: str) -> None:
    *pieces, done = await events(model, "count", sampling=Sampling(stop=("never", "n eight")))
    assert said(pieces) == "one two three four five six seve"
    *pieces, done = await events(model, "count", sampling=Sampling(stop=("ve six", "never")))
    assert said(pieces) == "one two three four fi"
    assert isinstance(done, Done)
    assert done.stop == "stop_sequence"
    *pieces, done = await events(model, "count", sampling=Sampling(stop=("twelve and more",)))
    assert said(pieces) == COUNT


async def test_the_conversation_is_told_with_calls_and_results(model: str) -> None:
    conversation = (
        Message("user", "fly"),
        Message("assistant", "Let me look.", (ToolCall("call_A", "get_ticket_price", {"origin": "Delhi"}),)),
        Message("tool", tool_result=ToolResult("call_A", "get_ticket_price", "499 USD")),
        Message("user", "price"),
    )
    found = [event async for event in LOCAL.stream(model, conversation)]
    assert isinstance(found[-1], Done)


# --- tools ------------------------------------------------------------------------------------------------------------


async def test_a_call_is_parsed_out_of_the_stream(model: str) -> None:
    found = await events(model, "fly")
    assert said(found) == "Let me look."
    (call,) = calls(found)
    assert (call.name, call.arguments) == ("get_ticket_price", {"origin": "Delhi", "destination": "Paris"})
    assert not call.problem
    assert isinstance(found[-1], Done)
    assert found[-1].stop == "tool_use"


async def test_two_calls_in_one_answer(model: str) -> None:
    found = await events(model, "two")
    assert [call.arguments for call in calls(found)] == [{"expression": "1+1"}, {"expression": "2+2"}]
    assert len({call.id for call in calls(found)}) == 2
    assert said(found).strip() == ""


async def test_a_call_that_cannot_be_read_says_so(model: str) -> None:
    (call,) = calls(await events(model, "broken"))
    assert call.problem


async def test_a_call_cut_by_the_limit_is_none(model: str) -> None:
    found = await events(model, "fly", sampling=Sampling(max_tokens=20))
    assert not calls(found)
    assert isinstance(found[-1], Done)
    assert found[-1].stop == "length"


COLOURS = {"type": "object", "properties": {"colour": {"enum": ["red", "blue"]}}, "required": ["colour"]}


async def test_offered_tools_cannot_be_called_in_a_wrong_form(model: str) -> None:
    """The same model, with a tool on offer: what it would break or call wrongly is held to name and parameters."""
    tool = ToolSpec("calculate", "Paints.", COLOURS | {"additionalProperties": False}, run=str)
    for question in ("broken", "fly", "two"):
        found = await events(model, question, tools=(tool,))
        assert calls(found)
        for call in calls(found):
            assert (call.name, call.problem) == ("calculate", "")
            assert call.arguments in ({"colour": "red"}, {"colour": "blue"})


async def test_the_tool_loop_runs_on_it(model: str) -> None:
    """Two rounds for real: the model calls, the tool answers, the model is asked again with the result."""
    found = []
    async with aclosing(converse(LOCAL, model, (Message("user", "two"),), tools=offered("calculate"))) as stream:
        async for event in stream:
            found.append(event)
            if sum(isinstance(event, Done) for event in found) == 2:
                break
    results = [event for event in found if isinstance(event, ToolResult)]
    assert results
    assert len([event for event in found if isinstance(event, Done)]) == 2


# --- JSON -------------------------------------------------------------------------------------------------------------

SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer"}, "colour": {"enum": ["red", "blue"]}, "on": {"type": "boolean"}},
    "required": ["n", "colour", "on"],
    "additionalProperties": False,
}


@pytest.mark.parametrize("seed", range(5))
async def test_with_a_schema_the_text_is_json_that_fits(model: str, seed: int) -> None:
    found = await events(model, "count", schema=SCHEMA, sampling=Sampling(seed=seed, temperature=1.0))
    value = json.loads(said(found))
    assert set(value) == {"n", "colour", "on"}
    assert value["colour"] in ("red", "blue")
    assert type(value["n"]) is int
    assert isinstance(found[-1], Done)
    assert found[-1].stop == "end"


async def test_a_schema_that_cannot_be_kept_to_is_refused(model: str) -> None:
    with pytest.raises(RequestRefused, match="schema"):
        await events(model, "count", schema={"type": "nonsense"})


# --- sampling ---------------------------------------------------------------------------------------------------------


async def test_a_seed_repeats_an_answer_and_leaves_the_others_alone(model: str) -> None:
    hot = {"temperature": 2.0, "max_tokens": 40}
    state = torch.get_rng_state()
    first, other, again = [said(await events(model, "xyz", sampling=Sampling(**hot, seed=s))) for s in (1, 2, 1)]
    assert first == again != other
    assert torch.equal(state, torch.get_rng_state())


async def test_knobs_that_leave_one_token_are_as_good_as_temperature_0(model: str) -> None:
    wild = {"temperature": 2.0, "seed": 3, "max_tokens": 60}
    assert said(await events(model, "count", sampling=Sampling(**wild))) != COUNT
    for knobs in ({"top_k": 1}, {"top_p": 0.0}, {"min_p": 1.0}):
        assert said(await events(model, "count", sampling=Sampling(**wild, **knobs))) == COUNT


def test_draws_follow_the_probabilities() -> None:
    """Gumbel noise is a draw from the softmax: a thousand of them are as often each token as its probability says."""
    wanted = torch.tensor([0.5, 0.25, 0.2, 0.05, 0.0])
    (noise,) = processors(Sampling(temperature=1.0, seed=7), {}, None, "cpu")
    drawn = torch.stack([noise(None, wanted.log()[None]).argmax(-1) for _ in range(4000)]).flatten()
    shares = torch.bincount(drawn, minlength=5) / 4000
    assert torch.allclose(shares, wanted, atol=0.03)
    assert shares[4] == 0


def test_a_knob_goes_before_the_models_own_setting() -> None:
    scores, ids = torch.tensor([[4.0, 3.0]]), torch.tensor([[0]])

    def likeliest(sampling: Sampling) -> int:
        for processor in processors(sampling, {"repetition_penalty": 2.0, "do_sample": None}, None, "cpu"):
            return int(processor(ids, scores.clone()).argmax())
        return int(scores.argmax())

    assert likeliest(Sampling()) == 1
    assert likeliest(Sampling(repetition_penalty=1.0)) == 0


# --- several users, stopping, failing ---------------------------------------------------------------------------------


async def test_users_at_once_get_their_own_answers(model: str) -> None:
    questions = ["count", "smile", "think", "price"] * 2  # More than run side by side: some of them wait in line.
    assert len(questions) > AT_ONCE
    found = await asyncio.gather(*(events(model, question) for question in questions))
    for question, answer in zip(questions, found, strict=True):
        assert said(answer) == tiny.DIALOGUES[question].rpartition("</think>")[2].strip()


async def test_users_take_turns_by_token(model: str) -> None:
    """The second one's first token comes before the first one's last."""
    await events(model, "count")
    ends: dict[str, float] = {}
    begins: dict[str, float] = {}

    async def one(name: str) -> None:
        async for _ in ask(model, "long"):
            begins.setdefault(name, time.monotonic())
        ends[name] = time.monotonic()

    await asyncio.gather(one("a"), one("b"))
    assert max(begins.values()) < min(ends.values())


async def test_who_waits_is_told_and_can_leave(model: str) -> None:
    await events(model, "count")
    running = [ask(model, "long") for _ in range(AT_ONCE)]
    for stream in running:
        assert isinstance(await anext(stream), TextDelta)
    waiting = ask(model, "count")
    assert await anext(waiting) == Progress("Waiting for 1 other answer of this model")
    await waiting.aclose()
    late = asyncio.create_task(events(model, "count"))
    await asyncio.sleep(0.05)
    await running[0].aclose()
    assert said(await late) == COUNT
    for stream in running:
        await stream.aclose()


async def test_closing_ends_the_thread(model: str) -> None:
    await events(model, "count")
    stream = ask(model, "long")
    assert isinstance(await anext(stream), TextDelta)
    assert len(answering()) == 1
    started = time.monotonic()
    await stream.aclose()
    assert not answering()
    assert time.monotonic() - started < 0.1


async def test_cancelling_ends_the_thread(model: str) -> None:
    await events(model, "count")
    task = asyncio.create_task(events(model, "long"))
    while not answering():
        await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not answering()


async def test_an_error_in_the_thread_ends_the_stream(model: str) -> None:
    """A layer that breaks is a sentence and the end of this stream; the next one is fine."""
    there = load.loading(model).result(30)

    def breaks(module: Any, given: Any) -> None:
        raise RuntimeError("a part of the machine broke")

    hook = there.model.model.layers[1].register_forward_pre_hook(breaks)
    try:
        async with asyncio.timeout(5):
            with pytest.raises(BadReply, match="failed while it was answering") as caught:
                await events(model, "count")
        assert "machine" not in str(caught.value)
    finally:
        hook.remove()
    assert said(await events(model, "count")) == COUNT


async def test_a_long_prompt_is_refused_and_an_answer_ends_at_the_window(model: str) -> None:
    with pytest.raises(ContextTooLong):
        await events(model, "z" * 600)
    *_, done = await events(model, "z" * 480)
    assert isinstance(done, Done)
    assert (done.input_tokens or 0) + (done.output_tokens or 0) <= 512


async def test_a_stop_is_seen_in_the_middle_of_a_pass(model: str) -> None:
    """A long prompt is one pass of seconds: the stop must not wait for its end, nor keep the model lent."""
    await events(model, "count")
    there = load.loading(model).result(30)
    stop, ids = threading.Event(), torch.tensor([[1, 2, 3]])
    first = there.model.model.layers[0].register_forward_hook(lambda *_: stop.set())
    reached: list[bool] = []
    last = there.model.model.norm.register_forward_hook(lambda *_: reached.append(True))
    there.turns.lend(stop)
    try:
        with pytest.raises(Stopped):
            there.model(ids)
    finally:
        first.remove()
        last.remove()
        there.turns.lend(threading.Event())
    assert not reached
    assert said(await events(model, "count")) == COUNT


# --- loading ----------------------------------------------------------------------------------------------------------


async def test_two_who_ask_at_once_load_once(model: str, tmp_path: Path) -> None:
    folder = str(shutil.copytree(model, tmp_path / "copy"))
    found = await asyncio.gather(*(asyncio.to_thread(load.loading, folder) for _ in range(5)))
    assert len({id(future) for future in found}) == 1
    assert said(await events(folder, "count")) == COUNT


@pytest.mark.parametrize("variant", ["int8", "nf4", "fp4", "nf4-double"])
async def test_a_variant_answers_in_less_memory(model: str, variant: str) -> None:
    await events(f"{model}@fp32", "count")
    whole = (await LOCAL.capabilities(f"{model}@fp32")).memory
    found = await events(f"{model}@{variant}", "count", sampling=Sampling(max_tokens=8))
    assert said(found)
    less = (await LOCAL.capabilities(f"{model}@{variant}")).memory
    assert whole is not None
    assert less is not None
    assert less < whole / 2


async def test_capabilities_come_from_the_files(model: str, tmp_path: Path) -> None:
    plain = tiny.build(tmp_path / "plain", {"hi": "Hello."}, tiny.WITHOUT_SYSTEM)
    here, there = await LOCAL.capabilities(model), await LOCAL.capabilities(str(plain))
    assert (here.tools, there.tools) == (True, False)
    assert here.context_window == 512
    assert "nf4" in here.variants
    assert here.structured
    assert "frequency_penalty" not in here.sampling
    assert here.reasons["frequency_penalty"]


async def test_a_template_without_a_system_role_gets_it_from_the_user(tmp_path: Path) -> None:
    folder = str(tiny.build(tmp_path, {"Be kind.\n\nhi": "Hello there.", "hi": "What?"}, tiny.WITHOUT_SYSTEM))
    assert said(await events(folder, "hi", system="Be kind.")) == "Hello there."
    assert said(await events(folder, "hi")) == "What?"


@pytest.mark.parametrize("name", ["nobody/nothing", "nobody/nothing@nf4"])
async def test_a_model_of_the_hub_that_is_not_here_is_missed_at_once(name: str) -> None:
    started = time.monotonic()
    with pytest.raises(ModelMissing, match="is not on this machine") as caught:
        await events(name, "count")
    assert caught.value.fetchable
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("name", ["nowhere", "/no/such/folder", "a/../b", "{0.__class__}"])
async def test_a_name_that_is_none(name: str) -> None:
    with pytest.raises(ModelMissing) as caught:
        await events(name, "count")
    assert not caught.value.fetchable


async def test_an_unknown_variant_is_a_bad_setting(model: str) -> None:
    with pytest.raises(BadSetting, match="int8"):
        await events(f"{model}@int3", "count")


async def test_weights_stored_in_a_reduced_precision_have_no_variants(model: str, tmp_path: Path) -> None:
    folder = shutil.copytree(model, tmp_path / "reduced")
    _changed(folder / "config.json", quantization_config={"quant_method": "gptq", "bits": 4})
    assert (await LOCAL.capabilities(str(folder))).variants == ()
    with pytest.raises(BadSetting, match="reduced precision already"):
        await events(f"{folder}@nf4", "count")


def _pickled(folder: Path) -> None:
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def _corrupt(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"\x00" * 200)


def _cut(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])


def _incomplete(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights.pop("model.layers.1.mlp.up_proj.weight")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def _strange(folder: Path) -> None:
    _changed(folder / "config.json", model_type="unheard_of", architectures=["UnheardOfForCausalLM"])


def _own_code(folder: Path) -> None:
    (folder / "evil.py").write_text("raise SystemExit('this must not run')")
    auto = {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"}
    _changed(folder / "config.json", model_type="evil", auto_map=auto)


def _silent(folder: Path) -> None:
    (folder / "chat_template.jinja").unlink()


def _without_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def _changed(file: Path, **entries: Any) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | entries))


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (_pickled, "pickle"),
        (_corrupt, "damaged"),
        (_cut, "damaged"),
        (_incomplete, "lacks some of its weights"),
        (_strange, "does not know this architecture"),
        (_own_code, "code of its own|does not know"),
        (_silent, "no chat template"),
        (_without_weights, "missing: model.safetensors"),
    ],
)
async def test_files_that_cannot_be_used_end_in_a_sentence(
    model: str, tmp_path: Path, spoil: Any, sentence: str
) -> None:
    folder = shutil.copytree(model, tmp_path / "spoilt")
    spoil(folder)
    async with asyncio.timeout(20):
        with pytest.raises(AppError, match=sentence):
            await events(str(folder), "count")


async def test_a_model_that_does_not_fit_is_refused_before_it_is_read(model: str, tmp_path: Path) -> None:
    folder = shutil.copytree(model, tmp_path / "huge")
    with (folder / "model.safetensors").open("r+b") as weights:
        weights.truncate(4 * 10**12)  # A sparse file: it takes no space.
    with pytest.raises(RequestRefused, match=r"4000\.0 GB of memory.*smaller model"):
        await events(str(folder), "count")


def test_models_of_the_cache_are_listed_if_they_can_converse(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub.constants

    for name, spoil in {"good": None, "pickled": _pickled, "silent": _silent}.items():
        repo = tmp_path / f"models--owner--{name}"
        (repo / "refs").mkdir(parents=True)
        (repo / "blobs").mkdir()
        (repo / "refs" / "main").write_text("a" * 40)
        folder = shutil.copytree(model, repo / "snapshots" / ("a" * 40))
        if spoil:
            spoil(folder)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    assert [name for name in installed() if name != "starter"] == ["owner/good"]
    assert files("owner/good").size > 0
