"""Entities: which characters of a text name a person, a place, an organisation or whatever the model has learnt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import BadSetting, RequestRefused
from core.hub import HERE
from core.llm import Progress
from core.pipelines.encoder import Lost, Window, counts, logits, overlap, read, windows
from core.pipelines.kept import Kept, model
from core.pipelines.lines import checked, readable
from core.pipelines.task import Task, Tell, architecture

TASK = Task(
    name="entities",
    title="Entities",
    order=20,
    models=("dslim/bert-base-NER", "dslim/distilbert-NER", "Davlan/xlm-roberta-base-ner-hrl"),
    fits=architecture("ForTokenClassification"),
    read=lambda files: read(files, "token-classification", "AutoModelForTokenClassification"),
    home="entities",
    built_in="People, places and organisations in English; it sees no capital letters, and knows names by context.",
)
# transformers': how the tokens of a word, and the words of an entity, are put together.
STRATEGIES = ("simple", "first", "average", "max", "none")
_OUTSIDE = "O"


@dataclass(frozen=True, slots=True)
class Entity:
    """`text` is what stands from character `start` to before `end` of the text that was handed in; score in 0..1."""

    label: str
    text: str
    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class Marked:
    """One text, by its number among those handed in, with its entities from left to right, or why there are none."""

    number: int
    text: str
    entities: tuple[Entity, ...] = ()
    error: str = ""


def entities(name: str, texts: Sequence[str], tell: Tell[Progress | list[Marked]], strategy: str = "first") -> None:
    """Tell the entities of `texts`, a batch at a time, in no order. Raises AppError.

    A text longer than the model's window is read in overlapping ones; every token is looked at once, so that no entity
    is lost or doubled where two of them meet.
    """
    if strategy not in STRATEGIES:
        raise BadSetting(f"The aggregation strategy must be one of {', '.join(STRATEGIES)}.")
    given = checked(texts)
    tell(Progress(f"Reading {name}"))
    kept = model(TASK, name)
    if not kept.model.tokenizer.is_fast:
        raise RequestRefused(
            HERE, "Choose another model.", "This model's tokenizer does not tell where its tokens stand."
        )
    shared = overlap(kept)
    cut = windows(kept, given, shared=shared)
    left, found = counts(cut), dict[int, list[tuple[Window, Any]]]()
    for batch, answers in logits(kept, cut):
        done = []
        for place, window in enumerate(batch):
            if isinstance(answers, Lost):
                found.pop(window.text, None)
                if left.pop(window.text, None):
                    error = f"Line {window.text + 1}: {answers.error}"
                    done.append(Marked(window.text, texts[window.text], error=error))
            elif window.text in left:
                found.setdefault(window.text, []).append((window, answers[place]))
                if len(found[window.text]) == left[window.text]:
                    marked = _marked(kept, given[window.text], found.pop(window.text), shared, strategy)
                    done.append(Marked(window.text, texts[window.text], tuple(marked)))
        tell(done)


@dataclass(frozen=True, slots=True)
class _Token:
    """A token of the whole text: its id, its characters, whether it goes on with a word, and its row of logits."""

    id: int
    start: int
    end: int
    goes_on: bool
    logits: Any


def _marked(kept: Kept, text: str, parts: list[tuple[Window, Any]], shared: int, strategy: str) -> Iterator[Entity]:
    """The entities of one text. Which tokens belong together is decided by the pipeline's own code."""
    from transformers.pipelines.token_classification import AggregationStrategy

    pipe, way = kept.model, AggregationStrategy[strategy.upper()]
    for run in _runs(list(_tokens(sorted(parts, key=lambda part: part[0].first), shared)), pipe.model.config.id2label):
        for one in pipe.aggregate([_pre_entity(pipe, text, place, token) for place, token in run], way):
            label = one.get("entity_group", one.get("entity"))
            if label != _OUTSIDE and readable(kept.name, text[int(one["start"]) : int(one["end"])]):
                yield _entity(text, str(label), int(one["start"]), int(one["end"]), float(one["score"]))


def _entity(text: str, label: str, start: int, end: int, score: float) -> Entity:
    # Some tokenizers count the blank before a word to it.
    start += len(text[start:end]) - len(text[start:end].lstrip())
    end -= len(text[start:end]) - len(text[start:end].rstrip())
    return Entity(label, text[start:end], start, end, score)


def _tokens(parts: list[tuple[Window, Any]], shared: int) -> Iterator[_Token]:
    """The tokens of the whole text. Of those that two windows share, each is believed on the half far from its edge."""
    for number, (window, rows) in enumerate(parts):
        inner = [place for place, word in enumerate(window.words) if word is not None]
        from_here = shared // 2 if number else 0
        upto = len(inner) - (shared - shared // 2 if number < len(parts) - 1 else 0)
        for place in inner[from_here:upto]:
            start, end = window.spans[place]
            goes_on = place > 0 and window.words[place] == window.words[place - 1]
            yield _Token(window.inputs["input_ids"][place], start, end, goes_on, rows[place])


def _runs(tokens: list[_Token], labels: dict[int, str]) -> Iterator[list[tuple[int, _Token]]]:
    """Neighbouring words with an entity in them. The others cannot become one, and most texts consist of them."""
    run: list[tuple[int, _Token]] = []
    for word in _words(tokens):
        if any(labels[int(token.logits.argmax())] != _OUTSIDE for _, token in word):
            run += word
        elif run:
            yield run
            run = []
    if run:
        yield run


def _words(tokens: list[_Token]) -> Iterator[list[tuple[int, _Token]]]:
    word: list[tuple[int, _Token]] = []
    for place, token in enumerate(tokens):
        if word and not token.goes_on:
            yield word
            word = []
        word.append((place, token))
    if word:
        yield word


def _pre_entity(pipe: Any, text: str, place: int, token: _Token) -> dict[str, Any]:
    """What transformers' pipeline works on. It would find words by comparing lengths, which accents deceive."""
    return {
        "word": pipe.tokenizer.convert_ids_to_tokens(token.id), "scores": token.logits.softmax(-1).numpy(),
        "start": token.start, "end": token.end, "index": place, "is_subword": token.goes_on,
    }  # fmt: skip
