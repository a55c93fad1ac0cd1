"""The border of the cluster: what the driver raises becomes the domain's error tree.

What the driver calls a time-out of a write means that nothing tells whether it was stored. All writes of this store
but the counters are idempotent, so the caller may simply do the same again.
"""

import re
from collections.abc import Iterator, Mapping

from cassandra import (
    AuthenticationFailed,
    CoordinationFailure,
    DependencyException,
    DriverException,
    InvalidRequest,
    OperationTimedOut,
    Timeout,
    Unauthorized,
    Unavailable,
    UnresolvableContactPoints,
)
from cassandra.cluster import NoHostAvailable
from cassandra.connection import ConnectionBusy, ConnectionException
from cassandra.pool import NoConnectionsAvailable
from cassandra.protocol import ErrorMessage, OverloadedErrorMessage, SyntaxException

from multidb_chat.domain.errors import InvalidInput, MultidbChatError, StoreError, StoreFull, StoreUnavailable
from multidb_chat.domain.text import clean_line

STORE = "conversations"

# Cassandra's guardrail on disk usage, ScyllaDB's refusal beyond critical disk utilisation, and the system's own words.
_FULL = ("disk usage exceeds", "disk utilization", "no space left")
# Too much for one record or one key: a mutation beyond half a segment of the commit log, a frame, a key of 64 KB.
_TOO_LARGE = ("oversized mutation", "too large", "longer than maximum", "exceeds maximum")
# The driver keeps the words of OpenSSL's error alone.
_DISTRUST = re.compile(r"CERTIFICATE_VERIFY_FAILED\] certificate verify failed: (.*?)\.? \(_ssl")
_CAUSES = (DriverException, DependencyException, NoHostAvailable, ConnectionException, ErrorMessage)


def translated(error: BaseException, where: str) -> BaseException:
    """Return the domain error for what the driver raised; a fault of the program itself is returned as it is."""
    if isinstance(error, MultidbChatError):
        return error
    if isinstance(error, UnicodeEncodeError):
        return InvalidInput("The text holds half a character (a lone surrogate) and cannot be stored.")
    if isinstance(error, OSError):
        return StoreUnavailable(STORE, f"The cluster at {where} cannot be reached ({clean_line(str(error))}).")
    if not isinstance(error, (*_CAUSES, ConnectionBusy, NoConnectionsAvailable)):
        return error
    for cause in _causes(error):
        if found := _told(cause, where):
            return found
    return StoreError(STORE, f"The cluster at {where}: {clean_line(_said(error))}")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield what the hosts said, if the driver tried several, before what the driver says about it."""
    if isinstance(error, NoHostAvailable) and isinstance(error.errors, Mapping):
        yield from (cause for cause in error.errors.values() if isinstance(cause, AuthenticationFailed | Unauthorized))
        yield from (cause for cause in error.errors.values() if isinstance(cause, (*_CAUSES, OSError)))
    yield error


def _told(error: BaseException, where: str) -> MultidbChatError | None:
    said = _said(error).lower()
    if any(words in said for words in _FULL):
        return StoreFull(STORE, f"No space is left on the cluster at {where}: free some, or add nodes, then try again.")
    if found := _DISTRUST.search(_said(error)):
        return StoreUnavailable(
            STORE,
            f"The cluster at {where} shows a certificate that is not trusted ({clean_line(found[1])}):"
            " look at tls_ca_file in stores.conversations.",
        )
    if isinstance(error, AuthenticationFailed):
        return StoreError(
            STORE,
            f"The cluster at {where} refuses the log-in: check the user of stores.conversations and its password.",
        )
    if isinstance(error, Unauthorized):
        return StoreError(
            STORE,
            f"The cluster at {where} does not allow it ({clean_line(_said(error))}):"
            " grant the role SELECT and MODIFY on the keyspace, and CREATE and ALTER while it is made or upgraded.",
        )
    if isinstance(error, InvalidRequest) and any(words in said for words in _TOO_LARGE):
        return InvalidInput("What was to be stored in the conversations store is too large for one record.")
    return _away(error, where)


def _away(error: BaseException, where: str) -> StoreUnavailable | None:
    if isinstance(error, Unavailable):
        return StoreUnavailable(
            STORE,
            f"The cluster at {where} has too few live replicas ({error.alive_replicas} of"
            f" {error.required_replicas} that are needed): start the nodes that are down.",
        )
    if isinstance(error, Timeout | OperationTimedOut):
        return StoreUnavailable(
            STORE, f"The cluster at {where} did not answer in time; what was being written may or may not be stored."
        )
    if isinstance(error, CoordinationFailure):
        return StoreUnavailable(STORE, f"Replicas of the cluster at {where} failed: see their logs. Try again later.")
    if isinstance(error, OverloadedErrorMessage):
        return StoreUnavailable(STORE, f"The cluster at {where} is overloaded; try again later.")
    if isinstance(error, NoHostAvailable | UnresolvableContactPoints | ConnectionException):
        return StoreUnavailable(
            STORE, f"No node of the cluster at {where} can be reached: check that it runs, the address and the network."
        )
    if isinstance(error, ConnectionBusy | NoConnectionsAvailable):
        return StoreUnavailable(STORE, f"Too many requests wait for the cluster at {where}; try again later.")
    return None


def is_refused(error: BaseException) -> bool:
    """Tell whether the server understood a statement and does not want it."""
    return isinstance(error, InvalidRequest | SyntaxException)


def _said(error: BaseException) -> str:
    message = getattr(error, "message", None)
    return str(message if isinstance(message, str) and message else error) or type(error).__name__
