"""What a model wrote, held against pages: links, numbers, sections, also half-way; and the files made of it."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from core.brochure import Dossier, Wish, checked
from core.brochure.check import settled
from core.brochure.dossier import left
from core.brochure.export import FORMATS, markdown, page, pdf
from core.values import value
from core.web import Page

PAGES = (
    Page(
        "https://oak.example/", "https://oak.example/", 200, "Oak Boats | Home", "",
        "Oak Boats builds quiet boats since 1998, with 42 people. Three yards. Write to hi@oak.example.", (), 10,
    ),
    Page(
        "https://oak.example/old", "https://oak.example/about_(us)", 200, "About us | Oak Boats", "",
        "Founded by Ada Holm. The Heron costs 24,500 euros, 4.50 a litre, and it floats on every river.", (), 10,
    ),
)  # fmt: skip
KNOWN = {"https://oak.example/", "https://oak.example/about_%28us%29"}


def shown(text: str, whole: bool = True) -> str:
    return checked(text, PAGES, whole=whole).markdown


def reached(rendered: str) -> set[str]:
    """Every address that a browser would open from this Markdown, by a renderer that also makes links of bare text."""
    html = MarkdownIt("gfm-like", {"linkify": False, "html": True}).render(rendered)
    bare = re.findall(r"(?:https?://|www\.)[^\s<\"]+", re.sub(r"<(a|code)\b.*?</\1>", "", html, flags=re.DOTALL))
    return {*re.findall(r"(?:href|src|action)=\"([^\"]*)", html), *bare}


INVENTED = (
    "[x](https://evil.example/)", "[x](<https://evil.example/>)", "[x](https://evil.example/ 'title')",
    "[x](//evil.example)",
    "[x](javascript:alert(1))", "[x](/not-read)", "[x](mailto:a@evil.example)", "![x](https://evil.example/p.png)",
    "![x][1]\n\n[1]: https://evil.example/p.png", "[x][1]\n\n[1]: https://evil.example/", "[x]\n\n[x]: //evil.example",
    "<https://evil.example/>", "https://evil.example/a?b=1", "www.evil.example", "HTTPS://EVIL.example", "ftp://evil.example",
    "<a href='https://evil.example'>x</a>", "<img src=https://evil.example/p.png>", "<a href=//evil.example>x</a>",
    "[a\\]b](//evil.example)", "[a [b] c](//evil.example)", "[![x](https://evil.example/i)](https://evil.example/)",
    "[x](https://oak.example.evil.example/)", "[x](https://oak.example@evil.example/)", "[x](https&#58;//evil.example)",
    "[x](\nhttps://evil.example/\n)", "[x]( https://evil.example/ )", "> [x](https://evil.example)",
    "| [x](//evil.example) |",
    "- [ ] [x](//evil.example)", "# [x](//evil.example)", "[https://oak.example/](https://evil.example/)",
    "\ue001 [x](//evil.example)", "[x](//evil.example \"a\" )", "*[x](//evil.example)*", "[x]: //evil.example\n[x]",
)  # fmt: skip


@pytest.mark.parametrize("text", INVENTED)
def test_an_invented_link_is_never_one_at_any_moment(text: str) -> None:
    whole = f"# Oak\n\nBefore {text} \n\nafter [us](/old) it.\n"
    for end in range(len(whole) + 1):
        rendered = shown(whole[:end], whole=False)
        assert reached(rendered) <= KNOWN, rendered
    rendered = checked(whole, PAGES, whole=True)
    assert reached(rendered.markdown) <= KNOWN
    assert "https://oak.example/about_%28us%29" in rendered.markdown


PIECES = st.sampled_from(
    [
        "[", "]", "(", ")", "<", ">", "!", "\\", "`", "|", "\n", "\n\n", " ", ":", "//", "https://", "evil.example",
        "www.", "/old", "https://oak.example/", "javascript:", "x", "1", "24,500", "[1]", "]: ", "](", "*", "_",
        "&#58;", "@", "\ue001", "$$", "```", "~~~\n", "# ", "- ", "<a href=", "'", '"', "[[1]]", "[[",
    ]
)  # fmt: skip


@settings(max_examples=1500, deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join), st.booleans())
def test_no_text_at_all_makes_a_link_to_elsewhere(text: str, whole: bool) -> None:
    assert reached(shown(text, whole)) <= KNOWN


def test_links_to_pages_that_were_read_stay() -> None:
    said = checked(
        "[a](/old) [b](https://oak.example/about_(us)) <https://oak.example> https://oak.example/.", PAGES, whole=True
    )
    assert reached(said.markdown) == KNOWN
    assert said.removed == ()
    assert said.markdown.startswith("[a](https://oak.example/about_%28us%29) [b](https://oak.example/about_%28us%29)")


def test_an_address_for_mail_is_text_and_an_invented_one_goes() -> None:
    said = checked("hi@oak.example or boss@oak.example", PAGES, whole=True)
    assert said.markdown.startswith("hi&#64;oak.example or (address removed)")
    assert said.removed == ("boss@oak.example",)


@pytest.mark.parametrize(
    ("text", "doubtful"),
    [
        ("since 1998, 42 people, 24,500 euros, 24.500 euros, 24'500, 4.5 and 4,50 a litre, 3 yards", ()),
        ("since 1999 with 43 people", ("1999", "43")),
        ("245 or 2,450 or 24,50", ("245", "2,450", "24,50")),
        ("1. first\n2. second\n- 7) third", ()),
        ("B2B, H2O and the 1990s", ("1990",)),
        ("[43 boats](/old)", ("43",)),
    ],
)
def test_numbers_that_stand_on_no_page_are_marked(text: str, doubtful: tuple[str, ...]) -> None:
    said = checked(text, PAGES, whole=True)
    assert said.doubtful == doubtful
    assert said.markdown.count("⚠️") == len(doubtful) + (not said.sections[0].pages)


@pytest.mark.parametrize(
    ("spelt", "meant"),
    [
        ("24,500", "24500"), ("24.500", "24500"), ("1'234'567", "1234567"), ("4,50", "4.5"), ("4.0", "4"), ("007", "7"),
        ("12.03.2024", "1203.2024"),
    ],
)  # fmt: skip
def test_a_number_in_one_spelling(spelt: str, meant: str) -> None:
    assert value(spelt) == meant


def test_each_section_names_its_pages() -> None:
    text = (
        "# Oak\n\n## Cited\n\nNothing alike. [[2, 9]]\n\n"
        "## Alike\n\nQuiet boats since 1998, with people and yards.\n\n## Neither\n\nZebras gallop."
    )
    said = checked(text, PAGES, whole=True)
    assert [(section.heading, section.pages) for section in said.sections] == [
        ("Cited", (PAGES[1].final_url,)), ("Alike", (PAGES[0].final_url,)), ("Neither", ()),
    ]  # fmt: skip
    assert "[[" not in said.markdown
    assert "*↳ [About us](https://oak.example/about_%28us%29)*" in said.markdown
    assert said.markdown.endswith("*⚠️ ↳ —*")


def test_what_could_still_change_is_held_back() -> None:
    assert settled("One two thr") == "One two "
    assert settled("See [our boats](https://o") == "See "
    assert settled("See [our boats](/old) and [mo") == "See [our boats](/old) and "
    assert settled("Cited [[1, 2") == "Cited "
    assert settled("Line\n<img src") == "Line\n"


def test_a_document_in_a_fence_is_a_document() -> None:
    assert shown("```markdown\n# Oak\n\nBoats.\n```").startswith("# Oak\n\nBoats.")


def test_a_long_brochure_is_checked_quickly() -> None:
    text = "## Boats\n\nThe Heron costs 24,500 euros, see [us](/old) or [x](//e.example). [[1]]\n\n" * 120
    started = time.perf_counter()
    checked(text, PAGES, whole=False)
    # It runs again at every tick, sixteen times a second.
    assert time.perf_counter() - started < 0.05


# --- files ------------------------------------------------------------------------------------------------------------

HOSTILE = (
    "# Oak & <Boats>\n\n<script>alert(1)</script> ![p](https://evil.example/p.png) #panic() $x$ @cite *é* Ελλάδα 🎉\n\n"
    "## Prices\n\n| Boat | Price |\n|---|---:|\n| Heron | 24,500 |\n| `#read(\"/etc/passwd\")` | <b>9</b> |\n\n"
    "1. one\n   - two\n2. [three](/old)\n\n> said\n\n```\n#let x = 1\n```\n\n---\n\nA  \nB ~~c~~\n"
)  # fmt: skip
DOSSIER = Dossier(company='"Oak" & <Boats> #x', pages=PAGES, text=HOSTILE, whole=True, wish=Wish())


def test_markdown_lists_the_pages_and_is_harmless() -> None:
    text = markdown(DOSSIER)
    assert reached(text) <= KNOWN
    assert "2. [About us](https://oak.example/about_%28us%29)" in text
    assert "<script" not in text


def test_the_html_page_needs_and_runs_nothing() -> None:
    html = page(DOSSIER)
    assert "<script" not in html
    assert "<img" not in html
    assert re.findall(r"src=|@import|url\(", html) == []
    assert "default-src 'none'" in html
    assert "<table>" in html
    assert "<title>&quot;Oak&quot; &amp; &lt;Boats&gt; #x</title>" in html


def test_the_pdf_is_set_from_data_and_has_pages() -> None:
    long = Dossier(company="Oak", pages=PAGES, text=HOSTILE + "\n\nText of the brochure. " * 900, whole=True)
    made = pdf(long)
    assert made.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", made)) >= 3
    assert b"/StructTreeRoot" in made
    assert b"root:x:0" not in made


def test_every_format_has_something_to_say_of_an_odd_brochure() -> None:
    for text in ("", "#", "| a |\n|---|", "[[1]]", "- \n- ", "> ", "\\", "<" * 99, "[" * 99, "1. " * 50, "$" * 9):
        for form in FORMATS.values():
            assert form(Dossier(company="X", pages=PAGES, text=text, whole=True))


def test_what_is_left_in_the_middle_says_so() -> None:
    half = left(Dossier(company="Oak", text="# Oak", pages=PAGES), "Stopped.")
    assert half.notes == ("The brochure is incomplete. Stopped.",)
    assert half.finished
    assert left(half, "Stopped.").notes == half.notes
