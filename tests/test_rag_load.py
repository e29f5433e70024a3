"""Reading documents: real files of every kind, hostile ones, folders with traps, and a loopback site."""

from __future__ import annotations

import codecs
import datetime
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing
from hashlib import sha256
from pathlib import Path

import pytest

from core.errors import AddressRefused, BadSetting, FileUnread, PageUnread
from core.rag.crawl import Crawl, crawl, documents
from core.rag.load import File, contents, display, folder, listing, read, read_all, uploads
from core.rag.passages import Document
from core.rag.split import split
from core.reading import pdf, sheets
from core.reading.child import MEMORY, Parser
from core.reading.text import Refused
from core.web import Visit
from tests import papers
from tests.site import Listener, Site, redirect
from tests.site import document as web_page

Limits = Callable[..., None]
Write = Callable[[str, bytes | str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(name: str, content: bytes | str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return written


def page_texts(document: Document) -> list[str]:
    ends = [*document.pages[1:], len(document.text)]
    return [document.text[start:end].strip() for start, end in zip(document.pages, ends, strict=True)]


# --- every kind -------------------------------------------------------------------------------------------------------


def test_markdown_stays_as_it_is(write: Write) -> None:
    text = "# Annual leave\n\n- 25 days\n  - more\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\n    code\n```"
    path = write("policies/annual-leave.md", text)
    document = read(path, "policies/annual-leave.md", "policies")
    assert document == Document(
        "policies/annual-leave.md", "Annual leave", text, "policies", digest=sha256(text.encode()).hexdigest()
    )


OLD = "Schöne Grüße aus Köln und Füssen. "


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("Grüße".encode("utf-16"), "Grüße"),
        (codecs.BOM_UTF16_BE + "Grüße".encode("utf-16-be"), "Grüße"),
        ("Grüße aus Köln".encode("utf-16-le"), "Grüße aus Köln"),
        ("Grüße aus Köln".encode("utf-16-be"), "Grüße aus Köln"),
        ("Grüße".encode("utf-32"), "Grüße"),
        (codecs.BOM_UTF8 + "# Grüße".encode(), "# Grüße"),
        ((OLD * 20).encode("cp1252"), (OLD * 20)[:-1]),
        ("one\r\ntwo\rthree\u2028four".encode(), "one\ntwo\nthree\nfour"),
        ("cafe\u0301 4\u202f000 \u00a0km".encode(), "café 4 000  km"),
        ("a\u202eb\u200bc\U000e0041d\x07e".encode(), "abcde"),
    ],
)  # fmt: skip
def test_text_is_read_in_any_charset_and_put_in_one_spelling(write: Write, data: bytes, text: str) -> None:
    assert read(write("a.txt", data)).text == text


def test_one_broken_character_does_not_change_the_others(write: Write) -> None:
    document = read(write("a.md", "# Größe\n\nÄÖÜ äöü éèê ".encode() * 9 + b"\xff end"))
    assert document.title == "Größe"
    assert document.text.endswith("éèê \ufffd end")
    assert document.note == "1 of its characters could not be read."


def test_html_keeps_headings_lists_and_tables_and_loses_what_is_around_them(write: Write) -> None:
    html = web_page(
        "Boats | Oak",
        "<h1>Boats</h1><p>The <b>Heron_3</b> costs 24,500 &lt; 30,000. <a href='mailto:hi@oak.example'>Write</a></p>"
        "<p hidden>secret</p><ul><li>one<ul><li>inner</li></ul></li></ul><table><tr><td>boat</td><td>seats</td></tr>"
        "<tr><td>Heron</td><td>6</td></tr></table><h2>More</h2><p>Text.</p>",
    )
    document = read(write("boats.html", html))
    assert document.title == "Boats"
    assert document.text == (
        "# Boats\n\nThe **Heron_3** costs 24,500 < 30,000. Write (hi@oak.example)\n\n- one\n  - inner\n\n"
        "| boat | seats |\n| --- | --- |\n| Heron | 6 |\n\n## More\n\nText."
    )


def test_html_is_read_in_the_charset_that_it_is_in(write: Write) -> None:
    lying = "<meta charset=iso-8859-1><title>T</title><p>Größe der Füße"
    assert read(write("a.html", lying)).text == "Größe der Füße"
    assert read(write("b.htm", lying.encode("utf-16"))).text == "Größe der Füße"


def test_a_long_html_file_is_read_to_its_end(write: Write) -> None:
    body = "".join(f"<p>Paragraph number {n} of a long <b>file</b>.</p>" for n in range(20_000))
    document = read(write("long.html", f"<h1>Long</h1>{body}"))
    assert document.text.endswith("Paragraph number 19999 of a long **file**.")


def test_pdf_is_read_page_by_page_in_paragraphs_below_its_bookmarks(write: Write) -> None:
    pages = [
        ["1. Payment terms", "Invoices are paid within thirty days of the day on which they were re-",
         "ceived by the accounts team in Halifax, whatever the amount may be,", "by whoever sent them.",
         "- one", "- two"],
        ["Delivery", "Short line", "another"],
    ]  # fmt: skip
    document = read(write("terms.pdf", papers.pdf(pages, "Terms (2026)", [("Payment terms", 0), ("Delivery", 1)])))
    assert document.title == "Terms (2026)"
    assert page_texts(document) == [
        "## 1. Payment terms\n\nInvoices are paid within thirty days of the day on which they were received by the "
        "accounts team in Halifax, whatever the amount may be, by whoever sent them.\n- one\n- two",
        "## Delivery\n\nShort line\nanother",
    ]
    assert [(passage.heading, passage.page) for passage in split(document)] == [("", 1)]


def test_what_heads_and_foots_every_page_stands_once(write: Write) -> None:
    pages = [["Oak Boats Ltd", f"Fact number {n}.", f"{n} boats", f"Page {n} of 9"] for n in range(1, 10)]
    document = read(write("report.pdf", papers.pdf(pages, "Microsoft Word - report.docx")))
    assert document.title == "report"
    assert page_texts(document) == ["Oak Boats Ltd\nFact number 1.\n1 boats"] + [
        f"Fact number {n}.\n{n} boats" for n in range(2, 10)
    ]


def test_empty_pages_are_told_and_counted(write: Write) -> None:
    document = read(write("a.pdf", papers.pdf([["One"], [], ["Three"]])))
    assert document.note == "1 of its 3 pages hold no text."
    assert page_texts(document) == ["One", "", "Three"]
    assert document.pages[2] == document.text.index("Three")


def test_a_pdf_that_opens_without_a_password_is_read(write: Write) -> None:
    assert read(write("a.pdf", papers.locked(papers.pdf([["Hello there"]]), user=""))).text == "Hello there"


def test_word_keeps_headings_tables_and_names(write: Write) -> None:
    body = papers.paragraph("Leave", "Heading1") + papers.paragraph("Ask site_lead *first*.")
    body += papers.rows([["site", "people"], ["Halifax", "18"]]) + papers.paragraph("Sick", "Heading2")
    document = read(write("b.docx", papers.docx(body + papers.paragraph("Call."), "Property")))
    assert document.title == "Leave"
    assert document.text == (
        "# Leave\n\nAsk site_lead *first*.\n\n| site | people |\n| --- | --- |\n| Halifax | 18 |\n\n## Sick\n\nCall."
    )
    assert read(write("c.docx", papers.docx(papers.paragraph("Text."), "Property"))).title == "Property"
    assert read(write("staff_list-2026.docx", papers.docx(papers.paragraph("Text.")))).title == "staff list 2026"


def test_slides_are_pages_and_each_has_a_heading(write: Write) -> None:
    document = read(write("c.pptx", papers.pptx([("Results", "One\nTwo"), ("", "Plain"), ("End", "x")], "Say thanks")))
    assert document.title == "Results"
    first, second, third = page_texts(document)
    assert (first, second) == ("# Results\nOne\nTwo", "# Slide 2\n\nPlain")
    assert third == "# End\nx\n\n### Notes:\nSay thanks"


def test_sheets_are_pages_and_cells_read_as_they_are_seen(write: Write) -> None:
    day = datetime.datetime(2026, 1, 2)
    table = [
        ["site", "people", "share", "day"],
        ["x" * 80, 18.0, 0.125, day],
        [None] * 4,
        ["Lund", 1234567.891, 0.5, None],
    ]
    book = papers.xlsx({"Sites": table, "Empty": [], "Two": [["a|b"], [True]]}, {"C2": "0.0%"})
    document = read(write("sites.xlsx", book))
    assert document.title == "sites"
    assert page_texts(document) == [
        f"## Sites\n\n| site | people | share | day |\n| --- | --- | --- | --- |\n"
        f"| {'x' * 80} | 18 | 12.5 % | 2026-01-02 |\n| Lund | 1234567.891 | 0.5 |  |",
        "## Two\n\n| a\\|b |\n| --- |\n| True |",
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_is_a_table_whatever_parts_its_columns(write: Write, delimiter: str) -> None:
    rows = [["name", "people"], ['"Oak\nBoats"', "18"], ["Lund", "7"]]
    data = "\r\n".join(delimiter.join(row) for row in rows).encode("utf-16")
    document = read(write("a.csv", data))
    assert document.text == "| name | people |\n| --- | --- |\n| Oak Boats | 18 |\n| Lund | 7 |"


def test_a_book_is_read_in_order_and_named_by_its_title(write: Write) -> None:
    book = papers.epub(
        ["<h1>One</h1><p>Text a_b.</p><img src='x.png' alt='A boat'/>", "<h1>Two</h1><ul><li>x</li></ul>"]
    )
    document = read(write("f.epub", book))
    assert document.title == "A Book"
    assert "# One\n\nText a_b.\n\nA boat\n\n# Two\n\n- x" in document.text


def test_the_title_of_a_text_is_its_heading_its_front_matter_or_its_name(write: Write) -> None:
    assert read(write("a.md", "## Sub first\n\nText")).title == "Sub first"
    assert read(write("on_call-rota.md", "Text\n\n## Sub")).title == "on call rota"
    assert read(write("c.md", '---\ntitle: "The rota"\ndate: 2026\n---\nText\n\n## Sub')).title == "The rota"
    assert read(write("d.md", f"# {'long ' * 23}\n")).title == ("long " * 23).strip()
    assert len(read(write(f"{'n' * 200}.md", "Text")).title) == 120


# --- what is not read -------------------------------------------------------------------------------------------------

WORD = papers.docx(papers.paragraph("fine"))
UNPACKS = "it would unpack to more than 200 MB"
DECLARES = "it declares entities of its own, which hide text"
REFUSED: dict[str, tuple[bytes, str]] = {
    "empty.md": (b"", "it is empty"),
    "blank.md": (b" \n\n ", "it holds no text"),
    "binary.md": (bytes(range(256)) * 9, "it is not a text file"),
    "zeros.txt": (b"\0" * 99, "it is not a text file"),
    "image.txt": (b"\x89PNG\r\n\x1a\n" + b"\x01\x02\x03" * 99, "it is not a text file"),
    "song.mp3": (b"ID3", "files of this kind (.mp3) cannot be read"),
    "none": (b"text", "files of this kind (no ending) cannot be read"),
    "named.pdf": (b"hello", "it is damaged, or no PDF file though its name says so"),
    "named.docx": (b"hello", "it is damaged, or no DOCX file though its name says so"),
    "cut.pdf": (papers.pdf([["a"] * 50])[:300], "it is damaged, or not what its name says"),
    "cut.docx": (WORD[:500], "it is damaged"),
    "locked.pdf": (papers.locked(papers.pdf([["a"]]), "secret"), "it is protected with a password"),
    "scan.pdf": (papers.pdf([[], []]), "it holds no text, only pictures of it"),
    "old.docx": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 999,
        "it is protected with a password, or of an Office before 2007: save it anew",
    ),
    "files.docx": (papers.archive({"a.txt": "b"}), "it is an archive: unpack it and add what is in it"),
    "broken.xlsx": (papers.archive({"xl/workbook.xml": "<"}), "it is damaged, or not what its name says"),
    "many.docx": (papers.archive({f"{n}": "" for n in range(10_001)} | {"word/document.xml": ""}), UNPACKS),
    "bomb.docx": (papers.bomb(201), UNPACKS),
    "laughs.docx": (papers.docx(papers.paragraph("&i;"), head=papers.LAUGHS), DECLARES),
    "outside.docx": (papers.docx(papers.paragraph("&secret;"), head=papers.OUTSIDE), DECLARES),
    "wide.docx": (papers.docx("", more={"word/styles.xml": papers.OUTSIDE.encode("utf-16")}), DECLARES),
    "outside.epub": (papers.epub(["a"], head=papers.OUTSIDE), DECLARES),
    "outside.html": (papers.OUTSIDE.encode() + b"<p>a &secret; b", DECLARES),
    "blank.html": (b"<script>1</script>", "it holds no text"),
    "blank.csv": (b",,,\n,,\n", "it holds no text"),
}  # fmt: skip


def test_each_hostile_file_costs_itself_and_says_why(write: Write) -> None:
    files = []
    for name, (data, _) in REFUSED.items():
        files += [File(write(name, data), name), File(write(f"{name}.good.docx", WORD), f"{name}.good.docx")]
    outcomes = {file.source: outcome for file, outcome in read_all(files)}
    said = {name: str(outcome) for name, outcome in outcomes.items() if isinstance(outcome, FileUnread)}
    assert said == {name: f"{name} was not added: {reason}." for name, (_, reason) in REFUSED.items()}


@pytest.mark.parametrize(
    ("name", "data", "text"),
    [
        ("a.md", WORD, "fine"),
        ("a.pdf", WORD, "fine"),
        ("a.txt", papers.pdf([["From a PDF"]]), "From a PDF"),
        ("a.docx", papers.pdf([["From a PDF"]]), "From a PDF"),
        ("a.epub", papers.xlsx({"S": [["x"]]}), "## S\n\n| x |\n| --- |"),
    ],
)
def test_a_wrong_ending_is_no_hindrance_where_the_content_is_known(
    write: Write, name: str, data: bytes, text: str
) -> None:
    assert read(write(name, data)).text == text


def test_a_file_that_takes_too_long_costs_itself_only(write: Write, limits: Limits) -> None:
    limits(file_timeout=6)
    endless = write("endless.pdf", papers.endless())
    started = time.monotonic()
    outcomes = [outcome for _, outcome in read_all([File(endless, "endless.pdf"), File(write("b.csv", b"a"), "b.csv")])]
    assert str(outcomes[0]) == "endless.pdf was not added: reading it takes more than 6 seconds."
    assert isinstance(outcomes[1], Document)
    assert time.monotonic() - started < 30


def test_a_file_that_takes_too_much_memory_costs_itself_only() -> None:
    # As much as the interpreter and the parsers take, and no more.
    with Parser(memory=420_000_000) as parser:
        with pytest.raises(Refused, match=r"too much memory|broke down"):
            parser.parse("zip", papers.bomb(150))
        assert parser.parse("zip", WORD).text == "fine"


def test_a_reader_that_dies_is_told_and_replaced() -> None:
    with Parser() as parser:
        assert parser.parse("csv", b"a\n").text == "| a |\n| --- |"
        (child,) = _children(os.getpid())
        threading.Timer(0.5, os.kill, (child, 9)).start()
        with pytest.raises(Refused, match="its reader broke down"):
            parser.parse("pdf", papers.endless())
        assert parser.parse("csv", b"b\n").text == "| b |\n| --- |"
    assert not _children(os.getpid())


def _children(parent: int) -> list[int]:
    found = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(parent)], capture_output=True, text=True, check=False
    )
    return [int(line.split()[0]) for line in found.stdout.splitlines() if "core.reading.worker" in line]


