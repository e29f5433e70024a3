"""What a model says runs nothing and loads nothing, and code and formulas still read as they were written."""

from __future__ import annotations

import html
import random
import re
import time

import pytest

from core.markdown import harmless, plain, sound

X, IMAGE = "<u>RAW</u>", "![x](http://evil.example/i.png)"
# Places where one reader of Markdown sees code or a formula and another one does not.
DOUBTFUL = (
    "{}", "`open\n` {} `", "[a](/u`) {} `", '[a](/u "`") {} `', "http://x.com/` {} `", "`a\r\r{}\r\r`", "~~~\r~~~\n{}",
    "```mermaid\n{}\n```", "```mermaid\nx```\n{}\n```", "[a]:\n```\n{}\n```", "```\n```~\n{}\n```", "~~~\n~~~`\n{}\n",
    "\\(\n```\n\\) {}", "\\(\n` \\) {} `", "\\] \\[\n```\n\\] {}", "$$$$\n```\n$$ {}", "\\( {} $$ \\) $$", "$$ {} $$",
    "\\[ {} $$ \\] $$", "> ```\n> {}\n> ```", "- ```\n  {}\n  ```\n{}", "1. x\n   ```\n{}\n   ```", "| `a | {}` |",
    "\\{}", "~~~ ```\n{}\n~~~", "x ```a\n``` {} ```", "`` ` `` {}", "{}\u2028{}", "<pre><code>{}", "&lt;{}",
    "!{}", "\\!{}",
)  # fmt: skip


def alive(shown: str) -> list[str]:
    """What in Markdown fit to be shown is a tag or an image, but for the two tags that are written there on purpose."""
    own = re.sub(r"<pre><code>([^<]*)</code></pre>|<code>([^<]*)</code>", r"\1\2", shown)
    return re.findall(r"<[A-Za-z/!?]|!\[|mermaid\n", own)


@pytest.mark.parametrize("place", DOUBTFUL)
@pytest.mark.parametrize("payload", [X, IMAGE, f"{IMAGE}`{X}", "<!-- c -->", "</code>", "<?x"])
def test_nothing_is_alive_whoever_reads_it(place: str, payload: str) -> None:
    assert not alive(harmless(place.replace("{}", payload)))


def test_nothing_is_alive_in_any_mixture() -> None:
    pieces = [
        "`",
        "``",
        "```",
        "~~~",
        "$$",
        "\\(",
        "\\)",
        "\\[",
        "\\]",
        "\n",
        "\r",
        " ",
        "    ",
        "> ",
        "- ",
        "|",
        "\\",
        "!",
        "[",
        "](",
        X,
        IMAGE,
        "a",
    ]
    chance = random.Random(7)
    for _ in range(5000):
        text = "".join(chance.choices(pieces, k=chance.randint(1, 14)))
        assert not alive(harmless(text)), text


@pytest.mark.parametrize(
    "kept",
    [
        "plain text, 3 < 4 and a <- b, wow! [a link](https://example.org)",
        "`a < b` in a code span",
        "```python\nprint(1 < 2)\n```",
        "a | b\n--|--\n1 | 2",
        "$$\\frac{a}{b}$$",
        "- one\n  ```\n  code\n  ```",
        "",
    ],
)
def test_what_is_harmless_stays_as_it_is(kept: str) -> None:
    assert harmless(kept) == kept


@pytest.mark.parametrize("code", ["<b>bold</b>", '![x](y) <i> & "q"', "if a<b:\n\treturn '`'"])
def test_code_is_shown_as_it_was_written(code: str) -> None:
    shown = re.sub(r"</?(pre|code)>", "", harmless(f"```html\n{code}\n```"))
    assert html.unescape(shown).strip() == code


def test_code_in_a_line_and_formulas_read_as_before() -> None:
    assert html.unescape(harmless("the `<b>` tag")) == "the <code><b></code> tag"
    assert harmless("$$a<b$$ and \\(c<d\\)") == "$$a\\lt b$$ and \\(c\\lt d\\)"
    assert harmless("$$\na<b\n$$") == "$$\na\\lt b\n$$"


def test_a_name_is_itself_wherever_it_is_rendered() -> None:
    shown = plain("![x](http://e) <b>*a*</b>\n`c`")
    assert not re.search(r"[<>\[\]*`!()]", shown)
    assert html.unescape(shown) == "![x](http://e) <b>*a*</b> `c`"


def test_characters_that_came_apart_are_joined() -> None:
    assert sound("\ud83d" + "\ude00") == "😀"
    assert sound("a\ud83d") == "a�"
    assert harmless("\ud83d\ude00") == "😀"


@pytest.mark.parametrize(
    "piece",
    ["!", "a\n", "\\(", "\\[", "$$\n\\( ", "`a ", "`", "![", "<a", "```\n", "~", "$$", "\\", "`" * 9 + "x", "` `` "],
)
def test_no_text_takes_long(piece: str) -> None:
    started = time.monotonic()
    harmless(piece * (100_000 // len(piece)))
    assert time.monotonic() - started < 5
