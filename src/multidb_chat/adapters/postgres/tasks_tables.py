"""The task queue and the inboxes as statements: each change is one, so it needs no lock but those of its rows.

What is claimed is locked with FOR UPDATE SKIP LOCKED: workers that come at once take one task each and wait for nobody.
PostgreSQL looks at a locked row once more as it is then, so what another one claimed, ended or cancelled meanwhile is
passed over. Every other change names the state it starts from in its WHERE.
"""

from collections.abc import Mapping

from multidb_chat.adapters.postgres.records import Table
from multidb_chat.domain.tasks import Task

# ruff: noqa: S608 - statements are put together from constants only

TASKS = Table("tasks", Task)
# Lists leave the results out, which may be large.
_LINES = TASKS.select.replace("result", "'' AS result")

_WAITING = "state IN ('queued', 'running')"  # as the index `tasks_waiting` has it
_OVER = "state = 'running' AND lease_until <= %(now)s"
_DUE = "state = 'queued' AND (not_before IS NULL OR not_before <= %(now)s)"
_HELD = "id = %(id)s AND state = 'running' AND worker = %(worker)s AND claims = %(claims)s"
_IN_INBOX = "account_id = %(account_id)s AND state IN ('done', 'failed') AND cleared_at IS NULL"
_OF_THESE = "(%(ids)s::text[] IS NULL OR id = ANY(%(ids)s::text[]))"

ENQUEUE = f"{TASKS.insert} ON CONFLICT (id) DO NOTHING"
ANY_FREE = f"SELECT 1 FROM tasks WHERE {_WAITING} AND (({_OVER}) OR ({_DUE})) AND kind = ANY(%(kinds)s) LIMIT 1"
CLAIM = f"""
    WITH over AS (
        SELECT id FROM tasks
        WHERE {_WAITING} AND {_OVER} AND attempts >= max_attempts AND kind = ANY(%(kinds)s)
        FOR UPDATE SKIP LOCKED
    ), lost AS (
        UPDATE tasks SET state = 'failed', ended_at = %(now)s, lease_until = NULL, error = %(lost)s
        FROM over WHERE tasks.id = over.id
    ), first AS (
        SELECT id FROM tasks
        WHERE {_WAITING} AND (({_OVER} AND attempts < max_attempts) OR ({_DUE})) AND kind = ANY(%(kinds)s)
        ORDER BY priority DESC, created_at, id LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
    UPDATE tasks SET state = 'running', not_before = NULL, attempts = attempts + 1, claims = claims + 1,
        worker = %(worker)s, lease_until = %(lease_until)s, progress = 0, step = ''
    FROM first WHERE tasks.id = first.id
    RETURNING {TASKS.columns.replace("id,", "tasks.id,", 1)}
"""
HEARTBEAT = f"UPDATE tasks SET lease_until = %(lease_until)s, progress = %(progress)s, step = %(step)s WHERE {_HELD}"
FINISH = f"""
    UPDATE tasks SET state = 'done', lease_until = NULL, progress = 1, step = '', result = %(result)s,
        summary = %(summary)s, error = '', ended_at = %(at)s
    WHERE {_HELD}
"""
FAIL = f"UPDATE tasks SET state = 'failed', lease_until = NULL, error = %(error)s, ended_at = %(at)s WHERE {_HELD}"
TRY_AGAIN = f"""
    UPDATE tasks SET state = 'queued', lease_until = NULL, error = %(error)s, not_before = %(retry_at)s WHERE {_HELD}
"""
RELEASE = f"UPDATE tasks SET state = 'queued', lease_until = NULL, attempts = attempts - 1 WHERE {_HELD}"
CANCEL = f"""
    UPDATE tasks SET state = 'cancelled', lease_until = NULL, not_before = NULL, ended_at = %(at)s
    WHERE id = %(id)s AND {_WAITING}
"""
RETRY = """
    UPDATE tasks SET state = 'queued', attempts = 0, progress = 0, step = '', ended_at = NULL, read_at = NULL,
        cleared_at = NULL
    WHERE id = %(id)s AND state IN ('failed', 'cancelled')
"""
TASK = f"{TASKS.select} WHERE id = %(id)s"
COUNTS = """
    SELECT state, count(*) FROM tasks
    WHERE %(account_id)s::text IS NULL OR account_id = %(account_id)s::text GROUP BY state
"""
INBOX = f"{_LINES} WHERE {_IN_INBOX} ORDER BY ended_at DESC, id DESC LIMIT %(limit)s"
UNREAD = f"SELECT count(*) FROM tasks WHERE {_IN_INBOX} AND read_at IS NULL"
MARK_READ = f"UPDATE tasks SET read_at = %(at)s WHERE {_IN_INBOX} AND read_at IS NULL AND {_OF_THESE}"
CLEAR_INBOX = f"UPDATE tasks SET cleared_at = %(at)s WHERE {_IN_INBOX} AND {_OF_THESE}"
PURGE = """
    DELETE FROM tasks WHERE ended_at < %(before)s
        AND (%(unread)s OR state = 'cancelled' OR read_at IS NOT NULL OR cleared_at IS NOT NULL)
"""
DELETE_OF = "DELETE FROM tasks WHERE account_id = %(account_id)s"
_NARROWED = {
    "account_id": "account_id = %(account_id)s",
    "states": "state = ANY(%(states)s)",
    "kinds": "kind = ANY(%(kinds)s)",
    "created_at": "(created_at, id) < (%(created_at)s, %(id)s)",
}


def page(given: Mapping[str, object]) -> str:
    """Return the statement for a page of tasks, narrowed by what is given: account_id, states, kinds, created_at."""
    where = " AND ".join(["TRUE", *(condition for name, condition in _NARROWED.items() if name in given)])
    return f"{_LINES} WHERE {where} ORDER BY created_at DESC, id DESC LIMIT %(limit)s"
