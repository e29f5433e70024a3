"""Switchboard: one page in which every way of using a language model stands side by side. Knows no feature."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import nullcontext
from functools import partial

from dotenv import load_dotenv

load_dotenv()
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr  # noqa: E402  (the environment comes first: Gradio reads it when it is imported)

from core.settings import settings  # noqa: E402
from tabs import Page, tabs  # noqa: E402
from tabs.head import clears, following, head  # noqa: E402
from tabs.jobs import header  # noqa: E402
from tabs.later import Switchboard, later  # noqa: E402
from tabs.serving import serve  # noqa: E402
from tabs.settings import disclaimer, panel  # noqa: E402
from tabs.visiting import Keyring, banner, refusal  # noqa: E402


def build(keyring: Keyring) -> Switchboard:
    """The whole page: one tab for each module of tabs/."""
    page: Switchboard
    # What visitors upload is looked through every ten minutes in public mode, every hour else; in seconds.
    kept = (600, 3600) if settings().public else (3600, 86_400)
    with Switchboard(title="Switchboard", delete_cache=kept) as page:
        in_use = head()
        banner()
        jobs = header(page)
        with gr.Tabs() as every:
            for place, tab in enumerate(tabs()):
                # The first tab is shown when the page is; the others are told to it when they are opened.
                with gr.Tab(tab.TITLE) as here, later(page, here) if place else nullcontext():
                    tab.build(Page(page.load, jobs, following(page, here, in_use), partial(later, page)))
            panel(page, keyring)
        clears(every, in_use)
        disclaimer()
    return page


def _asked() -> argparse.Namespace:
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--share", action="store_true", help="open the page to others through a link of gradio.live")
    given.add_argument("--mcp", action="store_true", help="also serve the endpoints as tools of an MCP server")
    return given.parse_args()


if __name__ == "__main__":
    asked = _asked()
    share = asked.share or os.environ.get("GRADIO_SHARE", "").lower() == "true"
    if share:
        os.environ["SWITCHBOARD_PUBLIC"] = "1"
    if problem := refusal(share, asked.mcp):
        sys.exit(problem)
    keyring = Keyring()
    serve(build(keyring), keyring, share=share and not os.environ.get("SPACE_ID"), mcp_server=asked.mcp)
