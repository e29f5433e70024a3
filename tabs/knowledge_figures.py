"""How the quality meter's findings look: tables, a failed question with its passages, and quality against time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from gradio.components.plot import PlotData

from core.markdown import harmless, plain
from tabs.bubbles import code

COLUMNS = {
    "mrr": "MRR", "ndcg": "nDCG@k", "recall": "recall@k", "coverage": "keywords found",
    "coverage_short": "in 4,000 characters",
    "characters": "characters", "milliseconds": "milliseconds",
}  # fmt: skip
MARKS = ("accuracy", "completeness", "relevance")
_COLORS = {"hybrid": "#6366f1", "vector": "#f59e0b", "keyword": "#10b981"}
_LARGE = ("characters", "milliseconds")

Row = dict[str, Any]


def evaluation(row: Row) -> str:
    """A row for each category, each figure with its 95 % interval, beside floor and ceiling."""
    lines = [
        f"| | questions |{''.join(f' {name} |' for name in COLUMNS.values())}",
        "|---|---:|" + "---:|" * len(COLUMNS),
    ]
    for name, figures in row["figures"].items():
        cells = [_interval(metric, figures[metric]) for metric in COLUMNS]
        lines.append(f"| {plain(name)} | {row['questions'].get(name, 0):,} | {' | '.join(cells)} |")
    for name, key in (("best possible order", "ceiling"), ("passages at random", "floor")):
        cells = ["" if metric == "milliseconds" else _figure(metric, row[key].get(metric)) for metric in COLUMNS]
        lines.append(f"| *{name}* | | {' | '.join(cells)} |")
    more = f"\n{row['unanswerable']:,} questions that have no answer in the documents are not counted."
    return "\n".join([*lines, more if row["unanswerable"] else ""])


def _interval(metric: str, value: Sequence[float | None]) -> str:
    mean, low, high = value
    if metric in _LARGE or mean is None:
        return _figure(metric, mean)
    return f"{_figure(metric, mean)} ({_figure(metric, low)} to {_figure(metric, high)})"


def _figure(metric: str, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if metric in _LARGE else f"{value:.3f}"


def failed(rows: Sequence[Row]) -> list[tuple[str, int]]:
    """The questions of which a keyword was found nowhere, as a list to choose from."""
    return [(f"{row['question']} ({row['category'] or 'no category'})", place) for place, row in enumerate(rows)]


def failure(row: Row) -> str:
    """A failed question: what should have been found, and what was."""
    missing = ", ".join(plain(word) for word in row["missing"])
    expected = ", ".join(plain(source) for source in row["sources"])
    parts = [
        f"**{plain(row['question'])}**",
        f"Right answer: {plain(row['reference_answer'])}" if row["reference_answer"] else "",
        f"Not found in any passage: {missing}",
        f"Should be in: {expected}" if expected else "",
    ]
    for number, passage in enumerate(row["passages"], start=1):
        where = plain(" › ".join(filter(None, (passage["source"], passage["heading"]))))
        parts.append(f"**{number}** {where}\n\n{code(passage['text'])}")
    return "\n\n".join(filter(None, parts))


def settings_table(rows: Sequence[Row]) -> str:
    """A row for each setting of a sweep, the best first."""
    lines = [
        "| size | k | search | passages | MRR | nDCG@k | keywords found | milliseconds |",
        "|---:|---:|---|" + "---:|" * 5,
    ]
    for row in sorted(rows, key=lambda row: -(row["reached"]["mrr"][0] or 0)):
        cells = [_interval(metric, row["reached"][metric]) for metric in ("mrr", "ndcg", "coverage", "milliseconds")]
        head = f"| {row['size']:,} | {row['k']} | {plain(row['mode'])} | {row['passages']:,} |"
        lines.append(f"{head} {' | '.join(cells)} |")
    return "\n".join(lines)


def settings_plot(rows: Sequence[Row]) -> PlotData:
    """Quality against milliseconds: each setting a dot. Plotly's own JSON."""
    traces = [
        _trace(mode, [row for row in rows if row["mode"] == mode])
        for mode in dict.fromkeys(row["mode"] for row in rows)
    ]
    axis = {"gridcolor": "rgba(128,128,128,0.2)", "zeroline": False, "automargin": True}
    layout = {
        "height": 420, "margin": {"l": 8, "r": 8, "t": 8, "b": 8}, "legend": {"orientation": "h", "y": 1.1},
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "font": {"color": "#7f8797", "size": 13},
        "xaxis": {**axis, "title": {"text": "milliseconds a question"}, "rangemode": "tozero"},
        "yaxis": {**axis, "title": {"text": "MRR"}},
    }  # fmt: skip
    return PlotData(type="plotly", plot=json.dumps({"data": traces, "layout": layout}))


def _trace(mode: str, rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "markers", "name": mode, 
        "marker": {"color": _COLORS.get(mode, "#94a3b8"), "size": 11},
        "x": [row["reached"]["milliseconds"][0] for row in rows], "y": [row["reached"]["mrr"][0] for row in rows],
        "text": [f"{row['size']} characters, k = {row['k']}" for row in rows],
        "hovertemplate": "%{text}<br>MRR %{y:.3f}, %{x:.1f} ms<extra>" + mode + "</extra>",
    }  # fmt: skip


def judged(rows: Sequence[Row]) -> str:
    """The mean marks, and each answer with its marks or why it has none."""
    marked = [row for row in rows if "error" not in row]
    lines = ["| question | accuracy | completeness | relevance | why |", "|---|---:|---:|---:|---|"]
    if marked:
        means = " | ".join(f"**{fmean(row[mark] for row in marked):.2f}**" for mark in MARKS)
        lines.append(f"| **mean of {len(marked)}** | {means} | |")
    for row in rows:
        cells = [str(row.get(mark, "–")) for mark in MARKS]
        said = row.get("why") or f"⚠️ {row.get('error', '')}"
        lines.append(f"| {plain(row['question'])} | {' | '.join(cells)} | {plain(said[:300])} |")
    return harmless("\n".join(lines))
