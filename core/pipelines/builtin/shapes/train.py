"""Train the shapes model from nothing: `python -m core.pipelines.builtin.shapes.train`, 5 minutes on one H100.

First the autoencoder, then text encoder and UNet together. How long it takes is given in seconds, and the learning
rate follows the clock, so any machine ends in time. measure.py looks at what was saved.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from core.pipelines.builtin.shapes import networks
from core.pipelines.builtin.shapes.draw import drawn
from core.pipelines.builtin.shapes.measure import OUT, held_out, rebuilt
from core.pipelines.builtin.shapes.scenes import Scene, request, scene, wording

_UNCONDITIONED = 0.1  # How often the text is left out, so that guidance has something to compare with.
_NOISE = 0.1  # On the latents, of which most lie between -3 and 3: the UNet's will not be exact either.


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


def clock(until: float, optimizer: Any, rate: float) -> Iterator[int]:
    """Step numbers until `until`; the learning rate rises for a twentieth of the time, then falls as a cosine."""
    started, step = time.monotonic(), 0
    # What came before may have used the time up.
    while until > started and (share := (time.monotonic() - started) / (until - started)) < 1:
        for group in optimizer.param_groups:
            group["lr"].fill_(rate * min(share * 20 + 0.01, (1 + math.cos(math.pi * share)) / 2))
        yield step
        step += 1


def adamw(weights: list[Any], device: str) -> Any:
    """The optimizer; its rate is a tensor, so that a recorded step can be given another one."""
    import torch

    on_gpu = device == "cuda"
    rate = torch.tensor(0.0, device=device)
    return torch.optim.AdamW(weights, lr=rate, betas=(0.9, 0.99), weight_decay=0.01, fused=on_gpu, capturable=on_gpu)


def recorded(loss: Callable[[], Any], weights: list[Any], optimizer: Any, device: str) -> Callable[[], Any]:
    """One step of learning, which returns the loss. On a GPU it is recorded once and replayed as a whole.

    Networks this small keep Python busier than the GPU: started one by one, its kernels took three times as long.
    """
    import torch

    def step() -> Any:
        value = loss()
        value.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        return value.detach()

    def plain() -> Any:
        optimizer.zero_grad(set_to_none=True)
        return step()

    if device != "cuda":
        return plain
    aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(4):
            plain()
    torch.cuda.current_stream().wait_stream(aside)
    optimizer.zero_grad(set_to_none=True)
    graph = torch.cuda.CUDAGraph()
    try:
        with torch.cuda.graph(graph):
            value = step()
    except RuntimeError as error:
        print(f"the step cannot be recorded: {error}", flush=True)
        return plain

    def replayed() -> Any:
        graph.replay()
        return value

    return replayed


def train_vae(vae: Any, pictures: Any, until: float, batch: int, device: str) -> None:
    """Learn to write pictures as latents and to read them again. `pictures` are bytes."""
    import torch
    from torch.nn.functional import l1_loss, mse_loss

    weights = [weight for weight in vae.parameters() if weight.requires_grad]
    optimizer = adamw(weights, device)

    def loss() -> Any:
        rows = torch.randint(len(pictures), (batch,), device=device)
        wanted = pictures[rows].float() / 127.5 - 1
        with torch.autocast(device, torch.bfloat16, cache_enabled=False):
            latents = vae.encode(wanted).latents
            again = vae.decode(latents + _NOISE * torch.randn_like(latents)).sample.float()
        # The decoder reads its input through tanh: what lies far out would be lost.
        return l1_loss(again, wanted) + mse_loss(again, wanted) + 1e-3 * latents.float().square().mean()

    step = recorded(loss, weights, optimizer, device)
    for number in clock(until, optimizer, 1e-3):
        value = step()
        if number % 500 == 0:
            print(f"autoencoder {number:5d}  loss {value.item():.4f}", flush=True)


def latents_of(vae: Any, pictures: Any, batch: int, device: str) -> Any:
    """The pictures as latents of standard deviation 1, which is noted in the autoencoder's settings."""
    import torch

    found = []
    with torch.inference_mode(), torch.autocast(device, torch.bfloat16):
        for start in range(0, len(pictures), batch):
            wanted = pictures[start : start + batch].float() / 127.5 - 1
            found.append(vae.encode(wanted).latents.half())
    latents = torch.cat(found)
    if next(vae.encoder.parameters()).requires_grad:
        vae.register_to_config(scaling_factor=1 / latents[:2000].float().std().item())
    return (latents * vae.config.scaling_factor).clone()


