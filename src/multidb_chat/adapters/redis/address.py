"""Where a Redis server is, as its URL says.

::

    redis://[user:password@]host[:6379][/database][?prefix=chat:]
    rediss://...                                  with TLS; the server's certificate is verified
    redis+sentinel://[user:password@]host[:26379],host[:26379]...[/database]?service=NAME
    rediss+sentinel://...                         with TLS, to the Sentinels too

Parameters: `prefix` goes before every key. `service` is the master's name at the Sentinels; `sentinel_auth=same` logs
in there as at the server. For TLS: `ssl_ca_certs` is the file of who signed the certificate (without it the system's
own authorities), `ssl_certfile` and `ssl_keyfile` are what this program shows of itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from multidb_chat.domain.errors import InvalidSetting
from multidb_chat.domain.text import clean_line

_SCHEMES = ("redis", "rediss", "redis+sentinel", "rediss+sentinel")
_PORT, _SENTINEL_PORT = 6_379, 26_379
_TLS = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
Host = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server is and how to log in; `service` is empty where `hosts` is the server itself, not Sentinels."""

    hosts: tuple[Host, ...]
    database: int = 0
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    prefix: str = ""
    service: str = ""
    same_login: bool = False
    tls: bool = False
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Where the server is, fit to be shown."""
        hosts = ", ".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.hosts)
        return clean_line(f"master {self.service} of {hosts}" if self.service else hosts)


def parse(url: str) -> Address:
    """Return what a URL says. Raises `InvalidSetting`, without the password."""
    try:
        parts = urlsplit(url)
        given = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
        return _address(parts, given)
    except ValueError as error:
        raise InvalidSetting(f"stores.cache: {clean_line(str(error))}") from error


def _address(parts: SplitResult, given: dict[str, str]) -> Address:
    if parts.scheme not in _SCHEMES:
        raise ValueError(f"a Redis URL begins with {'://, '.join(_SCHEMES)}://")
    sentinels, tls = parts.scheme.endswith("+sentinel"), parts.scheme.startswith("rediss")
    login, _, hosts = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    _refuse_others(given, sentinels, tls)
    if sentinels and not given.get("service"):
        raise ValueError("the URL of Sentinels needs ?service=NAME, the name of the master")
    return Address(
        tuple(_host(host, _SENTINEL_PORT if sentinels else _PORT) for host in hosts.split(",")),
        _database(parts.path.strip("/")),
        unquote(user) or None,
        unquote(password) or None,
        given.get("prefix", ""),
        given.get("service", ""),
        given.get("sentinel_auth") == "same",
        tls,
        {name: given[name] for name in _TLS if name in given},
    )


def _refuse_others(given: Mapping[str, str], sentinels: bool, tls: bool) -> None:
    known = {"prefix", *(("service", "sentinel_auth") if sentinels else ()), *(_TLS if tls else ())}
    if unknown := sorted(given.keys() - known):
        raise ValueError(f"the URL has parameters that mean nothing here: {', '.join(unknown)}")
    if given.get("sentinel_auth", "same") != "same":
        raise ValueError('sentinel_auth can only be "same"')


def _host(text: str, port: int) -> Host:
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise ValueError("the URL names no host")
    return parts.hostname, parts.port or port


def _database(text: str) -> int:
    if text and not (text.isascii() and text.isdigit()):
        raise ValueError("what follows the host in a Redis URL is the number of a database")
    return int(text or 0)
