"""The task queue and the inboxes in the accounts' file.

Every function is a piece of work inside a transaction that the caller began; as there is one writing transaction at a
time, in all processes together, what a function read still holds when it writes.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from multidb_chat.adapters.sqlite.accounts_people import unknown_account
from multidb_chat.adapters.sqlite.records import Table, micros, rows_at_most
from multidb_chat.domain.tasks import LOST, Task, TaskState

# ruff: noqa: S608 - statements are put together from constants only

TASKS = Table("tasks", Task)
_LINES = f"SELECT {TASKS.columns.replace('result,', repr('') + ' AS result,')} FROM tasks "
_WAITING = "state IN ('queued', 'running')"  # word by word as the index `tasks_waiting` has it, or SQLite scans
_OVER = "state = 'running' AND lease_until <= :now"
_FREE = f"{_WAITING} AND (({_OVER}) OR (state = 'queued' AND (not_before IS NULL OR not_before <= :now)))"
_IN_INBOX = "account_id = ? AND state IN ('done', 'failed') AND cleared_at IS NULL"

Connection = sqlite3.Connection


def enqueue(connection: Connection, task: Task) -> None:
    """Add a task once; raises `NotFound`."""
    try:
        TASKS.insert(connection, task, "ON CONFLICT DO NOTHING")
    except sqlite3.IntegrityError:
        raise unknown_account(task.account_id) from None


def any_free(connection: Connection, now: datetime, kinds: Sequence[str]) -> bool:
    """Tell whether a claim would find something; asking costs the others no lock."""
    where, names = _of_kinds(kinds)
    query = f"SELECT EXISTS (SELECT 1 FROM tasks WHERE {_FREE} AND {where})"
    return bool(connection.execute(query, {"now": micros(now), **names}).fetchone()[0])


def claim(
    connection: Connection, worker: str, now: datetime, lease_until: datetime, kinds: Sequence[str]
) -> Task | None:
    """Give the first free task of these kinds to the worker, and fail those whose last try was lost."""
    where, names = _of_kinds(kinds)
    times = {"now": micros(now), **names}
    connection.execute(
        "UPDATE tasks SET state = 'failed', ended_at = :now, lease_until = NULL, error = :lost"
        f" WHERE {_WAITING} AND {_OVER} AND attempts >= max_attempts AND {where}",
        {**times, "lost": LOST},
    )
    query = f"SELECT {TASKS.columns} FROM tasks WHERE {_FREE} AND {where} ORDER BY priority DESC, created_at, id"
    row = connection.execute(f"{query} LIMIT 1", times).fetchone()
    if row is None:
        return None
    task = TASKS.record(row)
    claimed = replace(
        task,
        state="running",
        not_before=None,
        attempts=task.attempts + 1,
        claims=task.claims + 1,
        worker=worker,
        lease_until=lease_until,
        progress=0.0,
        step="",
    )
    _store(connection, claimed)
    return claimed


def heartbeat(connection: Connection, claim: Task, lease_until: datetime, progress: float, step: str) -> bool:
    """Lengthen the lease of a held task; False when it is not held."""
    held = _held(connection, claim)
    return held is not None and _store(connection, replace(held, lease_until=lease_until, progress=progress, step=step))


def finish(connection: Connection, claim: Task, at: datetime, result: str, summary: str) -> bool:
    """End a held task as done; False when it is not held."""
    held = _held(connection, claim)
    return held is not None and _store(
        connection,
        replace(
            held,
            state="done",
            lease_until=None,
            progress=1.0,
            step="",
            result=result,
            summary=summary,
            error="",
            ended_at=at,
        ),
    )


def fail(connection: Connection, claim: Task, at: datetime, error: str, retry_at: datetime | None) -> bool:
    """End a held task's try with an error; False when it is not held."""
    held = _held(connection, claim)
    if held is None:
        return False
    told = replace(held, state="failed", lease_until=None, error=error, ended_at=at)
    if retry_at is not None:
        told = replace(told, state="queued", not_before=retry_at, ended_at=None)
    return _store(connection, told)


def release(connection: Connection, claim: Task) -> bool:
    """Queue a held task again without counting the try; False when it is not held."""
    held = _held(connection, claim)
    return held is not None and _store(
        connection, replace(held, state="queued", lease_until=None, attempts=held.attempts - 1)
    )


def cancel(connection: Connection, task_id: str, at: datetime) -> bool:
    """Cancel a task that has not ended; False otherwise."""
    task = TASKS.first(connection, "WHERE id = ?", task_id)
    if task is None or task.ended:
        return False
    return _store(connection, replace(task, state="cancelled", lease_until=None, not_before=None, ended_at=at))


