"""The border to MongoDB: what the driver raises becomes the domain's error tree."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bson.errors import BSONError
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DocumentTooLarge,
    InvalidName,
    OperationFailure,
    PyMongoError,
)

from multidb_chat.domain.errors import (
    InvalidInput,
    InvalidSetting,
    MultidbChatError,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreUnavailable,
)
from multidb_chat.domain.text import clean_line

STORE = "library"
DUPLICATE_KEY = 11000

# https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
_REFUSED = {11: "UserNotFound", 18: "AuthenticationFailed", 334: "MechanismUnavailable"}
_NOT_ALLOWED = {13: "Unauthorized", 31: "RoleNotFound"}
_FULL = {14031: "OutOfDiskSpace", 12501: "QuotaExceeded"}
_TOO_LARGE = {10334: "BSONObjectTooLarge", 17419: "update result too large", 17420: "insert too large"}
_AWAY = {
    6: "HostUnreachable",
    7: "HostNotFound",
    46: "LockBusy",
    50: "MaxTimeMSExpired",
    64: "WriteConcernFailed",
    89: "NetworkTimeout",
    91: "ShutdownInProgress",
    100: "UnsatisfiableWriteConcern",
    112: "WriteConflict",
    134: "ReadConcernMajorityNotAvailableYet",
    189: "PrimarySteppedDown",
    202: "NetworkInterfaceExceededTimeLimit",
    262: "ExceededTimeLimit",
    9001: "SocketException",
    10058: "LegacyNotPrimary",
    10107: "NotWritablePrimary",
    11600: "InterruptedAtShutdown",
    11601: "Interrupted",
    11602: "InterruptedDueToReplStateChange",
    13435: "NotPrimaryNoSecondaryOk",
    13436: "NotPrimaryOrSecondary",
}
# What Atlas answers with for several reasons.
_ATLAS = 8000
# The driver keeps the words of OpenSSL's error alone.
_DISTRUST = re.compile(r"CERTIFICATE_VERIFY_FAILED\] certificate verify failed: (.*?)\.? \(_ssl")


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Raise domain errors for the driver's; `place` is where the server is, without a password."""
    try:
        yield
    except MultidbChatError:
        raise
    except (PyMongoError, BSONError, OSError, OverflowError, UnicodeEncodeError) as error:
        raise meaning(error, place) from error


def meaning(error: Exception, place: str) -> MultidbChatError:
    """Return the domain error for one of the driver's."""
    where = f"MongoDB at {place}"
    if isinstance(error, DocumentTooLarge | OverflowError):
        return InvalidInput("What was to be stored in the library is too large for one record (16 MB).")
    if isinstance(error, UnicodeEncodeError):
        return InvalidInput("The text holds half a character (a lone surrogate) and cannot be stored.")
    if isinstance(error, BSONError):
        return StoreCorrupt(STORE, f"{where} holds data that cannot be read: restore a backup.")
    if isinstance(error, BulkWriteError):
        return _from_codes(_codes(error.details), _message(error.details), where)
    if isinstance(error, ConnectionFailure | OSError) or (isinstance(error, PyMongoError) and error.timeout):
        return _away(where, error)
    if isinstance(error, OperationFailure):
        return _from_codes([error.code or 0], str((error.details or {}).get("errmsg") or error), where)
    if isinstance(error, InvalidName):
        return InvalidSetting(f"stores.library: the URL names a database that cannot be: {clean_line(str(error))}")
    return StoreError(STORE, f"{where} could not do the work: {_short(error)}")


def _codes(details: Any) -> list[int]:
    concerns = (details or {}).get("writeConcernErrors") or []
    return [int(one.get("code") or 0) for one in [*((details or {}).get("writeErrors") or []), *concerns]]


def _message(details: Any) -> str:
    concerns = (details or {}).get("writeConcernErrors") or []
    return "; ".join(str(one.get("errmsg")) for one in [*((details or {}).get("writeErrors") or []), *concerns][:1])


def _from_codes(codes: list[int], message: str, where: str) -> MultidbChatError:
    """Return the error for what the server said, the worst of it first."""
    reason, found = clean_line(message), set(codes)
    if found & _FULL.keys() or "space quota" in message or "No space left" in message:
        return StoreFull(STORE, f"{where} has no space left, nothing was stored: free some there, then try again.")
    if found & _REFUSED.keys() or (_ATLAS in found and "auth" in message):
        return StoreUnavailable(
            STORE, f"{where} refuses the log-in: check the user and the password in stores.library, and authSource."
        )
    if found & _NOT_ALLOWED.keys() and ("requires authentication" in message or "no users authenticated" in message):
        return StoreUnavailable(
            STORE,
            f"{where} wants a log-in: give the user in stores.library, its password there or by library_password.",
        )
    if found & _NOT_ALLOWED.keys():
        return StoreUnavailable(
            STORE, f"{where} does not allow it ({reason}): give the user the role readWrite on the database."
        )
    if found & _TOO_LARGE.keys():
        return InvalidInput("What was to be stored in the library is too large for one record (16 MB).")
    if found & _AWAY.keys():
        return StoreUnavailable(STORE, f"{where} cannot do it now ({reason}); try again later.")
    return StoreError(STORE, f"{where} could not do the work: {reason}")


def _away(where: str, error: Exception) -> StoreUnavailable:
    if found := _DISTRUST.search(str(error)):
        return StoreUnavailable(
            STORE,
            f"{where} shows a certificate that is not trusted ({clean_line(found[1])}):"
            " look at tlsCAFile in stores.library.",
        )
    return StoreUnavailable(STORE, f"{where} does not answer ({_short(error)}): check that it runs, then try again.")


def _short(error: Exception) -> str:
    """Return what is wrong without the driver's description of the whole topology."""
    return clean_line(str(error).partition(" (configured timeouts")[0].partition(", Timeout:")[0])[:200]
