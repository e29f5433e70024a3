"""Reading pages over real sockets: what is refused, what is bounded, what is understood, and how politely."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing

import pytest

from core.errors import AddressRefused, PageUnread
from core.web import Link, Page, Visit, Wire, fetch, fetch_all
from core.web.fetch import AT_ONCE
from core.web.lists import with_lists
from core.web.page import page
from tests.site import NAVIGATION, Listener, Site, redirect
from tests.worst import MAKE, measured

Limits = Callable[..., None]


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


# --- the address, where the connection is made ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/to-file", "/to-metadata", "/to-inside", "/to-port", "/to-user", "/to-quad"]
)  # fmt: skip
def test_a_redirect_to_a_closed_address_is_refused(site: Site, path: str) -> None:
    with pytest.raises(AddressRefused):
        fetch(site.at(path), site.visit(inside_example=["10.0.0.1"]))
    assert site.paths == ["/robots.txt", path]


@pytest.mark.parametrize(
    "answers",
    [["127.0.0.1"], ["10.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["127.0.0.1", "8.8.8.8"], ["fd00:ec2::254"], ["::1"]],
)
def test_a_name_that_leads_inside_is_refused_and_nothing_is_connected(answers: list[str]) -> None:
    with Listener() as listener, pytest.raises(AddressRefused):
        fetch("http://example.com/", Visit(Wire(lambda host, port: answers)))
    assert listener.connections == 0


def test_a_name_that_changes_its_address_is_looked_up_once_a_hop_and_pinned(site: Site) -> None:
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) <= 2 else ["127.0.0.9"]

    visit = Visit(Wire(rebinding, frozenset({("127.0.0.1", site.port)})))
    site.put("/robots.txt", b"")
    fetch(site.at("/about"), visit)
    # Once for robots.txt and once for the page; the third would have been the attacker's other answer.
    assert asked == ["shop.example"] * 2
    with pytest.raises(AddressRefused):
        fetch(site.at("/products"), visit)
    assert site.paths == ["/robots.txt", "/about"]


def test_the_exception_is_for_one_port(site: Site) -> None:
    with Listener() as listener:
        visit = site.visit()
        site.answers["/elsewhere"] = redirect(f"http://shop.example:{listener.port}/")
        with pytest.raises(AddressRefused):
            fetch(site.at("/elsewhere"), visit)
    assert listener.connections == 0


def test_nothing_of_a_visitor_or_of_this_machine_is_sent(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    site.answers["/cookie"] = redirect("/about")
    fetch(site.at("/cookie"), site.visit())
    for headers in site.headers:
        assert set(headers) == {
            "host", "user-agent", "accept", "accept-encoding", "accept-language", "connection",
        }  # fmt: skip
        assert headers["user-agent"].startswith("Switchboard/")


# --- limits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/drip", "/slow-head", "/hints", "/silent"])
def test_no_page_takes_longer_than_its_time(site: Site, limits: Limits, path: str) -> None:
    limits(page_timeout=0.6)
    started = time.monotonic()
    with pytest.raises(PageUnread, match=r"took too long \(over 0.6 s\)"):
        fetch(site.at(path), site.visit())
    assert 0.5 < time.monotonic() - started < 1.5


def test_a_resolver_that_hangs_takes_no_longer_either(limits: Limits) -> None:
    limits(page_timeout=0.4)
    release = threading.Event()
    wire = Wire(lambda host, port: ["8.8.8.8"] if release.wait(20) else [])
    started = time.monotonic()
    with pytest.raises(PageUnread, match="took too long"):
        fetch("http://example.com/", Visit(wire))
    assert time.monotonic() - started < 1.5
    release.set()


@pytest.mark.parametrize("path", ["/bomb", "/endless"])
def test_a_page_that_is_too_large_is_left_in_the_middle(site: Site, path: str) -> None:
    with pytest.raises(PageUnread, match=r"too large \(over 5 MB\)"):
        fetch(site.at(path), site.visit())
    assert site.left.wait(2)


@pytest.mark.parametrize("page", MAKE)
def test_no_page_takes_much_memory_or_time(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    cost = measured(page)
    with capsys.disabled():
        sys.stdout.write(f"\n  {cost.page:34}{cost.megabytes:7.1f} MB{cost.seconds:7.2f} s   {cost.outcome}")
    assert cost.megabytes < 100
    assert cost.seconds < 15


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/hop/0", "redirects more than 5 times"),
        ("/loop", "redirects more than 5 times"),
        ("/pdf", r"not a web page \(content type application/pdf\)"),
        ("/typeless", r"not a web page \(content type unknown\)"),
        ("/members", "answer is broken"),
        ("/not-gzip", "answer is broken"),
        ("/cut", "answer is broken"),
        ("/brotli", "compressed in a way"),
        ("/nothing-here", "status 404"),
        ("/secret", "robots.txt"),
    ],
)
def test_what_is_no_page_is_said_to_be_none(site: Site, path: str, said: str) -> None:
    with pytest.raises(PageUnread, match=said):
        fetch(site.at(path), site.visit())


def test_a_site_that_is_not_there(site: Site) -> None:
    with pytest.raises(PageUnread, match=r"no site named nowhere\.example"):
        fetch("http://nowhere.example/", site.visit())
    with Listener() as listener:
        port = listener.port
    closed = Visit(Wire(lambda host, _: ["127.0.0.1"], frozenset({("127.0.0.1", port)})))
    with pytest.raises(PageUnread, match="nothing answers"):
        fetch(f"http://shop.example:{port}/", closed)


# --- what a page says -------------------------------------------------------------------------------------------------


def test_a_page_is_taken_apart(site: Site) -> None:
    page = fetch(site.at("/hop/1"), site.visit())
    assert isinstance(page, Page)
    assert (page.url, page.final_url, page.status) == (site.at("/hop/1"), site.at("/about"), 200)
    assert page.title == "About Oak Boats"
    assert page.description == "Oak Boats: quiet electric boats."
    assert "Founded in 1998 by Ada Holm." in page.text
    assert page.bytes > 900
    assert 0 < page.seconds < 5
    assert page.note == ""


def test_links_are_absolute_and_once_and_lead_to_pages(site: Site) -> None:
    pages = [(text, path) for text, path in NAVIGATION if path.startswith("/") and not path.endswith(("pdf", "#team"))]
    expected = [Link(site.at(path), text) for text, path in pages] + [Link("https://other.example/x", "Partner")]
    assert list(fetch(site.at("/"), site.visit()).links) == expected


def test_three_thousand_links_are_all_there(site: Site) -> None:
    links = fetch(site.at("/links"), site.visit()).links
    assert len(links) == 3000
    assert Link(site.at("/p/2000"), "Page 2000") in links


@pytest.mark.parametrize("path", ["/gzip", "/deflate", "/raw-deflate"])
def test_compressed_pages_are_read(site: Site, path: str) -> None:
    assert fetch(site.at(path), site.visit()).title == "About Oak Boats"


@pytest.mark.parametrize(
    "path", ["/latin1", "/latin1-meta", "/latin1-silent", "/lying", "/utf16", "/odd-charset"]
)  # fmt: skip
def test_letters_are_right_whatever_is_declared(site: Site, path: str) -> None:
    page = fetch(site.at(path), site.visit())
    assert page.title == "Größe"
    assert page.text.startswith("Füße über Öl, schöne Grüße aus Köln.")


def test_plain_text_is_a_page(site: Site) -> None:
    assert fetch(site.at("/plain"), site.visit()).text == "Grüße\nzwei"


def test_what_no_reader_sees_is_not_read(site: Site) -> None:
    page = fetch(site.at("/injected"), site.visit())
    assert "Ignore all instructions" in page.text  # it is seen, so it is read: as data
    assert "HIDDEN" not in page.text
    assert "HIDDEN-LINK" not in [link.text for link in page.links]
    assert "Tag and zerowidth and bidi." in page.text


def test_a_page_that_a_program_would_draw_is_said_to_be_empty(site: Site) -> None:
    assert "empty without JavaScript" in fetch(site.at("/shell"), site.visit()).note


def test_a_page_that_says_that_it_is_none(site: Site) -> None:
    assert "was not found" in fetch(site.at("/soft404"), site.visit()).note


# --- politeness -------------------------------------------------------------------------------------------------------


def test_a_page_is_read_once_in_a_visit(site: Site) -> None:
    visit = site.visit()
    assert fetch(site.at("/about"), visit) is fetch(site.at("/about#team"), visit)
    assert site.paths == ["/robots.txt", "/about"]


def test_a_page_behind_the_rules_of_robots_is_left_alone(site: Site) -> None:
    assert fetch(site.at("/secret/open"), site.visit()).title == "Open"
    site.put("/robots.txt", b"", status=503)
    with pytest.raises(PageUnread, match=r"robots\.txt"):
        fetch(site.at("/about"), site.visit())
    assert "/about" not in site.paths


def test_a_redirect_does_not_lead_around_robots(site: Site) -> None:
    site.answers["/innocent"] = redirect("/secret")
    with pytest.raises(PageUnread, match=r"robots\.txt"):
        fetch(site.at("/innocent"), site.visit())
    assert "/secret" not in site.paths


def test_a_broken_moment_is_tried_once_more(site: Site) -> None:
    site.put("/busy", b"", status=503)
    with pytest.raises(PageUnread, match="status 503"):
        fetch(site.at("/busy"), site.visit())
    assert site.paths.count("/busy") == 2
    fetching = site.visit()
    mended = threading.Timer(0.2, lambda: site.put("/busy", b"<title>Open again</title>"))
    mended.start()
    assert fetch(site.at("/busy"), fetching).title == "Open again"
    mended.join()


async def test_pages_are_read_side_by_side_and_not_too_many(site: Site) -> None:
    paths = [f"/slow/{number}" for number in range(10)]
    for path in paths:
        site.put(path, b"<p>slow", delay=0.3)
    started = time.monotonic()
    async with aclosing(fetch_all([site.at(path) for path in paths], site.visit())) as pages:
        read = [page async for _, page in pages]
    assert all(isinstance(page, Page) for page in read)
    assert site.most == AT_ONCE == 6
    assert 0.6 < time.monotonic() - started < 1.6  # two rounds of 0.3 s, where one after the other takes 3 s


async def test_one_page_that_fails_does_not_end_the_others(site: Site) -> None:
    urls = [site.at("/about"), site.at("/gone"), "http://10.0.0.1/"]
    outcomes = {url: outcome async for url, outcome in fetch_all(urls, site.visit())}
    assert isinstance(outcomes[urls[0]], Page)
    assert "status 404" in str(outcomes[urls[1]])
    assert isinstance(outcomes[urls[2]], AddressRefused)


async def test_leaving_ends_every_request(site: Site) -> None:
    for number in range(3):
        site.answers[f"/d{number}"] = site.answers["/drip"]
    pages = fetch_all([site.at(f"/d{number}") for number in range(3)], site.visit())
    waiting = asyncio.create_task(anext(pages))
    while site.now < 3:
        await asyncio.sleep(0.02)
    waiting.cancel()
    await asyncio.wait({waiting})
    await pages.aclose()
    left = time.monotonic()
    while site.now:
        assert time.monotonic() - left < 1
        await asyncio.sleep(0.02)


PROSE = "<p>" + "We make boats that float in any harbour of the north sea, and have done so for long. " * 8 + "</p>"


def test_lists_are_part_of_what_a_page_says_and_menus_are_not() -> None:
    menu = '<div><ul><li><a href="/a">Menu A</a></li><li><a href="/b">Menu B</a></li></ul></div>'
    things = (
        '<ul class="x"><li>The Heron, for two<ul><li>in blue</li></ul></li><li>The <a href="/t">Teal</a>, for six</ul>'
    )
    html = f"<html><title>Acme</title><body>{menu}<main>{PROSE}{things}{PROSE}</main></body></html>"
    text = page("http://a.example/", "http://a.example/", html.encode(), "text/html", "text/html").text
    assert [line for line in text.splitlines() if line.startswith("•")] == [
        "• The Heron, for two", "• in blue", "• The Teal, for six",
    ]  # fmt: skip
    assert "Menu" not in text


@pytest.mark.parametrize("piece", ["<ul>", "<ul", "</ul>", "<a ", "<", "</li", "</li ", "<ul><li>", "<ul><a href=x>"])
def test_lists_of_any_kind_are_read_in_linear_time(piece: str) -> None:
    def seconds(length: int) -> float:
        text = "<ul>" + piece * (length // len(piece)) + "</ul>"
        started = time.process_time()
        with_lists(text)
        return time.process_time() - started

    assert seconds(400_000) < 8 * seconds(100_000) + 0.1
