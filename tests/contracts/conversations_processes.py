"""Who is in the stores of conversations that are tested, and what other processes do to them."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime

from multidb_chat.domain.conversations import Conversation, Conversations, Message
from tests.contracts.processes import say, starting_line

OpenConversations = Callable[[], AbstractAsyncContextManager[Conversations]]

NOW = datetime(2026, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC)
TALK = Conversation("c1", "ada", "About tides", NOW)


def a_message(key: str, conversation: str = "c1", parent: str | None = None) -> Message:
    return Message(key, conversation, "ada", "user", f"Body of {key}", NOW, parent)


async def append_many(open_conversations: OpenConversations, first: int, step: int, count: int) -> None:
    """Append the messages `first`, `first + step` ..., and one that all processes append."""
    async with open_conversations() as conversations:
        await conversations.conversation("c1")
        starting_line()
        for n in range(first, count, step):
            await conversations.append(a_message(f"{n:03}"))
            await conversations.append(a_message("shared"))
            say(f"{n:03}")


async def append_without_end(open_conversations: OpenConversations) -> None:
    """Append to several conversations at once until somebody kills the process; say what was acknowledged."""
    async with open_conversations() as conversations:

        async def talk(lane: int) -> None:
            await conversations.put_conversation(Conversation(f"lane{lane}", "ada", "", NOW))
            number = 0
            while True:
                await conversations.append(a_message(f"{number:06}", f"lane{lane}"))
                say(f"lane{lane}/{number:06}")
                number += 1

        await asyncio.gather(*map(talk, range(8)))
