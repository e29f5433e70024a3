"""Wide tables, and the same as lists: questions for one cell by row and column, or for the row by a value."""

from collections import Counter
from dataclasses import dataclass
from random import Random

from starter.data import values as w
from starter.data.documents import Sheet
from starter.data.forms import expand, form, sections
from starter.data.grammar import capital

LAYOUTS = (("table", 12), ("nested", 1.2), ("records", 1), ("items", 1.5))
RULES = ("---", "---", " --- ", ":--", "--:", ":-:", ":---", "-----")
LONG = 3000  # Characters of one table.


@dataclass(frozen=True)
class Column:
    """A label, what stands under it, how people ask for a cell, and how for the row by the cell."""

    label: str
    value: str
    asks: tuple[str, ...]
    whose: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """What a row is called, its number where it has one, and its cells."""

    name: str
    number: str
    cells: tuple[str, ...]


def column(rng: Random, text: str) -> Column:
    """`label : value : question ; question : question by value` with the choice in the label made."""
    label, value, asks, *whose = (part.strip() for part in (text + " ").split(" : "))
    by = tuple(q for q in whose[0].split(" ; ") if q) if whose else ()
    return Column(expand(rng, label), value, tuple(asks.split(" ; ")), by)


def columns(rng: Random) -> list[Column]:
    """One to nine columns: some of a kind that are easily confused side by side, and others."""
    wanted = rng.choice((1, 2, 3, 3, 4, 5, 5, 6, 6, 7, 8, 9))
    found: list[Column] = []
    while len(found) < wanted:
        if rng.random() < 0.7:
            texts = rng.choice(sections("tables")["kin"]).split(" || ")
            texts = rng.sample(texts, rng.randint(1, len(texts))) if rng.random() < 0.5 else texts
        else:
            texts = rng.sample(sections("documents")["columns"], rng.choice((1, 2, 3)))
        new = [column(rng, text) for text in texts]
        found += [c for c in new if c.label not in {f.label for f in found}]
    return found[:wanted]


def row_names(rng: Random, kind: str, count: int) -> list[str]:
    """What the rows of a table are called."""
    if kind == "year":
        last = rng.randint(2015, 2027)
        return [str(y) for y in range(last - count + 1, last + 1)]
    if kind == "size":
        stem = w.filled(rng, rng.choice(("{brand}", "{noun}", "{adj} {noun}"))).capitalize()
        sizes = rng.choice(sections("tables")["sizes"]).split(" ; ")
        bare = [stem] if rng.random() < 0.3 else []
        return [*bare, *(f"{stem} {size}" for size in sizes)][:count]
    ways: dict[str, w.Maker] = {
        "place": w.place, "person": w.person, "product": w.brand, "plan": lambda r: w.invented(r, 2).capitalize(),
        "role": lambda r: capital(w.pick(r, "roles")), "route": lambda r: f"{w.place(r)} – {w.place(r)}",
        "month": lambda r: w.pick(r, "months"), "thing": lambda r: w.filled(r, r.choice(THINGS)),
    }  # fmt: skip
    return list(dict.fromkeys(ways[kind](rng) for _ in range(count)))


THINGS = ("{noun}", "{adj} {noun}", "{noun}s", "{noun} {noun2}", "{noun} {noun2}", "{adj} {noun}s")
KINDS = ("place", "product", "year", "person", "thing", "thing", "plan", "size", "size", "role", "route", "month")


def rows(rng: Random, names: list[str], cols: list[Column], numbered: bool) -> list[Row]:
    """A row for each name, its cells drawn anew."""
    start = rng.choice((1, 1, 3, 10, 101))
    odd = rng.random() < 0.3
    made = []
    for i, name in enumerate(names):
        number = (w.code(rng) if odd else str(start + i)) if numbered else ""
        made.append(Row(name, number, tuple(w.filled(rng, expand(rng, c.value)) for c in cols)))
    return made


