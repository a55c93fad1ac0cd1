"""Naming documents in a question: what is somebody else's is as unknown as what does not exist."""

from multidb_chat.domain.accounts import Account
from multidb_chat.services.narrowing import Narrowed
from tests.authorisation.world import World, own


async def _read(world: World, account: Account) -> Narrowed:
    return await world.app.narrowing.read(account, f"#{world.collection.name} @{world.document.name} what?")


ROWS = {
    "Narrowing.read": own(_read),
    "Narrowing.suggest": own(lambda world, account: world.app.narrowing.suggest(account, "@", "")),
}
