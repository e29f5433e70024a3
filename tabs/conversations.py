"""The shelf beside the chat: conversations kept in the visitor's own browser, found, renamed, deleted, carried over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from core.errors import AppError
from core.history import Kept, as_json, as_markdown, from_json, keep, matching, new_id, opened, renamed, without
from core.llm import Conversation
from tabs import Page
from tabs.parts import QUIET, Turn, warning

View = Callable[[Conversation, str], list[Any]]

# The browser saves what the server hands it, so nothing is written to the server's disk.
_SAVE = """(text) => {
    const markdown = !text.startsWith("{");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], {type: "text/plain"}));
    link.download = markdown ? "conversation.md" : "conversation.json";
    link.click();
    URL.revokeObjectURL(link.href);
}"""


@dataclass(frozen=True)
class Shelf:
    """The widgets of the left sidebar."""

    state: gr.BrowserState
    new: gr.Button
    search: gr.Textbox
    listing: gr.Radio
    title: gr.Textbox
    delete: gr.Button
    markdown: gr.Button
    json: gr.Button
    upload: gr.UploadButton
    exported: gr.Textbox

    def wire(
        self,
        page: Page,
        view: View,
        shown: Sequence[Any],
        conversation: gr.State,
        current: gr.State,
        turn: gr.State,
    ) -> None:
        """Connect the shelf to the chat: `view` gives the values for `shown`, the widgets of an open conversation.

        Opening another conversation leaves `turn`, the answer that is still coming in this one.
        """
        state, search, listing = self.state, self.search, self.listing

        def show(turn: Turn, kept: Kept, id: str) -> list[Any]:
            turn.leave()
            try:
                return view(opened(kept or [], id), id)
            except AppError as error:
                raise warning(error) from error

        def begin(turn: Turn, kept: Kept, words: str) -> list[Any]:
            turn.leave()
            return [*view((), new_id()), listed(kept, words or "", "")]

        def drop(turn: Turn, kept: Kept, words: str, id: str) -> list[Any]:
            rest = without(kept or [], id)
            return [rest, *begin(turn, rest, words)]

        def bring(turn: Turn, kept: Kept, words: str, data: bytes) -> list[Any]:
            turn.leave()
            try:
                brought, fresh = from_json(data), new_id()
            except AppError as error:
                raise warning(error) from error
            more = keep(kept or [], fresh, brought)
            return [more, *view(brought, fresh), listed(more, words, fresh)]

        def restore(turn: Turn, kept: Kept) -> list[Any]:
            last = kept[0]["id"] if kept else new_id()
            return [*show(turn, kept, last), listed(kept, "", last)]

        def rename(kept: Kept, words: str, id: str, title: str) -> list[Any]:
            changed = renamed(kept or [], id, title)
            return [changed, listed(changed, words, id), ""]

        page.load(restore, [turn, state], [*shown, listing], **QUIET)
        listing.input(show, [turn, state, listing], list(shown), **QUIET)
        search.change(listed, [state, search, current], listing, **QUIET)
        self.new.click(begin, [turn, state, search], [*shown, listing], **QUIET)
        self.delete.click(drop, [turn, state, search, current], [state, *shown, listing], **QUIET)
        self.upload.upload(bring, [turn, state, search, self.upload], [state, *shown, listing], **QUIET)
        self.title.submit(rename, [state, search, current, self.title], [state, listing, self.title], **QUIET)
        for button, form in ((self.markdown, as_markdown), (self.json, as_json)):
            made = button.click(form, conversation, self.exported, **QUIET)
            made.success(None, self.exported, None, js=_SAVE)


def shelf() -> Shelf:
    """Draw the left sidebar."""
    state = gr.BrowserState([], storage_key="switchboard-conversations", secret="kept-in-this-browser")  # noqa: S106
    with gr.Sidebar(open=False, width=280):
        gr.Markdown("### Conversations")
        new = gr.Button("New chat", variant="primary", size="sm", elem_id="new-chat")
        search = gr.Textbox(show_label=False, label="Search", placeholder="Search…", elem_id="search-chats")
        listing = gr.Radio([], show_label=False, label="Conversations", elem_id="chats", container=False)
        with gr.Accordion("This conversation", open=False):
            title = gr.Textbox(label="New title", placeholder="Enter renames it", elem_id="rename-chat")
            delete = gr.Button("Delete", size="sm", variant="stop", elem_id="delete-chat")
            with gr.Row():
                markdown = gr.Button("Markdown", size="sm", elem_id="export-markdown")
                json = gr.Button("JSON", size="sm", elem_id="export-json")
        upload = gr.UploadButton("Import JSON", file_types=[".json"], type="binary", size="sm", elem_id="import-chat")
        gr.Markdown("Kept in this browser only.", elem_classes="hint")
        exported = gr.Textbox(visible="hidden")
    return Shelf(state, new, search, listing, title, delete, markdown, json, upload, exported)


def listed(kept: Kept | None, words: str, current: str) -> Any:
    """The list of conversations, those that match `words`, with the open one marked."""
    rows = [(row["title"], row["id"]) for row in matching(kept or [], words or "")]
    return gr.update(choices=rows, value=current if current in dict(rows).values() else None)
