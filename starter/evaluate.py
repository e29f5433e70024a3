"""How good the model is on hand-written cases: `python -m starter.evaluate [--model DIR]` prints the table.

The cases in `evaluation/` were written before the training data was tuned and share no sentence form with it. Plain
greedy decoding, no grammar: what the table says is what the weights alone do.
"""

import argparse
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from starter import PATH
from starter.cases import Case, Reply, conversation, fare_call, read
from starter.data.passages import UNKNOWN
from starter.data.talk import NAME


@dataclass(frozen=True)
class Check:
    """One row of the table: a share of the cases in a file, and the share aimed for."""

    name: str
    file: str
    target: float
    passed: Callable[[Case, Reply], bool | None]  # None: the case says nothing about this row.


def plain(value: Any) -> Any:
    """For comparison: capitals, spaces and 4 against 4.0 do not count."""
    if isinstance(value, str):
        return re.sub(r"\s+", "", value).casefold()
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def calls(reply: Reply) -> list[tuple[str, dict[str, Any]]]:
    """Name and arguments of each call in the reply."""
    return [(c["function"]["name"], c["function"]["arguments"]) for c in reply.get("tool_calls") or []]


def text(reply: Reply) -> str:
    """The reply's words."""
    return str(reply.get("content") or "")


def same(reply: Reply, *wanted: tuple[str, dict[str, Any]]) -> bool:
    """Whether the reply makes exactly these calls."""
    return bool(plain([list(c) for c in calls(reply)]) == plain([list(w) for w in wanted]))


def called_rightly(case: Case, reply: Reply) -> bool:
    """Whether the reply calls the case's tool with its arguments, and nothing else."""
    return same(reply, (case["tool"].split("(")[0], case["call"]))


def exact(case: Case, reply: Reply) -> bool:
    """Numbers and names of the result are in the sentence, and no number that is not in results or calls."""
    said, given = text(reply), " ".join(case["results"]) + json.dumps(case["calls"]) + case["user"]
    numbers = re.findall(r"\d+(?:[.,]\d+)*", said)
    return all(h in said for h in case["has"]) and all(
        n in given for n in numbers if len(case["results"]) < 2 or n not in "12345"
    )


def asks(case: Case, reply: Reply) -> bool:
    """Whether the reply asks for what is missing, and calls nothing."""
    said = text(reply).casefold()
    wanted = {"from": "from?", "to": "to?", "both": "between?"}[case["asks"]]
    return not calls(reply) and said.endswith(wanted)


def cited(case: Case, reply: Reply) -> bool | None:
    """Whether the right passage is cited."""
    return None if case["gold"] is None else f"[{case['cite']}]" in text(reply)


def has_gold(case: Case, reply: Reply) -> bool | None:
    """Whether the span that answers is in the reply, where there is one."""
    return case["gold"] in text(reply) if case["gold"] else None


def left_open(case: Case, reply: Reply) -> bool | None:
    """Whether the reply says that nothing fits, where nothing does."""
    return text(reply) == UNKNOWN if case["gold"] is None else None


def wants(case: Case, reply: Reply) -> bool:
    """Whether the reply names what is missing, and calls nothing."""
    return not calls(reply) and all(n in text(reply) for n in case["needs"])


def links_right(case: Case, reply: Reply) -> bool:
    """Whether exactly the good links were chosen, in order."""
    try:
        chosen = [x["url"] for x in json.loads(text(reply))["links"]]
    except (ValueError, KeyError, TypeError):
        return False
    return chosen == [url for _, url, good in case["links"] if good]


def no_invented_link(case: Case, reply: Reply) -> bool:
    """Whether every link in the reply is one of the page's."""
    return all(u in [url for _, url, _ in case["links"]] for u in re.findall(r'"url": "([^"]*)"', text(reply)))


def small_talk(case: Case, reply: Reply) -> bool | None:
    """Whether the reply begins as it should."""
    starts = {"hello": "Hello!", "thanks": "You are welcome", "who": f"{NAME}:", "can": f"{NAME}. I can"}
    return None if case["kind"] == "out" else not calls(reply) and text(reply).startswith(starts[case["kind"]])


