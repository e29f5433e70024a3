"""Sentiment, and any other classification of texts: every label with its score; or the user's own labels, zero-shot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import BadSetting, RequestRefused
from core.hub import HERE, shown
from core.llm import Progress
from core.pipelines.encoder import Lost, counts, logits, read, windows
from core.pipelines.kept import Kept, model
from core.pipelines.lines import checked, readable
from core.pipelines.task import BUILT_IN, Task, Tell, architecture

_AUTO = "AutoModelForSequenceClassification"
TASK = Task(
    name="sentiment",
    title="Sentiment",
    order=10,
    models=(
        "distilbert/distilbert-base-uncased-finetuned-sst-2-english",
        "cardiffnlp/twitter-xlm-roberta-base-sentiment-multilingual",
        "tabularisai/multilingual-sentiment-analysis",
        "SamLowe/roberta-base-go_emotions",
    ),
    fits=architecture("ForSequenceClassification"),
    read=lambda files: read(files, "text-classification", _AUTO),
    home="sentiment",
    built_in="English sentences of everyday life; a small head, so irony and rare words escape it.",
)
# For the user's own labels: models of what follows from what (natural language inference).
ZERO_SHOT = ("MoritzLaurer/deberta-v3-base-zeroshot-v2.0", "facebook/bart-large-mnli")
MOST_LABELS = 20
_HYPOTHESIS = "This example is {}."  # That of transformers' own zero-shot pipeline.


@dataclass(frozen=True, slots=True)
class Scored:
    """One text, by its number among those handed in: labels with scores in 0..1, the likeliest first, or why none."""

    number: int
    text: str
    scores: tuple[tuple[str, float], ...] = ()
    error: str = ""


def sentiment(name: str, texts: Sequence[str], tell: Tell[Progress | list[Scored]], labels: Sequence[str] = ()) -> None:
    """Tell the scores of `texts`, a batch at a time, in no order. With `labels`, how well each of them fits.

    A text longer than the model's window is read in several, whose scores are averaged by their length.
    Raises AppError.
    """
    given, wanted = checked(texts), _labels(labels)
    tell(Progress(f"Reading {name}"))
    kept = model(TASK, name)
    unread = [Scored(n, texts[n], error=reason) for n, text in enumerate(given) if (reason := _unread(name, text))]
    if unread:
        tell(unread)
    written = [n for n, text in enumerate(given) if not _unread(name, text)]
    scoring = _zero_shot if wanted else _classified
    scoring(kept, texts, [given[n] for n in written], written, wanted, tell)


def _unread(name: str, text: str) -> str:
    """Why the model is not asked about a text, or ""."""
    if not text.strip():
        return "There is no text in it."
    return "" if readable(name, text) else "The built-in model reads English only."


def _labels(labels: Sequence[str]) -> list[str]:
    found = list(dict.fromkeys(label.strip() for label in labels if label.strip()))
    if len(found) > MOST_LABELS or (labels and len(found) < 2):
        raise BadSetting(f"Two to {MOST_LABELS} different labels are needed.")
    return found


def _classified(
    kept: Kept, texts: Sequence[str], given: list[str], numbers: list[int], _: list[str],
    tell: Tell[Progress | list[Scored]],
) -> None:  # fmt: skip
    cut = windows(kept, given)
    left, found = counts(cut), dict[int, list[tuple[int, dict[str, float]]]]()
    for batch, answers in logits(kept, cut):
        done = []
        for place, window in enumerate(batch):
            if isinstance(answers, Lost):
                found.pop(window.text, None)
                if left.pop(window.text, None):
                    done.append(_lost(numbers[window.text], texts, answers))
                continue
            if window.text not in left:
                continue
            scores = _scores(kept.model, answers[place])
            found.setdefault(window.text, []).append((len(window), scores))
            left[window.text] -= 1
            if not left[window.text]:
                number = numbers[window.text]
                done.append(Scored(number, texts[number], _averaged(found.pop(window.text))))
        tell(done)


def _lost(number: int, texts: Sequence[str], lost: Lost) -> Scored:
    return Scored(number, texts[number], error=f"Line {number + 1}: {lost.error}")


def _scores(pipe: Any, row: Any) -> dict[str, float]:
    """The pipeline's own way from logits to scores: softmax, sigmoid or nothing, as the model's settings say."""
    made = pipe.postprocess({"logits": row[None]}, top_k=None, _legacy=False)
    return {one["label"]: float(one["score"]) for one in made}


def _averaged(parts: list[tuple[int, dict[str, float]]]) -> tuple[tuple[str, float], ...]:
    whole = sum(length for length, _ in parts)
    mean = {label: sum(length * scores[label] for length, scores in parts) / whole for label in parts[0][1]}
    return tuple(sorted(mean.items(), key=lambda pair: -pair[1]))


# --- the user's own labels --------------------------------------------------------------------------------------------


def _zero_shot(
    kept: Kept, texts: Sequence[str], given: list[str], numbers: list[int], labels: list[str],
    tell: Tell[Progress | list[Scored]],
) -> None:  # fmt: skip
    """Whether "This example is LABEL." follows from a text, against the other labels (Yin et al., 1909.00161)."""
    import torch

    follows = _entailment(kept)
    pairs = [(text, _HYPOTHESIS.format(label)) for text in given for label in labels]
    cut = [window for window in windows(kept, [a for a, _ in pairs], [b for _, b in pairs]) if window.first == 0]
    found = dict[int, dict[str, float]]()
    for batch, answers in logits(kept, cut):
        done = []
        for place, window in enumerate(batch):
            text, label = divmod(window.text, len(labels))
            scores = found.setdefault(text, {})
            if isinstance(answers, Lost):
                if len(scores) < len(labels):
                    done.append(_lost(numbers[text], texts, answers))
                found[text] = dict.fromkeys(labels, 0.0) | {"": 0.0}  # Longer than any whole one: it is over.
                continue
            scores[labels[label]] = float(answers[place][follows])
            if len(scores) == len(labels):
                shares = torch.tensor([scores[one] for one in labels]).softmax(0).tolist()
                ranked = sorted(zip(labels, shares, strict=True), key=lambda pair: -pair[1])
                done.append(Scored(numbers[text], texts[numbers[text]], tuple(ranked)))
        tell(done)


def _entailment(kept: Kept) -> int:
    """The number of the model's label that says that the one follows from the other. Raises RequestRefused."""
    names = kept.model.model.config.label2id
    found = next((number for label, number in names.items() if label.lower().startswith("entail")), None)
    if found is None:
        own = "The built-in model" if kept.name == BUILT_IN else shown(kept.name)
        raise RequestRefused(
            HERE, f"Choose one of inference, such as {ZERO_SHOT[0]}.", f"{own} knows its own labels only."
        )
    return int(found)
