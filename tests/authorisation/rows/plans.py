"""Plans and quotas: everybody's own; support reads those of others, administrators change them."""

from tests.authorisation.world import DONE, for_staff, own

ROWS = {
    "Plans.take": own(lambda world, account: world.app.plans.take(account, "messages", 1, "one")),
    "Plans.allowance": own(lambda world, account: world.app.plans.allowance(account)),
    "Plans.take_each": own(lambda world, account: world.app.plans.take_each(account, "messages", ["one"])),
    "Plans.count": own(lambda world, account: world.app.plans.count(account, "tokens", 7, "one")),
    "Plans.spent": own(lambda world, account: world.app.plans.spent(account, "tokens")),
    "Plans.refusal": own(lambda world, account: world.app.plans.refusal(account, "storage")),
    "Plans.usage_of": own(lambda world, account: world.app.plans.usage_of(account)),
    "Plans.warnings": own(lambda world, account: world.app.plans.warnings(account)),
    "Plans.storage_limit": own(lambda world, account: world.app.plans.storage_limit(account)),
    "Plans.usage_for": for_staff(
        lambda world, account: world.app.plans.usage_for(account, world.owner.id), support=DONE
    ),
    "Plans.plans_of": for_staff(lambda world, account: world.app.plans.plans_of(account, [world.owner]), support=DONE),
    "Plans.subscribe": for_staff(lambda world, account: world.app.plans.subscribe(account, world.owner.id, "pro")),
}
