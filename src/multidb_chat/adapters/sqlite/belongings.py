"""`SqliteBelongings`: the port `Belongings` for the embedded stores in a folder."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from multidb_chat.adapters.sqlite.conversations import SqliteConversations
from multidb_chat.adapters.sqlite.library import SqliteLibrary
from multidb_chat.adapters.sqlite.transfer import SqliteTransfer, conversations_transfer, library_transfer
from multidb_chat.domain.transfer import Key, Table
from multidb_chat.domain.transfer_tables import COLLECTIONS, CONVERSATIONS, FEEDBACK


class SqliteBelongings:
    """What accounts have in those of the `stores` that lie in the folder `data`."""

    def __init__(self, data: Path, stores: Sequence[str]) -> None:
        talks, shelves = conversations_transfer(data), library_transfer(data)
        self._transfers = (talks, shelves)
        self._owned: list[tuple[SqliteTransfer, Table, str]] = []
        self._ports: list[SqliteConversations | SqliteLibrary] = []
        if "conversations" in stores:
            self._owned += [(talks, CONVERSATIONS, "account_id"), (talks, FEEDBACK, "account_id")]
            self._ports.append(SqliteConversations(data / "conversations.sqlite"))
        if "library" in stores:
            self._owned.append((shelves, COLLECTIONS, "owner_id"))
            self._ports.append(SqliteLibrary(data / "library.sqlite"))

    async def owners(self) -> AsyncIterator[str]:
        """Yield the accounts that something belongs to, each once."""
        met: set[str] = set()
        for transfer, table, column in self._owned:
            place = table.columns.index(column)
            after: Key | None = None
            while True:
                page = await transfer.rows(table, after, table.page)
                new = {str(row[place]) for row in page.rows} - met
                met |= new
                for owner in new:
                    yield owner
                if page.after is None:
                    break
                after = page.after

    async def erase(self, account_id: str) -> None:
        """Remove all that belongs to an account."""
        for port in self._ports:
            await port.erase(account_id)

    async def close(self) -> None:
        """Close the files."""
        for one in (*self._transfers, *self._ports):
            await one.close()
