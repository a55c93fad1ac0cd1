"""Conversations stored for the account of an app, as if they had been talked in before."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from multidb_chat.bootstrap import Application
from multidb_chat.domain.conversations import Conversation, Message
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.turns import Answer, Citation
from multidb_chat.services.answering import codec
from tests.tui.home import guest_of

DAY = datetime(2026, 1, 2, 9, 30, tzinfo=UTC)
CITED = Citation(
    1, "gone", "report.md", "Annual report", "report.md", "c", 0, 31, "Churn fell to 4.2 percent in 2019.", 3,
    ("Annual report", "Customers"), 0.92, "excellent", 7.0, 0.9,
)  # fmt: skip


def turn(talk: Conversation, number: int, parent: str | None) -> tuple[Message, Message]:
    """Return a question and its answer, as a turn stores them."""
    asked, said = new_id(), new_id()
    text = f"Answer {number}: churn fell to 4.2 percent in 2019. [1]"
    words = f"Question {number}?"
    answer = Answer(words, words, text, True, citations=(CITED,), conversation_id=talk.id, message_id=said)
    return (
        Message(asked, talk.id, talk.account_id, "user", words, DAY, parent),
        Message(said, talk.id, talk.account_id, "assistant", text, DAY, asked, codec.dumps(answer)),
    )


async def talk_of(application: Application, turns: int, title: str, **marks: Any) -> Conversation:
    """Store a conversation with so many turns."""
    talk = Conversation(new_id(), application.account.id, title, DAY, renamed=True)
    await application.conversations.put_conversation(talk)
    messages: list[Message] = []
    for number in range(1, turns + 1):
        messages += turn(talk, number, messages[-1].id if messages else None)
    await application.conversations.append(*messages)
    talk = replace(talk, **{"read_at": DAY, "head": messages[-1].id if messages else None, **marks})
    await application.conversations.put_conversation(talk)
    return talk


@asynccontextmanager
async def guest_with(home: Path, *talks: tuple[int, str, dict[str, Any]]) -> AsyncIterator[Application]:
    """Open the services for a guest who has these conversations: turns, title, marks; the first one is the oldest."""
    async with guest_of(home) as application:
        for number, (turns, title, marks) in enumerate(talks):
            at = DAY + timedelta(days=number)
            read = None if marks.get("unread") else at
            marks = {name: value for name, value in marks.items() if name != "unread"}
            await talk_of(application, turns, title, **{"last_activity": at, "read_at": read, **marks})
        yield application


SOME: Sequence[tuple[int, str, dict[str, Any]]] = (
    (3, "Churn in 2019", {}),
    (1, "How to add my own documents", {}),
    (2, "The Kestrel observatory, its founder and everything else that is told of it in the letters", {"unread": True}),
    (1, "東京の図書館", {}),
    (1, "Late fees", {"archived": True}),
    (2, "An old one", {"deleted_at": DAY}),
)