def test_the_child_ends_with_its_parent() -> None:
    code = "import os; from core.reading.child import Parser; p = Parser(); p.parse('csv', b'a');"
    code += "print(p._process.pid, flush=True); os._exit(0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    child = Path(f"/proc/{done.stdout.strip()}")
    deadline = time.monotonic() + 5
    while child.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not child.exists()


CONFINED = """
import json, os, socket, subprocess, sys
from core.reading.worker import _limit
_limit(1_000_000_000)
def tried(work):
    try:
        work()
    except Exception as error:
        return type(error).__name__
    return "done"
import resource
print(json.dumps({
    "connect": tried(lambda: socket.create_connection(("127.0.0.1", int(sys.argv[1])))),
    "name": tried(lambda: socket.getaddrinfo("example.com", 80)),
    "program": tried(lambda: subprocess.run(["true"])),
    "shell": tried(lambda: os.system("true")),
    "write": tried(lambda: os.write(os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT), b"x")),
    "remove": tried(lambda: os.remove(sys.argv[2])),
    "memory": tried(lambda: bytearray(1_000_000_000)),
    "bytes": resource.getrlimit(resource.RLIMIT_AS)[0],
}))
"""


def test_the_child_can_reach_nothing(tmp_path: Path) -> None:
    with Listener() as listener:
        command = [sys.executable, "-c", CONFINED, str(listener.port), str(tmp_path / "x")]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert listener.connections == 0
    assert json.loads(done.stdout) == {
        "connect": "PermissionError", "name": "PermissionError", "program": "PermissionError",
        "shell": "PermissionError", "write": "OSError", "remove": "PermissionError", "memory": "MemoryError",
        "bytes": MEMORY,
    }  # fmt: skip
    assert not (tmp_path / "x").read_bytes()


