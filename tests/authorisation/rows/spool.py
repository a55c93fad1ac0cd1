"""Uploads that wait for the library: one's own alone, never as a guest; what stores refused: administrators' alone."""

from typing import Any

from multidb_chat.domain.accounts import Account
from multidb_chat.services.ingesting.sources import Given
from tests.authorisation.world import REFUSED, World, for_staff, own


async def _keep(world: World, account: Account) -> Any:
    return await world.app.spool.keep(account, "documents", None, [Given("notes", b"Notes.")])


ROWS = {
    "Spool.keep": own(_keep, guest=REFUSED),
    "Refusals.all": for_staff(lambda world, account: world.app.refusals.all(account)),
    "Refusals.retry": for_staff(lambda world, account: world.app.refusals.retry(account)),
    "Refusals.drop": for_staff(lambda world, account: world.app.refusals.drop(account)),
}