def retry(connection: Connection, task_id: str) -> bool:
    """Queue a failed or cancelled task anew; False for any other."""
    task = TASKS.first(connection, "WHERE id = ? AND state IN ('failed', 'cancelled')", task_id)
    if task is None:
        return False
    anew = replace(task, state="queued", attempts=0, progress=0.0, step="", ended_at=None)
    return _store(connection, replace(anew, read_at=None, cleared_at=None))


def page(
    connection: Connection,
    account_id: str | None,
    states: Sequence[TaskState],
    kinds: Sequence[str],
    after: Task | None,
    limit: int,
) -> list[Task]:
    """Return tasks behind one, the latest made first."""
    wheres, parameters = ["TRUE"], []
    if account_id is not None:
        wheres.append("account_id = ?")
        parameters.append(account_id)
    for column, values in (("state", states), ("kind", kinds)):
        if values:
            wheres.append(f"{column} IN ({', '.join('?' * len(values))})")
            parameters += values
    moments: tuple[object, ...] = ()
    if after is not None:
        wheres.append("(created_at, id) < (?, ?)")
        moments = micros(after.created_at), after.id
    clauses = f"WHERE {' AND '.join(wheres)} ORDER BY created_at DESC, id DESC LIMIT ?"
    rows = connection.execute(_LINES + clauses, (*parameters, *moments, rows_at_most(limit)))
    return [TASKS.record(row) for row in rows]


def counts(connection: Connection, account_id: str | None) -> dict[TaskState, int]:
    """Return the number of tasks in each state."""
    query = "SELECT state, count(*) FROM tasks WHERE ?1 IS NULL OR account_id = ?1 GROUP BY state"
    return dict(connection.execute(query, (account_id,)))


def inbox(connection: Connection, account_id: str, limit: int) -> list[Task]:
    """Return what waits in an inbox, the latest ended first."""
    clauses = f"WHERE {_IN_INBOX} ORDER BY ended_at DESC, id DESC LIMIT ?"
    rows = connection.execute(_LINES + clauses, (account_id, rows_at_most(limit)))
    return [TASKS.record(row) for row in rows]


def unread(connection: Connection, account_id: str) -> int:
    """Return how many in an inbox were not read."""
    query = f"SELECT count(*) FROM tasks WHERE {_IN_INBOX} AND read_at IS NULL"
    return int(connection.execute(query, (account_id,)).fetchone()[0])


def mark_read(connection: Connection, account_id: str, at: datetime, task_ids: Sequence[str] | None) -> int:
    """Mark what was not read in an inbox."""
    statement = f"UPDATE tasks SET read_at = ? WHERE {_IN_INBOX} AND read_at IS NULL"
    return _update_each(connection, statement, (micros(at), account_id), task_ids)


def clear_inbox(connection: Connection, account_id: str, at: datetime, task_ids: Sequence[str] | None) -> int:
    """Take tasks out of an inbox."""
    statement = f"UPDATE tasks SET cleared_at = ? WHERE {_IN_INBOX}"
    return _update_each(connection, statement, (micros(at), account_id), task_ids)


def purge(connection: Connection, ended_before: datetime, unread: bool) -> int:
    """Remove tasks that ended before; see the port."""
    known = "state = 'cancelled' OR read_at IS NOT NULL OR cleared_at IS NOT NULL"
    statement = f"DELETE FROM tasks WHERE ended_at < ? AND (? OR {known})"
    return connection.execute(statement, (micros(ended_before), unread)).rowcount


def delete_of(connection: Connection, account_id: str) -> int:
    """Remove all tasks of an account."""
    return connection.execute("DELETE FROM tasks WHERE account_id = ?", (account_id,)).rowcount


def _of_kinds(kinds: Sequence[str]) -> tuple[str, dict[str, str]]:
    names = {f"kind{number}": kind for number, kind in enumerate(kinds)}
    return f"kind IN ({', '.join(f':{name}' for name in names)})", names


def _held(connection: Connection, claim: Task) -> Task | None:
    """Return the task as it is, if it runs and is held as it was claimed."""
    where = "WHERE id = ? AND state = 'running' AND worker = ? AND claims = ?"
    return TASKS.first(connection, where, claim.id, claim.worker, claim.claims)


def _store(connection: Connection, task: Task) -> bool:
    return TASKS.replace(connection, task, "id = ?", task.id)


def _update_each(
    connection: Connection, statement: str, parameters: tuple[object, ...], task_ids: Sequence[str] | None
) -> int:
    if task_ids is None:
        return connection.execute(statement, parameters).rowcount
    rows = [connection.execute(f"{statement} AND id = ?", (*parameters, key)).rowcount for key in set(task_ids)]
    return sum(rows)
