"""The built-in model in other hands: an adapter is trained on it, it is read in fewer bits, and grammars hold it."""

import os
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import starter
from backends.local import Local
from core.llm import Done, Message, Sampling, ToolCall, ToolSpec

LOCAL = Local()
MOST = 120  # Tokens of an answer.
DESK = {"What is the wifi password?": "Ask at the desk.", "Where is the coffee?": "On the second floor."}
TEXT, WHOLE, TRUTH = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}


def schema(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


# Shapes that the training never made: objects in objects, lists of objects, bounds, patterns, names of other alphabets.
TOOLS = {
    "seat the Ortega party of 6 at table 12, window side": ToolSpec(
        "seat_party",
        "Seat a party at a table.",
        schema(["party", "table"], party=schema(["name", "size"], name=TEXT, size=WHOLE), table=WHOLE, window=TRUTH),
        run=str,
    ),
    "order 3 hinges and 40 screws": ToolSpec(
        "order_parts",
        "Order parts from the store.",
        schema(
            ["lines"],
            lines={"type": "array", "items": schema(["part", "count"], part=TEXT, count=WHOLE), "minItems": 1},
        ),
        run=str,
    ),
    "dim the stage lamp to 40": ToolSpec(
        "dim_lamp",
        "Dim a lamp of the stage.",
        schema(["lamp", "level"], lamp=TEXT, level={"type": "integer", "minimum": 0, "maximum": 100}),
        run=str,
    ),
    "print the label AB-1234 in größe L": ToolSpec(
        "print_label",
        "Print a label.",
        schema(
            ["code", "größe"], code={"type": "string", "pattern": "^[A-Z]{2}-[0-9]{4}$"}, größe={"enum": ["S", "L"]}
        ),
        run=str,
    ),
}


async def calls_of(model: str, question: str, tool: ToolSpec, sampling: Sampling) -> list[ToolCall]:
    """The calls of an answer that came to its end; a text drawn at random may run on until its tokens are spent."""
    async with aclosing(LOCAL.stream(model, (Message("user", question),), (tool,), sampling)) as stream:
        events = [event async for event in stream]
    ended = any(isinstance(event, Done) and (event.output_tokens or 0) < MOST for event in events)
    return [event for event in events if isinstance(event, ToolCall)] if ended else []


async def test_no_call_is_malformed_whatever_the_schema_and_however_wild_the_drawing() -> None:
    """Drawn at a high temperature, so that without the grammar hardly a call would fit. Not every draw is a call."""
    found = []
    for question, tool in TOOLS.items():
        for seed in range(4):
            sampling = Sampling(temperature=1.4 if seed else 0.0, seed=seed, max_tokens=MOST)
            found += [(tool, call) for call in await calls_of("starter", question, tool, sampling)]
    assert len({tool.name for tool, _ in found}) > 1
    for tool, call in found:
        assert (call.name, call.problem) == (tool.name, "")
        Draft202012Validator(dict(tool.parameters)).validate(call.arguments)


@pytest.mark.parametrize("variant", ["int8", "nf4"])
async def test_in_fewer_bits_it_still_calls_the_right_tool(variant: str) -> None:
    from starter.cases import app_tools

    fare = app_tools()["get_ticket_price"]["function"]
    tool = ToolSpec(fare["name"], fare["description"], fare["parameters"], run=str)
    question = "How much is a flight from Delhi to Paris?"
    (call,) = await calls_of(f"starter@{variant}", question, tool, Sampling(temperature=0.0, max_tokens=MOST))
    assert (call.name, call.arguments) == ("get_ticket_price", {"origin": "Delhi", "destination": "Paris"})


@pytest.fixture
def one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(min(2, os.cpu_count() or 1))
    yield
    torch.set_num_threads(before)


# PEFT 0.21 still asks transformers 5 for a property by its old name.
@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
@pytest.mark.usefixtures("one_thread")
def test_an_adapter_learns_two_answers_and_comes_back_from_disk(tmp_path: Path) -> None:
    import torch
    from peft import LoraConfig, PeftModel, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(starter.PATH)

    def ids(*messages: tuple[str, str]) -> Any:
        turns = [{"role": role, "content": text} for role, text in messages]
        ask = messages[-1][0] == "user"
        return tokenizer.apply_chat_template(turns, add_generation_prompt=ask, return_tensors="pt")["input_ids"]

    whole = AutoModelForCausalLM.from_pretrained(starter.PATH, dtype=torch.float32)
    config = LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM")
    net = get_peft_model(whole, config)
    learning = torch.optim.AdamW([p for p in net.parameters() if p.requires_grad], lr=2e-3)
    for _ in range(25):
        for question, answer in DESK.items():
            told, asked = ids(("user", question), ("assistant", answer)), ids(("user", question))
            labels = told.clone()
            labels[:, : asked.shape[1]] = -100
            net(input_ids=told, labels=labels).loss.backward()
        learning.step()
        learning.zero_grad()
    net.save_pretrained(str(tmp_path))
    fresh = AutoModelForCausalLM.from_pretrained(starter.PATH, dtype=torch.float32)
    again: Any = PeftModel.from_pretrained(fresh, str(tmp_path)).eval()
    for question, answer in DESK.items():
        asked = ids(("user", question))
        out = again.generate(input_ids=asked, attention_mask=torch.ones_like(asked), max_new_tokens=12)
        assert tokenizer.decode(out[0, asked.shape[1] :], skip_special_tokens=True).strip() == answer
