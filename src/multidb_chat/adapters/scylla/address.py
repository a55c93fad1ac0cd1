"""Where a cluster is: the URL of the setting `stores.conversations`.

::

    scylla://USER:PASSWORD@HOST:PORT,HOST:PORT/KEYSPACE?datacenter=NAME&replication_factor=3&tls=true&tls_ca_file=FILE

The port is 9042 where none is given, the keyspace `multidb_chat`. `datacenter` is the one whose nodes are asked, and
is needed: a driver that guesses it may send every request around the world. `replication_factor` counts only where the
program makes the keyspace; where it is not given, that is three, or as many as the data centre has nodes. `tls` asks
for an encrypted connection, whose certificates are verified by those of the system or of `tls_ca_file`;
`tls_cert_file` and `tls_key_file` are the program's own, where the cluster asks for one.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from multidb_chat.domain.errors import InvalidSetting

DEFAULT_KEYSPACE = "multidb_chat"
DEFAULT_PORT = 9042

# Lower case, since names that are not quoted are folded; at most 48 (the limit of both servers).
_KEYSPACE = re.compile(r"[a-z][a-z0-9_]{0,47}")
_OPTIONS = {"datacenter", "replication_factor", "tls", "tls_ca_file", "tls_cert_file", "tls_key_file"}
_TRUTH = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Address:
    """A cluster and the keyspace on it; `where` names both without the password."""

    hosts: tuple[tuple[str, int], ...]
    keyspace: str
    datacenter: str
    user: str | None = None
    password: str = field(default="", repr=False)
    replication_factor: int | None = None
    tls: bool = False
    tls_ca_file: str | None = None
    tls_cert_file: str | None = None
    tls_key_file: str | None = None

    @property
    def where(self) -> str:
        """The hosts, with their ports, and the keyspace."""
        hosts = ",".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.hosts)
        return f"{hosts}/{self.keyspace}"


def address_of(url: str) -> Address:
    """Return what the URL says. Raises `InvalidSetting`, without a word of the password."""
    try:
        parts = urlsplit(url)
        login, has_login, hosts = parts.netloc.rpartition("@")
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
        places = tuple(_host(text) for text in hosts.split(","))
    except ValueError:
        example = "scylla://USER:PASSWORD@HOST:PORT/KEYSPACE?datacenter=NAME"
        raise _wrong(f"the URL cannot be read: write {example}, with special characters as %XX") from None
    user, _, password = login.partition(":")
    _check(options)
    keyspace = unquote(parts.path.strip("/")) or DEFAULT_KEYSPACE
    if not _KEYSPACE.fullmatch(keyspace):
        raise _wrong("the keyspace: a lower-case letter, then lower-case letters, digits and _, at most 48 of them")
    factor = options.get("replication_factor")
    return Address(
        places,
        keyspace,
        options["datacenter"],
        unquote(user) if has_login else None,
        unquote(password),
        int(factor) if factor else None,
        _TRUTH[options.get("tls", "false")],
        options.get("tls_ca_file"),
        options.get("tls_cert_file"),
        options.get("tls_key_file"),
    )


def _host(text: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise ValueError
    return parts.hostname, parts.port or DEFAULT_PORT


def _check(options: dict[str, str]) -> None:
    unknown = sorted(options.keys() - _OPTIONS)
    if unknown:
        raise _wrong(f"unknown option {unknown[0]!r}; there are {', '.join(sorted(_OPTIONS))}")
    if not options.get("datacenter"):
        raise _wrong("the data centre to talk to is not given: add ?datacenter=NAME (nodetool status shows it)")
    if not re.fullmatch(r"[1-9]\d?", options.get("replication_factor", "1")):
        raise _wrong("replication_factor: expected a whole number between 1 and 99")
    if options.get("tls", "false") not in _TRUTH:
        raise _wrong("tls: expected true or false")
    if options.get("tls", "false") == "false" and any(name.startswith("tls_") for name in options):
        raise _wrong("files for TLS are given, and tls=true is not")


def _wrong(what: str) -> InvalidSetting:
    return InvalidSetting(f"stores.conversations: {what}")
