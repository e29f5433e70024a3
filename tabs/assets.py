"""The scripts and styles of Gradio's page, from memory: packed once, told to be kept, and asked for ahead of time.

Gradio packs each of them anew for everyone who asks, and its page finds out which ones it needs in five steps, each
after the last one's answer. Read in the files of Gradio 6.31; tests/test_look.py holds it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import brotli
from gradio.route_utils import BUILD_PATH_LIB
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

_FOLDER = Path(BUILD_PATH_LIB)
_KINDS = {".js": "text/javascript", ".css": "text/css"}
# Their names hold their hashes, so what a name stands for never changes.
_KEPT = {"content-encoding": "br", "vary": "accept-encoding", "cache-control": "public, max-age=31536000, immutable"}
_AHEAD = {
    ".js": '<link rel="modulepreload" crossorigin href="./assets/{}">',
    ".css": '<link rel="preload" as="style" crossorigin href="./assets/{}">',
}
_ENTRY = re.compile(r'src="\./assets/([\w.-]+\.js)"')
_LISTED = re.compile(r"__vite__mapDeps=[^\[]*\[([^\]]*)\]")
_IMPORTED = re.compile(
    r"(?:(\w+):\{[^{}]*?component:[^{}]{,20})?import\(`\./([\w.-]+)`\)[^\[]{,60}__vite__mapDeps\(\[([\d,]*)\]\)"
)


class Assets:
    """Answers for what is known by its name and can be packed; everything else is the app's."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.packed = app, dict[str, bytes]()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        name = path.removeprefix("/assets/")
        taken = scope["type"] == "http" and scope["method"] == "GET" and name != path and name in _names()
        if not taken or "br" not in Headers(scope=scope).get("accept-encoding", ""):
            await self.app(scope, receive, send)
            return
        if name not in self.packed:
            self.packed[name] = await asyncio.to_thread(_pack, name)
        kind = _KINDS[Path(name).suffix]
        await Response(self.packed[name], headers=_KEPT, media_type=kind)(scope, receive, send)


@cache
def _names() -> frozenset[str]:
    return frozenset(path.name for path in _FOLDER.iterdir() if path.suffix in _KINDS)


def _pack(name: str) -> bytes:
    return bytes(brotli.compress((_FOLDER / name).read_bytes(), mode=brotli.MODE_TEXT, quality=7))


def ahead(kinds: Iterable[str]) -> str:
    """HTML that has a browser ask at once for all that a page with these kinds of components needs."""
    return "".join(_AHEAD[Path(name).suffix].format(name) for name in dict.fromkeys(_needed(set(kinds))))


def _needed(kinds: set[str]) -> Iterator[str]:
    """The files, in the order in which the page would come to them: its shell, its blocks, its components."""
    [entry] = _ENTRY.findall((_FOLDER.parent / "index.html").read_text("utf-8"))
    for _, chunk, files in _imports(entry):
        yield from files
        for _, inner, more in _imports(chunk):
            if inner.startswith("Blocks-"):
                yield from more
    for _, chunk, _ in _imports(entry):
        for kind, _, files in _imports(chunk):
            if kind in kinds:
                yield from files


def _imports(name: str) -> list[tuple[str, str, list[str]]]:
    """What a script imports later on: the kind of component where it is one's, the script, and all files with it."""
    script = (_FOLDER / name).read_text("utf-8")
    listed = _LISTED.search(script)
    files = [Path(file).name for file in re.findall(r'"([^"]+)"', listed[1])] if listed else []
    found = _IMPORTED.findall(script)
    return [(kind, chunk, [files[int(place)] for place in places.split(",") if place]) for kind, chunk, places in found]
