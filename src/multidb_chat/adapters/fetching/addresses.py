"""Which URLs and addresses may be fetched: public ones alone, whatever their name or notation (against SSRF)."""

import ipaddress
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urlsplit

from multidb_chat.domain.errors import InvalidInput
from multidb_chat.domain.text import clean_line

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_PORTS = {"http": 80, "https": 443}
_FIRST_FREE_PORT = 1024
_UNFIT = re.compile(r"[\x00-\x20\x7f-\x9f\\]")
# Ranges that lead to other addresses (IPv4 inside IPv6: mapped, compatible, NAT64, Teredo, 6to4) or nowhere public.
# `is_global` takes several of them for public (RFC 6890, RFC 6052, RFC 8215).
_NEVER = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/96",
        "::ffff:0:0/96",
        "::ffff:0:0:0/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that may be asked for: `host` in ASCII, `path` quoted with its query."""

    url: str
    scheme: str
    host: str
    port: int
    path: str


def target(url: str) -> Target:
    """Return the parts of a URL. Raises `InvalidInput` for all but http and https without credentials.

    The ports are 80, 443 and those from 1024 on: the lower ones belong to other services, which must not be spoken to.
    """
    shown = clean_line(url)[:200]
    parts = _split(url, shown)
    if parts.username is not None or parts.password is not None:
        raise InvalidInput("A URL with a user name or password in it is not fetched: take them out.")
    port = parts.port or _PORTS[parts.scheme]
    if port not in _PORTS.values() and port < _FIRST_FREE_PORT:
        raise InvalidInput(f"{shown}: port {port} belongs to another service than the web.")
    try:
        host = (parts.hostname or "").rstrip(".").encode("idna").decode("ascii")
    except UnicodeError:
        raise InvalidInput(f"{shown}: the name of the host is not valid.") from None
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    query = "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~?[]") if parts.query else ""
    return Target(parts._replace(fragment="").geturl(), parts.scheme, host, port, path + query)


def _split(url: str, shown: str) -> SplitResult:
    try:
        parts = urlsplit(url.strip())
        fit = parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        fit = False
    if not fit or _UNFIT.search(url.strip()):
        raise InvalidInput(f"{shown}: not a URL that can be fetched; give one like https://example.org/page.")
    if parts.scheme not in _PORTS:
        raise InvalidInput(f"{shown}: only http and https are fetched.")
    return parts


def is_public(address: Address) -> bool:
    """Tell whether an address is reachable for everyone and stands for itself alone."""
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id:
        return False
    if any(address in network for network in _NEVER if network.version == address.version):
        return False
    return address.is_global and not address.is_multicast


def resolved(goal: Target, allow: Sequence[Network] = ()) -> list[Address]:
    """Return the addresses of a target's host that may be reached, in the order the resolver prefers.

    This asks once; the connection must go to one of these, since a second answer could differ.
    Raises `InvalidInput` when the host has none, `OSError` when it is unknown.
    """
    found = socket.getaddrinfo(goal.host, goal.port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(ipaddress.ip_address(str(item[4][0])) for item in found))
    fit = [
        a for a in addresses if is_public(a) or any(a in network for network in allow if network.version == a.version)
    ]
    if not fit:
        raise InvalidInput(f"{clean_line(goal.host)}: a private or special address, which is not fetched.")
    return fit
