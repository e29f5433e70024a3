"""Models in memory: read once however many ask, the last few kept. What is kept never changes after it was made."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache
from typing import Any

from backends._local import LABEL
from backends._local.files import Files, files
from backends._local.forms import form
from backends._local.grammar import vocabulary
from backends._local.precision import check_memory, options, split
from backends._local.turns import Turns
from core.errors import AppError, BadReply, RequestRefused, SetupNeeded
from core.llm import Progress
from core.machine import reading, threads

log = logging.getLogger(__name__)

KEPT = 2  # Models in memory at once. One more makes the one that was not used for longest leave.

# Tokens that end a turn in chat templates whose generation settings forget to say so.
_TURN_ENDS = ("<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<end_of_turn>")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model that is ready. `memory` is its measured footprint in bytes, `ends` the ids of tokens that end an answer.

    `threads` is how many it runs on, `defaults` are the model's own generation settings; `grammar` makes the
    vocabulary that grammars need.
    """

    files: Files
    model: Any
    tokenizer: Any
    form: dict[str, Any]
    defaults: dict[str, Any]
    ends: list[int]
    memory: int
    threads: int
    turns: Turns
    grammar: Callable[[], Any]


_models: OrderedDict[str, Future[Loaded]] = OrderedDict()
_guard = threading.Lock()


def ready(name: str) -> Loaded | None:
    """The model `name` if it is in memory."""
    found = _models.get(name)
    return found.result() if found and found.done() and not found.exception() else None


def loading(name: str) -> Future[Loaded]:
    """The model `name`, read in a thread of its own if nobody has asked before. Raises what `files` raises."""
    files(split(name)[0])
    with _guard:
        if (found := _models.get(name)) is None:
            found = _models[name] = Future()
            _keep(KEPT)
            threading.Thread(target=_fill, args=(name, found), name=f"load {name}", daemon=True).start()
        _models.move_to_end(name)
        return found


async def loaded(name: str) -> AsyncGenerator[Progress | Loaded]:
    """Progress while the model is being read, and the model as the last item. Raises AppError.

    Who leaves does not stop the reading: others may be waiting for it too.
    """
    future = await asyncio.to_thread(loading, name)
    started = told = time.monotonic()
    while not future.done():
        await asyncio.sleep(0.02)
        if (now := time.monotonic()) - told > 1:
            yield Progress(f"Reading {name} ({now - started:.0f} s)")
            told = now
    yield future.result()


def _keep(count: int) -> None:
    while len(_models) > count:
        _models.popitem(last=False)


def _fill(name: str, future: Future[Loaded]) -> None:
    try:
        future.set_result(_read(name))
    except Exception as error:
        with _guard:
            _models.pop(name, None)
        if not isinstance(error, AppError):
            log.exception("loading %s failed", name)
        future.set_exception(error if isinstance(error, AppError) else _said(error))


def _make_room(found: Files, variant: str) -> None:
    """Raise RequestRefused when the model does not fit, also not without the others that are kept."""
    try:
        check_memory(found, variant)
    except RequestRefused:
        with _guard:
            _keep(1)  # This one: it was asked for last.
        gc.collect()
        check_memory(found, variant)


def _read(name: str) -> Loaded:
    from transformers import AutoTokenizer

    base, variant = split(name)
    found = files(base)
    _make_room(found, variant)
    tokenizer = AutoTokenizer.from_pretrained(found.folder, local_files_only=True, trust_remote_code=False)
    model = _model(found, variant)
    ends = _ends(model, tokenizer, found.template)
    defaults = _take_defaults(model, ends)
    size = model.get_input_embeddings().num_embeddings
    return Loaded(
        files=found,
        model=model,
        tokenizer=tokenizer,
        form=form(tokenizer, found.template),
        defaults=defaults,
        ends=ends,
        memory=model.get_memory_footprint(),
        threads=threads(model.num_parameters()),
        turns=Turns(model),
        grammar=cache(lambda: vocabulary(tokenizer, size, ends)),
    )


def _model(found: Files, variant: str) -> Any:
    from transformers import AutoModelForCausalLM

    # It warns of every conversion of every layer at every token.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    with reading:
        model, report = AutoModelForCausalLM.from_pretrained(
            found.folder,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
            **options(found, variant),
        )
    if report["missing_keys"]:
        raise BadReply(LABEL, "Download it again.", "The model's file lacks some of its weights.")
    return model.eval()


def _ends(model: Any, tokenizer: Any, template: str) -> list[int]:
    told = model.generation_config.eos_token_id
    ends = told if isinstance(told, list) else [told]
    named = [tokenizer.convert_tokens_to_ids(t) for t in _TURN_ENDS if t in template and t in tokenizer.get_vocab()]
    return sorted({end for end in (*ends, tokenizer.eos_token_id, *named) if end is not None})


def _take_defaults(model: Any, ends: list[int]) -> dict[str, Any]:
    """The model's own settings, taken out of it: `generate` would apply them a second time, after a user's."""
    from transformers import GenerationConfig

    names = ("do_sample", "temperature", "top_p", "top_k", "min_p", "repetition_penalty")
    defaults = {name: getattr(model.generation_config, name, None) for name in names}
    model.generation_config = GenerationConfig(eos_token_id=ends, pad_token_id=ends[0] if ends else 0)
    return defaults


def _said(error: Exception) -> AppError:
    """What went wrong while reading a model, in a sentence."""
    from safetensors import SafetensorError

    text = str(error)
    if isinstance(error, MemoryError) or "out of memory" in text.lower():
        return RequestRefused(
            LABEL, "Choose a smaller model or a smaller variant.", "There is not enough memory for it."
        )
    if isinstance(error, ImportError):
        return SetupNeeded("The model needs a Python package that is not installed. Choose another model.")
    if "trust_remote_code" in text:
        return RequestRefused(LABEL, "Choose another model.", "The model needs code of its own, which is not run here.")
    if "model type" in text or "Unrecognized" in text:
        return RequestRefused(
            LABEL, "Choose another model.", "The installed transformers does not know this architecture."
        )
    if isinstance(error, SafetensorError | ValueError | RuntimeError | KeyError | OSError):
        return BadReply(
            LABEL, "Download it again, or choose another one.", "The model's files are damaged or do not fit."
        )
    return BadReply(LABEL, "Choose another model.", "The model cannot be read.")
