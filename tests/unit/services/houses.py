"""All embedded stores of one folder, the accounts in them, and looking for what is left of somebody in the files."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from multidb_chat.adapters.sqlite.accounts import SqliteAccounts
from multidb_chat.adapters.sqlite.cache import SqliteCache
from multidb_chat.adapters.sqlite.conversations import SqliteConversations
from multidb_chat.adapters.sqlite.library import SqliteLibrary
from multidb_chat.adapters.sqlite.tasks import SqliteTasks
from multidb_chat.domain.accounts import Account, Session, Subscription
from multidb_chat.domain.cache import Count, Notification
from multidb_chat.domain.conversations import Conversation, Feedback, Message
from multidb_chat.domain.library import Collection
from multidb_chat.domain.tasks import Task
from tests.contracts.library import a_content

NOW = datetime(2026, 1, 31, 22, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Stores:
    """The stores, with a clock to be set."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = NOW
        self.accounts = SqliteAccounts(folder / "accounts.sqlite")
        self.tasks = SqliteTasks(folder / "accounts.sqlite")
        self.conversations = SqliteConversations(folder / "conversations.sqlite")
        self.library = SqliteLibrary(folder / "library.sqlite")
        self.cache = SqliteCache(folder / "cache.sqlite", lambda: self.now.timestamp())

    async def close(self) -> None:
        for store in (self.cache, self.library, self.conversations, self.tasks, self.accounts):
            await store.close()


def somebody(name: str, role: str = "user") -> Account:
    """Return an account whose identifier and address are told from all other text."""
    if role == "guest":
        return Account(f"id-of-{name}", "guest", "free", NOW, expires_at=NOW + HOUR)
    return Account(f"id-of-{name}", role, "free", NOW, f"{name}@example.org")  # type: ignore[arg-type]


async def furnish(stores: Stores, account: Account, talks: int = 3) -> None:
    """Put something of the account into every table; each text names it."""
    who = account.id
    await stores.accounts.create_account(account)
    await stores.accounts.put_subscription(Subscription(f"sub {who}", who, "pro", NOW))
    await stores.accounts.put_session(Session(f"session {who}", who, NOW, NOW + HOUR))
    await stores.accounts.take(who, "messages", NOW.date().replace(day=1), talks, None, f"take {who}")
    await stores.tasks.enqueue(Task(f"task {who}", who, "research", {"topic": who}, NOW))
    for number in range(talks):
        talk = Conversation(f"talk {number} {who}", who, f"Talk of {who}", NOW, archived=number % 2 == 1)
        await stores.conversations.put_conversation(talk)
        for part in range(4):
            message = Message(f"{talk.id} {part}", talk.id, who, "user", f"{who} says {part}", NOW)
            await stores.conversations.append(message)
        given = Feedback(f"feedback {talk.id}", who, 1, f"{who} likes it", NOW, talk.id, f"{talk.id} 1")
        await stores.conversations.put_feedback(given)
    await stores.conversations.put_feedback(Feedback(f"feedback {who}", who, 0, f"{who} says hello", NOW))
    collection = Collection(f"collection {who}", who, f"Papers of {who}", NOW)
    await stores.library.create_collection(collection)
    await stores.library.put_documents(
        [a_content(f"{who} {n}", f"Words of {who}.", collection=collection.id, source=f"/{who}") for n in range(3)]
    )
    await stores.cache.put(f"answer {who}", who.encode(), 3_600, who)
    await stores.cache.notify(Notification(f"line {who}", who, NOW, f"For {who}"))
    await stores.cache.count([Count(f"turn {who}", who, NOW, {"turns": 1})])


def rows_about(folder: Path, account: Account) -> dict[str, int]:
    """Return how many rows of each table name the account, by its identifier or its address.

    Left out is what stays on purpose: that it was erased, that its collections changed, that an operation was counted.
    """
    marks = [account.id, account.email or account.id]
    found: dict[str, int] = {}
    for file in sorted(folder.glob("*.sqlite")):
        with closing(sqlite3.connect(file)) as connection:
            for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                if table in ("erased", "changes") or table.startswith(("words_", "sqlite_")):
                    continue
                if file.stem == "cache" and table == "operations":
                    continue
                rows = connection.execute(f'SELECT * FROM "{table}"').fetchall()
                count = sum(any(mark in _text(row) for mark in marks) for row in rows)
                if count:
                    found[f"{file.stem}.{table}"] = count
    return found


def _text(row: tuple[object, ...]) -> str:
    return " ".join(cell.decode("latin-1") if isinstance(cell, bytes) else str(cell) for cell in row)