def shortened(rng: Random, name: str, names: list[str]) -> str:
    """The row as a question names it: in full, in small letters, or by one word that no other row has."""
    if rng.random() < 0.65:
        return name
    alone = [x for x in name.split() if len(x) > 3 and sum(x.lower() in n.lower() for n in names) == 1]
    if alone and rng.random() < 0.6:
        return rng.choice(alone)
    return name.lower()


def asked(rng: Random, c: Column, name: str, about: str) -> str:
    """A question for one cell."""
    plain = ("What is the {l} of {x}?", "{l} {x}", "What {l} has {x}?", "{x}: {l}?", "{l} for {x}?")
    text = rng.choice(plain) if rng.random() < 0.25 else expand(rng, rng.choice(c.asks))
    return finished(rng, text.replace("{l}", c.label).replace("{x}", name), about)


def asked_by_value(rng: Random, c: Column, cell: str, about: str) -> str:
    """A question for the row by one of its cells."""
    text = expand(rng, rng.choice(c.whose)) if c.whose and rng.random() < 0.7 else form(rng, "tables", "byvalue")
    return finished(rng, text.replace("{l}", c.label).replace("{v}", cell), about)


def finished(rng: Random, text: str, about: str) -> str:
    """The question with what the table is about, where several are alike."""
    if about:
        text = f"{text.rstrip('?')} {rng.choice(('at', 'for', 'of', 'in'))} {about}{rng.choice(('', '?', '?'))}"
    return capital(text)


def questions(rng: Random, cols: list[Column], made: list[Row], about: str, layout: str) -> list[tuple[str, str]]:
    """Questions for every cell, and for the row by cells that stand once in their column."""
    names, answers = [r.name for r in made], []
    for i, c in enumerate(cols):
        often = Counter(r.cells[i] for r in made)
        for r in made:
            told = items(r, cols) if layout == "items" else f"{r.name}: {c.label} {r.cells[i]}"
            by = r.number and rng.random() < 0.12
            answers.append((asked(rng, c, r.number if by else shortened(rng, r.name, names), about), told))
            if often[r.cells[i]] == 1 and len(r.cells[i]) > 1 and rng.random() < 0.2:
                answers.append((asked_by_value(rng, c, r.cells[i], about), told))
    return answers


def items(row: Row, cols: list[Column]) -> str:
    """The row as one line of a list."""
    return f"{row.name}: " + ", ".join(f"{c.label} {cell}" for c, cell in zip(cols, row.cells, strict=True))


def shown(rng: Random, layout: str, title: str, cols: list[Column], made: list[Row]) -> str:
    """The rows as a table, as records one below the other, or as lists."""
    if layout == "table":
        return markdown(rng, title, cols, made)
    if layout == "items":
        return "\n".join(f"- {items(r, cols)}" for r in made)
    if layout == "nested":
        inside = ["\n".join(f"  - {c.label}: {cell}" for c, cell in zip(cols, r.cells, strict=True)) for r in made]
        return "\n".join(f"- {r.name}\n{text}" for r, text in zip(made, inside, strict=True))
    blocks = ["\n".join(f"{c.label}: {cell}" for c, cell in zip(cols, r.cells, strict=True)) for r in made]
    return "\n\n".join(f"**{r.name}**\n{text}" for r, text in zip(made, blocks, strict=True))


def markdown(rng: Random, title: str, cols: list[Column], made: list[Row]) -> str:
    """The table in Markdown, in one of the ways in which people set it."""
    rule, wide = rng.choice(RULES), rng.random() < 0.12
    head = [title, *(c.label for c in cols)]
    body = [[r.name, *r.cells] for r in made]
    if made[0].number:
        head, body = [form(rng, "tables", "ids"), *head], [[r.number, *b] for r, b in zip(made, body, strict=True)]
    width = [max(map(len, cells)) if wide else 0 for cells in zip(head, *body, strict=True)]
    lines = ["| " + " | ".join(c.ljust(n) for c, n in zip(cells, width, strict=True)) + " |" for cells in (head, *body)]
    return "\n".join([lines[0], "|" + f"{rule}|" * len(head), *lines[1:]])


