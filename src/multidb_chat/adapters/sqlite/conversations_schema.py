"""The tables of the conversations' file.

Pages are read along an index that begins with what they belong to and ends with the time-ordered id, so that a page
costs the same however long the conversation is. Messages keep a row number beside that index: bodies and `meta` may be
long, and a tree that holds them in its nodes would be deep. `parent_id` refers to nothing that is checked here: the
services decide what a message may answer.

`words` is the full text of titles and messages, written in the transaction that writes them. `place` holds two words,
the account and the conversation in hexadecimal digits, so that a search looks at nothing of anybody else. It keeps a
copy of the text, so that rows can be removed without knowing what was indexed. What was said before there was a full
text is indexed as it is: in scripts without spaces, only the beginnings of its sentences are found.
"""

from multidb_chat.adapters.sqlite.erased import TABLE
from multidb_chat.adapters.sqlite.identity import IDENTITY, MOVES

SCHEMA = (
    """
    CREATE TABLE conversations (
        id TEXT PRIMARY KEY,
        account_id TEXT NOT NULL,
        title TEXT NOT NULL,
        last_activity INTEGER NOT NULL,
        archived INTEGER NOT NULL,
        forked_from TEXT
    ) WITHOUT ROWID;
    CREATE INDEX conversations_by_account ON conversations (account_id, archived, id);
    CREATE TABLE messages (
        id TEXT NOT NULL,
        conversation_id TEXT NOT NULL REFERENCES conversations ON DELETE CASCADE,
        account_id TEXT NOT NULL,
        role TEXT NOT NULL,
        body TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        parent_id TEXT,
        meta TEXT NOT NULL,
        PRIMARY KEY (conversation_id, id)
    );
    CREATE TABLE knowledge (
        id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        question TEXT NOT NULL,
        question_key TEXT NOT NULL,
        answer TEXT NOT NULL,
        version INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        vector BLOB NOT NULL,
        uses INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (tenant_id, id),
        UNIQUE (tenant_id, question_key)
    );
    CREATE TABLE feedback (
        id TEXT PRIMARY KEY,
        account_id TEXT NOT NULL,
        rating INTEGER NOT NULL,
        comment TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        conversation_id TEXT,
        message_id TEXT,
        meta TEXT NOT NULL,
        UNIQUE (account_id, message_id)
    );
    CREATE INDEX feedback_by_account ON feedback (account_id, id);
    CREATE INDEX feedback_by_day ON feedback (created_at, id);
    CREATE INDEX feedback_by_conversation ON feedback (conversation_id) WHERE conversation_id IS NOT NULL;
    """,
    "ALTER TABLE knowledge ADD COLUMN category TEXT NOT NULL DEFAULT '';",
    "ALTER TABLE knowledge ADD COLUMN embedder TEXT NOT NULL DEFAULT '';",
    "CREATE INDEX messages_by_day ON messages (account_id, role, created_at);",
    """
    ALTER TABLE conversations ADD COLUMN renamed INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE conversations ADD COLUMN head TEXT;
    ALTER TABLE conversations ADD COLUMN read_at INTEGER;
    ALTER TABLE conversations ADD COLUMN deleted_at INTEGER;
    UPDATE conversations SET read_at = last_activity;
    DROP INDEX conversations_by_account;
    CREATE INDEX conversations_by_account ON conversations (account_id, archived, id) WHERE deleted_at IS NULL;
    CREATE INDEX conversations_deleted_by_account ON conversations (account_id, id) WHERE deleted_at IS NOT NULL;
    CREATE INDEX conversations_by_deletion ON conversations (deleted_at, id) WHERE deleted_at IS NOT NULL;
    CREATE INDEX messages_outline ON messages (conversation_id, id, parent_id);
    CREATE VIRTUAL TABLE words USING fts5 (
        text, place, conversation_id UNINDEXED, message_id UNINDEXED,
        tokenize = "unicode61 remove_diacritics 2 categories 'L* N* M* Co'", prefix = '1 2 3'
    );
    INSERT INTO words (text, place, conversation_id)
        SELECT title, 'a' || hex(account_id) || ' c' || hex(id), id FROM conversations;
    INSERT INTO words (text, place, conversation_id, message_id)
        SELECT body, 'a' || hex(account_id) || ' c' || hex(conversation_id), conversation_id, id FROM messages;
    """,
    "CREATE INDEX conversations_by_activity ON conversations (last_activity, id);",
    TABLE,
    """
    DROP INDEX messages_outline;
    CREATE INDEX messages_outline ON messages (conversation_id, id, parent_id, role);
    """,
    IDENTITY,
    MOVES,
)
