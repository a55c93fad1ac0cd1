"""Collections and documents: one's own and the shared ones to read, one's own to change; guests change nothing."""

from typing import Any

from multidb_chat.domain.accounts import Account
from tests.authorisation.world import REFUSED, Row, World, own


async def _put_back(world: World, account: Account) -> Any:
    removed = await world.app.documents.take_out(world.owner, [world.document.id])
    return await world.app.documents.put_back(account, removed)


async def _holdings(world: World, account: Account) -> Any:
    """The owner's document is counted for the owner alone."""
    held = await world.app.documents.holdings(account)
    assert held.documents == (account.id == world.owner.id)
    return held


ROWS = {
    "Collections.collections": own(lambda world, account: world.app.documents.collections(account)),
    "Collections.contents": own(lambda world, account: world.app.documents.contents(account)),
    "Collections.holdings": own(_holdings),
    "Collections.create_collection": own(
        lambda world, account: world.app.documents.create_collection(account, "mine"), guest=REFUSED
    ),
    "Collections.ensure_collection": own(
        lambda world, account: world.app.documents.ensure_collection(account, "secrets"), guest=REFUSED
    ),
    "Collections.show_collection": Row(
        lambda world, account: world.app.documents.show_collection(account, world.collection.id)
    ),
    "Collections.delete_collection": Row(
        lambda world, account: world.app.documents.delete_collection(account, world.collection.id)
    ),
    "Collections.change_collection": Row(
        lambda world, account: world.app.documents.change_collection(account, world.collection.id, shared=True)
    ),
    "Collections.resolve": Row(lambda world, account: world.app.documents.resolve(account, [world.collection.id])),
    "Documents.list": Row(lambda world, account: world.app.documents.list(account, [world.collection])),
    "Documents.show": Row(lambda world, account: world.app.documents.show(account, world.document.id)),
    "Documents.select": Row(lambda world, account: world.app.documents.select(account, [world.document.id])),
    "Documents.remove": Row(lambda world, account: world.app.documents.remove(account, [world.document.id])),
    "Documents.take_out": Row(lambda world, account: world.app.documents.take_out(account, [world.document.id])),
    "Documents.put_back": Row(_put_back),
    "Documents.read": Row(lambda world, account: world.app.documents.read(account, world.document.id)),
    "Documents.passage": Row(lambda world, account: world.app.documents.passage(account, world.document.id, 0, 10)),
    "Documents.export": Row(lambda world, account: world.app.documents.export(account, world.document.id)),
}
