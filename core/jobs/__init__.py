"""Long works that outlive the page that asked for them: an id, a folder, progress, a log, Stop and a result.

    job = start("index", "Reading 60 documents", lambda report: build(folder, report))
    async for job in watch(job.id): ...        # from any page, at any time; get(id) and jobs() look once

A work runs in a thread of this process and says how far it is with `report(fraction, text)`. Its folder tells any
process on the same data folder what became of it:

    data/jobs/ID/
    ├── job.json    the job as it is now, replaced in one step
    ├── log.txt     what the work has said, a line each
    ├── stop        there once somebody wants it to stop
    ├── alive       locked as long as the work runs; the system unlocks it when the process is killed
    └── …           the files of its result
"""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import threading
import time
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from contextvars import copy_context
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout

from core.errors import AppError, BadSetting, LimitReached
from core.jobs.folder import Job, alive_lock, everyones, read, root, write
from core.settings import settings
from core.streams import ticks
from core.visitors import Visitor, visiting, visitor

__all__ = [
    "Job", "Report", "Stopped", "Work", "follow", "get", "jobs", "log_of", "recover", "resumable", "start", "stop",
    "watch",
]  # fmt: skip

T = TypeVar("T")

log = logging.getLogger(__name__)

KEPT = 50  # finished jobs of one visitor
KEPT_SECONDS = 7 * 86_400
TICK = 0.2  # seconds between two looks of `watch`, and at the wish to stop
LOST = "The app was stopped while this ran. Start it again."
UNFORESEEN = "Something went wrong inside Switchboard. The log tells what."


class Stopped(BaseException):
    """Somebody wants the work to stop. Not an Exception: a work that catches those must not go on because of it."""


class Report:
    """How a work tells what it does. Each call writes a small file: call it for a batch, not for an item."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def __call__(self, fraction: float | None, text: str = "") -> None:
        """`fraction` in 0..1 is done, None: unknown. Raises Stopped when the job is to stop."""
        self.job = replace(self.job, fraction=None if fraction is None else min(max(fraction, 0.0), 1.0), text=text)
        write(self.job)
        self.check()

    def log(self, line: str) -> None:
        """One line more in the job's log."""
        with (self.folder / "log.txt").open("a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%H:%M:%S')} {line}\n")

    def check(self) -> None:
        """Raise Stopped when the job is to stop."""
        if self.stopped:
            raise Stopped

    @property
    def stopped(self) -> bool:
        """Whether somebody wants the job to stop."""
        return (self.folder / "stop").exists()

    @property
    def folder(self) -> Path:
        """Where the work may put files of its result."""
        return self.job.folder


Work = Callable[[Report], Any]  # returns a small JSON value, or the path of a file in report.folder


# --- starting ---------------------------------------------------------------------------------------------------------


def start(kind: str, title: str, work: Work, owner: str | None = None, given: Any = None) -> Job:
    """Run `work` in a thread and return its job at once. `owner` is whoever asks, unless said otherwise.

    `given` is a JSON value from which a kind that is `resumable` can be begun again after the app was stopped.
    Raises LimitReached when `jobs_at_once` of this owner are running.
    """
    owner = visitor().owner if owner is None else owner
    root().mkdir(parents=True, exist_ok=True)
    # Two processes must not both find that there is room for one more.
    with FileLock(root() / "start.lock", preserve_lock_file=True):
        before = jobs(owner)
        if sum(job.state == "running" for job in before) >= settings().jobs_at_once:
            raise LimitReached(
                f"{settings().jobs_at_once} of your jobs are running already. Wait until one ends, or stop one."
            )
        _prune(before)
        job = Job(uuid.uuid4().hex, kind, title, owner, started=time.time(), given=given)
        job.folder.mkdir()
        alive = alive_lock(job)
        alive.acquire(blocking=False)
        write(job)
    _run(job, work, alive)
    return job


def _prune(own: list[Job]) -> None:
    """Remove the oldest finished jobs: of this visitor beyond `KEPT`, of all beyond a week."""
    finished = [job for job in own if job.state != "running"]
    old = [job for job in everyones() if job.state != "running" and (job.ended or 0) < time.time() - KEPT_SECONDS]
    for job in [*finished[KEPT - 1 :], *old]:
        shutil.rmtree(job.folder, ignore_errors=True)


def follow(stream: AsyncGenerator[T], report: Report, each: Callable[[T], None]) -> None:
    """For a work whose steps come from an async generator: hand every item to `each`; Stop reaches a silent one too."""
    asyncio.run(_follow(stream, report, each))


