"""Servers that stand still: connections stay open, nothing answers."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.servers import NAMES, Server, control


@asynccontextmanager
async def frozen(server: Server) -> AsyncIterator[None]:
    """Keep a server from running within the block (SIGSTOP)."""
    await asyncio.to_thread(control, "freeze", server)
    stopped = _children(server)
    try:
        for process in stopped:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGSTOP)
        yield
    finally:
        for process in stopped:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)
        await asyncio.to_thread(control, "thaw", server)


def _children(server: Server) -> list[int]:
    """Return the processes that a server has begun.

    Those of PostgreSQL lead process groups of their own, which a signal to the server's group does not reach.
    """
    folder = os.environ.get("TEST_SERVERS_DIR")
    written = Path(folder or "", NAMES[server], "pid")
    if folder is None or not written.exists():
        return []
    parent = written.read_text().strip()
    return [int(child) for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
