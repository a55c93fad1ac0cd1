"""The account itself, as it is now."""

import asyncio
import zipfile

from multidb_chat.domain.accounts import Account
from tests.authorisation.world import REFUSED, World, for_staff, own


async def _exported(world: World, account: Account) -> str:
    """Return all that is in the export."""
    path = world.app.settings.paths.data / "export.zip"
    await world.app.account_export.write(account, path)

    def read() -> str:
        with zipfile.ZipFile(path) as archive:
            return "".join(archive.read(name).decode() for name in archive.namelist())

    return await asyncio.to_thread(read)


ROWS = {
    "AccountService.check": own(lambda world, account: world.app.account_service.check(account)),
    "AccountExport.write": own(lambda world, account: _exported(world, account), guest=REFUSED),
    "Erasure.erase": own(lambda world, account: world.app.erasure.erase(account), guest=REFUSED),
    "Retention.run": for_staff(lambda world, account: world.app.retention.run(account)),
}
