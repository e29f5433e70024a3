"""The works behind the list of documents: reading files, pages and folders into a visitor's own index. No widget."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from core import jobs, sample_site
from core.errors import AppError, BadSetting
from core.jobs import Job, Report
from core.rag.crawl import Crawl, crawl, documents
from core.rag.generation import manifest_of
from core.rag.load import File, read_all, uploads
from core.rag.own import Making, change, home, making
from core.rag.own import documents as own_documents
from core.rag.passages import Document
from core.settings import settings
from core.visitors import visitor
from core.web import Visit, Wire
from tabs.knowledge_bases import embedding_model

Added = tuple[list[Document], list[str]]  # documents, and why others were not added
KINDS = ("index", "crawl")


def visit(url: str) -> tuple[str, Visit]:
    """The address to read, and a visit that may read it: public pages, and the sample site ("sample")."""
    address, allowed = sample_site.opened(url)
    return address, Visit(Wire(allowed=allowed))


def add_files(paths: Sequence[str]) -> Job:
    """Add files that were uploaded. Raises AppError."""
    there = [File(Path(document.source), document.source) for document in own_documents(_home())]
    files, refused = uploads([Path(path) for path in paths], there)

    def read(report: Report) -> Added:
        found: list[Document] = []
        problems = [str(problem) for problem in refused]
        for number, (file, outcome) in enumerate(read_all(files)):
            report(number / len(files), f"Reading {file.source}")
            if isinstance(outcome, Document):
                found.append(outcome)
            else:
                problems.append(str(outcome))
        return found, problems

    return _start(f"Adding {counted(len(paths), 'file')}", read)


def add_pages(urls: Sequence[str], visit: Visit) -> Job:
    """Add web pages, those of them that `visit` has read already without reading them again. Raises AppError."""

    if len(urls) > settings().crawl_pages:
        raise BadSetting(f"At most {settings().crawl_pages:,} pages can be added at once.")

    def read(report: Report) -> Added:
        found: list[Document] = []
        problems: list[str] = []

        def keep(step: Any) -> None:
            url, outcome = step
            report((len(found) + len(problems)) / len(urls), f"Reading {url}")
            if isinstance(outcome, Document):
                found.append(outcome)
            else:
                problems.append(f"{url} was not added: {outcome}")

        jobs.follow(documents(urls, visit), report, keep)
        return found, problems

    return _start(f"Adding {counted(len(urls), 'page')}", read)


def find_pages(url: str, depth: int, most: int, visit: Visit) -> Job:
    """Look which pages a site has; its result are the rows of the crawl. Raises AppError."""

    def work(report: Report) -> Any:
        last = Crawl()

        def keep(step: Crawl) -> None:
            nonlocal last
            last = step
            done = sum(row.state != "waiting" for row in step.rows)
            report(done / max(1, len(step.rows)), step.step)

        try:
            jobs.follow(crawl(url, depth, most, visit), report, keep)
        except BaseException:
            visit.wire.stop.set()  # Reading in threads ends with the work.
            raise
        return [asdict(row) for row in last.rows]

    return jobs.start("crawl", "Looking for the pages of a site", work)


def remove(sources: Sequence[str]) -> Job:
    """Remove documents. Raises AppError."""
    return _start(f"Removing {counted(len(sources), 'document')}", lambda _: ([], []), drop=sources)


def remake(how: Making, rebuild: bool) -> Job:
    """Read everything again, made as `how` says. Raises AppError."""
    return _start("Making the index again", lambda _: ([], []), how=how, rebuild=rebuild)


def other_model(how: Making) -> str:
    """The model that has made the index, where `how` asks for another one."""
    made = manifest_of(_home() / "index")
    return making(_home()).model if made and making(_home()).model != how.model else ""


def _home() -> Path:
    return home(visitor().owner)


def counted(number: int, what: str) -> str:
    """A number of things: "1 file", "2 files"."""
    return f"{number:,} {what}{'s' * (number != 1)}"


# One change at a time of one visitor's documents: each begins with what is there.
_changing: dict[Path, threading.Lock] = {}


def _start(
    title: str, read: Callable[[Report], Added], drop: Sequence[str] = (), how: Making | None = None,
    rebuild: bool = False,
) -> Job:  # fmt: skip
    own = _home()
    work = partial(_changed, own, read, drop, how or making(own), rebuild)
    return jobs.start("index", title, work)


def _changed(
    own: Path, read: Callable[[Report], Added], drop: Sequence[str], how: Making, rebuild: bool, report: Report
) -> Any:
    """Read, index, and tell in JSON what came of it."""
    found, problems = read(report)
    for problem in problems:
        report.log(problem)
    if problems and not found and not drop:
        raise AppError(" ".join(problems[:5]))
    with _changing.setdefault(own, threading.Lock()):
        done = change(own, how, report, embedding_model, found, drop, rebuild)
    report(1.0, f"{counted(done.passages, 'passage')} in all")
    refused = [*problems, *done.refused.values(), *([done.problem] if done.problem else [])]
    return {"added": len(found), "removed": len(drop), "passages": done.passages, "problems": refused}
