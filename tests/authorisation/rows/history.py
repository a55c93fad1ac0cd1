"""Conversations: one's own, and nobody else's."""

from typing import Any

from multidb_chat.domain.accounts import Account
from tests.authorisation.world import CANARY, Row, World, own


async def _undelete(world: World, account: Account) -> Any:
    await world.app.history.delete(world.owner, world.conversation.id)
    return await world.app.history.undelete(account, world.conversation.id)


ROWS = {
    "History.start": own(lambda world, account: world.app.history.start(account, "A title")),
    "History.open": Row(lambda world, account: world.app.history.open(account, world.conversation.id)),
    "History.latest": own(lambda world, account: world.app.history.latest(account)),
    "History.page": Row(lambda world, account: world.app.history.page(account, world.conversation.id)),
    "History.append_turn": Row(
        lambda world, account: world.app.history.append_turn(account, world.conversation.id, *world.messages)
    ),
    "History.rename": Row(lambda world, account: world.app.history.rename(account, world.conversation.id, "Mine")),
    "History.archive": Row(lambda world, account: world.app.history.archive(account, world.conversation.id)),
    "History.delete": Row(lambda world, account: world.app.history.delete(account, world.conversation.id)),
    "History.undelete": Row(_undelete),
    "History.discard": Row(lambda world, account: world.app.history.discard(account, world.conversation.id)),
    "History.mark_read": Row(lambda world, account: world.app.history.mark_read(account, world.conversation.id)),
    "History.named": Row(lambda world, account: world.app.history.named(account, world.conversation.id)),
    "History.list": own(lambda world, account: world.app.history.list(account)),
    "History.all": own(lambda world, account: world.app.history.all(account)),
    "History.search": own(lambda world, account: world.app.history.search(account, CANARY)),
}
