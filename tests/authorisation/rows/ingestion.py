"""Adding documents: to one's own collections alone, and never as a guest."""

from typing import Any

from multidb_chat.domain.accounts import Account
from tests.authorisation.world import REFUSED, Row, World


async def _add(world: World, account: Account) -> list[Any]:
    missing = world.app.settings.paths.data / "no such file.md"
    return [event async for event in world.app.ingestion.add(account, world.collection, [missing])]


async def _sync(world: World, account: Account) -> list[Any]:
    folder = world.app.settings.paths.data
    return [event async for event in world.app.ingestion.sync(account, world.collection, folder)]


async def _reindex(world: World, account: Account) -> list[Any]:
    return [event async for event in world.app.ingestion.reindex(account, world.collection)]


async def _reprocess(world: World, account: Account) -> list[Any]:
    return [event async for event in world.app.ingestion.reprocess(account, world.collection)]


ROWS = {
    "Ingestion.add": Row(_add, guest=REFUSED),
    "Ingestion.sync": Row(_sync, guest=REFUSED),
    "Ingestion.reindex": Row(_reindex, guest=REFUSED),
    "Ingestion.reprocess": Row(_reprocess, guest=REFUSED),
}
