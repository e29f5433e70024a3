"""The built-in model: its weights are those of the record, they load and answer, and the training runs end to end."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

import starter

ROOT = Path(__file__).parent.parent
FARE = {"origin": "Oslo", "destination": "Lima", "price": 947, "currency": "EUR", "note": "sample data"}


@pytest.fixture(scope="module")
def loaded() -> tuple[Any, Any]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(starter.PATH, dtype=torch.float32).eval()
    return AutoTokenizer.from_pretrained(starter.PATH), model


def reply(loaded: tuple[Any, Any], messages: list[dict[str, Any]], tools: list[Any] | None = None) -> dict[str, Any]:
    tokenizer, model = loaded
    prompt = tokenizer.apply_chat_template(messages, tools=tools, add_generation_prompt=True, return_tensors="pt")
    ids = model.generate(**prompt, max_new_tokens=80)[0, prompt["input_ids"].shape[1] :]
    parsed: dict[str, Any] = tokenizer.parse_response(ids, prefix=prompt["input_ids"][0])
    return parsed


def flight_tools() -> list[Any]:
    from starter.cases import app_tools

    return [app_tools()["get_ticket_price"], app_tools()["current_time"], app_tools()["calculate"]]


def test_the_weights_are_those_of_the_record() -> None:
    record = json.loads((starter.PATH / "record.json").read_text())
    for name, digest in record["sha256"].items():
        assert hashlib.sha256((starter.PATH / name).read_bytes()).hexdigest() == digest, name
    weights = list(starter.PATH.glob("*.safetensors"))
    assert {w.name for w in weights} <= set(record["sha256"])
    assert all(w.stat().st_size <= 10_000_000 for w in weights)
    assert sum(w.stat().st_size for w in weights) <= 30_000_000


def test_importing_starter_is_cheap() -> None:
    code = "import starter, sys; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_a_flight_question_becomes_the_right_call(loaded: tuple[Any, Any]) -> None:
    asked = [{"role": "user", "content": "How much is a flight from Delhi to Paris?"}]
    calls = reply(loaded, asked, flight_tools())["tool_calls"]
    assert [c["function"] for c in calls] == [
        {"name": "get_ticket_price", "arguments": {"origin": "Delhi", "destination": "Paris"}}
    ]


def test_the_result_becomes_a_sentence_with_the_price(loaded: tuple[Any, Any]) -> None:
    call = {"name": "get_ticket_price", "arguments": {"origin": "Oslo", "destination": "Lima"}}
    messages = [
        {"role": "user", "content": "price of a flight from oslo to lima?"},
        {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": call}]},
        {"role": "tool", "content": json.dumps(FARE)},
    ]
    said = reply(loaded, messages, flight_tools())["content"]
    assert all(word in said for word in ("Oslo", "Lima", "947", "EUR"))


def test_it_says_what_it_is_and_where_its_limits_are(loaded: tuple[Any, Any]) -> None:
    for question in ("Who are you?", "Write a poem about the sea."):
        said = reply(loaded, [{"role": "user", "content": question}])["content"]
        assert "small built-in model of Switchboard" in said
        assert "Ollama" in said


def test_it_asks_for_the_missing_city(loaded: tuple[Any, Any]) -> None:
    asked = [{"role": "user", "content": "How much is a flight to Rome?"}]
    assert reply(loaded, asked, flight_tools())["content"] == "Which city do you want to fly from?"


def test_it_answers_from_the_passage_and_cites_it(loaded: tuple[Any, Any]) -> None:
    from starter.data.passages import INSTRUCTION

    passages = "[1] About > Acme\nAcme was founded by Ada Stone in 1998.\n\n[2] People\nLeo Hill is the CTO of Acme."
    asked = [{"role": "user", "content": f"{INSTRUCTION}\n\n{passages}\n\nQuestion: Who founded Acme?"}]
    said = reply(loaded, asked)["content"]
    assert "Ada Stone" in said
    assert "[1]" in said


def search_tools() -> list[Any]:
    from starter.cases import app_tools

    return [*flight_tools(), app_tools()["search_knowledge_base"]]


def test_a_question_for_the_company_becomes_a_search_with_its_words(loaded: tuple[Any, Any]) -> None:
    asked = [{"role": "user", "content": "How many people work in our Halmstad office?"}]
    (call,) = reply(loaded, asked, search_tools())["tool_calls"]
    assert call["function"]["name"] == "search_knowledge_base"
    assert all(word in call["function"]["arguments"]["query"] for word in ("people", "Halmstad", "office"))


def test_the_template_writes_what_was_trained_on(loaded: tuple[Any, Any]) -> None:
    from starter.data.dialogues import dialogue
    from starter.render import render

    for seed in range(40):
        made = dialogue(Random(seed))
        written = loaded[0].apply_chat_template(made["messages"], tools=made["tools"] or None, tokenize=False)
        assert written == render(made)


def test_a_name_is_the_same_tokens_wherever_it_stands(loaded: tuple[Any, Any]) -> None:
    tail = [loaded[0].tokenize(text)[-3:] for text in (" Quellmont", '"Quellmont', " quellmont", "-quellmont")]
    assert len({tuple(t) for t in tail}) == 1


def test_the_network_is_llama() -> None:
    import torch

    from starter.export import llama
    from starter.network import Network, Shape, within

    torch.manual_seed(0)
    shape = Shape(vocabulary=64, width=64, layers=2, inner=96, heads=2, kv_heads=1, context=64)
    mine = Network(shape).bfloat16().float()  # The weights that survive being stored in bf16.
    theirs = llama(dict(mine.state_dict()), shape, 0, 1).float()
    ids, documents = torch.randint(0, 64, (2, 40)), torch.zeros(2, 40, dtype=torch.int32)
    documents[:, 25:] = 1
    with torch.no_grad():
        logits = mine.logits(mine(ids, within(documents)))
        apart = torch.cat([theirs(ids[:, :25]).logits, theirs(ids[:, 25:]).logits], dim=1)
    torch.testing.assert_close(logits, apart, atol=1e-4, rtol=1e-3)


def test_the_small_training_runs_from_data_to_a_model_that_loads(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "starter.train", "--small", "--workers", "0"]
    command += ["--run", str(tmp_path / "run"), "--out", str(tmp_path / "model")]
    done = trained(command)
    losses = [float(x.split("held-out ")[1].split(",")[0]) for x in done.splitlines() if x.startswith("step ")]
    assert losses[-1] < losses[0]
    from transformers import AutoModelForCausalLM

    assert AutoModelForCausalLM.from_pretrained(tmp_path / "model").num_parameters() > 100_000
    assert "Resuming at step" in trained(command)
    assert trained_on(command, tmp_path) < losses[0]


def trained(command: list[str]) -> str:
    """What a training prints."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def trained_on(command: list[str], folder: Path) -> float:
    """The first loss of a training that starts with the finished model."""
    other = ["--start", str(folder / "model"), "--run", str(folder / "other"), "--out", str(folder / "more")]
    printed = trained([*command, *other, "--steps", "21", "--keep", "0.15"])
    record = json.loads((folder / "more" / "record.json").read_text())
    assert record["start"] == json.loads((folder / "model" / "record.json").read_text())
    return float(printed.split("held-out ")[1].split(",")[0])


