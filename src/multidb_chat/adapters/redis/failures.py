"""The border of the Redis adapter: what the driver and the server raise becomes the domain's error tree."""

import re
import socket
import ssl
from collections.abc import Iterator

from redis.asyncio.sentinel import MasterNotFoundError
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    InvalidResponse,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
    ResponseError,
)

from multidb_chat.domain.errors import StoreCorrupt, StoreError, StoreFull, StoreUnavailable
from multidb_chat.domain.text import clean_line

STORE = "cache"
RAISED = (RedisError, RedisClusterException, OSError)  # what the driver may raise; `TimeoutError` is an `OSError`
_CLUSTER = "is a Redis Cluster, which is not supported: use one server, or Sentinel."
# What a server answers instead of a result, by the word that its line begins with (in a script: that stands in it).
_ANSWERS: dict[str, tuple[type[StoreError], str]] = {
    "OOM": (StoreFull, "has no memory left: raise its maxmemory, or set maxmemory-policy volatile-lru."),
    "MISCONF": (StoreFull, "takes no writes, since it cannot save to its disk: free some space there."),
    "READONLY": (StoreUnavailable, "is a replica and takes no writes: name its master."),
    "NOREPLICAS": (StoreUnavailable, "takes no writes, since too few of its replicas are there."),
    "MASTERDOWN": (StoreUnavailable, "is a replica that has lost its master: name the master."),
    "LOADING": (StoreUnavailable, "is loading its data; try again in a moment."),
    "BUSY": (StoreUnavailable, "is busy with a script; try again in a moment."),
    "NOAUTH": (StoreUnavailable, "wants a password: give one in stores.cache or stores.cache_password."),
    "WRONGPASS": (StoreUnavailable, "refuses the user or the password of stores.cache."),
    "NOPERM": (StoreUnavailable, "does not let this user do that: docs/servers.md has the rule it needs."),
    "MOVED": (StoreUnavailable, _CLUSTER),
    "ASK": (StoreUnavailable, _CLUSTER),
    "TRYAGAIN": (StoreUnavailable, _CLUSTER),
    "CROSSSLOT": (StoreUnavailable, _CLUSTER),
    "CLUSTERDOWN": (StoreUnavailable, _CLUSTER),
    "WRONGTYPE": (StoreCorrupt, "holds something else by these names: give the cache a ?prefix= of its own."),
}
_WORD = re.compile(rf"(?<![A-Z])({'|'.join(_ANSWERS)})(?![A-Z])")
# The driver drops the word where it has a class for it.
_CLASSES: tuple[tuple[type[Exception], str], ...] = (
    (OutOfMemoryError, "OOM"),
    (ReadOnlyError, "READONLY"),
    (NoPermissionError, "NOPERM"),
    (BusyLoadingError, "LOADING"),
)
# What is said without its word when it happens in a script (Redis 7.0).
_OF_SCRIPTS = {"user executing the script": "NOPERM", "cluster node": "CROSSSLOT"}
# What lies behind an error of the driver, and what it says of itself where it has no class for it.
_BEHIND: dict[type[BaseException] | tuple[type[BaseException], ...], str] = {
    MasterNotFoundError: "is not known to any Sentinel that answers: look at ?service= and the Sentinels.",
    ssl.SSLCertVerificationError: "shows a certificate that is not trusted ({}): look at ?ssl_ca_certs=.",
    ssl.SSLError: "cannot be reached by TLS ({}).",
    socket.gaierror: "cannot be found: its name leads to no address.",
    ConnectionRefusedError: "refuses connections: is it running there?",
    (ConnectionResetError, BrokenPipeError): "broke the connection; try again.",
    FileNotFoundError: "cannot be reached: a file of ?ssl_... is missing.",
    InvalidResponse: "does not answer as Redis does: is it one?",
}
_SAID = {
    "No connection available": "is asked more than it answers; try again later.",
    "closed by server": "broke the connection; try again.",
}


def translated(error: BaseException, place: str) -> StoreError:
    """Return the domain error for what a call raised."""
    if (word := _word(error)) is not None:
        kind, text = _ANSWERS[word]
        return kind(STORE, f"The Redis server {place} {text}")
    kind, text = _unreachable(error)
    return kind(STORE, f"The Redis server {place} {text}")


def _word(error: BaseException) -> str | None:
    if isinstance(error, AuthenticationError):
        return "NOAUTH" if "required" in str(error) else "WRONGPASS"
    for kind, word in _CLASSES:
        if isinstance(error, kind):
            return word
    code = getattr(error, "status_code", None)
    if code in _ANSWERS:
        return str(code)
    if not isinstance(error, ResponseError):
        return None
    found = _WORD.search(str(error))
    return found[1] if found else next((word for text, word in _OF_SCRIPTS.items() if text in str(error)), None)


def _unreachable(error: BaseException) -> tuple[type[StoreError], str]:
    for cause in _causes(error):
        for kind, text in _BEHIND.items():
            if isinstance(cause, kind):
                return StoreUnavailable, text.format(clean_line(str(cause)))
        for words, text in _SAID.items():
            if words in str(cause):
                return StoreUnavailable, text
    if isinstance(error, ResponseError):
        return StoreError, f"refuses a command ({clean_line(str(error))}): it has to be 6.2 or newer."
    # Last, since the driver says so in its own words, and most others carry a time-out somewhere behind them.
    if "imeout" in type(error).__name__ or "imeout" in str(error):
        return StoreUnavailable, "does not answer in time; try again later."
    return StoreUnavailable, f"cannot be reached ({clean_line(str(error)) or type(error).__name__})."


def _causes(error: BaseException) -> Iterator[BaseException]:
    at: BaseException | None = error
    while at is not None:
        yield at
        at = at.__cause__ or at.__context__
