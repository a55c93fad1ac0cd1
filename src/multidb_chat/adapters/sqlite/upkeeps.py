"""Who looks after which file: the four embedded stores of an installation, and the journal."""

from pathlib import Path

from multidb_chat.adapters.sqlite import accounts_schema, cache_schema, conversations_schema, journal, library_schema
from multidb_chat.adapters.sqlite.upkeep import SqliteUpkeep

_ACCOUNTS = {
    "accounts": "SELECT count(*) FROM accounts",
    "open sessions": "SELECT count(*) FROM sessions WHERE ended_at IS NULL",
    "audit entries": "SELECT count(*) FROM audit",
    "tasks": "SELECT count(*) FROM tasks",
}
_CONVERSATIONS = {
    "conversations": "SELECT count(*) FROM conversations",
    "messages": "SELECT count(*) FROM messages",
    "knowledge entries": "SELECT count(*) FROM knowledge",
    "feedback": "SELECT count(*) FROM feedback",
}
_LIBRARY = {
    "collections": "SELECT count(*) FROM collections",
    "documents": "SELECT count(*) FROM documents",
    "passages": "SELECT count(*) FROM chunks",
}
_JOURNAL = {"entries": "SELECT count(*) FROM entries"}


def accounts_upkeep(data: Path) -> SqliteUpkeep:
    """Return what looks after the accounts in the folder `data`."""
    newest = "SELECT max(at) FROM audit"
    return SqliteUpkeep(data / "accounts.sqlite", "accounts", accounts_schema.SCHEMA, _ACCOUNTS, newest)


def conversations_upkeep(data: Path) -> SqliteUpkeep:
    """Return what looks after the conversations in the folder `data`."""
    newest = "SELECT max(last_activity) FROM conversations"
    path = data / "conversations.sqlite"
    return SqliteUpkeep(path, "conversations", conversations_schema.SCHEMA, _CONVERSATIONS, newest)


def library_upkeep(data: Path) -> SqliteUpkeep:
    """Return what looks after the library in the folder `data`."""
    newest = "SELECT max(updated_at) FROM documents"
    return SqliteUpkeep(data / "library.sqlite", "library", library_schema.SCHEMA, _LIBRARY, newest)


def journal_upkeep(data: Path) -> SqliteUpkeep:
    """Return what looks after the journal in the folder `data`: what waits there for stores on servers."""
    newest = "SELECT max(at) FROM entries"
    return SqliteUpkeep(data / "journal.sqlite", "journal", journal.SCHEMA, _JOURNAL, newest)


def cache_upkeep(cache: Path) -> SqliteUpkeep:
    """Return what looks after the cache in the folder `cache`."""
    counts = {"kept values": "SELECT count(*) FROM entries"}
    return SqliteUpkeep(cache / "cache.sqlite", "cache", cache_schema.SCHEMA, counts, "SELECT NULL")
