"""The list of documents: what is in the knowledge base, what was refused and why, and adding and removing one's own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from typing import Any

import gradio as gr

from core import jobs
from core.errors import AppError, BadSetting, OtherModel
from core.jobs import Job
from core.markdown import harmless, plain
from core.rag.own import Making, home, making
from core.rag.split import Recipe
from core.settings import settings
from core.visitors import visitor
from core.web import Visit
from tabs import Page
from tabs.jobs import bar, state_of, stop_job
from tabs.knowledge_adding import KINDS, add_files, add_pages, counted, find_pages, other_model, remake, remove, visit
from tabs.knowledge_bases import OWN, opened
from tabs.knowledge_form import form, manner, removal
from tabs.parts import QUIET, Turn, told

SHOWN = 300  # documents in the table


def documents(page: Page, base: gr.State, changed: gr.State) -> None:
    """Draw the list and wire it. `changed` gets another value whenever the documents are others."""
    job, turn, pages, filled = gr.State(""), gr.State(Turn("done")), gr.State(None), gr.State(False)
    facts = gr.Markdown(elem_id="documents-facts")
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=340):
            table = gr.Markdown(elem_classes="wide words", elem_id="documents-table")
        with gr.Column(scale=2, min_width=320, visible=False, elem_id="documents-own") as own:
            line = gr.Markdown(elem_id="documents-job")
            stop = gr.Button("Stop", size="sm", variant="stop", visible=False, elem_id="documents-stop")
            entered, buttons = form()
            drop, dropping = removal()
            made, remaking = manner()
            with gr.Column(visible=False, elem_id="documents-consent") as consent:
                question = gr.Markdown(elem_id="documents-question")
                agreed = gr.Button("Rebuild", variant="primary", size="sm", elem_id="documents-agreed")
    shown = [facts, table, own, drop]
    for event in (page.load, base.change, changed.change):
        event(_shown, base, shown, **QUIET)
    page.load(_latest, job, [job, turn], **QUIET)
    page.load(_kept, filled, [filled, *made.inputs(entered.folder)], **QUIET)
    started = [job, turn, line, consent, question]
    works: list[tuple[Any, Callable[..., Job | OtherModel | None], list[Any]]] = [
        (entered.files.upload, _files, [entered.files]), (buttons[0].click, _page, [entered.url]),
        (buttons[2].click, _ticked, [entered.links, pages]), (dropping.click, _drop, [drop]),
        (remaking.click, _remade(False), made.inputs(entered.folder)),
        (agreed.click, _remade(True), made.inputs(entered.folder)),
        *((button.click, _remade(False), made.inputs(entered.folder)) for button in buttons[3:]),
    ]  # fmt: skip
    for button, handler, inputs in works:
        page.jobs(button(_begins(handler), [turn, *inputs], started, **QUIET))
    crawling = [turn, entered.url, entered.depth, entered.most]
    page.jobs(buttons[1].click(_crawl, crawling, [*started, pages], **QUIET))
    # A look at another job puts a new Turn into `turn`, and the one before is over.
    seen = job.change(
        _watched, [job, turn, changed], [line, stop, entered.choice, entered.links, changed],
        trigger_mode="multiple", **QUIET,
    )  # fmt: skip
    seen.success(lambda: None, None, entered.files, **QUIET)
    stop.click(stop_job, job, None, **QUIET)


# --- what is there ----------------------------------------------------------------------------------------------------


def _shown(base: str) -> list[Any]:
    """Values for the facts, the table, the column for one's own and the list of those that can be removed."""
    own = gr.update(visible=base == OWN)
    try:
        there = opened(base)
        if isinstance(there, str):
            return [f"⏳ {harmless(there)}", "", own, gr.update(choices=[])]
        corpus = there.corpus()
    except AppError as error:
        return [harmless(told(error)), "", own, gr.update(choices=[], value=[])]
    counts = {source: part.stop - part.start for source, part in corpus.by_source.items()}
    rows = [(name, corpus.documents[name].doc_type, counts.get(name, 0)) for name in corpus.documents]
    facts = (
        f"**{counted(len(corpus.documents), 'document')}, {counted(len(corpus.passages), 'passage')}.** "
        f"Embedding model {plain(corpus.about.model)}, store {plain(there.store)}."
    )
    hint = "" if base == OWN else " These come with the app; choose “My documents” above to add your own."
    return [facts + hint, _table(rows, corpus.refused), own, gr.update(choices=sorted(corpus.documents), value=[])]


def _table(rows: list[tuple[str, str, int]], refused: Any) -> str:
    lines = ["| document | kind | passages |", "|---|---|---:|"]
    lines += [f"| {plain(name)} | {plain(kind)} | {count:,} |" for name, kind, count in rows[:SHOWN]]
    more = [f"\nand {len(rows) - SHOWN:,} more"] if len(rows) > SHOWN else []
    problems = [f"- ⚠️ {harmless(problem)}" for problem in list(refused.values())[:SHOWN]]
    return "\n".join([*lines, *more, "", *problems])


