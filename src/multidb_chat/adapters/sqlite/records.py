"""A table with a column for each field of a record, in the fields' order: records in, records out.

How values lie in the columns: times as whole microseconds since 1970 (UTC), so that they compare as numbers and come
back exactly; mappings as JSON; everything else as it is. Text must be Unicode: lone surrogates are refused.
"""

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

# ruff: noqa: S608 - statements are put together from constants only

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(at: datetime) -> int:
    """Return a time as it lies in a column."""
    return (at - _EPOCH) // _MICROSECOND


def moment(stored: int) -> datetime:
    """Return the time (UTC) that lies in a column."""
    return _EPOCH + stored * _MICROSECOND


def below(identifier: str) -> str | bytes:
    """Return what to bind for "everything below `identifier`"; for an empty one bytes, which sort behind all text."""
    return identifier or b""


def rows_at_most(limit: int) -> int:
    """Return what to bind to LIMIT, where a negative number would mean all."""
    return max(limit, 0)


def breaks_reference(error: sqlite3.IntegrityError) -> bool:
    """Tell whether the row that a new one refers to is missing."""
    return error.sqlite_errorcode == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY


def _dumped(value: Mapping[str, str]) -> str:
    return json.dumps(dict(value), ensure_ascii=False)


_Codec = tuple[Callable[[Any], Any], Callable[[Any], Any]]
_CODECS: dict[Any, _Codec] = {datetime: (micros, moment), Mapping[str, str]: (_dumped, json.loads), bool: (int, bool)}
_CODECS[datetime | None] = _CODECS[datetime]


class Table(Generic[T]):
    """The table `name`, which holds records of the dataclass `record`; its columns may be more than the fields."""

    def __init__(self, name: str, record: type[T]) -> None:
        declared = fields(record)  # type: ignore[arg-type]
        self.name = name
        self.columns = ", ".join(field.name for field in declared)
        self._record: Callable[..., T] = record
        self._codecs = [(position, *_CODECS[f.type]) for position, f in enumerate(declared) if f.type in _CODECS]
        self._names = [field.name for field in declared]
        self._select = f"SELECT {self.columns} FROM {name} "

    def row(self, record: T) -> list[Any]:
        """Return the values of `columns`."""
        values = [getattr(record, name) for name in self._names]
        for position, encoded, _ in self._codecs:
            if values[position] is not None:
                values[position] = encoded(values[position])
        return values

    def record(self, row: tuple[Any, ...]) -> T:
        """Return the record in the values of `columns`."""
        values = list(row)
        for position, _, decoded in self._codecs:
            if values[position] is not None:
                values[position] = decoded(values[position])
        return self._record(*values)

    def all(self, connection: sqlite3.Connection, clauses: str, *parameters: Any) -> list[T]:
        """Return the records that `clauses` (WHERE, ORDER BY, LIMIT) select."""
        return [self.record(row) for row in connection.execute(self._select + clauses, parameters)]

    def first(self, connection: sqlite3.Connection, clauses: str, *parameters: Any) -> T | None:
        """Return the first record that `clauses` select."""
        row = connection.execute(self._select + clauses, parameters).fetchone()
        return self.record(row) if row else None

    def insert(self, connection: sqlite3.Connection, record: T, clauses: str = "", **more: Any) -> bool:
        """Add the record and `more` columns; `clauses` say what happens on a conflict. False when nothing did."""
        values = [*self.row(record), *more.values()]
        columns = ", ".join([self.columns, *more])
        marks = ", ".join("?" * len(values))
        cursor = connection.execute(f"INSERT INTO {self.name} ({columns}) VALUES ({marks}) {clauses}", values)
        return cursor.rowcount > 0

    def replace(self, connection: sqlite3.Connection, record: T, where: str, *parameters: Any, **more: Any) -> bool:
        """Set all fields and `more` columns of the row that `where` selects; False when there is none."""
        values = [*self.row(record), *more.values()]
        columns = ", ".join([self.columns, *more])
        marks = ", ".join("?" * len(values))
        statement = f"UPDATE {self.name} SET ({columns}) = ({marks}) WHERE {where}"
        return connection.execute(statement, [*values, *parameters]).rowcount > 0
