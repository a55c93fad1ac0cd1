"""Rows of the accounts carried out of PostgreSQL and into it: the contract."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from multidb_chat.adapters.postgres.accounts import PostgresAccounts
from multidb_chat.adapters.postgres.database import Database
from multidb_chat.adapters.postgres.tasks import PostgresTasks
from multidb_chat.adapters.postgres.transfer import PostgresTransfer
from tests.adapters.postgres.opening import database_at, empty
from tests.contracts.transfer import AccountsTransferContract, Empty, Twin
from tests.servers import needs

pytestmark = needs("postgres")


class TestPostgresTransfer(AccountsTransferContract):
    EXAMPLES = 4

    @pytest.fixture
    def empty(self, shared_url: str) -> Empty:
        @asynccontextmanager
        async def opened() -> AsyncIterator[Twin]:
            empty(shared_url)
            async with database_at(shared_url) as database:
                transfer = PostgresTransfer(Database(shared_url))
                yield Twin(transfer, (PostgresAccounts(database), PostgresTasks(database)))
                await transfer.close()

        return opened


async def test_every_table_is_carried_or_known_to_be_derived(shared_url: str) -> None:
    async with database_at(shared_url) as database:
        transfer = PostgresTransfer(database)
        rows = await database.fetch("SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()")
        derived = {"schema_migrations", "identity"}
        found = {name for (name,) in rows if not name.startswith("corpus_")} - derived
        assert found == {table.name for table in transfer.tables}
