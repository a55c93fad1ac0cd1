"""The connections that a program keeps open to a server."""

import select

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from multidb_chat.adapters.postgres.server import Server

SMALLEST, LARGEST = 2, 10
WAITING = 100
"""Calls that may wait for a connection; more are turned away at once."""
PATIENCE = 2.0
"""Seconds that a call waits for a connection."""

_LIFETIME = 1800.0
# Soon given up, and begun anew by the next call: the pool's own pauses between attempts would grow to minutes.
_RECONNECTING = 1.0


async def new_pool(server: Server) -> AsyncConnectionPool[AsyncConnection]:
    """Open a pool; it makes its first connections in the background."""
    pool: AsyncConnectionPool[AsyncConnection]

    async def check(connection: AsyncConnection) -> None:
        """Raise when the server has closed an idle connection; replace all others of the time before, too.

        Something to read on a connection that asked nothing tells that its server ended or restarted, at no cost;
        only then a round trip tells whether it really did.
        """
        if not _has_something_to_read(connection):
            return
        try:
            await AsyncConnectionPool.check_connection(connection)
        except Exception:
            await pool.drain()
            raise

    pool = AsyncConnectionPool(
        kwargs=server.arguments,
        min_size=SMALLEST,
        max_size=LARGEST,
        open=False,
        configure=server.prepare,
        check=check,
        name=f"postgres {server.where}",
        timeout=PATIENCE,
        max_waiting=WAITING,
        max_lifetime=_LIFETIME,
        reconnect_timeout=_RECONNECTING,
    )
    await pool.open()
    return pool


def _has_something_to_read(connection: AsyncConnection) -> bool:
    poller = select.poll()
    poller.register(connection.fileno(), select.POLLIN)
    return bool(poller.poll(0))
