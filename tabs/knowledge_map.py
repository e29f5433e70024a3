"""The map of the passages: drawn in two or three dimensions, coloured by kind, with the last question and its hits."""

from __future__ import annotations

import html
import json
import threading
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from gradio.components.plot import PlotData

from core import jobs
from core.errors import AppError, BadSetting
from core.markdown import harmless
from core.rag.corpus import Corpus
from core.rag.index import Index
from core.rag.map import MOST, Map, Method, large_enough, load, make
from core.rag.passages import Passage
from tabs import Page
from tabs.jobs import bar
from tabs.knowledge_bases import ready
from tabs.knowledge_view import Talk
from tabs.parts import QUIET, told

HINT = "Each dot is a passage; near ones say alike. Point at one to read how it begins. Ask a question to see it here."
COLORS = ("#6366f1", "#f59e0b", "#10b981", "#ec4899", "#0ea5e9", "#a855f7", "#84cc16", "#ef4444", "#14b8a6", "#94a3b8")
_SHOWN = 160  # characters of a passage

# One map is made once, however many look at it.
_making: dict[Path, str] = {}
_guard = threading.Lock()


def atlas(page: Page, base: gr.State, changed: gr.State, talk: gr.State) -> None:
    """Draw the map's part of the tab and wire it."""
    seen = gr.State(0)
    with gr.Row():
        method = gr.Radio(
            [("neighbours together (t-SNE)", "tsne"), ("main directions (PCA)", "pca")], value="tsne",
            show_label=False, label="Method", container=False, elem_id="map-method",
        )  # fmt: skip
        dimensions = gr.Radio(
            [("2-D", 2), ("3-D", 3)], value=2, show_label=False, label="Dimensions", container=False,
            elem_id="map-dimensions",
        )  # fmt: skip
    line = gr.Markdown(HINT, elem_classes="hint", elem_id="map-line")
    plot = gr.Plot(show_label=False, label="Map", elem_id="map-plot")
    # Nothing is reckoned for a map that nobody has opened. Each visit draws the question that was asked since.
    page.load(lambda visits: visits + 1, seen, seen, **QUIET)
    for event in (seen.change, base.change, changed.change, method.input, dimensions.input):
        event(
            _drawn, [seen, base, method, dimensions, talk], [line, plot], trigger_mode="always_last", **QUIET
        )  # fmt: skip


async def _drawn(
    seen: int, base: str, method: Method | None, dimensions: int | None, talk: Talk
) -> AsyncGenerator[Any]:
    """What is waited for, and then the map."""
    if not seen:
        return
    there: Index | str = ""
    try:
        async with aclosing(ready(base)) as steps:
            async for there in steps:
                if isinstance(there, str):
                    yield f"⏳ {harmless(there)}", None
        if isinstance(there, str):
            return
        corpus = there.corpus()
        generation = there.root / "generations" / corpus.name
        large_enough(corpus)  # Not in the job: whoever adds the first documents has not asked for a map.
        if load(generation) is None:
            async with aclosing(jobs.watch(_job(corpus, generation))) as looks:
                async for job in looks:
                    yield (f"⏳ {bar(job)}", None) if job.state == "running" else gr.skip()
            if job.state != "done":
                raise BadSetting(job.error or "The map was stopped. Open this page again to make it.")
        found = load(generation)
        if found is None:
            raise BadSetting("The documents have changed. Open this page again.")
        yield _hint(corpus), chart(found, corpus, method or "tsne", dimensions or 2, talk)
    except Exception as error:
        yield f"⚠️ {harmless(told(error))}" if isinstance(error, AppError) else told(error), None


def _job(corpus: Corpus, generation: Path) -> str:
    with _guard:
        try:
            if jobs.get(_making.get(generation, "")).state == "running":
                return _making[generation]
        except BadSetting:
            pass  # It is long over.

        def work(report: jobs.Report) -> int:
            return len(make(corpus, generation, report).rows)

        _making[generation] = jobs.start("map", "Drawing the map", work).id
        return _making[generation]


def _hint(corpus: Corpus) -> str:
    return HINT if len(corpus.passages) <= MOST else f"{HINT} {MOST:,} of {len(corpus.passages):,} are drawn."


# --- the chart --------------------------------------------------------------------------------------------------------


