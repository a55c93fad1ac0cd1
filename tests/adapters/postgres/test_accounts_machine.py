"""Accounts in PostgreSQL behave as plain dictionaries would, in any order of calls."""

from contextlib import AbstractAsyncContextManager

from hypothesis import settings

from multidb_chat.domain.accounts import Accounts
from tests.adapters.postgres.opening import InOwnSchema, accounts_at
from tests.contracts.accounts_machine import AccountsMachine
from tests.servers import needs


class PostgresAccountsMachine(InOwnSchema, AccountsMachine):
    def open(self) -> AbstractAsyncContextManager[Accounts]:
        return accounts_at(self.url)


@needs("postgres")
class TestPostgresAccountsMachine(PostgresAccountsMachine.TestCase):  # type: ignore[misc, valid-type]
    settings = settings(max_examples=6, stateful_step_count=25, deadline=None)
