"""Roles on PostgreSQL: what each may and may not; that the role of programs may do all they do, the contracts prove."""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import astuple

import psycopg
import pytest

from multidb_chat.adapters.postgres.database import Database
from multidb_chat.adapters.postgres.roles import PostgresRoles
from multidb_chat.adapters.postgres.roles_sql import READABLE
from multidb_chat.adapters.postgres.schema import MIGRATIONS
from multidb_chat.adapters.postgres.upkeep import PostgresUpkeep
from multidb_chat.domain.audit import AuditEntry
from multidb_chat.domain.database_roles import RolesMade
from multidb_chat.domain.errors import InvalidInput, NotPermitted, StoreUnavailable
from tests.adapters.postgres.opening import accounts_at, database_at, role_names, roles_at, stranger, url_as
from tests.contracts.accounts_processes import ADA, NOW
from tests.servers import needs

pytestmark = needs("postgres")

_VISIBLE = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = CURRENT_SCHEMA"


def owner_url(url: str, made: RolesMade) -> str:
    return url_as(url, made.names.owner, made.passwords[made.names.owner])


@asynccontextmanager
async def reading(url: str, made: RolesMade) -> AsyncIterator[psycopg.AsyncConnection]:
    """A connection of somebody who was granted the reader and nothing else."""
    async with await stranger(url) as connection:
        await connection.execute(f"SET ROLE {made.names.reader}")
        yield connection


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE audit SET actor = 'nobody'",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "ALTER TABLE audit DISABLE TRIGGER ALL",
        "DROP TRIGGER audit_is_not_changed ON audit",
        "DROP TABLE audit",
        "SET session_replication_role = replica",
        "INSERT INTO schema_migrations VALUES (99, '')",
        "DELETE FROM schema_migrations",
        "CREATE TABLE mine (id int)",
        "CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS ''",
        "CREATE OR REPLACE VIEW corpus_terms AS SELECT 1",
        "ALTER TABLE accounts ADD COLUMN mine int",
        "SELECT * FROM pg_authid",
        "CREATE ROLE mine",
    ],
)
async def test_the_role_of_programs_changes_no_record_and_no_table(emptied: str, attack: str):
    async with accounts_at(emptied) as store:
        entry = await store.append_audit(AuditEntry(NOW, "ada", "a"))
        async with await stranger(emptied) as connection:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await connection.execute(attack)
        assert await store.audit() == [entry]


