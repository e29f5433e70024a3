"""Files that are ZIP archives inside: Word, PowerPoint, Excel and EPUB. The archive is looked at before what is in it.

markitdown turns them into Markdown; what it leaves of pictures is taken out, and its marks become pages.
"""

from __future__ import annotations

import re
import zipfile
from io import BytesIO
from typing import Any

from bs4 import BeautifulSoup

from core.reading.sheets import read_xlsx
from core.reading.text import Refused, Text, whole

UNPACKED = 200_000_000  # bytes that an archive may unpack to
ENTRIES = 10_000
# No document needs entities of its own. Parsers drop what stands after one without a word (safety.md, M17).
_DECLARES = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
_ENTITY = re.compile(rb"<!ENTITY")
_PICTURE = re.compile(r"!\[([^\[\]]{0,500})\]\([^()\s]{0,2000}\)")
_SLIDE = re.compile(r"<!-- Slide number: \d+ -->\n?")


def read_packed(data: bytes) -> Text:
    """Whichever of the four `data` is. Raises Refused."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            kind = _kind(archive)
            title = _checked(archive, kind)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise Refused("it is damaged") from error
    match kind:
        case "xlsx":
            return read_xlsx(data)
        case "docx":
            return whole([_docx(data)], title)
        case "pptx":
            return whole(_slides(data), "" if title == "PowerPoint Presentation" else title)
    return whole([_epub(data)], title)


def _kind(archive: zipfile.ZipFile) -> str:
    names = set(archive.namelist())
    known = {"word/document.xml": "docx", "xl/workbook.xml": "xlsx", "ppt/presentation.xml": "pptx"}
    for name, kind in known.items():
        if name in names:
            return kind
    if "META-INF/container.xml" in names:
        return "epub"
    raise Refused("it is an archive: unpack it and add what is in it")


def _checked(archive: zipfile.ZipFile, kind: str) -> str:
    """The title in its properties. Raises Refused for an archive that unpacks to too much, or declares entities."""
    entries = archive.infolist()
    if len(entries) > ENTRIES or sum(entry.file_size for entry in entries) > UNPACKED:
        raise Refused(f"it would unpack to more than {UNPACKED // 1_000_000} MB")
    if any(entry.flag_bits & 1 for entry in entries):
        raise Refused("it is protected with a password")
    declares = _ENTITY if kind == "epub" else _DECLARES
    title = ""
    for entry in entries:
        if entry.filename.lower().endswith((".xml", ".rels", ".xhtml", ".html", ".htm", ".opf", ".ncx")):
            part = archive.read(entry)
            if declares.search(part.replace(b"\0", b"")):
                raise Refused("it declares entities of its own, which hide text")
            if entry.filename == "docProps/core.xml" or entry.filename.endswith(".opf"):
                title = title or _titled(part)
    return title


def _titled(properties: bytes) -> str:
    found = BeautifulSoup(properties, "lxml-xml").find("title")
    return found.get_text() if found else ""


# Without these a name loses its underscores, and a table its first row.
_WRITTEN = {"escape_underscores": False, "escape_asterisks": False, "table_infer_header": True, "bullets": "-"}


def _docx(data: bytes) -> str:
    from markitdown.converters import DocxConverter

    return _converted(data, ".docx", DocxConverter, _WRITTEN)


def _epub(data: bytes) -> str:
    from markitdown.converters import EpubConverter

    return _converted(data, ".epub", EpubConverter, _WRITTEN)


def _slides(data: bytes) -> list[str]:
    from markitdown.converters import PptxConverter

    slides = _SLIDE.split(_converted(data, ".pptx", PptxConverter, {}))[1:]
    return [_slide(number, slide.strip()) for number, slide in enumerate(slides, 1)]


def _converted(data: bytes, suffix: str, converter: Any, options: dict[str, Any]) -> str:
    from markitdown import StreamInfo

    markdown = converter().convert(BytesIO(data), StreamInfo(extension=suffix), **options).markdown
    return _PICTURE.sub(r"\1", markdown)


def _slide(number: int, text: str) -> str:
    """A slide with a heading of its own: text without one would stand below that of the slide before."""
    return text if re.match(r"#{1,2} ", text) else f"# Slide {number}\n\n{text}"
