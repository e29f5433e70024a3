"""A job's folder: the job as it was written last, and the lock that tells whether anybody still works at it."""

from __future__ import annotations

import json
import os
import re
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock

from core.settings import settings

State = Literal["running", "done", "failed", "stopped", "lost"]


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it was when it was looked at.

    `fraction` is in 0..1, None while nothing is known of the whole; `started` and `ended` are Unix times. `result` is
    the JSON value that the work has returned, `file` the name of the file in `folder` where it returned a path.
    `given` is what a resumable work was started with: it is written to the disk, so no key may be in it.
    """

    id: str
    kind: str
    title: str
    owner: str
    state: State = "running"
    fraction: float | None = None
    text: str = ""
    started: float = 0.0
    ended: float | None = None
    error: str = ""
    result: Any = None
    file: str = ""
    given: Any = None

    @property
    def folder(self) -> Path:
        """Where its files lie."""
        return root() / self.id

    @property
    def path(self) -> Path | None:
        """The file of its result."""
        return self.folder / self.file if self.file else None


def root() -> Path:
    """The folder of all jobs."""
    return Path(settings().data).absolute() / "jobs"


def alive_lock(job: Job) -> FileLock:
    """What is locked as long as the job's work runs."""
    # Taken by the thread that starts a job and released by the one that ends it.
    return FileLock(job.folder / "alive", thread_local=False, preserve_lock_file=True)


def everyones() -> list[Job]:
    """The jobs of all visitors, as their folders tell."""
    found = [read(entry.name) for entry in os.scandir(root())] if root().is_dir() else []
    return [job for job in found if job is not None]


def read(id: str) -> Job | None:
    """The job as its folder tells, None for one that is not there or whose file is damaged."""
    if not re.fullmatch("[0-9a-f]{32}", id):
        return None
    try:
        return Job(**json.loads((root() / id / "job.json").read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write(job: Job) -> None:
    """Replace the file in one step, so that no reader ever sees half of it."""
    new = job.folder / f"job.{threading.get_ident()}.new"
    new.write_text(json.dumps(asdict(job)), "utf-8")
    new.replace(job.folder / "job.json")
