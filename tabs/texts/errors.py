"""What happens and what goes wrong, in the visitor's language.

The code says it in English, sentence by sentence, which is the key. A sentence with names or numbers in it is found by
a template. Where one sentence of a text is not known, the whole text stays as it is: half of it in another language
would be worse.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from gradio.context import LocalContext

from tabs.texts import asked

TEMPLATES: dict[str, dict[str, str]] = {
    path.stem: json.loads(path.read_text("utf-8")) for path in sorted((Path(__file__).parent / "errors").glob("*.json"))
}
_LARGE = re.compile(r"\d{1,3}(,\d{3})+")
_THOUSANDS = {"de": ".", "es": ".", "fr": "\u202f"}
_SENTENCE = re.compile(r"(?<=[.?]) (?=[A-Z])")


def spoken(text: str) -> str:
    """`text`, which a handler is about to show, in the language of whoever asked."""
    request: Any = LocalContext.request.get(None)
    return translated(text, asked(request.headers)) if request is not None else text


def translated(text: str, language: str) -> str:
    """`text` in a language, or as it is where that does not know it."""
    found = [_sentence(one, language) for one in _SENTENCE.split(text)]
    return text if None in found else " ".join(one for one in found if one)


def _sentence(text: str, language: str) -> str | None:
    for pattern, template in _patterns(language):
        if match := pattern.fullmatch(text):
            values = {name: _number(value, language) for name, value in match.groupdict().items()}
            if reason := values.get("reason"):  # A sentence within the sentence; other values are names and numbers.
                values["reason"] = _sentence(reason, language) or reason
            return template.format(**values)
    return None


def _number(value: str, language: str) -> str:
    """A value, its thousands parted as the language parts them where it is a number that has any."""
    return value.replace(",", _THOUSANDS[language]) if _LARGE.fullmatch(value) else value


@cache
def _patterns(language: str) -> list[tuple[re.Pattern[str], str]]:
    """Templates as patterns, those with the most words of their own first: "{a} failed." fits too much."""
    rows = sorted(TEMPLATES.get(language, {}).items(), key=lambda row: -len(re.sub(r"\{\w+\}", "", row[0])))
    return [(re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+?)", re.escape(said))), template) for said, template in rows]
