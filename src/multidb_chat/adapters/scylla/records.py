"""How records lie in columns: one for each field, with its name; times as whole microseconds since 1970 (UTC)."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from typing import Any, Generic, TypeVar
from zlib import crc32

from multidb_chat.adapters.scylla.schema import SHARDS

T = TypeVar("T")

DAY = 86_400_000_000
"""Microseconds."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST_DAY = _EPOCH.date()


def micros(at: datetime) -> int:
    """Return a time as it lies in a column."""
    return (at - _EPOCH) // _MICROSECOND


def moment(stored: int) -> datetime:
    """Return the time (UTC) that lies in a column."""
    return _EPOCH + stored * _MICROSECOND


def day_number(day: date) -> int:
    """Return a day as it lies in a column."""
    return (day - _FIRST_DAY).days


def day_numbered(number: int) -> date:
    """Return the day that lies in a column."""
    return _FIRST_DAY + timedelta(days=number)


def shard_of(identifier: str) -> int:
    """Return which of a day's partitions something lies in. Part of the schema: never changed."""
    return crc32(identifier.encode("utf-8", "surrogatepass")) % SHARDS


def now_micros() -> int:
    """Return the time as it lies in a column."""
    return int(time.time() * 1_000_000)


def _dumped(value: Mapping[str, str]) -> str:
    return json.dumps(dict(value), ensure_ascii=False)


_Codec = tuple[Callable[[Any], Any], Callable[[Any], Any]]
_CODECS: dict[Any, _Codec] = {datetime: (micros, moment), Mapping[str, str]: (_dumped, json.loads)}
_CODECS[datetime | None] = _CODECS[datetime]


class Columns(Generic[T]):
    """The columns that hold records of the dataclass `record`, in the order of its fields."""

    def __init__(self, record: type[T]) -> None:
        declared = fields(record)  # type: ignore[arg-type]
        self.names = [field.name for field in declared]
        self.listed = ", ".join(self.names)
        self.marks = ", ".join("?" * len(self.names))
        self._record: Callable[..., T] = record
        self._codecs = [(position, *_CODECS[f.type]) for position, f in enumerate(declared) if f.type in _CODECS]

    def row(self, record: T) -> list[Any]:
        """Return the values of the columns."""
        values = [getattr(record, name) for name in self.names]
        for position, encoded, _ in self._codecs:
            if values[position] is not None:
                values[position] = encoded(values[position])
        return values

    def record(self, row: Sequence[Any]) -> T:
        """Return the record in the values of the columns."""
        values = list(row[: len(self.names)])
        for position, _, decoded in self._codecs:
            if values[position] is not None:
                values[position] = decoded(values[position])
        return self._record(*values)
