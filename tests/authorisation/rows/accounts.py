"""The account itself: as it is now, and its quota."""

from tests.authorisation.world import own

ROWS = {
    "AccountService.check": own(lambda world, account: world.app.account_service.check(account)),
    "AccountService.take_message": own(lambda world, account: world.app.account_service.take_message(account, "one")),
}
