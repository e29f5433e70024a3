"""What a Claude model takes: from what the account's own list says of it, and from LangChain's profile.

The list knows thinking, effort and limits, the profile whether sampling is taken. Where neither tells, nothing is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.catalogue import profile
from core.errors import BadSetting
from core.llm import Sampling

SAMPLING = frozenset({"temperature", "top_p", "top_k"})
# Every model since Claude 4 writes at least this much.
MODEST_OUTPUT = 8192
LEVELS = ("low", "medium", "high", "xhigh", "max")


@dataclass(frozen=True, slots=True)
class Facts:
    """About one model. `display`: whether it must be asked to show what it thinks."""

    tools: bool
    structured: bool
    adaptive: bool
    display: bool
    disabled: bool
    sampling: bool
    efforts: tuple[str, ...]
    context_window: int | None
    max_output: int | None
    retires: str


def facts(model: str, listed: Mapping[str, Any]) -> Facts:
    """`listed` is the model's entry in the account's list, empty where that was not read."""
    known = profile("langchain_anthropic", model)
    can: Mapping[str, Any] = listed.get("capabilities") or {}
    effort, types = can.get("effort") or {}, (can.get("thinking") or {}).get("types") or {}
    efforts = tuple(known.get("reasoning_effort_levels") or ())
    if effort:
        efforts = tuple(level for level in LEVELS if _yes(effort.get(level)))
    return Facts(
        tools=bool(known.get("tool_calling", True)),
        structured=_yes(can["structured_outputs"])
        if can.get("structured_outputs")
        else bool(known.get("structured_output")),
        # Effort up to "max" came with adaptive thinking, "xhigh" with thinking that is hidden unless asked for.
        adaptive=_yes(types.get("adaptive")) if types else "max" in efforts,
        display="xhigh" in efforts,
        disabled=_yes(types.get("disabled")),
        sampling=bool(known.get("temperature")),
        efforts=efforts,
        context_window=listed.get("max_input_tokens") or known.get("max_input_tokens"),
        max_output=listed.get("max_tokens") or known.get("max_output_tokens"),
        retires=str(listed.get("retires_at") or "")[:10],
    )


def _yes(capability: Any) -> bool:
    return isinstance(capability, Mapping) and bool(capability.get("supported"))


def takes(about: Facts) -> frozenset[str]:
    """The knobs that the model takes."""
    return (
        frozenset({"max_tokens", "stop"})
        | (SAMPLING if about.sampling else frozenset())
        | ({"effort"} if about.efforts else frozenset())
    )


def reason(about: Facts, knob: str) -> str:
    """Why the model does not take a knob."""
    if knob in SAMPLING:
        return "This model chooses its own sampling."
    return "This model has no levels of effort." if knob == "effort" else "Claude does not take it."


def knobs(about: Facts, sampling: Sampling) -> dict[str, Any]:
    """The knobs as fields of a request. Raises BadSetting where Claude's range is narrower than the slider's."""
    given = sampling.only(takes(about))
    by_hand = {name: value for name, value in given.given().items() if name in SAMPLING}
    _check(by_hand)
    request: dict[str, Any] = {"max_tokens": _max_tokens(about, given.max_tokens)}
    if given.stop:
        request["stop_sequences"] = list(given.stop)
    if by_hand:
        # The SDK's functions have lost these three; the API takes them from the models that still sample.
        request["extra_body"] = by_hand
    request |= _thinking(about, given.effort, bool(by_hand))
    return request


def _max_tokens(about: Facts, given: int | None) -> int:
    most = about.max_output or MODEST_OUTPUT
    return min(given or most, most)


def _check(by_hand: Mapping[str, Any]) -> None:
    if by_hand.get("temperature", 0) > 1:
        raise BadSetting("Claude takes a temperature of at most 1.")
    if {"temperature", "top_p"} <= by_hand.keys():
        raise BadSetting("Claude takes temperature or top p, not both: set one of them back to its default.")


def _thinking(about: Facts, effort: str | None, by_hand: bool) -> dict[str, Any]:
    """Adaptive thinking where the model has it, unless the user turned it off, or set sampling, which excludes it."""
    request: dict[str, Any] = {}
    if effort == "none" and about.disabled:
        request["thinking"] = {"type": "disabled"}
    elif effort == "none":
        # Only the models that hide their thinking think without being asked; the least of it is what can be had.
        request |= {"output_config": {"effort": "low"}} if about.display else {}
    elif effort is not None:
        request["output_config"] = {"effort": effort}
    if about.adaptive and effort != "none" and not by_hand:
        request["thinking"] = {"type": "adaptive"} | ({"display": "summarized"} if about.display else {})
    return request
