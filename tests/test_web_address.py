"""The address rule: a table of tricks, and properties over generated addresses."""

from __future__ import annotations

import ipaddress
from ipaddress import IPv4Address, IPv6Address, IPv6Network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import AddressRefused
from core.web import is_public, target
from core.web.address import PORTS, may_connect

METADATA = (
    "169.254.169.254", "169.254.170.2", "168.63.129.16", "192.0.0.192", "100.100.100.200", "fd00:ec2::254",
    "fe80::a9fe:a9fe",
)  # fmt: skip
INSIDE = (
    "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254", "172.16.0.1",
    "172.31.255.255", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.1",
    "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::127.0.0.1",
    "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1", "100::1",
    "2001::1", "2001:0:7f00:1::", "2001:10::1", "2001:20::1", "2001:2::1", "2001:db8::1", "2002:7f00:1::1",
    "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1",
    "ff02::1", "2606:4700::5efe:10.0.0.1", "2606:4700::200:5efe:7f00:1",
)  # fmt: skip
OUTSIDE = (
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1",
    "168.63.129.15", "168.63.129.17", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",
    "191.255.255.255", "192.0.1.0", "192.0.3.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
    "203.0.114.0", "223.255.255.255","2001:200::1", "2001:4860:4860::8888", "2001:db7::1", "2003::1", 
    "2606:4700:4700::1111", "2a00:1450:4001::200e", "3ffe::1",
)  # fmt: skip


@pytest.mark.parametrize("address", [*METADATA, *INSIDE, "", "localhost", "8.8.8", "2130706433"])
def test_what_is_not_public(address: str) -> None:
    assert not is_public(address)
    assert not may_connect(address, 80)


@pytest.mark.parametrize("address", OUTSIDE)
def test_what_is_public(address: str) -> None:
    assert is_public(address)
    assert may_connect(address, 443)
    assert not may_connect(address, 22)


REFUSED = (
    # odd forms of 127.0.0.1 and 169.254.169.254
    "http://127.1/", "http://127.0.1/", "http://2130706433/", "http://0x7f000001/", "http://0x7f.1/", "http://0177.0.0.1/",
    "http://0x7f.0x0.0x0.0x1/", "http://127.0.0.01/", "http://127.0.0.1./", "http://①②⑦.⓪.⓪.①/", "http://127。0。0。1/",
    "http://１２７.0.0.1/", "http://169.254.169.254/", "http://0xA9FEA9FE/", "http://2852039166/", "http://0/",
    "http://1.2.3.4.5/", "http://8.8.8/", "http://08.8.8.8/", "http://256.1.1.1/", "http://a.b.0x/", "http://a.1/",
    # IPv6
    "http://[::1]/", "http://[::]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[fe80::1%25lo]/",
    "http://[2606:4700::1111%25eth0]/", "http://[v1.x]/", "http://[::1", "http://::1/", "http://[127.0.0.1]/",
    # names
    "http://localhost/", "http://localhost./", "http://LOCALHOST/", "http://a.localhost/", "http://ⓛocalhost/", "http://db/",
    "http://router.local/", "http://metadata.google.internal/", "http://x.lan/", "http://1.0.0.127.in-addr.arpa/",
    "http://-a.example/", "http://a..example/", "http://.example/", "http://ex%61mple.com/", "http://exa mple.com/",
    "http://exa\tmple.com/", "http://example.com\r\nX: y/", "http://exa\u00admple.com\u202e/", "http:// /", "http://*.com/",
    f"http://{'a' * 64}.com/", f"http://{'a.' * 130}com/", "http://x.onion/", "http://a,b.com/",
    # schemes, ports, credentials, two readings
    "file:///etc/passwd", "ftp://example.com/", "gopher://example.com/", "data:text/html,hi", "javascript:alert(1)",
    "mailto:a@example.com", "view-source:http://example.com/", "http:example.com", "http:/example.com", "http:///example.com",
    "http://example.com:22/", "http://example.com:8080/", "http://example.com:0x50/", "http://example.com:-80/",
    "http://example.com:99999/", "http://user@example.com/", "http://user:pass@example.com/", "http://@example.com/",
    "http://example.com\\@evil.example/", "http://a@b@example.com/",
    "", " ", "https://", "://example.com", "x" * 2001 + ".com",
)  # fmt: skip


