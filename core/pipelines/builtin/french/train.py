"""Train the model for English and French: `python -m core.pipelines.builtin.french.train`, minutes on one GPU.

A Marian of few layers, both directions in one, told by a mark. The learning rate follows the clock, so any machine ends
in time. What is kept is the mean of the weights over the last third or the last ones, whichever is better on the
tenth of the hand-written pairs that is kept back. measure.py says how good it is.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from core.pipelines.builtin.french import data
from core.pipelines.builtin.french.batches import batches, rows, stream
from core.pipelines.builtin.french.network import SMALL, Recipe, network, tokenizer

OUT = data.FOLDER / "model"
_SHARD = "9500KB"  # A file of the weights at most.


def loss_of(model: Any, batch: tuple[Any, Any], smoothing: float) -> Any:
    """The mean loss of a token."""
    import torch

    device = model.device.type
    read, wanted = (torch.from_numpy(array).to(device, non_blocking=True) for array in batch)
    padding = model.config.pad_token_id
    before = wanted.roll(1, 1)
    before[:, 0] = padding
    with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
        found = model(
            input_ids=read,
            attention_mask=(read != padding).long(),
            decoder_input_ids=before.masked_fill(before == -100, padding),
        ).logits
    return torch.nn.functional.cross_entropy(found.float().flatten(0, 1), wanted.flatten(), label_smoothing=smoothing)


def trained(model: Any, source: Iterator[Any], held: list[Any], recipe: Recipe, minutes: float) -> Any:
    """The model, trained for so long."""
    import torch

    weights: list[Any] = list(model.parameters())
    groups: list[dict[str, Any]] = [
        {"params": [weight for weight in weights if weight.ndim > 1], "weight_decay": 0.02},
        {"params": [weight for weight in weights if weight.ndim < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.98), fused=model.device.type == "cuda")
    mean, taken, step, told = [weight.detach().clone() for weight in weights], 0, 0, 0.0
    began = time.monotonic()
    model.train()
    while (share := (time.monotonic() - began) / (60 * minutes)) < 1:
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate * min((step + 1) / recipe.warming, (1 + math.cos(math.pi * share)) / 2)
        value = loss_of(model, next(source), 0.1)
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        step += 1
        if share >= 1 - recipe.averaged and step % 10 == 0:
            taken += 1
            with torch.no_grad():
                torch._foreach_lerp_(mean, weights, 1 / taken)
        if share >= told:
            told += 0.04
            print(
                f"{share:4.0%}  step {step:6d}  loss {value.item():.4f}  kept back {tested(model, held):.4f}",
                flush=True,
            )
    return _better(model, weights, mean, held) if taken else model


def tested(model: Any, held: list[Any]) -> float:
    """The loss on the pairs that are kept back."""
    import torch

    model.eval()
    with torch.inference_mode():
        found = sum(loss_of(model, batch, 0.0).item() * (batch[1] != -100).sum() for batch in held)
    model.train()
    return float(found / sum((batch[1] != -100).sum() for batch in held))


def _better(model: Any, weights: list[Any], mean: list[Any], held: list[Any]) -> Any:
    """The model with the mean of its weights or the last ones, whichever does better on what is kept back."""
    import torch

    last, losses = [weight.detach().clone() for weight in weights], []
    for chosen in (last, mean):
        with torch.no_grad():
            torch._foreach_copy_(weights, chosen)
        losses.append(tested(model, held))
    print(f"kept back: last {losses[0]:.4f}, mean {losses[1]:.4f}", flush=True)
    if losses[0] < losses[1]:
        with torch.no_grad():
            torch._foreach_copy_(weights, last)
    return model


def _read(folder: Path, recipe: Recipe) -> Any:
    """A finished model, to be trained on."""
    import torch
    from transformers import MarianMTModel

    return MarianMTModel.from_pretrained(folder, dtype=torch.float32, dropout=recipe.dropout)


def learnt(folder: Path, recipe: Recipe, minutes: float, workers: int, commit: str, start: Path | None) -> None:
    """Train a model into `folder`, on from the one in `start` if there is one, and note how."""
    import torch

    began = time.monotonic()
    random.seed(recipe.seed)
    torch.manual_seed(recipe.seed)
    torch.set_float32_matmul_precision("high")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    before: dict[str, Any] = {}
    if start:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("source.spm", "target.spm", "vocab.json", "tokenizer_config.json"):
            shutil.copy(start / name, folder)
        before = {"start": json.loads((start / "record.json").read_text("utf-8"))}
    pieces = tokenizer(folder, recipe)
    source = stream(folder, recipe, workers)
    first = next(source)
    held = data.held()
    tests = list(batches(pieces, [row for pair in held for row in rows(pieces, (pair, pair), None)], 16_000))
    model = _read(start, recipe) if start else network(pieces.get_piece_size() + 3, recipe)
    model.to(device)
    count = sum(weight.numel() for weight in model.parameters())
    shapes = [tuple(array.shape) for array in first]
    print(f"{count:,} weights, {len(held)} pairs kept back, {time.monotonic() - began:.0f} s, {shapes}", flush=True)
    trained(model, source, tests, recipe, minutes)
    model.eval().half().to("cpu").save_pretrained(folder, max_shard_size=_SHARD)
    name = torch.cuda.get_device_name() if device == "cuda" else "CPU"
    record = asdict(recipe) | {"commit": commit, "device": name, "minutes": minutes, "weights": count} | before
    (folder / "record.json").write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    print(f"saved after {time.monotonic() - began:.0f} s", flush=True)


def main() -> None:
    """Train and save."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--minutes", type=float, default=8.0, help="for the training itself")
    arguments.add_argument("--out", type=Path, default=OUT)
    arguments.add_argument("--workers", type=int, default=0, help="processes that make sentences; 0: none beside this")
    arguments.add_argument("--start", type=Path, help="train on from this finished model, with its pieces")
    arguments.add_argument("--rate", type=float, help="of learning, at its highest")
    arguments.add_argument("--share", type=float, help="of hand-written pairs")
    arguments.add_argument("--commit", default="", help="which state of the sources this is, for the record")
    arguments.add_argument("--small", action="store_true", help="a tiny one, to see that everything runs")
    given = arguments.parse_args()
    recipe = SMALL if given.small else Recipe()
    recipe = replace(recipe, share=given.share or recipe.share, rate=given.rate or recipe.rate)
    learnt(given.out, recipe, given.minutes, given.workers, given.commit, given.start)


if __name__ == "__main__":
    main()
