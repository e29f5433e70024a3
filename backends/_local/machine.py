"""What this machine has for running models: its device, free memory, processors and what they multiply."""

from __future__ import annotations

import os
from pathlib import Path

_GROUP = Path("/sys/fs/cgroup")  # A container's limits; torch and psutil see the whole host.


def device() -> str:
    """Where models run."""
    import torch

    if torch.cuda.is_available():
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
    import psutil
    import torch

    if torch.cuda.is_available():
        return float(torch.cuda.mem_get_info()[0])
    return min(float(psutil.virtual_memory().available), _container())


def _container() -> float:
    """What a container's limit leaves; files the kernel keeps in memory do not count, it drops them when asked."""
    try:
        limit, used = (float((_GROUP / f"memory.{name}").read_text()) for name in ("max", "current"))
        kept = dict(line.split() for line in (_GROUP / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return float("inf")
    return limit - used + float(kept.get("inactive_file", 0))


def use_no_more_threads_than_processors() -> None:
    """Torch takes one thread per processor of the host; more than this process may use only get in each other's way."""
    import torch

    torch.set_num_threads(max(1, min(torch.get_num_threads(), int(_processors()))))


def _processors() -> float:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = (_GROUP / "cpu.max").read_text().split()
        return min(usable, int(quota) / int(period))
    except (OSError, ValueError):
        return usable
