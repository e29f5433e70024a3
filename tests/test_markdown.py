"""What a model says runs nothing and loads nothing, and code and formulas still read as they were written."""

from __future__ import annotations

import pytest

from core.markdown import harmless


@pytest.mark.parametrize(
    "hostile",
    [
        "<img src=x onerror=alert(1)>",
        "<script>alert(1)</script>",
        "text <b style='position:fixed'>over</b>",
        "<!-- comment --><form action=http://evil>",
        "1. item\n   ```\n<div>outside the list, so outside the block\n   ```",
        "| `a|<img src=x>` |",
        "`open\n<b>`",
        "$$x$$ <i>",
        "\\\\<b>",
        "````\n```\n````\n<img src=x>",
        "~~~\n```\n~~~\n<img src=x>",
        "$$\n```\n$$ <img src=x>",
        "`` ` `` <img src=x>",
    ],
)
def test_html_outside_code_is_shown_as_text(hostile: str) -> None:
    shown = harmless(hostile)
    outside = (
        "\n".join(part for n, part in enumerate(shown.split("```")) if n % 2 == 0) if "1. item" in hostile else shown
    )
    assert "<" not in outside.replace("\\lt", "")


@pytest.mark.parametrize(
    "image",
    [
        "![x](http://evil/a.png)",
        "!![x](http://evil)",
        "![x][ref]\n\n[ref]: http://evil",
        "\\![x](http://evil)",
        "[![x](a)](b)",
    ],
)
def test_images_become_links(image: str) -> None:
    assert "![" not in harmless(image)
    assert "[x]" in harmless(image)


@pytest.mark.parametrize(
    "kept",
    [
        "plain text, 3 < 4 and a <- b",
        "`<b>` in a code span",
        "```html\n<b>bold</b>\n```",
        "~~~\n![x](y) <i>\n~~~",
        "a | b\n--|--\n1 | 2",
        "**bold** and [a link](https://example.org)",
        "$$\\frac{a}{b}$$",
        "",
    ],
)
def test_what_is_harmless_stays_as_it_is(kept: str) -> None:
    assert harmless(kept) == kept


def test_a_block_that_is_still_streaming_is_code_already() -> None:
    assert harmless("```html\n<b>") == "```html\n<b>"


def test_less_than_in_a_formula_is_still_less_than() -> None:
    assert harmless("$$a<b$$") == "$$a\\lt b$$"