def test_the_child_is_given_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "canary-key")
    with Parser() as parser:
        parser.parse("csv", b"a")
        (child,) = _children(os.getpid())
        assert b"canary" not in Path(f"/proc/{child}/environ").read_bytes()


# --- folders ----------------------------------------------------------------------------------------------------------


def test_a_folder_is_read_in_order_with_its_types_and_without_traps(write: Write, tmp_path: Path) -> None:
    outside = write("outside/secret.md", "# Secret")
    root = tmp_path / "root"
    for name in ("b.md", "people/ada.md", "people/deep/bo.txt", "questions.jsonl", "photo.png"):
        write(f"root/{name}", f"# {name}\n\nText")
    for hidden in (".git/a.md", ".b.md", "people/.c.md", "~$lock.docx"):
        write(f"root/{hidden}", "hidden")
    (root / "link.md").symlink_to(outside)
    (root / "folder").symlink_to(outside.parent, target_is_directory=True)
    os.mkfifo(root / "pipe.md")
    outcomes = list(folder(root))
    read_ones = [(d.source, d.doc_type, d.title) for _, d in outcomes if isinstance(d, Document)]
    assert read_ones == [
        ("b.md", "", "b.md"), ("people/ada.md", "people", "people/ada.md"),
        ("people/deep/bo.txt", "people", "people/deep/bo.txt"),
    ]  # fmt: skip
    assert [str(d) for _, d in outcomes if isinstance(d, FileUnread)] == [
        "pipe.md was not added: it is not an ordinary file."
    ]
    assert listing(root).ignored == ("link.md", "photo.png", "questions.jsonl")


