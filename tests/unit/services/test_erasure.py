"""Erasing accounts from all embedded stores, interrupted in every way."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from multidb_chat.adapters.search_index import EmbeddedSearchIndex
from multidb_chat.domain.accounts import Account
from multidb_chat.domain.conversations import Conversation, Message
from multidb_chat.domain.errors import InvalidInput, NotFound, NotPermitted, StoreUnavailable
from multidb_chat.domain.library import Collection
from multidb_chat.services.accounts import LOCAL_ACCOUNT_ID
from multidb_chat.services.drafts import Drafts
from multidb_chat.services.erasure import Erased, Erasure
from tests.contracts import processes
from tests.unit.services.houses import HOUR, NOW, Stores, furnish, rows_about, somebody
from tests.unit.services.recording import Recorder

ADA, BOB, GUEST = somebody("ada"), somebody("bob"), somebody("gus", "guest")
TABLES = {
    "accounts.accounts", "accounts.operations", "accounts.sessions", "accounts.subscriptions", "accounts.tasks",
    "accounts.usage", "cache.counters", "cache.daily", "cache.entries", "cache.notifications",
    "conversations.conversations", "conversations.feedback", "conversations.messages", "conversations.words",
    "library.chunks", "library.collections", "library.documents", "library.segments", "library.sources",
}  # fmt: skip


class House(Stores):
    """The service on the stores of one folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.audit = Recorder()
        self.drafts = Drafts(folder / "drafts")

    def erasure(self, **stores: Any) -> Erasure:
        named = ("accounts", "tasks", "conversations", "library", "cache")
        return Erasure(
            *(stores.get(name, getattr(self, name)) for name in named),
            drafts=self.drafts,
            derived=lambda: stores.get("derived", [EmbeddedSearchIndex(self.folder / "index", self.library)]),
            audit=lambda: self.audit,
            clock=lambda: self.now,
        )


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    house = House(tmp_path)
    for account in (ADA, BOB, GUEST):
        await furnish(house, account)
    yield house
    await house.close()


async def test_what_is_looked_for_is_there_before(house: House):
    """Else the other tests would find nothing whatever happens."""
    assert set(rows_about(house.folder, BOB)) >= TABLES - {"library.chunks", "library.sources"}


async def test_an_erased_account_is_in_no_store_any_more_and_the_others_are_untouched(house: House):
    before = rows_about(house.folder, BOB)
    for account in (ADA, BOB):
        await house.drafts.keep(account, f"Draft of {account.id}")
    assert await house.erasure().erase(ADA) == Erased(3, 3, 1)
    assert [await house.drafts.recall(account) for account in (ADA, BOB)] == ["", f"Draft of {BOB.id}"]
    assert rows_about(house.folder, ADA) == {}
    assert rows_about(house.folder, BOB) == before
    assert house.audit.records == [(ADA.id, "account.erase", str(ADA))]


async def test_what_is_written_late_is_dropped(house: House):
    await house.erasure().erase(ADA)
    talk = Conversation("late", ADA.id, "Late", NOW)
    for late in (
        house.conversations.put_conversation(talk),
        house.conversations.append(Message("late", f"talk 0 {ADA.id}", ADA.id, "user", "Late", NOW)),
        house.library.create_collection(Collection("late", ADA.id, "Late", NOW)),
        house.accounts.take(ADA.id, "messages", NOW.date(), 1, None, "late"),
    ):
        with pytest.raises(NotFound):
            await late
    assert rows_about(house.folder, ADA) == {}


async def test_only_a_registered_account_may_erase_itself(house: House):
    for account in (GUEST, replace(ADA, disabled_at=NOW)):
        with pytest.raises(NotPermitted):
            await house.erasure().erase(account)
    with pytest.raises(InvalidInput, match="config path"):
        await house.erasure().erase(Account(LOCAL_ACCOUNT_ID, "user", "enterprise", NOW))
    with pytest.raises(NotFound):
        await house.erasure().erase(somebody("eve"))
    assert set(rows_about(house.folder, ADA)) == set(rows_about(house.folder, BOB))


class Failing:
    """A store that goes away at a certain write, counted over all stores together."""

    def __init__(self, store: Any, left: list[int]) -> None:
        self._store = store
        self._left = left

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        async def call(*arguments: Any, **named: Any) -> Any:
            self._left[0] -= 1
            if self._left[0] < 0:
                raise StoreUnavailable("store", "It is away.")
            return await method(*arguments, **named)

        return call


@pytest.mark.parametrize("calls", range(9))
async def test_an_erasure_that_failed_anywhere_is_completed_later(house: House, calls: int):
    left = [calls]
    stores = {name: Failing(getattr(house, name), left) for name in ("accounts", "tasks", "conversations", "cache")}
    try:
        await house.erasure(**stores, library=Failing(house.library, left)).erase(ADA)
    except StoreUnavailable:
        marked = await house.accounts.account(ADA.id)
        assert marked is not None
        if marked.erased_at is not None:
            assert (marked.email, marked.password_hash, marked.disabled_at) == (None, None, NOW)
            assert await house.accounts.account_by_email("ada@example.org") is None
            assert await house.erasure().complete() == 1
        else:
            await house.erasure().erase(ADA)
    assert rows_about(house.folder, ADA) == {}
    assert await house.erasure().complete() == 0


async def erase_in_a_process(folder: Path) -> None:
    """Erase Ada, and say when it begins."""
    house = House(folder)
    processes.say("begins")
    await house.erasure().erase(ADA)
    processes.say("done")


@pytest.mark.parametrize("milliseconds", [0, 15, 30, 60, 120])
async def test_an_erasure_that_was_killed_is_completed_by_the_next_start(tmp_path: Path, milliseconds: int):
    house = House(tmp_path)
    await furnish(house, ADA, talks=60)
    await furnish(house, BOB)
    before = rows_about(tmp_path, BOB)
    child = processes.start(erase_in_a_process, tmp_path)
    assert child.stdout is not None
    await asyncio.to_thread(child.stdout.readline)
    await asyncio.sleep(milliseconds / 1_000)
    await asyncio.to_thread(processes.killed_after, child, 0)
    left = await house.accounts.account(ADA.id)
    if left is not None and left.erased_at is None:  # it was killed before it had begun
        await house.erasure().erase(ADA)
    await house.erasure().complete()
    assert rows_about(tmp_path, ADA) == {}
    assert rows_about(tmp_path, BOB) == before
    await house.close()


async def test_guests_go_when_their_time_is_over_and_not_before(house: House):
    assert await house.erasure().complete() == 0
    house.now = NOW + HOUR
    assert await house.erasure().complete() == 1
    assert rows_about(house.folder, GUEST) == {}
    assert rows_about(house.folder, ADA) != {}


async def test_more_guests_than_a_page_go(tmp_path: Path):
    house = House(tmp_path)
    guests = [replace(GUEST, id=f"guest {number:03}") for number in range(205)]
    await asyncio.gather(*(house.accounts.create_account(guest) for guest in guests))
    house.now = NOW + HOUR
    assert await house.erasure().complete() == 205
    assert await house.accounts.list_accounts() == []
    await house.close()


async def test_a_guest_who_registered_stays(house: House):
    registered = replace(GUEST, role="user", email="gus@example.org", expires_at=None)
    await house.accounts.update_account(registered)
    house.now = NOW + 2 * HOUR
    assert await house.erasure().complete() == 0
    assert rows_about(house.folder, GUEST) != {}
