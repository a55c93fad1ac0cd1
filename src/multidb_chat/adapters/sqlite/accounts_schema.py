"""The tables of the accounts' file.

`email_key` is the case-folded address. `operations` remembers each use that was counted for as long as the account
lives, so that no repetition counts, however late; it costs under 100 bytes a use. The audit log refuses changes in the
file itself, whichever program opens it; REPLACE has a trigger of its own, since it would delete without asking one.
`tasks_waiting` holds only what may be claimed, so that a long history of finished tasks costs a claim nothing;
`tasks_in_inbox` only what was not cleared.
"""

from multidb_chat.adapters.sqlite.identity import IDENTITY, MOVES

SCHEMA = (
    """
    CREATE TABLE accounts (
        id TEXT PRIMARY KEY,
        role TEXT NOT NULL,
        plan TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        email TEXT,
        password_hash TEXT,
        expires_at INTEGER,
        disabled_at INTEGER,
        version INTEGER NOT NULL,
        email_key TEXT UNIQUE
    ) WITHOUT ROWID;
    CREATE TABLE subscriptions (
        id TEXT PRIMARY KEY,
        account_id TEXT NOT NULL REFERENCES accounts ON DELETE CASCADE,
        plan TEXT NOT NULL,
        starts_at INTEGER NOT NULL,
        ends_at INTEGER
    ) WITHOUT ROWID;
    CREATE INDEX subscriptions_by_account ON subscriptions (account_id, starts_at);
    CREATE TABLE usage (
        account_id TEXT NOT NULL REFERENCES accounts ON DELETE CASCADE,
        period TEXT NOT NULL,
        resource TEXT NOT NULL,
        used INTEGER NOT NULL CHECK (typeof(used) = 'integer'),
        PRIMARY KEY (account_id, period, resource)
    ) WITHOUT ROWID;
    CREATE TABLE operations (
        account_id TEXT NOT NULL REFERENCES accounts ON DELETE CASCADE,
        operation_id TEXT NOT NULL,
        PRIMARY KEY (account_id, operation_id)
    ) WITHOUT ROWID;
    CREATE TABLE sessions (
        id TEXT PRIMARY KEY,
        account_id TEXT NOT NULL REFERENCES accounts ON DELETE CASCADE,
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        refresh_hash TEXT NOT NULL,
        previous_refresh_hash TEXT NOT NULL,
        rotated_at INTEGER,
        ended_at INTEGER,
        client TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX sessions_by_account ON sessions (account_id, created_at);
    CREATE TABLE audit (
        seq INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        actor TEXT NOT NULL,
        action TEXT NOT NULL,
        target TEXT NOT NULL,
        origin TEXT NOT NULL,
        details TEXT NOT NULL,
        mac TEXT NOT NULL
    );
    CREATE INDEX audit_by_actor ON audit (actor);
    CREATE INDEX audit_by_action ON audit (action);
    CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
    BEGIN
        SELECT RAISE(ABORT, 'the audit log is append-only');
    END;
    CREATE TRIGGER audit_is_not_removed BEFORE DELETE ON audit
    BEGIN
        SELECT RAISE(ABORT, 'the audit log is append-only');
    END;
    CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit
    WHEN EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq)
    BEGIN
        SELECT RAISE(ABORT, 'the audit log is append-only');
    END;
    CREATE TABLE tasks (
        id TEXT PRIMARY KEY,
        account_id TEXT NOT NULL REFERENCES accounts ON DELETE CASCADE,
        kind TEXT NOT NULL,
        payload TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        state TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        lease_until INTEGER,
        worker TEXT NOT NULL,
        result TEXT NOT NULL,
        progress REAL NOT NULL
    );
    CREATE INDEX tasks_by_account ON tasks (account_id, created_at, id);
    CREATE INDEX tasks_waiting ON tasks (created_at, id) WHERE state IN ('queued', 'running');
    """,
    """
    ALTER TABLE tasks ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE tasks ADD COLUMN not_before INTEGER;
    ALTER TABLE tasks ADD COLUMN max_attempts INTEGER NOT NULL DEFAULT 5;
    ALTER TABLE tasks ADD COLUMN claims INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE tasks ADD COLUMN step TEXT NOT NULL DEFAULT '';
    ALTER TABLE tasks ADD COLUMN summary TEXT NOT NULL DEFAULT '';
    ALTER TABLE tasks ADD COLUMN error TEXT NOT NULL DEFAULT '';
    ALTER TABLE tasks ADD COLUMN ended_at INTEGER;
    ALTER TABLE tasks ADD COLUMN read_at INTEGER;
    ALTER TABLE tasks ADD COLUMN cleared_at INTEGER;
    UPDATE tasks SET claims = attempts;
    UPDATE tasks SET lease_until = 0 WHERE state = 'running' AND lease_until IS NULL;
    UPDATE tasks SET ended_at = created_at WHERE state IN ('done', 'failed', 'cancelled');
    DROP INDEX tasks_waiting;
    CREATE INDEX tasks_waiting ON tasks (priority DESC, created_at, id) WHERE state IN ('queued', 'running');
    CREATE INDEX tasks_by_time ON tasks (created_at, id);
    CREATE INDEX tasks_ended ON tasks (ended_at) WHERE ended_at IS NOT NULL;
    CREATE INDEX tasks_in_inbox ON tasks (account_id, ended_at, id)
        WHERE state IN ('done', 'failed') AND cleared_at IS NULL;
    """,
    """
    ALTER TABLE accounts ADD COLUMN pseudonym TEXT NOT NULL DEFAULT '';
    UPDATE accounts SET pseudonym = lower(hex(randomblob(8)));
    CREATE INDEX audit_by_target ON audit (target);
    CREATE INDEX audit_by_time ON audit (at);
    """,
    """
    CREATE TABLE second_factors (
        account_id TEXT PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
        secret TEXT NOT NULL,
        confirmed_at INTEGER,
        last_step INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE codes (
        account_id TEXT NOT NULL REFERENCES accounts ON DELETE CASCADE,
        kind TEXT NOT NULL,
        hash TEXT NOT NULL,
        expires_at INTEGER,
        PRIMARY KEY (account_id, kind, hash)
    ) WITHOUT ROWID;
    CREATE TABLE attempts (
        key TEXT PRIMARY KEY,
        count INTEGER NOT NULL,
        last_at INTEGER NOT NULL,
        not_before INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX attempts_by_time ON attempts (last_at);
    """,
    """
    ALTER TABLE accounts ADD COLUMN erased_at INTEGER;
    CREATE INDEX accounts_erased ON accounts (erased_at) WHERE erased_at IS NOT NULL;
    CREATE INDEX accounts_expiring ON accounts (expires_at) WHERE role = 'guest';
    """,
    IDENTITY,
    MOVES,
    "ALTER TABLE accounts ADD COLUMN facts TEXT NOT NULL DEFAULT '';",
)
