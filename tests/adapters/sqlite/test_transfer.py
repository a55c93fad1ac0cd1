"""Rows carried out of the embedded stores and into them: the contract."""

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from multidb_chat.adapters.sqlite.accounts import SqliteAccounts
from multidb_chat.adapters.sqlite.conversations import SqliteConversations
from multidb_chat.adapters.sqlite.library import SqliteLibrary
from multidb_chat.adapters.sqlite.tasks import SqliteTasks
from multidb_chat.adapters.sqlite.transfer import accounts_transfer, conversations_transfer, library_transfer
from multidb_chat.domain.transfer import Origin
from tests.contracts.transfer import (
    AccountsTransferContract,
    ConversationsTransferContract,
    Empty,
    LibraryTransferContract,
    Twin,
)


@asynccontextmanager
async def a_folder() -> AsyncIterator[Path]:
    folder = Path(tempfile.mkdtemp())
    yield folder
    shutil.rmtree(folder)


class TestSqliteAccountsTransfer(AccountsTransferContract):
    @pytest.fixture
    def empty(self) -> Empty:
        @asynccontextmanager
        async def opened() -> AsyncIterator[Twin]:
            async with a_folder() as folder:
                path = folder / "accounts.sqlite"
                accounts, tasks, transfer = SqliteAccounts(path), SqliteTasks(path), accounts_transfer(folder)
                yield Twin(transfer, (accounts, tasks))
                for one in (accounts, tasks, transfer):
                    await one.close()

        return opened


class TestSqliteConversationsTransfer(ConversationsTransferContract):
    @pytest.fixture
    def empty(self) -> Empty:
        @asynccontextmanager
        async def opened() -> AsyncIterator[Twin]:
            async with a_folder() as folder:
                port, transfer = SqliteConversations(folder / "conversations.sqlite"), conversations_transfer(folder)
                yield Twin(transfer, port)
                await port.close()
                await transfer.close()

        return opened


class TestSqliteLibraryTransfer(LibraryTransferContract):
    @pytest.fixture
    def empty(self) -> Empty:
        @asynccontextmanager
        async def opened() -> AsyncIterator[Twin]:
            async with a_folder() as folder:
                port, transfer = SqliteLibrary(folder / "library.sqlite"), library_transfer(folder)
                yield Twin(transfer, port)
                await port.close()
                await transfer.close()

        return opened


async def test_nothing_is_made_by_looking_at_what_is_not_there(tmp_path: Path) -> None:
    for transfer in (accounts_transfer(tmp_path), conversations_transfer(tmp_path), library_transfer(tmp_path)):
        assert await transfer.origin() is None
        for table in transfer.tables:
            assert (await transfer.rows(table)).rows == []
        await transfer.close()
    assert list(tmp_path.iterdir()) == []


async def test_every_table_is_carried_or_known_to_be_made_of_others(tmp_path: Path) -> None:
    made_of_others = {"words", "segments", "blocks", "originals", "chunks", "vectors", "changes", "identity"}
    for transfer in (accounts_transfer(tmp_path), conversations_transfer(tmp_path), library_transfer(tmp_path)):
        await transfer.adopt(Origin("here"))
        await transfer.close()
        with contextlib.closing(sqlite3.connect(tmp_path / f"{transfer.store}.sqlite")) as connection:
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        found = {name for name in tables if not name.startswith(("sqlite_", "words_"))} - made_of_others
        assert found == {table.name for table in transfer.tables} - {"removed"}
