"""Translation: sentence by sentence, in batches, in order, with line breaks and blanks where they were."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from core.errors import AppError, RequestRefused
from core.hub import HERE, shown
from core.llm import Progress
from core.pipelines.encoder import said
from core.pipelines.files import loaded
from core.pipelines.kept import Kept, model
from core.pipelines.languages import LANGUAGES, detected, name_of
from core.pipelines.lines import checked
from core.pipelines.sentences import Piece, pieces
from core.pipelines.task import BUILT_IN, Files, Task, Tell

_KNOWN = ("marian", "m2m_100")  # NLLB is of the second kind.
BY_PAIR = "Helsinki-NLP/opus-mt"  # Stands for a model for each pair of languages.


def _read(files: Files) -> Reader:
    """Model and tokenizer: transformers has no pipeline for translation any more."""
    from core.machine import device

    made, tokenizer = loaded(files, "AutoModelForSeq2SeqLM")
    return Reader(made.to(device()), tokenizer)


@dataclass(frozen=True, slots=True)
class Reader:
    """A model that reads in one language and writes in another, and its tokenizer."""

    model: Any
    tokenizer: Any


TASK = Task(
    name="translation",
    title="Translation",
    order=30,
    models=(BY_PAIR, "facebook/nllb-200-distilled-600M", "facebook/m2m100_418M"),
    fits=lambda config: config.get("model_type") in _KNOWN,
    read=_read,
    home="french",
    built_in="everyday phrases between English and French. What is long, rare or meant in another sense goes wrong.",
)
_BUILT_IN = ("en", "fr")  # what the built-in model knows
# The mean log-probability of a token, by the built-in model, below which a sentence is none that it knows. Of 400 kept
# back from its training a seventh lie below, with chrF 43 where the others have 69; so do twelve on other matters.
_DOUBTED = -0.35


@dataclass(frozen=True, slots=True)
class Translated:
    """One text, by its number among those handed in, as far as it is: `done` of `total` sentences.

    What is not done yet is "…"; what could not be done stands in the language it was in, and `error` says why.
    """

    number: int
    text: str
    source: str
    done: int
    total: int
    error: str = ""


@dataclass(slots=True)
class _Page:
    """A text on its way: its pieces, and the sentences that have been translated by their place."""

    number: int
    source: str
    pieces: list[Piece]
    done: dict[int, str] = field(default_factory=dict)
    error: str = ""
    doubted: set[int] = field(default_factory=set)

    def sentences(self) -> list[int]:
        return [place for place, piece in enumerate(self.pieces) if piece.is_sentence]

    def told(self) -> Translated:
        last = max(self.done, default=-1)
        total = len(self.sentences())
        upto = len(self.pieces) if len(self.done) == total else last + 1
        text = "".join(
            self.done.get(place, "… ") if piece.is_sentence else piece.text
            for place, piece in enumerate(self.pieces[:upto])
        )
        return Translated(self.number, text, self.source, len(self.done), total, self.error or self._doubt())

    def _doubt(self) -> str:
        """Which sentences are beyond the built-in model, empty where none is."""
        numbers = [str(number) for number, place in enumerate(self.sentences(), 1) if place in self.doubted]
        if not numbers:
            return ""
        which = f"Sentence {numbers[0]} is" if len(numbers) == 1 else f"Sentences {', '.join(numbers)} are"
        return f"{which} beyond the built-in model and may be wrong. Choose another model."


def translate(
    name: str, texts: Sequence[str], target: str, tell: Tell[Progress | list[Translated]], source: str = ""
) -> None:
    """Tell the translations of `texts` into `target` as they grow. `source` "" detects each text's language.

    Raises AppError.
    """
    name_of(target)
    given = checked(texts)
    pages = [_page(number, text, source) for number, text in enumerate(given)]
    for page in pages:
        if page.source == target:
            page.done = {place: page.pieces[place].text for place in page.sentences()}
            page.error = f"The text is in {name_of(target)} already."
        if page.source == target or not page.sentences():
            tell([page.told()])
    if name == BUILT_IN:
        _refuse_others([*(page.source for page in pages), target])
    for language in dict.fromkeys(page.source for page in pages):
        here = [page for page in pages if page.source == language and len(page.done) < len(page.sentences())]
        if here:
            _translate(resolved(name, language, target), here, language, target, tell)


def _refuse_others(languages: list[str]) -> None:
    """Raise RequestRefused where one of the languages is none of the built-in model's."""
    other = next((language for language in languages if language not in _BUILT_IN), None)
    if other is not None:
        remedy = f"Choose another model for {name_of(other)}."
        raise RequestRefused(HERE, remedy, "The built-in model knows English and French only.")


def resolved(name: str, source: str, target: str) -> str:
    """The model itself, where `name` stands for one for each pair of languages."""
    return f"{BY_PAIR}-{source}-{target}" if name == BY_PAIR else name


def _page(number: int, text: str, source: str) -> _Page:
    language = source or (detected(text) if any(map(str.isalpha, text)) else "en")
    name_of(language)
    return _Page(number, language, list(pieces(text, language)))


def _translate(
    name: str, pages: list[_Page], source: str, target: str, tell: Tell[Progress | list[Translated]]
) -> None:
    tell(Progress(f"Reading {name}"))
    kept = model(TASK, name)
    pair = _pair(kept, source, target)
    waiting = [(page, place) for page in pages for place in page.sentences()]
    # Sentences of like length go together, but not so far from their place that nothing could be read meanwhile.
    for start in range(0, len(waiting), _GROUP):
        for batch in _batches(waiting[start : start + _GROUP]):
            _one_batch(kept, batch, pair, tell)
            tell([page.told() for page in {id(page): page for page, _ in batch}.values()])


