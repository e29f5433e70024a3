"""Bringing a model from the Hub to this machine, in a process of its own: only a process can be stopped at any moment.

The child prints one JSON object per line: {"done": bytes, "total": bytes}, the last with "whole": true, or
{"error": kind}.
"""

from __future__ import annotations

import asyncio
import errno
import json
import shutil
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any

from core.errors import BadReply, KeyRefused, ModelMissing, ProviderError, RequestRefused, Unreachable
from core.hub import HERE, is_hub_id
from core.llm import Progress
from core.streams import paced

_HUB = "The Hugging Face Hub"
_WANTED = ("*.json", "*.safetensors", "*.jinja", "*.txt", "*.model", "*.spm")
_UNWANTED = ("consolidated*",)  # Mistral's second copy of the weights.
# A part of a pipeline of several models has one of these in its folder; other folders are other frameworks' copies.
_PART = ("config.json", "scheduler_config.json", "tokenizer_config.json", "preprocessor_config.json")
_IDLE = 300  # Seconds without a byte after which a download is over: the wait for a byte is limited to far less.
_CONVERTER = "SFconvertbot"  # The Hub's own robot: it proposes each pickled model's weights as safetensors.


@dataclass(frozen=True, slots=True)
class Plan:
    """What a download would fetch: bytes by file, from which revision, and how many bytes the disk has left."""

    files: dict[str, int]
    revision: str
    free: int

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(self.files.values())


async def lookup(model: str, limit: float = 2.0) -> Plan:
    """What a download of `model` would fetch, asked within `limit` seconds. Raises ProviderError."""
    if not is_hub_id(model):
        raise _no_id()
    try:
        async with asyncio.timeout(limit):
            return await asyncio.to_thread(_plan, model, limit)
    except Exception as error:
        raise _said("offline" if isinstance(error, TimeoutError) else _kind(error), model) from error


async def download(model: str) -> AsyncGenerator[Progress]:
    """Progress of the download of `model`, a Hub id; the last has fraction 1. Closing this stops the download.

    Files that had come whole stay on the disk, and the next download goes on with the others: huggingface_hub begins
    each file anew in every process. Raises ProviderError.
    """
    if not is_hub_id(model):
        raise _no_id()
    yield Progress(f"Asking the Hub for {model}", 0.0)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, model, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[1]
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


def _no_id() -> ModelMissing:
    return ModelMissing(HERE, "Type a Hub id (owner/name).", "Only models of the Hugging Face Hub can be downloaded.")


def _said(kind: str, model: str) -> ProviderError:
    errors: dict[str, ProviderError] = {
        "gated": KeyRefused(
            HERE,
            "Accept them on its page there and set HF_TOKEN.",
            f"The Hub gives {model} only to those who accepted its terms.",
        ),
        "missing": ModelMissing(HERE, "Check the name, or set HF_TOKEN if it is private.", f"The Hub has no {model}."),
        "offline": Unreachable(_HUB, "Check the network and that HF_HUB_OFFLINE is not set."),
        "pickle": RequestRefused(HERE, "Choose a model with safetensors files.", f"{model} has no safetensors files."),
        "full": RequestRefused(
            HERE, "Free some space, or choose a smaller model.", f"The disk is too full for {model}."
        ),
    }
    return errors.get(kind) or BadReply(_HUB, "Try again.", f"The download of {model} failed.")


# --- the child --------------------------------------------------------------------------------------------------------


class _Unfit(Exception):
    """A download that must not begin, for the reason that `_said` knows."""


