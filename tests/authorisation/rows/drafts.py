"""Drafts: one's own alone."""

from multidb_chat.domain.accounts import Account
from tests.authorisation.world import CANARY, World, own


async def _recall(world: World, account: Account) -> str:
    await world.app.drafts.keep(world.owner, CANARY)
    return await world.app.drafts.recall(account)


ROWS = {
    "Drafts.keep": own(lambda world, account: world.app.drafts.keep(account, "mine")),
    "Drafts.recall": own(_recall),
    "Drafts.forget": own(lambda world, account: world.app.drafts.forget(account)),
}
