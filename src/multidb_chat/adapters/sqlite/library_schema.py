"""The tables of the library's file.

`documents.key` is the small number that everything of a document hangs on: new rows go to the end of each table.
Chunks hold no text, it is the document's; their vectors lie packed in one value a document, in a table of their own, so
that reading text never drags them along. Texts are cut into segments of `SEGMENT` characters, so that a passage of a
long text is read without the rest; they are not compressed: zlib at its fastest saved a fifth of the file (vectors
dominate it) for 80 microseconds a document, more than storing it costs.
`documents_by_size` holds what an owner's quota is made of, so that nothing has to be counted beside the documents.
A document's last change is the only one that is kept; removed documents stay in `changes` as tombstones.
"""

from multidb_chat.adapters.sqlite.erased import TABLE
from multidb_chat.adapters.sqlite.identity import IDENTITY, MOVES

SEGMENT = 16_384

SCHEMA = (
    """
    CREATE TABLE collections (
        id TEXT PRIMARY KEY,
        owner_id TEXT NOT NULL,
        name TEXT NOT NULL,
        name_key TEXT NOT NULL,
        created_at TEXT NOT NULL,
        description TEXT NOT NULL,
        shared INTEGER NOT NULL,
        embedder TEXT NOT NULL,
        dimensions INTEGER NOT NULL,
        UNIQUE (owner_id, name_key)
    ) WITHOUT ROWID;
    CREATE TABLE documents (
        key INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        collection_id TEXT NOT NULL REFERENCES collections ON DELETE CASCADE,
        source TEXT NOT NULL,
        name TEXT NOT NULL,
        title TEXT NOT NULL,
        kind TEXT NOT NULL,
        content_hash TEXT NOT NULL,
        added_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        characters INTEGER NOT NULL,
        chunks INTEGER NOT NULL,
        pages INTEGER NOT NULL,
        language TEXT NOT NULL,
        authored_at TEXT,
        metadata BLOB NOT NULL,
        revision INTEGER NOT NULL
    );
    CREATE INDEX documents_by_collection ON documents (collection_id, id);
    CREATE INDEX documents_by_source ON documents (source);
    CREATE INDEX documents_by_name ON documents (name);
    CREATE INDEX documents_by_title ON documents (title);
    CREATE TABLE segments (
        document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
        number INTEGER NOT NULL,
        data BLOB NOT NULL,
        PRIMARY KEY (document, number)
    );
    CREATE TABLE blocks (
        document INTEGER PRIMARY KEY REFERENCES documents ON DELETE CASCADE,
        data BLOB NOT NULL
    );
    CREATE TABLE originals (
        document INTEGER PRIMARY KEY REFERENCES documents ON DELETE CASCADE,
        data BLOB NOT NULL
    );
    CREATE TABLE chunks (
        document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
        ordinal INTEGER NOT NULL,
        first INTEGER NOT NULL,
        last INTEGER NOT NULL,
        kind TEXT NOT NULL,
        page INTEGER,
        headings BLOB NOT NULL,
        vector_bytes INTEGER NOT NULL,
        PRIMARY KEY (document, ordinal)
    ) WITHOUT ROWID;
    CREATE TABLE vectors (
        document INTEGER PRIMARY KEY REFERENCES documents ON DELETE CASCADE,
        data BLOB NOT NULL
    );
    CREATE TABLE sources (
        collection_id TEXT NOT NULL REFERENCES collections ON DELETE CASCADE,
        source TEXT NOT NULL,
        content_hash TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        documents INTEGER NOT NULL,
        completed_at TEXT NOT NULL,
        PRIMARY KEY (collection_id, source)
    ) WITHOUT ROWID;
    CREATE TABLE changes (
        seq INTEGER PRIMARY KEY,
        document_id TEXT NOT NULL UNIQUE,
        collection_id TEXT NOT NULL,
        removed INTEGER NOT NULL
    );
    CREATE INDEX changes_by_collection ON changes (collection_id, seq);
    """,
    IDENTITY,
    "CREATE INDEX documents_by_size ON documents (collection_id, size_bytes);",
    TABLE,
    MOVES,
    """
    ALTER TABLE collections ADD COLUMN chunking TEXT NOT NULL DEFAULT 'structure';
    ALTER TABLE collections ADD COLUMN chunk_chars INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE collections ADD COLUMN headers INTEGER NOT NULL DEFAULT 1;
    """,
)
