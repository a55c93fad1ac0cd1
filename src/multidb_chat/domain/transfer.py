"""Carrying a store's rows to another one, of whichever kind: what a row is there, and the port for it.

A row here is the same in every store: plain values in the order of its table's columns, everything that is needed to
store it exactly as it was, also what the ordinary ports do not show (operations that were counted, erased accounts).
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple, Protocol

from multidb_chat.domain.errors import Conflict

Value = Any
"""None, a bool, int, float, str, bytes, a tuple of values, or a dict of texts by text. Times are microseconds."""
Row = tuple[Value, ...]
Key = tuple[str | int, ...]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Table:
    """Rows of one kind: the names of their columns, those that tell a row from all others (`key`) first.

    `record` is the dataclass whose fields the columns are, where they are. `page` is how many rows are good to handle
    at once. `exclusive` are columns of which no two rows have the same (an address, a name); a row of which they change
    is removed before its successor is put. `appended`: rows are only ever added, and none is changed or removed.
    """

    name: str
    key: tuple[str, ...]
    rest: tuple[str, ...] = ()
    record: type | None = None
    page: int = 500
    exclusive: tuple[str, ...] = ()
    appended: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns, in the order of a row's values."""
        return self.key + self.rest

    def key_of(self, row: Row) -> Key:
        """Return what tells the row from all others."""
        return row[: len(self.key)]

    def exclusive_of(self, row: Row) -> Row:
        """Return the values of the exclusive columns of a row."""
        return tuple(row[self.columns.index(name)] for name in self.exclusive)

    def row(self, record: Any, **more: Value) -> Row:
        """Return the row of a record; `more` are columns that are none of its fields."""
        values = (more[name] if name in more else getattr(record, name) for name in self.columns)
        return tuple(self._plain(value) for value in values)

    def fields(self, row: Row) -> dict[str, Any]:
        """Return the values of a row by column, each as it is in a record."""
        moments = _moments(self.record)
        values = dict(zip(self.columns, row, strict=True))
        for name in moments & values.keys():
            values[name] = moment(values[name]) if values[name] is not None else None
        if self.appended:
            values = {name: dict(value) if isinstance(value, tuple) else value for name, value in values.items()}
        return values

    def made(self, row: Row, *without: str) -> Any:
        """Return the record of a row; columns `without` are none of its fields."""
        assert self.record is not None
        return self.record(**{name: value for name, value in self.fields(row).items() if name not in without})

    def _plain(self, value: Any) -> Value:
        if isinstance(value, datetime):
            return micros(value)
        if isinstance(value, Mapping):  # what a chain was made of has an order
            return tuple(value.items()) if self.appended else dict(value)
        return value


def micros(at: datetime) -> int:
    """Return a time as whole microseconds since 1970 (UTC)."""
    return (at - _EPOCH) // _MICROSECOND


def moment(stored: int) -> datetime:
    """Return the time (UTC) of so many microseconds since 1970."""
    return _EPOCH + stored * _MICROSECOND


def _moments(record: type | None) -> frozenset[str]:
    if record is None:
        return frozenset()
    return frozenset(field.name for field in fields(record) if field.type in (datetime, datetime | None))


def fingerprint(row: Row) -> bytes:
    """Return 16 bytes that are the same for equal rows of whichever store, and for no others (BLAKE2b)."""
    digest = hashlib.blake2b(digest_size=16)
    for value in row:
        if isinstance(value, str):
            value = value.encode("utf-8", "surrogatepass")
            digest.update(b"s%d:" % len(value))
        elif isinstance(value, bytes):
            digest.update(b"b%d:" % len(value))
        elif isinstance(value, dict):
            value = repr(sorted(value.items())).encode()
            digest.update(b"d%d:" % len(value))
        else:
            value = repr(value).encode()
            digest.update(b"r%d:" % len(value))
        digest.update(value)
    return digest.digest()


class Digest(NamedTuple):
    """What a whole table is: how many rows, and the sum of their fingerprints (modulo 2^128), in any order."""

    rows: int = 0
    sum: int = 0

    def plus(self, rows: Iterable[Row]) -> "Digest":
        """Return the digest with these rows besides."""
        return self.with_fingerprints(fingerprint(row) for row in rows)

    def with_fingerprints(self, fingerprints: Iterable[bytes]) -> "Digest":
        """Return the digest with the rows of these fingerprints besides."""
        count, total = self
        for one in fingerprints:
            count, total = count + 1, total + int.from_bytes(one)
        return Digest(count, total % (1 << 128))

    def __str__(self) -> str:
        return f"{self.sum:032x}"


