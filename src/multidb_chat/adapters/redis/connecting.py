"""The connections to a Redis server: two clients, since what reads may be tried again and what writes may not.

The driver would repeat an increment whose reply was lost; without retries it is the caller who decides, who knows
whether the call can be made twice. The times are those that were measured: the driver's own keep a caller waiting for a
minute at a server that hangs.
"""

import asyncio
from typing import Any, NamedTuple

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import (
    Sentinel,
    SentinelConnectionPool,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff

from multidb_chat.adapters.redis.address import Address

CONNECTIONS = 32  # of each client
# Shares of the seconds that a call may take: for a connection, for a free one in the pool, and for a Sentinel (when the
# first hangs, the next is asked). A reply may take all of them.
_CONNECT, _FREE, _SENTINEL = 0.5, 0.5, 0.3
_CHECKED_AFTER = 15  # seconds of idleness after which a connection is tried before it is used
_RETRIES = 2


class Clients(NamedTuple):
    """`reads` tries again at once, `writes` never does."""

    reads: Redis
    writes: Redis

    async def close(self) -> None:
        """Close all connections."""
        for client in self:
            await client.aclose()


class _Pool(BlockingConnectionPool):
    """Takes a connection back also when the call that gives it back is cancelled meanwhile, so that none is lost.

    Hands out none that was reset while it was idle: the driver only sees those that were ended.
    """

    async def ensure_connection(self, connection: AbstractConnection) -> None:
        writer = connection._writer
        if writer is not None and writer.transport.is_closing():
            await connection.disconnect(nowait=True)
        await super().ensure_connection(connection)

    async def release(self, connection: AbstractConnection) -> None:
        await asyncio.shield(super().release(connection))


class _MasterPool(SentinelConnectionPool, _Pool):
    """A pool of connections to the master that the Sentinels name."""


def connect(address: Address, deadline: float) -> Clients:
    """Return the clients of a server for calls of `deadline` seconds; nothing is connected before it is used."""
    again = Retry(ExponentialWithJitterBackoff(cap=0.1, base=0.01), _RETRIES)
    return Clients(_client(address, deadline, again), _client(address, deadline, Retry(NoBackoff(), 0)))


def _client(address: Address, deadline: float, retry: Retry) -> Redis:
    options: dict[str, Any] = {
        "max_connections": CONNECTIONS,
        "timeout": _FREE * deadline,
        "retry": retry,
        "health_check_interval": _CHECKED_AFTER,
        "db": address.database,
        **_link(address, _CONNECT * deadline, deadline),
        **_login(address),
    }
    if not address.service:
        host, port = address.hosts[0]
        options["connection_class"] = SSLConnection if address.tls else Connection
        return Redis.from_pool(_Pool(host=host, port=port, **options))
    options["connection_class"] = SentinelManagedSSLConnection if address.tls else SentinelManagedConnection
    return Redis.from_pool(_MasterPool(address.service, _sentinel(address, _SENTINEL * deadline), **options))  # type: ignore[no-untyped-call]


def _sentinel(address: Address, seconds: float) -> Sentinel:
    asked = {**_link(address, seconds, seconds), "retry": Retry(NoBackoff(), 0), "ssl": address.tls}
    if address.same_login:
        asked |= _login(address)
    return Sentinel(address.hosts, sentinel_kwargs=asked)  # type: ignore[no-untyped-call]


def _login(address: Address) -> dict[str, Any]:
    return {"username": address.user, "password": address.password}


def _link(address: Address, connect: float, answer: float) -> dict[str, Any]:
    # RESP2 and a driver that does not introduce itself: a connection is there after the log-in, whichever server it is.
    return {
        "socket_connect_timeout": connect,
        "socket_timeout": answer,
        "protocol": 2,
        "driver_info": None,
        **address.files,
    }
