"""`ScyllaConversations`: the port `Conversations` on a ScyllaDB or Apache Cassandra cluster."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Unpack

from multidb_chat.adapters.scylla import erased
from multidb_chat.adapters.scylla.address import address_of
from multidb_chat.adapters.scylla.connection import Connection
from multidb_chat.adapters.scylla.conversations_lists import Lists
from multidb_chat.adapters.scylla.conversations_messages import Messages
from multidb_chat.adapters.scylla.conversations_questions import Questions
from multidb_chat.adapters.scylla.conversations_search import search
from multidb_chat.adapters.scylla.conversations_talk import Talk
from multidb_chat.adapters.scylla.conversations_whole import Whole
from multidb_chat.adapters.scylla.feedback import FeedbackGiven
from multidb_chat.adapters.scylla.knowledge import Knowledge
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

_REMOVED_AT_ONCE = 8


class ScyllaConversations:
    """The port `Conversations` on the cluster at `url` (see `address`), connected to when it is first needed.

    The port's docstrings specify it. Text is any Unicode, NUL included; lone surrogates are refused with
    `InvalidInput`, in questions too. So are empty identifiers; nothing is found under them.
    """

    def __init__(self, url: str) -> None:
        connection = self._connection = Connection(address_of(url))
        self._lists = Lists(connection)
        self._talk = Talk(connection, self._lists)
        self._messages = Messages(connection, questions := Questions(connection))
        self._questions = questions
        self._knowledge = Knowledge(connection)
        self._feedback = FeedbackGiven(connection)
        self._whole = Whole(connection, self._talk, self._messages, self._feedback)

    @property
    def making(self) -> bool:
        """Whether the tables are being made, which takes longer than a call."""
        return self._connection.making

    async def close(self) -> None:
        """Close all connections."""
        await self._connection.close()

    async def put_conversation(self, conversation: Conversation) -> None:
        await self._whole.put(conversation)

    async def change_conversation(
        self, account_id: str, conversation_id: str, **changes: Unpack[Changes]
    ) -> Conversation | None:
        return await self._talk.change(account_id, conversation_id, changes)

    async def conversation(self, conversation_id: str) -> Conversation | None:
        return await self._talk.conversation(conversation_id)

    async def conversations(
        self, account_id: str, before: str = "", limit: int = 50, archived: bool = False, deleted: bool = False
    ) -> list[Conversation]:
        state = "deleted" if deleted else "archived" if archived else "open"
        return await self._lists.page(account_id, state, before, limit)

    async def deleted_conversations(self, until: datetime, limit: int = 100) -> list[Conversation]:
        return await self._lists.earliest("deleted", until, limit)

    async def search_conversations(
        self, account_id: str, words: Sequence[str], limit: int = 50, archived: bool = False
    ) -> list[FoundConversation]:
        return await search(self._lists, self._messages, account_id, words, limit, archived)

    async def idle_conversations(self, until: datetime, limit: int = 100) -> list[Conversation]:
        return await self._lists.earliest("active", until, limit)

    async def delete_conversation(self, conversation_id: str) -> bool:
        return await self._whole.remove(conversation_id)

    async def erase(self, account_id: str) -> int:
        await erased.mark(self._connection, account_id)
        await self._feedback.remove_of(account_id)
        removed = 0
        pointers = await self._lists.pointed_at(account_id)
        for first in range(0, len(pointers), _REMOVED_AT_ONCE):
            some = pointers[first : first + _REMOVED_AT_ONCE]
            removed += sum(await asyncio.gather(*(self._erase_at(account_id, *pointer) for pointer in some)))
        await self._questions.remove_of(account_id)
        return removed

    async def _erase_at(self, account_id: str, state: str, conversation_id: str, revision: int) -> bool:
        """Remove the conversation that a pointer of an account points at; what is left of one that is half removed."""
        conversation = await self._talk.conversation(conversation_id)
        gone = False
        if conversation is None or conversation.account_id == account_id:
            gone = await self._whole.remove(conversation_id)
        await self._lists.forget(account_id, state, conversation_id, revision)
        return gone

    async def append(self, *messages: Message) -> None:
        await self._messages.append(messages)

    async def message(self, conversation_id: str, message_id: str) -> Message | None:
        return await self._messages.message(conversation_id, message_id)

    async def messages(self, conversation_id: str, before: str = "", limit: int = 50) -> list[Message]:
        return await self._messages.page(conversation_id, before, limit)

    async def questions(self, first: date, account_id: str | None = None) -> Mapping[date, int]:
        return await self._questions.by_day(first, account_id)

    async def messages_named(self, conversation_id: str, message_ids: Sequence[str]) -> list[Message]:
        return await self._messages.named(conversation_id, message_ids)

    async def outline(self, conversation_id: str) -> list[Link]:
        return await self._messages.outline(conversation_id)

    async def put_knowledge(self, entry: KnowledgeEntry) -> None:
        await self._knowledge.put(entry)

    async def knowledge(self, tenant_id: str, question_key: str) -> KnowledgeEntry | None:
        return await self._knowledge.by_question(tenant_id, question_key)

    async def knowledge_entry(self, tenant_id: str, entry_id: str) -> KnowledgeEntry | None:
        return await self._knowledge.entry(tenant_id, entry_id)

    async def knowledge_entries(self, tenant_id: str, after: str = "", limit: int = 100) -> list[KnowledgeEntry]:
        return await self._knowledge.page(tenant_id, after, limit)

    async def knowledge_vectors(
        self, tenant_id: str, embedder: str, after: str = "", limit: int = 1000
    ) -> list[KnowledgeVector]:
        return await self._knowledge.vectors(tenant_id, embedder, after, limit)

    async def delete_knowledge(self, tenant_id: str, entry_id: str) -> bool:
        return await self._knowledge.delete(tenant_id, entry_id)

    async def count_use(self, tenant_id: str, entry_id: str) -> None:
        await self._knowledge.count_use(tenant_id, entry_id)

    async def uses(self, tenant_id: str, entry_ids: Sequence[str]) -> dict[str, int]:
        return await self._knowledge.uses(tenant_id, entry_ids)

    async def put_feedback(self, feedback: Feedback) -> None:
        await self._feedback.put(feedback)

    async def feedback(self, account_id: str, before: str = "", limit: int = 50) -> list[Feedback]:
        return await self._feedback.page(account_id, before, limit)

    async def feedback_to(self, account_id: str, conversation_id: str, message_ids: Sequence[str]) -> list[Feedback]:
        return await self._feedback.to(account_id, conversation_id, message_ids)

    async def feedback_on(self, day: date, limit: int = 1000) -> list[Feedback]:
        return await self._feedback.of_day(day, limit)