def chart(map: Map, corpus: Corpus, method: Method, dimensions: int, talk: Talk = ()) -> PlotData:
    """The map as plotly's own JSON: its Python objects would take longer to build than the rest."""
    where = map.where(method, dimensions)
    kinds = [corpus.passages[row].doc_type or "no kind" for row in map.rows]
    traces = []
    for number, kind in enumerate(sorted(set(kinds))):
        own = [place for place, name in enumerate(kinds) if name == kind]
        texts = [_text(corpus.passages[map.rows[place]]) for place in own]
        marker = {"color": COLORS[number % len(COLORS)], "size": 3 if dimensions == 3 else 6, "opacity": 0.75}
        traces.append(_trace(html.escape(kind, quote=False), where[own], texts, marker))
    traces += _asked(map, corpus, method, dimensions, talk)
    return PlotData(type="plotly", plot=json.dumps({"data": traces, "layout": _layout(dimensions)}))


def _asked(map: Map, corpus: Corpus, method: Method, dimensions: int, talk: Talk) -> list[dict[str, Any]]:
    """The last question and what was found for it."""
    found = talk[-1].found if talk else None
    if found is None:
        return []
    rows = np.array([corpus.rows[hit.passage.id] for hit in found.hits if hit.passage.id in corpus.rows], np.int64)
    drawn = [(place, row) for row in rows for place in np.flatnonzero(map.rows == row)]
    where = map.where(method, dimensions)[[place for place, _ in drawn]]
    ring = {"color": "rgba(0,0,0,0)", "size": 6 if dimensions == 3 else 13, "line": {"color": "#dc2626", "width": 2}}
    ring |= {"symbol": "circle-open", "color": "#dc2626"}
    traces = [_trace("found", where, [_text(corpus.passages[row]) for _, row in drawn], ring)]
    vector = corpus.embedder.embed([found.query_used], query=True)[0]
    place = map.place(vector, rows, method, dimensions)
    if place is not None:
        star = {
            "color": "#dc2626",
            "size": 7 if dimensions == 3 else 16,
            "symbol": "diamond" if dimensions == 3 else "star",
        }
        traces.append(_trace("question", place[None, :], [_wrapped(found.query_used)], star))
    return traces


def _trace(name: str, where: Any, texts: list[str], marker: dict[str, Any]) -> dict[str, Any]:
    axes = dict(zip("xyz", np.round(np.asarray(where, float).T, 4).tolist(), strict=False))
    kind = "scatter3d" if len(axes) == 3 else "scatter"
    return {
        "type": kind, "mode": "markers", "name": name, "text": texts, "marker": marker,
        "hovertemplate": "%{text}<extra></extra>", **axes,
    }  # fmt: skip


def _text(passage: Passage) -> str:
    start = " ".join(passage.text[: _SHOWN * 2].split())[:_SHOWN]
    return f"<b>{html.escape(passage.crumbs[:_SHOWN], quote=False)}</b><br>{_wrapped(start)}"


def _wrapped(text: str, width: int = 60) -> str:
    """Plain text in lines: plotly shows some HTML, and wraps nothing."""
    lines: list[str] = []
    line = ""
    for word in text[: 2 * _SHOWN].split():
        if line and len(line) + len(word) > width:
            lines, line = [*lines, line], ""
        line = f"{line} {word}".strip()
    return "<br>".join(html.escape(part, quote=False) for part in (*lines, line))


def _layout(dimensions: int) -> dict[str, Any]:
    axis = {"showticklabels": False, "title": {"text": ""}, "gridcolor": "rgba(128,128,128,0.2)", "zeroline": False}
    plane = {"xaxis": axis, "yaxis": axis}
    scene: dict[str, Any] = {f"{name}axis": {**axis, "showbackground": False} for name in "xyz"}
    near = {"camera": {"eye": {"x": 1.0, "y": 1.0, "z": 0.7}}, "aspectmode": "cube"}
    space = {"scene": scene | near}
    return {
        "height": 560, "margin": {"l": 8, "r": 8, "t": 8, "b": 8}, "hovermode": "closest",
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)",
        # A grey that can be read on white and on black: the chart does not know the page's theme.
        "font": {"color": "#7f8797", "size": 13}, "legend": {"orientation": "h", "y": -0.02, "itemsizing": "constant"},
        **(space if dimensions == 3 else plane),
    }  # fmt: skip
