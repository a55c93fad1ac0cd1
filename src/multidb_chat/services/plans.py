"""Plans: what an account may use in a billing month, taken in one atomic step, and told before it runs out."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple, Protocol

from multidb_chat.domain.accounts import Account, Accounts, Plan, Subscription
from multidb_chat.domain.errors import InvalidInput, NotFound, QuotaExceeded, StoreError, StoreUnavailable
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.library import Library
from multidb_chat.domain.permissions import Permission, require
from multidb_chat.domain.plans import (
    MESSAGES,
    OF_MODELS,
    RESOURCES,
    STORAGE,
    Limits,
    Resource,
    Standing,
    Tier,
    Usage,
    last_day,
    month_end,
    month_of,
)
from multidb_chat.domain.text import clean_line
from multidb_chat.services.accounts import usable, utc_now
from multidb_chat.services.quota_wording import on_lease, used_up, warning

_log = logging.getLogger(__name__)


class Taken(NamedTuple):
    """What is used now; `warning` is one line when a share of `WARN_AT` was just reached, empty otherwise."""

    usage: Usage
    warning: str = ""


class Leases(Protocol):
    """A few messages for while the accounts are away."""

    def grant(self, account_id: str, used: int, limit: int | None) -> None:
        """Give out a lease: `used` of `limit` was just counted."""

    async def take(self, account_id: str, period: date, operation_id: str, away: StoreUnavailable) -> tuple[int, int]:
        """Take one message; return what is used and what is left of the lease. Raises `away` without one."""


class Allowance(NamedTuple):
    """What an account may use at a moment, by its plan; `take` counts what is used of it."""

    account: Account
    plan: Tier
    at: datetime


class Plans:
    """The quota of accounts.

    The plan that counts is that of the subscription that runs now (of several the one that began last), else the
    account's own; a guest has the limits of guests. `limits` has them by plan and for `guest`; a missing one is a
    `KeyError` here and now. What is stored is not counted but derived from the library, which checks its limit itself.
    """

    def __init__(
        self,
        accounts: Accounts,
        library: Library,
        *,
        limits: Mapping[str, Limits],
        leases: Leases | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._accounts = accounts
        self._leases = leases
        self._library = library
        self._limits: Mapping[Tier, Limits] = {
            "guest": limits["guest"],
            "free": limits["free"],
            "pro": limits["pro"],
            "enterprise": limits["enterprise"],
        }
        self._clock = clock

    @property
    def limits(self) -> Mapping[Tier, Limits]:
        """What each plan allows; no secret."""
        return self._limits

    async def allowance(self, account: Account) -> Allowance:
        """Return what the account may use now. Raises `NotPermitted` or `StoreError`."""
        now = self._clock()
        current, plan, _ = await self._now(account.id, now)
        return Allowance(current, plan, now)

    async def take(
        self,
        account: Account,
        resource: Resource,
        amount: int,
        operation_id: str,
        allowance: Awaitable[Allowance] | None = None,
    ) -> Taken:
        """Use some of a resource that is counted by month, once for each operation; return what is used of it.

        `allowance` brings the account's, where it was asked for before. Where there is no limit, what cannot be counted
        (the disk is full) is allowed all the same; while the accounts are away, a message is taken on a lease where
        there is one. Raises `QuotaExceeded`, which knows when the quota is full again, `NotPermitted`, or `StoreError`.
        """
        now = self._clock()
        try:
            taken = await self._take(await (allowance or self.allowance(account)), resource, amount, operation_id)
        except StoreUnavailable as error:
            if self._leases is None or (resource, amount) != (MESSAGES, 1):
                raise
            used, left = await self._leases.take(account.id, month_of(now), operation_id, error)
            return Taken(Usage(resource, used, None, month_end(month_of(now))), on_lease(left))
        if self._leases is not None and (resource, amount) == (MESSAGES, 1):
            self._leases.grant(account.id, taken.usage.used, taken.usage.limit)
        return taken

    async def _take(self, allowance: Allowance, resource: Resource, amount: int, operation_id: str) -> Taken:
        current, plan, now = allowance
        month, limit = month_of(now), self._limits[plan].of(resource)
        try:
            used = await self._accounts.take(current.id, resource, month, amount, limit, operation_id)
        except QuotaExceeded:
            full = Usage(resource, limit or 0, limit, month_end(month))
            raise QuotaExceeded(used_up(plan, full), full.resets_at) from None
        except StoreError as error:
            if limit is not None:  # nobody gets past a limit uncounted
                raise
            if self._leases is not None and resource == MESSAGES and isinstance(error, StoreUnavailable):
                self._leases.grant(current.id, 0, None)  # nothing limits it: it is only counted later
                raise
            _log.warning("A use of %s was not counted: %s", resource, error)
            return Taken(Usage(resource, 0, None, month_end(month)))
        usage = Usage(resource, used, limit, month_end(month))
        return Taken(usage, warning(plan, usage) if usage.crosses(amount) else "")

    async def count(self, account: Account, resource: Resource, amount: int, operation_id: str) -> Taken:
        """Count what was used of a resource already, once for each operation, also past its limit.

        Raises `NotPermitted` or `StoreError`.
        """
        now = self._clock()
        current, plan, _ = await self._now(account.id, now)
        month = month_of(now)
        used = await self._accounts.take(current.id, resource, month, amount, None, operation_id)
        usage = Usage(resource, used, self._limits[plan].of(resource), month_end(month))
        return Taken(usage, warning(plan, usage) if usage.crosses(amount) else "")

    async def spent(self, account: Account, resource: Resource) -> str:
        """Return one line when nothing is left of a resource that is counted by month, empty while there is.

        Raises `NotPermitted` or `StoreError`.
        """
        now = self._clock()
        current, plan, _ = await self._now(account.id, now)
        month, limit = month_of(now), self._limits[plan].of(resource)
        if limit is None:
            return ""
        used = await self._accounts.usage(current.id, month)
        usage = Usage(resource, used.get(resource, 0), limit, month_end(month))
        return "" if usage.left else used_up(plan, usage)

    async def take_each(
        self, account: Account, resource: Resource, operations: Sequence[str]
    ) -> Mapping[str, QuotaExceeded]:
        """Use one of a resource for each operation of this month, in their order as far as it goes.

        Return those that were refused, with what says why. Raises `NotPermitted` or `StoreError`.
        """
        if not operations:
            return {}
        now = self._clock()
        current, plan, _ = await self._now(account.id, now)
        month, limit = month_of(now), self._limits[plan].of(resource)
        outcomes = await asyncio.gather(
            *(self._accounts.take(current.id, resource, month, 1, limit, f"{month} {one}") for one in operations),
            return_exceptions=True,
        )
        full = used_up(plan, Usage(resource, limit or 0, limit, month_end(month)))
        refused: dict[str, QuotaExceeded] = {}
        for operation, outcome in zip(operations, outcomes, strict=True):
            if isinstance(outcome, QuotaExceeded):
                refused[operation] = QuotaExceeded(full, month_end(month))
            elif isinstance(outcome, BaseException) and (limit is not None or not isinstance(outcome, StoreError)):
                raise outcome
        return refused

    async def refusal(self, account: Account, resource: Resource) -> QuotaExceeded:
        """Return what says that a resource is used up. Raises `NotPermitted`."""
        now = self._clock()
        _, plan, _ = await self._now(account.id, now)
        limit = self._limits[plan].of(resource)
        full = Usage(resource, limit or 0, limit, None if resource == STORAGE else month_end(month_of(now)))
        return QuotaExceeded(used_up(plan, full), full.resets_at)

    async def usage_of(self, account: Account) -> Standing:
        """Return the account's plan and what is used of it. Raises `NotPermitted`."""
        now = self._clock()
        current, plan, until = await self._now(account.id, now)
        return await self._standing(current, plan, until, now)

    async def usage_for(self, actor: Account, account_id: str) -> Standing:
        """Return another account's plan and use, a disabled one's too. Raises `NotPermitted` or `NotFound`."""
        require(actor, Permission.READ_USAGE)
        found, now = await self._known(account_id), self._clock()
        plan, until = _plan_of(found, await self._accounts.subscriptions(account_id), now)
        return await self._standing(found, plan, until, now)

    async def plans_of(self, actor: Account, accounts: Sequence[Account]) -> Mapping[str, Tier]:
        """Return the plan that counts now for each of these accounts, by their ids. Raises `NotPermitted`."""
        require(actor, Permission.READ_USAGE)
        now = self._clock()
        subscriptions = await asyncio.gather(*(self._accounts.subscriptions(one.id) for one in accounts))
        return {one.id: _plan_of(one, its, now)[0] for one, its in zip(accounts, subscriptions, strict=True)}

    async def warnings(self, account: Account) -> tuple[str, ...]:
        """Return one line for each resource of which little is left."""
        standing = await self.usage_of(account)
        return tuple(warning(standing.plan, usage) for usage in standing.usage if usage.is_low)

    async def storage_limit(self, account: Account) -> int | None:
        """Return how many bytes the account's documents may have, None where there is no limit."""
        _, plan, _ = await self._now(account.id, self._clock())
        return self._limits[plan].storage

    async def subscribe(
        self, actor: Account, account_id: str, plan: Plan, ends_at: datetime | None = None
    ) -> Subscription:
        """Give the account a plan from now until `ends_at` (None: for good); it counts before all it had.

        Raises `NotPermitted`, `NotFound`, or `InvalidInput` for a guest or an end that is over.
        """
        require(actor, Permission.MANAGE_PLANS)
        found, now = await self._known(account_id), self._clock()
        if found.role == "guest":
            raise InvalidInput("A guest has no plan; it gets one by registering.")
        if ends_at is not None and ends_at <= now:
            raise InvalidInput(f"A subscription ends after it begins; {last_day(ends_at)} is over.")
        subscription = Subscription(new_id(), account_id, plan, now, ends_at)
        await self._accounts.put_subscription(subscription)
        return subscription

    async def _known(self, account_id: str) -> Account:
        found = await self._accounts.account(account_id)
        if found is None:
            raise NotFound(f"There is no account {clean_line(account_id)}.")
        return found

    async def _now(self, account_id: str, now: datetime) -> tuple[Account, Tier, datetime | None]:
        """Return the account as it is now with its plan. Raises `NotPermitted`."""
        account, subscriptions = await self._accounts.subscriber(account_id) or (None, [])
        current = usable(account, now)
        return current, *_plan_of(current, subscriptions, now)

    async def _standing(self, account: Account, plan: Tier, until: datetime | None, now: datetime) -> Standing:
        month = month_of(now)
        counted, held = await asyncio.gather(
            self._accounts.usage(account.id, month), self._library.holdings(account.id)
        )
        used = counted | {STORAGE: held.size_bytes}
        limits = self._limits[plan]
        return Standing(
            plan,
            until,
            tuple(
                Usage(name, used.get(name, 0), limits.of(name), None if name == STORAGE else month_end(month))
                for name in RESOURCES
                if name not in OF_MODELS or name in used or limits.of(name) is not None
            ),
        )


def _plan_of(account: Account, subscriptions: list[Subscription], now: datetime) -> tuple[Tier, datetime | None]:
    if account.role == "guest":
        return "guest", None
    for one in subscriptions:  # the latest start first
        if one.starts_at <= now and (one.ends_at is None or now < one.ends_at):
            return one.plan, one.ends_at
    return account.plan, None
