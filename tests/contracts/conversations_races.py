"""What every `Conversations` does when several openings and processes use it at once, or one of them is killed."""

import asyncio
from dataclasses import replace

from multidb_chat.domain.conversations import Conversation
from multidb_chat.domain.errors import Conflict
from tests.contracts import processes
from tests.contracts.conversations_processes import (
    NOW,
    TALK,
    OpenConversations,
    a_message,
    append_many,
    append_without_end,
)


class RacesContract:
    """A part of `ConversationsContract`."""

    async def test_another_opening_sees_what_was_acknowledged(self, open_conversations: OpenConversations):
        async with open_conversations() as one, open_conversations() as other:
            await one.put_conversation(TALK)
            assert await other.conversation("c1") == TALK
            await other.append(a_message("1"))
            assert await one.messages("c1") == [a_message("1")]
            assert await one.delete_conversation("c1") is True
            assert await other.messages("c1") == []

    async def test_one_of_two_owners_gets_a_conversation(self, open_conversations: OpenConversations):
        async with open_conversations() as one, open_conversations() as other:
            outcomes = await asyncio.gather(
                one.put_conversation(TALK),
                other.put_conversation(replace(TALK, account_id="bob")),
                return_exceptions=True,
            )
            assert sorted(type(outcome) for outcome in outcomes if outcome) == [Conflict]
            stored = await one.conversation("c1")
            assert stored is not None
            assert stored.account_id == ("ada", "bob")[outcomes.index(None)]

    async def test_uses_counted_by_two_openings_add_up(self, open_conversations: OpenConversations, an_entry):
        async with open_conversations() as one, open_conversations() as other:
            await one.put_knowledge(an_entry)
            await asyncio.gather(*((one, other)[n % 2].count_use("acme", an_entry.id) for n in range(40)))
            assert await one.uses("acme", [an_entry.id]) == {an_entry.id: 40}

    async def test_processes_append_to_one_conversation(self, open_conversations: OpenConversations):
        async with open_conversations() as conversations:
            await conversations.put_conversation(TALK)
            racers = [processes.start(append_many, open_conversations, n, 3, 60) for n in range(3)]
            said = sorted(word for words in processes.race(racers) for word in words)
            assert said == [f"{n:03}" for n in range(60)]
            stored = await conversations.messages("c1", limit=100)
            assert stored == [a_message(key) for key in [*said, "shared"]]

    async def test_a_killed_process_leaves_all_it_acknowledged(self, open_conversations: OpenConversations):
        process = processes.start(append_without_end, open_conversations)
        acknowledged = processes.killed_after(process, 100)
        async with open_conversations() as conversations:
            for word in acknowledged:
                lane, key = word.split("/")
                assert await conversations.message(lane, key) == a_message(key, lane)
            for lane in range(8):
                stored = await conversations.messages(f"lane{lane}", limit=10_000)
                assert stored == [a_message(f"{n:06}", f"lane{lane}") for n in range(len(stored))]
            await conversations.put_conversation(Conversation("after", "ada", "", NOW))
