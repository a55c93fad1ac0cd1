"""Asking: in one's own conversations, of one's own and the shared collections."""

from typing import Any

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.turns import TurnFailed
from tests.authorisation.world import Row, World, own


async def _respond(world: World, account: Account) -> list[Any]:
    """Ask the owner's collection, and then in the owner's conversation: each is refused for itself, or none is."""
    ways: tuple[dict[str, Any], ...] = (
        {"collections": [world.collection]},
        {"collections": [], "conversation_id": world.conversation.id},
    )
    events = [[event async for event in world.app.chat.respond(account, "How?", **way)] for way in ways]
    failures = [way[-1].error for way in events if isinstance(way[-1], TurnFailed)]
    assert len(failures) in (0, len(ways))
    if failures:
        assert len({type(failure) for failure in failures}) == 1
        raise failures[0]
    return events


ROWS = {
    "Chat.respond": Row(_respond),
    "Chat.forget_answers": own(lambda world, account: world.app.chat.forget_answers(account)),
}
