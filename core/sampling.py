"""From a model's scores for the next token to the probabilities it is drawn with, one step at a time. Knows no model.

The steps and their order are those of transformers' `generate` (generation/utils.py, `_get_logits_processor`): the
penalties, temperature, top-k, top-p, min-p. Frequency and presence penalty are OpenAI's (API reference, "Frequency and
presence penalties"); transformers has neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from core.llm import Sampling

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pick:
    """A token of the answer so far. `id` is its number in the model's vocabulary where that is known, else -1."""

    id: int
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """What a model gives each token that may come next, before any knob.

    `logits` has one entry for each token, known to the other fields by its place; where `whole`, that is all of the
    vocabulary and the place is the id, else only the tokens that the provider tells. `seen` are the places of those
    that stand in the text, `counts` tells how often each was written in the answer. `spell` is a token's text. `own`
    are the model's own settings, which hold where the user sets nothing; without `samples` it then takes the likeliest.
    """

    logits: Floats
    spell: Callable[[int], str]
    seen: frozenset[int] = frozenset()
    counts: Mapping[int, int] = field(default_factory=dict)
    own: Mapping[str, Any] = field(default_factory=dict)
    samples: bool = True
    whole: bool = True


@runtime_checkable
class Predicts(Protocol):
    """A backend that tells what may come next."""

    async def next_token(self, model: str, prompt: str, answer: tuple[Pick, ...] = (), raw: bool = False) -> Scores:
        """Scores for the token after `answer`, the tokens so far of an answer to `prompt`. Raises AppError.

        With `raw` the prompt is continued as it stands, without the model's chat template.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """The probabilities after one step. `removed` are the places of tokens that it took out, likeliest first.

    `acts` is false for a step whose knob changes nothing. `lost` is the probability that the removed ones had, `left`
    counts the tokens that can still be drawn, `entropy` is in bits.
    """

    name: str
    acts: bool
    probabilities: Floats
    removed: NDArray[np.int64]
    lost: float
    left: int
    entropy: float


def steps(scores: Scores, sampling: Sampling) -> list[Step]:
    """The model's own probabilities, and those after each step."""
    knobs = {**scores.own, **sampling.given()}
    logits = scores.logits.astype(np.float32)
    done = [_step("model", True, logits, softmax(logits))]
    for name, change in _changes(scores, knobs):
        changed = logits if change is None else change(logits)
        done.append(_step(name, change is not None, changed, done[-1].probabilities))
        logits = changed
    return done


def softmax(logits: Floats) -> Floats:
    """Probabilities of logits; minus infinity is 0."""
    raised = np.exp(logits - logits.max())
    probabilities: Floats = (raised / raised.sum()).astype(np.float32)
    return probabilities


def likeliest(done: list[Step], count: int) -> list[int]:
    """The places of the `count` tokens to look at: the likeliest of the model, and whichever the steps made so."""
    first, last = (_top(step.probabilities, count) for step in (done[0], done[-1]))
    kept = [place for place in last if done[-1].probabilities[place] > 0]
    chosen = {*kept, *[place for place in first if place not in kept][: count - len(kept)]}
    return sorted(chosen, key=lambda place: (-done[0].probabilities[place], place))


def _top(probabilities: Floats, count: int) -> list[int]:
    count = min(count, len(probabilities))
    found = np.argpartition(-probabilities, count - 1)[:count]
    return [int(place) for place in found[np.argsort(-probabilities[found], kind="stable")]]


def _step(name: str, acts: bool, logits: Floats, before: Floats) -> Step:
    after = softmax(logits)
    removed = np.flatnonzero(np.isneginf(logits) & (before > 0))
    removed = removed[np.argsort(-before[removed], kind="stable")]
    positive = after[after > 0]
    entropy = float(-(positive * np.log2(positive)).sum())
    left = int(np.isfinite(logits).sum())
    return Step(name, acts, after, removed, float(before[removed].sum()), left, max(0.0, entropy))


# --- the steps --------------------------------------------------------------------------------------------------------

Change = Callable[[Floats], Floats]


def _changes(scores: Scores, knobs: Mapping[str, Any]) -> Iterator[tuple[str, Change | None]]:
    """Every step in order, None where the knob changes nothing."""
    repetition, frequency, presence = (
        knobs.get("repetition_penalty", 1), knobs.get("frequency_penalty", 0), knobs.get("presence_penalty", 0)
    )  # fmt: skip
    heat, top_k, top_p, min_p = (
        knobs.get("temperature", 1), knobs.get("top_k"), knobs.get("top_p", 1), knobs.get("min_p")
    )  # fmt: skip
    penalized = (repetition, frequency, presence) != (1, 0, 0)
    yield "penalties", (lambda x: _penalties(x, scores, repetition, frequency, presence)) if penalized else None
    yield "temperature", (lambda x: _temperature(x, heat)) if heat != 1 else None
    # At temperature 0 nothing is drawn any more, so transformers has no further step.
    yield "top_k", (lambda x: _top_k(x, top_k)) if top_k and heat > 0 else None
    yield "top_p", (lambda x: _top_p(x, top_p)) if top_p < 1 and heat > 0 else None
    yield "min_p", (lambda x: _min_p(x, min_p)) if min_p and heat > 0 else None


def _penalties(logits: Floats, scores: Scores, repetition: float, frequency: float, presence: float) -> Floats:
    """A repetition penalty makes a seen token's score smaller whatever its sign (Keskar et al. 2019, section 4.1)."""
    changed = logits.copy()
    seen = np.fromiter(scores.seen, np.int64, len(scores.seen))
    changed[seen] = np.where(logits[seen] < 0, logits[seen] * repetition, logits[seen] / repetition)
    for place, count in scores.counts.items():
        changed[place] -= count * frequency + presence
    return changed


def _temperature(logits: Floats, heat: float) -> Floats:
    if heat > 0:
        return (logits / heat).astype(np.float32)
    return _only(logits, np.arange(len(logits)) == int(logits.argmax()))


def _top_k(logits: Floats, count: int) -> Floats:
    """Tokens that are as likely as the last one kept are kept too."""
    count = min(count, len(logits))
    return _only(logits, logits >= np.partition(logits, -count)[-count])


def _top_p(logits: Floats, share: float) -> Floats:
    """Whatever lies in the unlikely `1 - share` goes, but never the likeliest."""
    inside = np.flatnonzero(np.isfinite(logits))
    upwards = inside[np.argsort(logits[inside], kind="stable")]
    unlikely = softmax(logits[upwards]).cumsum(dtype=np.float32) <= 1 - share
    unlikely[-1] = False
    kept = np.zeros(len(logits), bool)
    kept[upwards[~unlikely]] = True
    return _only(logits, kept)


def _min_p(logits: Floats, share: float) -> Floats:
    likely = softmax(logits)
    return _only(logits, likely >= share * likely.max())


def _only(logits: Floats, kept: NDArray[np.bool_]) -> Floats:
    return np.where(kept, logits, np.float32(-np.inf)).astype(np.float32)