_GROUP, _MOST, _LETTERS = 64, 16, 2400  # sentences in a group and in a batch, characters in a batch with its padding


def _batches(group: list[tuple[_Page, int]]) -> Iterator[list[tuple[_Page, int]]]:
    ordered = sorted(group, key=lambda row: -len(row[0].pieces[row[1]].text))
    while ordered:
        longest = len(ordered[0][0].pieces[ordered[0][1]].text)
        size = max(1, min(_MOST, _LETTERS // max(longest, 1)))
        yield ordered[:size]
        ordered = ordered[size:]


def _one_batch(
    kept: Kept, batch: list[tuple[_Page, int]], pair: _Pair, tell: Tell[Progress | list[Translated]]
) -> None:
    sentences = [page.pieces[place].text for page, place in batch]
    try:
        found = _generated(kept, sentences, pair, tell)
    except Exception as error:
        # The other batches may still do; who reads is told what is missing.
        for page, place in batch:
            page.done[place] = page.pieces[place].text
            page.error = f"Sentence {page.sentences().index(place) + 1}: {said(error)}"
        return
    for (page, place), (text, likely) in zip(batch, found, strict=True):
        page.done[place] = text
        if likely < _DOUBTED:
            page.doubted.add(place)


def _generated(kept: Kept, sentences: list[str], pair: _Pair, tell: Tell[Any]) -> list[tuple[str, float]]:
    """Each translation, and how likely its tokens were: their mean log-probability, 0 where that is not asked for."""
    import torch
    from transformers import StoppingCriteriaList

    reader: Reader = kept.model
    asked = {"return_dict_in_generate": True, "output_scores": True} if kept.name == BUILT_IN else {}
    with kept.turn, _languages(reader.tokenizer, pair), torch.inference_mode():
        made = reader.tokenizer(
            [pair.prefix + sentence for sentence in sentences], return_tensors="pt", padding=True, truncation=True,
            max_length=_room(reader),
        ).to(reader.model.device)  # fmt: skip
        length = made["input_ids"].shape[1]
        found = reader.model.generate(
            **made, **pair.options, **asked, max_new_tokens=min(_room(reader) - 1, 2 * length + 20),
            stopping_criteria=StoppingCriteriaList([_watch(tell)]),
        )  # fmt: skip
        texts = reader.tokenizer.batch_decode(found.sequences if asked else found, skip_special_tokens=True)
        likely = found.sequences_scores.tolist() if asked else [0.0] * len(texts)
        return [(str(text).strip(), score) for text, score in zip(texts, likely, strict=True)]


def _room(reader: Reader) -> int:
    """The longest sentence in tokens."""
    return int(min(getattr(reader.model.config, "max_position_embeddings", 512), reader.tokenizer.model_max_length))


def _watch(tell: Tell[Any]) -> Any:
    """Called after every token: Stop is noticed here, in the middle of a batch."""
    from transformers import StoppingCriteria

    class Watch(StoppingCriteria):  # type: ignore[misc]
        """Tells that it goes on, five times a second, which raises when nobody wants it to."""

        told = time.monotonic()

        def __call__(self, ids: Any, scores: Any, **_: Any) -> Any:
            import torch

            if time.monotonic() - self.told > 0.2:
                tell(Progress(f"Writing, {ids.shape[1]} tokens"))
                self.told = time.monotonic()
            return torch.zeros(ids.shape[0], dtype=torch.bool, device=ids.device)

    return Watch()


# --- languages --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Pair:
    """How a model is told the two languages: the tokenizer's `source`, a prefix of each sentence, or options."""

    source: str = ""
    prefix: str = ""
    options: dict[str, Any] = field(default_factory=dict)


def _pair(kept: Kept, source: str, target: str) -> _Pair:
    """Raises RequestRefused for languages that the model does not know."""
    tokenizer = kept.model.tokenizer
    vocabulary = tokenizer.get_vocab()
    if kept.model.model.config.model_type == "marian":
        return _marian(kept, getattr(tokenizer, "supported_language_codes", []), target)
    for mark, code in (("{}", 1), ("__{}__", 0)):
        codes = [(LANGUAGES[language][1] if code else language) for language in (source, target)]
        if all(mark.format(one) in vocabulary for one in codes):
            return _Pair(codes[0], options={"forced_bos_token_id": vocabulary[mark.format(codes[1])]})
    raise _unknown(kept.name, f"does not know {name_of(source)} and {name_of(target)} both")


def _marian(kept: Kept, codes: list[str], target: str) -> _Pair:
    """A model of one pair needs no telling; one that writes several languages is told by a mark such as >>fra<<."""
    if not codes:
        return _Pair()
    three = LANGUAGES[target][1].partition("_")[0]
    found = next((code for code in codes if code.strip("><").partition("_")[0] in (target, three)), None)
    if found is None:
        raise _unknown(kept.name, f"does not write {name_of(target)}")
    return _Pair(prefix=f"{found} ")


def _unknown(name: str, why: str) -> AppError:
    return RequestRefused(HERE, "Choose another model, or other languages.", f"{shown(name)} {why}.")


@contextmanager
def _languages(tokenizer: Any, pair: _Pair) -> Iterator[None]:
    """The tokenizer is set to the language only while this text has its turn: others use it too."""
    if pair.source:
        tokenizer.src_lang = pair.source
    yield
