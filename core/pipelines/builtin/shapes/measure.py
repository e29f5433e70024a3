"""How good a shapes model is: `python -m core.pipelines.builtin.shapes.measure` notes it in the model's record.json."""

from __future__ import annotations

import argparse
import json
import random
import zlib
from pathlib import Path
from typing import Any

from core.pipelines.builtin.shapes.draw import drawn
from core.pipelines.builtin.shapes.judge import wrong
from core.pipelines.builtin.shapes.scenes import Request, request, scene, wording

OUT = Path(__file__).parent / "model"
_AT_ONCE = 25  # pictures


def held_out(wanted: Request) -> bool:
    """Whether a request is kept for the evaluation: its wording, colours and shapes never meet in training."""
    key = f"{wanted.shape} {wanted.colour} {wanted.ground} {wanted.count} {wanted.relation} {wanted.second}"
    return zlib.crc32(key.encode()) % 20 == 0


def asked(count: int) -> list[tuple[Request, str]]:
    """Requests that training never sees, with their wording."""
    chance, found = random.Random(7), list[tuple[Request, str]]()
    while len(found) < count:
        wanted = request(chance)
        if held_out(wanted):
            found.append((wanted, wording(wanted, chance)))
    return found


def rebuilt(vae: Any, count: int) -> int:
    """How many of `count` true pictures still show what was asked for once `vae` has written and read them."""
    import torch

    wanted, chance, right = [wanted for wanted, _ in asked(count)], random.Random(8), 0
    true = drawn([scene(one, chance) for one in wanted])
    weight = next(vae.parameters())
    for start in range(0, count, _AT_ONCE):
        with torch.inference_mode():
            latents = vae.encode(true[start : start + _AT_ONCE].to(weight.device, weight.dtype)).latents
            again = vae.decode(latents).sample.float().cpu()
        pixels = ((again.permute(0, 2, 3, 1) + 1) * 127.5).clamp(0, 255).round().numpy()
        right += sum(not wrong(picture, one) for picture, one in zip(pixels, wanted[start:], strict=False))
    return right


def evaluate(pipeline: Any, count: int, steps: int, guidance: float) -> dict[str, Any]:
    """How many of `count` requests that training never held are drawn right, and what is wrong with the others."""
    import torch

    requests, faults = asked(count), dict[str, str]()
    for start in range(0, count, _AT_ONCE):
        here = requests[start : start + _AT_ONCE]
        pictures = pipeline(
            [text for _, text in here], num_inference_steps=steps, guidance_scale=guidance, output_type="np",
            generator=torch.Generator("cpu").manual_seed(start),
        ).images  # fmt: skip
        found = (
            (wrong((picture * 255).round(), wanted), text)
            for picture, (wanted, text) in zip(pictures, here, strict=True)
        )
        faults |= {text: fault for fault, text in found if fault}
    return {
        "asked": count, "right": count - len(faults), "steps": steps, "guidance": guidance,
        "survive the autoencoder": rebuilt(pipeline.vae, count), "faults": faults,
    }  # fmt: skip


def main() -> None:
    """Look at what was saved and note how good it is."""
    import torch
    from diffusers import StableDiffusionPipeline

    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--count", type=int, default=100)
    arguments.add_argument("--steps", type=int, default=20)
    arguments.add_argument("--guidance", type=float, nargs="+", default=[3.0], help="the first is written down")
    arguments.add_argument("--out", type=Path, default=OUT)
    given = arguments.parse_args()
    kept = StableDiffusionPipeline.from_pretrained(given.out, dtype=torch.float32)
    kept.to("cuda" if torch.cuda.is_available() else "cpu")
    kept.set_progress_bar_config(disable=True)
    records = [evaluate(kept, given.count, given.steps, guidance) for guidance in given.guidance]
    for record in records:
        print(f"guidance {record['guidance']}: {record['right']} of {record['asked']} right", flush=True)
    (given.out / "record.json").write_text(json.dumps(records[0], indent=1) + "\n")
    print(json.dumps(records[0], indent=1))


if __name__ == "__main__":
    main()
