"""How the next token is chosen: Sampling as a list of transformers' logits processors. Knows no model.

`generate` is always asked for the likeliest token. Chance comes from Gumbel noise, added last (argmax of logits plus
Gumbel noise is a draw from their softmax: Gumbel 1954), out of a generator of the call's own. transformers draws
from torch's global one, where a seed would hold for every other user too.
"""

from __future__ import annotations

from typing import Any

from core.llm import Sampling

KNOBS = frozenset(
    {"temperature", "top_p", "top_k", "min_p", "repetition_penalty", "max_tokens", "seed", "stop", "effort"}
)
REASONS = {
    "frequency_penalty": "Models in this process take a repetition penalty instead.",
    "presence_penalty": "Models in this process take a repetition penalty instead.",
}


def processors(sampling: Sampling, defaults: dict[str, Any], grammar: Any | None, device: str) -> list[Any]:
    """The processors in the order in which transformers applies its own; `defaults` are the model's own settings."""
    from transformers import RepetitionPenaltyLogitsProcessor, TemperatureLogitsWarper

    knobs = {name: value for name, value in defaults.items() if value is not None} | sampling.given()
    temperature = _temperature(sampling, defaults)
    chosen: list[Any] = []
    if knobs.get("repetition_penalty", 1.0) != 1.0:
        chosen.append(RepetitionPenaltyLogitsProcessor(knobs["repetition_penalty"]))
    if grammar is not None:
        chosen.append(grammar)
    if temperature > 0:
        if temperature != 1.0:
            chosen.append(TemperatureLogitsWarper(temperature))
        chosen += [*_fewer(knobs), _Gumbel(knobs.get("seed"), device)]
    return chosen


def _fewer(knobs: dict[str, Any]) -> list[Any]:
    """What takes tokens out of the draw, each only where it changes something."""
    from transformers import MinPLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

    chosen: list[Any] = []
    if knobs.get("top_k"):
        chosen.append(TopKLogitsWarper(knobs["top_k"]))
    if knobs.get("top_p", 1.0) < 1:
        chosen.append(TopPLogitsWarper(knobs["top_p"]))
    if knobs.get("min_p"):
        chosen.append(MinPLogitsWarper(knobs["min_p"]))
    return chosen


def _temperature(sampling: Sampling, defaults: dict[str, Any]) -> float:
    """0 for the likeliest token. A model that does not say that it samples does so only when asked by a knob."""
    if sampling.temperature is not None:
        return sampling.temperature
    if defaults.get("do_sample"):
        return float(defaults.get("temperature") or 1.0)
    asked = any(knob is not None for knob in (sampling.top_p, sampling.top_k, sampling.min_p))
    return 1.0 if asked else 0.0


class _Gumbel:
    """Adds Gumbel noise. -log of an exponential draw is such noise; a token with -inf stays impossible."""

    def __init__(self, seed: int | None, device: str) -> None:
        import torch

        self._generator = torch.Generator(device)
        if seed is None:
            self._generator.seed()
        else:
            self._generator.manual_seed(seed)

    def __call__(self, ids: Any, scores: Any) -> Any:
        import torch

        noise = torch.empty_like(scores).exponential_(generator=self._generator)
        return scores - noise.clamp_min(torch.finfo(scores.dtype).tiny).log()
