"""The tables: all statements that make them, by version; only appended to, as clusters remember which they have seen.

**Texts** are stored as they are: identifiers are compared by code point, as everywhere in the program, which is the
order of their UTF-8. Times are whole microseconds since 1970 (UTC), since the servers' own type knows milliseconds.

**Messages** lie in partitions by conversation and bucket. The bucket is the beginning of the message's id: of a UUIDv7
its five highest hexadecimal digits, which is a new one every 3.1 days; whatever is no such id sorts before or behind
them all, see `buckets`. So a bucket never decreases along the order of ids, pages are read bucket by bucket, and even a
conversation of a machine stays within what a partition should hold. `message_buckets` says which ones a conversation
has, so that none is probed that was never written. A message is one row that is written once.

**Truth and pointers.** `conversations`, `messages`, `knowledge` and `feedback` are the truth. The other tables only
point at it, for questions that it cannot answer by itself: they are written before the truth where it would not be
found without them, and after it where a repetition completes them. What is read along a pointer is compared with the
truth, so one that a killed process left behind is never seen; when it is old, it is removed.

**Decisions.** Rows of `conversations`, `knowledge` and `feedback` are written by lightweight transactions alone, with
`revision` as what they compare: microseconds, always higher than the one before. Pointers at conversations are written
with the revision as their time, so that whatever order they arrive in, the last decision is what stays.

**How long things are kept** is the program's business (`multidb-chat admin retention run`), not a time to live of the
tables: a conversation goes as a whole, by when something was said in it last, and a time to live would take the
beginning of one that goes on. So nothing here expires, and no table has the compaction for what does.

`SHARDS` divides what is written by day, since a whole day would be one partition on one node.
"""

import re

SHARDS = 16
"""How many partitions a day has. Part of the schema: never changed."""

_FIRST = (
    """
    CREATE TABLE IF NOT EXISTS conversations (
        id text PRIMARY KEY,
        account_id text,
        title text,
        last_activity bigint,
        archived boolean,
        forked_from text,
        renamed boolean,
        head text,
        read_at bigint,
        deleted_at bigint,
        revision bigint
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS conversations_by_account (
        account_id text,
        state text,
        id text,
        revision bigint,
        PRIMARY KEY ((account_id), state, id)
    ) WITH CLUSTERING ORDER BY (state ASC, id DESC)
    """,
    """
    CREATE TABLE IF NOT EXISTS conversations_by_day (
        kind text,
        day int,
        shard int,
        id text,
        at bigint,
        revision bigint,
        PRIMARY KEY ((kind, day, shard), id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS days (
        kind text,
        day int,
        shard int,
        revision bigint,
        PRIMARY KEY ((kind), day, shard)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS messages (
        conversation_id text,
        bucket text,
        id text,
        account_id text,
        role text,
        body text,
        created_at bigint,
        parent_id text,
        meta text,
        PRIMARY KEY ((conversation_id, bucket), id)
    ) WITH CLUSTERING ORDER BY (id DESC)
    """,
    """
    CREATE TABLE IF NOT EXISTS message_buckets (
        conversation_id text,
        bucket text,
        PRIMARY KEY ((conversation_id), bucket)
    ) WITH CLUSTERING ORDER BY (bucket DESC)
    """,
    """
    CREATE TABLE IF NOT EXISTS questions (
        day int,
        shard int,
        account_id text,
        conversation_id text,
        message_id text,
        PRIMARY KEY ((day, shard), account_id, conversation_id, message_id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS knowledge (
        tenant_id text,
        part text,
        id text,
        entry_id text,
        question text,
        question_key text,
        answer text,
        version bigint,
        updated_at bigint,
        vector blob,
        category text,
        embedder text,
        counter_id text,
        revision bigint,
        PRIMARY KEY ((tenant_id), part, id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS knowledge_uses (
        counter_id text PRIMARY KEY,
        uses counter
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS feedback (
        account_id text,
        part text,
        id text,
        feedback_id text,
        rating int,
        comment text,
        created_at bigint,
        conversation_id text,
        message_id text,
        meta text,
        PRIMARY KEY ((account_id), part, id)
    ) WITH CLUSTERING ORDER BY (part ASC, id DESC)
    """,
    """
    CREATE TABLE IF NOT EXISTS feedback_by_conversation (
        conversation_id text,
        account_id text,
        id text,
        PRIMARY KEY ((conversation_id), account_id, id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS feedback_by_day (
        day int,
        shard int,
        at bigint,
        id text,
        account_id text,
        PRIMARY KEY ((day, shard), at, id, account_id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS erased (
        account_id text PRIMARY KEY
    )
    """,
)

_ORIGIN = ("CREATE TABLE IF NOT EXISTS origin (store text PRIMARY KEY, identity text, moves bigint)",)

VERSIONS: tuple[tuple[str, ...], ...] = (_FIRST, _ORIGIN)

_TABLE = re.compile(r"\b(FROM|INTO|UPDATE|TABLE IF NOT EXISTS) (?=[a-z])")


def in_keyspace(keyspace: str, statement: str) -> str:
    """Return the statement about a table of this keyspace.

    Every statement names it, since servers warn of prepared statements that depend on what a connection has in use.
    """
    return _TABLE.sub(rf"\1 {keyspace}.", statement, count=1)


def tables_of(version: int) -> list[str]:
    """Return the names of the tables that there are in this version."""
    made = "\n".join(statement for statements in VERSIONS[:version] for statement in statements)
    return re.findall(r"CREATE TABLE IF NOT EXISTS (\w+)", made)
