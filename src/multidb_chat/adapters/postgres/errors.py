"""The border of the stores on PostgreSQL: what the driver, its pool and the network raise becomes the domain's tree."""

import psycopg
from psycopg import errors as sql
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

from multidb_chat.domain.errors import (
    InvalidInput,
    MultidbChatError,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreUnavailable,
)
from multidb_chat.domain.text import clean_line

# Classes and codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
_FULL = {"53100"}
_DAMAGED = {"XX001", "XX002"}
_OTHER_SCHEMA = {"3F000", "42P01", "42703", "42883", "42704"}
_OCCUPIED = {"42P06", "42P07", "42710", "42723"}
_BARRED = {"25006", "28000", "28P01", "3D000", "42501"}
_BUSY = {"55000", "55P03", "57014", "40001", "40P01", "25P03", "57P05"}
_CONNECTION_GONE = {"25P03", "57P01", "57P02", "57P03", "57P05"}
_TOO_LARGE = {"22001", "22003", "22008", "54000"}
_UNTEXTUAL = {"22021", "22P05"}
_AWAY_CLASSES = {"08", "53", "57"}

REPEATABLE = {"40001", "40P01"}
"""The server undid the transaction, since others were in its way; once more, it may go through."""


class Violated(StoreError):
    """A constraint of the schema refused a write; a store says what that means.

    `kind` is `unique`, `reference` or `check`; `constraint` its name in the schema.
    """

    def __init__(self, store: str, kind: str, constraint: str) -> None:
        super().__init__(store, f"The {store} store refused what breaks its rule {constraint or kind}.")
        self.kind = kind
        self.constraint = constraint


def is_lost(error: BaseException, connection: psycopg.AsyncConnection) -> bool:
    """Tell whether the connection is of no use any more: it is gone, or its server can't be written to any more."""
    if not isinstance(error, psycopg.Error):
        return False
    code = error.sqlstate or ""
    return connection.closed or code in _CONNECTION_GONE or code[:2] == "08" or code == "25006"


def translated(error: Exception, store: str, where: str) -> Exception:
    """Return the domain error for what a call raised; a fault of the program itself is returned as it is."""
    if isinstance(error, MultidbChatError):
        return error
    if isinstance(error, psycopg.Error):
        return _from_driver(error, store, where)
    if isinstance(error, UnicodeEncodeError):
        return InvalidInput("The text holds half a character (a lone surrogate) and cannot be stored.")
    if isinstance(error, UnicodeDecodeError):
        return StoreCorrupt(store, f"The {store} store at {where} holds text that is none: restore a backup.")
    if isinstance(error, OverflowError):
        return InvalidInput("A number or a time is too large to be stored.")
    if isinstance(error, OSError):  # TimeoutError among them
        return _away(store, where, error.strerror or str(error) or "no answer in time")
    return error


def _from_driver(error: psycopg.Error, store: str, where: str) -> MultidbChatError:
    code = error.sqlstate or ""
    if isinstance(error, PoolClosed):
        return StoreUnavailable(store, f"The {store} store is closed.")
    if isinstance(error, PoolTimeout | TooManyRequests):
        return StoreUnavailable(store, f"All connections to the {store} store at {where} are in use: try again.")
    if (violated := _violated(error, store)) is not None:
        return violated
    for codes, meaning in _MEANINGS:
        if code in codes or code[:2] in codes:
            return meaning(store, where, error)
    if isinstance(error, sql.DataError) or code in _UNTEXTUAL:
        return InvalidInput(f"This cannot be stored in the {store} store: {_line(error)}")
    if not code and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return _unreached(store, where, error)
    return StoreError(store, f"The {store} store at {where}: {_line(error)}")


def _violated(error: psycopg.Error, store: str) -> Violated | None:
    if not isinstance(error, sql.IntegrityError):
        return None
    kinds = {"23505": "unique", "23503": "reference"}
    return Violated(store, kinds.get(error.sqlstate or "", "check"), error.diag.constraint_name or "")


def _full(store: str, where: str, error: psycopg.Error) -> StoreFull:
    return StoreFull(store, f"No space is left for the {store} store at {where}: free some there, then try again.")


def _damaged(store: str, where: str, error: psycopg.Error) -> StoreCorrupt:
    return StoreCorrupt(store, f"The {store} store at {where} is damaged ({_line(error)}): restore a backup.")


def _other_schema(store: str, where: str, error: psycopg.Error) -> StoreCorrupt:
    return StoreCorrupt(
        store, f"The {store} store at {where} lacks a part of its schema ({_line(error)}): restore a backup."
    )


def _occupied(store: str, where: str, error: psycopg.Error) -> StoreUnavailable:
    return StoreUnavailable(
        store, f"The schema at {where} holds something else ({_line(error)}): name another by ?schema= in the URL."
    )


def _barred(store: str, where: str, error: psycopg.Error) -> StoreUnavailable:
    return StoreUnavailable(
        store, f"The {store} store at {where} refuses ({_line(error)}): check user, password, database and its rights."
    )


def _busy(store: str, where: str, error: psycopg.Error) -> StoreUnavailable:
    return StoreUnavailable(store, f"The {store} store at {where} is busy ({_line(error)}): try again later.")


def _too_large(store: str, where: str, error: psycopg.Error) -> InvalidInput:
    return InvalidInput(f"What was to be stored in the {store} store is too large: {_line(error)}")


def _gone(store: str, where: str, error: psycopg.Error) -> StoreUnavailable:
    return _away(store, where, _line(error))


_MEANINGS = (
    (_FULL, _full),
    (_DAMAGED, _damaged),
    (_OTHER_SCHEMA, _other_schema),
    (_OCCUPIED, _occupied),
    (_BARRED, _barred),
    (_BUSY, _busy),
    (_TOO_LARGE, _too_large),
    (_AWAY_CLASSES, _gone),
)


def _unreached(store: str, where: str, error: psycopg.Error) -> StoreUnavailable:
    """Connecting fails without a code: libpq's words tell whether somebody answered."""
    reason = _line(error)
    if "FATAL" in reason or "SSL" in reason or "certificate" in reason or "password" in reason:
        return _barred(store, where, error)
    return _away(store, where, reason)


def _away(store: str, where: str, reason: str) -> StoreUnavailable:
    return StoreUnavailable(
        store, f"The {store} store at {where} cannot be reached ({clean_line(reason)}): see whether it runs there."
    )


def _line(error: psycopg.Error) -> str:
    """Return what the server or libpq says, on one line; libpq names the host in front, which the message does too.

    libpq's advice, which it indents, is left out: the message has its own.
    """
    said = error.diag.message_primary or str(error) or type(error).__name__
    line = clean_line("\n".join(one for one in said.splitlines() if not one.startswith("\t")))
    return line.rpartition(" failed: ")[2] or line