def grid(rng: Random, crumbs: str, about: str, look: Random, cols: list[Column], names: list[str]) -> Sheet:
    """A table with a sentence before or after it; questions name the row, and `about` where tables are alike."""
    layout = look.choices([x for x, _ in LAYOUTS], [odds for _, odds in LAYOUTS])[0] if len(cols) < 6 else "table"
    title = look.choice(("name", "item", "", w.pick(look, "nouns"), "Name", "what"))
    made = rows(rng, names, cols, layout == "table" and look.random() < 0.15)
    text = shown(look, layout, title, cols, made)
    while len(text) > LONG and len(made) > 2:
        made = made[: len(made) * 2 // 3]
        text = shown(look, layout, title, cols, made)
    before = w.filled(rng, form(rng, "documents", "tabletitle")) if rng.random() < 0.5 else ""
    after = w.filled(rng, form(rng, "documents", "tabletail")) if rng.random() < 0.4 else ""
    blocks = "\n\n".join(p for p in (before, text, after) if p)
    return Sheet(about, crumbs, blocks, tuple(questions(rng, cols, made, about, layout)))


def tables(rng: Random) -> tuple[list[Sheet], list[str]]:
    """One table, or the same table for two or three years, people or customers; and questions for what is missing."""
    kind, cols = rng.choice(KINDS), columns(rng)
    if rng.random() < 0.35:
        cols = [Column(capital(c.label), c.value, c.asks, c.whose) for c in cols]
    gone = cols.pop(rng.randrange(len(cols))) if len(cols) > 1 and rng.random() < 0.5 else None
    abouts = titles(rng, kind)
    most = 25 if len(abouts) == 1 else 10
    names = row_names(rng, kind, 1 + rng.choice((2, 3, 3, 4, 5, 6, 8, rng.randint(3, most), rng.randint(3, most))))
    missing = names.pop(rng.randrange(len(names))) if len(names) > 2 else ""
    head = f"{w.filled(rng, rng.choice(TOPS))} > {w.filled(rng, form(rng, 'documents', 'headings'))}"
    seed, alone = rng.random(), len(abouts) == 1
    sheets = [
        grid(
            rng,
            head if alone and rng.random() < 0.6 else f"{head} > {a}",
            "" if alone else a,
            Random(seed),
            cols,
            names,
        )
        for a in abouts
    ]
    about = "" if alone else abouts[0]
    open_ = [asked(rng, c, missing, about) for c in cols if missing]
    open_ += [asked(rng, by_label(gone, cols), name, about) for name in names[:3] if gone]
    if len(sheets) > 2:
        open_ += [q for q, _ in sheets.pop(rng.randrange(len(sheets))).answers]
    return sheets, open_


def by_label(gone: Column, cols: list[Column]) -> Column:
    """The column that was left out, asked for by its label where another could be taken to answer."""
    alike = any(c.value == gone.value for c in cols)
    return Column(gone.label, gone.value, (f"What is the {gone.label} of {{x}}?",)) if alike else gone


TOPS = ("company > {noun}s", "products > {brand}", "policies > {noun} and {noun2}", "{noun}s", "{place} > {noun}s")


def titles(rng: Random, kind: str) -> list[str]:
    """What the table is about, or each of several alike."""
    makers: tuple[w.Maker, ...] = (lambda r: str(r.randint(2018, 2027)), w.brand, w.place, w.person)
    make = rng.choice(makers[1:] if kind in ("year", "month") else makers)
    return list(dict.fromkeys(make(rng) for _ in range(rng.choice((1, 1, 1, 2, 3)))))


__all__ = ["tables"]
