"""The audit log: services write it, support and administrators read it, everybody sees what they did themselves."""

from typing import Any

from multidb_chat.domain.accounts import Account
from tests.authorisation.world import DONE, World, for_staff, own


async def _own_entries(world: World, account: Account) -> Any:
    await world.app.audit.record(world.owner, "document.remove", world.document.id)
    return await world.app.audit.own_entries(account)


ROWS = {
    # What is recorded is what was done already, whoever did it.
    "AuditLog.record": own(lambda world, account: world.app.audit.record(account, "session.end"), disabled=DONE),
    "AuditLog.entries": for_staff(lambda world, account: world.app.audit.entries(account), support=DONE),
    "AuditLog.own_entries": own(_own_entries),
    "AuditLog.verify": for_staff(lambda world, account: world.app.audit.verify(account), support=DONE),
}