async def test_the_reader_reads_the_corpus_and_nothing_else(emptied: str, shared_url: str, roles: RolesMade):
    async with reading(shared_url, roles) as connection:
        rows = await connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = CURRENT_SCHEMA"
        )
        assert {name for (name,) in await rows.fetchall()} == set(READABLE)
        for view in READABLE:
            await connection.execute(f"SELECT * FROM {view}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await connection.execute("DELETE FROM corpus_documents")
        for table in ("accounts", "sessions", "audit", "tasks"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await connection.execute(f"SELECT * FROM {table}")


async def test_everything_in_the_schema_belongs_to_the_owner(shared_url: str, roles: RolesMade):
    async with await stranger(shared_url) as connection:
        owners = await connection.execute(
            "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = CURRENT_SCHEMA::regnamespace"
            " UNION SELECT pg_get_userbyid(proowner) FROM pg_proc WHERE pronamespace = CURRENT_SCHEMA::regnamespace"
            " UNION SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = CURRENT_SCHEMA"
        )
        assert await owners.fetchall() == [(roles.names.owner,)]


async def test_what_an_upgrade_adds_can_be_used_at_once(emptied: str, shared_url: str, roles: RolesMade):
    async with await stranger(owner_url(shared_url, roles)) as owner, await stranger(emptied) as program:
        await owner.execute("CREATE TABLE added (id int)")
        await program.execute("INSERT INTO added VALUES (1)")
        await owner.execute("DROP TABLE added")


async def test_making_roles_again_keeps_them_and_takes_away_what_is_too_much(shared_url: str, roles: RolesMade):
    async with await stranger(shared_url) as connection:
        await connection.execute(f"GRANT ALL ON audit, accounts TO {roles.names.app}, {roles.names.reader}")
        for url in (shared_url, owner_url(shared_url, roles)):
            again = await PostgresRoles(url).make(roles.names)
            assert (again.names, again.passwords) == (roles.names, {})
        rights = await connection.execute(
            "SELECT grantee::text, privilege_type FROM information_schema.role_table_grants"
            " WHERE table_schema = CURRENT_SCHEMA AND table_name = 'audit' AND grantee = ANY(%s) ORDER BY 2",
            ([roles.names.app, roles.names.reader],),
        )
        assert await rights.fetchall() == [(roles.names.app, "INSERT"), (roles.names.app, "SELECT")]


async def test_passwords_reach_the_server_as_verifiers(shared_url: str, roles: RolesMade):
    async with await stranger(shared_url) as connection:
        rows = await connection.execute(
            "SELECT rolname::text, rolpassword FROM pg_authid WHERE rolname = ANY(%s)", (list(astuple(roles.names)),)
        )
        stored = dict(await rows.fetchall())
    assert stored.pop(roles.names.reader) is None
    assert stored.keys() == roles.passwords.keys()
    for role, verifier in stored.items():
        _, parameters, keys = verifier.split("$")
        rounds, salt = parameters.split(":")
        salted = hashlib.pbkdf2_hmac("sha256", roles.passwords[role].encode(), base64.b64decode(salt), int(rounds))
        key = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
        assert keys.split(":")[0] == base64.b64encode(key).decode()


async def test_the_printed_sql_does_the_same_and_holds_no_password(url: str):
    roles = PostgresRoles(url)
    async with database_at(url) as database:
        await database.fetch("SELECT 1")
    with role_names(url) as names:
        script, made = await roles.script(names)
        assert not any(password in script for password in made.passwords.values())
        async with await stranger(url) as connection:
            await connection.execute(script)
            await connection.execute(script)
        again = await roles.make(names)
        assert again.passwords == {}
        async with database_at(url_as(url, names.app, made.passwords[names.app])) as database:
            assert await database.fetch("SELECT count(*) FROM audit") == [(0,)]


async def test_roles_may_be_made_before_the_tables(url: str):
    roles = PostgresRoles(url)
    with role_names(url) as names:
        made = await roles.make(names)
        async with database_at(owner_url(url, made)) as database:
            await database.fetch("SELECT 1")
        async with await stranger(url_as(url, names.app, made.passwords[names.app])) as program:
            await program.execute("INSERT INTO attempts VALUES ('a', 1, now(), now())")
            for attack in ("UPDATE audit SET actor = ''", "TRUNCATE audit", "DELETE FROM schema_migrations"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    await program.execute(attack)
        assert await PostgresUpkeep(url_as(url, names.app, made.passwords[names.app])).problems() == []


async def test_whoever_owns_the_tables_and_may_create_roles_need_not_be_a_superuser(url: str):
    with role_names(url) as others, role_names(url) as names:
        async with await stranger(url) as superuser:
            await superuser.execute(f"CREATE ROLE {others.owner} LOGIN CREATEROLE")
            await superuser.execute(f"GRANT CREATE ON DATABASE {superuser.info.dbname} TO {others.owner}")
        made = await roles_at(url_as(url, others.owner, ""), names)
        again = await PostgresRoles(url_as(url, others.owner, "")).make(names)
        assert again.passwords == {}
        async with accounts_at(url_as(url, names.app, made.passwords[names.app])) as store:
            await store.create_account(ADA)
        async with accounts_at(owner_url(url, made)) as store:
            assert await store.account(ADA.id) == ADA


async def test_a_role_that_may_not_is_told_so(emptied: str, roles: RolesMade):
    with pytest.raises(NotPermitted, match="--print-sql"):
        await PostgresRoles(emptied).make(roles.names)
    with pytest.raises(StoreUnavailable):
        await PostgresRoles("postgresql://nobody@127.0.0.1:1/none").make(roles.names)


@pytest.mark.parametrize("name", ["", "pg_mine", "a b", 'a"b', "a'b", "A", "x" * 57, "ä"])
def test_a_name_that_would_need_quotes_is_refused(name: str):
    with pytest.raises(InvalidInput):
        PostgresRoles("postgresql://nobody@127.0.0.1:1/none").names(name)


async def test_a_program_that_may_not_upgrade_the_tables_says_so_in_a_line(emptied: str, roles: RolesMade):
    for database, state in (
        (Database(emptied, migrations=(*MIGRATIONS, "SELECT 1")), f"schema {len(MIGRATIONS)}, this program needs"),
        (Database(f"{emptied}_other"), "has no tables yet"),
    ):
        with pytest.raises(StoreUnavailable, match=state) as told:
            await database.fetch("SELECT 1")
        assert "\n" not in str(told.value)
        assert "as the role that owns the tables" in str(told.value)
        assert roles.passwords[roles.names.app] not in str(told.value)
        await database.close()
