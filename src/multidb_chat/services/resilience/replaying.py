"""`Replayer`: does what waits for a store, lane by lane and in order, as soon as the store is back."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import NamedTuple

from multidb_chat.domain.errors import MultidbChatError, SchemaTooNew, StoreError, StoreFull, StoreUnavailable
from multidb_chat.domain.journal import Journal, JournalEntry

BATCH = 2_000
LANES = 16
"""So many entries are taken at a time, and so many lanes are done side by side."""
WAITING = (StoreUnavailable, StoreFull, SchemaTooNew)
"""What a store raises that cannot take anything now; all else it raises is about what it was given."""
_EVERY = 1.0  # seconds between two looks at a store that is away; its breaker decides whether it is asked
_log = logging.getLogger(__name__)


class Outcome(NamedTuple):
    """What became of entries: done (or not needed any more), or refused for a reason."""

    seqs: tuple[int, ...]
    refusal: str = ""


Lane = Callable[[Sequence[JournalEntry]], AsyncIterator[Outcome]]
"""Does the entries of one lane in order, and yields what became of them. Raises what `WAITING` names."""


async def _pause() -> None:
    await asyncio.sleep(_EVERY * (0.5 + random.random() / 2))  # noqa: S311 - so that processes do not go in step


class Replayer:
    """Does what waits for one store. It runs while something waits, and ends by itself.

    Of the processes of an installation one at a time does it; the others look again later, since that one may end.
    """

    def __init__(
        self,
        journal: Journal,
        store: str,
        lane: Lane,
        *,
        pause: Callable[[], Awaitable[None]] = _pause,
    ) -> None:
        self._journal = journal
        self._store = store
        self._lane = lane
        self._pause = pause
        self._task: asyncio.Task[None] | None = None
        self._again = False

    def wake(self) -> None:
        """Begin to look whether something waits, unless it is being done already."""
        self._again = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop; what is on its way to the store is done or stays in the journal."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def drain(self) -> bool:
        """Do what waits, once; tell whether nothing waits any more. Raises `StoreError` of the journal."""
        if not (await self._journal.backlog(self._store)).waiting:
            return True
        with self._journal.replaying(self._store) as mine:
            return await self._drained() if mine else False

    async def _run(self) -> None:
        while self._again:
            self._again = False
            try:
                while not await self.drain():
                    await self._pause()
            except StoreError as error:  # what waits in a journal that cannot be read is done another time
                _log.warning("What waits for the %s store was not done: %s", self._store, error)

    async def _drained(self) -> bool:
        """Do batch after batch; False when the store is away again."""
        while batch := await self._journal.waiting(self._store, limit=BATCH):
            lanes: dict[str, list[JournalEntry]] = {}
            for entry in batch:
                lanes.setdefault(entry.lane, []).append(entry)
            free = asyncio.Semaphore(LANES)
            ended = await asyncio.gather(*(self._done(entries, free) for entries in lanes.values()))
            if not all(ended):
                return False
        return True

    async def _done(self, entries: Sequence[JournalEntry], free: asyncio.Semaphore) -> bool:
        """Do the entries of a lane, and note what became of each group; False when the store is away."""
        async with free:
            try:
                async for outcome in self._lane(entries):
                    await self._noted(outcome)
            except WAITING as error:
                _log.info("What waits for the %s store goes on waiting: %s", self._store, error)
                return False
            except MultidbChatError as error:  # nothing but the lane itself is held up by it
                await self._noted(Outcome(tuple(entry.seq for entry in entries), str(error)))
            except Exception as error:  # noqa: BLE001 - what no version of the program can read is kept as well
                _log.exception("What waits in the lane %s cannot be done.", entries[0].lane)
                reason = f"It cannot be read ({type(error).__name__})."
                await self._noted(Outcome(tuple(entry.seq for entry in entries), reason))
        return True

    async def _noted(self, outcome: Outcome) -> None:
        if not outcome.refusal:
            await self._journal.remove(outcome.seqs)
            return
        _log.warning("The %s store refused %d entries: %s", self._store, len(outcome.seqs), outcome.refusal)
        await self._journal.refuse(dict.fromkeys(outcome.seqs, outcome.refusal))
