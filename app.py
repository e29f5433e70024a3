"""Switchboard: one page in which every way of using a language model stands side by side. Knows no feature."""

from __future__ import annotations

import os

from dotenv import load_dotenv

load_dotenv()
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr  # noqa: E402  (the environment comes first: Gradio reads it when it is imported)

from tabs import Page, tabs  # noqa: E402
from tabs.serving import serve  # noqa: E402


def build() -> gr.Blocks:
    """The whole page: one tab for each module of tabs/."""
    page: gr.Blocks
    with gr.Blocks(title="Switchboard", delete_cache=(3600, 86400)) as page:
        gr.Markdown("# Switchboard", elem_id="title")
        with gr.Tabs():
            for place, tab in enumerate(tabs()):
                with gr.Tab(tab.TITLE) as here:
                    # The first tab is shown when the page is; the event of being chosen is the others'.
                    tab.build(Page(here.select if place else page.load))
    return page


if __name__ == "__main__":
    serve(build())
