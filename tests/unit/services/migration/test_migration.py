"""Stores carried to another place: whatever is there before, whatever interrupts it, and while people go on."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from multidb_chat.adapters.sqlite.transfer import (
    SqliteTransfer,
    accounts_transfer,
    conversations_transfer,
    library_transfer,
)
from multidb_chat.adapters.sqlite.transfer_comparison import SqliteComparison
from multidb_chat.domain.accounts import Account
from multidb_chat.domain.audit import AuditEntry
from multidb_chat.domain.conversations import Conversation
from multidb_chat.domain.errors import Conflict, InvalidInput, NotPermitted, StoreUnavailable
from multidb_chat.domain.transfer import Key, Origin, Page, Row, Table, Transfer
from multidb_chat.domain.transfer_tables import ACCOUNTS, AUDIT, CONVERSATIONS
from multidb_chat.services.migration.migration import Migration, Move
from tests.contracts import transfer_rows as drawn
from tests.contracts.transfer import ADA, NOW, fill, held
from tests.contracts.transfer_rows import Rows

ADMIN = replace(ADA, id="root", role="admin")
STORES = {
    "accounts": (accounts_transfer, drawn.accounts()),
    "conversations": (conversations_transfer, drawn.conversations()),
    "library": (library_transfer, drawn.library()),
}


class Recorded:
    """An audit log that only remembers."""

    def __init__(self) -> None:
        self.actions: list[str] = []

    async def record(self, actor: Account | None, action: str, target: Any = "", **details: str) -> AuditEntry:
        self.actions.append(action)
        return AuditEntry(NOW, "", action)


def migration(source: Transfer, target: Transfer, audit: Recorded | None = None, waiting: int = 0) -> Migration:
    async def backlog(store: str) -> int:
        return waiting

    move = Move(source, target, "embedded", "there")
    return Migration([move], SqliteComparison(), audit or Recorded(), backlog)


@asynccontextmanager
async def twins(make: Callable[[Path], SqliteTransfer]) -> AsyncIterator[tuple[SqliteTransfer, SqliteTransfer]]:
    """Two stores in folders of their own."""
    with tempfile.TemporaryDirectory() as folder:
        one, other = make(Path(folder, "one")), make(Path(folder, "other"))
        yield one, other
        await one.close()
        await other.close()


async def related(source: Transfer, target: Transfer) -> None:
    """Make the target one that the source was carried to before."""
    await source.adopt(Origin("the same"))
    await target.adopt(Origin("the same"))


def examples(count: int, *strategies: Any) -> Callable[[Callable[..., Awaitable[None]]], None]:
    """Run a check with what is drawn, so often."""

    def run(check: Callable[..., Awaitable[None]]) -> None:
        def example(values: tuple[Any, ...]) -> None:
            asyncio.run(check(*values))  # type: ignore[arg-type] # a coroutine

        limits = settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck))
        limits(given(st.tuples(*strategies))(example))()

    return run


@pytest.mark.parametrize("store", STORES)
def test_whatever_was_carried_before_both_sides_are_the_same_in_the_end(store: str) -> None:
    make, rows = STORES[store]

    @examples(6, rows, rows)
    async def check(now: Rows, before: Rows) -> None:
        async with twins(make) as (source, target):
            await related(source, target)
            if "audit" in now:
                before = {**before, "audit": now["audit"][: len(now["audit"]) // 2]}
            await fill(source, now)
            await fill(target, before)
            (outcome,) = await migration(source, target).run(last=True)
            assert outcome.same
            assert await held(target) == await held(source)
            assert await held(source) == {
                table.name: sorted(now[table.name], key=table.key_of) for table in source.tables
            }
            (again,) = await migration(source, target).run(last=True)
            assert sum(table.put + table.removed for table in again.tables) == 0
            assert {table.table: table.target.rows for table in again.tables} == {
                name: len(found) for name, found in now.items()
            }


class Interrupted(Exception):
    """Stands for the end of the program."""


class Ending:
    """A transfer that ends the program at a call; every second time behind what was asked for."""

    def __init__(self, transfer: Transfer, call: int) -> None:
        self._transfer = transfer
        self._left = call

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._transfer, name)
        if name not in ("rows", "find", "put", "remove", "adopt"):
            return found

        async def called(*arguments: Any) -> Any:
            self._left -= 1
            if self._left == 0:
                raise Interrupted
            result = await found(*arguments)
            if self._left == 1 and name in ("put", "remove"):
                raise Interrupted
            return result

        return called


@pytest.mark.parametrize("store", STORES)
def test_what_is_interrupted_anywhere_is_completed_by_the_next_run(store: str) -> None:
    make, rows = STORES[store]

    @examples(8, rows, rows, st.integers(1, 60))
    async def check(now: Rows, before: Rows, call: int) -> None:
        async with twins(make) as (source, target):
            await related(source, target)
            if "audit" in now:
                before = {**before, "audit": now["audit"][:1]}
            await fill(source, now)
            await fill(target, before)
            with contextlib.suppress(Interrupted):
                await migration(source, Ending(target, call)).run(last=True)  # type: ignore[arg-type]
            (outcome,) = await migration(source, target).run(last=True)
            assert outcome.same
            assert await held(target) == await held(source)


class Busy:
    """A store in which people write between the pages that are read of it."""

    def __init__(self, transfer: Transfer, later: Iterable[tuple[Table, list[Row]]]) -> None:
        self._transfer = transfer
        self._later = list(later)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transfer, name)

    async def rows(self, table: Table, after: Key | None = None, limit: int = 500) -> Page:
        await self._write()
        return await self._transfer.rows(table, after, 2)

    async def find(self, table: Table, keys: Sequence[Key]) -> list[Row]:
        await self._write()
        return await self._transfer.find(table, keys)

    async def _write(self) -> None:
        if self._later:
            await self._transfer.put(*self._later.pop(0))


@pytest.mark.parametrize("store", STORES)
def test_what_people_do_meanwhile_is_carried_by_the_last_run_at_the_latest(store: str) -> None:
    make, rows = STORES[store]

    @examples(5, rows, rows)
    async def check(first: Rows, then: Rows) -> None:
        async with twins(make) as (source, target):
            await fill(source, first)
            later = [(table, [row]) for table in source.tables if not table.appended for row in then[table.name]]
            busy = Busy(source, later)
            await migration(busy, target).run(last=False)  # type: ignore[arg-type]
            (outcome,) = await migration(source, target).run(last=True)
            assert outcome.same
            assert await held(target) == await held(source)


async def test_a_last_run_while_somebody_writes_is_told_from_one_that_is_whole() -> None:
    async with twins(conversations_transfer) as (source, target):
        first = Conversation("k1", "ada", "Tides", NOW)
        await source.put(CONVERSATIONS, [CONVERSATIONS.row(first)])
        changing = [
            (CONVERSATIONS, [CONVERSATIONS.row(replace(first, title=f"Tides {number}"))]) for number in range(99)
        ]
        with pytest.raises(StoreUnavailable, match="was changed while it was carried"):
            await migration(Busy(source, changing), target).run(last=True)  # type: ignore[arg-type]
        (outcome,) = await migration(source, target).run(last=True)
        assert outcome.settled


async def test_a_target_of_another_installation_is_refused_and_nothing_is_touched() -> None:
    async with twins(accounts_transfer) as (source, target):
        await source.put(ACCOUNTS, [ACCOUNTS.row(ADMIN)])
        await target.put(ACCOUNTS, [ACCOUNTS.row(ADA)])
        audit = Recorded()
        with pytest.raises(InvalidInput, match="another installation"):
            await migration(source, target, audit).begin(ADMIN, last=False)
        assert audit.actions == []
        assert [row[0] for row in (await held(target))["accounts"]] == ["ada"]


async def test_a_place_that_was_moved_to_is_not_overwritten_by_what_it_was_carried_from() -> None:
    async with twins(conversations_transfer) as (source, target):
        await source.put(CONVERSATIONS, [CONVERSATIONS.row(Conversation("k1", "ada", "Tides", NOW))])
        here = migration(source, target)
        await here.run(last=True)
        await here.moved()
        with pytest.raises(InvalidInput, match="has moved to there before"):
            await migration(source, target).begin(ADMIN, last=False)
        await migration(source, target).begin(ADMIN, last=False, again=True)
        back = migration(target, source)
        await back.begin(ADMIN, last=True)
        await back.run(last=True)
        await back.moved()
        await migration(source, target).begin(ADMIN, last=False)


async def test_a_log_that_went_its_own_way_is_found_before_anything_else_is_carried() -> None:
    async with twins(accounts_transfer) as (source, target):
        await related(source, target)
        await source.put(ACCOUNTS, [ACCOUNTS.row(ADA)])
        await source.put(AUDIT, [AUDIT.row(AuditEntry(NOW, "ada", "asked", seq=1))])
        await target.put(AUDIT, [AUDIT.row(AuditEntry(NOW, "eve", "asked", seq=1))])
        with pytest.raises(Conflict, match="apart from each other"):
            await migration(source, target).run(last=True)
        assert (await held(target))["accounts"] == []


async def test_addresses_and_names_may_be_exchanged_between_two_runs() -> None:
    async with twins(accounts_transfer) as (source, target):
        eve = replace(ADA, id="eve", email="eve@example.org")
        await source.put(ACCOUNTS, [ACCOUNTS.row(ADA), ACCOUNTS.row(eve)])
        await migration(source, target).run(last=True)
        await source.remove(ACCOUNTS, [("ada",), ("eve",)])
        exchanged = [replace(ADA, email=eve.email), replace(eve, email=ADA.email)]
        await source.put(ACCOUNTS, [ACCOUNTS.row(one) for one in exchanged])
        (outcome,) = await migration(source, target).run(last=True)
        assert outcome.same
        assert await held(target) == await held(source)


async def test_only_administrators_carry_and_what_waits_is_written_first() -> None:
    async with twins(conversations_transfer) as (source, target):
        with pytest.raises(NotPermitted):
            await migration(source, target).begin(ADA, last=False)
        with pytest.raises(StoreUnavailable, match="1 thing waits on this"):
            await migration(source, target, waiting=1).begin(ADMIN, last=True)
        with pytest.raises(StoreUnavailable, match="3 things wait on this"):
            await migration(source, target, waiting=3).begin(ADMIN, last=True)
        await migration(source, target, waiting=3).begin(ADMIN, last=False)


async def test_a_comparison_changes_nothing_and_tells_what_differs() -> None:
    async with twins(conversations_transfer) as (source, target):
        await source.put(CONVERSATIONS, [CONVERSATIONS.row(Conversation("k1", "ada", "Tides", NOW))])
        found = {one.table: one.counts for one in await migration(source, target).compare(ADMIN)}
        assert found["conversations"] == (1, 0, 1, 0, 0)
        assert await target.origin() is None
