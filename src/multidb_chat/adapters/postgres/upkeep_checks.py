"""What may be wrong with the tables on a PostgreSQL server, compared with the scripts that made them."""

import re
from collections.abc import Sequence

import psycopg
from psycopg import AsyncConnection, sql

from multidb_chat.adapters.postgres.transactions import Row
from multidb_chat.domain.text import clean_line

_MADE = re.compile(r"CREATE (?:UNIQUE )?(TABLE|INDEX|VIEW) (\w+)")
_TABLE = re.compile(r"CREATE TABLE (\w+) \((.*?)\n\s*\)[^,]*?;", re.DOTALL)
_GUARD = "audit_is_not_changed"
# By the letters of pg_constraint.contype.
_CONSTRAINTS = {"p": "PRIMARY KEY", "f": "REFERENCES", "u": "UNIQUE", "c": "CHECK"}
_RELATIONS = "SELECT relname::text FROM pg_class WHERE relnamespace = CURRENT_SCHEMA::regnamespace"
_INVALID = """
    SELECT 'index ' || indexrelid::regclass FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE relnamespace = CURRENT_SCHEMA::regnamespace AND NOT indisvalid
    UNION ALL
    SELECT 'constraint ' || conname FROM pg_constraint
    WHERE connamespace = CURRENT_SCHEMA::regnamespace AND NOT convalidated
"""
_COUNTED = """
    SELECT relname::text, contype::text, count(*) FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
    WHERE connamespace = CURRENT_SCHEMA::regnamespace GROUP BY 1, 2
"""
# ALWAYS: also while triggers are switched off for replication.
_GUARDED = "SELECT FROM pg_trigger WHERE tgrelid = to_regclass('audit') AND tgname = %s AND tgenabled = 'A'"
_REFERENCES = """
    SELECT conrelid::regclass::text, one.attname::text, confrelid::regclass::text, other.attname::text
    FROM pg_constraint
    JOIN pg_attribute AS one ON one.attrelid = conrelid AND one.attnum = conkey[1]
    JOIN pg_attribute AS other ON other.attrelid = confrelid AND other.attnum = confkey[1]
    WHERE contype = 'f' AND connamespace = CURRENT_SCHEMA::regnamespace ORDER BY 1
"""
_RIGHTS = """
    SELECT relname::text, current_user::text FROM pg_class
    WHERE relnamespace = CURRENT_SCHEMA::regnamespace AND relkind = 'r' AND relname = ANY(%s)
        AND NOT (has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT') AND (relname = 'audit'
            OR has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE')))
    ORDER BY 1
"""
_CHECKSUMS = "SELECT coalesce(checksum_failures, 0) FROM pg_stat_database WHERE datname = current_database()"


async def wrong_in(connection: AsyncConnection, migrations: Sequence[str]) -> list[str]:
    """Return what is not as these scripts made it, a line each; every row is read. Raises psycopg's errors."""
    if not migrations:
        return []
    script = "\n".join(migrations)
    tables = [name for kind, name in _MADE.findall(script) if kind == "TABLE"]
    rights = await _rows(connection, _RIGHTS, tables)
    if rights:  # then nothing else could be read
        return [f"the role {role} may not read and write {table}" for table, role in rights]
    return [
        *await _missing(connection, script),
        *[f"the {what} is not valid" for (what,) in await _rows(connection, _INVALID)],
        *await _unreadable(connection, tables),
        *await _dangling(connection),
        *[f"damaged pages on the server: {number}" for (number,) in await _rows(connection, _CHECKSUMS) if number],
    ]


async def _missing(connection: AsyncConnection, script: str) -> list[str]:
    present = {name for (name,) in await _rows(connection, _RELATIONS)}
    wrong = [f"the {kind.lower()} {name} is missing" for kind, name in _MADE.findall(script) if name not in present]
    counted = {(table, kind): count for table, kind, count in await _rows(connection, _COUNTED)}
    for table, columns in _TABLE.findall(script):
        for kind, word in _CONSTRAINTS.items():
            lacking = columns.count(word) - counted.get((table, kind), 0)
            if table in present and lacking > 0:
                wrong.append(f"{table} lacks {lacking} of its constraints ({word})")
    if not await _rows(connection, _GUARDED, _GUARD):
        wrong.append(f"the audit log can be changed: its trigger {_GUARD} is missing or switched off")
    return wrong


async def _unreadable(connection: AsyncConnection, tables: Sequence[str]) -> list[str]:
    """Read every value of every row, those that lie elsewhere for their length included."""
    wrong = []
    for table in tables:
        query = sql.SQL("SELECT sum(length(t::text)) FROM {} AS t").format(sql.Identifier(table))
        try:
            await connection.execute(query)
        except psycopg.errors.UndefinedTable:
            continue  # it is told as missing
        except (psycopg.InternalError, psycopg.DataError, psycopg.errors.DataCorrupted) as error:
            wrong.append(f"{table} cannot be read whole: {clean_line(error.diag.message_primary or str(error))}")
    return wrong


async def _dangling(connection: AsyncConnection) -> list[str]:
    """Follow every reference."""
    wrong = []
    for table, column, parent, key in await _rows(connection, _REFERENCES):
        query = sql.SQL("SELECT count(*) FROM {0} AS t WHERE NOT EXISTS (SELECT FROM {2} AS p WHERE p.{3} = t.{1})")
        names = (sql.SQL(table), sql.Identifier(column), sql.SQL(parent), sql.Identifier(key))
        rows = await (await connection.execute(query.format(*names))).fetchall()
        if count := rows[0][0]:
            wrong.append(f"rows of {table} that refer to nothing in {parent}: {count}")
    return wrong


async def _rows(connection: AsyncConnection, query: str, *parameters: object) -> list[Row]:
    return await (await connection.execute(query, parameters)).fetchall()
