"""Whatever the driver raises becomes one line that says what is wrong, where, and what to do."""

import pytest
from cassandra import (
    AlreadyExists,
    AuthenticationFailed,
    ConsistencyLevel,
    DependencyException,
    DriverException,
    InvalidRequest,
    OperationTimedOut,
    ReadFailure,
    ReadTimeout,
    Unauthorized,
    Unavailable,
    UnresolvableContactPoints,
    UnsupportedOperation,
    WriteFailure,
    WriteTimeout,
    WriteType,
)
from cassandra.cluster import NoHostAvailable
from cassandra.connection import ConnectionBusy, ConnectionException, ConnectionShutdown
from cassandra.pool import NoConnectionsAvailable
from cassandra.protocol import OverloadedErrorMessage, ServerError, SyntaxException

from multidb_chat.adapters.scylla.errors import translated
from multidb_chat.domain.errors import InvalidInput, NotFound, StoreError, StoreFull, StoreUnavailable

WHERE = "one:9042/chat"
LEVEL = ConsistencyLevel.LOCAL_QUORUM


@pytest.mark.parametrize(
    ("error", "kind", "told"),
    [
        (NoHostAvailable("Unable", {"one": ConnectionRefusedError(111, "refused")}), StoreUnavailable, "reached"),
        (NoHostAvailable("Unable", {}), StoreUnavailable, "reached"),
        (NoHostAvailable("Unable", {"one": AuthenticationFailed("Bad\ncredentials")}), StoreError, "log-in"),
        (NoHostAvailable("Unable", {"one": OperationTimedOut()}), StoreUnavailable, "in time"),
        (UnresolvableContactPoints({}), StoreUnavailable, "reached"),
        (ConnectionShutdown("closed"), StoreUnavailable, "reached"),
        (ConnectionException("broken"), StoreUnavailable, "reached"),
        (ConnectionBusy("busy"), StoreUnavailable, "Too many requests"),
        (NoConnectionsAvailable("none"), StoreUnavailable, "Too many requests"),
        (OSError(113, "No route to host"), StoreUnavailable, "No route to host"),
        (OperationTimedOut(), StoreUnavailable, "may or may not be stored"),
        (ReadTimeout("late", consistency=LEVEL), StoreUnavailable, "in time"),
        (WriteTimeout("late", write_type=WriteType.CAS, consistency=LEVEL), StoreUnavailable, "may or may not"),
        (Unavailable("few", LEVEL, 2, 1), StoreUnavailable, "1 of 2 that are needed"),
        (ReadFailure("broken", consistency=LEVEL), StoreUnavailable, "failed"),
        (WriteFailure("broken", consistency=LEVEL), StoreUnavailable, "failed"),
        (OverloadedErrorMessage(0x1001, "overloaded", None), StoreUnavailable, "overloaded"),
        (AuthenticationFailed("who?"), StoreError, "stores.conversations"),
        (Unauthorized("User ada has no MODIFY"), StoreError, "grant"),
        (ServerError(0, "java.io.IOException: No space left on device", None), StoreFull, "No space"),
        (InvalidRequest("disk usage exceeds failure threshold"), StoreFull, "No space"),
        (InvalidRequest("Key length of 65536 is longer than maximum of 65535"), InvalidInput, "too large"),
        (InvalidRequest("Rejected an oversized mutation (5/4)"), InvalidInput, "too large"),
        (InvalidRequest("unconfigured table\nmessages"), StoreError, "unconfigured table messages"),
        (SyntaxException(0x2000, "line 1", None), StoreError, "line 1"),
        (AlreadyExists("chat", "messages"), StoreError, "exists"),
        (UnsupportedOperation("beta"), StoreError, "beta"),
        (DependencyException("no libev"), StoreError, "no libev"),
        (DriverException("something"), StoreError, "something"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_of_the_driver_is_told_in_one_line(error: Exception, kind: type, told: str):
    found = translated(error, WHERE)
    assert type(found) is kind
    assert told in str(found)
    assert "\n" not in str(found)
    if isinstance(found, StoreError):
        assert found.store == "conversations"
        assert WHERE in str(found) or isinstance(error, ConnectionBusy)


def test_half_characters_are_refused():
    with pytest.raises(UnicodeEncodeError) as caught:
        "\ud800".encode()
    assert isinstance(translated(caught.value, WHERE), InvalidInput)


@pytest.mark.parametrize("error", [NotFound("gone"), KeyError("x"), RuntimeError("bug")], ids=repr)
def test_what_is_no_error_of_the_driver_stays_as_it_is(error: Exception):
    assert translated(error, WHERE) is error