class Page(NamedTuple):
    """Some rows, and where to go on; None behind the last ones."""

    rows: list[Row]
    after: Key | None


class Origin(NamedTuple):
    """Where a store comes from: `identity` tells it, and what it was carried to, from every other.

    `moves` is how often the installation moved until it was in use here: of two places the one with more is newer.
    """

    identity: str
    moves: int = 0


class Transfer(Protocol):
    """Reads and writes all that a durable store holds, row by row. Raises `StoreError`.

    Others may use the store meanwhile, whichever programs; a page of rows is one state of it. What is put or removed is
    durable when the call returns.
    """

    @property
    def store(self) -> str:
        """The name of its port: accounts, conversations or library."""

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables, in the order to write them: those that refer to others behind them."""

    async def origin(self) -> Origin | None:
        """Return where the store comes from; None where nothing was ever stored."""

    async def adopt(self, origin: Origin) -> None:
        """Become what a store is carried to, or one that was moved to. Makes what a new store needs."""

    async def rows(self, table: Table, after: Key | None = None, limit: int = 500) -> Page:
        """Return up to `limit` rows, at least one if there is one, in an order of the store's own.

        None begins with the first; a page tells where the next one goes on. Rows that are neither added nor removed
        while one goes on are met once.
        """

    async def find(self, table: Table, keys: Sequence[Key]) -> list[Row]:
        """Return those rows of these keys that there are, in any order."""

    async def put(self, table: Table, rows: Sequence[Row]) -> None:
        """Add rows, or replace those of the same keys; doing it again changes nothing.

        A row that cannot be there yet (what it refers to is missing, something of it is there once and taken) is left
        out: whoever carries rows reads them back. Raises `Conflict` for a row of an `appended` table that is there and
        another one.
        """

    async def remove(self, table: Table, keys: Sequence[Key]) -> None:
        """Remove rows; what refers to them may go with them. Raises `Conflict` for an `appended` table."""

    async def close(self) -> None:
        """Let go of the store."""


def diverged(table: Table) -> Conflict:
    """Return the error for a target that has other entries than what it is to be carried from."""
    return Conflict(
        f"The {table.name} of the target has other entries than the source, and nothing is ever taken out of it:"
        " the two were used apart from each other. Begin with an empty target."
    )


async def digest(transfer: Transfer, table: Table) -> Digest:
    """Read a whole table and return what it is."""
    page = await transfer.rows(table, None, table.page)
    found = Digest().plus(page.rows)
    while page.after is not None:
        page = await transfer.rows(table, page.after, table.page)
        found = found.plus(page.rows)
    return found


async def is_empty(transfer: Transfer) -> bool:
    """Tell whether the store holds no row at all."""
    for table in transfer.tables:
        if (await transfer.rows(table, None, 1)).rows:
            return False
    return True


Side = Literal["source", "target"]
Difference = Literal["missing", "changed", "vanished"]
"""A row that the target lacks, has otherwise, or has and the source has not."""
Mark = tuple[Key, bytes]
"""A row's key and its fingerprint."""


class Counts(NamedTuple):
    """How many rows each side has, and how many of them are not the same."""

    source: int
    target: int
    missing: int
    changed: int
    vanished: int

    @property
    def differing(self) -> int:
        """How many rows would have to be put or removed."""
        return self.missing + self.changed + self.vanished


class Comparison(Protocol):
    """Compares the same table in two stores, however many rows there are, outside the program's memory."""

    async def begin(self) -> None:
        """Forget everything."""

    async def note(self, side: Side, marks: Sequence[Mark]) -> None:
        """Remember that one side has these rows, in the place of what was remembered of their keys."""

    async def forget(self, side: Side, keys: Sequence[Key]) -> None:
        """Remember that one side has no rows of these keys."""

    async def counts(self) -> Counts:
        """Return how many rows there are and differ."""

    async def keys(self, difference: Difference, after: Key | None, limit: int) -> list[Key]:
        """Return keys of rows that differ in this way, from behind one, in an order of its own."""

    async def digest(self, side: Side) -> Digest:
        """Return what the whole table of one side is."""

    async def close(self) -> None:
        """Let go of everything."""