@pytest.mark.parametrize("make", ["link", "pipe", "folder", "missing", "device"])
def test_only_ordinary_files_are_opened(tmp_path: Path, write: Write, make: str) -> None:
    path = tmp_path / "a.md"
    match make:
        case "link":
            path.symlink_to(write("real.md", "text"))
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "device":
            path = Path("/dev/zero")
    with pytest.raises(FileUnread, match=r"it is a link|not an ordinary file|cannot be opened"):
        contents(File(path, "a.md"))


def test_files_and_folders_have_limits(write: Write, tmp_path: Path, limits: Limits) -> None:
    limits(file_megabytes=0.001, folder_files=3)
    assert contents(File(write("root/fits.md", "x" * 1000), "fits.md")) == b"x" * 1000
    with pytest.raises(FileUnread, match=r"^big.md was not added: it is larger than 0.001 MB\.$"):
        read(write("root/big.md", "x" * 1001), "big.md")
    write("root/c.md", "c")
    assert len(listing(tmp_path / "root").files) == 3
    write("root/d.md", "d")
    with pytest.raises(FileUnread, match="more than 3 files"):
        listing(tmp_path / "root")
    with pytest.raises(FileUnread, match="there is no such folder"):
        folder(tmp_path / "elsewhere")


def test_pages_and_cells_have_limits_and_say_so(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MOST_PAGES", 2)
    read_pages = pdf.read_pdf(papers.pdf([["One"], ["Two"], ["Three"]]))
    assert (read_pages.text, read_pages.note) == ("One\n\nTwo", "Only the first 2 of its 3 pages were read.")
    monkeypatch.setattr(sheets, "MOST_CELLS", 5)
    book = sheets.read_xlsx(papers.xlsx({"A": [["a", "b"], ["c", "d"], ["e", "f"]]}))
    assert (book.text, book.note) == (
        "## A\n\n| a | b |\n| --- | --- |\n| c | d |",
        "Only the first 5 cells were read.",
    )


def test_a_text_has_a_limit_and_says_so(write: Write) -> None:
    document = read(write("a.md", "word and " * 600_000))
    assert len(document.text) == 5_000_000
    assert document.note == "Only the first 5,000,000 characters were read."


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plain name-1.md", "plain name-1.md"), ("Größe 測定.md", "Größe 測定.md"),
        ("invoice\u202efdp.md", "invoice\\u{202e}fdp.md"), ("a\nb\x1b[0m.md", "a\\u{a}b\\u{1b}[0m.md"),
        ("tag\U000e0041.md", "tag\\u{e0041}.md"), ("bad\udcff.md", "bad\\u{dcff}.md"), ("a\u2028b", "a\\u{2028}b"),
    ],
)  # fmt: skip
def test_names_are_shown_as_what_they_are(name: str, shown: str) -> None:
    assert display(name) == shown