def train_unet(parts: dict[str, Any], latents: Any, ids: Any, until: float, batch: int, device: str) -> None:
    """Learn to take noise away under the guidance of words."""
    import torch

    unet, encoder = parts["unet"], parts["text_encoder"]
    weights = [*unet.parameters(), *encoder.parameters()]
    optimizer = adamw(weights, device)
    average = [weight.detach().clone() for weight in weights]
    nothing = parts["tokenizer"]("", padding="max_length", return_tensors="pt").input_ids.to(device)
    kept = parts["scheduler"].alphas_cumprod.to(device)

    def loss() -> Any:
        rows = torch.randint(len(latents), (batch,), device=device)
        words = torch.where(torch.rand(batch, 1, device=device) < _UNCONDITIONED, nothing, ids[rows])
        clean = latents[rows].float()
        noise, when = torch.randn_like(clean), torch.randint(1000, (batch,), device=device)
        signal = kept[when].sqrt()[:, None, None, None]
        blur = (1 - kept[when]).sqrt()[:, None, None, None]
        with torch.autocast(device, torch.bfloat16, cache_enabled=False):
            said = unet(signal * clean + blur * noise, when, encoder(words)[0]).sample.float()
        return (said - (signal * noise - blur * clean)).square().mean()

    step = recorded(loss, weights, optimizer, device)
    for number in clock(until, optimizer, 1e-3):
        value = step()
        if number % 10 == 0:
            with torch.no_grad():
                torch._foreach_lerp_(average, weights, max(0.03, 1 / (number / 10 + 2)))
        if number % 500 == 0:
            print(f"unet {number:5d}  loss {value.item():.4f}", flush=True)
    with torch.no_grad():
        for weight, mean in zip(weights, average, strict=True):
            weight.copy_(mean)


def learnt(given: argparse.Namespace, began: float) -> Any:
    """The whole model, trained, as a pipeline."""
    import torch
    from diffusers import StableDiffusionPipeline

    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")
    pool, tokenizer = gathered(given.pool), networks.tokenizer()
    pictures = torch.cat([_bytes(pool[start : start + 1000], device) for start in range(0, len(pool), 1000)])
    print(f"{len(pool)} pictures after {time.monotonic() - began:.0f} s", flush=True)
    if given.go_on:
        parts = StableDiffusionPipeline.from_pretrained(given.out, dtype=torch.float32).components
        vae, unet, encoder, tokenizer = (parts[name] for name in ("vae", "unet", "text_encoder", "tokenizer"))
        # What the latents mean must not change any more: the UNet has learnt it.
        vae.encoder.requires_grad_(False)
    else:
        vae, unet, encoder = networks.vae(), networks.unet(), networks.text_encoder(len(tokenizer))
        parts = {"vae": vae, "unet": unet, "text_encoder": encoder, "tokenizer": tokenizer}
        parts |= {"scheduler": networks.scheduler(), "safety_checker": None, "feature_extractor": None}
    for network in (vae, unet, encoder):
        network.to(device)
    train_vae(vae, pictures, time.monotonic() + given.vae, given.batch[0], device)
    print(f"{rebuilt(vae, 100)} of 100 pictures survive the autoencoder", flush=True)
    latents = latents_of(vae, pictures, 500, device)
    del pictures
    ids = tokenizer([text for _, text in pool], padding="max_length", return_tensors="pt").input_ids.to(device)
    print(f"latents after {time.monotonic() - began:.0f} s", flush=True)
    train_unet(parts, latents, ids, began + given.seconds, given.batch[1], device)
    parts.pop("image_encoder", None)
    return StableDiffusionPipeline(**parts, requires_safety_checker=False)


def _bytes(examples: list[tuple[Scene, str]], device: str) -> Any:
    import torch

    return ((drawn([scene for scene, _ in examples], device) + 1) * 127.5).round().to(torch.uint8)


def main() -> None:
    """Train and save."""
    import torch

    began = time.monotonic()
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=300, help="for everything")
    arguments.add_argument("--vae", type=float, default=70, help="seconds of it for the autoencoder")
    arguments.add_argument("--pool", type=int, default=200_000, help="scenes to learn from")
    arguments.add_argument("--batch", type=int, nargs=2, default=(96, 256), metavar=("VAE", "UNET"))
    arguments.add_argument("--go-on", action="store_true", help="train what lies in --out some more, the encoder apart")
    arguments.add_argument("--out", type=Path, default=OUT)
    given = arguments.parse_args()
    learnt(given, began).to(dtype=torch.float16).save_pretrained(given.out)
    print(f"saved after {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
