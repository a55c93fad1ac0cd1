"""Figures: everybody's own; support and administrators read those of the installation."""

from tests.authorisation.world import DONE, for_staff, own

ROWS = {
    "Statistics.of": own(lambda world, account: world.app.statistics.of(account)),
    "Statistics.of_all": for_staff(lambda world, account: world.app.statistics.of_all(account), support=DONE),
}
