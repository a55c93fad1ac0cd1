"""Looking after a store in SQLite: the contract, and files that are no store."""

import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from multidb_chat.adapters.sqlite.upkeep import SqliteUpkeep
from multidb_chat.adapters.sqlite.upkeeps import (
    accounts_upkeep,
    cache_upkeep,
    conversations_upkeep,
    library_upkeep,
)
from multidb_chat.domain.conversations import Conversation
from multidb_chat.domain.errors import SchemaTooNew, StoreError
from tests.adapters.sqlite.opening import accounts_in, conversations_in
from tests.contracts.upkeep import Count, FileUpkeepContract, Write


class TestSqliteUpkeep(FileUpkeepContract):
    @pytest.fixture
    def upkeep(self, tmp_path: Path) -> SqliteUpkeep:
        return conversations_upkeep(tmp_path)

    @pytest.fixture
    async def write(self, tmp_path: Path) -> AsyncIterator[Write]:
        async with conversations_in(tmp_path / "conversations.sqlite") as store:

            async def write(number: int) -> None:
                at = datetime(2026, 1, 31, tzinfo=UTC)
                await store.put_conversation(Conversation(f"{number:06}", "ada", "A title " * 20, at))

            yield write

    @pytest.fixture
    def count(self) -> Count:
        def count(copy: Path) -> int:
            with sqlite3.connect(copy) as connection:
                found = connection.execute("SELECT count(*) FROM conversations").fetchone()[0]
            connection.close()
            return int(found)

        return count


@pytest.mark.parametrize("make", [accounts_upkeep, conversations_upkeep, library_upkeep, cache_upkeep])
async def test_reading_a_store_makes_nothing(tmp_path: Path, make) -> None:
    await make(tmp_path).report()
    await make(tmp_path).problems()
    assert list(tmp_path.iterdir()) == []


async def test_the_store_of_a_newer_program_and_another_file_are_named(tmp_path: Path) -> None:
    async with accounts_in(tmp_path / "accounts.sqlite") as store:
        await store.list_accounts()
    with sqlite3.connect(tmp_path / "accounts.sqlite") as connection:
        connection.execute("PRAGMA user_version = 999")
    connection.close()
    with pytest.raises(SchemaTooNew):
        await accounts_upkeep(tmp_path).report()
    (tmp_path / "accounts.sqlite").rename(tmp_path / "conversations.sqlite")
    with pytest.raises(StoreError, match="something else"):
        await conversations_upkeep(tmp_path).report()
    for upkeep in (conversations_upkeep(tmp_path),):
        (problem,) = await upkeep.problems()
        assert "something else" in problem


async def test_a_store_that_another_program_holds_is_told(tmp_path: Path) -> None:
    async with accounts_in(tmp_path / "accounts.sqlite") as store:
        await store.list_accounts()
    upkeep = accounts_upkeep(tmp_path)
    holding = sqlite3.connect(tmp_path / "accounts.sqlite", isolation_level=None)
    holding.execute("BEGIN IMMEDIATE")
    assert "locked by another program" in await upkeep.obstacle()
    assert await upkeep.problems() == [], "it can still be read"
    holding.close()
    assert await upkeep.obstacle() == ""
