"""`OutageLog`: remembers for all processes of an installation which stores are away, as their breakers find it."""

import asyncio
import logging

from multidb_chat.domain.errors import StoreError
from multidb_chat.domain.journal import Journal, Outage
from multidb_chat.services.resilience.breaker import Breaker

_log = logging.getLogger(__name__)


class OutageLog:
    """Told of every change of a breaker. What cannot be written is logged: nothing depends on it."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._writing: set[asyncio.Task[None]] = set()

    def changed(self, breaker: Breaker) -> None:
        """Remember that a breaker has opened or closed; a probe changes nothing."""
        if breaker.state == "probing":
            return
        outage = Outage(breaker.since, breaker.error) if breaker.state == "open" and breaker.since else None
        _log.warning("The %s store is %s", breaker.store, f"away: {breaker.error}" if outage else "back")
        task = asyncio.get_running_loop().create_task(self._write(breaker.store, outage))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def close(self) -> None:
        """Finish what is being written."""
        if self._writing:
            await asyncio.wait(self._writing)

    async def _write(self, store: str, outage: Outage | None) -> None:
        try:
            await self._journal.set_outage(store, outage)
        except StoreError as error:
            _log.warning("That the %s store is %s was not written down: %s", store, "away" if outage else "back", error)