def test_a_name_that_lies_is_shown_everywhere_as_it_is(write: Write, tmp_path: Path) -> None:
    write("root/in\u202eside/invoice\u202efdp.md", b"")
    write("root/in\u202eside/b.md", "text")
    outcomes = [outcome for _, outcome in folder(tmp_path / "root")]
    assert [outcome.doc_type for outcome in outcomes if isinstance(outcome, Document)] == ["in\\u{202e}side"]
    assert not any("\u202e" in str(outcome) for outcome in outcomes)
    assert len(display("x" * 9999)) < 300


# --- uploads ----------------------------------------------------------------------------------------------------------


def test_uploads_are_counted_weighed_and_told_apart(write: Write, limits: Limits) -> None:
    limits(upload_files=3, upload_megabytes=0.01)
    paths = [write(f"{n}/a.md", "x" * 100) for n in range(3)]
    heavy, one_more = write("heavy.md", "x" * 9_950), write("more.md", "x")
    files, refused = uploads([paths[0], heavy, paths[1], paths[2], one_more])
    assert [file.source for file in files] == ["a.md", "a (2).md", "a (3).md"]
    assert [file.doc_type for file in files] == ["uploads"] * 3
    assert [str(problem) for problem in refused] == [
        "heavy.md was not added: together they would be larger than 0.01 MB.",
        "more.md was not added: only 3 files can be added.",
    ]
    more, none = uploads([one_more], there=files[:2])
    assert ([file.source for file in more], none) == (["more.md"], [])


