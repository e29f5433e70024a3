"""Files and folders as documents: which files are read, what each is, and why another was not added."""

from __future__ import annotations

import errno
import os
import re
import stat
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from core.errors import FileUnread
from core.rag.outline import first_heading
from core.rag.passages import Document
from core.reading.child import Parser
from core.reading.decode import as_text
from core.reading.text import Refused, Text, whole
from core.settings import settings

# What each ending is read as. Content that is plainly something else is read as that.
KINDS = {
    ".md": "text", ".markdown": "text", ".txt": "text", ".text": "text", ".html": "html", ".htm": "html",
    ".xhtml": "html", ".csv": "csv", ".tsv": "csv", ".pdf": "pdf", ".docx": "zip", ".pptx": "zip", ".xlsx": "zip",
    ".epub": "zip",
}  # fmt: skip
# Kinds whose first heading is a sheet, a chapter or a bookmark, and not the title of the whole.
_PARTS_FIRST = (".pdf", ".xlsx", ".epub")
_LONGEST_NAME = 120  # characters of a title or a name
_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class File:
    """A file that may be read. `source` and `doc_type` are those of its Document."""

    path: Path
    source: str
    doc_type: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies in a folder: files of kinds that can be read, and the paths of others, both sorted."""

    files: tuple[File, ...]
    ignored: tuple[str, ...]


Outcome = tuple[File, Document | FileUnread]


# --- reading ----------------------------------------------------------------------------------------------------------


def read(path: Path, source: str = "", doc_type: str = "") -> Document:
    """The document in one file. It blocks, up to the file timeout. Raises FileUnread."""
    with Parser() as parser:
        return _document(File(path, source or display(path.name), doc_type), parser)


def read_all(files: Iterable[File]) -> Iterator[Outcome]:
    """Each file as a document, or why it was not added, in order. One bad file costs no other."""
    with Parser() as parser:
        for file in files:
            try:
                yield file, _document(file, parser)
            except FileUnread as problem:
                yield file, problem


def folder(root: Path) -> Iterator[Outcome]:
    """Every file below `root` that can be read. Raises FileUnread when there is no such folder."""
    return read_all(listing(root).files)


def contents(file: File) -> bytes:
    """The bytes of a file, read without following a link. Raises FileUnread: a pipe, a device, empty, too large."""
    most = settings().file_megabytes
    try:
        descriptor = os.open(file.path, os.O_RDONLY | _SAFELY)
    except OSError as error:
        is_link = error.errno in (errno.ELOOP, errno.EMLINK)
        raise FileUnread(file.source, "it is a link" if is_link else "it cannot be opened") from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise FileUnread(file.source, "it is not an ordinary file")
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            data = stream.read(int(most * _MB) + 1)
    except OSError as error:
        raise FileUnread(file.source, "it cannot be read") from error
    finally:
        os.close(descriptor)
    if len(data) > most * _MB:
        raise FileUnread(file.source, f"it is larger than {most:g} MB")
    if not data:
        raise FileUnread(file.source, "it is empty")
    return data


# A link is not followed, and a pipe that nobody writes to is not waited for.
_SAFELY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def _document(file: File, parser: Parser) -> Document:
    data = contents(file)
    try:
        text = _text(data, file.path.suffix.lower(), parser)
    except Refused as reason:
        raise FileUnread(file.source, str(reason)) from reason
    return Document(
        file.source, _title(text, file.path), text.text, file.doc_type, text.pages, sha256(data).hexdigest(), text.note
    )


def _text(data: bytes, suffix: str, parser: Parser) -> Text:
    """What the bytes say, read as what they are. Raises Refused."""
    kind = KINDS.get(suffix, "")
    if not kind:
        raise Refused(f"files of this kind ({display(suffix) or 'no ending'}) cannot be read")
    if data.startswith(b"PK\x03\x04"):
        return parser.parse("zip", data)
    if data.startswith(b"%PDF-") or (kind == "pdf" and b"%PDF-" in data[:1024]):
        return parser.parse("pdf", data)
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        raise Refused("it is protected with a password, or of an Office before 2007: save it anew")
    if kind in ("pdf", "zip"):
        raise Refused(f"it is damaged, or no {suffix[1:].upper()} file though its name says so")
    if kind == "html":
        return parser.parse("html", data)
    text, note = as_text(data)
    if kind == "csv":
        return replace(parser.parse("csv", text.encode("utf-8", "replace")), note=note)
    return whole([text], _front(text), [note] if note else [])


# --- names ------------------------------------------------------------------------------------------------------------


def display(name: str) -> str:
    """A name as it can be shown and kept: what would turn, hide or break it stands as an escape, its length is bounded.

    It is not escaped for Markdown or HTML: that is up to where it is shown.
    """
    shown = "".join(f"\\u{{{ord(char):x}}}" if unicodedata.category(char) in _UNSHOWN else char for char in name)
    return shown if len(shown) <= 2 * _LONGEST_NAME else f"{shown[:_LONGEST_NAME]}…{shown[-_LONGEST_NAME:]}"


_UNSHOWN = ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp")


def _title(text: Text, path: Path) -> str:
    """The first heading, or the title in the file's properties, or its name."""
    found = (first_heading(text.text), text.title)
    if path.suffix.lower() in _PARTS_FIRST:
        found = ("", text.title)
    named = re.sub(r"[\s_-]+", " ", display(path.stem)).strip()
    title = " ".join((found[0] or found[1] or named).split())
    return title if len(title) <= _LONGEST_NAME else f"{title[: _LONGEST_NAME - 1]}…"


