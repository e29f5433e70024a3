"""Splitting: what a passage holds, where it ends, and that nothing is lost, whatever the text."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadSetting
from core.rag.passages import Document, Hit, Passage
from core.rag.split import Recipe, split

Kind = Literal["structure", "recursive", "plain"]
KINDS: tuple[Kind, ...] = ("structure", "recursive", "plain")
SMALL = Recipe(size=300, overlap=60)


def document(text: str, title: str = "Heron 3", doc_type: str = "products") -> Document:
    return Document("products/heron.md", title, text, doc_type)


def sentences(count: int) -> str:
    return " ".join(f"The gauge at site {n} was read by hand on day {n * 3}." for n in range(count))


def words(text: str) -> int:
    """A stand-in for a tokenizer that makes more tokens than there are words."""
    return len(text) // 3 + 2


# --- headings ---------------------------------------------------------------------------------------------------------


def test_headings_stand_before_the_text_and_the_title_once() -> None:
    text = f"# Heron 3\n\n{sentences(5)}\n\n## Terms\n\n### Payment ###\n\n{sentences(6)}\n"
    first, second = split(document(text), replace(SMALL, size=400))
    assert (first.heading, first.crumbs) == ("", "products > Heron 3")
    assert second.crumbs == "products > Heron 3 > Terms > Payment"
    assert second.text == sentences(6)
    assert second.shown == f"products > Heron 3 > Terms > Payment\n\n{second.text}"


def test_small_neighbours_are_joined_below_what_they_share() -> None:
    text = "# Heron 3\n\n## 4.8 series\n\n### 4.8.1\n\nIce off.\n\n### 4.8.0\n\nIce on.\n\n## 4.7 series"
    text += "\n\n### 4.7.2\n\nRain."
    (whole,) = split(document(text), SMALL)
    assert whole.heading == ""
    assert whole.text.startswith("## 4.8 series\n\n### 4.8.1")
    first, second = split(document(text.replace("Rain.", sentences(5))), SMALL)
    assert (first.heading, first.text) == ("4.8 series", "### 4.8.1\n\nIce off.\n\n### 4.8.0\n\nIce on.")
    assert second.heading == "4.7 series > 4.7.2"


def test_a_section_is_not_joined_with_one_that_would_lose_its_heading() -> None:
    text = f"## One\n\n{sentences(4)}\n\n{sentences(4)}\n\nShort end.\n\n## Two\n\nShort.\n"
    passages = split(document(text), SMALL)
    assert [passage.heading for passage in passages] == ["One", "One", "Two"]


@pytest.mark.parametrize(
    "text",
    [
        "Payment\n=======\n\nNet 30.",
        "# *Payment*\n\nNet 30.",
        "# `Payment` #\nNet 30.",
    ],
)
def test_a_heading_is_read_in_any_spelling(text: str) -> None:
    (passage,) = split(document(text), SMALL)
    assert (passage.heading, passage.text) == ("Payment", "Net 30.")


def test_an_address_in_a_heading_stays_in_the_text() -> None:
    (passage,) = split(document("# [Payment](https://x.example/pay)\n\nNet 30."), SMALL)
    assert passage.heading == "Payment"
    assert passage.text == "# [Payment](https://x.example/pay)\n\nNet 30."


@pytest.mark.parametrize("fence", ["```", "~~~~", "```python"])
def test_what_looks_like_a_heading_in_code_is_none(fence: str) -> None:
    text = f"# Setup\n\n{fence}\n# a comment\n{fence[:4].strip('p')}\n\nDone."
    (passage,) = split(document(text), SMALL)
    assert passage.heading == "Setup"
    assert "# a comment" in passage.text


@pytest.mark.parametrize("heading", ["x" * 121, "#hashtag", "", "    # indented"])
def test_what_is_no_heading_stays_in_the_text(heading: str) -> None:
    line = heading if heading.strip().startswith("#") else f"# {heading}"
    (passage,) = split(document(f"Before.\n\n{line}\n\nAfter."), SMALL)
    assert passage.text == f"Before.\n\n{line}\n\nAfter."


def test_headings_without_text_are_text() -> None:
    (passage,) = split(document("# One\n# Two\n## Three\n"), SMALL)
    assert (passage.heading, passage.text) == ("", "# One\n# Two\n## Three")


def test_a_path_of_long_headings_leaves_room_for_the_text() -> None:
    text = "".join(f"{'#' * n} {n}{' very' * 22} long\n\n" for n in range(1, 7)) + sentences(3)
    passages = split(document(text), replace(SMALL, size=600), words)
    assert all(len(passage.heading) <= 240 for passage in passages)
    assert all(f"{n} very" in "".join(passage.shown for passage in passages) for n in range(1, 7))


# --- tables, lists, code ----------------------------------------------------------------------------------------------

ROWS = [f"| {n} | level of site {n} | mm |" for n in range(40)]
TABLE = "| register | content | unit |\n|---|---|---|\n" + "\n".join(ROWS)


def test_a_table_that_fits_is_whole() -> None:
    table = "\n".join(TABLE.split("\n")[:9])
    first, second = split(document(f"{sentences(4)}\n\n{table}"), SMALL)
    assert (first.text, second.text, second.lead) == (sentences(4), table, "")


def test_a_long_table_is_cut_between_rows_and_every_part_has_its_header() -> None:
    passages = split(document(f"Intro.\n\n{TABLE}\n\n{sentences(3)}"), SMALL)
    header = "| register | content | unit |\n|---|---|---|\n"
    rows = [line for passage in passages for line in passage.text.split("\n") if line.startswith("| ")]
    assert rows == [header.split("\n")[0], *ROWS]
    later = [passage for passage in passages[1:] if passage.text.startswith("|")]
    assert len(later) >= 3
    assert all(passage.lead == header and passage.shown.endswith(header + passage.text) for passage in later)
    assert all(len(passage.lead) + len(passage.text) <= 300 for passage in passages)


def test_more_of_the_document_around_a_table_keeps_its_header_once() -> None:
    text = f"Intro.\n\n{TABLE}"
    passage = split(document(text), SMALL)[2]
    wider = Hit(passage, 1.0, text[passage.start - 60 : passage.end], passage.start - 60, passage.end)
    whole = Hit(passage, 1.0, text, 0, len(text))
    assert [hit.shown.count("| register |") for hit in (wider, whole)] == [1, 1]


def test_a_header_that_leaves_no_room_is_not_repeated() -> None:
    names = "|".join(f"column {n}" for n in range(40))
    text = f"|{names}|\n|{'---|' * 40}\n" + "\n".join(f"|{'1|' * 40}" for _ in range(20))
    passages = split(document(text), SMALL)
    assert len(passages) > 3
    assert not any(passage.lead for passage in passages)


def test_a_list_that_fits_is_whole_and_a_long_one_is_cut_between_items() -> None:
    short = "\n".join(f"- Item number {n}\n  goes on here." for n in range(8))
    first, second = split(document(f"{sentences(4)}\n\n{short}"), SMALL)
    assert (first.text, second.text) == (sentences(4), short)
    long = "\n".join(f"{n}. Item number {n}\n   goes on here.\n   - inner" for n in range(40))
    passages = split(document(long), SMALL)
    assert len(passages) >= 5
    assert all(passage.text[0].isdigit() and passage.text.endswith("- inner") for passage in passages)


def test_code_that_fits_is_whole_and_long_code_is_cut_between_lines() -> None:
    code = "```python\n" + "\n".join(f"value_{n} = read(site={n})" for n in range(9)) + "\n```"
    first, second = split(document(f"{sentences(4)}\n\n{code}"), SMALL)
    assert (first.text, second.text) == (sentences(4), code)
    long = "```\n" + "\n".join(f"    value_{n} = read(site={n})" for n in range(60)) + "\n```"
    passages = split(document(long), SMALL)
    assert all(passage.text.endswith((")", "```")) for passage in passages)
    assert all(passage.text.startswith("    value_") for passage in passages[1:])


# --- running text -----------------------------------------------------------------------------------------------------


def test_running_text_is_cut_at_sentence_ends_and_overlaps_by_whole_sentences() -> None:
    text = sentences(30)
    passages = split(document(text), SMALL)
    assert all(passage.text.startswith("The gauge") and passage.text.endswith(".") for passage in passages)
    for before, after in pairwise(passages):
        assert 0 < before.end - after.start <= 60


def test_parts_are_about_equal() -> None:
    lengths = [len(passage.text) for passage in split(document(sentences(30)), replace(SMALL, overlap=0))]
    assert min(lengths) > 0.6 * max(lengths)


def test_no_small_end_is_left() -> None:
    first, second = split(document(f"{sentences(14)}\n\nThe end."), replace(SMALL, size=600, overlap=0))
    assert second.text.endswith("The end.")
    assert len(second.text) > 0.5 * len(first.text)


def test_nothing_overlaps_between_paragraphs() -> None:
    passages = split(document("\n\n".join([sentences(5)] * 6)), SMALL)
    assert [passage.text for passage in passages] == [sentences(5)] * 6
    assert len({passage.id for passage in passages}) == 6


@pytest.mark.parametrize("inner", ["Dr. Holm", "No. 5", "J. K. Lindqvist", "e.g. Lund", "3.5 mm", "www.x.example"])
def test_a_point_inside_a_sentence_is_no_end(inner: str) -> None:
    text = " ".join(
        f"It was seen by {inner} and by a great many people of the town who came later {n}." for n in range(9)
    )
    passages = split(document(text), replace(SMALL, overlap=0))
    assert all(passage.text.startswith("It was") for passage in passages)


def test_text_without_spaces_has_ends_of_sentences_too() -> None:
    passages = split(document("水位は毎日測られています。" * 80), replace(SMALL, overlap=0))
    assert all(passage.text.endswith("。") for passage in passages)


# --- the window -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [sentences(60), TABLE, "水位は毎日" * 300, "x" * 3000, "## A\n\nb\n\n" * 80])
def test_nothing_is_past_what_the_model_reads(text: str) -> None:
    recipe = Recipe(size=800, window=120)
    passages = split(document(text), recipe, words)
    assert all(words(passage.shown) <= 120 for passage in passages)
    assert max(words(passage.shown) for passage in passages) > 60


def test_a_title_that_fills_the_window_ends_the_shrinking() -> None:
    passages = split(document(sentences(20), title="t" * 2000), Recipe(window=100), words)
    assert all(40 <= len(passage.text) <= 80 for passage in passages[:-1])


# --- every kind -------------------------------------------------------------------------------------------------------


def test_the_named_choices_are_langchains() -> None:
    from langchain_text_splitters import CharacterTextSplitter, RecursiveCharacterTextSplitter

    text = "\n\n".join(f"# {n}\n\n{sentences(n)}" for n in range(1, 30))
    plain = CharacterTextSplitter(chunk_size=1000, chunk_overlap=200)
    recursive = RecursiveCharacterTextSplitter(chunk_size=300, chunk_overlap=60)
    assert [passage.text for passage in split(document(text), Recipe("plain"))] == plain.split_text(text)
    assert [p.text for p in split(document(text), replace(SMALL, kind="recursive"))] == recursive.split_text(text)


@pytest.mark.parametrize("kind", ["recursive", "plain"])
def test_offsets_are_right_where_text_repeats_and_lines_are_blank(kind: Kind) -> None:
    text = "\n\n\n\n".join(["the same again and again"] * 200 + ["the end"])
    passages = split(document(text), replace(SMALL, kind=kind))
    starts = [passage.start for passage in passages]
    assert starts == sorted(set(starts))
    assert passages[-1].end == len(text)
    _sound(text, passages)


def test_pages_are_those_on_which_a_passage_begins() -> None:
    text = "\n\n".join(sentences(5) for _ in range(4))
    size = len(sentences(5)) + 2
    paged = replace(document(text), pages=(0, size, size * 3))
    assert [passage.page for passage in split(paged, SMALL)] == [1, 2, 2, 3]
    assert {passage.page for passage in split(document(text), SMALL)} == {None}


def test_ids_stay_where_text_stays() -> None:
    text = "\n\n".join(f"## Part {n}\n\n{sentences(5)} Number {n}." for n in range(6))
    before = split(document(text), SMALL)
    after = split(document(f"## New\n\n{sentences(5)}\n\n{text}"), SMALL)
    assert [passage.id for passage in after[1:]] == [passage.id for passage in before]
    renamed = split(document(text.replace("## Part 3", "## Item 3")), SMALL)
    assert [p.id == q.id for p, q in zip(before, renamed, strict=True)] == [True, True, True, False, True, True]
    elsewhere = split(replace(document(text), source="b.md"), SMALL)
    assert not {passage.id for passage in elsewhere} & {passage.id for passage in before}


@pytest.mark.parametrize("values", [{"size": 100}, {"size": 10**6}, {"overlap": -1}, {"size": 200, "overlap": 101}])
def test_a_recipe_that_makes_no_sense_is_refused(values: dict[str, int]) -> None:
    with pytest.raises(BadSetting):
        Recipe(**{"overlap": 0, **values})  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ["", " \n\t\n ", "\n" * 9])
def test_a_blank_document_has_no_passages(kind: Kind, text: str) -> None:
    assert split(document(text), Recipe(kind)) == []


# --- whatever the text ------------------------------------------------------------------------------------------------

LINES = st.sampled_from(
    [
        "# One", "## Two", "### Three", "####### no", "#", "Under\n---", "Under\n===", "", "", "", "   ", "# [a](u)",
        "- item", "  - inner", "1. first", "* star", "| a | b |", "|---|---|", "| 1 | 2 |", "a | b", "--- | ---", "```",
        "~~~", "    code", "> quote", "A sentence. Another one! A third? “Yes.” Dr. No.", "word " * 30, "x" * 200,
        "水位。" * 20, "\u2028", "\x0c", "a\tb", "é", "\u00a0", "---", "***", "Heron 3", "# Heron 3", "\\", "![p](u)",
        "<!-- c -->", "\U0001f600" * 9,
    ]
)  # fmt: skip
TEXTS = st.one_of(st.lists(LINES, max_size=60).map("\n".join), st.text(max_size=1500))


def _sound(text: str, passages: list[Passage]) -> None:
    for passage in passages:
        assert passage.text == text[passage.start : passage.end]
        assert passage.text.strip()
    assert len({passage.id for passage in passages}) == len(passages)
    starts = [passage.start for passage in passages]
    assert starts == sorted(starts)


def _lost(text: str, passages: list[Passage]) -> list[str]:
    """The lines of which something stands in no passage's text."""
    covered = bytearray(len(text))
    for passage in passages:
        covered[passage.start : passage.end] = b"\1" * (passage.end - passage.start)
    lost, at = [], 0
    for line in text.split("\n"):
        if any(not covered[at + n] and not char.isspace() for n, char in enumerate(line)):
            lost.append(line)
        at += len(line) + 1
    return lost


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.sampled_from(KINDS), st.integers(160, 400), st.booleans())
def test_spans_are_valid_sizes_bounded_and_nothing_is_lost(text: str, kind: Kind, size: int, counted: bool) -> None:
    passages = split(document(text), Recipe(kind, size, size // 5, window=100), words if counted else None)
    _sound(text, passages)
    if kind != "plain":
        assert all(len(passage.lead) + len(passage.text) <= size for passage in passages)
    assert bool(passages) == bool(text.strip())
    shown = {part for passage in passages for part in (*passage.heading.split(" > "), "Heron 3")}
    for line in _lost(text, passages):
        assert kind == "structure"
        assert line.strip("# =-") in shown or not line.strip("=-")


MEGABYTE = 1_000_000
HUGE = {
    "no space": "a" * MEGABYTE, "one line": "word and word. " * 66_000, "blank": "\n" * MEGABYTE + "x",
    "headings": "".join(f"# h {n}\n" for n in range(100_000)), "sections": "## h\ntext\n" * 90_000,
    "deep list": "".join("  " * (n % 400) + "- item\n" for n in range(3_000)), "items": "- item of a list\n" * 58_000,
    "rows": "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 100_000, "fences": "```\n" * 250_000,
    "brackets": "# " + "[" * MEGABYTE, "rules": "---\n" * 250_000, "points": ". " * 500_000,
    "underlined": "a\n---\n\n" * 120_000,
}  # fmt: skip


@pytest.mark.parametrize("name", HUGE)
def test_time_is_linear(name: str) -> None:
    started = time.process_time()
    passages = split(document(HUGE[name]), Recipe())
    # On an idle core none takes two seconds; this is what a quadratic one would take at the least.
    assert time.process_time() - started < 6
    assert passages
