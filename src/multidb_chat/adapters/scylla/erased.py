"""Which accounts were erased, so that a write that comes late does not bring anything of them back."""

from multidb_chat.adapters.scylla.connection import Connection
from multidb_chat.domain.errors import NotFound


async def mark(connection: Connection, account_id: str) -> None:
    """Remember that the account was erased; an identifier is never given again."""
    await connection.write("INSERT INTO erased (account_id) VALUES (?)", account_id)


async def refuse(connection: Connection, account_id: str) -> None:
    """Raise `NotFound` for an account that was erased."""
    if await connection.rows("SELECT account_id FROM erased WHERE account_id = ?", account_id):
        raise NotFound(f"There is no account {account_id!r} any more.")
