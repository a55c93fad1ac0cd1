"""Which URLs and addresses are fetched: a table of the ways in that others were broken by."""

import ipaddress
import socket

import pytest

from multidb_chat.adapters.fetching.addresses import is_public, resolved, target
from multidb_chat.domain.errors import InvalidInput

_SPECIAL = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:7f00:1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]
_PUBLIC = ["8.8.8.8", "1.1.1.1", "93.184.215.14", "172.32.0.1", "2606:4700:4700::1111", "2a00:1450:4001:80e::200e"]


@pytest.mark.parametrize("address", _SPECIAL)
def test_special_addresses_are_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", _PUBLIC)
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "0x7f.1",
        "0x7f000001",
        "2130706433",
        "127.1",
        "017700000001",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "127.0.0.1.",
        "１２７.0.0.1",
    ],
)
def test_every_notation_of_this_machine_is_refused(host: str) -> None:
    with pytest.raises(InvalidInput, match="private or special address"):
        resolved(target(f"http://{host}/"))


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.org/a",
        "gopher://example.org/",
        "javascript:alert(1)",
        "example.org/page",
        "//example.org/page",
        "http://",
        "http:///path",
        "https://example.org:0/",
        "https://example.org:99999/",
        "https://example.org:port/",
        "https://user@example.org/",
        "https://user:secret@example.org/",
        "https://:@example.org/",
        "https://example.org\\@127.0.0.1/",
        "https://exa mple.org/",
        "https://example.org/a b",
        "https://example.org/a\nHost: x",
        "https://example.org/\x00",
        "http://[::1/",
        "http://example.org:22/",
        "http://example.org:25/",
        "http://" + "a" * 70 + ".org/",
        "",
    ],
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        target(url)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_url_is_taken_apart_and_quoted() -> None:
    goal = target("https://Müller.example/straße/a%20b?q=ü&x=[1]#part")
    assert (goal.scheme, goal.host, goal.port) == ("https", "xn--mller-kva.example", 443)
    assert goal.path == "/stra%C3%9Fe/a%20b?q=%C3%BC&x=[1]"
    assert "#" not in goal.url
    assert target("http://example.org").path == "/"
    assert target("http://example.org:8080/").port == 8080


def test_only_the_public_addresses_of_a_name_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(0, 0, 0, "", (address, 80)) for address in ("10.0.0.1", "8.8.8.8", "::1", "8.8.8.8")]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    assert resolved(target("http://mixed.example/")) == [ipaddress.ip_address("8.8.8.8")]
