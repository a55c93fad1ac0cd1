"""Credentials in SQLite behave as plain dictionaries would, in any order of calls."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings

from multidb_chat.domain.accounts import Accounts
from tests.adapters.sqlite.opening import accounts_in
from tests.contracts.credentials_machine import CredentialsMachine


class SqliteCredentialsMachine(CredentialsMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()

    def open(self) -> AbstractAsyncContextManager[Accounts]:
        return accounts_in(Path(self.folder.name) / "accounts.db")

    def teardown(self) -> None:
        super().teardown()
        self.folder.cleanup()


TestSqliteCredentials = SqliteCredentialsMachine.TestCase
TestSqliteCredentials.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
