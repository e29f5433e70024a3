"""From trained weights to a folder that transformers loads: config, sharded bf16 safetensors, tokenizer, record."""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from starter.network import Shape

HERE = Path(__file__).parent


def llama_config(s: Shape, pad: int, end: int) -> Any:
    """The shape as transformers describes it."""
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=s.vocabulary,
        hidden_size=s.width,
        intermediate_size=s.inner,
        num_hidden_layers=s.layers,
        num_attention_heads=s.heads,
        num_key_value_heads=s.kv_heads,
        head_dim=s.head,
        max_position_embeddings=s.context,
        rope_parameters={"rope_type": "default", "rope_theta": s.theta},
        rms_norm_eps=1e-6,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=pad,
        dtype="bfloat16",
    )


def llama(weights: dict[str, Tensor], s: Shape, pad: int, end: int) -> Any:
    """The weights as transformers' LlamaForCausalLM, in bf16."""
    from transformers import GenerationConfig, LlamaForCausalLM

    model = LlamaForCausalLM(llama_config(s, pad, end))
    named = {f"model.{k}": v.detach().float().cpu() for k, v in weights.items()}
    missing, unexpected = model.load_state_dict(named, strict=False)
    if unexpected or not set(missing) <= {"lm_head.weight"}:
        raise ValueError(f"Names differ from transformers': missing {missing}, unexpected {unexpected}.")
    model.tie_weights()
    model.generation_config = GenerationConfig(do_sample=False, max_new_tokens=512, eos_token_id=end, pad_token_id=pad)
    return model.to(torch.bfloat16).eval()


def kept(folder: Path) -> dict[str, Tensor]:
    """The weights of such a folder by the names that the network has for them."""
    from safetensors.torch import load_file

    parts = [load_file(path) for path in sorted(folder.glob("*.safetensors"))]
    return {name.removeprefix("model."): tensor for part in parts for name, tensor in part.items()}


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def code_digest() -> str:
    """One hash over everything that decides the weights: code, forms, word lists, template."""
    files = [
        p
        for p in sorted(HERE.rglob("*"))
        if p.suffix in (".py", ".txt", ".jinja") and not {"model", "runs"} & set(p.relative_to(HERE).parts)
    ]
    joined = hashlib.sha256()
    for p in files:
        joined.update(p.relative_to(HERE).as_posix().encode() + b"\0" + p.read_bytes())
    return joined.hexdigest()


def write_record(folder: Path, facts: dict[str, Any]) -> None:
    """record.json: what made these weights, and the hash of each file of them."""
    files = {
        p.name: digest(p)
        for p in sorted(folder.glob("*"))
        if p.suffix in (".safetensors", ".json") and p.name != "record.json"
    }
    (folder / "record.json").write_text(
        json.dumps({**facts, "code_sha256": code_digest(), "sha256": files}, indent=2) + "\n"
    )
