"""Train the built-in model: `python -m starter.train`. One command, one seed; a killed run goes on where it stopped.

On one data-centre GPU minutes, on a CPU with `--small` about one. Progress, loss and held-out accuracy are printed.
"""

import argparse
import json
import os
import shutil
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # As everyone writes it.
from tqdm import tqdm

from starter import PATH
from starter.batches import HELD_OUT, Batch, Packing, batches, make_batch, texts
from starter.export import kept, llama, write_record
from starter.network import Network, Shape, within
from starter.tokenizer import END, PAD, save_tokenizer, token_id, train_tokenizer

SMALL: dict[str, Any] = {
    "width": 128,
    "layers": 2,
    "inner": 256,
    "heads": 2,
    "kv_heads": 1,
    "rows": 4,
    "length": 1024,
    "steps": 60,
    "vocabulary": 2048,
}


def options() -> argparse.Namespace:
    """What the command line asks for."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--out", type=Path, default=PATH, help="folder for the finished model")
    p.add_argument("--run", type=Path, default=Path(__file__).parent / "runs" / "latest", help="folder for checkpoints")
    p.add_argument("--start", type=Path, help="train on from this finished model, with its tokenizer")
    p.add_argument("--small", action="store_true", help="a reduced form for a CPU, to try the whole path")
    p.add_argument(
        "--minutes", type=float, default=60.0, help="end earlier, with the learning rate brought down in time"
    )
    p.add_argument(
        "--pause", type=float, default=0.0, help="stop with a checkpoint after so many minutes of this start; 0: never"
    )
    p.add_argument("--commit", default="", help="for the record: the commit of the code that trains")
    numbers = {"steps": 16000, "seed": 1, "rows": 32, "length": 4096, "vocabulary": 4096, "width": 384, "layers": 8}
    numbers |= {"inner": 1024, "heads": 6, "kv_heads": 2, "workers": max(0, (os.cpu_count() or 1) - 1)}
    for name, value in numbers.items():
        p.add_argument(f"--{name.replace('_', '-')}", type=int, default=value)
    p.add_argument("--rate", type=float, default=0.02, help="learning rate of the matrices")
    p.add_argument("--keep", type=float, default=0.0, help="share of the --start weights in the mean that is saved")
    p.add_argument("--vector-rate", type=float, default=0.002, help="learning rate of embedding and norms")
    given = p.parse_args()
    if given.small:
        for name, value in SMALL.items():
            setattr(given, name, value)
    given.context = given.length if given.small else 4096
    return given


def make_tokenizer(o: argparse.Namespace) -> Path:
    """Train the tokenizer on generated text, unless this run has one already or starts with a model's."""
    folder: Path = o.run / "tokenizer"
    if o.start:
        save_tokenizer(Tokenizer.from_file(str(o.start / "tokenizer.json")), folder, o.context)
    elif not (folder / "tokenizer.json").exists():
        parts, count = (2, 300) if o.small else (16, 1500)
        with ProcessPoolExecutor(max(1, min(o.workers, parts)), get_context("spawn")) as pool:
            made = [t for part in pool.map(partial(texts, o.seed, count=count), range(parts)) for t in part]
        save_tokenizer(train_tokenizer(made, o.vocabulary), folder, o.context)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    return folder / "tokenizer.json"


