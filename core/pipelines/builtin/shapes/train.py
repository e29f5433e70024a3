"""Train the shapes model from nothing: `python -m core.pipelines.builtin.shapes.train`, about 5 minutes on one H100.

First the autoencoder, then text encoder and UNet together. How long each takes is given in seconds, and the learning
rate follows the clock, so any machine ends in time: `--seconds 90 180`.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from core.pipelines.builtin.shapes import networks
from core.pipelines.builtin.shapes.draw import drawn
from core.pipelines.builtin.shapes.judge import wrong
from core.pipelines.builtin.shapes.scenes import Request, Scene, request, scene, wording

OUT = Path(__file__).parent / "model"
_UNCONDITIONED = 0.1  # How often the text is left out, so that guidance has something to compare with.
_EMA = 0.999


def held_out(wanted: Request) -> bool:
    """Whether a request is kept for the evaluation: its wording, colours and shapes never meet in training."""
    key = f"{wanted.shape} {wanted.colour} {wanted.ground} {wanted.count} {wanted.relation} {wanted.second}"
    return zlib.crc32(key.encode()) % 20 == 0


def examples(seed: int, count: int) -> list[tuple[Scene, str]]:
    """Scenes with the words that ask for them."""
    chance, found = random.Random(seed), list[tuple[Scene, str]]()
    while len(found) < count:
        wanted = request(chance)
        if not held_out(wanted):
            found.append((scene(wanted, chance), wording(wanted, chance)))
    return found


def _chunk(job: tuple[int, int]) -> list[tuple[Scene, str]]:
    return examples(*job)


def gathered(count: int) -> list[tuple[Scene, str]]:
    """Many examples, made by all processors."""
    jobs = [(seed, min(5000, count)) for seed in range(max(1, count // 5000))]
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        return [example for chunk in pool.map(_chunk, jobs) for example in chunk]


# --- training ---------------------------------------------------------------------------------------------------------


def clock(seconds: float, optimizer: Any, rate: float) -> Iterator[int]:
    """Step numbers until the time is over; the learning rate rises for a twentieth of it, then falls as a cosine."""
    import math

    started, step = time.monotonic(), 0
    while (share := (time.monotonic() - started) / seconds) < 1:
        for group in optimizer.param_groups:
            group["lr"] = rate * min(share * 20 + 0.01, (1 + math.cos(math.pi * share)) / 2)
        yield step
        step += 1


def train_vae(vae: Any, pool: list[tuple[Scene, str]], seconds: float, batch: int, device: str) -> None:
    """Learn to write pictures as latents and to read them again."""
    import torch
    from torch.nn.functional import l1_loss, mse_loss

    optimizer = torch.optim.AdamW(vae.parameters(), lr=0.0, weight_decay=0.01)
    for step in clock(seconds, optimizer, 2e-3):
        start = step * batch % (len(pool) - batch)
        pictures = drawn([scene for scene, _ in pool[start : start + batch]], device)
        with torch.autocast(device, torch.bfloat16):
            latents = vae.encode(pictures).latent_dist
            again = vae.decode(latents.sample()).sample.float()
        loss = l1_loss(again, pictures) + mse_loss(again, pictures) + 1e-5 * latents.kl().float().mean() / 1024
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimizer.step()
        if step % 200 == 0:
            print(f"autoencoder {step:5d}  loss {loss.item():.4f}", flush=True)


def latents_of(vae: Any, pool: list[tuple[Scene, str]], batch: int, device: str) -> Any:
    """The pool as latents of standard deviation 1, which is noted in the autoencoder's settings."""
    import torch

    found = []
    with torch.inference_mode(), torch.autocast(device, torch.bfloat16):
        for start in range(0, len(pool), batch):
            pictures = drawn([scene for scene, _ in pool[start : start + batch]], device)
            found.append(vae.encode(pictures).latent_dist.mean.half())
    latents = torch.cat(found)
    vae.register_to_config(scaling_factor=1 / latents[:2000].float().std().item())
    return latents * vae.config.scaling_factor


