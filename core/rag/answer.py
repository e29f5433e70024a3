"""A question answered from passages: rewritten, searched for, given to a model, and its answer held against them.

Each step yields the whole Answer as it is then. Without a model, or when it fails, the best sentences are quoted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from core.chat import converse
from core.errors import AppError
from core.llm import Backend, Capabilities, Conversation, Done, Event, Progress, Sampling, TextDelta, Thinking, Waiting
from core.markdown import sound
from core.material import is_small
from core.rag.asked import topics
from core.rag.nearness import Nearness
from core.rag.passages import Hit
from core.rag.prompts import LONGEST_SMALL, UNKNOWN, Prompt, prompt
from core.rag.quote import Quote, quoted, quotes
from core.rag.rewrite import Rewritten, rewrite
from core.rag.search import Found
from core.rag.support import Support, support
from core.rag.terms import terms

# How much like the question the best passage of a search must be, for there to be anything to answer from; and how much
# where its words are found as well. Of questions that knowledge-base/ answers 1 in 200 is refused by this, of others
# 3 in 4: tests/test_rag_search.py.
_ALIKE, _SOMEWHAT = 0.3, 0.25
_FIRST = 3  # passages in which the words are looked for

Find = Callable[[str], Found]
Near = Callable[[str, Sequence[Hit]], Nearness | None]


@dataclass(frozen=True, slots=True)
class Answer:
    """All that is known of one answer at one moment: a value, from which a page or an endpoint shows what it likes.

    `step` says in a sentence what is going on, `error` what went wrong. `text` cites `hits` by number, from 1; with
    `is_quoted` no model has written it. `quotes` are the best sentences, where the text is none to rely on: there is
    no model, it failed, it found no answer, or it is small (`by_small`). `timings` are milliseconds by stage.
    """

    question: str
    rewritten: Rewritten
    step: str = ""
    found: Found | None = None
    prompt: Prompt | None = None
    text: str = ""
    whole: bool = False
    is_quoted: bool = False
    quotes: tuple[Quote, ...] = ()
    by_small: bool = False
    error: str = ""
    notes: tuple[str, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    done: Done | None = None

    @property
    def hits(self) -> tuple[Hit, ...]:
        """The passages by the numbers that `text` cites them with: those that the model was given."""
        return self.prompt.given if self.prompt else self.found.hits if self.found else ()

    @property
    def left_out(self) -> tuple[Hit, ...]:
        """What was found and had no room, in what the search gives or in the model's window."""
        found = self.found.left_out if self.found else ()
        return (*self.prompt.left_out, *found) if self.prompt else found

    @property
    def says_unknown(self) -> bool:
        """Whether the answer is that there is none."""
        return self.text.strip().startswith(UNKNOWN.rstrip("."))

    @property
    def support(self) -> Support:
        """The text so far, held against the passages."""
        asked = f"{self.question} {self.rewritten.question}"
        return support(self.text, self.hits, asked, whole=self.whole)


def is_relevant(found: Found) -> bool:
    """Whether a search has found anything to answer from: something alike, or nearly so and half of what was named."""
    if not found.hits or found.best < _SOMEWHAT:
        return False
    return found.best >= _ALIKE or _has_half_of_what_was_named(found)


def _has_half_of_what_was_named(found: Found) -> bool:
    named = topics(found.query_used)
    held = max(len(named & set(terms(hit.shown))) for hit in found.hits[:_FIRST])
    return 2 * held >= len(named) > 0


async def ask(
    question: str,
    history: Conversation,
    backend: Backend | None,
    model: str,
    find: Find,
    *,
    sampling: Sampling | None = None,
    near: Near | None = None,
) -> AsyncGenerator[Answer]:
    """Answer `question` from what `find` finds; `history` is what was said before, as user's and assistant's messages.

    Give the questions in `history` as they were rewritten (`Answer.rewritten.question`), so that a row of follow-ups
    keeps its subject. `near` makes quotes better by what the index knows of each token. A model's failure
    is told in `error` and quotes take its place. Raises AppError when the search itself fails. Closing the generator
    ends the request.
    """
    answer = Answer(question, Rewritten(question), "Reading the question")
    yield answer
    clock = _Clock()
    rewritten = await rewrite(question, history, backend, model)
    answer = replace(answer, rewritten=rewritten, notes=_noted(rewritten.note), step="Searching")
    answer = clock.stopped(answer, "rewrite")
    yield answer
    found = await asyncio.to_thread(find, rewritten.question)
    answer = replace(answer, found=found, timings={**answer.timings, **found.timings})
    clock = _Clock()
    if not is_relevant(found):
        yield replace(answer, text=UNKNOWN, whole=True, step="", notes=(*answer.notes, _NOTHING))
        return
    if backend is None:
        yield clock.stopped(await _in_quotes(answer, near), "quote")
        return
    async with aclosing(_by_model(answer, history, backend, model, sampling or Sampling(temperature=0))) as steps:
        async for answer in steps:
            yield answer
    if not answer.text.strip():
        yield await _in_quotes(answer, near)
    elif answer.error or answer.says_unknown or answer.by_small:
        yield await _with_quotes(answer, near)


