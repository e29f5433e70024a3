"""The built-in model as one GGUF file for llama.cpp: `python -m starter.to_gguf OUT [--model DIR]`. Needs `gguf`.

llama.cpp knows how a tokenizer splits text by its name only, and none of its names splits as ours does: "llama-bpe"
comes nearest, and one token in a hundred differs. That is enough to spoil tool calls. Send the server the token ids of
our own tokenizer, which it takes in place of a prompt: the answers are then those of transformers.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from starter import PATH

NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def renamed(name: str) -> str:
    """transformers' name of a tensor as llama.cpp's."""
    if name == "model.embed_tokens.weight":
        return "token_embd.weight"
    if name == "model.norm.weight":
        return "output_norm.weight"
    _, _, layer, inner = name.removesuffix(".weight").split(".", 3)
    return f"blk.{layer}.{NAMES[inner]}.weight"


def interleaved(weight: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """Rows of a query or key matrix in llama.cpp's order: it turns neighbouring coordinates, transformers halves."""
    rows, columns = weight.shape
    halves = weight.reshape(heads, 2, rows // heads // 2, columns)
    return halves.swapaxes(1, 2).reshape(rows, columns)


def weights(folder: Path, config: dict[str, Any]) -> dict[str, NDArray[np.float32]]:
    """Every tensor under llama.cpp's name, in float32."""
    from safetensors.torch import load_file

    heads = {"attn_q": config["num_attention_heads"], "attn_k": config["num_key_value_heads"]}
    found = {}
    for file in sorted(folder.glob("*.safetensors")):
        for name, tensor in load_file(file).items():
            new, array = renamed(name), tensor.float().numpy()
            count = next((n for part, n in heads.items() if f".{part}." in new), 0)
            found[new] = interleaved(array, count) if count else array
    return found


def add_tokenizer(writer: Any, folder: Path, end: int, pad: int) -> None:
    """Tokens, their kinds, merges and the chat template."""
    from gguf import TokenType

    made = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    vocabulary = made["model"]["vocab"] | {t["content"]: t["id"] for t in made["added_tokens"]}
    kinds = {t["id"]: TokenType.CONTROL if t["special"] else TokenType.USER_DEFINED for t in made["added_tokens"]}
    tokens = sorted(vocabulary, key=lambda token: vocabulary[token])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama-bpe")
    writer.add_token_list(tokens)
    writer.add_token_types([kinds.get(i, TokenType.NORMAL) for i in range(len(tokens))])
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in made["model"]["merges"]])
    writer.add_eos_token_id(end)
    writer.add_pad_token_id(pad)
    writer.add_add_bos_token(False)
    writer.add_chat_template((folder / "chat_template.jinja").read_text(encoding="utf-8"))


def write(folder: Path, out: Path) -> None:
    """The model in `folder` as the file `out`: matrices in f16, norms in f32."""
    from gguf import GGUFWriter

    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    writer = GGUFWriter(out, "llama")
    writer.add_name("Switchboard starter")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_dimension_count(config["head_dim"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    add_tokenizer(writer, folder, config["eos_token_id"], config["pad_token_id"])
    for name, array in weights(folder, config).items():
        writer.add_tensor(name, array.astype(np.float16) if array.ndim > 1 else array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    """Write the file."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("out", type=Path)
    p.add_argument("--model", type=Path, default=PATH)
    given = p.parse_args()
    write(given.model, given.out)
    print(f"wrote {given.out}, {given.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
