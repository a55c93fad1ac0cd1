"""What is remembered: everybody's own."""

from multidb_chat.domain.accounts import Account
from tests.authorisation.world import World, own


async def _forget(world: World, account: Account) -> object:
    await world.app.pinned_facts.remember(account, "something else")
    return await world.app.pinned_facts.forget(account, "else")


ROWS = {
    "PinnedFacts.all": own(lambda world, account: world.app.pinned_facts.all(account)),
    "PinnedFacts.remember": own(lambda world, account: world.app.pinned_facts.remember(account, "I like tea.")),
    "PinnedFacts.forget": own(_forget),
}
