"""All that is kept of an account as one zip file: JSON to keep, Markdown and texts to read.

It is written piece by piece, so that it takes no more memory than one document or one page of messages, under another
name that only its owner can read, and gets its own name when it is complete.
"""

import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multidb_chat.domain.accounts import Account, Accounts
from multidb_chat.domain.conversations import Conversation, Conversations, Message
from multidb_chat.domain.library import Collection, DocumentContent, Library
from multidb_chat.domain.permissions import Permission, require
from multidb_chat.domain.plans import month_end, month_of
from multidb_chat.domain.tasks import Tasks
from multidb_chat.services.accounts import usable, utc_now
from multidb_chat.services.archive import Archive
from multidb_chat.services.talk_export import file_stem, markdown_of, message_record

if TYPE_CHECKING:
    from multidb_chat.services.audit import AuditLog
    from multidb_chat.services.drafts import Drafts

_PAGE = 200
_LONGEST_NAME = 80
_UNFIT = re.compile(r"[^\w.\-]+")
_SECRETS = {"password_hash", "refresh_hash", "previous_refresh_hash"}
README = """\
# Your data in multidb-chat

Made at {at:%Y-%m-%d %H:%M} UTC for {whose}.

| what | how many | where |
|---|---|---|
{rows}
Times are ISO 8601 in UTC. Each conversation is there twice: as JSON with everything that is known of each message, the
sources of answers among it, and as Markdown to read, both with all messages in the order in which they were written.
A draft is what was typed on this machine and not sent.
The text of each document is what was read from it; the original is there where no file could be read again. The audit
log is what was recorded of what you did. Passwords and tokens are not in here.
"""
_WHERE = {
    "profile": "profile.json",
    "usage": "usage.json",
    "drafts": "drafts.json",
    "conversations": "conversations/",
    "documents": "documents.json, documents/, originals/",
    "feedback": "feedback.json",
    "tasks": "tasks.json",
    "audit": "audit.json",
}


