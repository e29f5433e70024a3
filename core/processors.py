"""How many processors this process may use: of the machine's, those it was given, within a container's quota."""

from __future__ import annotations

import os
from pathlib import Path

_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def processors() -> float:
    """Processors; a fraction where a container's quota is one."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = _QUOTA.read_text().split()
        return min(usable, int(quota) / int(period))
    except (OSError, ValueError):
        return usable
