"""What accounts use, counted within a limit and once for each operation, in PostgreSQL."""

from datetime import date
from typing import NamedTuple

from multidb_chat.adapters.postgres.accounts_people import unknown_account
from multidb_chat.adapters.postgres.database import Database
from multidb_chat.adapters.postgres.errors import Violated
from multidb_chat.domain.errors import InvalidInput, QuotaExceeded

# One statement, one round trip: the figure grows only below the limit (the row's lock makes racers pass one by one),
# only for an operation that is not remembered, and remembering it is part of the same. It can be repeated as it is:
# whoever finds the operation remembered gets the present figure.
_TAKE = """
WITH remembered AS (
    SELECT FROM operations WHERE account_id = %(account_id)s AND operation_id = %(operation)s
), taken AS (
    INSERT INTO usage AS u (account_id, period, resource, used)
    SELECT %(account_id)s, %(period)s, %(resource)s, %(amount)s::bigint
    WHERE NOT EXISTS (SELECT FROM remembered) AND (%(limit)s::numeric IS NULL OR %(amount)s <= %(limit)s::numeric)
    ON CONFLICT (account_id, period, resource) DO UPDATE SET used = u.used + excluded.used
    WHERE %(limit)s::numeric IS NULL OR u.used::numeric + excluded.used <= %(limit)s::numeric
    RETURNING used
), remembering AS (
    INSERT INTO operations (account_id, operation_id) SELECT %(account_id)s, %(operation)s FROM taken
)
SELECT used FROM taken
"""

# Asked only when nothing was taken, and in a statement of its own, which sees what was committed meanwhile.
_STANDING = """
SELECT
    EXISTS (SELECT FROM accounts WHERE id = %(account_id)s),
    EXISTS (SELECT FROM operations WHERE account_id = %(account_id)s AND operation_id = %(operation)s),
    coalesce((
        SELECT used FROM usage
        WHERE account_id = %(account_id)s AND period = %(period)s AND resource = %(resource)s
    ), 0)
"""


class Use(NamedTuple):
    """So much of a resource in a period, for an operation."""

    account_id: str
    period: date
    resource: str
    amount: int
    limit: int | None
    operation: str


async def take(database: Database, use: Use) -> int:
    """Count a use once for its operation, within the limit; return the present figure.

    Raises `NotFound`, `InvalidInput` or `QuotaExceeded`.
    """
    if use.amount < 1:
        raise InvalidInput(f"One or more of {use.resource} can be used, not {use.amount}.")
    try:
        taken = await database.apply(_TAKE, **use._asdict())
    except Violated as violated:
        if violated.kind == "reference":
            raise unknown_account(use.account_id) from None
        taken = []  # the same operation was remembered by another call at the same moment
    if taken:
        return int(taken[0][0])
    ((known, remembered, used),) = await database.fetch(_STANDING, **use._asdict())
    if not known:
        raise unknown_account(use.account_id)
    if not remembered:
        raise QuotaExceeded(f"The limit of {use.limit} {use.resource} is reached: {used} are used.")
    return int(used)


async def usage(database: Database, account_id: str, period: date) -> dict[str, int]:
    """Return the figures of the period."""
    query = "SELECT resource, used FROM usage WHERE account_id = %s AND period = %s"
    return dict(await database.fetch(query, account_id, period))
