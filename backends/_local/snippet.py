"""An answer as a program with transformers."""

from __future__ import annotations

from typing import Any

from backends._local.precision import QUANTIZED, TYPES, split
from backends._local.request import LONGEST
from core.llm import Sampling
from core.snippets import call, literal

_DRAWS = ("temperature", "top_k", "top_p", "min_p")

_FRAME = """from transformers import {imports}

name = {name}
tokenizer = AutoTokenizer.from_pretrained(name)
model = AutoModelForCausalLM.from_pretrained(name, {loading})
{seed}prompt = tokenizer.apply_chat_template(
    [{{"role": "user", "content": {prompt}}}],
    add_generation_prompt=True,
    return_tensors="pt",
    return_dict=True,
)
{asking}
print(tokenizer.decode(answer[0, prompt["input_ids"].shape[1]:], skip_special_tokens=True))
"""


def snippet(model: str, prompt: str, sampling: Sampling) -> str:
    """The program. Its chance is torch's, the app's another: the same seed gives other, equally likely, answers."""
    name, variant = split(model)
    imports = ["AutoModelForCausalLM", "AutoTokenizer"]
    imports += ["BitsAndBytesConfig"] if variant in QUANTIZED else []
    imports += ["set_seed"] if sampling.seed is not None else []
    return _FRAME.format(
        imports=", ".join(imports),
        name=literal("starter/model" if name == "starter" else name),
        loading=_loading(variant),
        seed="" if sampling.seed is None else f"set_seed({sampling.seed})\n",
        prompt=literal(prompt),
        asking=call("answer = model.generate", _arguments(sampling), "**prompt", *_reader(sampling)),
    )


def _loading(variant: str) -> str:
    if variant not in QUANTIZED:
        return f"dtype={literal(TYPES.get(variant, 'auto'))}"
    settings = ", ".join(f"{key}={literal(value)}" for key, value in QUANTIZED[variant].items())
    return f"quantization_config=BitsAndBytesConfig({settings})"


def _arguments(sampling: Sampling) -> dict[str, Any]:
    """Transformers takes a temperature of 0 as a mistake: the likeliest token is asked for in another way."""
    given: dict[str, Any] = {"max_new_tokens": sampling.max_tokens or LONGEST}
    if sampling.repetition_penalty is not None:
        given["repetition_penalty"] = sampling.repetition_penalty
    draws = {name: value for name in _DRAWS if (value := getattr(sampling, name)) is not None}
    if sampling.temperature == 0:
        given["do_sample"] = False
    elif draws:
        given |= {"do_sample": True, **draws}
    if sampling.stop:
        given["stop_strings"] = sampling.stop
    return given


def _reader(sampling: Sampling) -> list[str]:
    """To find stop texts, `generate` must be able to read its tokens."""
    return ["tokenizer=tokenizer"] if sampling.stop else []