class AccountExport:
    """Writes everything that the stores hold of an account."""

    def __init__(
        self,
        accounts: Accounts,
        tasks: Tasks,
        conversations: Conversations,
        library: Library,
        *,
        drafts: "Drafts",
        audit: "Callable[[], AuditLog]",
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._accounts = accounts
        self._tasks = tasks
        self._conversations = conversations
        self._library = library
        self._drafts = drafts
        self._audit = audit
        self._clock = clock

    async def write(
        self, account: Account, path: Path, told: Callable[[str, int], None] = lambda what, count: None
    ) -> Mapping[str, int]:
        """Write the account's data into a new file; return how much of each kind there is.

        `told` is called with a kind and how much of it is written. Raises `NotPermitted` for a guest or a disabled
        account, `InvalidInput` when the file exists or cannot be written, and `StoreError`; then there is no file.
        """
        require(account, Permission.KEEP_ACCOUNT)
        now = self._clock()
        current = usable(await self._accounts.account(account.id), now)
        await self._audit().record(current, "account.export")
        counts: dict[str, int] = {}
        async with Archive(path) as archive:
            for kind, records in self._lists(current, now).items():
                counts[kind] = await archive.add_list(f"{kind}.json", records)
                told(kind, counts[kind])
            for kind, items in (
                ("conversations", self._talks(archive, current)),
                ("documents", self._documents(archive, current)),
            ):
                counts[kind] = 0
                async with aclosing(items):
                    async for _ in items:
                        counts[kind] += 1
                        told(kind, counts[kind])
            await archive.add("README.md", [_readme(current, counts, now)])
        return counts

    def _lists(self, account: Account, now: datetime) -> dict[str, AsyncIterator[Any]]:
        return {
            "profile": self._profile(account),
            "usage": self._usage(account, now),
            "drafts": self._draft(account),
            "feedback": self._feedback(account),
            "tasks": self._tasks_of(account),
            "audit": self._entries(account),
        }

    async def _profile(self, account: Account) -> AsyncIterator[Any]:
        yield {"kind": "account"} | _plain(account)
        for subscription in await self._accounts.subscriptions(account.id):
            yield {"kind": "subscription"} | _plain(subscription)
        for session in await self._accounts.sessions(account.id):
            yield {"kind": "session"} | _plain(session)

    async def _usage(self, account: Account, now: datetime) -> AsyncIterator[Any]:
        month = month_of(account.created_at)
        while month <= now.astimezone(UTC).date():
            for resource, used in (await self._accounts.usage(account.id, month)).items():
                yield {"month": month.isoformat(), "resource": resource, "used": used}
            month = month_end(month).date()
        held = await self._library.holdings(account.id)
        yield {"documents_now": held.documents, "size_bytes_now": held.size_bytes}

    async def _draft(self, account: Account) -> AsyncIterator[Any]:
        if text := await self._drafts.recall(account):
            yield {"text": text}

    async def _feedback(self, account: Account) -> AsyncIterator[Any]:
        before = ""
        while page := await self._conversations.feedback(account.id, before, _PAGE):
            for one in page:
                yield _plain(one)
            before = page[-1].id

    async def _tasks_of(self, account: Account) -> AsyncIterator[Any]:
        after = None
        while page := await self._tasks.tasks(account.id, after=after, limit=_PAGE):
            for one in page:
                yield _plain(one)
            after = page[-1]

    async def _entries(self, account: Account) -> AsyncIterator[Any]:
        after = 0
        while page := await self._audit().own_entries(account, after=after, limit=_PAGE):
            for one in page:
                yield _plain(one)
            after = page[-1].seq

    async def _talks(self, archive: Archive, account: Account) -> AsyncGenerator[None, None]:
        """Write each conversation, archived and deleted ones too."""
        number = 0
        for archived, deleted in ((False, False), (True, False), (False, True)):
            before = ""
            while page := await self._conversations.conversations(account.id, before, _PAGE, archived, deleted):
                for conversation in page:
                    number += 1
                    await self._talk(archive, conversation, f"conversations/{number:05}-{file_stem(conversation)}")
                    yield
                before = page[-1].id

    async def _talk(self, archive: Archive, conversation: Conversation, name: str) -> None:
        records = (message_record(message) async for message in self._messages(conversation))
        await archive.add_object(f"{name}.json", _plain(conversation), "messages", records)
        pieces = (markdown_of(message) async for message in self._messages(conversation))
        await archive.add_pieces(f"{name}.md", f"# {conversation.title}\n\n", pieces)

    async def _messages(self, conversation: Conversation) -> AsyncIterator[Message]:
        """Yield the messages oldest first, a page in memory at a time."""
        ids = [link.id for link in await self._conversations.outline(conversation.id)]
        for at in range(0, len(ids), _PAGE):
            for message in await self._conversations.messages_named(conversation.id, ids[at : at + _PAGE]):
                yield message

    async def _documents(self, archive: Archive, account: Account) -> AsyncGenerator[None, None]:
        """Write the documents of the account's own collections, a document in memory at a time."""
        own = [one for one in await self._library.collections(account.id) if one.owner_id == account.id]
        records: list[dict[str, Any]] = []
        for collection in own:
            async with aclosing(self._contents(collection)) as contents:
                async for content in contents:
                    records.append(await _write_document(archive, collection, content, len(records) + 1))
                    yield
        await archive.add_list("documents.json", _each(records))

    async def _contents(self, collection: Collection) -> AsyncGenerator[DocumentContent, None]:
        after = ""
        while page := await self._library.documents([collection.id], after, _PAGE):
            for document in page:
                if (content := await self._library.content(document.id)) is not None:
                    yield content
            after = page[-1].id


async def _write_document(
    archive: Archive, collection: Collection, content: DocumentContent, number: int
) -> dict[str, Any]:
    """Write a document's text, and its original where there is one; return what is known of it."""
    name = f"{number:05}-{_fit(content.document.name)}"
    text, original = f"documents/{name}.txt", f"originals/{name}"
    await archive.add(text, [content.text])
    if content.original is not None:
        await archive.add(original, [content.original])
    files = {"text": text, "original": None if content.original is None else original}
    return _plain(content.document) | {"collection": collection.name, "files": files}


async def _each(records: Iterable[dict[str, Any]]) -> AsyncIterator[dict[str, Any]]:
    for record in records:
        yield record


def _plain(record: Any) -> dict[str, Any]:
    """Return a record as JSON values, without what proves who somebody is."""
    values = {key: value for key, value in asdict(record).items() if key not in _SECRETS}
    return {
        key: value.isoformat() if isinstance(value, date) else json.loads(json.dumps(value, default=dict))
        for key, value in values.items()
    }


def _fit(name: str) -> str:
    return _UNFIT.sub("-", name).strip("-.")[-_LONGEST_NAME:] or "document"


def _readme(account: Account, counts: Mapping[str, int], now: datetime) -> str:
    rows = "".join(f"| {kind} | {count:,} | `{_WHERE[kind]}` |\n" for kind, count in counts.items())
    return README.format(at=now, whose=account.email or "the local account", rows=rows)
