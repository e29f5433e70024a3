"""The works behind the quality meter: questions measured, settings swept, answers judged; each a job with its file."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from backends import find
from core import jobs
from core.errors import AppError, BadSetting
from core.jobs import Job, Report
from core.rag.answer import Answer
from core.rag.evaluate import Evaluation, Interval, Outcome, Question, evaluate, questions
from core.rag.index import Index
from core.rag.judge import judge
from core.rag.origins import ReadyOrigins
from core.rag.search import Mode, Search
from core.rag.shipped import FOLDER
from core.rag.sweep import Setting, sweep
from tabs.knowledge_answering import answers
from tabs.knowledge_bases import SAMPLE

MOST = 1_000  # questions of one run
MOST_SETTINGS = 36  # of one sweep
KINDS = ("evaluate", "sweep", "judge")
FILE = "rows.jsonl"
_START = 300  # characters of a passage that a failed question shows


def asked(text: str, base: str) -> tuple[Question, ...]:
    """The questions of a JSONL text; without one, those that come with the sample. Raises BadSetting."""
    if not text.strip():
        if base != SAMPLE:
            raise BadSetting("Upload questions about your documents first: a JSONL file.")
        text = (FOLDER / "knowledge-base-tests.jsonl").read_text("utf-8")
    found = questions(text)
    if len(found) > MOST:
        raise BadSetting(f"At most {MOST:,} questions can be measured at once, and there are {len(found):,}.")
    return found


def start_measuring(index: Index, chosen: Sequence[Question], wish: Search) -> Job:
    """Measure the search that `wish` says; the job's file holds one row (`summary`). Raises AppError."""
    if not any(question.keywords for question in chosen):
        raise BadSetting("None of these questions has keywords, so nothing can be measured.")

    def work(report: Report) -> Path:
        found = evaluate(index.lookup(report), chosen, wish, report)
        report(1.0, f"{len(chosen):,} questions measured")
        return _kept(report, [summary(found)])

    return jobs.start("evaluate", f"Measuring {len(chosen):,} questions", work)


def start_sweep(
    index: Index, chosen: Sequence[Question], wish: Search,
    sizes: Sequence[int], ks: Sequence[int], modes: Sequence[Mode],
) -> Job:  # fmt: skip
    """Measure every combination; the job's file holds a row for each. Raises AppError."""
    chosen = [question for question in chosen if question.keywords]
    total = len(sizes) * len(ks) * len(modes)
    if not chosen or not 0 < total <= MOST_SETTINGS:
        raise BadSetting(f"Choose 1 to {MOST_SETTINGS} combinations, and questions with keywords.")
    origins = ReadyOrigins(list(index.corpus().documents.values()))

    def work(report: Report) -> Path:
        done = sweep(origins, index.model, chosen, wish, sizes, ks, modes, report)
        path = _kept(report, (_point(setting) for setting in done))
        report(1.0, f"{total} settings measured")
        return path

    return jobs.start("sweep", f"Measuring {total} settings", work)


def start_judging(chosen: Sequence[Question], base: str, choice: str, by: str, wish: Search) -> Job:
    """Have `choice` answer and `by` mark each answer; the job's file holds a row for each. Raises AppError."""
    known = [question for question in chosen if question.reference_answer]
    if not known:
        raise BadSetting("None of these questions has a reference answer.")
    find(choice)
    find(by)

    def work(report: Report) -> Path:
        done = 0

        def keep(row: dict[str, Any]) -> None:
            nonlocal done
            done += 1
            _kept(report, [row])
            report(done / len(known), f"{done} of {len(known)} answers judged")

        jobs.follow(_judged(known, base, choice, by, wish), report, keep)
        return report.folder / FILE

    return jobs.start("judge", f"Judging {len(known)} answers", work)


async def _judged(
    chosen: Sequence[Question], base: str, choice: str, by: str, wish: Search
) -> AsyncGenerator[dict[str, Any]]:  # fmt: skip
    backend, model = find(by)
    for question in chosen:
        row: dict[str, Any] = {"question": question.question}
        try:
            answer = await _answered(question.question, base, choice, wish)
            marks = (await judge(question.question, answer, question.reference_answer, backend, model)).marks
            yield row | {"answer": answer} | marks.model_dump()
        except AppError as error:
            yield row | {"error": str(error)}


async def _answered(question: str, base: str, choice: str, wish: Search) -> str:
    last: Answer | None = None
    async with aclosing(answers(question, (), base, choice, False, wish)) as steps:
        async for step in steps:
            last = step
    if last is None or last.error or not last.text.strip():
        raise AppError(last.error if last and last.error else "There was no answer.")
    return last.text


# --- rows -------------------------------------------------------------------------------------------------------------


def _kept(report: Report, rows: Iterable[dict[str, Any]]) -> Path:
    """Append rows to the job's file, each as soon as it is there."""
    path = report.folder / FILE
    for row in rows:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
    return path


def rows_of(job: Job) -> list[dict[str, Any]]:
    """What a job has found so far."""
    path = job.folder / FILE
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.is_file() else []


def summary(found: Evaluation) -> dict[str, Any]:
    """An evaluation as JSON: figures by category with their intervals, floor, ceiling, and the failed questions."""
    counts = {"all": sum(outcome.measure is not None for outcome in found.outcomes)}
    for outcome in found.outcomes:
        if outcome.measure and outcome.question.category:
            counts[outcome.question.category] = counts.get(outcome.question.category, 0) + 1
    return {
        "figures": {
            name: {metric: _told(value) for metric, value in own.items()} for name, own in found.table().items()
        },
        "questions": counts,
        "unanswerable": sum(outcome.measure is None for outcome in found.outcomes),
        "floor": {metric: _number(value) for metric, value in found.floor.items()},
        "ceiling": {metric: _number(value) for metric, value in found.ceiling.items()},
        "failed": [_failed(outcome) for outcome in found.outcomes if outcome.missing],
    }


def _told(value: Interval) -> list[float | None]:
    return [_number(value.mean), _number(value.low), _number(value.high)]


def _number(value: float) -> float | None:
    return None if value != value else round(value, 4)  # What is not known is no JSON number.


def _failed(outcome: Outcome) -> dict[str, Any]:
    question = outcome.question
    return {
        "question": question.question,
        "category": question.category,
        "reference_answer": question.reference_answer,
        "sources": list(question.sources),
        "missing": list(outcome.missing),
        "passages": [
            {"source": hit.passage.source, "heading": hit.passage.heading, "text": hit.text[:_START]}
            for hit in outcome.found.hits
        ],
    }


def _point(setting: Setting) -> dict[str, Any]:
    return asdict(setting) | {"reached": {metric: _told(value) for metric, value in setting.reached.items()}}
