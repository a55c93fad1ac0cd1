"""`StoreStates`: which stores on servers are away, since when, and what waits for them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from multidb_chat.domain.errors import StoreError
from multidb_chat.domain.journal import Backlog, Journal, Outage, StoreState
from multidb_chat.services.accounts import utc_now
from multidb_chat.services.figures_wording import Rows

Probe = Callable[[], Awaitable[object]]
"""Asks a store for next to nothing."""
_PATIENCE = 3.0  # seconds


class StoreStates:
    """Asks the stores on servers, all at once. Without any, nothing is asked and nothing is opened."""

    def __init__(
        self,
        probes: Mapping[str, Probe],
        journal: Callable[[], Journal],
        backlogs: Mapping[str, Callable[[], Awaitable[Backlog]]],
        clock: Callable[[], datetime] = utc_now,
        *,
        making: Callable[[str], bool] = lambda store: False,
    ) -> None:
        """`backlogs` tell what waits beside the journal, by store; `making` whether a store's tables are being made."""
        self._probes = probes
        self._journal = journal
        self._backlogs = backlogs
        self._making = making
        self._clock = clock

    async def now(self) -> Sequence[StoreState]:
        """Return how each of them is; what the journal cannot tell is left out."""
        return await asyncio.gather(*(self._state(store, probe) for store, probe in self._probes.items()))

    async def _state(self, store: str, probe: Probe) -> StoreState:
        problem = await self._problem(store, probe)
        try:
            known = (await self._journal().outages()).get(store)
            if known is not None and not problem:  # found by a process that did not live to see it back
                await self._journal().set_outage(store, None)
            waiting = self._backlogs.get(store)
            backlog = await (waiting() if waiting is not None else self._journal().backlog(store))
        except StoreError:
            known, backlog = None, Backlog()
        if not problem:
            return StoreState(store, None, backlog)
        return StoreState(store, Outage(known.since if known else self._clock(), problem), backlog)

    async def _problem(self, store: str, probe: Probe) -> str:
        """Return why the store does not answer, empty where it does."""
        probing = asyncio.ensure_future(probe())
        try:
            while True:
                making = self._making(store)
                done, _ = await asyncio.wait({probing}, timeout=_PATIENCE)
                if done or not (making or self._making(store)):
                    break
        finally:
            probing.cancel()
        if not done:
            return f"It did not answer within {_PATIENCE:g} s."
        try:
            probing.result()
        except StoreError as error:
            return str(error)
        return ""


def state_rows(states: Sequence[StoreState]) -> Rows:
    """Return the states as names and values."""
    return [(state.store.capitalize(), told(state)) for state in states]


def told(state: StoreState) -> str:
    """Return how a store is, in a line."""
    if state.outage is None:
        line = "answers"
    else:
        line = f"away since {state.outage.since:%Y-%m-%d %H:%M:%S} UTC ({state.outage.error.rstrip('.')})"
    return "; ".join([line, *_waiting(state.backlog)])


def _waiting(backlog: Backlog) -> Sequence[str]:
    lines = []
    if backlog.waiting:
        since = f", the oldest since {backlog.oldest:%Y-%m-%d %H:%M:%S} UTC" if backlog.oldest else ""
        lines.append(f"{backlog.waiting:,} waiting here{since}")
    if backlog.refused:
        lines.append(f"{backlog.refused:,} refused")
    return lines
