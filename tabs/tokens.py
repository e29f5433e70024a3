"""What a model reads: a text as tokens, two tokenizers side by side, a chat as its template has it, and the price."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from typing import Any

import gradio as gr
from gradio.events import api

from backends import choices, find
from core.chat import ask
from core.errors import AppError
from core.llm import Capabilities, Message, Price
from core.settings import settings
from core.tokens import Renders, Share, Token, share
from tabs import Page
from tabs.bubbles import money
from tabs.chart import percent, quoted
from tabs.parts import QUIET, refusal, told
from tabs.template import rendered, template
from tabs.tokenizing import coloured, facts, pieces_box, tokenizers, tokens

TITLE = "Tokens"
ORDER = 70

EXAMPLES = {
    "Numbers": "1 10 100 1000 10000 1,000 3.14159 2026-11-22",
    "Rare words": "antidisestablishmentarianism Llanfairpwllgwyngyll Donaudampfschifffahrt",
    "Languages": "Good morning. Guten Morgen. おはようございます。 Доброе утро. صباح الخير",
    "Emoji": "naïve café 😀 👩‍🚀 🇫🇷",
    "Code": "def add(a, b):\n    return a + b",
    "A special token, typed": "Ignore this.<|end|><|im_end|><|endoftext|>",
}
TEXT = "Tokenizers cut 1000 words into unbelievably odd pieces 😀"
MOST_ROWS = 400

# Models whose prices one may want to know before one has a key; those that can be used stand beside them.
PRICED = (
    "openai/gpt-4.1", "openai/gpt-4.1-mini", "openai/gpt-5", "openai/gpt-5-mini", "claude/claude-haiku-4-5",
    "claude/claude-sonnet-4-6", "claude/claude-opus-4-6", "gemini/gemini-2.5-flash", "gemini/gemini-2.5-pro",
    "deepseek/deepseek-chat", "groq/llama-3.3-70b-versatile",
)  # fmt: skip


@dataclass(frozen=True)
class Side:
    """One tokenizer's widgets."""

    choice: gr.Dropdown
    pieces: gr.HighlightedText
    facts: gr.Markdown
    rows: gr.Markdown


def build(page: Page) -> None:
    """Draw the tab and wire it."""
    with gr.Tabs():
        with gr.Tab("Text"):
            _text(page)
        with gr.Tab("Chat template") as inner:
            template(page, inner)
    api(endpoint, api_name="tokens")


# --- a text -----------------------------------------------------------------------------------------------------------


def _text(page: Page) -> None:
    text = gr.Textbox(TEXT, label="Text", lines=3, max_lines=12, elem_id="tokens-text")
    with gr.Row(elem_classes="chips"):
        for name, example in EXAMPLES.items():
            button = gr.Button(name, size="sm", min_width=0, elem_classes="chip")
            button.click(lambda example=example: example, None, text, **QUIET)
    with gr.Row(equal_height=False):
        sides = [_side(name, chosen) for name, chosen in (("left", "local/starter"), ("right", ""))]
    with gr.Accordion("What it costs to read", open=True):
        costs = gr.Markdown(elem_classes="wide", elem_id="tokens-costs")
    known = gr.State(())
    latest: dict[str, Any] = {"trigger_mode": "always_last", **QUIET}
    for side in sides:
        # One event for all three: a slow first answer then never covers the one to what was typed later.
        triggers = [page.load, text.change, side.choice.change]
        gr.on(triggers, cut, [side.choice, text], [side.pieces, side.facts, side.rows], **latest)
        page.load(lambda: gr.update(choices=tokenizers()), None, side.choice, **QUIET)
    page.load(_prices, None, known, **QUIET)
    first = sides[0].choice
    gr.on([known.change, text.change, first.change], costs_of, [first, text, known], costs, **latest)


def _side(name: str, chosen: str) -> Side:
    with gr.Column(min_width=300):
        choice = gr.Dropdown(
            [chosen], value=chosen, label="Tokenizer", allow_custom_value=True, elem_id=f"tokens-{name}",
            info="A model, local/owner/name for one of the Hub, or openai/o200k_base for tiktoken's.",
        )  # fmt: skip
        facts = gr.Markdown(elem_classes="facts", elem_id=f"tokens-{name}-facts")
        pieces = pieces_box(f"tokens-{name}-pieces")
        with gr.Accordion("Ids and bytes", open=False):
            rows = gr.Markdown(elem_classes="wide", elem_id=f"tokens-{name}-rows")
    return Side(choice, pieces, facts, rows)


def cut(choice: str | None, text: str | None) -> list[Any]:
    """Coloured pieces, a line of figures, and the table of ids and bytes."""
    if not choice:
        return [[], "", ""]
    try:
        found = tokens(choice, text or "")
    except AppError as error:
        return [[], f"⚠️ {told(error)}", ""]
    return [coloured(found), facts(found, text or ""), listed(found)]


def listed(found: tuple[Token, ...]) -> str:
    """A row for each token."""
    rows = [
        f"| {number} | {quoted(token.text)}{' special' if token.special else ''} | {token.id} "
        f"| {token.start}–{token.end} |"
        for number, token in enumerate(found[:MOST_ROWS])
    ]
    more = [f"\n… and {len(found) - MOST_ROWS:,} more."] if len(found) > MOST_ROWS else []
    return "\n".join(["| # | token | id | bytes |", "|---:|---|---:|---:|", *rows, *more])


Known = tuple[tuple[str, Price | None, int | None], ...]


def _prices() -> Known:
    """Choice, price and window of models with a price and of those that can be used; asked when the tab is opened."""
    usable = [row.choice for row in asyncio.run(choices()) if row.available]
    return asyncio.run(_known(list(dict.fromkeys([*PRICED, *usable[:20]]))))


async def _known(names: list[str]) -> Known:
    """Asked side by side; who cannot be asked is left out."""
    asked = [(name, *find(name)) for name in names]
    told = await asyncio.gather(*(backend.capabilities(model) for _, backend, model in asked), return_exceptions=True)
    both = zip(asked, told, strict=True)
    return tuple((name, can.price, can.context_window) for (name, *_), can in both if isinstance(can, Capabilities))


def costs_of(choice: str | None, text: str | None, known: Known) -> str:
    """What the text costs each model to read, and how much of its window it fills."""
    try:
        count = len(tokens(choice or "local/starter", text or ""))
    except AppError as error:
        return f"⚠️ {told(error)}"
    rows = sorted((share(name, price, window, count) for name, price, window in known), key=_dearness)
    head = f"{count:,} tokens as the left tokenizer counts them; the others cut otherwise, into more or fewer."
    return "\n".join([head, "", "| model | to read it | of its window |", "|---|---:|---:|", *map(_cost, rows)])


def _dearness(row: Share) -> float:
    return float("inf") if row.cost is None else row.cost


def _cost(row: Share) -> str:
    filled = "unknown" if row.fraction is None else f"{percent(row.fraction)} of {row.window:,}"
    return f"| {quoted(row.choice, 60)} | {money(row.cost)} | {filled} |"


# --- as an API --------------------------------------------------------------------------------------------------------


def endpoint(text: str, model: str = "") -> dict[str, Any]:
    """The text as tokens with ids and byte offsets, and the prompt that the model's chat template makes of it."""
    choice = model or settings().model
    try:
        found = tokens(choice, text)
        ask((), text)
        prompt = rendered(choice, (Message("user", text),), []) if isinstance(find(choice)[0], Renders) else None
    except AppError as error:
        raise refusal(error) from error
    return {"count": len(found), "tokens": [asdict(token) for token in found], "chat_template": prompt}
