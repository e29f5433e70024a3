"""A public link, through a tunnel that ends on this machine: what `--share` shows a stranger's browser."""

from __future__ import annotations

import http.client
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.browsing import answer, finished, needs_browser, send, visitor
from tests.live import launched
from tests.services import Provider, Say

pytestmark = needs_browser

# Stands for the program that opens Gradio's tunnel: it is given the page's port and tells the link's address.
TUNNEL = f"""#!{sys.executable}
import asyncio
import sys

PORT = int(sys.argv[sys.argv.index("-l") + 1])


async def passed(source, target):
    while data := await source.read(65536):
        target.write(data)
        await target.drain()
    target.close()


async def forward(reader, writer):
    inner, outer = await asyncio.open_connection("127.0.0.1", PORT)
    await asyncio.gather(passed(reader, outer), passed(inner, writer), return_exceptions=True)


async def main():
    server = await asyncio.start_server(forward, "127.0.0.1", 0)
    print("start proxy success: http://127.0.0.1:%d" % server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
"""


@pytest.fixture(scope="module")
def link(service: Provider, folder: Path) -> Iterator[str]:
    """The address of the link, as the app's log tells it."""
    from gradio.tunneling import BINARY_FILENAME

    program = folder / "hub" / "gradio" / "frpc" / BINARY_FILENAME
    program.parent.mkdir(parents=True)
    program.write_text(TUNNEL, "utf-8")
    program.chmod(0o755)
    variables = {
        **service.environment(), "HF_HOME": str(folder / "hub"), "GRADIO_SHARE_SERVER_ADDRESS": "127.0.0.1:1",
        "SWITCHBOARD_USER": "ann", "SWITCHBOARD_PASSWORD": "a long one", "SWITCHBOARD_MODEL": "openai/gpt-4.1",
    }  # fmt: skip
    with launched(folder, "--share", **variables):
        yield _told(folder / "app.log")


def _told(log: Path) -> str:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if found := re.search(r"Running on public URL: \w+://(\S+)", log.read_text("utf-8")):
            return f"http://{found[1]}"  # Gradio says https, which only its own server speaks.
        time.sleep(0.2)
    raise AssertionError(log.read_text("utf-8"))


def test_a_stranger_logs_in_and_chats_through_the_link(browser: Browser, link: str, service: Provider) -> None:
    """The visitor fails if the page asks anything of another site, Gradio's own among them."""
    service.say(Say(("Hello", " stranger")))
    with visitor(browser) as page:
        page.goto(link)
        page.get_by_label("username").fill("ann")
        page.get_by_label("password").fill("a long one")
        page.get_by_role("button", name="Login").click()
        expect(page.locator("#banner")).to_contain_text("This page is open to others", timeout=30_000)
        expect(page.locator("#model-facts")).to_contain_text("context", timeout=30_000)
        send(page, "Hi")
        answer(page, "Hello stranger")
        finished(page)
        assert page.get_by_text("Get another model").count() == 0


def test_the_link_is_opened_under_its_own_name(link: str) -> None:
    statuses = {}
    for host in ("0123456789.gradio.live", "gradio.live.attacker.example"):
        connection = http.client.HTTPConnection(urlsplit(link).netloc, timeout=20)
        connection.request("GET", "/", headers={"Host": host})
        statuses[host] = connection.getresponse().status
        connection.close()
    assert list(statuses.values()) == [200, 400]
