"""The parts of the local backend that need no model: forms of tool calls, prompts, the download."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

from backends._local.forms import Reader, form
from backends._local.prompt import begun, written
from backends._local.stopping import Until
from backends.local import Local
from core.errors import KeyRefused, ModelMissing, ProviderError, RequestRefused, Unreachable
from core.llm import Message, TextDelta, Thinking, ToolCall, ToolResult, ToolSpec
from core.tools import tools
from tests import tiny
from tests.hub import Hub, serving

PRICE = tools()["get_ticket_price"]
CALL = '{"name": "get_ticket_price", "arguments": {"origin": "Delhi", "destination": "Paris"}}'
BOTH = {"origin": "Delhi", "destination": "Paris"}


def tokenizer(template: str, **more: Any) -> Any:
    inner = Tokenizer(models.WordLevel({"x": 0}, unk_token="x"))
    return PreTrainedTokenizerFast(tokenizer_object=inner, chat_template=template, **more)


def read(template: str, text: str, prompt: str = "", size: int = 1, **more: Any) -> list[Any]:
    """What is read out of `text` that comes in pieces of `size` characters."""
    tokens = tokenizer(template, **more)
    chosen = form(tokens, template)
    reader = Reader(tokens, chosen, begun(chosen, prompt), [])
    found = [event for at in range(0, len(text), size) for event in reader.feed(text[at : at + size])]
    return [*found, *reader.end()]


def said(found: list[Any], kind: type = TextDelta) -> str:
    return "".join(event.text for event in found if isinstance(event, kind))


def calls(found: list[Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(event.name, dict(event.arguments)) for event in found if isinstance(event, ToolCall) and not event.problem]


# --- forms ------------------------------------------------------------------------------------------------------------

LLAMA3 = 'respond with {"name": function name, "parameters": dictionary} <|python_tag|>'
XML = "<tool_call>\n<function=get_ticket_price>\n<parameter=origin>\nDelhi\n</parameter>\n"
XML += "<parameter=destination>\nParis\n</parameter>\n</function>\n</tool_call>"


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("<tool_call>", f"<tool_call>\n{CALL}\n</tool_call>"),
        ("<tool_call><function=x>", XML),
        ("[TOOL_CALLS]", f"[TOOL_CALLS] [{CALL}]"),
        ("[TOOL_CALLS]", f"[TOOL_CALLS]get_ticket_price[ARGS]{json.dumps(BOTH)}"),
        ("[TOOL_CALLS]", f"[TOOL_CALLS]get_ticket_price[CALL_ID]123456789[ARGS]{json.dumps(BOTH)}"),
        (LLAMA3, CALL.replace("arguments", "parameters")),
        (LLAMA3, "<|python_tag|>" + CALL.replace("arguments", "parameters")),
        ("<tool_call>", f"<tool_call>{CALL}</tool_call>".replace(json.dumps(BOTH), json.dumps(json.dumps(BOTH)))),
    ],
)
def test_every_form_of_a_call_is_read(template: str, text: str, size: int) -> None:
    found = read(template, text, size=size)
    assert calls(found) == [("get_ticket_price", BOTH)]
    assert said(found).strip() == ""


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("<tool_call>", f"<tool_call>{CALL}</tool_call>\n<tool_call>{CALL}</tool_call>"),
        ("[TOOL_CALLS]", f"[TOOL_CALLS] [{CALL}, {CALL}]"),
        ("[TOOL_CALLS]", f"[TOOL_CALLS]get_ticket_price[ARGS]{json.dumps(BOTH)}" * 2),
        ("<tool_call><function=x>", f"{XML}\n{XML}"),
    ],
)
def test_two_calls_in_one_answer(template: str, text: str) -> None:
    assert calls(read(template, text)) == [("get_ticket_price", BOTH)] * 2


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("<tool_call>", '<tool_call>{"name": "get_ticket</tool_call>'),
        ("<tool_call>", '<tool_call>{"name": "a", "arguments": {"b": 1}'),
        ("<tool_call>", '<tool_call>{"name": "a", "arguments": [1]}</tool_call>'),
        ("<tool_call>", '<tool_call>{"name": "a", "arguments": "no JSON"}</tool_call>'),
        ("<tool_call>", "<tool_call>42</tool_call>"),
        ("[TOOL_CALLS]", '[TOOL_CALLS] [{"name": "a"'),
        (LLAMA3, '{"name": "a", "parameters": {'),
    ],
)
def test_a_call_that_cannot_be_read_is_one_call_with_a_problem(template: str, text: str) -> None:
    (call,) = [event for event in read(template, text) if isinstance(event, ToolCall)]
    assert call.problem


STRICT = {
    "start_anchor": "<bot>",
    "fields": {
        "tool_calls": {
            "open": "<call>",
            "close": "</call>",
            "content": "json",
            "repeats": True,
            "transform": {"type": "function", "function": {"name": "{content.n}", "arguments": "{content.a}"}},
        },
        "thinking": {"open": "<hm>", "close": "</hm>", "content": "text"},
        "content": {"content": "text"},
    },
}


def test_a_tokenizers_own_template_is_used_and_may_be_strict() -> None:
    text = 'Yes.<call>{"n": "f", "a": {"x": 1}}</call>'
    found = read("<tool_call>", text, "<bot>", response_template=STRICT)
    assert (said(found), calls(found)) == ("Yes.", [("f", {"x": 1})])
    found = read("<tool_call>", 'No.<call>{"n": "f"}</call>', "<bot>", response_template=STRICT)
    assert said(found) == "No."
    assert [bool(event.problem) for event in found if isinstance(event, ToolCall)] == [True]
    assert said(read("", "so</hm>yes", "<user>hi<bot><hm>", response_template=STRICT), Thinking) == "so"


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_thinking_that_the_template_has_begun(size: int) -> None:
    found = read("<tool_call>", "So be it.\n</think>\n\nYes, it is.", "<|im_start|>assistant\n<think>\n", size)
    assert said(found, Thinking).strip() == "So be it."
    assert said(found) == "Yes, it is."


def test_plain_text_keeps_its_spaces_and_its_signs() -> None:
    text = 'a  b\n\n  <b> {"name": 1} </tool> [x] 3 < 4'
    for template in ("", "<tool_call>", "[TOOL_CALLS]", LLAMA3):
        assert said(read(template, text)) == text


def test_text_is_not_held_back_longer_than_it_must() -> None:
    tokens = tokenizer("<tool_call>")
    reader = Reader(tokens, form(tokens, "<tool_call>"), "", [])
    assert said(list(reader.feed("Hello <"))) == "Hello"
    assert said(list(reader.feed("b>"))) == " <b>"


# --- stops ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 3, 50])
@pytest.mark.parametrize(
    ("stops", "expected"),
    [(("cd",), "ab"), (("xyz",), "abcdefg"), (("efgh", "ef"), "abcd"), (("g", "abc"), ""), ((), "abcdefg")],
)
def test_text_passes_until_a_stop(stops: tuple[str, ...], expected: str, size: int) -> None:
    until, text = Until(stops), "abcdefg"
    pieces = [TextDelta(text[at : at + size]) for at in range(0, len(text), size)]
    assert said([*until.passing(pieces), *until.rest()]) == expected
    assert until.met == (expected != text)


# --- prompts ----------------------------------------------------------------------------------------------------------


def test_foreign_call_ids_become_nine_digits() -> None:
    made = "{% for c in m.tool_calls or [] %}{{ c.id }};{% endfor %}"
    template = f"{{% for m in messages %}}{{{{ m.tool_call_id }}}}{made}{{% endfor %}}"
    conversation = (
        Message("user", "hi"),
        Message("assistant", "", (ToolCall("toolu_01AbCdEf", "f"), ToolCall("call_b", "g"))),
        Message("tool", tool_result=ToolResult("call_b", "g", "1")),
        Message("tool", tool_result=ToolResult("toolu_01AbCdEf", "f", "2")),
    )
    assert written(tokenizer(template), conversation, (), None) == "000000000;000000001;000000001000000000"


def test_a_system_message_that_the_template_drops_goes_to_the_user() -> None:
    template = "{% for m in messages if m.role != 'system' %}{{ m.role }}:{{ m.content }};{% endfor %}"
    conversation = (Message("system", "Be kind."), Message("user", "hi"))
    assert written(tokenizer(template), conversation, (), None) == "user:Be kind.\n\nhi;"


def test_a_template_that_refuses_everything_is_a_sentence() -> None:
    template = "{{ raise_exception('no') }}"
    with pytest.raises(RequestRefused, match="refuses this conversation"):
        written(tokenizer(template), (Message("user", "hi"),), (), None)


def test_tools_reach_the_template_as_functions() -> None:
    template = "{% for t in tools %}{{ t.function.name }} {{ t.function.parameters.required | length }}{% endfor %}"
    spec = ToolSpec("f", "Does.", {"type": "object", "properties": {}, "required": ["a", "b"]}, run=str)
    assert written(tokenizer(template), (Message("user", "hi"),), (spec,), None) == "f 2"


# --- the download -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.build(tmp_path_factory.mktemp("hub"), {"hi": "Hello."})


@pytest.fixture
def hub(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving(folder, tmp_path, monkeypatch) as server:
        yield server


async def test_a_model_is_downloaded_with_progress(hub: Hub, tmp_path: Path, folder: Path) -> None:
    found = [progress async for progress in Local().fetch("owner/tiny@nf4")]
    fractions = [progress.fraction for progress in found]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert len(set(fractions)) > 3
    here = tmp_path / "hub" / "models--owner--tiny" / "snapshots" / ("a" * 40)
    assert {file.name for file in here.iterdir()} == {file.name for file in folder.iterdir()}
    assert (here / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()
    assert not {"pytorch_model.bin", "model.json"} & set(hub.sent)


async def test_closing_stops_the_download(hub: Hub) -> None:
    hub.slow.set()

    async def fetch() -> None:
        async with aclosing(Local().fetch("owner/tiny")) as stream:
            async for _ in stream:
                pass

    fetching = asyncio.create_task(fetch())
    async with asyncio.timeout(60):
        while "model.safetensors" not in hub.sent:
            await asyncio.sleep(0.01)
    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching
    assert await asyncio.to_thread(hub.hung_up.wait, 2)


@pytest.mark.parametrize(
    ("name", "kind", "sentence"),
    [
        ("owner/gated", KeyRefused, "accepted its terms"),
        ("owner/none", ModelMissing, "has no owner/none"),
        ("owner/pickled", RequestRefused, "no safetensors"),
        ("nothing", ModelMissing, "Hub id"),
        ("a/b/c", ModelMissing, "Hub id"),
    ],
)
async def test_what_the_hub_refuses_is_a_sentence(
    hub: Hub, name: str, kind: type[ProviderError], sentence: str
) -> None:
    with pytest.raises(kind, match=sentence):
        [progress async for progress in Local().fetch(name)]


async def test_without_a_network_it_says_so(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(Unreachable, match="cannot be reached"):
        [progress async for progress in Local().fetch("owner/tiny")]
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(Unreachable, match="cannot be reached"):
        [progress async for progress in Local().fetch("owner/tiny")]


# --- imports ----------------------------------------------------------------------------------------------------------


def test_nothing_heavy_is_imported_with_the_module() -> None:
    heavy = "{'torch', 'transformers', 'bitsandbytes', 'llguidance', 'huggingface_hub'}"
    code = f"import sys, backends.local; sys.exit(str({heavy} & set(sys.modules)) if {heavy} & set(sys.modules) else 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[1])
    assert done.returncode == 0, done.stderr
