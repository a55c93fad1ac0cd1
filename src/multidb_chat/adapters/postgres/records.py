"""A table with a column for each field of a record, in the fields' order: records in, records out.

The driver knows times, dates and texts; mappings lie as JSON. Statements are put together here, once, when a module is
loaded.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Generic, TypeVar

# ruff: noqa: S608 - statements are put together from constants only

T = TypeVar("T")


class Table(Generic[T]):
    """The table `name`, of records of the dataclass `record` by `key`; `more` are columns beside its fields."""

    def __init__(self, name: str, record: type[T], key: str = "id", more: Sequence[str] = ()) -> None:
        declared = fields(record)  # type: ignore[arg-type]
        self._record: Callable[..., T] = record
        self._names = [field.name for field in declared]
        self._mappings = [position for position, field in enumerate(declared) if field.type == Mapping[str, str]]
        columns = [*self._names, *more]
        marks = ", ".join(["%s"] * len(columns))
        self.name = name
        self.columns = ", ".join(self._names)
        self.width = len(self._names)
        self.select = f"SELECT {self.columns} FROM {name} "
        self.insert = f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks}) "
        self.update = f"UPDATE {name} SET ({', '.join(columns)}) = ROW({marks}) "
        replaced = ", ".join(f"{column} = excluded.{column}" for column in columns if column != key)
        self.put = f"{self.insert} ON CONFLICT ({key}) DO UPDATE SET {replaced} "

    def row(self, record: T) -> list[Any]:
        """Return the values of `columns`."""
        values = [getattr(record, name) for name in self._names]
        for position in self._mappings:
            values[position] = json.dumps(dict(values[position]), ensure_ascii=False)
        return values

    def record(self, row: Sequence[Any]) -> T:
        """Return the record in the values of `columns`."""
        values = list(row)
        for position in self._mappings:
            values[position] = json.loads(values[position])
        return self._record(*values)

    def records(self, rows: Sequence[Sequence[Any]]) -> list[T]:
        """Return the records in rows."""
        return [self.record(row) for row in rows]

    def first(self, rows: Sequence[Sequence[Any]]) -> T | None:
        """Return the record in the first row, if there is one."""
        return self.record(rows[0]) if rows else None