def _front(text: str) -> str:
    """The title that a block of YAML before the text gives."""
    block = re.match(r"---\n(.{0,2000}?)\n---\n", text[:2100].replace("\r\n", "\n"), re.DOTALL)
    found = re.search(r"^title:[ \t]*[\"']?(.*?)[\"']?[ \t]*$", block[1], re.MULTILINE) if block else None
    return found[1] if found else ""


# --- folders and uploads ----------------------------------------------------------------------------------------------


def listing(root: Path) -> Listing:
    """What lies below `root`, hidden files left out and no link followed. A first folder is the type of its documents.

    Raises FileUnread when there is no such folder, or far too much in it.
    """
    if not root.is_dir():
        raise FileUnread(display(root.name), "there is no such folder")
    files: list[File] = []
    ignored: list[str] = []
    for path in _walked(root):
        parts = path.relative_to(root).parts
        source = display("/".join(parts))
        if path.suffix.lower() in KINDS and not path.is_symlink():
            files.append(File(path, source, display(parts[0]) if len(parts) > 1 else ""))
        else:
            ignored.append(source)
        if len(files) > settings().folder_files:
            raise FileUnread(display(root.name), f"it holds more than {settings().folder_files:,} files")
    return Listing(tuple(files), tuple(ignored))


def _walked(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root, followlinks=False):
        # In place: os.walk goes into what is left.
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(folder, name) for name in sorted(names) if not name.startswith((".", "~$")))


def uploads(
    paths: Sequence[Path], there: Sequence[File] = (), doc_type: str = "uploads"
) -> tuple[list[File], list[FileUnread]]:  # fmt: skip
    """A visitor's files that may be read, and why others are not, beside those that are `there` already.

    The limits are checked here and not by the page, which a client may leave out. Names that come twice are told
    apart; a file that is there with the same name is another one.
    """
    limit = settings()
    taken = {file.source for file in there}
    count, size = len(there), sum(_size(file.path) for file in there)
    files: list[File] = []
    refused: list[FileUnread] = []
    for path in paths:
        name = _unlike(display(path.name), taken)
        if count >= limit.upload_files:
            refused.append(FileUnread(name, f"only {limit.upload_files} files can be added"))
        elif size + _size(path) > limit.upload_megabytes * _MB:
            refused.append(FileUnread(name, f"together they would be larger than {limit.upload_megabytes:g} MB"))
        else:
            files.append(File(path, name, doc_type))
            taken.add(name)
            count, size = count + 1, size + _size(path)
    return files, refused


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def _unlike(name: str, taken: set[str]) -> str:
    """`name`, with a number where it is taken."""
    stem, suffix = os.path.splitext(name)
    numbers = (f"{stem} ({number}){suffix}" for number in range(2, len(taken) + 3))
    return name if name not in taken else next(other for other in numbers if other not in taken)
