"""Candidates for the next token as a chart and as tables. Knows probabilities, not where they come from."""

from __future__ import annotations

import html
import json
from typing import Any

from gradio.components.plot import PlotData

from core.markdown import harmless
from core.sampling import Scores, Step

SHOWN = 10  # Candidates in the chart.
TITLES = {
    "model": "As the model gives them",
    "penalties": "Penalties",
    "temperature": "Temperature",
    "top_k": "Top-k",
    "top_p": "Top-p",
    "min_p": "Min-p",
}
BEFORE, AFTER = "#a5b4c8", "#6366f1"


def visible(text: str) -> str:
    """A token with its blanks to be seen."""
    return text.replace(" ", "·").replace("\n", "⏎").replace("\t", "⇥") or "(nothing)"


def percent(share: float) -> str:
    """A probability as people read it; what is not 0 never looks like 0."""
    if share == 0:
        return "0"
    return "<0.01 %" if share < 0.0001 else f"{share:.2%}".replace("%", " %") if share < 0.1 else f"{share:.1%}"


def bars(scores: Scores, done: list[Step], places: list[int], stage: str) -> PlotData:
    """The candidates' probabilities before and after `stage`, or before and after all steps for "".

    The chart is plotly's own JSON: building its Python objects would take longer than the steps themselves.
    """
    before, after = _around(done, stage)
    # Two candidates may read the same, so the axis holds their ranks and the texts are its labels.
    ranks = list(range(len(places)))
    labels = [html.escape(visible(scores.spell(place))[:24], quote=False) for place in places]
    gone = [_removed_by(done, place) for place in places]
    notes = [f" {percent(float(after[p]))}{f' · {by}' if by else ''}" for p, by in zip(places, gone, strict=True)]
    rows = [
        _trace("before", [float(before[place]) for place in places], ranks, BEFORE, [""] * len(places)),
        _trace("after", [float(after[place]) for place in places], ranks, AFTER, notes),
    ]
    return PlotData(type="plotly", plot=json.dumps({"data": rows, "layout": _layout(labels)}))


def _around(done: list[Step], stage: str) -> tuple[Any, Any]:
    names = [step.name for step in done]
    at = names.index(stage) if stage in names[1:] else 0
    first, last = (done[at - 1], done[at]) if at else (done[0], done[-1])
    return first.probabilities, last.probabilities


def _removed_by(done: list[Step], place: int) -> str:
    return next((f"removed by {TITLES[step.name].lower()}" for step in done if place in step.removed), "")


def _trace(name: str, values: list[float], ranks: list[int], color: str, notes: list[str]) -> dict[str, Any]:
    return {
        "type": "bar", "orientation": "h", "name": name, "x": values, "y": ranks, "text": notes,
        "textposition": "outside", "cliponaxis": False, "marker": {"color": color},
        "hovertemplate": "%{x:.4%}<extra>" + name + "</extra>",
    }  # fmt: skip


def _layout(labels: list[str]) -> dict[str, Any]:
    axis = {"gridcolor": "rgba(128,128,128,0.2)", "zeroline": False, "fixedrange": True}
    ticks = {"tickvals": list(range(len(labels))), "ticktext": labels, "autorange": "reversed", "automargin": True}
    return {
        "barmode": "group", "bargap": 0.25, "height": 60 + 34 * max(len(labels), 3),
        "margin": {"l": 8, "r": 24, "t": 8, "b": 32},
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)",
        # A grey that can be read on white and on black: the chart does not know the page's theme.
        "font": {"color": "#7f8797", "size": 13}, "legend": {"orientation": "h", "y": 1.08},
        "xaxis": {**axis, "range": [0, 1.18], "tickvals": [0, 0.25, 0.5, 0.75, 1], "tickformat": ".0%"},
        "yaxis": {**axis, **ticks},
    }  # fmt: skip


def table(scores: Scores, done: list[Step], given: dict[str, Any]) -> str:
    """A row for each step: what it is set to, what it removed, how many tokens and how much uncertainty are left."""
    rows = ["| step | set to | removed | left in play | entropy |", "|---|---|---|---:|---:|"]
    rows += [
        f"| {TITLES[step.name]} | {_setting(step, given) if step.name != 'model' else ''} | {_removed(scores, step)} "
        f"| {step.left:,} | {step.entropy:.2f} bits |"
        for step in done
    ]
    return "\n".join(rows)


def _setting(step: Step, given: dict[str, Any]) -> str:
    names = (
        ("repetition_penalty", "frequency_penalty", "presence_penalty") if step.name == "penalties" else (step.name,)
    )
    told = [f"{given[name]:g}" for name in names if name in given]
    return ", ".join(told) if step.acts else "off"


def _removed(scores: Scores, step: Step) -> str:
    if not len(step.removed):
        return ""
    first = ", ".join(quoted(scores.spell(int(place))) for place in step.removed[:3])
    more = f" and {len(step.removed) - 3:,} more" if len(step.removed) > 3 else ""
    return f"{first}{more}: {percent(step.lost)}"


def numbers(scores: Scores, done: list[Step], places: list[int]) -> str:
    """A row for each candidate: its probability after each step."""
    rows = [
        "| candidate | " + " | ".join(TITLES[step.name] for step in done) + " |",
        "|---|" + "---:|" * len(done),
    ]
    for place in places:
        shares = " | ".join(percent(float(step.probabilities[place])) for step in done)
        rows.append(f"| {quoted(scores.spell(place))} | {shares} |")
    return "\n".join(rows)


def quoted(text: str, longest: int = 24) -> str:
    """A token as a piece of code in a table's cell, whatever it holds."""
    return harmless("`" + visible(text).replace("`", "ˋ").replace("|", "¦")[:longest] + "`")
