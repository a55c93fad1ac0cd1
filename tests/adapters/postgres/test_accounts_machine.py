"""Accounts in PostgreSQL behave as plain dictionaries would, in any order of calls."""

from contextlib import AbstractAsyncContextManager, ExitStack

from hypothesis import settings

from multidb_chat.domain.accounts import Accounts
from tests.adapters.postgres.opening import accounts_at, own_schema
from tests.contracts.accounts_machine import AccountsMachine
from tests.servers import needs


class PostgresAccountsMachine(AccountsMachine):
    def __init__(self) -> None:
        super().__init__()
        self.around = ExitStack()
        self.url = self.around.enter_context(own_schema())

    def open(self) -> AbstractAsyncContextManager[Accounts]:
        return accounts_at(self.url)

    def teardown(self) -> None:
        super().teardown()
        self.around.close()


@needs("postgres")
class TestPostgresAccountsMachine(PostgresAccountsMachine.TestCase):  # type: ignore[misc, valid-type]
    settings = settings(max_examples=6, stateful_step_count=25, deadline=None)