async def _follow(stream: AsyncGenerator[T], report: Report, each: Callable[[T], None]) -> None:
    async with aclosing(ticks(stream, TICK)) as batches:
        async for batch in batches:
            for item in batch:
                each(item)
            report.check()


def _run(job: Job, work: Work, alive: FileLock) -> None:
    # The context tells on whose behalf, and with whose keys, the work asks others.
    target, report = copy_context().run, Report(job)
    threading.Thread(target=target, args=(_work, report, work, alive), name=f"job {job.kind}", daemon=True).start()


def _work(report: Report, work: Work, alive: FileLock) -> None:
    try:
        ended = _ended(report, work)
        write(replace(ended, ended=time.time()))
    except OSError:
        # Not even the end can be written, on a full disk for one: the job will be found lost.
        log.exception("the end of job %s could not be written", report.job.id)
    finally:
        alive.release()


def _ended(report: Report, work: Work) -> Job:
    """The job after its work, however that went."""
    try:
        report.check()
        found = work(report)
        if isinstance(found, Path):
            return replace(report.job, state="done", fraction=1.0, file=str(found.relative_to(report.folder)))
        json.dumps(found)
        return replace(report.job, state="done", fraction=1.0, result=found)
    except Stopped:
        return replace(report.job, state="stopped")
    except AppError as error:
        return replace(report.job, state="failed", error=str(error))
    except BaseException:
        # Whatever a work raises must not leave a job that runs for ever; its text may hold a key.
        log.exception("job %s (%s) failed", report.job.id, report.job.kind)
        return replace(report.job, state="failed", error=UNFORESEEN)


# --- looking ----------------------------------------------------------------------------------------------------------


def get(id: str) -> Job:
    """The job as it is now. Its id cannot be guessed: who knows it may see and stop it. Raises BadSetting."""
    job = read(id)
    if job is None:
        raise BadSetting("This job is not known any more.")
    return _lost(job) if job.state == "running" else job


def jobs(owner: str | None = None) -> list[Job]:
    """The jobs of `owner` (whoever asks, unless said otherwise), the newest first."""
    owner = visitor().owner if owner is None else owner
    own = [job for job in everyones() if job.owner == owner]
    return sorted((_lost(job) for job in own), key=lambda job: -job.started)


def stop(id: str) -> None:
    """Ask a job to stop, whichever process runs it. It stops at its next report. Raises BadSetting."""
    if get(id).state == "running":
        (root() / id / "stop").touch()


async def watch(id: str, every: float = TICK) -> AsyncGenerator[Job]:
    """The job every `every` seconds, also where nothing is new, until it has ended. Raises BadSetting."""
    while True:
        job = await asyncio.to_thread(get, id)
        yield job
        if job.state != "running":
            return
        await asyncio.sleep(every)


def log_of(id: str) -> str:
    """What the work has said so far."""
    try:
        return (get(id).folder / "log.txt").read_text("utf-8")
    except FileNotFoundError:
        return ""


# --- after a restart --------------------------------------------------------------------------------------------------

# The kinds that can go on after a restart: what makes the work again from what it was given. Filled when modules load.
_resumable: dict[str, Callable[[Any], Work]] = {}


def resumable(kind: str, make: Callable[[Any], Work]) -> None:
    """Let jobs of `kind` go on after the app was stopped: `make` gives the work anew, from the job's `given`."""
    _resumable[kind] = make


def recover() -> list[Job]:
    """Begin again what was running when the app was stopped and can be; the rest is marked lost. For the app's start.

    Jobs that another process on this data folder still runs are left alone.
    """
    return [again for job in everyones() if job.state == "running" and (again := _again(job))]


def _again(job: Job) -> Job | None:
    make = _resumable.get(job.kind)
    alive = alive_lock(job)
    try:
        alive.acquire(blocking=False)
    except Timeout:
        return None
    # It may have ended since it was read.
    now = read(job.id)
    if make is None or now is None or now.state != "running" or (job.folder / "stop").exists():
        alive.release()
        _lost(job)
        return None
    # Its visitor's page and keys are gone; the budget still counts for whoever asked.
    with visiting(Visitor(name=job.owner)):
        _run(job, make(job.given), alive)
    return job


def _lost(job: Job) -> Job:
    """The job; when nobody runs it any more, marked so."""
    if job.state != "running":
        return job
    alive = alive_lock(job)
    try:
        alive.acquire(blocking=False)
    except Timeout:
        return job
    except OSError:  # Another process has removed the folder.
        return replace(job, state="lost", error=LOST)
    try:
        # It may have ended between the two looks.
        job = read(job.id) or job
        if job.state == "running":
            job = replace(job, state="lost", error=LOST, ended=time.time())
            write(job)
    finally:
        alive.release()
    return job
