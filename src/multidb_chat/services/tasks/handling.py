"""What a kind of background task is, and what its handler gets and gives."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.tasks import Task

Tell = Callable[[float, str], None]
"""Says how far a task is (0 to 1) and what is being done, in a few words. Never waits."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a handler made: the result to keep, and one line about it for the inbox."""

    result: str
    summary: str


class Handler(Protocol):
    """Does the tasks of one kind.

    It may run several times for one task, the last time after a process was killed at any moment: what it leaves
    behind is named after the task's id, so that a second run replaces what the first one left. It is cancelled when
    the task is; it raises `InvalidInput` or `Refused` for what another try would not mend.
    """

    def __call__(self, task: Task, account: Account, tell: Tell) -> Awaitable[Outcome]:
        """Do the task for the account it belongs to."""
