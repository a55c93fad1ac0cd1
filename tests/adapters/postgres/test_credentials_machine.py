"""Credentials in PostgreSQL behave as plain dictionaries would, in any order of calls."""

from contextlib import AbstractAsyncContextManager

from hypothesis import settings

from multidb_chat.domain.accounts import Accounts
from tests.adapters.postgres.opening import InOwnSchema, accounts_at
from tests.contracts.credentials_machine import CredentialsMachine
from tests.servers import needs


class PostgresCredentialsMachine(InOwnSchema, CredentialsMachine):
    def open(self) -> AbstractAsyncContextManager[Accounts]:
        return accounts_at(self.url)


@needs("postgres")
class TestPostgresCredentialsMachine(PostgresCredentialsMachine.TestCase):  # type: ignore[misc, valid-type]
    settings = settings(max_examples=6, stateful_step_count=25, deadline=None)
