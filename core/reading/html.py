"""HTML files, read as pages of the web are: without what is hidden and around it, in the charset that they are in."""

from __future__ import annotations

import re

from core.reading.text import LONGEST, Refused, Text, whole
from core.web.page import Reading, page

# A file may be longer than a page: memory and time are bounded by the process that reads it.
_HOW = Reading(structured=True, tags=200_000, longest=LONGEST)
_ENTITY = re.compile(rb"<!ENTITY")


def read_html(data: bytes) -> Text:
    """The main part of an HTML file. Raises Refused."""
    if _ENTITY.search(data.replace(b"\0", b"")):
        raise Refused("it declares entities of its own, which hide text")
    read = page("", "", data, "text/html", "", _HOW)
    return whole([read.markdown or read.text], read.title)