def train_unet(parts: dict[str, Any], latents: Any, ids: Any, seconds: float, batch: int, device: str) -> None:
    """Learn to take noise away under the guidance of words."""
    import torch

    unet, encoder, noising = parts["unet"], parts["text_encoder"], parts["scheduler"]
    weights = [*unet.parameters(), *encoder.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=0.0, weight_decay=0.01, betas=(0.9, 0.99), fused=device == "cuda")
    average = [weight.detach().clone() for weight in weights]
    nothing = parts["tokenizer"]("", padding="max_length", return_tensors="pt").input_ids.to(device)
    for step in clock(seconds, optimizer, 1e-3):
        rows = torch.randint(len(latents), (batch,), device=device)
        words = torch.where(torch.rand(batch, 1, device=device) < _UNCONDITIONED, nothing, ids[rows])
        clean = latents[rows].float()
        noise, when = torch.randn_like(clean), torch.randint(1000, (batch,), device=device)
        with torch.autocast(device, torch.bfloat16):
            said = unet(noising.add_noise(clean, noise, when), when, encoder(words)[0]).sample.float()
        loss = (said - noising.get_velocity(clean, noise, when)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(average, weights, 1 - min(_EMA, 1 - 1 / (step + 2)))
        if step % 200 == 0:
            print(f"unet {step:5d}  loss {loss.item():.4f}", flush=True)
    with torch.no_grad():
        for weight, mean in zip(weights, average, strict=True):
            weight.copy_(mean)


# --- evaluation -------------------------------------------------------------------------------------------------------


def evaluate(pipeline: Any, count: int = 100, steps: int = 20, guidance: float = 3.0) -> dict[str, Any]:
    """How many of `count` requests that training never held are drawn right, and what is wrong with the others."""
    import torch

    chance, asked = random.Random(7), list[tuple[Request, str]]()
    while len(asked) < count:
        wanted = request(chance)
        if held_out(wanted):
            asked.append((wanted, wording(wanted, chance)))
    faults: dict[str, str] = {}
    for start in range(0, count, 25):
        here = asked[start : start + 25]
        pictures = pipeline(
            [text for _, text in here], num_inference_steps=steps, guidance_scale=guidance, output_type="np",
            generator=torch.Generator("cpu").manual_seed(start),
        ).images  # fmt: skip
        found = (
            (wrong((picture * 255).round(), wanted), text)
            for picture, (wanted, text) in zip(pictures, here, strict=True)
        )
        faults |= {text: fault for fault, text in found if fault}
    return {"asked": count, "right": count - len(faults), "faults": faults}


def main() -> None:
    """Train, save, evaluate what was saved, and note how it was made."""
    import torch
    from diffusers import StableDiffusionPipeline

    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, nargs=2, default=(90, 180), metavar=("VAE", "UNET"))
    arguments.add_argument("--pool", type=int, default=300_000, help="scenes to learn from")
    arguments.add_argument("--batch", type=int, nargs=2, default=(96, 512), metavar=("VAE", "UNET"))
    arguments.add_argument("--out", type=Path, default=OUT)
    given = arguments.parse_args()
    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")
    pool, tokenizer = gathered(given.pool), networks.tokenizer()
    vae, unet, encoder = networks.vae(), networks.unet(), networks.text_encoder(len(tokenizer))
    parts = {"vae": vae, "unet": unet, "text_encoder": encoder, "tokenizer": tokenizer}
    parts["scheduler"] = networks.scheduler()
    for network in (vae, unet, encoder):
        network.to(device)
    train_vae(vae, pool, given.seconds[0], given.batch[0], device)
    latents = latents_of(vae, pool, given.batch[0], device)
    ids = tokenizer([text for _, text in pool], padding="max_length", return_tensors="pt").input_ids.to(device)
    train_unet(parts, latents, ids, given.seconds[1], given.batch[1], device)
    made = StableDiffusionPipeline(**parts, safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    made.to(dtype=torch.float16).save_pretrained(given.out)
    kept = StableDiffusionPipeline.from_pretrained(given.out, torch_dtype=torch.float32).to(device)
    kept.set_progress_bar_config(disable=True)
    record = {"seconds": given.seconds, "pool": given.pool, "device": device, "evaluation": evaluate(kept)}
    (given.out / "record.json").write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps(record["evaluation"], indent=1))


if __name__ == "__main__":
    main()
