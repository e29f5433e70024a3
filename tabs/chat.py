"""The chat: any model, streamed, with tools. Its state is the conversation; the bubbles are computed from it."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from typing import Any

import gradio as gr

from core.chat import ask, pending, stopped
from core.errors import AppError, LimitReached
from core.history import keep, new_id, parsed, unfinished, written
from core.llm import Conversation, ToolCall
from core.markdown import plain
from core.settings import settings
from tabs import Page
from tabs.answering import answered
from tabs.bubbles import bubbles, code, message_at, totals
from tabs.chat_layout import Chat, layout
from tabs.conversations import FRESH, Opened, Shelf, listed, shelf
from tabs.endpoints import endpoints
from tabs.parts import QUIET, Turn, about, toast
from tabs.remembering import remember
from tabs.starting import starts
from tabs.turnstile import one_at_a_time, then_next

TITLE = "Chat"
ORDER = 10

_KEPT_EVERY = 2.0  # seconds: an answer on its way is not lost with its page


def build(page: Page) -> None:
    """Draw the tab and wire it."""
    place = gr.Sidebar(open=False, width=280)
    chat, approve, reject = layout(page)
    begins = partial(starts, model=chat.picker.dropdown, knobs=chat.knobs)
    kept = shelf(page, place, Opened(view, _shown(chat), chat.conversation, chat.current, chat.turn, begins))
    _wire_model(page, chat, begins)
    _wire_turns(chat, kept, approve, reject)
    endpoints()


# --- wiring -----------------------------------------------------------------------------------------------------------


def _wire_model(page: Page, chat: Chat, begins: Callable[[Any], None]) -> None:
    dropdown = chat.picker.dropdown
    back = remember(page, model=dropdown, system=chat.system, tools=chat.allowed, ask_first=chat.ask_first)
    for begun in (back.success, chat.bot.clear):
        begins(begun)


def _shown(chat: Chat) -> list[Any]:
    """What `view` gives values for."""
    return [
        chat.conversation, chat.bot, chat.box, chat.current, chat.approval, chat.question, chat.status, chat.decisions,
    ]  # fmt: skip


def _wire_turns(chat: Chat, kept: Shelf, approve: gr.Button, reject: gr.Button) -> None:
    bot, box, conversation, turn = chat.bot, chat.box, chat.conversation, chat.turn
    shown = _shown(chat)
    # Whatever starts an answer puts a new Turn into `turn`, and there is one event that streams.
    run = _streaming(chat, kept)
    finished = run.success(_finish, [conversation, chat.decisions, turn], [box, chat.approval, chat.question], **QUIET)
    # A model's memory is known once it has been loaded for an answer.
    finished.success(about, chat.picker.dropdown, [chat.picker.facts, chat.picker.precision], **QUIET)
    here, started, waits = [turn, conversation, chat.current], [*shown, turn], {"js": one_at_a_time(), **QUIET}
    stored = [kept.store, kept.search, chat.current, conversation]
    keeping: dict[str, Any] = {"fn": _keep, "inputs": stored, "outputs": [kept.store, kept.listing], **QUIET}
    finished.success(**keeping, js=FRESH)
    for event in (
        box.submit(_send, [*here, box], started, **waits),
        bot.example_select(_send_example, here, started, **waits),
        bot.retry(_retry, here, started, **waits),
        bot.edit(_edit, here, started, **waits),
        bot.undo(_undo, here, shown, **waits),
    ):
        event.success(**keeping, js=then_next(FRESH))
    bot.clear(_cleared, turn, shown, **waits).success(None, None, None, js=then_next())
    box.stop(_stopped, turn, box, **QUIET)
    for button, approved in ((approve, True), (reject, False)):
        decided = [conversation, chat.decisions]
        button.click(partial(_decide, approved), decided, [chat.decisions, turn], **QUIET)


def _streaming(chat: Chat, kept: Shelf) -> Any:
    """The event of the model's part of a turn."""
    inputs = [
        chat.conversation, chat.picker.dropdown, chat.system, chat.allowed, chat.ask_first, chat.knobs.given,
        chat.decisions, chat.turn, chat.current,
    ]  # fmt: skip
    return chat.turn.change(
        _answer, inputs, [chat.conversation, chat.bot, chat.status, kept.growing], trigger_mode="multiple",
        concurrency_limit=settings().answers_at_once, concurrency_id="answers", **QUIET,
    )  # fmt: skip


# --- handlers ---------------------------------------------------------------------------------------------------------


