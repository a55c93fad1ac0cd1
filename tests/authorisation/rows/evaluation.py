"""Measuring how well is found: in collections that the account may search."""

from typing import Any

from multidb_chat.domain.accounts import Account
from multidb_chat.services.evaluation.configuration import configuration
from tests.authorisation.world import Row, World


async def _run(world: World, account: Account) -> Any:
    judged = {"1": {world.document.name: 1}}
    measured = world.app.evaluation.run(
        account, {"1": "What is there?"}, judged, [configuration("words")], [world.collection.id]
    )
    return [one.name async for one in measured]


ROWS = {"Evaluation.run": Row(_run)}