_NOTHING = "Nothing in the documents is about this, so no model was asked."


def _noted(*notes: str) -> tuple[str, ...]:
    return tuple(filter(None, notes))


@dataclass(slots=True)
class _Clock:
    """Milliseconds since it was made, written into an answer."""

    started: float = field(default_factory=time.perf_counter)

    def stopped(self, answer: Answer, stage: str) -> Answer:
        """The answer with the time that `stage` took; the first time it is told counts."""
        if stage in answer.timings:
            return answer
        return replace(answer, timings={**answer.timings, stage: (time.perf_counter() - self.started) * 1000})


async def _by_model(
    answer: Answer, history: Conversation, backend: Backend, model: str, sampling: Sampling
) -> AsyncGenerator[Answer]:
    """The model's answer as it comes, and what went wrong in place of the rest."""
    clock = _Clock()
    try:
        can = await backend.capabilities(model)
        answer = _prompted(answer, history, can)
        yield (answer := clock.stopped(replace(answer, step=f"Asking {backend.label}"), "prompt"))
        clock = _Clock()
        if answer.by_small:
            sampling = replace(sampling, max_tokens=min(LONGEST_SMALL, sampling.max_tokens or LONGEST_SMALL))
        async with aclosing(_said(answer, backend, model, sampling)) as events:
            async for event in events:
                yield (answer := _after(answer, event, clock))
    except AppError as error:
        notes = (*answer.notes, "The answer is incomplete.") if answer.text else answer.notes
        yield replace(answer, error=str(error), notes=notes, whole=True, step="")


def _prompted(answer: Answer, history: Conversation, can: Capabilities) -> Answer:
    """The answer with its prompt. A model that reads what was said before needs no question completed by rules."""
    small = is_small(can)
    asked = answer.question if answer.rewritten.how == "rules" and not small else answer.rewritten.question
    hits = answer.found.hits if answer.found else ()
    return replace(answer, prompt=prompt(asked, hits, can, history), by_small=small)


def _said(answer: Answer, backend: Backend, model: str, sampling: Sampling) -> AsyncGenerator[Event]:
    """The model's answer. It gets no tools: passages may ask for anything."""
    asked = answer.prompt.conversation if answer.prompt else ()
    system = asked[0].text if asked and asked[0].role == "system" else ""
    return converse(backend, model, asked[1:] if system else asked, system=system, sampling=sampling)


def _after(answer: Answer, event: Event, clock: _Clock) -> Answer:
    match event:
        case TextDelta(text):
            answer = clock.stopped(answer, "first token")
            return replace(answer, text=answer.text + text, step="Writing the answer")
        case Done(stop=stop):
            answer = replace(answer, text=sound(answer.text), whole=True, done=event, step="")
            return clock.stopped(replace(answer, notes=_noted(*answer.notes, _ENDED.get(stop, ""))), "answer")
        case Waiting(seconds, reason):
            return replace(answer, step=f"{reason}: trying again in {seconds} s")
        case Progress(text, fraction):
            return replace(answer, step=text if fraction is None else f"{text} ({fraction:.0%})")
        case Thinking():
            return replace(answer, step="The model is thinking")
    return answer


# What a reader should know of how an answer ended.
_ENDED = {
    "length": "The answer is incomplete: the model reached the longest length that it may write.",
    "refusal": "The model declined to answer. Choose another model.",
}


async def _with_quotes(answer: Answer, near: Near | None) -> Answer:
    asked = answer.rewritten.question

    def chosen() -> tuple[Quote, ...]:
        return quotes(asked, answer.hits, near=near(asked, answer.hits) if near else None)

    return replace(answer, quotes=await asyncio.to_thread(chosen))


async def _in_quotes(answer: Answer, near: Near | None) -> Answer:
    """The answer in sentences of the documents alone."""
    answer = await _with_quotes(answer, near)
    return replace(answer, text=quoted(answer.quotes) or UNKNOWN, is_quoted=bool(answer.quotes), whole=True, step="")