def view(conversation: Conversation, current: str, text: str = "", streaming: bool = False) -> list[Any]:
    """Values for conversation, chatbot, message box, id, approval, its question, status, and decisions: none yet."""
    box = gr.update(value=text, submit_btn=not streaming, stop_btn=streaming)
    call = None if streaming else _undecided(conversation, {})
    asked = gr.update(visible=call is not None), _question(call)
    return [conversation, bubbles(conversation), box, current, *asked, totals(conversation), {}]


def _started(conversation: Conversation, current: str) -> list[Any]:
    """The values of `view`, and a new turn."""
    return [*view(conversation, current or new_id(), streaming=True), Turn()]


def _send(turn: Turn, conversation: Conversation, current: str, text: str) -> Any:
    if not text.strip():
        return gr.skip()
    try:
        asked = ask(stopped(conversation), text)
    except AppError as error:
        return toast(error)
    turn.leave()
    return _started(asked, current)


def _send_example(turn: Turn, conversation: Conversation, current: str, chosen: gr.SelectData) -> Any:
    return _send(turn, conversation, current, chosen.value["text"])


def _question_at(conversation: Conversation, index: Any) -> int:
    """The place of the user's message that bubble `index` belongs to or answers."""
    place = message_at(conversation, index if isinstance(index, int) else index[0])
    while place > 0 and conversation[place].role != "user":
        place -= 1
    return place


def _retry(turn: Turn, conversation: Conversation, current: str, where: gr.RetryData) -> list[Any]:
    turn.leave()
    place = _question_at(conversation, where.index)
    return _started(conversation[: place + 1], current)


def _edit(turn: Turn, conversation: Conversation, current: str, where: gr.EditData) -> Any:
    place = _question_at(conversation, where.index)
    return _send(turn, conversation[:place], current, str(where.value))


def _undo(turn: Turn, conversation: Conversation, current: str, where: gr.UndoData) -> list[Any]:
    turn.leave()
    place = _question_at(conversation, where.index)
    return view(conversation[:place], current, text=conversation[place].text)


def _question(call: ToolCall | None) -> str:
    if call is None:
        return ""
    arguments = json.dumps(dict(call.arguments), ensure_ascii=False)[:500]
    return f"The model wants to call **{plain(call.name[:80])}** with\n\n{code(arguments)}\n\nAllow it?"


def _undecided(conversation: Conversation, decisions: dict[str, bool]) -> ToolCall | None:
    return next((call for call in pending(conversation) if call.id not in decisions), None)


def _decide(approved: bool, conversation: Conversation, decisions: dict[str, bool]) -> list[Any]:
    call = _undecided(conversation, decisions)
    return [decisions | {call.id: approved} if call else decisions, Turn()]


async def _answer(
    conversation: Conversation, choice: str, system: str, allowed: list[str], ask_first: bool,
    given: dict[str, Any], decisions: dict[str, bool], turn: Turn, current: str,
) -> AsyncGenerator[Any]:  # fmt: skip
    """The model's part of the turn: yields conversation, bubbles and status, some ten times a second.

    Every two seconds also what the browser is to keep of it.
    """
    begun, kept_at = len(conversation), time.monotonic()
    options = {"system": system or "", "ask_first": ask_first, "decisions": decisions}
    with turn.drawn():
        async with aclosing(answered(turn, choice, conversation, given, allowed or (), **options)) as steps:
            async for step in steps:
                if step is None:
                    yield gr.skip()
                    continue
                conversation, status = step
                growing = gr.skip()
                if time.monotonic() - kept_at > _KEPT_EVERY:
                    growing, kept_at = unfinished(current, conversation, begun), time.monotonic()
                yield conversation, bubbles(conversation), status, growing
        if turn.over != "left":
            yield conversation, bubbles(conversation), totals(conversation), gr.skip()


def _finish(conversation: Conversation, decisions: dict[str, bool], turn: Turn) -> Any:
    """After an answer: the button sends again, and a call may wait for approval."""
    if not turn.over:
        return gr.skip()  # The next answer has begun already, and will come here at its own end.
    call = _undecided(conversation, decisions)
    return [gr.update(submit_btn=True, stop_btn=False), gr.update(visible=call is not None), _question(call)]


def _stopped(turn: Turn) -> Any:
    turn.stop()
    return gr.update(submit_btn=True, stop_btn=False)


def _cleared(turn: Turn) -> list[Any]:
    """A new conversation; the old one stays on the shelf."""
    turn.leave()
    return view((), new_id())


def _keep(kept: str, words: str, current: str, conversation: Conversation) -> Any:
    rows = keep(parsed(kept), current, conversation)
    if conversation and not rows:
        too_long = "This conversation has grown too long to be kept in the browser. Export it, or start a new one."
        return toast(LimitReached(too_long))
    return [written(rows), listed(rows, words, current)]
