"""Long works: real threads, real files, and processes that are killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core import jobs
from core.errors import BadSetting, LimitReached
from core.jobs import Job, Report
from core.jobs.folder import everyones, write
from core.visitors import Visitor, visiting, visitor

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def data(tmp_path: Path, limits: Callable[..., None]) -> Iterator[Path]:
    limits(data=tmp_path)
    yield tmp_path
    for job in everyones():
        jobs.stop(job.id)
        ended(job)


def ended(job: Job) -> Job:
    until = time.monotonic() + 10
    while (job := jobs.get(job.id)).state == "running" and time.monotonic() < until:
        time.sleep(0.01)
    assert job.state != "running"
    return job


def until_stopped(report: Report) -> None:
    while True:
        report(0.5, "half way")
        time.sleep(0.01)


def elsewhere(data: Path, code: str) -> subprocess.Popen[str]:
    """A process on the same data folder that runs `code` and says so."""
    environment = {**os.environ, "SWITCHBOARD_DATA": str(data)}
    code = f"import time\nfrom core import jobs\n{code}\nprint('ready', flush=True)\ntime.sleep(60)"
    child = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    assert child.stdout
    assert child.stdout.readline() == "ready\n"
    return child


def killed(child: subprocess.Popen[str]) -> None:
    child.send_signal(signal.SIGKILL)
    child.communicate()


ENDLESS = "def work(report):\n    while True:\n        report(0.25, 'a quarter')\n        time.sleep(0.01)\n"


def test_a_work_gives_its_result_and_its_log() -> None:
    def work(report: Report) -> Any:
        report.log("begun")
        report(0.5, "half way")
        return {"passages": 12}

    job = ended(jobs.start("index", "Reading", work))
    assert (job.state, job.fraction, job.result, job.text) == ("done", 1.0, {"passages": 12}, "half way")
    assert job.ended
    assert job.ended >= job.started
    assert "begun" in jobs.log_of(job.id)
    assert jobs.jobs() == [job]


def test_a_result_can_be_a_file() -> None:
    def work(report: Report) -> Path:
        (report.folder / "map.json").write_text("{}", "utf-8")
        return report.folder / "map.json"

    path = ended(jobs.start("map", "Drawing", work)).path
    assert path
    assert path.read_text("utf-8") == "{}"


def test_stop_ends_it_at_its_next_report() -> None:
    job = jobs.start("index", "Reading", until_stopped)
    jobs.stop(job.id)
    assert ended(job).state == "stopped"


def test_a_work_that_catches_everything_is_stopped_too() -> None:
    def stubborn(report: Report) -> None:
        while True:
            try:
                until_stopped(report)
            except Exception:
                time.sleep(0.01)

    job = jobs.start("index", "Reading", stubborn)
    jobs.stop(job.id)
    assert ended(job).state == "stopped"


def test_a_silent_stream_is_stopped_and_closed() -> None:
    closed, begun = threading.Event(), threading.Event()

    async def silent() -> AsyncGenerator[int]:
        try:
            yield 1
            await asyncio.sleep(60)
        finally:
            closed.set()

    job = jobs.start("fetch", "Fetching", lambda report: jobs.follow(silent(), report, lambda _: begun.set()))
    assert begun.wait(5)
    jobs.stop(job.id)
    assert ended(job).state == "stopped"
    assert closed.is_set()


@pytest.mark.parametrize(
    ("error", "told"),
    [(BadSetting("The folder is empty."), "The folder is empty."), (RuntimeError("sk-canary-77"), jobs.UNFORESEEN)],
)
def test_a_failure_is_a_sentence_without_secrets(error: Exception, told: str, data: Path) -> None:
    def work(report: Report) -> None:
        raise error

    job = ended(jobs.start("index", "Reading", work))
    assert (job.state, job.error) == ("failed", told)
    assert "canary" not in "".join(file.read_text("utf-8") for file in data.rglob("*") if file.is_file())


def test_a_result_that_is_no_json_is_a_failure() -> None:
    assert ended(jobs.start("index", "Reading", lambda report: object())).state == "failed"


async def test_any_page_can_watch_it() -> None:
    go = threading.Event()

    def work(report: Report) -> str:
        report(0.5, "half way")
        go.wait(10)
        return "whole"

    job = jobs.start("index", "Reading", work)
    seen = []
    async for now in jobs.watch(job.id, 0.01):
        seen.append(now)
        if now.text == "half way":
            go.set()
    assert seen[-1].result == "whole"
    assert {now.state for now in seen[:-1]} == {"running"}
    async for late in jobs.watch(job.id):
        assert late == seen[-1]


def test_jobs_belong_to_who_asked() -> None:
    asked: list[Visitor] = []
    with visiting(Visitor("ann", keys={"OPENAI_API_KEY": "sk-canary-77"})):
        job = ended(jobs.start("index", "Reading", lambda report: asked.append(visitor())))
        assert [own.id for own in jobs.jobs()] == [job.id]
    assert asked[0].keys == {"OPENAI_API_KEY": "sk-canary-77"}
    assert "canary" not in repr(asked) + (job.folder / "job.json").read_text("utf-8")
    with visiting(Visitor("bob")):
        assert jobs.jobs() == []
    assert jobs.jobs() == []
    assert jobs.get(job.id) == job


def test_two_at_once_for_each_visitor() -> None:
    with visiting(Visitor("ann")):
        running = [jobs.start("index", "Reading", until_stopped) for _ in range(2)]
        with pytest.raises(LimitReached, match="2 of your jobs"):
            jobs.start("index", "Reading", until_stopped)
    with visiting(Visitor("bob")):
        jobs.start("index", "Reading", until_stopped)
    jobs.stop(running[0].id)
    ended(running[0])
    with visiting(Visitor("ann")):
        jobs.start("index", "Reading", until_stopped)


def test_the_limit_holds_across_processes(data: Path) -> None:
    child = elsewhere(data, f"{ENDLESS}jobs.start('index', 'Reading', work)\njobs.start('index', 'Reading', work)")
    try:
        with pytest.raises(LimitReached):
            jobs.start("index", "Reading", until_stopped)
        # What another process runs is neither lost nor begun a second time, and can be stopped from here.
        assert jobs.recover() == []
        first, second = jobs.jobs()
        assert (first.state, second.state) == ("running", "running")
        jobs.stop(first.id)
        assert ended(first).state == "stopped"
        assert jobs.get(second.id).state == "running"
    finally:
        killed(child)


def test_a_killed_process_leaves_its_jobs_lost(data: Path) -> None:
    child = elsewhere(data, f"{ENDLESS}jobs.start('index', 'Reading', work)\ntime.sleep(0.3)")
    (job,) = jobs.jobs()
    assert (job.state, job.text) == ("running", "a quarter")
    killed(child)
    (job,) = jobs.jobs()
    assert (job.state, job.error) == ("lost", jobs.LOST)
    assert jobs.get(job.id) == job


def test_what_can_go_on_after_a_restart_does(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_resumable", {})
    given = "given={'folder': 'x'}, owner='ann'"
    child = elsewhere(data, f"{ENDLESS}jobs.start('index', 'Reading', work, {given})\njobs.start('map', 'm', work)")
    killed(child)
    asked: list[str] = []

    def make(given: Any) -> jobs.Work:
        def work(report: Report) -> Any:
            asked.append(visitor().name)
            return given

        return work

    jobs.resumable("index", make)
    (again,) = jobs.recover()
    assert ended(again).result == {"folder": "x"}
    assert asked == ["ann"]
    assert sorted(job.state for job in everyones()) == ["done", "lost"]


def test_old_jobs_are_forgotten_and_running_ones_never(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "KEPT", 3)
    running = jobs.start("index", "Reading", until_stopped)
    for number in range(5):
        ended(jobs.start("bench", str(number), lambda report: None))
    assert [job.title for job in jobs.jobs()] == ["4", "3", "2", "Reading"]
    old = jobs.jobs()[0]
    write(replace(old, ended=time.time() - 8 * 86_400))
    with visiting(Visitor("bob")):
        ended(jobs.start("bench", "new", lambda report: None))
    with pytest.raises(BadSetting, match="not known"):
        jobs.get(old.id)
    assert jobs.get(running.id).state == "running"


@pytest.mark.parametrize("id", ["", "..", "../jobs", "0" * 32, "0" * 31 + "/"])
def test_an_id_is_no_path(id: str) -> None:
    with pytest.raises(BadSetting):
        jobs.get(id)
    with pytest.raises(BadSetting):
        jobs.stop(id)


def test_a_damaged_file_spoils_no_list(data: Path) -> None:
    job = ended(jobs.start("index", "Reading", lambda report: None))
    other = data / "jobs" / ("a" * 32)
    other.mkdir()
    for damage in ("", "[]", '{"id": 1}', json.dumps({"id": "x", "odd": 1})):
        (other / "job.json").write_text(damage, "utf-8")
        assert jobs.jobs() == [job]
