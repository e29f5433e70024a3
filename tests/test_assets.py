"""The scripts and styles of the first page: what is asked for ahead; another Gradio's page is left as it is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from tabs import assets
from tabs.assets import Assets, First, first

PAGE = b'<html><head><title>A</title></head><script>{"theme_hash":"0ab"}</script></html>'


def test_all_sheets_of_the_kinds_are_one_in_their_order() -> None:
    needed = first({"textbox", "chatbot"})
    assert len(needed.sheets) > 5
    assert needed.style == "\n".join((assets._FOLDER / name).read_text("utf-8") for name in needed.sheets)
    assert len(needed.scripts) > len(first({"textbox"}).scripts) > 10


def test_a_page_asks_for_all_at_once_and_for_no_sheet_of_the_one_again() -> None:
    needed = First(("a.js",), ("b.css", "c.css"), "all {}")
    html = needed.asked(PAGE).decode()
    head, _, rest = html.partition("<title>")
    assert 'rel="modulepreload" crossorigin href="./assets/a.js"' in head
    assert 'href="./theme.css?v=0ab"' in head
    assert f'<link rel="stylesheet" href="./assets/{needed.sheet}">' in rest.partition("</head>")[0]
    for name in needed.sheets:
        assert f'<link rel="stylesheet" disabled href="./assets/{name}">' in rest.partition("</head>")[0]


@pytest.mark.parametrize("changed", ["no folder", "another entry", "a script is missing"])
def test_the_page_of_a_gradio_that_is_made_otherwise_is_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    folder = tmp_path / "assets"
    if changed != "no folder":
        folder.mkdir()
        page = shutil.copy(assets._FOLDER.parent / "index.html", tmp_path)
        if changed == "another entry":
            Path(page).write_text("<script src=elsewhere.js></script>", "utf-8")
    monkeypatch.setattr(assets, "_FOLDER", folder)
    assets._names.cache_clear()
    needed = first({"textbox"})
    assets._names.cache_clear()
    assert needed == First()
    assert needed.asked(PAGE).replace(b'<link rel="preload" as="style" href="./theme.css?v=0ab">', b"") == PAGE


@pytest.mark.parametrize("packing", ["br", "gzip"])
def test_the_one_sheet_is_served_packed_or_plain_and_kept(packing: str) -> None:
    needed = First((), ("b.css",), "all {}")
    app = Starlette(
        routes=[Route("/{path:path}", lambda request: PlainTextResponse("the app's"))],
        middleware=[Middleware(Assets, first=needed)],
    )
    with TestClient(app, headers={"accept-encoding": packing}) as client:
        sheet = client.get(f"/assets/{needed.sheet}")
        assert (sheet.text, sheet.headers.get("content-encoding")) == ("all {}", "br" if packing == "br" else None)
        assert "immutable" in sheet.headers["cache-control"]
        assert sheet.headers["content-type"].startswith("text/css")
        assert client.get("/assets/first-0.css").text == client.get(f"/{needed.sheet}").text == "the app's"
