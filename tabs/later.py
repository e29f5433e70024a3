"""What the page is told of when it is first opened, a tab or an accordion, so that it is up as soon as without it.

Gradio's page goes through all its events for each of its components before it shows anything, so its time grows with
the product of both. Here all stands on the server as ever, built once, with one set of handlers for all visitors;
only what the page is told at first leaves out what lies in what nobody has opened. `gr.render` would tell it the
same later on, but builds all of it anew for each visitor. Written against Gradio 6.31; tests/test_look.py holds it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.context import LocalContext
from gradio.data_classes import BlocksConfigDict
from gradio.renderable import Renderable

_NOTHING = "() => []"
# The page is painted first, so that it can be typed in. One in the background is not painted, and waits no longer.
_PAINTED = """async (...given) => {
    await new Promise((done) => { requestAnimationFrame(() => setTimeout(done)); setTimeout(done, 250); });
    return (%s)(...given);
}"""
_AS_GIVEN = "(...given) => given"


class Switchboard(gr.Blocks):
    """The page. What lies in a `later` block is told when it is opened."""

    def get_config_file(self) -> BlocksConfigDict:
        """What the page is told when it is opened: everything but the parts, and what only clients ask for."""
        for fn in self.fns.values():
            if any(event == "load" for _, event in fn.targets):
                # The page would mark all that these write as pending, again at every step of every one of them.
                fn.show_progress_on = []
        config = super().get_config_file()
        parts = [part for part in self.renderables if isinstance(part, Part)]
        fns = {fn._id for fn in self.fns.values() if fn.rendered_in in parts}
        blocks = {block._id for part in parts for block in part.blocks()}
        # What an endpoint takes and gives the page would draw, each as a widget that shows nothing.
        blocks |= {one["id"] for one in config["components"] if one["type"] == "api"}
        config["dependencies"] = [_once_painted(one) for one in config["dependencies"] if one["id"] not in fns]
        # Clients look up all that any handler takes and gives.
        named = {block for one in config["dependencies"] for block in (*one["inputs"], *one["outputs"])}
        config["components"] = [one for one in config["components"] if one["id"] not in blocks - named]
        for told in config["page"].values():
            told["components"] = [one for one in told["components"] if one not in blocks]
            told["dependencies"] = [one for one in told["dependencies"] if one not in fns]
        for layout in (config["layout"], *(told["layout"] for told in config["page"].values())):
            _without(blocks, layout)
        return config

    def kinds(self) -> set[str]:
        """The kinds of components that the page draws when it is opened."""
        config = self.get_config_file()
        told = {one for page in config["page"].values() for one in page["components"]}
        return {
            one["type"]
            for one in config["components"]
            if one["id"] in told and one["props"].get("visible") is not False
        }


def _once_painted(event: dict[str, Any]) -> dict[str, Any]:
    """The event; what it asks for when the page is opened, it asks for once the page is there."""
    if not any(name == "load" for _, name in event["targets"]):
        return event
    return event | {"js": _PAINTED % (event["js"] or _AS_GIVEN)}


def _without(blocks: set[int], layout: Any) -> None:
    """Take these out of the layout."""
    layout["children"] = [child for child in layout.get("children", []) if child["id"] not in blocks]
    for child in layout["children"]:
        _without(blocks, child)


class Part(Renderable):
    """What a tab or an accordion holds, and the event that has the page draw it: its being opened."""

    def __init__(self, place: gr.Tab | gr.Accordion) -> None:
        self.place, self.opening = place, "select" if isinstance(place, gr.Tab) else "expand"
        super().__init__(lambda: None, [], [(place, self.opening)], None, "parts", "once", True, "minimal")

    def apply(self) -> None:
        """Nothing is to be made: Gradio sends what lies in the container, and that stands already.

        What a handler has changed before it was drawn, Gradio has made anew for this visitor, but on no page.
        """
        known: Any = LocalContext.blocks_config.get()
        for block in self.blocks():
            known.blocks[block._id].page = self.page

    def blocks(self) -> list[Block]:
        """Everything that lies in the container."""
        return _within(self.container)

    def claim(self, fns: list[Any]) -> None:
        """Take these handlers as the container's own; endpoints stay the page's, which tells of them at once.

        Gradio runs those that wait for the page once the part is drawn; here, whenever it is opened again as well.
        """
        own = [fn for fn in fns if fn.api_visibility == "private"]
        for fn in own:
            fn.rendered_in = self
            opened = (self.place._id, self.opening)
            if any(event == "load" for _, event in fn.targets) and opened not in fn.targets:
                fn.targets.append(opened)
        self._let_go({block for fn in fns if fn not in own for block in (*fn.inputs, *fn.outputs)})
        self._settle(own)

    def _let_go(self, blocks: set[Block]) -> None:
        """Have these lie in the place itself, so that the page is told of them at once."""
        for block in (self.container, *self.blocks()):
            children = getattr(block, "children", [])
            self.place.children += [child for child in children if child in blocks]
            if children:
                block.children = [child for child in children if child not in blocks]  # type: ignore[attr-defined]

    def _settle(self, fns: list[Any]) -> None:
        """Settle which widgets can be typed in: the page would, by the events that it knew when it was opened."""
        read = {block._id for fn in fns for block in fn.inputs}
        written = {block._id for fn in fns for block in fn.outputs}
        for block in self.blocks():
            if getattr(block, "interactive", True) is None:
                empty = not getattr(block, "value", None)
                block.interactive = block._id in read or (empty and block._id not in written)  # type: ignore[attr-defined]


def _within(block: Any) -> list[Block]:
    return [inner for child in getattr(block, "children", []) for inner in (child, *_within(child))]


@contextmanager
def later(page: gr.Blocks, place: gr.Tab | gr.Accordion) -> Iterator[None]:
    """Within `place`, which is no part of another one: draw what this block holds when it is first opened.

    `page.load` is then.
    """
    before, part = set(page.fns), Part(place)
    with part.container:
        yield
        # The page keeps one list of events for each thing that can happen: this one takes the place of the event that
        # drew the part, so that opening it again does not draw it anew.
        getattr(place, part.opening)(None, None, None, js=_NOTHING, api_visibility="private")
    part.claim([page.fns[one] for one in page.fns if one not in before])
