"""The library in SQLite against the model of the contract."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings

from multidb_chat.adapters.sqlite.library import SqliteLibrary
from tests.contracts.library_machine import LibraryMachine


class SqliteLibraryMachine(LibraryMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())

    async def open(self) -> SqliteLibrary:
        self.opened = SqliteLibrary(self.folder / "library.db")
        return self.opened

    async def close(self) -> None:
        await self.opened.close()

    def teardown(self) -> None:
        super().teardown()
        shutil.rmtree(self.folder)


TestSqliteLibraryMachine = SqliteLibraryMachine.TestCase
TestSqliteLibraryMachine.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
