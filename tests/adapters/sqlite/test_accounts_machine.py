"""Accounts in SQLite against the model of the contract."""

import shutil
import tempfile
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from hypothesis import settings

from multidb_chat.domain.accounts import Accounts
from tests.adapters.sqlite.opening import accounts_in
from tests.contracts.accounts_machine import AccountsMachine


class SqliteAccountsMachine(AccountsMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())

    def open(self) -> AbstractAsyncContextManager[Accounts]:
        return accounts_in(self.folder / "accounts.db")

    def teardown(self) -> None:
        super().teardown()
        shutil.rmtree(self.folder)


TestSqliteAccountsMachine = SqliteAccountsMachine.TestCase
TestSqliteAccountsMachine.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
