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
from core.pipelines.task import gathered
from core.pipelines.translation import translate

Case = tuple[str, list[str]]  # a sentence and its accepted translations


def measured(name: str, cases: Sequence[Case], source: str, target: str) -> dict[str, float]:
    """Exact match with one of the accepted wordings but for capitals, punctuation, blanks; sacrebleu's chrF, BLEU."""
    import sacrebleu

    asked = [text for text, _ in cases]
    texts = [one.text for one in gathered(lambda tell: translate(name, asked, target, tell, source))]
    exact = sum(data.bare(one) in map(data.bare, accepted) for one, (_, accepted) in zip(texts, cases, strict=True))
    most = max(len(accepted) for _, accepted in cases)
    wordings = [[accepted[min(place, len(accepted) - 1)] for _, accepted in cases] for place in range(most)]
    return {
        "sentences": len(cases),
        "exact": round(100 * exact / len(cases), 1),
        "chrF": round(sacrebleu.corpus_chrf(texts, wordings).score, 1),
        "BLEU": round(sacrebleu.corpus_bleu(texts, wordings).score, 1),
    }


def sets() -> dict[str, dict[str, list[Case]]]:
    """What is measured on, for each direction: `evaluation unseen` leaves out what stands among the learnt pairs."""
    learnt = {data.bare(text) for pair in data.learnt() for text in pair}
    held = data.held()
    found = {"development": {"en-fr": [(e, [f]) for e, f in held], "fr-en": [(f, [e]) for e, f in held]}}
    found["evaluation"] = evaluation()
    found["evaluation unseen"] = {
        both: [(text, accepted) for text, accepted in cases if not learnt & set(map(data.bare, (text, *accepted)))]
        for both, cases in found["evaluation"].items()
    }
    return found


def evaluation() -> dict[str, list[Case]]:
    """evaluation.txt: English = French | as well | ..., with @fr at the end of a line that is asked in French too."""
    found: dict[str, list[Case]] = {"en-fr": [], "fr-en": []}
    for english, french in data.read(data.EVALUATION):
        accepted = [one.strip() for one in french.removesuffix("@fr").split("|")]
        found["en-fr"].append((english, accepted))
        if french.endswith("@fr"):
            found["fr-en"].append((accepted[0], [english]))
    return found


def main() -> None:
    """Measure, print and note it in the model's record."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path, nargs="?", default=OUT)
    folder: Path = arguments.parse_args().folder
    results: dict[str, Any] = {}
    for name, directions in sets().items():
        results[name] = {
            both: measured(str(folder.resolve()), cases, *both.split("-")) for both, cases in directions.items()
        }
        print(name, json.dumps(results[name]), flush=True)
    record = folder / "record.json"
    noted = json.loads(record.read_text("utf-8")) if record.is_file() else {}
    record.write_text(json.dumps(noted | {"measured": results}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
