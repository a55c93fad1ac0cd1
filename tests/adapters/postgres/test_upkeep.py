"""Looking after the stores on PostgreSQL: the contract, and what can be wrong with a server, a schema and a role."""

from collections.abc import AsyncIterator

import pytest

from multidb_chat.adapters.postgres.schema import MIGRATIONS
from multidb_chat.adapters.postgres.upkeep import PostgresUpkeep
from multidb_chat.domain.audit import AuditEntry
from multidb_chat.domain.database_roles import RolesMade
from multidb_chat.domain.errors import SchemaTooNew, StoreUnavailable
from tests.adapters.postgres.opening import accounts_at, database_at, stranger, tasks_at, url_as
from tests.contracts.accounts_processes import ADA, NOW
from tests.contracts.tasks_processes import a_task
from tests.contracts.upkeep import UpkeepContract, Write
from tests.servers import needs

pytestmark = needs("postgres")


class TestPostgresUpkeep(UpkeepContract):
    @pytest.fixture
    def upkeep(self, url: str) -> PostgresUpkeep:
        return PostgresUpkeep(url)

    @pytest.fixture
    async def write(self, url: str) -> AsyncIterator[Write]:
        async with accounts_at(url) as store:

            async def write(number: int) -> None:
                await store.append_audit(AuditEntry(NOW, "ada", f"action {number}"))

            yield write


async def broken(url: str, *statements: str) -> list[str]:
    """Make the store with an account and a task, do something to it behind its back, and return its problems."""
    async with tasks_at(url) as (accounts, tasks):
        await accounts.create_account(ADA)
        await tasks.enqueue(a_task())
    assert await PostgresUpkeep(url).problems() == []
    async with await stranger(url) as connection:
        for statement in statements:
            await connection.execute(statement)
    return await PostgresUpkeep(url).problems()


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("ALTER TABLE audit DISABLE TRIGGER audit_is_not_changed", "the audit log can be changed"),
        ("ALTER TABLE audit ENABLE TRIGGER audit_is_not_changed", "the audit log can be changed"),
        ("DROP TRIGGER audit_is_not_changed ON audit", "the audit log can be changed"),
        ("DROP INDEX tasks_waiting", "the index tasks_waiting is missing"),
        ("DROP VIEW corpus_terms", "the view corpus_terms is missing"),
        ("DROP TABLE codes", "the table codes is missing"),
        ("ALTER TABLE tasks DROP CONSTRAINT tasks_account_id_fkey", "tasks lacks 1 of its constraints (REFERENCES)"),
        ("ALTER TABLE tasks DROP CONSTRAINT tasks_state_check", "tasks lacks 1 of its constraints (CHECK)"),
        ("ALTER TABLE accounts DROP CONSTRAINT accounts_email_key_key", "accounts lacks 1 of its constraints (UNIQUE)"),
        ("ALTER TABLE usage DROP CONSTRAINT usage_pkey", "usage lacks 1 of its constraints (PRIMARY KEY)"),
        ("UPDATE schema_migrations SET checksum = 'x' WHERE version = 1", "was made by other migrations"),
        (
            f"INSERT INTO schema_migrations VALUES ({len(MIGRATIONS) + 1}, 'x')",
            "was written by a newer version of multidb-chat",
        ),
    ],
)
async def test_what_is_not_as_it_was_made_is_told(url: str, damage: str, told: str):
    (problem,) = await broken(url, damage)
    assert told in problem


async def test_rows_that_refer_to_nothing_are_told(url: str):
    problems = await broken(url, "SET session_replication_role = replica; DELETE FROM accounts")
    assert problems == ["rows of tasks that refer to nothing in accounts: 1"]


async def test_an_older_schema_is_no_problem_and_told_by_its_number(url: str):
    async with database_at(url, migrations=MIGRATIONS[:1]) as database:
        await database.fetch("SELECT 1")
    upkeep = PostgresUpkeep(url)
    report = await upkeep.report()
    assert (report.schema, report.known_schema, report.records) == (1, len(MIGRATIONS), {})
    assert await upkeep.problems() == []
    assert await upkeep.obstacle() == ""


async def test_a_schema_of_a_newer_program_is_refused(url: str):
    async with database_at(url, migrations=(*MIGRATIONS, "SELECT 1")) as database:
        await database.fetch("SELECT 1")
    with pytest.raises(SchemaTooNew):
        await PostgresUpkeep(url).report()


async def test_the_role_of_programs_can_look_after_the_store(emptied: str):
    upkeep = PostgresUpkeep(emptied)
    assert await upkeep.problems() == []
    assert await upkeep.obstacle() == ""
    assert (await upkeep.report()).records["accounts"] == 0


async def test_a_role_that_lacks_a_right_is_named(emptied: str, shared_url: str, roles: RolesMade):
    async with await stranger(shared_url) as connection:
        await connection.execute(f"REVOKE DELETE ON tasks FROM {roles.names.app}")
        try:
            assert await PostgresUpkeep(emptied).problems() == [
                f"the role {roles.names.app} may not read and write tasks"
            ]
            await connection.execute(f"REVOKE INSERT, UPDATE ON tasks FROM {roles.names.app}")
            assert f"The role {roles.names.app} may not write" in await PostgresUpkeep(emptied).obstacle()
        finally:
            await connection.execute(f"GRANT INSERT, UPDATE, DELETE ON tasks TO {roles.names.app}")


async def test_a_read_only_server_is_an_obstacle(emptied: str, roles: RolesMade):
    password = roles.passwords[roles.names.app]
    read_only = f"{url_as(emptied, roles.names.app, password)}&options=-c%20default_transaction_read_only%3Don"
    assert "is read-only" in await PostgresUpkeep(read_only).obstacle()


async def test_a_server_that_cannot_be_reached_is_told_and_shows_no_password():
    upkeep = PostgresUpkeep("postgresql://ada:secret@127.0.0.1:1/none")
    for look in (upkeep.report, upkeep.problems):
        with pytest.raises(StoreUnavailable, match="cannot be reached") as told:
            await look()
        assert "secret" not in str(told.value)
    assert "cannot be reached" in await upkeep.obstacle()
