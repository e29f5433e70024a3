"""The page's words: every text has its translation in every language, and none is left over."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import gradio as gr
import pytest
from starlette.datastructures import Headers

from core import errors
from tabs.texts import KNOWN, LANGUAGES, TEXTS, asked, translate, words
from tabs.texts.errors import TEMPLATES, translated
from tabs.visiting import Keyring

ROOT = Path(__file__).parent.parent
# What is the same in every language: names, addresses, and prompts for models that know English alone.
SAME = {
    "# Switchboard", "Claude", "DeepSeek", "Gemini", "GitHub Models", "Groq", "OpenAI", "OpenRouter", "Min p", "Top k",
    "Top p", "/home/me/notes", "example.com", "example.com/page", "↓ CSV", "↓ HTML", "↓ Markdown", "↓ PDF", "↓ TXT",
    "a big yellow star on a blue background", "a red circle left of a blue square", "a small black ring at the top",
    "three purple crosses",
}  # fmt: skip


@cache
def page() -> gr.Blocks:
    """The whole page, built. Gradio wants a loop for that, so the tests that ask for it are coroutines."""
    from app import build

    return build(Keyring())


def in_code() -> set[str]:
    """Every text that stands in the code as it is."""
    found = set[str]()
    for folder in ("tabs", "core"):
        for path in (ROOT / folder).rglob("*.py"):
            nodes = ast.walk(ast.parse(path.read_text("utf-8")))
            found |= {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return found


async def test_every_text_of_the_page_is_known_in_every_language() -> None:
    from core.tools import tools

    notes = {text for _, _, text in words(page()) if any(spec.note and spec.note in text for spec in tools().values())}
    said = {text for _, _, text in words(page())} - SAME - notes
    assert {code: sorted(said - set(texts)) for code, texts in TEXTS.items()} == {code: [] for code in TEXTS}


async def test_the_languages_know_the_same_texts_and_none_is_left_over() -> None:
    assert set(TEXTS) | {"en"} == set(LANGUAGES)
    choices = {row[0] for block in page().blocks.values() for row in getattr(block, "choices", None) or []}
    used = {text for _, _, text in words(page())} | choices | in_code()
    for code, texts in TEXTS.items():
        assert set(texts) == KNOWN, code
        assert sorted(set(texts) - used) == [], code


@pytest.mark.parametrize("code", sorted(TEXTS))
def test_a_translation_has_the_marks_of_its_text(code: str) -> None:
    """Headings stay headings, code stays code, signs stay in front."""
    for text, told in TEXTS[code].items():
        assert told.strip()
        assert re.findall(r"`\w+`", text) == re.findall(r"`\w+`", told), text
        for pattern in (r"^#+ ", r"^[↓↻⌫🎲]", r"\*\*", "…$", r"\n"):
            assert len(re.findall(pattern, text)) == len(re.findall(pattern, told)), (text, pattern)
        # Gradio looks for the end of a marked text by its first brace.
        assert not set("{}") & set(text)


async def test_a_text_that_nobody_has_translated_stays() -> None:
    with gr.Blocks() as small:
        known, unknown = gr.Button("Stop"), gr.Button("Stop the world")
        typed = gr.Textbox("Stop", label="Text")
        chosen = gr.Radio(["Precise", "Other"], value="Precise", label="Nobody knows")
    translate(small)
    assert '"key": "Stop"' in str(known.value)
    assert unknown.value == "Stop the world"
    # What a visitor enters or chooses is a value, not a word of the page.
    assert (typed.value, '"key": "Text"' in str(typed.label)) == ("Stop", True)
    assert (chosen.value, chosen.label, [value for _, value in chosen.choices]) == (
        "Precise", "Nobody knows", ["Precise", "Other"],
    )  # fmt: skip
    assert '"key": "Precise"' in str(chosen.choices[0][0])


@pytest.mark.parametrize(
    ("given", "language"),
    [
        ({}, "en"),
        ({"accept-language": "de-CH, de;q=0.9, en;q=0.8"}, "de"),
        ({"accept-language": "ja, FR;q=0.7"}, "fr"),
        ({"accept-language": "ja"}, "en"),
        ({"accept-language": "de", "cookie": "a=b; switchboard-language=es"}, "es"),
        ({"accept-language": "de", "cookie": "switchboard-language=xx"}, "de"),
        ({"accept-language": "de", "cookie": "switchboard-language="}, "de"),
        ({"accept-language": '"><script>', "cookie": 'switchboard-language="</script>"; \x00[]={'}, "en"),
    ],
)
def test_which_language_a_visitor_gets(given: dict[str, str], language: str) -> None:
    assert asked(Headers(given)) == language


async def test_only_in_public_does_the_banner_speak(limits: Callable[..., None]) -> None:
    from app import build

    for changes, said in (({}, "your own keys"), ({"visitor_keys": False}, "daily budget")):
        limits(public=True, **({"visitor_keys": True} | changes))
        texts = {text for _, _, text in words(build(Keyring())) if "open to others" in text}
        assert len(texts) == 1
        assert said in texts.pop()


# --- what goes wrong --------------------------------------------------------------------------------------------------


def shapes(text: str) -> str:
    """A template with all its places alike, however they are called."""
    return re.sub(r"\{\w*\}", "{}", text)


def said_in_code() -> set[str]:
    """Every sentence of the code, also those that are put together from parts, with places for the parts."""
    found = set[str]()
    for path in (path for folder in ("tabs", "core", "backends") for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            parts = node.values if isinstance(node, ast.JoinedStr) else [node]
            text = "".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in parts)
            found |= {shapes(one) for one in re.split(r"(?<=[.?]) (?=[A-Z])", text)}
    starts = re.findall(r'"start": "([^"]+)"', (ROOT / "backends/_openai/servers.json").read_text("utf-8"))
    return found | {re.sub(r"^Start .+: .+\.$", "Start {}: {}.", start) for start in starts}


def test_every_failure_of_a_provider_is_told_in_every_language() -> None:
    kinds = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.ProviderError)]
    assert len(kinds) > 10
    for code in TEMPLATES:
        for kind in kinds:
            said = str(kind("Ollama"))
            told = translated(said, code)
            assert told != said, (code, kind)
            assert "{" not in told
            assert kind is errors.RateLimited or told.count("Ollama") == said.count("Ollama")


def test_each_failure_that_can_be_translated_is_one_of_the_app() -> None:
    known = said_in_code()
    assert set(TEMPLATES) == set(TEXTS)
    for code, templates in TEMPLATES.items():
        assert set(templates) == set(TEMPLATES["de"]), code
        assert [text for text in templates if shapes(text) not in known] == []
        for text, told in templates.items():
            assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", told)), text


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("OpenAI refused the key. Check that the key is right and allowed to use this model.",
         "OpenAI hat den Schlüssel abgelehnt. Prüfen Sie, ob der Schlüssel stimmt und für dieses Modell gilt."),
        ("OpenAI is busy: trying again in 7 s", "OpenAI ist überlastet: neuer Versuch in 7 s"),
        ("vLLM cannot be reached. Start vLLM: vllm serve MODEL.",
         "vLLM ist nicht zu erreichen. Starten Sie vLLM: vllm serve MODEL."),
        ("free", "kostenlos"),
        ("4,096 tokens of context", "4.096 Token Kontext"),
        ("There is no site named free.", "Es gibt keine Website namens free."),
        ("Temperature must be between 0 and 2.", "Temperature muss zwischen 0 und 2 liegen."),
        ("The text is too long: 20,001 characters, and at most 20,000 are taken.",
         "Der Text ist zu lang: 20.001 Zeichen, und höchstens 20.000 werden genommen."),
        ("20 presets are kept. Delete one first.", "Es werden 20 Voreinstellungen behalten. Löschen Sie zuerst eine."),
        # Half of it in another language would be worse.
        ("OpenAI refused the key. Nobody knows this sentence.", "OpenAI refused the key. Nobody knows this sentence."),
        ("{provider} <b>.*</b> was never said", "{provider} <b>.*</b> was never said"),
    ],
)  # fmt: skip
def test_what_went_wrong_in_german(said: str, told: str) -> None:
    assert translated(said, "de") == told
    assert translated(said, "en") == said
