"""Stored conversations on the screen: the messages of a branch as turns."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from multidb_chat.services.answering import codec
from multidb_chat.tui.services import Services
from multidb_chat.tui.widgets.exchange import Exchange

if TYPE_CHECKING:
    from multidb_chat.domain.conversations import Message
    from multidb_chat.services.branches import Branch

LATEST = 40
"""How many messages of a branch are shown."""


async def exchanges_of(services: Services, branch: "Branch") -> list[Exchange]:
    """Return the latest turns of a branch, not yet on the screen."""
    ids = branch.ids[-LATEST:]
    messages = await services.branches.messages(services.account, branch.conversation.id, ids)
    return turns_in(messages, branch.siblings)


def turns_in(messages: "Sequence[Message]", siblings: Mapping[str, Sequence[str]]) -> list[Exchange]:
    """Return the questions among these messages with their answers; `siblings` are told by a message of them."""
    exchanges: list[Exchange] = []
    for message in messages:
        if message.role == "user":
            exchange = Exchange(message.body, parent_id=message.parent_id or "")
            exchange.question_id = message.id
            exchange.stand_among(siblings.get(message.id, ()))
            exchanges.append(exchange)
        elif message.role == "assistant" and exchanges:
            exchanges[-1].restore(message.body, codec.answer_in(message))
    return exchanges
