"""What answers without a model hold: python -m bench.quotes

The parts of the documents that are quoted for each answerable question of knowledge-base/knowledge-base-tests.jsonl,
held against its reference answer. The numbers of core/rag/quote.py were chosen by the first of each two questions.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.retrieval import ROOT, looked_up
from core.rag.evaluate import Question, questions
from core.rag.lookup import Lookup
from core.rag.nearness import nearness
from core.rag.quote import quotes
from core.rag.search import search
from core.rag.split import Recipe
from core.values import numbers


def main() -> None:
    """Print the table of core/rag/README.md."""
    asked = [q for q in questions((ROOT / "knowledge-base-tests.jsonl").read_text("utf-8")) if q.keywords]
    print("| half | by | all figures of the answer | figures | keywords | characters | ms beside the search |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        there = looked_up(Path(folder) / "index", Recipe())
        for half, own in (("tuned on", asked[::2]), ("held out", asked[1::2])):
            for by_tokens in (False, True):
                print(f"| {half} | {'words and tokens' if by_tokens else 'words'} |", _row(there, own, by_tokens))


def _row(there: Lookup, asked: Sequence[Question], by_tokens: bool) -> str:
    figures, keywords, lengths, spent = [], [], [], []
    for question in asked:
        hits = search(there, question.question).hits
        started = time.perf_counter()
        near = nearness(there, question.question, hits) if by_tokens else None
        said = " ".join(quote.said for quote in quotes(question.question, hits, near=near))
        spent.append((time.perf_counter() - started) * 1_000)
        lengths.append(len(said))
        keywords.append(np.mean([word.lower() in said.lower() for word in question.keywords]))
        if wanted := numbers(question.reference_answer):
            figures.append(len(wanted & numbers(said)) / len(wanted))
    whole = np.mean(np.array(figures) == 1)
    told = (f"{value:.3f}" for value in (whole, np.mean(figures), np.mean(keywords)))
    return f"{' | '.join(told)} | {np.mean(lengths):.0f} | {np.median(spent):.0f} |"


if __name__ == "__main__":
    main()
