"""The address rule: which URLs may be read, and which IP addresses are public. Pure: it resolves and connects nothing.

The rule says what is allowed and refuses the rest. Networks are those of IANA's special-purpose registries
(https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry, RFC 6890), and the
addresses at which cloud providers serve their machines' secrets.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Literal
from urllib.parse import quote, urlsplit

import idna

from core.errors import AddressRefused

# An address and a port that may be read although they are not public: tests, and the sample site of this app.
Allowed = frozenset[tuple[str, int]]
NONE: Allowed = frozenset()

# What stays as it is in a path and a query (RFC 3986); anything else is percent-encoded.
_PATH = "/?%:@!$&'()*+,;=~"
LONGEST = 2_000  # characters of a URL; browsers and servers agree on little more
PORTS = {"http": 80, "https": 443}

_PRIVATE_4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
        # Azure's service for its machines. Oracle's (192.0.0.192) and Alibaba's (100.100.100.200) lie in the networks
        # above, as does 169.254.169.254 of all the others.
        "168.63.129.16/32",
    )
)  # fmt: skip
# Only global unicast (RFC 4291), so NAT64, link-local, site-local, unique local and multicast are out by themselves.
_GLOBAL_6 = IPv6Network("2000::/3")
_PRIVATE_6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # IETF protocol assignments: Teredo, which carries an IPv4 address, benchmarking, ORCHID
        "2001:db8::/32", "3fff::/20",  # documentation
        "2002::/16",  # 6to4, which carries an IPv4 address
    )
)  # fmt: skip
# ISATAP (RFC 5214) carries an IPv4 address in the last half of any prefix.
_ISATAP = (0x00005EFE, 0x02005EFE)


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that has passed the rule, taken apart. What is requested is built from these parts only.

    `host` is in ASCII, without brackets; `path` holds the query, and `url` is the whole without a fragment.
    """

    scheme: Literal["http", "https"]
    host: str
    port: int
    path: str

    @property
    def netloc(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.netloc}"

    @property
    def url(self) -> str:
        return self.origin + self.path


def target(url: str, allowed: Allowed = NONE) -> Target:
    """`url`, checked and taken apart; "https://" is put in front of a bare name. Raises AddressRefused."""
    text = _spelled(url)
    try:
        parts = urlsplit(text)
        scheme, host, port = parts.scheme.lower(), parts.hostname or "", parts.port
    except ValueError as error:
        raise AddressRefused from error
    if scheme not in ("http", "https") or "@" in parts.netloc:
        raise AddressRefused
    port = port or PORTS[scheme]
    if port not in PORTS.values() and port not in {number for _, number in allowed}:
        raise AddressRefused
    checked = _literal_6(host, port, allowed) if "[" in parts.netloc else _host(host, port, allowed)
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    return Target("https" if scheme == "https" else "http", checked, port, quote(path, safe=_PATH))


def _spelled(url: str) -> str:
    """The text of a URL with nothing in it that two readers could read in two ways."""
    text = url.strip()
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:(?!\d+(?:/|$))", text):
        text = f"https://{text.removeprefix('//')}"
    odd = any(unicodedata.category(char) in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp") for char in text)
    if not url.strip() or len(text) > LONGEST or odd or re.search(r"[\\\s]", text) or "://" not in text:
        raise AddressRefused
    return text


def _literal_6(host: str, port: int, allowed: Allowed) -> str:
    try:
        address = IPv6Address(host)
    except AddressValueError as error:
        raise AddressRefused from error
    if "%" in host or not may_connect(str(address), port, allowed):
        raise AddressRefused
    return str(address)


def _host(host: str, port: int, allowed: Allowed) -> str:
    """A name in ASCII, or a dotted quad in its one canonical form. Raises AddressRefused."""
    name = host.removesuffix(".")
    try:
        # UTS 46 maps what looks like a dot, a letter or a digit to it, as browsers do: what follows sees what counts.
        name = idna.encode(name, uts46=True).decode() if not name.isascii() else name.lower()
    except (idna.IDNAError, UnicodeError) as error:
        raise AddressRefused from error
    last = name.rpartition(".")[2]
    if re.fullmatch(r"\d+|0x[0-9a-f]*", last):
        return _quad(name, port, allowed)
    label = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
    # A name without a dot, and these endings, mean something inside a network only (RFC 6761, RFC 6762, RFC 9476).
    inner = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "private", "alt", "arpa", "onion")
    if not re.fullmatch(rf"(?:{label}\.)+{label}", name) or len(name) > 253 or last in inner:
        raise AddressRefused
    return name


def _quad(name: str, port: int, allowed: Allowed) -> str:
    try:
        address = IPv4Address(name)
    except AddressValueError as error:
        raise AddressRefused from error
    if str(address) != name or not may_connect(name, port, allowed):
        raise AddressRefused
    return name


def may_connect(address: str, port: int, allowed: Allowed = NONE) -> bool:
    """Whether a connection to this very address may be made: public and a web port, or one of the exceptions."""
    return (address, port) in allowed or (port in PORTS.values() and is_public(address))


def is_public(address: str) -> bool:
    """Whether a literal IP address belongs to the public internet. What is no address is not."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv4Address):
        return not any(ip in network for network in _PRIVATE_4)
    inside = ip in _GLOBAL_6 and not any(ip in network for network in _PRIVATE_6)
    return inside and ip.scope_id is None and (int(ip) >> 32) & 0xFFFFFFFF not in _ISATAP


def same_site(url: str, front: str) -> bool:
    """Whether `url` is on the site of `front`: the same host but for "www.", or a part of it ("jobs.example.com")."""
    there, here = urlsplit(url), urlsplit(front)
    host, home = there.hostname or "", (here.hostname or "").removeprefix("www.")
    inside = host.removeprefix("www.") == home or (host.endswith(f".{home}") and not home[-1:].isdigit())
    return inside and there.port == here.port
