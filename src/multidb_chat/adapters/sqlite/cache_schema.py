"""The tables of the cache's file. Times are epoch seconds."""

SCHEMA = (
    """
    CREATE TABLE entries (
        key TEXT PRIMARY KEY,
        value BLOB NOT NULL,
        stored REAL NOT NULL,
        expires REAL NOT NULL
    );
    CREATE INDEX entries_by_end ON entries (expires);
    CREATE TABLE generations (
        scope TEXT PRIMARY KEY,
        generation INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE counters (
        metric TEXT PRIMARY KEY,
        total INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE daily (
        day TEXT NOT NULL,
        metric TEXT NOT NULL,
        total INTEGER NOT NULL,
        PRIMARY KEY (day, metric)
    ) WITHOUT ROWID;
    CREATE TABLE operations (
        metric TEXT NOT NULL,
        operation_id TEXT NOT NULL,
        expires REAL NOT NULL,
        PRIMARY KEY (metric, operation_id)
    ) WITHOUT ROWID;
    CREATE INDEX operations_by_end ON operations (expires);
    CREATE TABLE notifications (
        account_id TEXT NOT NULL,
        at TEXT NOT NULL,
        id TEXT NOT NULL,
        title TEXT NOT NULL,
        body TEXT NOT NULL,
        task_id TEXT,
        PRIMARY KEY (account_id, at, id)
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX notifications_by_id ON notifications (account_id, id);
    CREATE TABLE places (
        name TEXT NOT NULL,
        at REAL NOT NULL,
        expires REAL NOT NULL
    );
    CREATE INDEX places_by_name ON places (name, at);
    CREATE INDEX places_by_end ON places (expires);
    """,
    """
    ALTER TABLE entries ADD COLUMN account_id TEXT NOT NULL DEFAULT '';
    CREATE INDEX entries_by_account ON entries (account_id) WHERE account_id <> '';
    DROP TABLE counters;
    DROP TABLE daily;
    DROP TABLE operations;
    CREATE TABLE counters (
        account_id TEXT NOT NULL,
        metric TEXT NOT NULL,
        total INTEGER NOT NULL,
        PRIMARY KEY (account_id, metric)
    ) WITHOUT ROWID;
    CREATE TABLE daily (
        account_id TEXT NOT NULL,
        day TEXT NOT NULL,
        metric TEXT NOT NULL,
        total INTEGER NOT NULL,
        PRIMARY KEY (account_id, day, metric)
    ) WITHOUT ROWID;
    CREATE INDEX daily_by_day ON daily (day);
    CREATE TABLE operations (
        operation_id TEXT PRIMARY KEY,
        expires REAL NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX operations_by_end ON operations (expires);
    """,
    # Generations count from a number that no other file has: one that is lost and made anew repeats none.
    """
    INSERT INTO generations
    VALUES ('', CAST(strftime('%s', 'now') AS INTEGER) * 1000000 + abs(random() % 1000000));
    """,
)
