"""Which stores are away, since when, and what waits for them."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from multidb_chat.adapters.sqlite.journal import SqliteJournal
from multidb_chat.domain.errors import StoreUnavailable
from multidb_chat.domain.journal import Backlog, JournalEntry, Outage, StoreState
from multidb_chat.services.resilience.breaker import FAILURES, Breaker
from multidb_chat.services.resilience.outage_log import OutageLog
from multidb_chat.services.resilience.states import StoreStates, state_rows

NOON = datetime(2026, 2, 28, 12, tzinfo=UTC)
ERROR = "db:9042 refuses connections."


async def answers() -> None:
    return


async def fails() -> None:
    raise StoreUnavailable("conversations", ERROR)


def states(probe, journal: SqliteJournal) -> StoreStates:
    return StoreStates({"conversations": probe}, lambda: journal, {}, lambda: NOON)


@pytest.fixture
async def journal(tmp_path: Path):
    journal = SqliteJournal(tmp_path / "journal.db")
    yield journal
    await journal.close()


async def test_a_store_that_answers_and_has_nothing_waiting_makes_no_journal(journal: SqliteJournal, tmp_path: Path):
    assert await states(answers, journal).now() == [StoreState("conversations", None)]
    assert not list(tmp_path.iterdir())


async def test_what_another_process_found_tells_since_when(journal: SqliteJournal):
    since = NOON - timedelta(minutes=5)
    log = OutageLog(journal)
    breaker = Breaker("conversations", now=lambda: since, changed=log.changed)
    for _ in range(FAILURES):
        breaker.failed(breaker.admit(), "It is frozen.")
    await log.close()
    assert await journal.outages() == {"conversations": Outage(since, "It is frozen.")}
    await journal.add(JournalEntry("conversations", "c1", "ada", "messages", "[]", NOON))
    await journal.add(JournalEntry("conversations", "c2", "ada", "messages", "[]", NOON))
    await journal.refuse({2: "no"})
    found = await states(fails, journal).now()
    assert found == [StoreState("conversations", Outage(since, ERROR), Backlog(1, NOON, 1))]
    assert state_rows(found) == [
        (
            "Conversations",
            "away since 2026-02-28 11:55:00 UTC (db:9042 refuses connections); 1 waiting here, the oldest since"
            " 2026-02-28 12:00:00 UTC; 1 refused",
        )
    ]
    assert (await states(answers, journal).now())[0].outage is None
    assert await journal.outages() == {}


async def test_a_store_whose_tables_are_being_made_is_waited_for(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("multidb_chat.services.resilience.states._PATIENCE", 0.05)
    made = asyncio.Event()
    asyncio.get_running_loop().call_later(0.3, made.set)
    for making, told in ((True, None), (False, "It did not answer within 0.05 s.")):
        found = StoreStates({"conversations": made.wait}, lambda: journal, {}, making=lambda store, now=making: now)
        (state,) = await found.now()
        assert (state.outage and state.outage.error) == told
        made.clear()


async def test_an_outage_that_nobody_found_before_begins_now(journal: SqliteJournal):
    assert await states(fails, journal).now() == [StoreState("conversations", Outage(NOON, ERROR))]
