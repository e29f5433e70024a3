"""How good the model is: `python -m core.pipelines.builtin.french.measure`, on sentences it has not seen.

On the tenth of the hand-written pairs that is kept back from training, by which everything was chosen, and on
evaluation.txt, which nobody who wrote pairs has read and by which nothing was chosen. It says numbers, never sentences.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.pipelines.builtin.french import data
from core.pipelines.builtin.french.train import OUT
from core.pipelines.translation import Translated, translate


def translated(name: str, texts: Sequence[str], target: str, source: str) -> list[str]:
    """The texts in the other language, as the app translates them."""
    last: dict[int, str] = {}

    def keep(told: object) -> None:
        if isinstance(told, list):
            last.update({one.number: one.text for one in told if isinstance(one, Translated)})

    translate(name, list(texts), target, keep, source)
    return [last[number] for number in range(len(texts))]


def measured(name: str, pairs: Sequence[data.Pair]) -> dict[str, dict[str, float]]:
    """For each direction: exact match but for capitals, punctuation, blanks; sacrebleu's chrF and BLEU."""
    import sacrebleu

    found = {}
    for place, (source, target) in enumerate((("en", "fr"), ("fr", "en"))):
        wanted = [pair[1 - place] for pair in pairs]
        texts = translated(name, [pair[place] for pair in pairs], target, source)
        exact = sum(data.bare(one) == data.bare(other) for one, other in zip(texts, wanted, strict=True))
        found[f"{source}-{target}"] = {
            "exact": round(100 * exact / len(pairs), 1),
            "chrF": round(sacrebleu.corpus_chrf(texts, [wanted]).score, 1),
            "BLEU": round(sacrebleu.corpus_bleu(texts, [wanted]).score, 1),
        }
    return found


def sets() -> dict[str, list[data.Pair]]:
    """What is measured on: `evaluation unseen` leaves out what stands word for word among the pairs for training."""
    pairs = data.written()
    known = {data.bare(text) for pair in pairs if not data.kept_back(pair[1]) for text in pair}
    found = {"development": [pair for pair in pairs if data.kept_back(pair[1])]}
    if data.EVALUATION.is_file():
        found["evaluation"] = data.read(data.EVALUATION)
        found["evaluation unseen"] = [p for p in found["evaluation"] if not known & {data.bare(p[0]), data.bare(p[1])}]
    return found


def main() -> None:
    """Measure, print and note it in the model's record."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path, nargs="?", default=OUT)
    folder: Path = arguments.parse_args().folder
    results: dict[str, Any] = {}
    for name, pairs in sets().items():
        results[name] = {"pairs": len(pairs)} | measured(str(folder.resolve()), pairs)
        print(name, json.dumps(results[name]), flush=True)
    record = folder / "record.json"
    noted = json.loads(record.read_text("utf-8")) if record.is_file() else {}
    record.write_text(json.dumps(noted | {"measured": results}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
