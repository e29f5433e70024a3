"""The shelf beside the chat: conversations kept in the visitor's own browser, found, renamed, deleted, carried over."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from core.chat import reopened
from core.errors import AppError
from core.history import (
    Kept,
    as_json,
    as_markdown,
    from_json,
    keep,
    matching,
    new_id,
    opened,
    parsed,
    renamed,
    title,
    without,
    written,
)  # fmt: skip
from core.llm import Conversation
from tabs import Page
from tabs.parts import QUIET, Turn, toast
from tabs.saving import SAVE
from tabs.turnstile import one_at_a_time, then_next

View = Callable[[Conversation, str], list[Any]]

_KEY = "switchboard-conversations"
# What this browser keeps is read anew before each use: another window of it may have written meanwhile.
FRESH = f"(...given) => [localStorage.getItem({_KEY!r}) ?? '', ...given.slice(1)]"
_WRITE = f"(text) => localStorage.setItem({_KEY!r}, text)"
# An answer on its way goes into its conversation as it grows: a page that is closed or breaks keeps what has come.
_GROW = f"""(text) => {{
    if (!text) return;
    const grown = JSON.parse(text), rows = JSON.parse(localStorage.getItem({_KEY!r}) ?? "[]");
    const row = rows.find(row => row.id === grown.id);
    if (!row) return;
    row.messages = [...row.messages.slice(0, grown.begun), ...grown.messages];
    localStorage.setItem({_KEY!r}, JSON.stringify(rows));
}}"""
# On a narrow page the sidebar covers the conversation that was just chosen in it.
_CLOSE = "() => { if (innerWidth < 768) document.querySelector('.sidebar.open .toggle-button')?.click() }"


@dataclass(frozen=True)
class Shelf:
    """The widgets of the left sidebar that a chat reads and writes."""

    store: gr.Textbox
    growing: gr.Textbox
    search: gr.Textbox
    listing: gr.Radio


@dataclass(frozen=True)
class Opened:
    """The open conversation on the page: `view` gives the values for `shown`, its widgets.

    `begins(event)` has an event set what new conversations start with. Opening another one leaves `turn`, the answer
    that is still coming in this one.
    """

    view: View
    shown: Sequence[Any]
    conversation: gr.State
    current: gr.State
    turn: gr.State
    begins: Callable[[Any], None]


def shelf(page: Page, place: gr.Sidebar, chat: Opened) -> Shelf:
    """Fill the left sidebar and connect it to the chat. The page is told of it when it is opened."""
    with place:
        store, growing = gr.Textbox(visible=False), gr.Textbox(visible=False)
    store.change(None, store, None, js=_WRITE)
    growing.change(None, growing, None, js=_GROW)
    page.load(partial(_restore, chat.view), [store, chat.turn], list(chat.shown), js=FRESH, **QUIET)
    with place, page.later(place):
        gr.Markdown("### Conversations")
        new = gr.Button("New chat", variant="primary", size="sm", elem_id="new-chat")
        search = gr.Textbox(show_label=False, label="Search", placeholder="Search…", elem_id="search-chats")
        listing = gr.Radio(
            [], show_label=False, label="Conversations", elem_id="chats", container=False, interactive=True
        )
        kept = Shelf(store, growing, search, listing)
        _wire(page, kept, chat, new)
        with gr.Accordion("This conversation", open=False):
            _this_one(kept, chat)
        upload = gr.UploadButton("Import JSON", file_types=[".json"], type="binary", size="sm", elem_id="import-chat")
        brought = upload.upload(
            partial(_bring, chat.view), [store, chat.turn, search, upload], [store, *chat.shown, listing],
            js=one_at_a_time(FRESH), **QUIET,
        )  # fmt: skip
        brought.success(None, None, None, js=then_next())
        gr.Markdown("Kept in this browser only.", elem_classes="hint")
    return kept


def _wire(page: Page, kept: Shelf, chat: Opened, new: gr.Button) -> None:
    """Wire the list of conversations and what opens one."""
    found = [kept.store, kept.search, chat.current]
    for event in (page.load, kept.search.change):
        event(_found, found, kept.listing, js=FRESH, **QUIET)
    picked = kept.listing.input(
        partial(_show, chat.view), [kept.store, chat.turn, kept.listing], list(chat.shown), js=one_at_a_time(FRESH),
        **QUIET,
    )  # fmt: skip
    begun = new.click(
        partial(_begin, chat.view), [kept.store, chat.turn, kept.search], [*chat.shown, kept.listing],
        js=one_at_a_time(FRESH), **QUIET,
    )  # fmt: skip
    chat.begins(new.click)  # After the one that takes its turn: a click's events are sent off in this order.
    for chosen in (picked, begun):
        chosen.success(None, None, None, js=then_next(_CLOSE))


def _this_one(kept: Shelf, chat: Opened) -> None:
    """Draw and wire what can be done with the open conversation."""
    title = gr.Textbox(label="New title", placeholder="Enter renames it", elem_id="rename-chat")
    delete = gr.Button("Delete", size="sm", variant="stop", elem_id="delete-chat")
    with gr.Row():
        markdown = gr.Button("Export Markdown", size="sm", elem_id="export-markdown")
        json = gr.Button("Export JSON", size="sm", elem_id="export-json")
    dropped = delete.click(
        partial(_drop, chat.view), [kept.store, chat.turn, kept.search, chat.current],
        [kept.store, *chat.shown, kept.listing], js=one_at_a_time(FRESH), **QUIET,
    )  # fmt: skip
    dropped.success(None, None, None, js=then_next())
    renamed = [kept.store, kept.search, chat.current, title]
    title.submit(_rename, renamed, [kept.store, kept.listing, title], js=FRESH, **QUIET)
    name, exported = gr.Textbox(visible=False), gr.Textbox(visible=False)
    for button, form in ((markdown, _markdown), (json, _json)):
        made = button.click(form, [kept.store, chat.current, chat.conversation], [name, exported], js=FRESH, **QUIET)
        made.success(None, [name, exported], exported, js=SAVE)


def _show(view: View, kept: str, turn: Turn, id: str) -> Any:
    try:
        conversation = reopened(opened(parsed(kept), id))
    except AppError as error:
        return toast(error)
    turn.leave()
    return view(conversation, id)


def _restore(view: View, kept: str, turn: Turn) -> Any:
    rows = parsed(kept)
    return _show(view, kept, turn, rows[0]["id"] if rows else new_id())


def _begin(view: View, kept: str, turn: Turn, words: str) -> list[Any]:
    turn.leave()
    return [*view((), new_id()), listed(parsed(kept), words, "")]


def _drop(view: View, kept: str, turn: Turn, words: str, id: str) -> list[Any]:
    rest = written(without(parsed(kept), id))
    return [rest, *_begin(view, rest, turn, words)]


def _bring(view: View, kept: str, turn: Turn, words: str, data: bytes) -> Any:
    try:
        name, brought = from_json(data)
    except AppError as error:
        return toast(error)
    turn.leave()
    fresh = new_id()
    more = renamed(keep(parsed(kept), fresh, brought), fresh, name)
    return [written(more), *view(brought, fresh), listed(more, words, fresh)]


def _rename(kept: str, words: str, id: str, title: str) -> list[Any]:
    changed = renamed(parsed(kept), id, title)
    return [written(changed), listed(changed, words, id), ""]


def _found(kept: str, words: str | None, id: str) -> Any:
    return listed(parsed(kept), words, id)


def _markdown(kept: str, id: str, conversation: Conversation) -> tuple[str, str]:
    """The name and the text of an exported document."""
    called = title(parsed(kept), id, conversation)
    return f"{_file_name(called)}.md", as_markdown(called, conversation)


def _json(kept: str, id: str, conversation: Conversation) -> tuple[str, str]:
    called = title(parsed(kept), id, conversation)
    return f"{_file_name(called)}.json", as_json(called, conversation)


def _file_name(title: str) -> str:
    return "-".join(re.findall(r"\w+", title.lower()))[:60] or "conversation"


def listed(kept: Kept, words: str | None, current: str) -> Any:
    """The list of conversations, those that match `words`, with the open one marked."""
    rows = [(row["title"], row["id"]) for row in matching(kept, words or "")]
    return gr.update(choices=rows, value=current if current in dict(rows).values() else None)
