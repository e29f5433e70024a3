"""What a model gives each token that may come next: one forward pass, its scores untouched."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

from backends._local import LABEL
from backends._local.load import Loaded
from backends._local.prompt import written
from backends._local.words import spell
from core.errors import BadSetting, ContextTooLong
from core.llm import KNOBS, Message, Sampling
from core.sampling import Pick, Scores


def predicted(there: Loaded, prompt: str, answer: tuple[Pick, ...], raw: bool) -> Scores:
    """The scores after `answer`. Raises ContextTooLong, and BadSetting where there is nothing to go on from."""
    text = prompt if raw else written(there.tokenizer, (Message("user", prompt),), (), None)
    said = [pick.id for pick in answer]
    size = there.model.get_input_embeddings().num_embeddings
    if any(not 0 <= id < size for id in said):
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
    import torch

    with torch.inference_mode():
        found = model(torch.tensor([ids], device=model.device), use_cache=False, logits_to_keep=1).logits
    return found[0, -1].float().cpu().numpy()


def _own(defaults: dict[str, Any]) -> Sampling:
    """The model's own settings that are knobs here. A top-k of 0 means none."""
    knobs = {name: value for name, value in defaults.items() if name in KNOBS and value}
    return Sampling.of(knobs)
