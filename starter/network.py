"""The network as it is trained: Llama's arithmetic and Llama's parameter names, and nothing about files or data.

Written out here, rather than taken from transformers, so that documents packed into one row can be kept apart by a
block mask in one compiled graph. `tests/test_starter.py` holds it to transformers' own LlamaForCausalLM.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  # As everyone writes it.
from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention

Mask = Tensor | BlockMask


@dataclass(frozen=True)
class Shape:
    """Sizes of the network. `heads * 64` is the width of the queries, `kv_heads * 64` that of keys and values."""

    vocabulary: int
    width: int = 384
    layers: int = 6
    inner: int = 1024
    heads: int = 6
    kv_heads: int = 2
    context: int = 4096
    theta: float = 10_000.0
    head: int = 64


class Norm(nn.Module):
    """Root mean square norm."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, (x.shape[-1],), self.weight.to(x.dtype), 1e-6)


class Attention(nn.Module):
    """Grouped-query attention with rotary positions."""

    def __init__(self, s: Shape) -> None:
        super().__init__()
        self.head = s.head
        self.q_proj = nn.Linear(s.width, s.heads * s.head, bias=False)
        self.k_proj = nn.Linear(s.width, s.kv_heads * s.head, bias=False)
        self.v_proj = nn.Linear(s.width, s.kv_heads * s.head, bias=False)
        self.o_proj = nn.Linear(s.heads * s.head, s.width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Mask) -> Tensor:
        q, k, v = (p(x).unflatten(-1, (-1, self.head)).transpose(1, 2) for p in (self.q_proj, self.k_proj, self.v_proj))
        mixed = attend(rotate(q, cos, sin), rotate(k, cos, sin), v, mask)
        out: Tensor = self.o_proj(mixed.transpose(1, 2).flatten(-2))
        return out


class Gated(nn.Module):
    """The gated feed-forward block (SwiGLU)."""

    def __init__(self, s: Shape) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(s.width, s.inner, bias=False)
        self.up_proj = nn.Linear(s.width, s.inner, bias=False)
        self.down_proj = nn.Linear(s.inner, s.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))
        return out


class Layer(nn.Module):
    """Attention and feed-forward, each added to what passes by."""

    def __init__(self, s: Shape) -> None:
        super().__init__()
        self.input_layernorm, self.self_attn = Norm(s.width), Attention(s)
        self.post_attention_layernorm, self.mlp = Norm(s.width), Gated(s)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Mask) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, mask)
        out: Tensor = x + self.mlp(self.post_attention_layernorm(x))
        return out


class Network(nn.Module):
    """Token ids (rows, length) to hidden states (rows, length, width); `logits` reads those with the tied embedding."""

    cos: Tensor
    sin: Tensor

    def __init__(self, s: Shape, compute: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.shape, self.compute = s, compute
        self.embed_tokens = nn.Embedding(s.vocabulary, s.width)
        self.layers = nn.ModuleList(Layer(s) for _ in range(s.layers))
        self.norm = Norm(s.width)
        angles = torch.outer(torch.arange(s.context).float(), s.theta ** (-torch.arange(0, s.head, 2).float() / s.head))
        self.register_buffer("cos", angles.repeat(1, 2).cos(), persistent=False)
        self.register_buffer("sin", angles.repeat(1, 2).sin(), persistent=False)
        self.apply(self._start)

    def _start(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)
        for name, weight in module.named_parameters(recurse=False):
            if isinstance(module, Attention | Gated) and name.startswith(("o_proj", "down_proj")):
                weight.data.div_((2 * self.shape.layers) ** 0.5)

    def forward(self, ids: Tensor, mask: Mask) -> Tensor:
        x = self.embed_tokens(ids).to(self.compute)
        cos, sin = (t[: ids.shape[1]].to(x.dtype) for t in (self.cos, self.sin))
        for layer in self.layers:
            x = layer(x, cos, sin, mask)
        out: Tensor = self.norm(x)
        return out

    def logits(self, hidden: Tensor) -> Tensor:
        return F.linear(hidden, self.embed_tokens.weight.to(hidden.dtype)).float()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary position: pairs of coordinates (i, i + half) turned by an angle that grows with the position."""
    a, b = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-b, a), dim=-1) * sin


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Mask) -> Tensor:
    """Scaled dot-product attention under either kind of mask."""
    if isinstance(mask, Tensor):
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, enable_gqa=True)
    mixed: Tensor = flex_attention(q, k, v, block_mask=mask, enable_gqa=True)
    return mixed


@cache
def block_mask_maker() -> Any:
    """The maker of block masks, compiled once."""
    return torch.compile(create_block_mask)


def within(documents: Tensor) -> Mask:
    """Causal attention inside each document. `documents` (rows, length) numbers the document of every token."""
    if not documents.is_cuda:
        return (documents[:, None, :, None] == documents[:, None, None, :]).tril()

    def visible(row: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return (query >= key) & (documents[row, query] == documents[row, key])

    rows, length = documents.shape
    mask: BlockMask = block_mask_maker()(visible, rows, None, length, length, device=documents.device)
    return mask