def _fetch(model: str) -> None:
    from huggingface_hub import hf_hub_download
    from tqdm import tqdm

    _sweep(model)
    plan = _plan(model, 10)
    if plan.free < plan.size - _here(model, plan):
        raise _Unfit("full")
    total, before = plan.size, 0

    class Bar(tqdm):  # type: ignore[misc]
        """What huggingface_hub counts of one file, told as a share of all."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **{k: v for k, v in options.items() if k != "name"} | {"disable": True})
            self.told = before + (options.get("initial") or 0)

        def update(self, n: float | None = 1) -> None:
            self.told += int(n or 0)
            _tell(done=self.told, total=total)

    for name, size in plan.files.items():
        hf_hub_download(model, name, revision=plan.revision, tqdm_class=Bar)
        before += size
        _tell(done=before, total=total)
    _tell(done=total, total=total, whole=True)


def _sweep(model: str) -> None:
    """Remove what interrupted downloads have left: nobody goes on with it, and it may be gigabytes."""
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    blobs = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=model, repo_type="model") / "blobs"
    for part in blobs.glob("*.incomplete"):
        # Another process may be at work on a younger one.
        if time.time() - part.stat().st_mtime > _IDLE:
            part.unlink(missing_ok=True)


def _plan(model: str, limit: float) -> Plan:
    """Raises what huggingface_hub raises, and _Unfit."""
    from huggingface_hub import HfApi, constants

    api = HfApi()
    revision = "main"
    files = _listed(api, model, None, limit)
    if not _are_safe(files):
        revision = _converted(api, model)
        files = _listed(api, model, revision, limit)
    if not _are_safe(files):
        raise _Unfit("pickle")
    cache = Path(constants.HF_HUB_CACHE)
    there = next(folder for folder in (cache, *cache.parents) if folder.is_dir())
    return Plan(files, revision, shutil.disk_usage(there).free)


def _listed(api: Any, model: str, revision: str | None, limit: float) -> dict[str, int]:
    """The files to fetch, with their sizes."""
    siblings = api.model_info(model, revision=revision, files_metadata=True, timeout=limit).siblings or []
    return wanted({sibling.rfilename: sibling.size or 0 for sibling in siblings})


def _are_safe(files: dict[str, int]) -> bool:
    return any(name.endswith(".safetensors") for name in files)


def _converted(api: Any, model: str) -> str:
    """The revision in which the Hub's robot has written the weights as safetensors. Raises _Unfit."""
    from huggingface_hub.errors import HfHubHTTPError

    try:
        proposed = api.get_repo_discussions(model, author=_CONVERTER, discussion_type="pull_request")
        number = next((one.num for one in proposed if "safetensors" in one.title), None)
    except HfHubHTTPError:
        number = None
    if number is None:
        raise _Unfit("pickle")
    return f"refs/pr/{number}"


def wanted(files: dict[str, int]) -> dict[str, int]:
    """Those of a repository's files that are needed here: of a pipeline of several models, those of its parts too.

    Of weights that are there twice, the ones in 16 bits are taken: diffusers' variant "fp16".
    """
    known = {name: size for name, size in files.items() if _is_wanted(PurePosixPath(name).name)}
    if "model_index.json" not in files:
        return {name: size for name, size in known.items() if "/" not in name}
    parts = {name.split("/")[0] for name in files if name.count("/") == 1 and name.endswith(_PART)}
    known = {name: size for name, size in known.items() if _depth_in(name, parts)}
    return {name: size for name, size in known.items() if not _is_double(name, known)}


def _is_wanted(name: str) -> bool:
    return any(fnmatch(name, p) for p in _WANTED) and not any(fnmatch(name, p) for p in _UNWANTED)


def _depth_in(name: str, parts: set[str]) -> bool:
    """Whether a file of a pipeline is one of its parts', or the list of them."""
    folder, slash, rest = name.partition("/")
    return (folder in parts and "/" not in rest) if slash else name == "model_index.json"


def _is_double(name: str, known: dict[str, int]) -> bool:
    """Whether the same weights are there in 16 bits, or these are an unusual copy (non_ema, other variants)."""
    path = PurePosixPath(name)
    if path.suffix != ".safetensors" and not name.endswith(".safetensors.index.json"):
        return False
    mine = ".fp16" in path.name
    has = any(".fp16" in PurePosixPath(other).name for other in known if PurePosixPath(other).parent == path.parent)
    return mine != has or ".non_ema" in path.name


def _here(model: str, plan: Plan) -> int:
    """Bytes of it that were fetched before."""
    from huggingface_hub import try_to_load_from_cache

    there = (name for name in plan.files if try_to_load_from_cache(model, name, revision=plan.revision))
    return sum(plan.files[name] for name in there)


def _tell(**line: Any) -> None:
    print(json.dumps(line), flush=True)  # noqa: T201  this is how a child speaks


def _kind(error: Exception) -> str:
    from huggingface_hub import errors

    if isinstance(error, _Unfit):
        return str(error)
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
