"""The hand-written cases as conversations: what the model is shown for each file of `evaluation/`."""

import json
import re
from pathlib import Path
from typing import Any

from starter.data.passages import INSTRUCTION
from starter.data.site import CHOOSE, WRITE

CASES = Path(__file__).parent / "evaluation"
Case = dict[str, Any]
Reply = dict[str, Any]


def read(file: str) -> list[Case]:
    """All cases of a file."""
    return [json.loads(x) for x in (CASES / f"{file}.jsonl").read_text(encoding="utf-8").splitlines()]


def parsed_tool(line: str) -> dict[str, Any]:
    """`name(a: string, b?: enum(x,y)): description.` as an OpenAI-style tool."""
    name, inside, description = re.fullmatch(r"(\w+)\((.*)\): (.*)", line).groups()  # type: ignore[union-attr]
    properties: dict[str, Any] = {}
    required = []
    for key, optional, kind in re.findall(r"(\w+)(\??): (enum\([^)]*\)|\[\w+\]|\w+)", inside):
        properties[key] = {"type": kind}
        if kind.startswith("enum"):
            properties[key] = {"type": "string", "enum": kind[5:-1].split(",")}
        if kind.startswith("["):
            properties[key] = {"type": "array", "items": {"type": kind[1:-1]}}
        required += [] if optional else [key]
    parameters = {"type": "object", "properties": properties, "required": required}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


def app_tools() -> dict[str, Any]:
    """The app's tools by name."""
    tools: dict[str, Any] = json.loads((CASES / "tools.json").read_text(encoding="utf-8"))
    return tools


def called(*calls: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """An assistant message with these calls."""
    made = [{"type": "function", "function": {"name": n, "arguments": a}} for n, a in calls]
    return {"role": "assistant", "content": "", "tool_calls": made}


def fare_call(pair: list[str]) -> tuple[str, dict[str, Any]]:
    """The call for a pair of cities."""
    return "get_ticket_price", dict(zip(("origin", "destination"), pair, strict=True))


def numbered(passages: list[str]) -> str:
    """The passages as a prompt or a search shows them."""
    return "\n\n".join(f"[{i}] {p}" for i, p in enumerate(passages, 1))


def conversation(file: str, case: Case) -> tuple[list[Reply], list[Any]]:
    """Messages and tools for a case; the author of those in `blind_` files had seen neither the data nor the others."""
    file = file.removeprefix("blind_")
    tools = [app_tools()[n] for n in ("get_ticket_price", "current_time", "calculate")]
    user = {"role": "user", "content": case.get("user", "")}
    if file == "flights_follow":
        a, b = case["before"]
        fare = json.dumps({"origin": a, "destination": b, "price": 641, "currency": "USD", "note": "sample data"})
        said = f"A one-way flight from {a} to {b} costs 641 USD (sample data)."
        first = {"role": "user", "content": f"How much is a flight from {a} to {b}?"}
        result = {"role": "tool", "content": fare}
        return [first, called(fare_call([a, b])), result, {"role": "assistant", "content": said}, user], tools
    if file == "results":
        results = [{"role": "tool", "content": r} for r in case["results"]]
        return [user, called(*((n, a) for n, a in case["calls"])), *results], offered(case, tools)
    if file.startswith("schemas"):
        lines = list(dict.fromkeys([x["tool"] for x in read("schemas")] + [case["tool"]]))
        at = lines.index(case["tool"])
        return [user], [parsed_tool(lines[(at + i) % len(lines)]) for i in (7, 0, 13)]
    if file in ("passages", "markdown", "tables"):
        asked = f"{INSTRUCTION}\n\n{numbered(case['passages'])}\n\nQuestion: {case['question']}"
        return [{"role": "user", "content": asked}], []
    if file.startswith("search"):
        tools = [*tools, app_tools()["search_knowledge_base"]]
        search = called(("search_knowledge_base", {"query": case["user"]}))
        results = [search, {"role": "tool", "content": numbered(case["passages"])}] if "passages" in case else []
        return [user, *results], tools
    if file == "colons":
        return [user, called(*map(tuple, case["calls"])), {"role": "tool", "content": case["results"][0]}], offered(
            case, tools
        )
    if file == "brochures":
        pages = "\n\n".join(f"Page: {title}\n{text}" for title, text in case["pages"])
        return [{"role": "user", "content": f"{WRITE}\n\nCompany: {case['company']}\n\n{pages}"}], []
    if file == "links":
        listed = "\n".join(f"- {text}: {url}" for text, url, _ in case["links"])
        return [{"role": "user", "content": f"{CHOOSE}\n\nLinks of {case['site']}:\n{listed}"}], []
    return [
        *([{"role": "user", "content": "hi"}, {"role": "assistant", "content": "Hello!"}] if case.get("after") else []),
        user,
    ], tools


def offered(case: Case, tools: list[Any]) -> list[Any]:
    """The app's tools, and a description of any other that the case has called."""
    known = {t["function"]["name"] for t in tools}
    extra = []
    for name, arguments in case["calls"]:
        if name not in known:
            kinds = ", ".join(f"{k}: {'string' if isinstance(v, str) else 'number'}" for k, v in arguments.items())
            extra.append(parsed_tool(f"{name}({kinds}): {name.replace('_', ' ').capitalize()}."))
    return tools + extra