@pytest.mark.parametrize("url", REFUSED)
def test_an_address_that_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused, match="only public http and https pages can be read"):
        target(url)


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("example.com", "https://example.com/"),
        ("//example.com/a", "https://example.com/a"),
        ("example.com:443/a", "https://example.com/a"),
        ("example.com:80", "https://example.com:80/"),
        (" HTTP://Example.COM:80/A?q=1#part ", "http://example.com/A?q=1"),
        ("https://example.com:443", "https://example.com/"),
        ("http://example.com.", "http://example.com/"),
        ("http://8.8.8.8/x", "http://8.8.8.8/x"),
        ("http://[2606:4700:0::1111]/", "http://[2606:4700::1111]/"),
        ("https://münchen.example/ä?ö=ü", "https://xn--mnchen-3ya.example/%C3%A4?%C3%B6=%C3%BC"),
        ("https://faß.example", "https://xn--fa-hia.example/"),
        ("https://a_b.example.com/?u=http://127.0.0.1/", "https://a_b.example.com/?u=http://127.0.0.1/"),
        ("http://example.com/a%2Fb/../c;d=1", "http://example.com/a%2Fb/../c;d=1"),
    ],
)
def test_an_address_that_is_read(url: str, meant: str) -> None:
    assert target(url).url == meant


def test_an_exception_opens_one_address_and_port_and_no_other() -> None:
    allowed = frozenset({("127.0.0.1", 8123)})
    assert target("http://127.0.0.1:8123/a", allowed).netloc == "127.0.0.1:8123"
    for url in ("http://127.0.0.1/", "http://127.0.0.1:8124/", "http://127.0.0.2:8123/", "http://8.8.8.8:8123/"):
        with pytest.raises(AddressRefused):
            target(url, allowed)
    assert not may_connect("8.8.8.8", 8123, allowed)


# --- properties -------------------------------------------------------------------------------------------------------

V4 = st.integers(0, 2**32 - 1).map(IPv4Address)
V6 = st.one_of(
    st.integers(0, 2**128 - 1),
    st.integers(0, 2**125 - 1).map(lambda n: n | 0x2 << 124),
    st.tuples(st.sampled_from([0x2001, 0x2002, 0x64FF9B, 0xFEC0, 0xFC00]), st.integers(0, 2**96 - 1)).map(
        lambda pair: (pair[0] << (128 - max(16, pair[0].bit_length()))) | pair[1]
    ),
).map(lambda n: IPv6Address(n % 2**128))
FORMS = st.sampled_from(["{:d}", "0x{:x}", "0X{:X}", "0{:o}", "00{:o}"])


@settings(max_examples=2000)
@given(V4)
def test_no_ipv4_address_is_public_that_the_registry_reserves(address: IPv4Address) -> None:
    if is_public(str(address)):
        assert address.is_global
        assert not address.is_multicast
    else:
        # Nothing but what the standard library reserves, and the three that it does not know.
        extra = [ipaddress.ip_network(n) for n in ("192.88.99.0/24", "168.63.129.16/32", "192.0.0.0/24")]
        assert not address.is_global or address.is_multicast or any(address in network for network in extra)


@settings(max_examples=2000)
@given(V6)
def test_no_ipv6_address_is_public_that_may_carry_another(address: IPv6Address) -> None:
    if is_public(str(address)):
        assert address in IPv6Network("2000::/3")
        assert address.is_global
        assert address.sixtofour is None
        assert address.teredo is None
        assert address.ipv4_mapped is None


@settings(max_examples=500)
@given(V4)
def test_ipv6_forms_that_hold_an_ipv4_address_are_never_public(inner: IPv4Address) -> None:
    for prefix in ("::", "::ffff:0:0", "64:ff9b::", "2606:4700::5efe:0:0"):
        assert not is_public(str(IPv6Address(int(IPv6Address(prefix)) | int(inner))))
    assert not is_public(str(IPv6Address((0x2002 << 112) | (int(inner) << 80))))


@settings(max_examples=500)
@given(V4, st.lists(FORMS, min_size=4, max_size=4), st.integers(1, 4))
def test_a_number_is_an_address_only_as_a_canonical_quad(address: IPv4Address, forms: list[str], parts: int) -> None:
    octets = list(address.packed)
    numbers = [*octets[: parts - 1], int.from_bytes(bytes(octets[parts - 1 :]), "big")]
    host = ".".join(form.format(number) for form, number in zip(forms, numbers, strict=False))
    try:
        found = target(f"http://{host}/")
    except AddressRefused:
        assert host != str(address) or not is_public(host)
    else:
        assert found.host == host == str(address)
        assert is_public(host)


@settings(max_examples=1000)
@given(st.text(max_size=60), st.sampled_from(["", "http://", "https://", "http://example.com/", "http://a@"]))
def test_any_text_is_refused_or_becomes_a_plain_address(text: str, start: str) -> None:
    try:
        found = target(start + text)
    except AddressRefused:
        return
    assert found.port in PORTS.values()
    assert found.url.isascii()
    assert not set(found.url) & set(" \\\r\n\t#")
    assert "@" not in found.netloc
    assert target(found.url) == found
