"""The works behind the list of documents: reading files, pages and folders into a visitor's own index. No widget.

What changes the documents is told in JSON, so that it goes on by itself where the app was stopped meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from core import jobs, sample_site
from core.errors import AppError, BadSetting
from core.jobs import Job, Report, Work
from core.rag.crawl import Crawl, crawl, documents
from core.rag.generation import manifest_of
from core.rag.load import File, read_all, uploads
from core.rag.own import Making, change, home, made, making
from core.rag.own import documents as own_documents
from core.rag.passages import Document
from core.settings import settings
from core.visitors import visitor
from core.web import Visit, Wire
from tabs.knowledge_bases import embedding_model

Added = tuple[list[Document], list[str]]  # documents, and why others were not added
CHANGE = "documents"
KINDS = (CHANGE, "crawl")


def visit(url: str) -> tuple[str, Visit]:
    """The address to read, and a visit that may read it: public pages, and the sample site ("sample")."""
    address, allowed = sample_site.opened(url)
    return address, Visit(Wire(allowed=allowed))


def add_files(paths: Sequence[str]) -> Job:
    """Add files that were uploaded. Raises AppError."""
    there = [File(Path(document.source), document.source) for document in own_documents(_home())]
    files, refused = uploads([Path(path) for path in paths], there)
    # Under names that are settled now: a work that is begun again replaces what it had added.
    named = [(str(file.path), file.source, file.doc_type) for file in files]
    return _start(f"Adding {counted(len(paths), 'file')}", {"files": named, "refused": list(map(str, refused))})


def add_pages(urls: Sequence[str], visit: Visit) -> Job:
    """Add web pages, those of them that `visit` has read already without reading them again. Raises AppError."""
    if len(urls) > settings().crawl_pages:
        raise BadSetting(f"At most {settings().crawl_pages:,} pages can be added at once.")
    return _start(f"Adding {counted(len(urls), 'page')}", {"urls": list(urls)}, visit)


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
    return _start(f"Removing {counted(len(sources), 'document')}", {"drop": list(sources)})


def remake(how: Making, rebuild: bool) -> Job:
    """Read everything again, made as `how` says. Raises AppError."""
    return _start("Making the index again", {"how": asdict(how), "rebuild": rebuild})


def other_model(how: Making) -> str:
    """The model that has made the index, where `how` asks for another one."""
    made = manifest_of(_home() / "index")
    return making(_home()).model if made and making(_home()).model != how.model else ""


def _home() -> Path:
    return home(visitor().owner)


def counted(number: int, what: str) -> str:
    """A number of things: "1 file", "2 files"."""
    return f"{number:,} {what}{'s' * (number != 1)}"


# --- changing the documents -------------------------------------------------------------------------------------------

# One change at a time of one visitor's documents: each begins with what is there.
_changing: dict[Path, threading.Lock] = {}


def _start(title: str, given: Mapping[str, Any], seen: Visit | None = None) -> Job:
    return jobs.start(CHANGE, title, _work(given, seen), given=given)


def _work(given: Mapping[str, Any], seen: Visit | None = None) -> Work:
    """What `given` tells to do. What was `seen` of a site need not be read again."""
    return partial(_changed, given, seen)


jobs.resumable(CHANGE, _work)


def _changed(given: Mapping[str, Any], seen: Visit | None, report: Report) -> Any:
    """Read, index, and tell in JSON what came of it."""
    own, drop = _home(), given.get("drop", [])
    found, problems = _read(given, seen, report)
    for problem in problems:
        report.log(problem)
    if problems and not found and not drop:
        raise AppError(" ".join(problems[:5]))
    with _changing.setdefault(own, threading.Lock()):
        how = made(given["how"]) if "how" in given else making(own)
        done = change(own, how, report, embedding_model, found, drop, given.get("rebuild", False))
    report(1.0, f"{counted(done.passages, 'passage')} in all")
    refused = [*problems, *done.refused.values(), *([done.problem] if done.problem else [])]
    return {"added": len(found), "removed": len(drop), "passages": done.passages, "problems": refused}


def _read(given: Mapping[str, Any], seen: Visit | None, report: Report) -> Added:
    if "files" in given:
        return _files([File(Path(path), *named) for path, *named in given["files"]], given["refused"], report)
    if "urls" in given:
        return _pages(given["urls"], seen or visit(given["urls"][0])[1], report)
    return [], []


def _files(files: Sequence[File], refused: Sequence[str], report: Report) -> Added:
    found: list[Document] = []
    problems = list(refused)
    for number, (file, outcome) in enumerate(read_all(files)):
        report(number / len(files), f"Reading {file.source}")
        if isinstance(outcome, Document):
            found.append(outcome)
        else:
            problems.append(str(outcome))
    return found, problems


def _pages(urls: Sequence[str], visit: Visit, report: Report) -> Added:
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
