"""Workers: each claims one task at a time, runs its handler, and keeps the task for as long as it takes."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import (
    InvalidInput,
    MultidbChatError,
    Refused,
    SchemaTooNew,
    StoreCorrupt,
    StoreError,
)
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.permissions import Permission, require
from multidb_chat.domain.tasks import Task, Tasks
from multidb_chat.domain.text import clean_line
from multidb_chat.services.accounts import utc_now
from multidb_chat.services.tasks.handling import Handler, Outcome

# What another try would not mend.
_FINAL = (InvalidInput, Refused, StoreCorrupt, SchemaTooNew)
_LONGEST_LINE = 500
_log = logging.getLogger(__name__)


class People(Protocol):
    """What a worker needs of the accounts."""

    async def account(self, account_id: str) -> Account | None:
        """Return the account as it is now."""


class Announcer(Protocol):
    """Who is told when a task has ended."""

    async def announce(self, task: Task) -> None:
        """Tell its owner. Never raises."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How a worker goes about it, in seconds.

    A task is held for `lease` and that is renewed every `beat`, which is also how soon a cancelled one stops. `poll` is
    how often is looked for work. A failed try is repeated after `backoff`, doubled each time up to `longest`.
    """

    lease: float = 60.0
    beat: float = 2.0
    poll: float = 0.5
    backoff: float = 10.0
    longest: float = 3_600.0

    def wait_after(self, attempts: int) -> timedelta:
        """Return how long to wait before the try that follows so many failed ones."""
        return timedelta(seconds=min(self.backoff * 2.0 ** (attempts - 1), self.longest))


@dataclass(slots=True)
class _Told:
    """How far the running handler said it is."""

    progress: float = 0.0
    step: str = ""

    def tell(self, progress: float, step: str) -> None:
        self.progress, self.step = min(max(progress, 0.0), 1.0), _line(step)


class Worker:
    """Runs tasks of the kinds it has `handlers` for. Any number of workers, in any number of processes, are safe.

    A task is lost by no crash: whoever claims it when its lease is over begins it anew, and the first holder's word
    does not count any more. `beside` is what else is done for as long as a worker runs, until it is cancelled. `sleep`
    and `clock` are there for tests.
    """

    def __init__(
        self,
        tasks: Tasks,
        people: People,
        handlers: Mapping[str, Callable[[], Handler]],
        announcer: Announcer,
        *,
        beside: Sequence[Callable[[], Coroutine[Any, Any, None]]] = (),
        pace: Pace | None = None,
        clock: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], Coroutine[Any, Any, None]] = asyncio.sleep,
    ) -> None:
        self._tasks = tasks
        self._people = people
        self._handlers = handlers
        self._announcer = announcer
        self._beside = beside
        self._pace = pace or Pace()
        self._clock = clock
        self._sleep = sleep

    async def run(self, lanes: int = 1) -> None:
        """Work until cancelled, on so many tasks at a time; what is not done then is given back to the queue."""
        async with asyncio.TaskGroup() as group:
            for _ in range(lanes):
                group.create_task(self._lane())
            for work in self._beside:
                group.create_task(work())

    async def _lane(self) -> None:
        while True:
            try:
                worked = await self.step()
            except StoreError as error:
                _log.warning("A worker found no work: %s", error)
                worked = False
            except Exception:  # noqa: BLE001 - whatever became of one task, the next one has its turn
                _log.exception("A worker stumbled.")
                worked = False
            if not worked:
                await self._sleep(self._pace.poll)

    async def step(self) -> bool:
        """Claim one task and work on it to its end; False when there was none. Raises `StoreError`."""
        now = self._clock()
        lease = now + timedelta(seconds=self._pace.lease)
        claim = await self._tasks.claim(new_id(), now, lease, list(self._handlers))
        if claim is None:
            return False
        told = _Told()
        work = asyncio.ensure_future(self._work(claim, told))
        beating = asyncio.ensure_future(self._beat(claim, told, work))
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError:
            work.cancel()
            await asyncio.wait({work})
            await _to_its_end(self._give_back(claim))
            raise
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
        if not work.cancelled():
            await self._end(claim, work)
        return True

    async def _work(self, claim: Task, told: _Told) -> Outcome:
        """Run the handler, if the task's owner may still have it run."""
        account = await self._people.account(claim.account_id)
        if account is None:
            raise InvalidInput("The account of this task does not exist any more.")
        require(account, Permission.RUN_TASKS)
        return await self._handlers[claim.kind]()(claim, account, told.tell)

    async def _beat(self, claim: Task, told: _Told, work: "asyncio.Future[Outcome]") -> None:
        """Keep the task while the handler works; end the handler when the task was cancelled or is lost."""
        held_until = claim.lease_until
        while True:
            await self._sleep(self._pace.beat)
            until = self._clock() + timedelta(seconds=self._pace.lease)
            try:
                if not await self._tasks.heartbeat(claim, until, told.progress, told.step):
                    break
                held_until = until
            except StoreError as error:
                _log.warning("A task could not be kept: %s", error)
                if held_until is None or self._clock() >= held_until:
                    break  # another worker may have it by now
        work.cancel()

    async def _end(self, claim: Task, work: "asyncio.Future[Outcome]") -> None:
        """Say what came of the handler; what cannot be said now is done again when the lease is over."""
        error = work.exception()
        try:
            if error is None:
                outcome = work.result()
                ended = await self._tasks.finish(claim, self._clock(), outcome.result, _line(outcome.summary))
            else:
                ended = await self._failed(claim, error)
            if ended and (task := await self._tasks.task(claim.id)) is not None and task.ended:
                await self._announcer.announce(task)
        except StoreError as trouble:
            _log.warning("The end of a task could not be stored: %s", trouble)

    async def _failed(self, claim: Task, error: BaseException) -> bool:
        now = self._clock()
        if isinstance(error, MultidbChatError):
            text = str(error)
        else:
            _log.error("A task of the kind %s failed.", claim.kind, exc_info=error)
            text = f"something unexpected happened ({type(error).__name__}); the log has the details"
        again = not isinstance(error, _FINAL) and claim.attempts < claim.max_attempts
        retry_at = now + self._pace.wait_after(claim.attempts) if again else None
        return await self._tasks.fail(claim, now, _line(text), retry_at)

    async def _give_back(self, claim: Task) -> None:
        with suppress(StoreError):  # then its lease has to run out
            await self._tasks.release(claim)


def _line(text: str) -> str:
    return clean_line(text)[:_LONGEST_LINE]


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Run the work to its end, also when the one who waits is cancelled once more."""
    task = asyncio.ensure_future(work)
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(task)
