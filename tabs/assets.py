"""The scripts and styles of Gradio's page, from memory: packed once, told to be kept, and asked for ahead of time.

Gradio packs each of them anew for everyone who asks, and its page finds out which ones it needs in five steps, each
after the last one's answer. Here it asks for all scripts at once, and its many small style sheets come as one.
Read in the files of Gradio 6.31; where those of another version are not as expected, the page does as Gradio has it.
tests/test_assets.py and tests/test_look.py hold it.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
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
_KEPT = {"cache-control": "public, max-age=31536000, immutable", "vary": "accept-encoding"}
_SCRIPT = '<link rel="modulepreload" crossorigin href="./assets/{}">'
_SHEET = '<link rel="stylesheet" href="./assets/{}">'
# The page asks for a sheet unless a link to it stands there; one that is disabled is not asked for either.
_STANDS = '<link rel="stylesheet" disabled href="./assets/{}">'
_THEME = '<link rel="preload" as="style" href="./theme.css?v={}">'
_THEMED = re.compile(rb'"theme_hash":"(\w+)"')
_ENTRY = re.compile(r'src="\./assets/([\w.-]+\.js)"')
_LISTED = re.compile(r"__vite__mapDeps=[^\[]*\[([^\]]*)\]")
_IMPORTED = re.compile(
    r"(?:(\w+):\{[^{}]*?component:[^{}]{,20})?import\(`\./([\w.-]+)`\)[^\[]{,60}__vite__mapDeps\(\[([\d,]*)\]\)"
)


log = logging.getLogger(__name__)


@dataclass(frozen=True)
class First:
    """What a page needs when it is opened: its scripts and its sheets by name, and all these sheets in one text."""

    scripts: tuple[str, ...] = ()
    sheets: tuple[str, ...] = ()
    style: str = ""

    @property
    def sheet(self) -> str:
        """The name of the one that holds all."""
        return f"first-{hashlib.sha256(self.style.encode()).hexdigest()[:16]}.css"

    def asked(self, page: bytes) -> bytes:
        """The page's HTML, which asks for all of it at once."""
        theme = [_THEME.format(found[1].decode()) for found in _THEMED.finditer(page)][:1]
        first = "".join((*map(_SCRIPT.format, self.scripts), *theme))
        # The rules of components stand after those of the page, as they would if they came one by one.
        last = "".join((_SHEET.format(self.sheet), *map(_STANDS.format, self.sheets))) if self.sheets else ""
        page = page.replace(b"<head>", b"<head>" + first.encode(), 1)
        return page.replace(b"</head>", last.encode() + b"</head>", 1)


class Assets:
    """Answers for what is known by its name and can be packed; everything else is the app's."""

    def __init__(self, app: ASGIApp, first: First) -> None:
        self.app, self.first, self.packed = app, first, dict[str, bytes]()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name, packs = _asked(scope)
        if name != self.first.sheet and not (packs and name in _names()):
            await self.app(scope, receive, send)
            return
        if packs and name not in self.packed:
            self.packed[name] = await asyncio.to_thread(self._pack, name)
        text = self.packed[name] if packs else self._text(name)
        headers = _KEPT | ({"content-encoding": "br"} if packs else {})
        await Response(text, headers=headers, media_type=_KINDS[Path(name).suffix])(scope, receive, send)

    def _text(self, name: str) -> bytes:
        return self.first.style.encode() if name == self.first.sheet else (_FOLDER / name).read_bytes()

    def _pack(self, name: str) -> bytes:
        return bytes(brotli.compress(self._text(name), mode=brotli.MODE_TEXT, quality=7))


def _asked(scope: Scope) -> tuple[str, bool]:
    """The name of the asset that is asked for, empty for anything else, and whether it may be packed."""
    path = scope.get("path", "")
    if scope["type"] != "http" or scope["method"] != "GET" or not path.startswith("/assets/"):
        return "", False
    return path.removeprefix("/assets/"), "br" in Headers(scope=scope).get("accept-encoding", "")


@cache
def _names() -> frozenset[str]:
    return frozenset(path.name for path in _FOLDER.iterdir() if path.suffix in _KINDS)


def first(kinds: Iterable[str]) -> First:
    """What a page with these kinds of components needs at first; nothing where Gradio's files are not as expected."""
    try:
        names = [name for name in dict.fromkeys(_needed(set(kinds))) if name in _names()]
        page = _page()
        sheets = [name for name in names if name.endswith(".css") and name not in page]
        style = "\n".join((_FOLDER / name).read_text("utf-8") for name in sheets)
    except (OSError, ValueError, IndexError) as error:
        log.warning("the page's scripts are not asked for ahead: %s", error)
        return First()
    return First(tuple(name for name in names if name.endswith(".js")), tuple(sheets), style)


def _page() -> str:
    return (_FOLDER.parent / "index.html").read_text("utf-8")


def _needed(kinds: set[str]) -> Iterator[str]:
    """The files, in the order in which the page comes to them: its first, its shell, its blocks, its components."""
    [entry] = _ENTRY.findall(_page())
    yield entry
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
