"""Uploads that wait for the library: one's own alone, and never as a guest."""

from typing import Any

from multidb_chat.domain.accounts import Account
from multidb_chat.services.ingesting.sources import Given
from tests.authorisation.world import REFUSED, World, own


async def _keep(world: World, account: Account) -> Any:
    return await world.app.spool.keep(account, "documents", None, [Given("notes", b"Notes.")])


ROWS = {"Spool.keep": own(_keep, guest=REFUSED)}
