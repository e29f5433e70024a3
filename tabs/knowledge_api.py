"""The knowledge base as an API: `/index`, `/search`, `/ask`, `/evaluate`. These names are stable."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict
from typing import Any

from gradio.events import api

from core import jobs
from core.errors import BadSetting
from core.llm import Message
from core.rag.answer import Answer
from core.rag.index import Index
from core.rag.search import Search, results, search
from core.settings import settings
from core.streams import ticks
from tabs.knowledge_answering import answers, wished
from tabs.knowledge_bases import SAMPLE, opened
from tabs.knowledge_measuring import asked, rows_of, start_measuring
from tabs.parts import TICK, refusal


def endpoints() -> None:
    """Make the endpoints known to Gradio."""
    limit = settings().answers_at_once
    api(index, api_name="index")
    api(find_passages, api_name="search")
    api(evaluate_search, api_name="evaluate")
    api(ask_documents, api_name="ask", concurrency_limit=limit, concurrency_id="answers")


def index(documents: str = SAMPLE) -> dict[str, Any]:
    """The knowledge base: state, documents, passages, doc_types, model, store, how it is split, refused files.

    `documents` is "sample" for those that come with the app, "own" for the caller's.
    """
    try:
        there = opened(documents)
        if isinstance(there, str):
            return {"state": "waiting", "text": there}
        return told(there)
    except Exception as error:
        raise refusal(error) from error


def told(index: Index) -> dict[str, Any]:
    """What an index is made of, as JSON."""
    corpus = index.corpus()
    own = {name: part.stop - part.start for name, part in corpus.by_source.items()}
    return {
        "state": "ready",
        "documents": len(corpus.documents),
        "passages": len(corpus.passages),
        "doc_types": {name: part.stop - part.start for name, part in corpus.by_type.items()},
        "sources": own,
        "model": {"name": corpus.about.model, "revision": corpus.about.revision, "dimension": corpus.about.dimension},
        "store": index.store,
        "recipe": corpus.about.recipe,
        "made": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(corpus.made)),
        "refused": dict(corpus.refused),
    }


def find_passages(query: str, k: int = 10, mode: str = "hybrid", documents: str = SAMPLE) -> list[dict[str, Any]]:
    """Passages that answer a query, best first: rank, score, source, doc_type, heading, text, ranks by stage.

    `mode` is hybrid, vector or keyword.
    """
    try:
        _sized(query)
        wish, there = wished(k, mode, None, None), _until_ready(documents)
        return [dict(row) for row in results(search(there.lookup(), query, wish))]
    except Exception as error:
        raise refusal(error) from error


async def ask_documents(
    question: str, choice: str = "", k: int = 10, history: list[dict[str, Any]] | None = None, documents: str = SAMPLE
) -> AsyncGenerator[dict[str, Any]]:
    """An answer from the documents, streamed: answer, citations, passages, query_used, timings; the last is whole.

    `choice` is a model as `/models` names it, "none" for quoted sentences alone. `history` is a list of role and
    content, the questions as `query_used` told them.
    """
    try:
        _sized(question)
        said = tuple(_message(row) for row in history or [])
        alone, model = choice == "none", choice or settings().model
        steps = answers(question, said, documents, model, alone, Search(k=wished(k, None, None, None).k))
        async with aclosing(ticks(steps, TICK)) as batches:
            async for batch in batches:
                if batch:
                    yield reply(batch[-1])
    except Exception as error:
        raise refusal(error) from error


async def evaluate_search(
    questions: str = "", k: int = 10, mode: str = "hybrid", documents: str = SAMPLE
) -> AsyncGenerator[dict[str, Any]]:
    """How well the search finds what is known to be right, streamed: job, state, fraction, and at last the figures.

    `questions` is JSONL, an object with `question` and `keywords` in each line; none: those of the sample. Figures are
    [mean, low, high] by category and metric, the last two of a 95 % interval; floor, ceiling and failed questions too.
    """
    try:
        there = await asyncio.to_thread(_until_ready, documents)
        job = start_measuring(there, asked(questions, documents), wished(k, mode, None, None))
        async with aclosing(jobs.watch(job.id)) as looks:
            async for job in looks:
                yield {"job": job.id, "state": job.state, "fraction": job.fraction, "error": job.error}
        if job.state == "done":
            yield {"job": job.id, "state": job.state, "fraction": 1.0, "error": "", **rows_of(job)[0]}
    except Exception as error:
        raise refusal(error) from error


def _sized(text: str) -> None:
    if not text.strip():
        raise BadSetting("The question is empty.")
    if len(text) > settings().longest_message:
        raise BadSetting(f"A question may have {settings().longest_message:,} characters at most.")


def _until_ready(documents: str) -> Index:
    """The index; a client is told to come again rather than kept waiting for minutes."""
    there = opened(documents)
    for _ in range(100):
        if not isinstance(there, str):
            return there
        time.sleep(0.1)
        there = opened(documents)
    if isinstance(there, str):
        raise BadSetting(f"{there} Try again in a minute.")
    return there


def _message(row: Any) -> Message:
    match row:
        case {"role": "user" | "assistant" as role, "content": str(content)}:
            return Message(role, content)
        case _:
            raise BadSetting("Each message of the history needs a role, user or assistant, and a content that is text.")


def reply(answer: Answer) -> dict[str, Any]:
    """The answer as `/ask` streams it."""
    support, hits = answer.support, answer.hits
    return {
        "step": answer.step,
        "answer": answer.text,
        "is_quoted": answer.is_quoted,
        "quotes": [asdict(quote) for quote in answer.quotes],
        "citations": [asdict(mark) for mark in support.citations],
        "unsupported": [asdict(claim) for claim in support.unsupported],
        "unknown": [asdict(value) for value in support.unknown],
        "passages": [
            {"number": number, "source": hit.passage.source, "heading": hit.passage.heading, "page": hit.passage.page,
             "text": hit.text, "score": round(hit.score, 4), "ranks": dict(hit.ranks)}
            for number, hit in enumerate(hits, start=1)
        ],
        "left_out": [hit.passage.source for hit in answer.left_out],
        "query_used": answer.found.query_used if answer.found else answer.rewritten.question,
        "prompt": answer.prompt.text if answer.prompt else "",
        "error": answer.error,
        "notes": list(answer.notes),
        "timings": {stage: round(spent, 1) for stage, spent in answer.timings.items()},
    }  # fmt: skip
