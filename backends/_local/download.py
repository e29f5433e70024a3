"""Bringing a model from the Hub to this machine, in a process of its own: only a process can be stopped at any moment.

The child prints one JSON object per line: {"done": bytes, "total": bytes}, the last with "whole": true, or
{"error": kind}.
"""

from __future__ import annotations

import asyncio
import errno
import json
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from backends._local import LABEL
from backends._local.files import is_hub_id
from core.errors import BadReply, KeyRefused, ModelMissing, ProviderError, RequestRefused, Unreachable
from core.llm import Progress
from core.streams import paced

_HUB = "The Hugging Face Hub"
_WANTED = ("*.json", "*.safetensors", "*.jinja", "*.txt", "*.model")
_UNWANTED = (
    "*/*",
    "consolidated*",
)  # Other frameworks' copies in sub-folders, and Mistral's second copy of the weights.


async def download(model: str) -> AsyncGenerator[Progress]:
    """Progress of the download of `model`, a Hub id; the last has fraction 1. Closing this stops the download.

    What had come stays on the disk, and the next download goes on from there. Raises ProviderError.
    """
    if not is_hub_id(model):
        raise ModelMissing(
            LABEL, "Type a Hub id (owner/name).", "Only models of the Hugging Face Hub can be downloaded."
        )
    yield Progress(f"Asking the Hub for {model}", 0.0)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, model, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    whole = False
    try:
        async with aclosing(paced(_lines(child), _HUB)) as lines:
            async for line in lines:
                whole = line.get("whole", False)
                yield _progress(model, line)
    finally:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()
    if not whole:
        raise _said("failed", model)
    yield Progress(f"{model} is on this machine", 1.0)


async def _lines(child: asyncio.subprocess.Process) -> AsyncIterator[dict[str, Any]]:
    assert child.stdout is not None  # noqa: S101  asked for above; tells the type checker
    while line := await child.stdout.readline():
        yield json.loads(line)


def _progress(model: str, line: dict[str, Any]) -> Progress:
    if "error" in line:
        raise _said(line["error"], model)
    done, total = line["done"], line["total"]
    # A whole fraction is kept for the end, when every file has its name.
    return Progress(f"Downloading {model}: {done / 1e6:,.0f} of {total / 1e6:,.0f} MB", min(done / max(total, 1), 0.99))


def _said(kind: str, model: str) -> ProviderError:
    errors: dict[str, ProviderError] = {
        "gated": KeyRefused(
            LABEL,
            "Accept them on its page there and set HF_TOKEN.",
            f"The Hub gives {model} only to those who accepted its terms.",
        ),
        "missing": ModelMissing(LABEL, "Check the name, or set HF_TOKEN if it is private.", f"The Hub has no {model}."),
        "offline": Unreachable(_HUB, "Check the network and that HF_HUB_OFFLINE is not set."),
        "pickle": RequestRefused(LABEL, "Choose a model with safetensors files.", f"{model} has no safetensors files."),
        "full": RequestRefused(
            LABEL, "Free some space, or choose a smaller model.", f"The disk is too full for {model}."
        ),
    }
    return errors.get(kind) or BadReply(_HUB, "Try again.", f"The download of {model} failed.")


# --- the child --------------------------------------------------------------------------------------------------------


def _fetch(model: str) -> None:
    from huggingface_hub import HfApi, hf_hub_download
    from tqdm import tqdm

    siblings = HfApi().model_info(model, files_metadata=True, timeout=10).siblings or []
    wanted = {s.rfilename: s.size or 0 for s in siblings if _needed(s.rfilename)}
    if not any(name.endswith(".safetensors") for name in wanted):
        _tell(error="pickle")
        return
    total, before = sum(wanted.values()), 0

    class Bar(tqdm):  # type: ignore[misc]
        """What huggingface_hub counts of one file, told as a share of all."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **{k: v for k, v in options.items() if k != "name"} | {"disable": True})
            self.told = before + (options.get("initial") or 0)

        def update(self, n: float | None = 1) -> None:
            self.told += int(n or 0)
            _tell(done=self.told, total=total)

    for name, size in wanted.items():
        hf_hub_download(model, name, tqdm_class=Bar)
        before += size
        _tell(done=before, total=total)
    _tell(done=total, total=total, whole=True)


def _needed(name: str) -> bool:
    return any(fnmatch(name, p) for p in _WANTED) and not any(fnmatch(name, p) for p in _UNWANTED)


def _tell(**line: Any) -> None:
    print(json.dumps(line), flush=True)  # noqa: T201  this is how a child speaks


def _kind(error: Exception) -> str:
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return "gated"
    if isinstance(error, errors.RepositoryNotFoundError):
        return "missing"
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "full"
    if isinstance(error, errors.OfflineModeIsEnabled | errors.LocalEntryNotFoundError | OSError):
        return "offline"
    names = {kind.__name__ for kind in type(error).__mro__}
    return "offline" if names & {"TransportError", "ConnectError", "TimeoutException"} else "failed"


if __name__ == "__main__":
    try:
        _fetch(sys.argv[1])
    except Exception as error:
        # Whatever huggingface_hub raises must reach the parent as a word; the text goes to the log.
        print(error, file=sys.stderr)  # noqa: T201
        _tell(error=_kind(error))
