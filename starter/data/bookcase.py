"""What a search finds: passages of documents, prose and tables, mostly of one kind and easily confused."""

from random import Random

from starter.data import documents, grids, prose
from starter.data.documents import Sheet

Found = tuple[list[Sheet], list[str]]


def bookcase(rng: Random, company: bool = False) -> Found:
    """Passages with questions, and questions that they leave open; in dollars, pounds or euros.

    With `company`, those only that a company's own documents would have.
    """
    roll = rng.random()
    sheets, open_ = prose.shelf(rng, company) if roll < 0.52 else mixed(rng, roll < 0.77)
    coin = rng.choice("$$£€")
    return [Sheet(s.subject, s.heading, paid_in(coin, s.text), in_coin(coin, s)) for s in sheets], open_


def mixed(rng: Random, tabled: bool) -> Found:
    """Near-identical passages or tables, at times with others that have nothing to do with them."""
    kind, other = rng.sample(tuple(documents.outlines()), 2)
    sheets, open_ = grids.tables(rng) if tabled else documents.shelf(rng, kind)
    most = rng.choice((5, 5, 8))
    if rng.random() < 0.35 and len(sheets) < most:
        sheets += [Sheet(s.subject, s.heading, s.text, ()) for s in strangers(rng, other, tabled)[: most - len(sheets)]]
        rng.shuffle(sheets)
    return sheets, open_


def strangers(rng: Random, kind: str, tabled: bool) -> list[Sheet]:
    """Passages that nobody asks about: of another kind, or another table, mostly beside a table."""
    return grids.tables(rng)[0][:2] if rng.random() < (0.65 if tabled else 0.2) else documents.shelf(rng, kind)[0]


def paid_in(coin: str, text: str) -> str:
    """The text with sums in that currency."""
    return text.replace("$", coin)


def in_coin(coin: str, sheet: Sheet) -> tuple[tuple[str, str], ...]:
    """Questions and answers of a passage in that currency."""
    return tuple((paid_in(coin, q), paid_in(coin, a)) for q, a in sheet.answers)


__all__ = ["bookcase"]
