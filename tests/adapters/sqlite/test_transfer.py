"""Rows carried out of the embedded stores and into them: the contract."""

import shutil
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
