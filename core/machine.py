"""What this machine has for running models: its device, free memory, processors and what they multiply."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from threading import Lock

from core.processors import processors
from core.zero import may_use_gpu

# Held while a model is read: transformers changes its own classes meanwhile (no_tie_weights in its initialization.py),
# and two at once leave them changed, so that whatever is read afterwards lacks the weights that it shares.
reading = Lock()
_GROUP = Path("/sys/fs/cgroup")  # A container's limits; torch and psutil see the whole host.


def device() -> str:
    """Where models run."""
    import torch

    if torch.cuda.is_available() and may_use_gpu():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def multiplies_16_bits() -> bool:
    """Whether this processor has instructions for bfloat16 (x86's flags; Arm servers that run models have them)."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="ignore")
    except OSError:
        return False
    return any(flag in flags for flag in (" avx512_bf16", " amx_bf16", " bf16"))


def free_memory() -> float:
    """Free bytes: of the GPU, else of the machine or of the container, whichever is less."""
    import torch

    return float(torch.cuda.mem_get_info()[0]) if device() == "cuda" else free_ram()


def free_ram() -> float:
    """Free bytes of the machine or of the container, whichever is less."""
    import psutil

    return min(float(psutil.virtual_memory().available), _container())


def _container() -> float:
    """What a container's limit leaves; files the kernel keeps in memory do not count, it drops them when asked."""
    try:
        limit, used = (float((_GROUP / f"memory.{name}").read_text()) for name in ("max", "current"))
        kept = dict(line.split() for line in (_GROUP / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return float("inf")
    return limit - used + float(kept.get("inactive_file", 0))


# Parameters up to which one thread answers as fast as all of them, and leaves the others to other users. Tokens per
# second on one and on two threads, bf16, two shared processors of an AMD EPYC, 22 November 2026:
# 14 M: 75 and 61; 30 M: 55 and 38; 91 M: 21 and 19; 162 M: 13 and 13.
_SMALL = 50_000_000


def threads(parameters: int) -> int:
    """How many threads a model of so many parameters is run on.

    Torch would take one per processor of the host; more than this process may use only get in each other's way.
    """
    usual = _usual_threads()
    return 1 if parameters < _SMALL else max(1, min(usual, int(processors())))


@cache
def _usual_threads() -> int:
    """Torch's own choice, asked for once, before any answer has changed it for its thread."""
    import torch

    return torch.get_num_threads()
