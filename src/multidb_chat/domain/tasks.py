"""Background work: tasks, the queue that gives them to workers, and the inbox of those that ended; and the port.

A task's life::

    queued ──claim──► running ──finish──► done ─┐
      ▲ ▲               │ │                     ├─► in the inbox until it is read and cleared
      │ └──fail, later──┘ └──fail, for good──► failed
      └──────────────────────retry───────────────┘        (cancelled: from queued and running, by who owns it)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

TaskState = Literal["queued", "running", "done", "failed", "cancelled"]
TASK_STATES: tuple[TaskState, ...] = ("queued", "running", "done", "failed", "cancelled")
ENDED: frozenset[TaskState] = frozenset({"done", "failed", "cancelled"})
MAX_ATTEMPTS = 5
LOST = "Each program that worked on it ended before it was done."
"""The error of a task whose last try was lost with its worker."""


@dataclass(frozen=True, slots=True)
class Task:
    """Background work of an account.

    Of those that may be claimed the highest `priority` goes first, then the oldest; none before `not_before`.
    `attempts` counts the tries since it was queued (at most `max_attempts`), `claims` all there ever were: worker and
    claims together tell who holds a running task, until `lease_until`. `progress` is 0 to 1 and `step` says what is
    being done. `summary` is one line about the `result` of a done one; `error` one line about the last try that failed.
    """

    id: str
    account_id: str
    kind: str
    payload: Mapping[str, str]
    created_at: datetime
    state: TaskState = "queued"
    priority: int = 0
    not_before: datetime | None = None
    attempts: int = 0
    max_attempts: int = MAX_ATTEMPTS
    claims: int = 0
    worker: str = ""
    lease_until: datetime | None = None
    progress: float = 0.0
    step: str = ""
    result: str = ""
    summary: str = ""
    error: str = ""
    ended_at: datetime | None = None
    read_at: datetime | None = None
    cleared_at: datetime | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing happens with it any more, unless somebody asks for a retry."""
        return self.state in ENDED


class Tasks(Protocol):
    """The queue of background work and the inbox of what ended. It lives beside the `Accounts` it is opened with.

    Every write is durable when the call returns; reads see all writes acknowledged before them, from any process. The
    caller's clock is the clock: every time that is compared is given. Lists leave the `result` out.
    Whatever its holder says of a running task is stored only while it is held: it runs, with the worker and claims of
    the `claim` that is given; False otherwise.
    Raises `StoreError` when the store cannot do its work.
    """

    async def enqueue(self, task: Task) -> None:
        """Add a task. The same id again changes nothing. Raises `NotFound` when the account is unknown."""

    async def claim(self, worker: str, now: datetime, lease_until: datetime, kinds: Sequence[str]) -> Task | None:
        """Give the first task of these kinds that is free to `worker`, and return it as it is then.

        Free is what is queued and not to wait any longer, and what runs with its lease over. It becomes running, with
        one attempt and one claim more, the new lease, and no progress, step or `not_before`. Two workers never hold a
        task at once. A task that runs with its lease over and has no attempt left is failed at `now` with the error
        `LOST` instead.
        """

    async def heartbeat(self, claim: Task, lease_until: datetime, progress: float, step: str = "") -> bool:
        """Keep a running task for longer and say how far it is. False: it was cancelled or lost, stop working on it."""

    async def finish(self, claim: Task, at: datetime, result: str, summary: str = "") -> bool:
        """End a running task as done: full progress, no step, no lease, no error."""

    async def fail(self, claim: Task, at: datetime, error: str, retry_at: datetime | None = None) -> bool:
        """End a try with an error: to be tried again from `retry_at` on, or failed for good when that is None."""

    async def release(self, claim: Task) -> bool:
        """Give a running task back, queued and unharmed: the attempt is not counted."""

    async def cancel(self, task_id: str, at: datetime) -> bool:
        """Cancel a queued or running task, whoever holds it; False when it is unknown or has ended."""

    async def retry(self, task_id: str) -> bool:
        """Queue a failed or cancelled task anew, with all its attempts, out of the inbox; False for any other."""

    async def task(self, task_id: str) -> Task | None:
        """Return the task."""

    async def tasks(
        self,
        account_id: str | None = None,
        *,
        states: Sequence[TaskState] = (),
        kinds: Sequence[str] = (),
        after: Task | None = None,
        limit: int = 100,
    ) -> list[Task]:
        """Return tasks, the latest made first, from just behind `after`; None and empty sequences do not narrow."""

    async def counts(self, account_id: str | None = None) -> Mapping[TaskState, int]:
        """Return how many tasks there are in each state that occurs."""

    async def inbox(self, account_id: str, limit: int = 100) -> list[Task]:
        """Return the account's done and failed tasks that were not cleared, the latest ended first."""

    async def unread(self, account_id: str) -> int:
        """Return how many tasks in the account's inbox were not read."""

    async def mark_read(self, account_id: str, at: datetime, task_ids: Sequence[str] | None = None) -> int:
        """Mark those of these (None: all) tasks in the account's inbox that were not read; return how many."""

    async def clear_inbox(self, account_id: str, at: datetime, task_ids: Sequence[str] | None = None) -> int:
        """Take these (None: all) tasks of the account out of its inbox, read or not; return how many there were."""

    async def purge(self, ended_before: datetime, *, unread: bool = False) -> int:
        """Remove tasks that ended before; with `unread` those too that wait in an inbox to be read. Return how many."""

    async def delete_tasks(self, account_id: str) -> int:
        """Remove all tasks of the account; return how many there were. A worker that holds one notices."""
