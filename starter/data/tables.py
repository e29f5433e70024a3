"""Markdown tables with questions for a cell: the answer names row, column and value."""

from random import Random

from starter.data import values as w
from starter.data.facts import made, subject, templates
from starter.data.forms import form
from starter.data.sentences import quality, quality_value

Answers = list[tuple[str, str]]


def table(rng: Random, kind: str) -> tuple[str, Answers]:
    """A table about subjects of the kind, and its questions with their answers."""
    return free_table(rng, kind) if rng.random() < 0.6 else known_table(rng, kind)


def drawn(title: str, labels: list[str], rows: list[tuple[str, list[str]]]) -> str:
    """The Markdown of it."""
    lines = ["| " + " | ".join([title, *labels]) + " |", "|" + " --- |" * (len(labels) + 1)]
    return "\n".join(lines + ["| " + " | ".join([name, *cells]) + " |" for name, cells in rows])


def known_table(rng: Random, kind: str) -> tuple[str, Answers]:
    """Columns from the known facts of the kind."""
    columns = rng.sample([t for t in templates(kind) if "{" in t.value], rng.randint(1, 6))
    names = list(dict.fromkeys(subject(rng, kind) for _ in range(rng.randint(2, 6))))
    rows, answers = [], []
    for name in names:
        cells = [made(rng, t, name) for t in columns]
        rows.append((name, [c.value for c in cells]))
        answers += [(c.questions[0], f"{name}: {c.label} {c.value}") for c in cells]
    rng.shuffle(answers)
    return drawn(rng.choice(("Name", kind.capitalize(), "Item")), [t.label for t in columns], rows), answers


def columns(rng: Random) -> dict[str, str]:
    """Labels of any words at all, and the kind of value under each."""
    found: dict[str, str] = {}
    for _ in range(rng.choice((1, 2, 3, 3, 4, 4, 5, 6))):
        name, kind, _ = quality(rng)
        noun = w.pick(rng, "nouns")
        counts = rng.choice((f"{noun}s", f"{noun}s included"))
        other = rng.choice((name, w.filled(rng, f"{{adj}} {name}"), f"{noun} {name}"))
        label, kind = (counts, "count") if rng.random() < 0.35 else (other, kind)
        if kind != "list":
            found[label] = kind
    return found or {"price": "number"}


def free_table(rng: Random, kind: str) -> tuple[str, Answers]:
    """Columns and rows that no list holds."""
    kinds = columns(rng)
    ways = (
        lambda: subject(rng, kind),
        lambda: w.invented(rng, 2).capitalize(),
        lambda: w.pick(rng, "nouns").capitalize(),
    )
    names = list(dict.fromkeys(rng.choice(ways)() for _ in range(rng.randint(2, 6))))
    rows, answers = [], []
    for name in names:
        cells = []
        for label, value_kind in kinds.items():
            cell = w.count(rng) if value_kind == "count" else quality_value(rng, value_kind)
            ask = form(rng, "passages", "ask_count" if value_kind == "count" else "ask_cell")
            ask = ask.replace("{said}", label).replace("{x}", name).replace("{kind}", kind)
            cells.append(cell)
            answers.append((ask, f"{name}: {label.capitalize()} {cell}"))
        rows.append((name, cells))
    rng.shuffle(answers)
    title = rng.choice(("Name", kind.capitalize(), "Item", w.pick(rng, "nouns").capitalize()))
    return drawn(title, [x.capitalize() for x in kinds], rows), answers
