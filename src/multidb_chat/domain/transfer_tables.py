"""The tables of each durable store, as they are carried from one kind of store to another."""

from dataclasses import astuple, fields
from typing import TYPE_CHECKING

from multidb_chat.domain.accounts import Account, Session, Subscription
from multidb_chat.domain.audit import AuditEntry
from multidb_chat.domain.conversations import Conversation, Feedback, KnowledgeEntry, Message
from multidb_chat.domain.credentials import OneTimeCode, SecondFactor
from multidb_chat.domain.library import Chunk, Collection, Document, DocumentContent
from multidb_chat.domain.tasks import Task
from multidb_chat.domain.transfer import Row, Table

if TYPE_CHECKING:
    pass

_ERASED = Table("erased", ("account_id",))


def _of(
    record: type, name: str, key: tuple[str, ...], *more: str, exclusive: tuple[str, ...] = (), page: int = 500
) -> Table:
    """Return the table of all fields of a record, and of `more` columns."""
    rest = tuple(field.name for field in fields(record) if field.name not in key)
    return Table(name, key, rest + more, record, page, exclusive)


ACCOUNTS = _of(Account, "accounts", ("id",), exclusive=("email",))
SUBSCRIPTIONS = _of(Subscription, "subscriptions", ("id",))
USAGE = Table("usage", ("account_id", "period", "resource"), ("used",))
OPERATIONS = Table("operations", ("account_id", "operation_id"), page=2_000)
SESSIONS = _of(Session, "sessions", ("id",))
SECOND_FACTORS = _of(SecondFactor, "second_factors", ("account_id",))
CODES = _of(OneTimeCode, "codes", ("account_id", "kind", "hash"))
ATTEMPTS = Table("attempts", ("key",), ("count", "last_at", "not_before"))
TASKS = _of(Task, "tasks", ("id",), page=100)
AUDIT = Table(
    "audit",
    ("seq",),
    tuple(field.name for field in fields(AuditEntry) if field.name != "seq"),
    AuditEntry,
    appended=True,
)
ACCOUNTS_TABLES = (
    AUDIT, ACCOUNTS, SUBSCRIPTIONS, USAGE, OPERATIONS, SESSIONS, SECOND_FACTORS, CODES, ATTEMPTS, TASKS,
)  # fmt: skip
"""The log first: where it went its own way, nothing is touched.

Periods are the ISO dates of their first days; the times of attempts are microseconds.
"""

CONVERSATIONS = _of(Conversation, "conversations", ("id",))
MESSAGES = _of(Message, "messages", ("conversation_id", "id"), page=200)
KNOWLEDGE = _of(
    KnowledgeEntry, "knowledge", ("tenant_id", "id"), "uses", exclusive=("tenant_id", "question_key"), page=200
)
FEEDBACK = _of(Feedback, "feedback", ("account_id", "id"), exclusive=("account_id", "message_id"))
ERASED_CONVERSATIONS = _ERASED
CONVERSATIONS_TABLES = (CONVERSATIONS, MESSAGES, KNOWLEDGE, FEEDBACK, ERASED_CONVERSATIONS)
"""Erased accounts last: a store takes nothing of them any more, also what the source had of them still."""

COLLECTIONS = _of(Collection, "collections", ("id",), exclusive=("owner_id", "name"))
DOCUMENTS = _of(
    Document, "documents", ("id",), "seq", "text", "blocks", "passages", "vectors", "original", page=8
)  # fmt: skip
SOURCES = Table(
    "sources", ("collection_id", "source"), ("content_hash", "size_bytes", "documents", "completed_at")
)  # fmt: skip
REMOVED = Table("removed", ("document_id",), ("collection_id", "seq"))
ERASED_OWNERS = _ERASED
LIBRARY_TABLES = (COLLECTIONS, DOCUMENTS, SOURCES, REMOVED, ERASED_OWNERS)
"""`seq` is the number of the document's last change; `removed` are documents of which that is all there is left."""

_BESIDES = ("seq", "text", "blocks", "passages", "vectors", "original")


def document_row(content: DocumentContent, seq: int) -> Row:
    """Return the row of a document with everything that is stored of it."""
    chunks = sorted(content.chunks, key=lambda chunk: chunk.ordinal)
    return DOCUMENTS.row(
        content.document,
        seq=seq,
        text=content.text,
        blocks=tuple(astuple(block) for block in content.blocks),
        passages=tuple(
            (one.ordinal, one.start, one.end, one.kind, one.page, one.headings, len(one.vector)) for one in chunks
        ),
        vectors=b"".join(chunk.vector for chunk in chunks),
        original=content.original,
    )


def content_of(row: Row) -> tuple[DocumentContent, int]:
    """Return the document of a row, and the number of its last change."""
    from multidb_chat.domain.reading import Block

    besides = {name: value for name, value in DOCUMENTS.fields(row).items() if name in _BESIDES}
    document = DOCUMENTS.made(row, *_BESIDES)
    text, vectors, chunks, begin = besides["text"], besides["vectors"], [], 0
    for ordinal, start, end, kind, page, headings, length in besides["passages"]:
        vector = vectors[begin : begin + length]
        chunks.append(Chunk(document.id, ordinal, start, end, text[start:end], kind, page, headings, vector))
        begin += length
    blocks: tuple[Block, ...] = tuple(Block(*values) for values in besides["blocks"])
    return DocumentContent(document, text, blocks, tuple(chunks), besides["original"]), besides["seq"]
