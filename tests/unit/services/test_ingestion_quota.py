"""What an account's quota has room for is added; the rest is refused by itself, and what is there stays."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from multidb_chat.adapters.sqlite.accounts import SqliteAccounts
from multidb_chat.adapters.sqlite.library import SqliteLibrary
from multidb_chat.domain.errors import QuotaExceeded
from multidb_chat.domain.library import Holdings
from multidb_chat.domain.plans import Limits
from multidb_chat.domain.reading import ParsedDocument
from multidb_chat.services.chunking.cutting import Cutting
from multidb_chat.services.documents import Documents
from multidb_chat.services.ingesting.allowance import Allowance
from multidb_chat.services.ingesting.documents import Waiting, prepare
from multidb_chat.services.ingesting.events import Finished
from multidb_chat.services.plans import Plans
from tests.contracts import processes
from tests.contracts.library import a_collection
from tests.unit.services.ingesting import NOW, OWNER, Workplace, events_of, finished

MONTH = date(2026, 1, 1)


class Metered:
    """A workplace whose owner has a plan with these limits."""

    def __init__(self, work: Workplace, accounts: SqliteAccounts, **limits: int) -> None:
        self.work = work
        self.accounts = accounts
        self.plans = plans_of(accounts, work.library, Limits(**limits))

    async def add(self, *inputs: Path) -> Finished:
        ingestion = self.work.ingestion(quota=self.plans)
        stream = ingestion.add(OWNER, self.work.collection, list(inputs) or [self.work.files])
        return finished(await events_of(stream))

    async def counted(self) -> int:
        return (await self.accounts.usage(OWNER.id, MONTH)).get("documents", 0)


def plans_of(accounts: SqliteAccounts, library: SqliteLibrary, limits: Limits) -> Plans:
    return Plans(
        accounts, library, limits=dict.fromkeys(("guest", "free", "pro", "enterprise"), limits), clock=lambda: NOW
    )


@pytest.fixture
async def accounts(tmp_path: Path) -> AsyncIterator[SqliteAccounts]:
    store = SqliteAccounts(tmp_path / "accounts.db")
    await store.create_account(OWNER)
    yield store
    await store.close()


async def test_documents_beyond_the_month_are_refused_one_by_one_and_the_rest_is_added(
    work: Workplace, accounts: SqliteAccounts
):
    for number in range(5):
        work.write(f"{number}.txt", f"Words of number {number}.")
    metered = Metered(work, accounts, documents=3)
    result = await metered.add()
    assert (result.added, result.failed, result.documents) == (3, 2, 3)
    assert {Path(failure.source).name for failure in result.failures} == {"3.txt", "4.txt"}
    assert all(failure.refused for failure in result.failures)
    assert "All 3 documents a month (free) are used; you can go on from 1 February 2026." in result.failures[0].reason
    assert sorted(await work.stored()) == ["0.txt", "1.txt", "2.txt"]


async def test_only_new_documents_count_and_each_of_them_once(work: Workplace, accounts: SqliteAccounts):
    metered = Metered(work, accounts, documents=2)
    first, _ = work.write("1.txt", "One."), work.write("2.txt", "Two.")
    await metered.add()
    work.write("1.txt", "One, changed.")
    assert (await metered.add()).replaced == 1
    document = (await work.stored())["2.txt"].document
    await work.library.remove_documents([document.id])
    assert (await metered.add()).documents == 1
    assert await metered.counted() == 2
    work.write("3.txt", "Three.")
    assert (await metered.add()).failures[0].refused
    first.write_text("One, changed again.")
    assert (await metered.add()).replaced == 1


async def test_a_part_of_an_archive_that_is_refused_leaves_the_others(work: Workplace, accounts: SqliteAccounts):
    lines = "".join(f'{{"id": "{number}", "text": "Words of number {number}."}}\n' for number in range(4))
    work.write("all.jsonl", lines)
    metered = Metered(work, accounts, documents=3)
    result = await metered.add()
    assert (result.documents, [failure.name for failure in result.failures]) == (3, ["3"])
    more = Metered(work, accounts, documents=4)
    assert (await more.add()).documents == 1
    assert len(await work.stored()) == 4


async def test_what_does_not_fit_is_refused_before_it_is_embedded(work: Workplace, accounts: SqliteAccounts):
    small, large = work.write("a.txt", "Some words."), work.write("b.txt", "Many words. " * 100)
    metered = Metered(work, accounts, storage=500)
    result = await metered.add(large, small)
    assert (result.documents, [Path(failure.source).name for failure in result.failures]) == (1, ["b.txt"])
    assert "does not fit" in result.failures[0].reason
    assert not any("Many" in text for text in work.embedder.seen)
    assert await work.library.holdings(OWNER.id) == Holdings(1, 11)
    small.write_text("Many words. " * 100)
    assert (await metered.add(small)).failures[0].refused
    assert (await work.stored())["a.txt"].text == "Some words."


async def test_several_runs_at_once_never_pass_the_limits(work: Workplace, accounts: SqliteAccounts):
    for number in range(60):
        work.write(f"{number:02}.txt", f"Words of number {number:02}.")
    metered = Metered(work, accounts, documents=30, storage=19 * 20)
    parts = [[work.files / f"{number:02}.txt" for number in range(60) if number % 3 == part] for part in range(3)]
    results = await asyncio.gather(*(metered.add(*part) for part in parts))
    held = await work.library.holdings(OWNER.id)
    assert sum(result.documents for result in results) == held.documents == 20
    assert held.size_bytes == 19 * 20
    assert await metered.counted() <= 30


async def test_what_was_taken_out_comes_back_only_as_long_as_there_is_room(work: Workplace, accounts: SqliteAccounts):
    first, second = work.write("a.txt", "Some words."), work.write("b.txt", "Other words.")
    metered = Metered(work, accounts, storage=12)
    await metered.add(first)
    documents = Documents(work.library, quota=lambda: metered.plans)
    stored = (await work.stored())["a.txt"].document
    removed = await documents.take_out(OWNER, [stored.id])
    assert len(await documents.put_back(OWNER, removed)) == 1
    removed = await documents.take_out(OWNER, [stored.id])
    assert (await metered.add(second)).documents == 1
    with pytest.raises(QuotaExceeded, match="does not fit"):
        await documents.put_back(OWNER, removed)
    assert sorted(await work.stored()) == ["b.txt"]


async def test_guests_and_the_library_without_quota_are_as_before(work: Workplace):
    work.write("a.txt", "Some words.")
    assert (await work.add()).documents == 1


def waiting(number: int, size: int) -> Waiting:
    parsed = ParsedDocument(f"d{number}", "T", "text", f"Words of number {number}.", ())
    prepared = prepare(parsed, "papers", f"s{number}", "hashing", Cutting(), size)
    return Waiting(prepared, True, lambda _: None)


async def put_without_end(folder: Path) -> None:
    """Add and remove documents until somebody kills the process; say each step."""
    accounts, library = SqliteAccounts(folder / "accounts.db"), SqliteLibrary(folder / "library.db")
    allowance = Allowance(library, OWNER, plans_of(accounts, library, Limits(documents=1_000, storage=100_000)))
    number = 0
    while True:
        going = await allowance.admitted([waiting(number % 40, 1_000 + number % 7)])
        await allowance.store(going, [one.prepared.content for one in going])
        if number % 3 == 0:
            await library.remove_documents([going[0].prepared.document.id])
        processes.say(str(number))
        number += 1


@pytest.mark.parametrize("words", [1, 17, 60])
async def test_after_a_kill_what_is_counted_is_what_is_there(tmp_path: Path, words: int):
    accounts, library = SqliteAccounts(tmp_path / "accounts.db"), SqliteLibrary(tmp_path / "library.db")
    await accounts.create_account(OWNER)
    await library.create_collection(a_collection(owner=OWNER.id))
    child = processes.start(put_without_end, tmp_path)
    await asyncio.to_thread(processes.killed_after, child, words)
    assert child.returncode == -signal.SIGKILL or os.name != "posix"
    documents = await library.documents(["papers"], limit=1_000)
    assert await library.holdings(OWNER.id) == Holdings(len(documents), sum(one.size_bytes for one in documents))
    assert (await accounts.usage(OWNER.id, MONTH))["documents"] <= 40
    await accounts.close()
    await library.close()


STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "remove"]), st.integers(0, 5), st.integers(1, 60)), min_size=1, max_size=25
)


@given(steps=STEPS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_put_and_removed_the_limits_hold(tmp_path_factory: pytest.TempPathFactory, steps):
    asyncio.run(check(tmp_path_factory.mktemp("quota"), steps))


async def check(folder: Path, steps: list[tuple[str, int, int]]) -> None:
    accounts, library = SqliteAccounts(folder / "accounts.db"), SqliteLibrary(folder / "library.db")
    await accounts.create_account(OWNER)
    await library.create_collection(a_collection(owner=OWNER.id))
    allowance = Allowance(library, OWNER, plans_of(accounts, library, Limits(documents=4, storage=100)))
    sizes: dict[int, int] = {}
    ever: set[int] = set()
    for step, number, size in steps:
        one = replace(waiting(number, size), is_new=number not in sizes)
        if step == "remove":
            await library.remove_documents([one.prepared.document.id])
            sizes.pop(number, None)
            continue
        going = await allowance.admitted([one])
        stored = await allowance.store(going, [each.prepared.content for each in going]) if going else 0
        grown = sum(sizes.values()) - sizes.get(number, 0) + size
        fits = grown <= 100 or (number in sizes and size <= sizes[number])
        if one.is_new and fits and (number in ever or len(ever) < 4):
            ever.add(number)
            assert stored == 1
        else:
            assert stored == int(not one.is_new and fits)
        if stored:
            sizes[number] = size
        assert await library.holdings(OWNER.id) == Holdings(len(sizes), sum(sizes.values()))
    assert (await accounts.usage(OWNER.id, MONTH)).get("documents", 0) == len(ever)
    await accounts.close()
    await library.close()