def test_queries_and_keys_turn_alike_in_llama_cpp() -> None:
    """llama.cpp turns neighbouring coordinates by the angle, transformers those half a head apart."""
    import numpy as np

    from starter.to_gguf import interleaved

    rng, heads, half = np.random.default_rng(1), 3, 4
    weight, angle = rng.standard_normal((heads * 2 * half, 5)).astype(np.float32), rng.standard_normal(half)
    x = rng.standard_normal(5)
    a, b = (weight @ x).reshape(heads, 2, half).swapaxes(0, 1)
    turned = np.stack([a * np.cos(angle) - b * np.sin(angle), b * np.cos(angle) + a * np.sin(angle)], axis=-1)
    pairs = (interleaved(weight, heads) @ x).reshape(heads, half, 2)
    theirs = np.stack(
        [
            pairs[..., 0] * np.cos(angle) - pairs[..., 1] * np.sin(angle),
            pairs[..., 1] * np.cos(angle) + pairs[..., 0] * np.sin(angle),
        ],
        axis=-1,
    )
    np.testing.assert_allclose(turned, theirs, rtol=1e-5)


def test_the_gguf_file_holds_the_weights_and_the_tokens(loaded: tuple[Any, Any], tmp_path: Path) -> None:
    import numpy as np
    from gguf import GGUFReader

    from starter.to_gguf import write

    tokenizer, model = loaded
    write(starter.PATH, tmp_path / "model.gguf")
    read = GGUFReader(tmp_path / "model.gguf")
    tensors = {t.name: t.data for t in read.tensors}
    assert len(tensors) == 2 + 9 * model.config.num_hidden_layers
    embedding = model.get_input_embeddings().weight.detach().numpy()
    np.testing.assert_allclose(tensors["token_embd.weight"].astype(np.float32), embedding, atol=1e-3)
    tokens = read.fields["tokenizer.ggml.tokens"]
    assert [bytes(tokens.parts[i]).decode() for i in tokens.data[:2]] == ["<|pad|>", "<|end|>"]
    assert len(tokens.data) == len(tokenizer) == model.config.vocab_size
