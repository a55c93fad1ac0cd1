"""The installation as a whole: for administrators alone."""

from typing import Any

from multidb_chat.adapters.sqlite.transfer_comparison import SqliteComparison
from multidb_chat.domain.accounts import Account
from multidb_chat.services.migration.migration import Migration
from tests.authorisation.world import DONE, World, for_staff


async def _backup(world: World, account: Account) -> Any:
    return await world.app.backups.create(account, world.app.settings.paths.data.with_name("backup.zip"))


async def _made(world: World) -> Any:
    target = world.app.settings.paths.data.with_name("made.zip")
    await world.app.backups.create(world.accounts["admin"], target)
    return target


async def _check(world: World, account: Account) -> Any:
    return await world.app.backups.check(account, await _made(world))


async def _inspect(world: World, account: Account) -> Any:
    return await world.app.restoring.inspect(account, await _made(world))


async def _prepare(world: World, account: Account) -> Any:
    return await world.app.restoring.prepare(account, await _made(world))


def _migration(world: World) -> Migration:
    async def backlog(store: str) -> int:
        return 0

    return Migration([], SqliteComparison(), world.app.audit, backlog)


ROWS = {
    "Overviews.now": for_staff(lambda world, account: world.app.overviews.now(account), support=DONE),
    "Backups.create": for_staff(_backup),
    "Backups.check": for_staff(_check),
    "Restoring.inspect": for_staff(_inspect),
    "Restoring.prepare": for_staff(_prepare),
    "Migration.begin": for_staff(lambda world, account: _migration(world).begin(account, last=False)),
    "Migration.compare": for_staff(lambda world, account: _migration(world).compare(account)),
}
