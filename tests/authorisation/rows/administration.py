"""Other people's accounts and the keys: support looks people up, administrators change them."""

from typing import Any

from multidb_chat.domain.accounts import Account
from tests.authorisation.world import DONE, World, for_staff


async def _someone(world: World) -> str:
    return world.accounts["other"].id


async def _disable(world: World, account: Account) -> Any:
    return await world.app.administration.disable(account, await _someone(world))


async def _enable(world: World, account: Account) -> Any:
    return await world.app.administration.enable(account, await _someone(world))


async def _change_role(world: World, account: Account) -> Any:
    return await world.app.administration.change_role(account, await _someone(world), "admin")


async def _delete(world: World, account: Account) -> Any:
    return await world.app.administration.delete(account, await _someone(world))


ROWS = {
    "Administration.people": for_staff(lambda world, account: world.app.administration.people(account), support=DONE),
    "Administration.find": for_staff(
        lambda world, account: world.app.administration.find(account, world.owner.id), support=DONE
    ),
    "Administration.disable": for_staff(_disable),
    "Administration.enable": for_staff(_enable),
    "Administration.change_role": for_staff(_change_role),
    "Administration.give_plan": for_staff(
        lambda world, account: world.app.administration.give_plan(account, world.owner.id, "pro")
    ),
    "Administration.plan_limits": for_staff(
        lambda world, account: world.app.administration.plan_limits(account), support=DONE
    ),
    "Administration.record_plan_limit": for_staff(
        lambda world, account: world.app.administration.record_plan_limit(account, "plans.free_messages", 5)
    ),
    "Administration.delete": for_staff(_delete),
    "Administration.key_versions": for_staff(lambda world, account: world.app.administration.key_versions(account)),
    "Administration.rotate_key": for_staff(
        lambda world, account: world.app.administration.rotate_key(account, "tokens")
    ),
    "Erasure.erase_for": for_staff(lambda world, account: world.app.erasure.erase_for(account, world.owner.id)),
}
