"""The account itself, as it is now."""

from tests.authorisation.world import own

ROWS = {"AccountService.check": own(lambda world, account: world.app.account_service.check(account))}
