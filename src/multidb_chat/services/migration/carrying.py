"""One table, carried from one store to another: compare, put what differs, remove what vanished, read back.

Nothing is remembered between two runs, since a run compares both sides anyway: so it may be interrupted anywhere, and
the next one does the rest.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from multidb_chat.domain.errors import StoreUnavailable
from multidb_chat.domain.transfer import (
    Comparison,
    Counts,
    Difference,
    Digest,
    Key,
    Row,
    Side,
    Table,
    Transfer,
    fingerprint,
)

T = TypeVar("T")
Tell = Callable[[str, int, int], None]
"""Is told what is done (`reading`, `writing`), how many rows are done, and of how many as far as that is known."""


_PAUSES = (0.5, 2.0, 5.0, 15.0)
"""Seconds between the attempts of what a store did not answer, since it may take hours until all is carried."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What became of one table: what both sides are now, and what had to be done for it.

    `left` are rows that could not be made the same, since the source was changed while it was read.
    """

    table: str
    source: Digest
    target: Digest
    put: int = 0
    removed: int = 0
    left: int = 0

    @property
    def same(self) -> bool:
        """Whether both sides hold the same rows."""
        return self.left == 0 and self.source == self.target


@dataclass
class Carrying:
    """Carries one table."""

    source: Transfer
    target: Transfer
    table: Table
    comparison: Comparison
    tell: Tell
    _put: int = field(default=0, init=False)
    _removed: int = field(default=0, init=False)

    async def compare(self) -> Counts:
        """Read both sides. Raises `StoreError`."""
        await self.comparison.begin()
        await asyncio.gather(self._scan("source", self.source), self._scan("target", self.target))
        return await self.comparison.counts()

    async def run(self) -> Carried:
        """Read both sides and make the target what the source is. Raises `StoreError`, or `Conflict`."""
        counts = await self.compare()
        await self._remove_vanished()
        if self.table.exclusive:
            await self._clear_the_way()
        for difference in ("changed", "missing"):
            async for keys in self._differing(difference):
                await self._carry(keys)
                self._put += len(keys)
                self.tell("writing", self._put, counts.missing + counts.changed)
        left = (await self.comparison.counts()).differing
        source, target = await self.comparison.digest("source"), await self.comparison.digest("target")
        return Carried(self.table.name, source, target, self._put, self._removed, left)

    async def _scan(self, side: Side, transfer: Transfer) -> None:
        after: Key | None = None
        read = 0
        while True:
            page = await _patiently(partial(transfer.rows, self.table, after, self.table.page))
            await self._note(side, page.rows)
            read += len(page.rows)
            self.tell("reading", read, 0)
            if page.after is None:
                return
            after = page.after

    async def _remove_vanished(self) -> None:
        async for keys in self._differing("vanished"):
            await self._remove(keys)
            self._removed += len(keys)

    async def _clear_the_way(self) -> None:
        """Remove rows of which something changes that is there once, so that their successors can be put."""
        key_of, exclusive_of = self.table.key_of, self.table.exclusive_of
        async for keys in self._differing("changed"):
            now = {key_of(row): exclusive_of(row) for row in await self._find(self.source, keys)}
            stored = {key_of(row): exclusive_of(row) for row in await self._find(self.target, keys)}
            if moving := [key for key in keys if key in now and key in stored and now[key] != stored[key]]:
                await self._remove(moving)

    async def _carry(self, keys: list[Key]) -> None:
        """Put rows as they are now, and note both sides as they are read back."""
        rows = await self._find(self.source, keys)
        await _patiently(lambda: self.target.put(self.table, rows))
        await self._note("source", rows)
        await self._note("target", await self._find(self.target, keys))
        if gone := sorted(set(keys) - {self.table.key_of(row) for row in rows}):
            await self.comparison.forget("source", gone)

    async def _find(self, transfer: Transfer, keys: list[Key]) -> list[Row]:
        return await _patiently(lambda: transfer.find(self.table, keys))

    async def _remove(self, keys: list[Key]) -> None:
        await _patiently(lambda: self.target.remove(self.table, keys))
        await self.comparison.forget("target", keys)

    async def _differing(self, difference: Difference) -> AsyncIterator[list[Key]]:
        after: Key | None = None
        while keys := await self.comparison.keys(difference, after, self.table.page):
            yield keys
            after = keys[-1]

    async def _note(self, side: Side, rows: list[Row]) -> None:
        key_of = self.table.key_of
        await self.comparison.note(side, [(key_of(row), fingerprint(row)) for row in rows])


async def _patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask again where a store is away for a moment; all that is asked may be done twice. Raises `StoreError`."""
    for pause in _PAUSES:
        try:
            return await ask()
        except StoreUnavailable:
            await asyncio.sleep(pause)
    return await ask()