# --- the web ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


async def crawled(url: str, depth: int, most: int, visit: Visit) -> Crawl:
    async with aclosing(crawl(url, depth, most, visit)) as steps:
        return [step async for step in steps][-1]


async def read_all_pages(urls: tuple[str, ...], visit: Visit) -> dict[str, Document | PageUnread]:
    async with aclosing(documents(urls, visit)) as outcomes:
        return {url: outcome async for url, outcome in outcomes}


async def test_one_page_is_a_document_with_its_structure(site: Site) -> None:
    site.answers["/start"] = redirect("/products")
    ((_, document),) = (await read_all_pages((site.at("/start"),), site.visit())).items()
    assert isinstance(document, Document)
    assert (document.source, document.title, document.doc_type) == (site.at("/products"), "Boats", "shop.example")
    assert document.text.startswith("# Boats\n\nThe Heron costs 24,500 euros and seats 6.")
    assert "About us" not in document.text


async def test_a_site_is_found_breadth_first_within_its_limits_and_rules(site: Site) -> None:
    site.put("/about", web_page("About", "<h1>About</h1><p>Since 1998.</p><a href=/team>Team</a>").encode())
    site.put("/team", web_page("Team", "<h1>Team</h1><p>Ada Holm.</p><a href=/deep>Deep</a>").encode())
    site.put("/login", b"", status=404)
    visit = site.visit()
    found = await crawled(site.at("/"), 2, 50, visit)
    depths = {row.url.removeprefix(site.at("")): row.depth for row in found.rows}
    assert depths["/"] == 0
    assert depths["/about"] == depths["/careers"] == 1
    assert depths["/team"] == 2
    assert "/deep" not in depths
    assert "/secret" not in site.paths
    assert all("other.example" not in row.url for row in found.rows)
    failed = {row.url: row.note for row in found.rows if row.state == "failed"}
    missing = "The site answered with status 404 instead of a page."
    assert failed == {site.at("/login"): missing, site.at("/privacy"): missing}
    assert found.whole
    assert not found.more
    asked = len(site.paths)
    ticked = (site.at("/about"), site.at("/team"), site.at("/login"))
    outcomes = await read_all_pages(ticked, visit)
    assert [getattr(outcomes[url], "title", "-") for url in ticked] == ["About", "Team", "-"]
    # What was found is not asked for again, but for what had failed.
    assert site.paths[asked:] == ["/login"]


