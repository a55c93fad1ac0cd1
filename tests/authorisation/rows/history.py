"""Conversations: one's own, and nobody else's."""

from tests.authorisation.world import Row, own

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
    "History.list": own(lambda world, account: world.app.history.list(account)),
}
