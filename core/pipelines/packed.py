"""Matrices of an encoder in the order in which the processor multiplies them, put so once instead of at every batch."""

from __future__ import annotations

import platform
from functools import partial
from typing import Any

# Encoders whose every matrix is used through its module, and nowhere else.
_KNOWN = frozenset(("bert", "camembert", "distilbert", "electra", "roberta", "xlm-roberta"))


def pack(model: Any, rows: int) -> None:
    """Have a model's matrices multiplied by oneDNN in its own order, where that is known to do; in place.

    `rows`, the tokens of a batch, is what the order is best for; any number can be multiplied.

    It is what `torch.compile` would have the processor do after half a minute of compiling. The model's own matrices
    are let go, so it takes no more memory than before, and keeps their shapes.
    """
    import torch

    if model.config.model_type not in _KNOWN or not _can():
        return
    plain = ("cpu", torch.float32)
    for module in model.modules():
        if type(module) is torch.nn.Linear and (module.weight.device.type, module.weight.dtype) == plain:
            _pack(module, rows)


def _can() -> bool:
    """Whether this processor and this torch have what it takes."""
    import torch

    has = all(hasattr(torch.ops.mkldnn, name) for name in ("_reorder_linear_weight", "_linear_pointwise"))
    known = platform.machine().lower() in ("x86_64", "amd64")
    return has and known and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]


def _pack(linear: Any, rows: int) -> None:
    import torch

    ordered = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), rows)
    linear.forward = partial(_multiplied, ordered, linear.bias)
    linear.weight = torch.nn.Parameter(torch.empty_like(linear.weight, device="meta"), requires_grad=False)


def _multiplied(ordered: Any, bias: Any, rows: Any) -> Any:
    import torch

    return torch.ops.mkldnn._linear_pointwise(rows, ordered, bias, "none", [], "")
