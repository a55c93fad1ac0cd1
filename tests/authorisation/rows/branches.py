"""Branches of conversations: of one's own, and of nobody else's."""

from tests.authorisation.world import Row

ROWS = {
    "Branches.shown": Row(lambda world, account: world.app.branches.shown(account, world.conversation.id)),
    "Branches.messages": Row(
        lambda world, account: world.app.branches.messages(account, world.conversation.id, [world.messages[0].id])
    ),
    "Branches.siblings": Row(
        lambda world, account: world.app.branches.siblings(account, world.conversation.id, world.messages[0].id)
    ),
    "Branches.choose": Row(
        lambda world, account: world.app.branches.choose(account, world.conversation.id, world.messages[0].id)
    ),
    "Branches.fork": Row(lambda world, account: world.app.branches.fork(account, world.conversation.id)),
    "Branches.export": Row(lambda world, account: world.app.branches.export(account, world.conversation.id, "md")),
}
