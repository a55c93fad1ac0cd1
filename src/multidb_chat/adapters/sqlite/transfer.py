"""`SqliteTransfer`: the port `Transfer` for an embedded store."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from multidb_chat.adapters.sqlite import identity
from multidb_chat.adapters.sqlite.database import Database
from multidb_chat.adapters.sqlite.transfer_rows import AppendedRows, PlainRows, Rows
from multidb_chat.domain.transfer import Key, Origin, Page, Row, Table, Value
from multidb_chat.domain.transfer_tables import ACCOUNTS, ACCOUNTS_TABLES, CONVERSATIONS_TABLES, LIBRARY_TABLES


class SqliteTransfer:
    """Carries the rows of the store in the file `path`, which is made when something is to be written.

    `rows` are the tables, in the order to write them. A page is read in one transaction, in order of key.
    """

    def __init__(self, path: Path, store: str, schema: Sequence[str], rows: Sequence[tuple[Table, Rows]]) -> None:
        self.store = store
        self.tables = tuple(table for table, _ in rows)
        self._path = path
        self._rows = {table.name: one for table, one in rows}
        self._database = Database(path, store, schema)

    async def origin(self) -> Origin | None:
        """Return where the store comes from; None while there is no file."""
        return await self._database.read(identity.origin) if self._path.exists() else None

    async def adopt(self, origin: Origin) -> None:
        """Become what a store is carried to."""
        await self._database.write(lambda c: identity.adopt(c, origin))

    async def rows(self, table: Table, after: Key | None = None, limit: int = 500) -> Page:
        """Return rows behind a key, in order of key."""
        if not self._path.exists():
            return Page([], None)
        return await self._database.read(lambda c: self._rows[table.name].page(c, after, limit))

    async def find(self, table: Table, keys: Sequence[Key]) -> list[Row]:
        """Return the rows of these keys."""
        return await self._database.read(lambda c: self._rows[table.name].find(c, keys))

    async def put(self, table: Table, rows: Sequence[Row]) -> None:
        """Add or replace rows in one transaction. Raises `Conflict`."""
        await self._database.write(lambda c: self._rows[table.name].put(c, rows))

    async def remove(self, table: Table, keys: Sequence[Key]) -> None:
        """Remove rows in one transaction. Raises `Conflict`."""
        await self._database.write(lambda c: self._rows[table.name].remove(c, keys))

    async def close(self) -> None:
        """Finish what is being written and close the file."""
        await self._database.close()


def accounts_transfer(data: Path) -> SqliteTransfer:
    """Return what carries the accounts in the folder `data`."""
    from multidb_chat.adapters.sqlite.accounts_schema import SCHEMA

    rows = [(table, AppendedRows(table) if table.appended else PlainRows(table)) for table in ACCOUNTS_TABLES]
    rows = [(table, PlainRows(table, derived=_email_key) if table is ACCOUNTS else one) for table, one in rows]
    return SqliteTransfer(data / "accounts.sqlite", "accounts", SCHEMA, rows)


def conversations_transfer(data: Path) -> SqliteTransfer:
    """Return what carries the conversations in the folder `data`."""
    from multidb_chat.adapters.sqlite.conversations_schema import SCHEMA
    from multidb_chat.adapters.sqlite.transfer_conversations import rows_of

    rows = [(table, rows_of(table)) for table in CONVERSATIONS_TABLES]
    return SqliteTransfer(data / "conversations.sqlite", "conversations", SCHEMA, rows)


def library_transfer(data: Path) -> SqliteTransfer:
    """Return what carries the library in the folder `data`."""
    from multidb_chat.adapters.sqlite.library_schema import SCHEMA
    from multidb_chat.adapters.sqlite.transfer_library import rows_of

    rows = [(table, rows_of(table)) for table in LIBRARY_TABLES]
    return SqliteTransfer(data / "library.sqlite", "library", SCHEMA, rows)


def _email_key(values: Mapping[str, Value]) -> Mapping[str, Value]:
    email = values["email"]
    return {"email_key": None if email is None else email.casefold()}