def plain_brochure(case: Case, reply: Reply) -> bool:
    """Whether the brochure has the titles and first sentences of the pages, and nothing that is not theirs."""
    said, pages = text(reply), " ".join(t for _, t in case["pages"])
    heads = [f"# {case['company']}", *(f"## {title}" for title, _ in case["pages"])]
    lines = [x for x in said.splitlines() if x.strip()]
    body = " ".join(x for x in lines if not x.startswith("#"))
    sentences = re.split(r"(?<=[.!?]) ", body)
    right = all(h in lines for h in heads) and all(h in said for h in case["has"])
    return right and all(s in pages for s in sentences) and not any(n in said for n in case["not"])


def searched(case: Case, reply: Reply) -> bool:
    """Whether the reply is one search with the question's words."""
    made = calls(reply)
    query = str(made[0][1].get("query", "")) if made else ""
    return [n for n, _ in made] == ["search_knowledge_base"] and all(plain(x) in plain(query) for x in case["words"])


def told(case: Case, reply: Reply) -> bool:
    """Whether what was found is told: the gold span with its number, or that nothing fits."""
    if case["gold"] is None:
        return text(reply) == UNKNOWN
    return case["gold"] in text(reply) and f"[{case['cite']}]" in text(reply)


def reported(case: Case, reply: Reply) -> bool:
    """Whether the result is told once, word for word."""
    return all(text(reply).count(h) == 1 for h in case["has"]) and len(text(reply)) < len(case["results"][0]) + 32


CHECKS = (
    Check("flights: the right call", "flights", 0.97, lambda c, r: [n for n, _ in calls(r)] == ["get_ticket_price"]),
    Check("flights: arguments exact, unseen places", "flights", 0.97, lambda c, r: same(r, fare_call(c["call"]))),
    Check("flights: letters of other languages", "letters", 0.97, lambda c, r: same(r, fare_call(c["call"]))),
    Check("flights: capitals and slips of the finger", "shouted", 0.97, lambda c, r: same(r, fare_call(c["call"]))),
    Check("two calls in a turn", "flights_two", 0.95, lambda c, r: same(r, *(fare_call(p) for p in c["calls"]))),
    Check("follow-ups", "flights_follow", 0.90, lambda c, r: same(r, fare_call(c["call"]))),
    Check("asks for the missing city", "flights_ask", 0.95, asks),
    Check("time and sums: the right call", "app_tools", 0.97, lambda c, r: [n for n, _ in calls(r)] == [c["call"][0]]),
    Check("time and sums: arguments exact", "app_tools", 0.97, lambda c, r: same(r, tuple(c["call"]))),
    Check("several tools, functions, capitals; or none", "mixed", 0.95, lambda c, r: same(r, *map(tuple, c["calls"]))),
    Check("search: called with the question's words", "search", 0.95, searched),
    Check(
        "search offered: rightly not called",
        "search_other",
        0.97,
        lambda c, r: [n for n, _ in calls(r)] == [x for x in [c["tool"]] if x],
    ),
    Check("search: what was found is told and cited", "search_answer", 0.90, told),
    Check("search, more: what was found is told and cited", "search_found", 0.90, told),
    Check("results with colons told once", "colons", 1.00, reported),
    Check("results: numbers and names exact", "results", 1.00, exact),
    Check("unseen schema: the right call", "schemas", 0.85, called_rightly),
    Check("unseen schema, more", "schemas_more", 0.85, called_rightly),
    Check("unseen schema: rightly no call", "schemas_none", 0.97, lambda c, r: not calls(r)),
    Check("unseen schema: asks what is missing", "schemas_ask", 0.95, wants),
    Check("unseen schema, more: asks what is missing", "schemas_want", 0.95, wants),
    Check(
        "out of scope: says what it is",
        "chat",
        0.97,
        lambda c, r: (not calls(r) and NAME in text(r)) if c["kind"] == "out" else None,
    ),
    Check("greetings, thanks, who, what", "chat", 0.97, small_talk),
    Check("passages: has the gold span", "passages", 0.80, has_gold),
    Check("passages: cites the right one", "passages", 0.90, cited),
    Check("passages: does not say", "passages", 0.90, left_open),
    Check("Markdown passages: has the gold span", "markdown", 0.80, has_gold),
    Check("Markdown passages: cites the right one", "markdown", 0.90, cited),
    Check("Markdown passages: does not say", "markdown", 0.90, left_open),
    Check("wide tables: has the gold span", "tables", 0.80, has_gold),
    Check("wide tables: cites the right one", "tables", 0.90, cited),
    Check("wide tables: does not say", "tables", 0.90, left_open),
    Check("blind search: what was found is told and cited", "blind_search_found", 0.90, told),
    Check("blind unseen schema", "blind_schemas_more", 0.85, called_rightly),
    Check("blind unseen schema: asks what is missing", "blind_schemas_want", 0.95, wants),
    Check("blind passages: has the gold span", "blind_passages", 0.80, has_gold),
    Check("blind passages: cites the right one", "blind_passages", 0.90, cited),
    Check("blind passages: does not say", "blind_passages", 0.90, left_open),
    Check("blind Markdown passages: has the gold span", "blind_markdown", 0.80, has_gold),
    Check("blind Markdown passages: cites the right one", "blind_markdown", 0.90, cited),
    Check("blind Markdown passages: does not say", "blind_markdown", 0.90, left_open),
    Check("brochures: only sentences of the pages", "brochures", 0.90, plain_brochure),
    Check("links: exactly the right ones", "links", 0.80, links_right),
    Check("links: none invented", "links", 1.00, no_invented_link),
)


