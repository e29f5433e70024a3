"""A conversation as text, exactly as `chat_template.jinja` writes it, many times faster; a test compares the two."""

import json
from typing import Any

JSON = json.JSONEncoder(ensure_ascii=False).encode


def kind(p: dict[str, Any]) -> str:
    """The type of a parameter in few letters."""
    if "enum" in p:
        return "|".join(JSON(e) for e in p["enum"])
    if "anyOf" in p:
        return kind(next(q for q in p["anyOf"] if q.get("type") != "null"))
    if p.get("type") == "array" and "items" in p:
        return f"[{kind(p['items'])}]"
    return str(p.get("type", "any"))


def signature(tool: dict[str, Any]) -> str:
    """One line for a tool: name, parameters, description."""
    f = tool["function"]
    needed = f["parameters"].get("required", [])
    parts = []
    for name, p in f["parameters"]["properties"].items():
        described = f" - {p['description']}" if p.get("description") else ""
        parts.append(f"{name}{'' if name in needed else '?'}: {kind(p)}{described}")
    return f"{f['name']}({'; '.join(parts)})" + (f": {f['description']}" if f["description"] else "")


def called(f: dict[str, Any]) -> str:
    """A tool call in Hermes form."""
    return f'<tool_call>{{"name": {JSON(f["name"])}, "arguments": {JSON(f["arguments"])}}}</tool_call>'


def render(dialogue: dict[str, Any]) -> str:
    """The whole conversation; the model is trained on what follows each <|assistant|>, up to its <|end|>."""
    messages = dialogue["messages"]
    tools = "<|tools|>" + "\n".join(signature(t) for t in dialogue["tools"]) + "<|end|>" if dialogue["tools"] else ""
    out = []
    if messages[0]["role"] == "system":
        out.append(f"<|system|>{messages[0]['content']}<|end|>")
        messages = messages[1:]
    out.append(tools)
    for m in messages:
        out.append(
            f"<|{m['role']}|>{m['content']}{''.join(called(c['function']) for c in m.get('tool_calls', ()))}<|end|>"
        )
    return "".join(out)
