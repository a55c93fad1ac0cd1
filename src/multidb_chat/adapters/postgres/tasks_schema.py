"""The table of the task queue, which is the inbox too.

Identifiers sort by their bytes (COLLATE "C"), so that every database gives them in the same order. `tasks_waiting`
holds only what may be claimed, so that a long history of finished tasks costs a claim nothing; `tasks_in_inbox` only
what was not cleared. Heartbeats change no indexed column and rows leave room for them (fillfactor), so they are
HOT updates: https://www.postgresql.org/docs/current/storage-hot.html
"""

TASKS = """
    CREATE TABLE tasks (
        id text COLLATE "C" PRIMARY KEY,
        account_id text COLLATE "C" NOT NULL REFERENCES accounts ON DELETE CASCADE,
        kind text NOT NULL,
        payload text NOT NULL,
        created_at timestamptz NOT NULL,
        state text NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
        priority integer NOT NULL,
        not_before timestamptz,
        attempts integer NOT NULL,
        max_attempts integer NOT NULL,
        claims integer NOT NULL,
        worker text NOT NULL,
        lease_until timestamptz,
        progress double precision NOT NULL,
        step text NOT NULL,
        result text NOT NULL,
        summary text NOT NULL,
        error text NOT NULL,
        ended_at timestamptz,
        read_at timestamptz,
        cleared_at timestamptz
    ) WITH (fillfactor = 70);
    CREATE INDEX tasks_by_account ON tasks (account_id, created_at, id);
    CREATE INDEX tasks_by_time ON tasks (created_at, id);
    CREATE INDEX tasks_waiting ON tasks (priority DESC, created_at, id) WHERE state IN ('queued', 'running');
    CREATE INDEX tasks_ended ON tasks (ended_at) WHERE ended_at IS NOT NULL;
    CREATE INDEX tasks_in_inbox ON tasks (account_id, ended_at, id)
        WHERE state IN ('done', 'failed') AND cleared_at IS NULL;
"""