async def test_limits_of_pages_and_depth_hold(site: Site) -> None:
    found = await crawled(site.at("/links"), 1, 8, site.visit())
    assert len(found.rows) == 8
    assert found.more
    assert len([path for path in site.paths if path != "/robots.txt"]) == 8
    alone = await crawled(site.at("/links"), 0, 8, site.visit())
    assert [row.url for row in alone.rows] == [site.at("/links")]
    assert not alone.more


async def test_robots_and_redirects_are_obeyed(site: Site) -> None:
    site.answers["/again"] = redirect("/about")
    site.answers["/leaves"] = redirect(site.at("/about", host="other.example"))
    links = "".join(f"<a href={path}>x</a>" for path in ("/about", "/again", "/leaves", "/secret", "/soft404"))
    site.put("/start", f"<title>Start</title><p>Text.</p>{links}".encode())
    found = await crawled(site.at("/start"), 1, 20, site.visit())
    rows = {row.url.removeprefix(site.at("")): (row.state, row.note) for row in found.rows}
    about = [path for path in ("/about", "/again") if path in rows]
    assert len(about) == 1
    assert rows.pop(about[0]) == ("read", "")
    assert rows == {
        "/start": ("read", ""),
        "/leaves": ("failed", "This page leads to another site."),
        "/secret": ("failed", "The site asks programs not to read this page (robots.txt)."),
        "/soft404": ("failed", "This page says that it was not found."),
    }


async def test_the_same_text_is_one_document(site: Site) -> None:
    site.put("/print", site_page := web_page("A", "<h1>A</h1><p>The very same text.</p>").encode())
    site.put("/screen", site_page)
    outcomes = list((await read_all_pages((site.at("/print"), site.at("/screen")), site.visit())).values())
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Document", "PageUnread"]


async def test_a_crawl_shows_each_page_as_it_comes_and_stops_at_once(site: Site) -> None:
    site.answers["/careers"] = site.answers["/silent"]
    visit, seen = site.visit(), []
    started = time.monotonic()
    async with aclosing(crawl(site.at("/"), 1, 20, visit)) as steps:
        async for step in steps:
            seen.append(step)
            if len(step.good) == 3:
                break
    assert time.monotonic() - started < 30
    assert sorted({len(step.good) for step in seen}) == [0, 1, 2, 3]
    assert visit.wire.stop.is_set()


async def test_a_first_page_that_cannot_be_read_ends_the_crawl(site: Site) -> None:
    with pytest.raises(PageUnread):
        await crawled(site.at("/nowhere"), 1, 5, site.visit())
    with pytest.raises(AddressRefused):
        await crawled("http://10.0.0.1/", 1, 5, site.visit())
    for depth, most in ((6, 5), (-1, 5), (1, 0), (1, 201)):
        with pytest.raises(BadSetting):
            await crawled(site.at("/"), depth, most, site.visit())
