"""A small bench: a file of prompts to several models, what each answer took, medians, and all of it as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from statistics import median

from pydantic import TypeAdapter

from core.chat import add, ask, converse
from core.errors import AppError, BadSetting
from core.llm import Backend, Done, Sampling
from core.streams import together

MOST_PROMPTS = 200


@dataclass(frozen=True, slots=True)
class Row:
    """One answer of the bench, or in `error` why there is none. `done` tells tokens, times and cost."""

    choice: str
    prompt: str
    answer: str = ""
    done: Done = field(default_factory=Done)
    error: str = ""


def prompts(data: bytes) -> list[str]:
    """The prompts of a file: one a line, or JSONL with texts or objects that have a `prompt`. Raises BadSetting."""
    try:
        lines = [line for line in data.decode("utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise BadSetting("The file is not UTF-8 text.") from error
    found = [_prompt(number, line) for number, line in enumerate(lines, 1)]
    if not found:
        raise BadSetting("The file holds no prompts.")
    if len(found) > MOST_PROMPTS:
        raise BadSetting(f"The file holds {len(found):,} prompts, and at most {MOST_PROMPTS} are taken.")
    return found


def _prompt(number: int, line: str) -> str:
    if line.lstrip()[0] not in '{"':
        return line.strip()
    try:
        read = json.loads(line)
    except ValueError:
        # A line of prose may well begin with a quotation mark.
        return line.strip()
    prompt = read.get("prompt") if isinstance(read, dict) else read
    if not isinstance(prompt, str) or not prompt.strip():
        raise BadSetting(f'Line {number} needs a text under "prompt".')
    return prompt.strip()


async def bench(
    models: Sequence[tuple[Backend, str]], prompts: Sequence[str], sampling: Sampling
) -> AsyncGenerator[Row]:
    """Every prompt to every model: the models side by side, each its prompts one after the other."""
    async with aclosing(together([_rows(backend, model, prompts, sampling) for backend, model in models])) as rows:
        async for _, row in rows:
            yield row


async def _rows(backend: Backend, model: str, prompts: Sequence[str], sampling: Sampling) -> AsyncGenerator[Row]:
    for prompt in prompts:
        yield await _row(backend, model, prompt, sampling)


async def _row(backend: Backend, model: str, prompt: str, sampling: Sampling) -> Row:
    choice = f"{backend.name}/{model}"
    try:
        conversation = ask((), prompt)
        async with aclosing(converse(backend, model, conversation, sampling=sampling)) as events:
            async for event in events:
                conversation = add(conversation, event)
    except AppError as error:
        return Row(choice, prompt, error=str(error))
    last = conversation[-1]
    return Row(choice, prompt, last.text, last.done or Done())


_ROW = TypeAdapter(Row)


def line_of(row: Row) -> str:
    """The row as one line of a file, which `rows_of` reads."""
    return _ROW.dump_json(row, exclude_defaults=True).decode() + "\n"


def rows_of(text: str) -> tuple[Row, ...]:
    """The rows of such a file, a last line that is still being written left out."""
    whole, _, _ = text.rpartition("\n")
    return tuple(_ROW.validate_json(line) for line in whole.splitlines())


@dataclass(frozen=True, slots=True)
class Summary:
    """One model of the bench: medians over its answers, and the cost of all of them (None where no price is known)."""

    choice: str
    answers: int
    failures: int
    seconds_to_first_token: float | None
    tokens_per_second: float | None
    output_tokens: float | None
    seconds: float | None
    cost: float | None


def summaries(rows: Iterable[Row]) -> list[Summary]:
    """The table of the bench, the model with the shortest median time first."""
    of: dict[str, list[Row]] = {}
    for row in rows:
        of.setdefault(row.choice, []).append(row)
    found = [_summary(choice, own) for choice, own in of.items()]
    return sorted(found, key=lambda model: (model.seconds is None, model.seconds or 0))


def _summary(choice: str, rows: list[Row]) -> Summary:
    done = [row.done for row in rows if not row.error]
    costs = [answer.cost for answer in done if answer.cost is not None]
    return Summary(
        choice,
        len(done),
        len(rows) - len(done),
        _median(answer.seconds_to_first_token for answer in done),
        _median(answer.tokens_per_second for answer in done),
        _median(answer.output_tokens for answer in done),
        _median(answer.seconds for answer in done),
        sum(costs) if costs and len(costs) == len(done) else None,
    )


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


MEASURES = ("seconds_to_first_token", "seconds", "tokens_per_second", "input_tokens", "output_tokens", "cost")


def as_csv(rows: Iterable[Row]) -> str:
    """Every answer of the bench as a table for a spreadsheet."""
    told = (
        {"model": row.choice, "prompt": row.prompt, "answer": row.answer, "error": row.error}
        | {name: getattr(row.done, name) for name in MEASURES}
        for row in rows
    )
    return table_of(("model", "prompt", *MEASURES, "error", "answer"), told)


def table_of(names: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """CSV. A spreadsheet runs what begins like a formula, and these texts come from models: they get a quote mark."""
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _harmless(value) for name, value in row.items()} for row in rows)
    return out.getvalue()


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
