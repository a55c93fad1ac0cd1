"""Conversations with all that is in them: put so that an erasure misses nothing, and removed so that nothing stays."""

import asyncio

from multidb_chat.adapters.scylla import erased
from multidb_chat.adapters.scylla.connection import Connection
from multidb_chat.adapters.scylla.conversations_messages import Messages
from multidb_chat.adapters.scylla.conversations_talk import Talk
from multidb_chat.adapters.scylla.feedback import FeedbackGiven
from multidb_chat.domain.conversations import Conversation
from multidb_chat.domain.errors import NotFound


class Whole:
    """The conversations in the cluster, with their messages and the feedback on these."""

    def __init__(self, connection: Connection, talk: Talk, messages: Messages, feedback: FeedbackGiven) -> None:
        self._connection = connection
        self._talk = talk
        self._messages = messages
        self._feedback = feedback

    async def put(self, conversation: Conversation) -> None:
        """Add a conversation or replace what may change of it.

        Raises `Conflict` when it is somebody else's, and `NotFound` for an account that was erased.
        """
        await erased.refuse(self._connection, conversation.account_id)
        await self._talk.put(conversation)
        try:
            await erased.refuse(self._connection, conversation.account_id)
        except NotFound:  # put too late, perhaps, for the erasure to find it, and what others have said in it
            await self.remove(conversation.id)
            await self._talk.remove(conversation)
            raise

    async def remove(self, conversation_id: str) -> bool:
        """Remove what is in the conversation, then itself; so what is interrupted is found and done again.

        What another program adds until the end is removed by the second round, or by that program itself. Of one that
        is unknown, what may be left is removed. False when there was none any more.
        """
        conversation = await self._talk.conversation(conversation_id)
        removed, _ = await asyncio.gather(
            self._messages.remove_all(conversation_id, forget=conversation is None),
            self._feedback.remove_to(conversation_id),
        )
        if conversation is None:
            return False
        gone = await self._talk.remove(conversation)
        await self._messages.remove_all(conversation_id, forget=True, before=removed)
        return gone
