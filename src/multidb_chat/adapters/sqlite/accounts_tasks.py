"""The task queue in the accounts' file.

Every function is a piece of work inside a transaction that the caller began; as there is one writing transaction at a
time, in all processes together, what a function read still holds when it writes.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from multidb_chat.adapters.sqlite.accounts_people import unknown_account
from multidb_chat.adapters.sqlite.records import Table, micros
from multidb_chat.domain.accounts import Task

TASKS = Table("tasks", Task)

Connection = sqlite3.Connection


def enqueue(connection: Connection, task: Task) -> None:
    """Add a task once; raises `NotFound`."""
    try:
        TASKS.insert(connection, task, "ON CONFLICT DO NOTHING")
    except sqlite3.IntegrityError:
        raise unknown_account(task.account_id) from None


def claim(
    connection: Connection, worker: str, now: datetime, lease_until: datetime, kinds: Sequence[str]
) -> Task | None:
    """Give the oldest task of these kinds that nobody holds to the worker."""
    marks = ", ".join("?" * len(kinds))
    task = TASKS.first(
        connection,
        "WHERE state IN ('queued', 'running') AND (state = 'queued' OR lease_until IS NULL OR lease_until <= ?)"
        f" AND kind IN ({marks}) ORDER BY created_at, id LIMIT 1",
        micros(now),
        *kinds,
    )
    if task is None:
        return None
    claimed = replace(task, state="running", attempts=task.attempts + 1, lease_until=lease_until, worker=worker)
    TASKS.replace(connection, claimed, "id = ?", task.id)
    return claimed


def update(connection: Connection, task: Task) -> bool:
    """Store what the task's holder says of it; False when it is not the holder any more."""
    cursor = connection.execute(
        "UPDATE tasks SET state = ?, progress = ?, result = ?, lease_until = ?"
        " WHERE id = ? AND worker = ? AND attempts = ? AND state = 'running'",
        (
            task.state,
            task.progress,
            task.result,
            None if task.lease_until is None else micros(task.lease_until),
            task.id,
            task.worker,
            task.attempts,
        ),
    )
    return cursor.rowcount > 0


def cancel(connection: Connection, task_id: str) -> bool:
    """Cancel a task that has not ended; False otherwise."""
    statement = "UPDATE tasks SET state = 'cancelled' WHERE id = ? AND state IN ('queued', 'running')"
    return connection.execute(statement, (task_id,)).rowcount > 0
