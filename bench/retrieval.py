"""What each step of the search brings, on the questions that come along: python -m bench.retrieval

Also with two misspelt words in each question. Prints the table of core/rag/README.md.
"""

from __future__ import annotations

import string
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

from core.rag.embedding import embedder
from core.rag.evaluate import METRICS, Question, evaluate, questions
from core.rag.index import Index
from core.rag.lookup import Lookup
from core.rag.origins import FolderOrigins
from core.rag.passages import quiet
from core.rag.search import Search
from core.rag.split import Recipe

ROOT = Path(__file__).parent.parent / "knowledge-base"
BARE = Search(correct=False, late=False, company=0, widen=False)
STEPS = (
    ("plain splitter (1000, 200), vectors only", "plain", replace(BARE, mode="vector")),
    ("recursive splitter 500, vectors only", "recursive", replace(BARE, mode="vector")),
    ("along the structure, vectors only", "structure", replace(BARE, mode="vector")),
    ("along the structure, words only", "structure", replace(BARE, mode="keyword")),
    ("both, scores added up", "structure", BARE),
    ("+ late interaction", "structure", replace(BARE, late=True)),
    ("+ company of the document", "structure", replace(BARE, late=True, company=0.2)),
    ("+ room for the best first", "structure", replace(BARE, late=True, company=0.2, widen=True)),
    ("+ misspelt words set right", "structure", Search()),
    ("the same, plain splitter", "plain", Search()),
    ("the same without late interaction", "structure", Search(late=False)),
)
RECIPES = {"plain": Recipe("plain"), "recursive": Recipe("recursive", 500, 100), "structure": Recipe()}


def misspelt(text: str, rng: Random) -> str:
    """`text` with one letter wrong, missing, doubled or swapped in two of its words of five letters and more."""
    words = text.split(" ")
    long = [number for number, word in enumerate(words) if sum(map(str.isalpha, word)) >= 5]
    for number in rng.sample(long, min(2, len(long))):
        words[number] = _wrong(words[number], rng)
    return " ".join(words)


def _wrong(word: str, rng: Random) -> str:
    at = rng.choice([n for n in range(1, len(word) - 1) if word[n].isalpha() and word[n + 1].isalpha()] or [0])
    before, letter, after = word[:at], word[at], word[at + 1 :]
    other = rng.choice(string.ascii_lowercase)
    return before + rng.choice((other + after, after, letter + letter + after, after[:1] + letter + after[1:]))


def main() -> None:
    """Print the table."""
    asked = [q for q in questions((ROOT / "knowledge-base-tests.jsonl").read_text("utf-8")) if q.keywords]
    rng = Random(1)
    wrong = [replace(question, question=misspelt(question.question, rng)) for question in asked]
    with tempfile.TemporaryDirectory() as folder:
        made = {name: looked_up(Path(folder) / name, recipe) for name, recipe in RECIPES.items()}
        print(f"| design | MRR | nDCG@10 | coverage | coverage in {4_000:,} | characters | MRR with two typos |")
        print("|---|---|---|---|---|---|---|")
        for title, recipe, wish in STEPS:
            print("|", title, "|", " | ".join(_row(made[recipe], asked, wrong, wish)), "|", flush=True)
        bounds = evaluate(made["structure"], asked, Search(), quiet)
        for name, means in (("floor", bounds.floor), ("ceiling, best possible order", bounds.ceiling)):
            print(f"| {name} | {means['mrr']:.3f} | {means['ndcg']:.3f} | {means['coverage']:.3f} | | | |")


def looked_up(root: Path, recipe: Recipe) -> Lookup:
    """The sample documents, split by `recipe`."""
    index = Index(root, embedder(), "faiss")
    index.refresh(FolderOrigins(ROOT), recipe)
    return index.lookup()


def _row(there: Lookup, asked: Sequence[Question], wrong: Sequence[Question], wish: Search) -> Iterator[str]:
    clean = evaluate(there, asked, wish, quiet).table()["all"]
    for metric in METRICS:
        if metric not in ("recall", "milliseconds"):
            yield f"{clean[metric].mean:,.0f}" if metric == "characters" else f"{clean[metric].mean:.3f}"
    yield f"{evaluate(there, wrong, wish, quiet).table()['all']['mrr'].mean:.3f}"


if __name__ == "__main__":
    main()
