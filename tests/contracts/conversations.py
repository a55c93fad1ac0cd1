"""What every `Conversations` does, written once: a backend's test class gives the fixture `open_conversations`."""

from collections.abc import AsyncIterator

import pytest

from multidb_chat.domain.conversations import Conversations
from tests.contracts.conversations_curation import FeedbackContract, KnowledgeContract
from tests.contracts.conversations_keeping import ChangesContract, DeletedContract, SearchContract, TreeContract
from tests.contracts.conversations_messages import HostileTextContract, MessagesContract, TalkContract
from tests.contracts.conversations_processes import TALK, OpenConversations
from tests.contracts.conversations_races import RacesContract


class ConversationsContract(
    TalkContract,
    ChangesContract,
    DeletedContract,
    SearchContract,
    MessagesContract,
    TreeContract,
    KnowledgeContract,
    FeedbackContract,
    HostileTextContract,
    RacesContract,
):
    """Give it a fixture `open_conversations`: a picklable function that opens the same, at first empty, store."""

    @pytest.fixture
    async def conversations(self, open_conversations: OpenConversations) -> AsyncIterator[Conversations]:
        """A store with one conversation of Ada's."""
        async with open_conversations() as conversations:
            await conversations.put_conversation(TALK)
            yield conversations