# --- works ------------------------------------------------------------------------------------------------------------


def _begins(start: Callable[..., Job | OtherModel | None]) -> Callable[..., Any]:
    """A handler that starts a job; it tells what was wrong, or asks for consent."""

    def handler(before: Turn, *given: Any) -> Any:
        try:
            job = start(*given)
        except Exception as error:
            return gr.skip(), gr.skip(), f"⚠️ {harmless(told(error))}", gr.update(visible=False), ""
        if job is None:
            return (gr.skip(),) * 5
        if isinstance(job, OtherModel):
            return gr.skip(), gr.skip(), "", gr.update(visible=True), harmless(str(job))
        before.leave()
        return job.id, Turn(), bar(job), gr.update(visible=False), ""

    return handler


def _files(paths: list[str] | None) -> Job | None:
    return add_files(paths) if paths else None


def _page(url: str | None) -> Job:
    address, reading = visit(_address(url))
    return add_pages([address], reading)


def _address(url: str | None) -> str:
    if not (url or "").strip():
        raise BadSetting("Enter the address of a page first.")
    return (url or "").strip()


def _crawl(before: Turn, url: str | None, depth: float | None, most: float | None) -> Any:
    """Look for pages. What was read meanwhile is kept, so that nothing is asked of the site twice."""
    reading: list[Visit] = []

    def start() -> Job:
        address, seen = visit(_address(url))
        reading.append(seen)
        usual = min(30, settings().crawl_pages)
        return find_pages(address, int(2 if depth is None else depth), int(most or usual), seen)

    return *_begins(start)(before), reading[0] if reading else None


def _ticked(urls: list[str] | None, reading: Visit | None) -> Job:
    if not urls:
        raise BadSetting("Tick the pages to add first.")
    return add_pages(urls, reading or visit(urls[0])[1])


def _drop(sources: list[str] | None) -> Job:
    if not sources:
        raise BadSetting("Choose the documents to remove first.")
    return remove(sources)


def _remade(agreed: bool) -> Callable[..., Job | OtherModel]:
    def start(*given: Any) -> Job | OtherModel:
        how = _how(*given)
        made = other_model(how)
        return OtherModel(made, how.model) if made and not agreed else remake(how, rebuild=agreed)

    return start


def _how(
    kind: str | None,
    size: float | None,
    overlap: float | None,
    model: str | None,
    store: str | None,
    folder: str | None,
) -> Making:
    usual = making(home(visitor().owner))
    recipe = Recipe(
        kind or usual.recipe.kind,  # type: ignore[arg-type]
        usual.recipe.size if size is None else int(size),
        usual.recipe.overlap if overlap is None else int(overlap),
    )
    return Making(model or usual.model, store or usual.store, recipe, (folder or "").strip())


def _kept(filled: bool) -> list[Any]:
    """Values for the widgets that say how the visitor's index is made, once: what is typed then is the visitor's."""
    if filled:
        return [gr.skip()] * 7
    how = making(home(visitor().owner))
    folder = gr.update(value=how.folder, interactive=True)
    return [True, how.recipe.kind, how.recipe.size, how.recipe.overlap, how.model, how.store, folder]


def _latest(current: str) -> Any:
    """The visitor's last work on documents while it runs, unless one is looked at already."""
    if current:
        return gr.skip(), gr.skip()
    own = (job.id for job in jobs.jobs() if job.kind in KINDS and job.state == "running")
    return next(own, ""), Turn()


async def _watched(id: str, turn: Turn, changed: int) -> AsyncGenerator[Any]:
    """A line about the job for as long as it is the one that is looked at; at its end, what it has brought."""
    with suppress(BadSetting):  # Jobs of long ago are forgotten.
        async with aclosing(jobs.watch(id)) as seen:
            async for job in seen:
                if turn.over:
                    return
                if job.state == "running":
                    yield bar(job), gr.update(visible=True), gr.skip(), gr.skip(), gr.skip()
                else:
                    yield _ended(job), gr.update(visible=False), *_found(job), changed + 1


def _ended(job: Job) -> str:
    if job.state != "done":
        return state_of(job, "Stopped. Nothing was changed.")
    if job.kind == "crawl":
        return f"✓ {harmless(job.text)}. Tick those to add."
    problems = [f"- ⚠️ {harmless(problem)}" for problem in job.result.get("problems", [])[:50]]
    return "\n".join([f"✓ {harmless(job.text)}", "", *problems])


def _found(job: Job) -> tuple[Any, Any]:
    """Whether there are pages to tick, and which."""
    if job.kind != "crawl" or job.state != "done":
        return gr.update(visible=False), gr.skip()
    good = [row for row in job.result if row["state"] == "read"]
    choices = [(f"{row['title'] or row['url']} ({row['url']})", row["url"]) for row in good]
    return gr.update(visible=bool(good)), gr.update(choices=choices, value=[row["url"] for row in good])
