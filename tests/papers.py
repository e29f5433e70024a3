"""Files of every kind that is read, written by hand or by the libraries that write them: ordinary and hostile."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping, Sequence
from io import BytesIO

Bookmark = tuple[str, int]


def pdf(
    pages: Sequence[Sequence[str]], title: str = "", bookmarks: Sequence[Bookmark] = (), extra: bytes = b""
) -> bytes:
    """A PDF file of these lines of Latin-1; a bookmark is a text and the number of its page, from 0.

    `extra` is put into the content of each page as it is.
    """
    objects: list[bytes] = [b"", b"", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for lines in pages:
        shown = b" ".join(b"(" + _string(line) + b") Tj T*" for line in lines)
        content = zlib.compress(extra + b"BT /F1 12 Tf 14 TL 72 720 Td " + shown + b" ET")
        objects.append(b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(content), content))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R >> >> >>" % len(objects)
        )
        kids.append(len(objects))
    first = len(objects) + 1
    for number, (text, page) in enumerate(bookmarks):
        onward = b"/Next %d 0 R" % (first + number + 1) if number + 1 < len(bookmarks) else b""
        objects.append(
            b"<< /Title (%s) /Parent %d 0 R /Dest [%d 0 R /Fit] %s >>"
            % (_string(text), first + len(bookmarks), kids[page], onward)
        )
    last = first + len(bookmarks)
    if bookmarks:
        objects.append(
            b"<< /Type /Outlines /First %d 0 R /Last %d 0 R /Count %d >>" % (first, last - 1, len(bookmarks))
        )
    objects[0] = b"<< /Type /Catalog /Pages 2 0 R %s >>" % (b"/Outlines %d 0 R" % last if bookmarks else b"")
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(b"%d 0 R" % kid for kid in kids), len(kids))
    objects.append(b"<< /Title (%s) >>" % _string(title))
    return _written(objects)


def _string(text: str) -> bytes:
    return text.translate({ord(char): f"\\{char}" for char in "()\\"}).encode("latin-1")


def _written(objects: list[bytes]) -> bytes:
    body = b"%PDF-1.7\n"
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    rows = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    count = len(objects) + 1
    table = b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, rows)
    trailer = b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\n" % (count, count - 1)
    return body + table + trailer + b"startxref\n%d\n%%%%EOF" % len(body)


def locked(data: bytes, user: str, owner: str = "owner") -> bytes:
    """The same PDF file, encrypted."""
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(BytesIO(data)))
    writer.encrypt(user, owner, algorithm="RC4-128")
    return _saved(writer.write)


def _saved(write: object) -> bytes:
    stream = BytesIO()
    write(stream)  # type: ignore[operator]
    return stream.getvalue()


# --- archives ---------------------------------------------------------------------------------------------------------

_NS = "http://schemas.openxmlformats.org"
_TYPES = (
    f'<Types xmlns="{_NS}/package/2006/content-types"><Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
    'ContentType="application/xml"/><Override PartName="/word/document.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
_RELATIONS = (
    f'<Relationships xmlns="{_NS}/package/2006/relationships"><Relationship Id="r1" '
    f'Type="{_NS}/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>'
)


def archive(parts: Mapping[str, str | bytes]) -> bytes:
    """A ZIP archive of these parts."""
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as written:
        for name, content in parts.items():
            written.writestr(name, content)
    return stream.getvalue()


def paragraph(text: str, style: str = "") -> str:
    named = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{named}<w:r><w:t xml:space='preserve'>{text}</w:t></w:r></w:p>"


def rows(table: Sequence[Sequence[str]]) -> str:
    cells = "".join(f"<w:tr>{''.join(f'<w:tc>{paragraph(cell)}</w:tc>' for cell in row)}</w:tr>" for row in table)
    return f"<w:tbl>{cells}</w:tbl>"


def docx(body: str, title: str = "", head: str = "", more: Mapping[str, str | bytes] | None = None) -> bytes:
    """A Word file of these paragraphs; `head` stands before the root of its text, `more` are further parts."""
    document = (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}<w:document '
        f'xmlns:w="{_NS}/wordprocessingml/2006/main"><w:body>{body}</w:body></w:document>'
    )
    core = (
        f'<cp:coreProperties xmlns:cp="{_NS}/package/2006/metadata/core-properties" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{title}</dc:title></cp:coreProperties>'
    )
    return archive(
        {"[Content_Types].xml": _TYPES, "_rels/.rels": _RELATIONS, "word/document.xml": document}
        | {"docProps/core.xml": core}
        | dict(more or {})
    )


def pptx(slides: Sequence[tuple[str, str]], notes: str = "") -> bytes:
    """A PowerPoint file: the title and the text of each slide, and notes to the last."""
    from pptx import Presentation

    presentation = Presentation()
    for title, text in slides:
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = text
    if notes:
        slide.notes_slide.notes_text_frame.text = notes
    return _saved(presentation.save)


def xlsx(sheets: Mapping[str, Sequence[Sequence[object]]], formats: Mapping[str, str] | None = None) -> bytes:
    """An Excel file; `formats` are number formats of cells of the first sheet."""
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    for name, table in sheets.items():
        sheet = book.create_sheet(name)
        for row in table:
            sheet.append(list(row))
    for cell, shown in (formats or {}).items():
        book.worksheets[0][cell].number_format = shown
    return _saved(book.save)


def epub(chapters: Sequence[str], title: str = "A Book", head: str = "<!DOCTYPE html>") -> bytes:
    """An EPUB file: the body of each chapter as XHTML."""
    items = "".join(
        f'<item id="c{n}" href="c{n}.xhtml" media-type="application/xhtml+xml"/>' for n in range(len(chapters))
    )
    spine = "".join(f'<itemref idref="c{n}"/>' for n in range(len(chapters)))
    return archive(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            '<rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/></rootfiles>'
            "</container>",
            "OEBPS/content.opf": '<package xmlns="http://www.idpf.org/2007/opf"><metadata '
            f'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{title}</dc:title></metadata>'
            f"<manifest>{items}</manifest><spine>{spine}</spine></package>",
        }
        | {
            f"OEBPS/c{n}.xhtml": f'<?xml version="1.0"?>{head}<html xmlns="http://www.w3.org/1999/xhtml"><body>{body}</body></html>'
            for n, body in enumerate(chapters)
        }
    )


# --- hostile ones -----------------------------------------------------------------------------------------------------

LAUGHS = (
    "<!DOCTYPE lolz [<!ENTITY a 'lol'>"
    + "".join(f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(9))
    + "]>"
)
OUTSIDE = "<!DOCTYPE x [<!ENTITY secret SYSTEM 'file:///etc/passwd'>]>"


def bomb(megabytes: int) -> bytes:
    """A Word file whose text unpacks to this much."""
    return docx(paragraph("a" * 1000) * (megabytes * 1000))


def endless() -> bytes:
    """A PDF file of 300 kB that takes minutes to walk through."""
    return pdf([["end"]] * 100, extra=b"q Q " * 500_000)
