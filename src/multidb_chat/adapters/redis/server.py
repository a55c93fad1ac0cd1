"""Calls to a Redis server that end in time, and whose failures are the domain's."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from multidb_chat.adapters.redis.address import Address
from multidb_chat.adapters.redis.connecting import connect
from multidb_chat.adapters.redis.failures import RAISED, translated
from multidb_chat.adapters.redis.scripts import Script

DEADLINE = 1.0  # seconds that a call may take, with all its tries; a cache that is slower helps nobody
Argument = bytes | str | float


class Server:
    """A Redis server. Raises `StoreError`, within `deadline` seconds also where the server hangs."""

    def __init__(self, address: Address, deadline: float) -> None:
        self.address = address
        self._deadline = deadline
        self._clients = connect(address, deadline)

    async def close(self) -> None:
        """Close the connections."""
        await self._clients.close()

    async def read(self, *command: Argument) -> Any:
        """Do what may be done twice, and is tried again when a connection breaks."""
        return await self._in_time(_sent(self._clients.reads, *command))

    async def write(self, *command: Argument) -> Any:
        """Do what is sent once."""
        return await self._in_time(_sent(self._clients.writes, *command))

    async def run(self, script: Script, *arguments: Argument) -> Any:
        """Run a script that is sent once."""
        return await self._in_time(_run(self._clients.writes, script, arguments))

    async def ask(self, script: Script, *arguments: Argument) -> Any:
        """Run a script that may run twice."""
        return await self._in_time(_run(self._clients.reads, script, arguments))

    async def _in_time(self, call: Awaitable[Any]) -> Any:
        try:
            async with asyncio.timeout(self._deadline):
                return await call
        except RAISED as error:
            raise translated(error, self.address.place) from error


async def _run(client: Redis, script: Script, arguments: tuple[Argument, ...]) -> Any:
    """Run a script by its name, or by its text where the server does not know it (any more)."""
    try:
        return await _sent(client, "EVALSHA", script.sha, 0, *arguments)
    except NoScriptError:  # nothing was done
        return await _sent(client, "EVAL", script.text, 0, *arguments)


def _sent(client: Redis, *command: Argument) -> Awaitable[Any]:
    sent: Awaitable[Any] = client.execute_command(*command)  # type: ignore[no-untyped-call]
    return sent
