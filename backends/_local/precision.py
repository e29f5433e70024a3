"""How a model is loaded: its variants as data, the number type this machine is quick in, the memory it takes."""

from __future__ import annotations

from typing import Any

from backends._local import LABEL
from backends._local.files import Files
from core.errors import BadSetting, RequestRefused
from core.machine import device, free_memory, multiplies_16_bits

# Settings of transformers' BitsAndBytesConfig. "Double" quantises the scales of the blocks as well (QLoRA, 2305.14314).
QUANTIZED: dict[str, dict[str, Any]] = {
    "int8": {"load_in_8bit": True},
    "nf4": {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"},
    "fp4": {"load_in_4bit": True, "bnb_4bit_quant_type": "fp4"},
    "nf4-double": {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True},
}
TYPES = {"bf16": "bfloat16", "fp32": "float32"}
VARIANTS = (*TYPES, *QUANTIZED)

# Memory per byte of a 16-bit file while loading: what stays in 16 bits (embeddings, norms) is in it.
_SHARE = {"int8": 0.65, "nf4": 0.45, "fp4": 0.45, "nf4-double": 0.45, "fp32": 2.0}


def split(model: str) -> tuple[str, str]:
    """ "name@variant" as name and variant, "" for as stored. Raises BadSetting for an unknown variant."""
    name, at, variant = model.rpartition("@")
    if not at or "/" in variant or "\\" in variant:
        return model, ""
    if variant not in VARIANTS:
        raise BadSetting(f"There is no variant {variant[:40]!r}. The variants are: {', '.join(VARIANTS)}.")
    return name, variant


def options(files: Files, variant: str) -> dict[str, Any]:
    """Keyword arguments for from_pretrained. Raises BadSetting where the files are quantised already."""
    import torch

    where: dict[str, Any] = {"device_map": device()}
    if not variant:
        return where | {"dtype": _stored(files)}
    if variant in TYPES:
        return where | {"dtype": getattr(torch, TYPES[variant])}
    if files.quantized:
        raise BadSetting("This model is stored in a reduced precision already. Choose it without a variant.")
    from transformers import BitsAndBytesConfig

    chosen = dict(QUANTIZED[variant])
    if "load_in_4bit" in chosen:
        chosen["bnb_4bit_compute_dtype"] = _compute()
    # What is not quantised is kept in the type that is computed in: int8 with 32-bit activations warns at each layer.
    return where | {"dtype": _compute(), "quantization_config": BitsAndBytesConfig(**chosen)}


def _compute() -> Any:
    """The 16-bit type that this machine multiplies in: bfloat16 before float16 for its range, else float32."""
    import torch

    if device() == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    return torch.bfloat16 if multiplies_16_bits() else torch.float32


def _stored(files: Files) -> Any:
    """As stored, but for 16-bit weights on a processor that cannot multiply them: it would convert at every token.

    Llama of 140 M parameters, 2 threads of an AMD EPYC with avx512_bf16, 22 November 2026: bfloat16 22 tokens/s and
    0.4 s to the first one of 300 tokens, float32 18 and 0.8 s; so with the instructions, as stored is quicker too.
    """
    return "auto" if device() != "cpu" or files.quantized or multiplies_16_bits() else _wider(files)


def _wider(files: Files) -> Any:
    import torch

    stored = files.config.get("dtype") or files.config.get("torch_dtype")
    return torch.float32 if stored in ("bfloat16", "float16") else "auto"


def check_memory(files: Files, variant: str) -> None:
    """Raise RequestRefused when the weights do not fit into the free memory."""
    needed, free = files.size * _SHARE.get(variant, 1.0), free_memory()
    if needed > free:
        smaller = next((v for v in ("int8", "nf4") if files.size * _SHARE[v] < free), "")
        remedy = f"Choose {files.name}@{smaller}, or a smaller model." if smaller else "Choose a smaller model."
        gigabytes = f"{needed / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are free"
        raise RequestRefused(LABEL, remedy, f"The model needs about {gigabytes}.")
