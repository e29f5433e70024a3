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
# The browser makes the file from what the server hands it, so nothing is written to the server's disk.
_SAVE = """(name, text) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], {type: "text/plain"}));
    link.download = name;
    link.click();
    URL.revokeObjectURL(link.href);
}"""
# On a narrow page the sidebar covers the conversation that was just chosen in it.
_CLOSE = "() => { if (innerWidth < 768) document.querySelector('.sidebar.open .toggle-button')?.click() }"


@dataclass(frozen=True)
class Shelf:
    """The widgets of the left sidebar."""

    store: gr.Textbox
    growing: gr.Textbox
    new: gr.Button
    search: gr.Textbox
    listing: gr.Radio
    title: gr.Textbox
    delete: gr.Button
    markdown: gr.Button
    json: gr.Button
    upload: gr.UploadButton
    name: gr.Textbox
    exported: gr.Textbox

    def wire(
        self, page: Page, view: View, shown: Sequence[Any], conversation: gr.State, current: gr.State, turn: gr.State,
    ) -> None:  # fmt: skip
        """Connect the shelf to the chat: `view` gives the values for `shown`, the widgets of an open conversation.

        Opening another conversation leaves `turn`, the answer that is still coming in this one.
        """
        store, search, listing, kept = self.store, self.search, self.listing, {"js": FRESH, **QUIET}
        store.change(None, store, None, js=_WRITE)
        self.growing.change(None, self.growing, None, js=_GROW)
        page.load(partial(_restore, view), [store, turn], [*shown, listing], **kept)
        search.change(_found, [store, search, current], listing, **kept)
        picked = listing.input(partial(_show, view), [store, turn, listing], list(shown), **kept)
        begun = self.new.click(partial(_begin, view), [store, turn, search], [*shown, listing], **kept)
        everything = [store, *shown, listing]
        self.delete.click(partial(_drop, view), [store, turn, search, current], everything, **kept)
        self.upload.upload(partial(_bring, view), [store, turn, search, self.upload], everything, **kept)
        self.title.submit(_rename, [store, search, current, self.title], [store, listing, self.title], **kept)
        for chosen in (picked, begun):
            chosen.success(None, None, None, js=_CLOSE)
        for button, form in ((self.markdown, _markdown), (self.json, _json)):
            made = button.click(form, [store, current, conversation], [self.name, self.exported], **kept)
            made.success(None, [self.name, self.exported], None, js=_SAVE)


def _show(view: View, kept: str, turn: Turn, id: str) -> Any:
    try:
        conversation = reopened(opened(parsed(kept), id))
    except AppError as error:
        return toast(error)
    turn.leave()
    return view(conversation, id)


def _restore(view: View, kept: str, turn: Turn) -> Any:
    rows = parsed(kept)
    last = rows[0]["id"] if rows else new_id()
    values = _show(view, kept, turn, last)
    return [*values, listed(rows, "", last)] if isinstance(values, list) else values


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


def _found(kept: str, words: str, id: str) -> Any:
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


def shelf() -> Shelf:
    """Draw the left sidebar."""
    with gr.Sidebar(open=False, width=280):
        gr.Markdown("### Conversations")
        new = gr.Button("New chat", variant="primary", size="sm", elem_id="new-chat")
        search = gr.Textbox(show_label=False, label="Search", placeholder="Search…", elem_id="search-chats")
        listing = gr.Radio([], show_label=False, label="Conversations", elem_id="chats", container=False)
        with gr.Accordion("This conversation", open=False):
            title = gr.Textbox(label="New title", placeholder="Enter renames it", elem_id="rename-chat")
            delete = gr.Button("Delete", size="sm", variant="stop", elem_id="delete-chat")
            with gr.Row():
                markdown = gr.Button("Export Markdown", size="sm", elem_id="export-markdown")
                json = gr.Button("Export JSON", size="sm", elem_id="export-json")
        upload = gr.UploadButton("Import JSON", file_types=[".json"], type="binary", size="sm", elem_id="import-chat")
        gr.Markdown("Kept in this browser only.", elem_classes="hint")
        store, growing, name, exported = (gr.Textbox(visible="hidden") for _ in range(4))
    return Shelf(store, growing, new, search, listing, title, delete, markdown, json, upload, name, exported)


def listed(kept: Kept, words: str | None, current: str) -> Any:
    """The list of conversations, those that match `words`, with the open one marked."""
    rows = [(row["title"], row["id"]) for row in matching(kept, words or "")]
    return gr.update(choices=rows, value=current if current in dict(rows).values() else None)
