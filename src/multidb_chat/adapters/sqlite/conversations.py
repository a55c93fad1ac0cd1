"""`SqliteConversations`: the port `Conversations` in one SQLite file."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Unpack

from multidb_chat.adapters.sqlite import conversations_curation as curation
from multidb_chat.adapters.sqlite import conversations_messages as talk
from multidb_chat.adapters.sqlite import erased
from multidb_chat.adapters.sqlite.conversations_curation import KNOWLEDGE
from multidb_chat.adapters.sqlite.conversations_messages import CONVERSATIONS, MESSAGES
from multidb_chat.adapters.sqlite.conversations_schema import SCHEMA
from multidb_chat.adapters.sqlite.conversations_search import search
from multidb_chat.adapters.sqlite.database import Database
from multidb_chat.domain.conversations import (
    Changes,
    Conversation,
    Feedback,
    FoundConversation,
    KnowledgeEntry,
    KnowledgeVector,
    Link,
    Message,
)

_FEW = 16  # messages that are read at once; see `Database.look`


class SqliteConversations:
    """The port `Conversations` in the file `path`, made when it is first needed; the port's docstrings specify it.

    Text is any Unicode, NUL included; lone surrogates are refused with `InvalidInput`, in questions too.
    """

    def __init__(self, path: Path) -> None:
        self._database = Database(path, "conversations", SCHEMA)

    async def close(self) -> None:
        """Finish what is being written and close the file."""
        await self._database.close()

    async def put_conversation(self, conversation: Conversation) -> None:
        await self._database.write(lambda c: talk.put(c, conversation))

    async def change_conversation(
        self, account_id: str, conversation_id: str, **changes: Unpack[Changes]
    ) -> Conversation | None:
        return await self._database.write(lambda c: talk.change(c, account_id, conversation_id, changes))

    async def conversation(self, conversation_id: str) -> Conversation | None:
        return await self._database.look(lambda c: CONVERSATIONS.first(c, "WHERE id = ?", conversation_id))

    async def conversations(
        self, account_id: str, before: str = "", limit: int = 50, archived: bool = False, deleted: bool = False
    ) -> list[Conversation]:
        if deleted:
            return await self._database.read(lambda c: talk.deleted_page(c, account_id, before, limit))
        return await self._database.read(lambda c: talk.page_of(c, account_id, before, limit, archived))

    async def deleted_conversations(self, until: datetime, limit: int = 100) -> list[Conversation]:
        return await self._database.read(lambda c: talk.deleted_until(c, until, limit))

    async def search_conversations(
        self, account_id: str, words: Sequence[str], limit: int = 50, archived: bool = False
    ) -> list[FoundConversation]:
        return await self._database.read(lambda c: search(c, account_id, words, limit, archived))

    async def idle_conversations(self, until: datetime, limit: int = 100) -> list[Conversation]:
        return await self._database.read(lambda c: talk.idle_until(c, until, limit))

    async def delete_conversation(self, conversation_id: str) -> bool:
        return await self._database.write(lambda c: talk.delete(c, conversation_id))

    async def erase(self, account_id: str) -> int:
        await self._database.write(lambda c: erased.mark(c, account_id))
        removed = 0
        while some := await self._database.write(lambda c: talk.delete_some(c, account_id)):
            removed += some
        await self._database.write(lambda c: curation.delete_feedback(c, account_id))
        return removed

    async def append(self, *messages: Message) -> None:
        await self._database.write(lambda c: talk.append(c, messages))

    async def message(self, conversation_id: str, message_id: str) -> Message | None:
        clauses = "WHERE conversation_id = ? AND id = ?"
        return await self._database.look(lambda c: MESSAGES.first(c, clauses, conversation_id, message_id))

    async def messages(self, conversation_id: str, before: str = "", limit: int = 50) -> list[Message]:
        read = self._database.look if limit <= _FEW else self._database.read
        return await read(lambda c: talk.page(c, conversation_id, before, limit))

    async def questions(self, first: date, account_id: str | None = None) -> Mapping[date, int]:
        return await self._database.read(lambda c: talk.questions(c, first, account_id))

    async def messages_named(self, conversation_id: str, message_ids: Sequence[str]) -> list[Message]:
        return await self._database.read(lambda c: talk.named(c, conversation_id, message_ids))

    async def outline(self, conversation_id: str) -> list[Link]:
        return await self._database.read(lambda c: talk.outline(c, conversation_id))

    async def put_knowledge(self, entry: KnowledgeEntry) -> None:
        await self._database.write(lambda c: curation.put_knowledge(c, entry))

    async def knowledge(self, tenant_id: str, question_key: str) -> KnowledgeEntry | None:
        clauses = "WHERE tenant_id = ? AND question_key = ?"
        return await self._database.look(lambda c: KNOWLEDGE.first(c, clauses, tenant_id, question_key))

    async def knowledge_entry(self, tenant_id: str, entry_id: str) -> KnowledgeEntry | None:
        clauses = "WHERE tenant_id = ? AND id = ?"
        return await self._database.look(lambda c: KNOWLEDGE.first(c, clauses, tenant_id, entry_id))

    async def knowledge_entries(self, tenant_id: str, after: str = "", limit: int = 100) -> list[KnowledgeEntry]:
        return await self._database.read(lambda c: curation.knowledge_page(c, tenant_id, after, limit))

    async def knowledge_vectors(
        self, tenant_id: str, embedder: str, after: str = "", limit: int = 1000
    ) -> list[KnowledgeVector]:
        return await self._database.read(lambda c: curation.vectors_page(c, tenant_id, embedder, after, limit))

    async def delete_knowledge(self, tenant_id: str, entry_id: str) -> bool:
        return await self._database.write(lambda c: curation.delete_knowledge(c, tenant_id, entry_id))

    async def count_use(self, tenant_id: str, entry_id: str) -> None:
        await self._database.write(lambda c: curation.count_use(c, tenant_id, entry_id))

    async def uses(self, tenant_id: str, entry_ids: Sequence[str]) -> dict[str, int]:
        return await self._database.read(lambda c: curation.uses(c, tenant_id, entry_ids))

    async def put_feedback(self, feedback: Feedback) -> None:
        await self._database.write(lambda c: curation.put_feedback(c, feedback))

    async def feedback(self, account_id: str, before: str = "", limit: int = 50) -> list[Feedback]:
        return await self._database.read(lambda c: curation.feedback_page(c, account_id, before, limit))

    async def feedback_to(self, account_id: str, conversation_id: str, message_ids: Sequence[str]) -> list[Feedback]:
        return await self._database.read(lambda c: curation.feedback_to(c, account_id, conversation_id, message_ids))

    async def feedback_on(self, day: date, limit: int = 1000) -> list[Feedback]:
        return await self._database.read(lambda c: curation.feedback_of_day(c, day, limit))
