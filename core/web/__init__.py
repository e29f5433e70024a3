"""The only way in which Switchboard reads the web: public addresses, checked where the connection is made, bounded."""

from core.web.address import Allowed, is_public, same_site, target
from core.web.fetch import Visit, fetch, fetch_all
from core.web.page import Link, Page, Reading
from core.web.wire import Wire

__all__ = [
    "Allowed",
    "Link",
    "Page",
    "Reading",
    "Visit",
    "Wire",
    "fetch",
    "fetch_all",
    "is_public",
    "same_site",
    "target",
]
