"""What a model gives each token that may come next: one forward pass, its scores untouched."""

from __future__ import annotations

from collections import Counter
from functools import partial
from inspect import signature
from typing import Any

from backends._local import LABEL
from backends._local.load import Loaded
from backends._local.prompt import written
from backends._local.words import spell
from core.errors import BadSetting, ContextTooLong
from core.llm import KNOBS, Message
from core.sampling import Pick, Scores


def predicted(there: Loaded, prompt: str, answer: tuple[Pick, ...], raw: bool) -> Scores:
    """The scores after `answer`. Raises ContextTooLong, and BadSetting where there is nothing to go on from."""
    text = prompt if raw else written(there.tokenizer, (Message("user", prompt),), (), None)
    said = [pick.id for pick in answer]
    size = there.model.get_input_embeddings().num_embeddings
    if any(not 0 <= one < size for one in said):
        raise BadSetting("The answer so far is of another model. Start it anew.")
    # A template writes the special tokens itself; a bare text gets those that the model saw before every text.
    ids = [*there.tokenizer(text, add_special_tokens=raw).input_ids, *said]
    if not ids:
        raise BadSetting("The prompt is empty.")
    if there.files.context_window and len(ids) >= there.files.context_window:
        raise ContextTooLong(LABEL)
    return Scores(
        logits=_logits(there.model, ids),
        spell=partial(spell, there.tokenizer),
        seen=frozenset(ids),
        counts=Counter(said),
        own=_own(there.defaults),
        samples=bool(there.defaults.get("do_sample")),
    )


def _logits(model: Any, ids: list[int]) -> Any:
    """One float32 for each entry of the vocabulary, as `generate` computes them."""
    import torch

    # Models that do not know the argument compute the scores of every position, of which the last is wanted.
    only_last = {"logits_to_keep": 1} if "logits_to_keep" in signature(model.forward).parameters else {}
    with torch.inference_mode():
        found = model(torch.tensor([ids], device=model.device), use_cache=False, **only_last).logits
    return found[0, -1].float().cpu().numpy()


def _own(defaults: dict[str, Any]) -> dict[str, Any]:
    """The model's own settings that are knobs here; its temperature holds only where it samples by itself."""
    own = {name: value for name, value in defaults.items() if name in KNOBS and value}
    return own if defaults.get("do_sample") else {name: v for name, v in own.items() if name != "temperature"}
