"""What a model behind chat completions takes: from its server's row, and from the table of OpenAI's own models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.catalogue import UNKNOWN, Profile, profile
from core.llm import Sampling

if TYPE_CHECKING:
    from backends.openai import OpenAI

# What a reasoning model takes; the rest it refuses, or at best ignores (langchain_openai, `validate_temperature`).
WHILE_REASONING = frozenset({"max_tokens", "effort"})


def _in_table(server: OpenAI, model: str) -> bool:
    """Whether the server's table should know this model; on a server of many makers, OpenAI's own models only."""
    return bool(server.profiles) and ("/" not in model or model.startswith("openai/"))


def known(server: OpenAI, model: str) -> Profile:
    """The table's entry. A fine-tuned model has that of the model it was made from."""
    own = model.removeprefix("openai/").removeprefix("ft:")
    return profile(server.profiles, own) if _in_table(server, model) else UNKNOWN


def takes(server: OpenAI, model: str) -> frozenset[str]:
    """The knobs that the model takes. Of a model that the table should know and does not, next to nothing is sure."""
    entry, every = known(server, model), frozenset(server.knobs)
    if not _in_table(server, model):
        return every
    if not entry:
        return every & {"max_tokens"}
    taken = every if entry.get("temperature") else every & WHILE_REASONING
    return taken if _efforts(entry) else taken - {"effort"}


def reason(server: OpenAI, model: str, knob: str) -> str:
    """Why the model does not take a knob."""
    if knob not in server.knobs:
        return f"{server.label} does not take it."
    if not known(server, model):
        return "Nothing is known about this model yet, so its own setting holds."
    if knob == "effort":
        return "This model does not think before it answers."
    return "This model thinks before it answers, and chooses this itself."


def knobs(server: OpenAI, model: str, sampling: Sampling) -> dict[str, Any]:
    """The knobs by the server's names."""
    names, given = dict(server.knobs), sampling.only(takes(server, model)).given()
    if efforts := _efforts(known(server, model)):
        names["max_tokens"] = "max_completion_tokens"
        # Models that take both take sampling only while they do not think.
        if given.keys() - WHILE_REASONING and given.setdefault("effort", "none") != "none":
            given = {knob: value for knob, value in given.items() if knob in WHILE_REASONING}
        if "effort" in given:
            given["effort"] = _nearest(given["effort"], efforts)
    return {names[knob]: value for knob, value in given.items() if knob in names}


def _efforts(entry: Profile) -> tuple[str, ...]:
    """The levels of thinking a model offers. Where the table has none, those that every reasoning model takes."""
    if levels := entry.get("reasoning_effort_levels"):
        return tuple(levels)
    return ("low", "medium", "high") if entry.get("reasoning_output") else ()


def _nearest(effort: str, efforts: tuple[str, ...]) -> str:
    """`effort`, or the least that a model offers which cannot do without thinking."""
    return effort if effort in efforts else "minimal" if "minimal" in efforts else "low"
