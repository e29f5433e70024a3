"""The knowledge base: answers that can be checked, the documents, their map, and how good the search is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr

from core.errors import AppError
from tabs import Page
from tabs.knowledge_api import endpoints
from tabs.knowledge_ask import asking
from tabs.knowledge_bases import CHOICES, SAMPLE, prepare
from tabs.knowledge_documents import documents
from tabs.knowledge_map import atlas
from tabs.knowledge_presence import presence
from tabs.knowledge_quality import quality
from tabs.parts import QUIET, toast

TITLE = "Knowledge"
ORDER = 30


def build(page: Page) -> None:
    """Draw the tab and wire it."""
    base, talk, changed = gr.State(SAMPLE), gr.State(()), gr.State(0)
    which = gr.Radio(
        CHOICES, value=SAMPLE, show_label=False, label="Documents", container=False, elem_id="knowledge-base"
    )
    which.input(lambda name: name, which, base, **QUIET)
    # The page never waits for the documents: they are read once somebody looks at this tab.
    page.jobs(page.load(_prepare, None, None, **QUIET))
    presence(page)
    with gr.Tabs():
        with gr.Tab("Ask"):
            options = asking(page, base, talk)
        with gr.Tab("Documents") as here:
            documents(replace(page, load=here.select), base, changed)
        with gr.Tab("Map") as here:
            atlas(replace(page, load=here.select), base, changed, talk)
        with gr.Tab("Quality") as here:
            quality(replace(page, load=here.select), base, options)
    endpoints()


def _prepare() -> Any:
    try:
        prepare()
    except AppError as error:
        return toast(error)
    return None
