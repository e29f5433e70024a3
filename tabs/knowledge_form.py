"""The widgets for adding documents and for how they are made into an index. Knows no handler."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from core.rag.embedding import BUILT_IN
from core.rag.load import KINDS as FILES
from core.rag.own import Making
from core.settings import settings

SPLITTINGS = [
    ("along headings and tables", "structure"), ("LangChain, recursive", "recursive"), ("LangChain, 1000/200", "plain"),
]  # fmt: skip


@dataclass(frozen=True)
class Form:
    """The widgets for adding documents."""

    files: gr.File
    url: gr.Textbox
    depth: gr.Slider
    most: gr.Slider
    choice: gr.Column
    links: gr.CheckboxGroup
    folder: gr.Textbox


@dataclass(frozen=True)
class Manner:
    """The widgets that say how documents are made into an index. In a closed accordion they have no value."""

    kind: gr.Radio
    size: gr.Slider
    overlap: gr.Slider
    model: gr.Dropdown
    store: gr.Dropdown

    def inputs(self, folder: gr.Textbox) -> list[Any]:
        """The widgets, in the order of `_how`."""
        return [self.kind, self.size, self.overlap, self.model, self.store, folder]


def form() -> tuple[Form, list[gr.Button]]:
    """Draw the form; its buttons add one page, look for more, add those, and read the folder, where there is one."""
    files = gr.File(
        label="Add files", file_count="multiple", file_types=sorted(FILES), height=120, elem_id="documents-files"
    )
    url = gr.Textbox(label="Add from the web", placeholder="example.com/page", max_lines=1, elem_id="documents-url")
    with gr.Row():
        one = gr.Button("Add this page", size="sm", min_width=120, elem_id="documents-page")
        more = gr.Button("Find pages of this site", size="sm", min_width=120, elem_id="documents-crawl")
    with gr.Accordion("How far to look", open=False):
        depth = gr.Slider(0, 5, 2, step=1, label="Links from this page", elem_id="documents-depth")
        most = gr.Slider(1, settings().crawl_pages, min(30, settings().crawl_pages), step=1, label="Pages at most")
    with gr.Column(visible=False, elem_id="documents-choice") as choice:
        links = gr.CheckboxGroup([], label="Pages to add", elem_id="documents-links")
        ticked = gr.Button("Add the ticked pages", size="sm", variant="primary", elem_id="documents-ticked")
    # A folder of this machine is for its owner only, and what is not drawn cannot be filled in. Nobody can type before
    # the kept one is here, which would take the place of what is typed.
    folder = gr.Textbox(
        label="A folder of this machine", placeholder="/home/me/notes", max_lines=1, visible=not settings().public,
        interactive=False, elem_id="documents-folder",
    )  # fmt: skip
    buttons = [one, more, ticked]
    if not settings().public:
        buttons.append(gr.Button("Read this folder", size="sm", elem_id="documents-read"))
    return Form(files, url, depth, most, choice, links, folder), buttons


def removal() -> tuple[gr.Dropdown, gr.Button]:
    """Draw what removes documents."""
    with gr.Row():
        drop = gr.Dropdown(
            [], value=[], multiselect=True, label="Remove", scale=3, min_width=180, elem_id="documents-drop"
        )
        button = gr.Button("Remove", size="sm", variant="stop", scale=1, min_width=90, elem_id="documents-remove")
    return drop, button


def manner() -> tuple[Manner, gr.Button]:
    """Draw how documents are made into an index, and the button that makes it again."""
    usual = Making()
    with gr.Accordion("How they are read", open=False, elem_id="documents-manner"):
        kind = gr.Radio(
            SPLITTINGS, value="structure", label="Splitting", elem_id="documents-kind",
        )  # fmt: skip
        size = gr.Slider(
            200, 4_000, usual.recipe.size, step=50, label="Characters in a passage", elem_id="documents-size"
        )
        overlap = gr.Slider(0, 1_000, usual.recipe.overlap, step=10, label="Overlap", elem_id="documents-overlap")
        model = gr.Dropdown(
            [(label, name) for name, label in BUILT_IN.items()], value=usual.model, label="Embedding model",
            info=None if settings().public else "Or st/MODEL, PROVIDER/MODEL, or langchain/PROVIDER:MODEL.",
            allow_custom_value=not settings().public, elem_id="documents-model",
        )  # fmt: skip
        store = gr.Dropdown(
            [("Chroma, on disk", "chroma"), ("FAISS, in memory", "faiss")], value=usual.store, label="Vector store",
            info=None if settings().public else "Or HOST:PORT of a Chroma server.",
            allow_custom_value=not settings().public, elem_id="documents-store",
        )  # fmt: skip
        button = gr.Button("Make the index again", size="sm", elem_id="documents-remake")
    return Manner(kind, size, overlap, model, store), button