class Model:
    """The weights with greedy decoding, several prompts at a time."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval().to(self.device)

    def replies(self, asked: list[tuple[list[Reply], list[Any]]], most: int = 160) -> list[Reply]:
        """One parsed reply for each (messages, tools)."""
        render = self.tokenizer.apply_chat_template
        prompts = [render(m, tools=t or None, add_generation_prompt=True, tokenize=False) for m, t in asked]
        order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))  # Alike in length: little padding.
        found: dict[int, Reply] = {}
        many = 64 if self.device == "cuda" else 16
        for at in range(0, len(prompts), many):
            chosen = order[at : at + many]
            batch = self.tokenizer([prompts[i] for i in chosen], padding=True, return_tensors="pt").to(self.device)
            out = self.model.generate(**batch, max_new_tokens=most, do_sample=False)
            for i, ids in zip(chosen, out[:, batch["input_ids"].shape[1] :], strict=True):
                found[i] = self.parse(prompts[i], ids)
        return [found[i] for i in range(len(prompts))]

    def parse(self, prompt: str, ids: Any) -> Reply:
        raw = self.tokenizer.decode(ids).replace("<|pad|>", "")
        try:
            reply: Reply = self.tokenizer.parse_response(self.tokenizer.encode(raw), prefix=prompt)
        except ValueError:
            reply = {"role": "assistant", "content": raw}
        return reply


def evaluate(folder: Path, show: bool = False, only: frozenset[str] = frozenset()) -> dict[str, tuple[int, int]]:
    """Passed and counted cases for every check, or for those on some files."""
    model, answers = Model(folder), {}
    checks = [c for c in CHECKS if not only or c.file in only]
    for file in dict.fromkeys(c.file for c in checks):
        cases = read(file)
        answers[file] = list(zip(cases, model.replies([conversation(file, c) for c in cases]), strict=True))
    table = {}
    for check in checks:
        marks = [(c, r, check.passed(c, r)) for c, r in answers[check.file]]
        table[check.name] = (sum(m is True for *_, m in marks), sum(m is not None for *_, m in marks))
        for case, reply, mark in marks:
            if show and mark is False:
                asked = case.get("user") or case.get("question") or case.get("site")
                print(f"[{check.name}] {asked!r}\n    -> {text(reply)!r} {calls(reply) or ''}")
    return table


def main() -> None:
    """Print the table."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--model", type=Path, default=PATH)
    p.add_argument("--only", default="", help="a file of cases, or several with commas")
    p.add_argument("--show", action="store_true", help="print the cases that failed")
    given = p.parse_args()
    table = evaluate(given.model, given.show, frozenset(given.only.split(",") if given.only else ()))
    print("| what | reached | aim |\n| --- | --- | --- |")
    for check in (c for c in CHECKS if c.name in table):
        right, count = table[check.name]
        print(f"| {check.name} | {right}/{count} = {right / max(1, count):.0%} | {check.target:.0%} |")


if __name__ == "__main__":
    main()