def optimizers(net: Network, o: argparse.Namespace) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the layers, AdamW for the embedding and the norms."""
    matrices = [p for p in net.layers.parameters() if p.ndim == 2]
    vectors = [p for p in net.parameters() if p.ndim < 2 or p is net.embed_tokens.weight]
    return [
        torch.optim.Muon(matrices, lr=o.rate, momentum=0.95, weight_decay=0.05),
        torch.optim.AdamW(vectors, lr=o.vector_rate, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def scale(progress: float, step: int) -> float:
    """Learning rate as a share of its peak: up over 100 steps, level, and down over the last two thirds to nothing."""
    return min(1.0, (step + 1) / 100, (1.0 - progress) / 0.67)


def tensors(batch: Batch, device: str) -> tuple[Tensor, Tensor, Tensor]:
    """The batch on the device: ids, documents, and which tokens are spoken."""
    arrays = (batch.tokens.astype("int64"), batch.documents.astype("int32"), batch.spoken)
    ids, documents, spoken = (torch.from_numpy(a).to(device, non_blocking=True) for a in arrays)
    return ids, documents, spoken


def hits_and_loss(net: Network, batch: Batch, device: str) -> tuple[Tensor, Tensor, Tensor]:
    """Mean loss on the spoken tokens, whether each was the most likely one, and which turn it belongs to."""
    ids, documents, spoken = tensors(batch, device)
    with torch.autocast("cuda", torch.bfloat16, enabled=device == "cuda"):
        hidden = net(ids, within(documents))
        chosen = spoken[:, 1:].reshape(-1).nonzero().squeeze(1)
        logits = net.logits(hidden[:, :-1].flatten(0, 1)[chosen])
    targets = ids[:, 1:].reshape(-1)[chosen]
    starts = (spoken[:, 1:] & ~spoken[:, :-1]).reshape(-1).cumsum(0)[chosen]
    return F.cross_entropy(logits, targets), logits.detach().argmax(-1) == targets, starts


def held_out(net: Network, measured: list[Batch], device: str) -> tuple[float, float]:
    """Loss, and the share of whole assistant turns whose every token comes first; on dialogues never trained on.

    Gradients stay on, though none is taken: without them the network would be compiled a second time.
    """
    losses, right, turns = 0.0, 0, 0
    for batch in measured:
        loss, hits, turn = hits_and_loss(net, batch, device)
        wrong = torch.zeros(int(turn.max()) + 1, dtype=torch.bool, device=hits.device)
        wrong[turn[~hits]] = True
        losses += float(loss.detach()) / len(measured)
        turns += int(turn.max())
        right += int(turn.max()) - int(wrong.sum())
    return losses, right / turns


def save_checkpoint(path: Path, step: int, elapsed: float, net: Network, opts: list[torch.optim.Optimizer]) -> None:
    """Written aside and then renamed, so that a kill leaves the old one or the new one, never half of one."""
    state = {"step": step, "elapsed": elapsed, "net": net.state_dict(), "opts": [opt.state_dict() for opt in opts]}
    torch.save(state, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


def load_checkpoint(path: Path, net: Network, opts: list[torch.optim.Optimizer]) -> tuple[int, float]:
    """The step to go on with, and the seconds spent so far."""
    if not path.exists():
        return 0, 0.0
    state = torch.load(path, weights_only=True)
    net.load_state_dict(state["net"])
    for opt, saved in zip(opts, state["opts"], strict=True):
        opt.load_state_dict(saved)
    print(f"Resuming at step {state['step']}")
    return state["step"], state["elapsed"]


def update(net: Network, opts: list[torch.optim.Optimizer], loss: Tensor, share: float) -> None:
    """One step of every optimizer, at `share` of its peak rate."""
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    for opt in opts:
        for group in opt.param_groups:
            group["lr"] = group.setdefault("peak", group["lr"]) * share
        opt.step()
        opt.zero_grad(set_to_none=True)


def learn(net: Network, o: argparse.Namespace, packing: Packing, device: str) -> dict[str, Any]:
    """The training loop. Returns what the record should say of it."""
    opts, checkpoint = optimizers(net, o), o.run / "checkpoint.pt"
    first, before = load_checkpoint(checkpoint, net, opts)
    if device == "cuda":
        for (
            layer
        ) in net.layers:  # All layers share one compiled graph, which is ready much sooner than one of them all.
            layer.compile()
    measured = [make_batch(packing, HELD_OUT + i) for i in range(2)]
    begun, saved, running, accuracy = time.time() - before, time.time(), 0.0, 0.0
    pause = time.time() + 60 * o.pause if o.pause else float("inf")
    bar = tqdm(
        batches(packing, first, o.steps, o.workers), total=o.steps, initial=first, mininterval=10, smoothing=0.05
    )
    step = first
    for step, batch in enumerate(bar, first):
        progress = max(step / o.steps, (time.time() - begun) / (60 * o.minutes))
        if progress >= 1:
            break
        loss, _, _ = hits_and_loss(net, batch, device)
        update(net, opts, loss, scale(progress, step))
        if step % 25 == 0:
            running = loss.item() if step == first else 0.7 * running + 0.3 * loss.item()
            bar.set_postfix(loss=f"{running:.4f}", held_out=f"{accuracy:.3f}", refresh=False)
        if step and step % max(20, o.steps // 20) == 0:
            loss_out, accuracy = held_out(net, measured, device)
            now = f"step {step}  {time.time() - begun:.0f} s  loss {running:.4f}"
            tqdm.write(f"{now}  held-out {loss_out:.4f}, whole turns {accuracy:.4f}")
        if time.time() - saved > 120 or time.time() > pause:
            save_checkpoint(checkpoint, step + 1, time.time() - begun, net, opts)
            saved = time.time()
        if time.time() > pause:
            raise SystemExit(f"Paused after step {step}. The same command goes on from here.")
    loss_out, accuracy = held_out(net, measured, device)
    save_checkpoint(checkpoint, step + 1, time.time() - begun, net, opts)
    print(f"done: held-out loss {loss_out:.4f}, whole turns {accuracy:.4f}")
    return {
        "steps": step + 1,
        "tokens": (step + 1) * o.rows * o.length,
        "minutes": round((time.time() - begun) / 60, 1),
        "held_out_turns": round(accuracy, 4),
    }


def mean(net: Network, o: argparse.Namespace) -> dict[str, Tensor]:
    """The weights, and among them `keep` of those that the training started with: less of what they knew is lost."""
    after = dict(net.state_dict())
    if not o.start or not o.keep:
        return after
    before = kept(o.start)
    return {name: tensor.float().lerp(before[name].to(tensor.device).float(), o.keep) for name, tensor in after.items()}


def main() -> None:
    """Tokenizer, training, export, record."""
    o = options()
    o.run.mkdir(parents=True, exist_ok=True)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(o.seed)
    torch.set_float32_matmul_precision("high")
    tokenizer = make_tokenizer(o)
    shape = Shape(o.vocabulary, o.width, o.layers, o.inner, o.heads, o.kv_heads, o.context)
    net = Network(shape, torch.bfloat16 if device == "cuda" else torch.float32).to(device)
    if o.start:
        net.load_state_dict(kept(o.start))
    print(f"{sum(p.numel() for p in net.parameters()) / 1e6:.1f} M parameters on {device}, {o.workers} workers")
    facts = learn(net, o, Packing(tokenizer, o.seed, o.rows, o.length), device)
    tok = Tokenizer.from_file(str(tokenizer))
    pad, end = token_id(tok, PAD), token_id(tok, END)
    llama(mean(net, o), shape, pad, end).save_pretrained(o.out, max_shard_size="9MB")
    for file in tokenizer.parent.iterdir():
        shutil.copy(file, o.out)
    machine = torch.cuda.get_device_name() if device == "cuda" else "CPU"
    parameters = sum(p.numel() for p in net.parameters())
    about = {
        "commit": o.commit,
        "seed": o.seed,
        "device": machine,
        "torch": torch.__version__,
        "parameters": parameters,
    }
    before = {"keep": o.keep, "start": json.loads((o.start / "record.json").read_text())} if o.start else {}
    write_record(o.out, {**about, **facts, **before})
    print(f"saved to {o.out}")


if __name__ == "__main__":
    main()
