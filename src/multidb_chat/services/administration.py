"""What staff do with the accounts of others: look them up, change what they may, and let them go."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from multidb_chat.domain.accounts import Account, Accounts, Plan, Role, Subscription
from multidb_chat.domain.errors import Conflict, InvalidInput, NotFound
from multidb_chat.domain.keys import Key, Keys, Purpose
from multidb_chat.domain.permissions import Permission, require
from multidb_chat.domain.plans import last_day
from multidb_chat.domain.text import clean_line
from multidb_chat.services.accounts import LOCAL_ACCOUNT_ID, utc_now
from multidb_chat.services.audit import Recorder

if TYPE_CHECKING:
    from multidb_chat.domain.plans import Limits, Tier
    from multidb_chat.services.erasure import Erased, Erasure
    from multidb_chat.services.plans import Plans

_PAGE = 200
_SHORTEST_REFERENCE = 6
PURPOSES: tuple[Purpose, ...] = ("tokens", "audit", "pepper")


@dataclass(frozen=True, slots=True)
class KeyVersions:
    """The names of the keys of one purpose, the oldest first; the last one is in use."""

    purpose: Purpose
    names: tuple[str, ...]


class Administration:
    """Other people's accounts, and the installation's keys.

    Nobody can disable, demote or delete themselves, so that an administrator stays. The local
    account is nobody's: it stays a user, and cannot be disabled or deleted.
    """

    def __init__(
        self,
        accounts: Accounts,
        plans: "Plans",
        erasure: "Erasure",
        keys: Keys,
        audit: Recorder,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._accounts = accounts
        self._plans = plans
        self._erasure = erasure
        self._keys = keys
        self._audit = audit
        self._clock = clock

    async def people(
        self, actor: Account, *, words: str = "", role: Role | None = None, disabled: bool | None = None
    ) -> list[Account]:
        """Return accounts whose address holds `words`, in order of address; guests only where they are asked for.

        Raises `NotPermitted`.
        """
        require(actor, Permission.READ_USERS)
        wanted = words.casefold()
        found = [
            account
            for account in await self._all()
            if (account.role == role if role else account.role != "guest")
            and wanted in (account.email or "").casefold()
            and disabled in (None, account.disabled_at is not None)
        ]
        return sorted(found, key=lambda account: ((account.email or "").casefold(), account.id))

    async def find(self, actor: Account, reference: str) -> Account:
        """Return the account with this address, id, or end of an id (6 or more characters).

        Raises `NotPermitted`, `NotFound`, or `Conflict` when several end so.
        """
        require(actor, Permission.READ_USERS)
        return await self._find(reference)

    async def disable(self, actor: Account, account_id: str) -> Account:
        """Lock somebody out, now: their sessions end. Raises `NotPermitted`, `NotFound` or `InvalidInput`."""
        require(actor, Permission.MANAGE_USERS)
        found = await self._other(actor, account_id, "disable")
        await self._audit.record(actor, "account.disable", found)
        changed = await self._changed(found.id, lambda now: replace(now, disabled_at=now.disabled_at or self._clock()))
        await self._accounts.end_sessions(found.id, self._clock())
        return changed

    async def enable(self, actor: Account, account_id: str) -> Account:
        """Let somebody in again. Raises `NotPermitted`, `NotFound`, or `InvalidInput` for one that is being erased."""
        require(actor, Permission.MANAGE_USERS)
        found = await self._find(account_id)
        if found.erased_at is not None:
            raise InvalidInput("This account is being erased and cannot come back.")
        await self._audit.record(actor, "account.enable", found)
        return await self._changed(found.id, lambda now: replace(now, disabled_at=None))

    async def change_role(self, actor: Account, account_id: str, role: Role) -> Account:
        """Give somebody a role. Raises `NotPermitted`, `NotFound` or `InvalidInput`."""
        require(actor, Permission.MANAGE_USERS)
        found = await self._other(actor, account_id, "change the role of")
        if role == "guest" or found.role == "guest":
            raise InvalidInput("A guest becomes a user by registering, and nobody becomes a guest.")
        await self._audit.record(actor, "account.role", found, role=role, before=found.role)
        return await self._changed(found.id, lambda now: replace(now, role=role))

    async def give_plan(
        self, actor: Account, account_id: str, plan: Plan, ends_at: datetime | None = None
    ) -> Subscription:
        """Give somebody a plan from now until `ends_at` (None: for good). Raises like `Plans.subscribe`."""
        require(actor, Permission.MANAGE_PLANS)
        found = await self._find(account_id)
        given = await self._plans.subscribe(actor, found.id, plan, ends_at)
        until = last_day(ends_at).isoformat() if ends_at else ""
        await self._audit.record(actor, "account.plan", found, plan=plan, until=until)
        return given

    async def plan_limits(self, actor: Account) -> "Mapping[Tier, Limits]":
        """Return what each plan allows. Raises `NotPermitted`."""
        require(actor, Permission.READ_USAGE)
        return self._plans.limits

    async def record_plan_limit(self, actor: Account, key: str, limit: int) -> None:
        """Record that the setting of a plan is about to be changed. Raises `NotPermitted` for who may not do that."""
        require(actor, Permission.MANAGE_PLANS)
        await self._audit.record(actor, "plan.set", key, limit=str(limit))

    async def has_administrator(self) -> bool:
        """Tell whether there is an administrator."""
        return any(account.role == "admin" for account in await self._all())

    async def require_new(self) -> None:
        """Raise `Conflict` once there is an administrator."""
        if await self.has_administrator():
            raise Conflict(
                "There is an administrator already; administrators make others: multidb-chat admin users create"
            )

    async def delete(self, actor: Account, account_id: str) -> "Erased":
        """Erase somebody's account with all that is theirs. Raises `NotPermitted`, `NotFound` or `InvalidInput`."""
        require(actor, Permission.MANAGE_USERS)
        found = await self._other(actor, account_id, "delete")
        return await self._erasure.erase_for(actor, found.id)

    async def key_versions(self, actor: Account) -> list[KeyVersions]:
        """Return the names of the installation's keys. Raises `NotPermitted` or `StoreError`."""
        require(actor, Permission.MANAGE_INSTALLATION)
        return [KeyVersions(purpose, tuple(key.kid for key in await self._keys.keys(purpose))) for purpose in PURPOSES]

    async def rotate_key(self, actor: Account, purpose: Purpose) -> Key:
        """Make a new key of a purpose; what older ones made stays good for its time. Raises like `key_versions`."""
        require(actor, Permission.MANAGE_INSTALLATION)
        made = await self._keys.rotate(purpose)
        await self._audit.record(actor, "key.rotate", made.kid)
        return made

    async def _other(self, actor: Account, account_id: str, what: str) -> Account:
        """Return an account that may be taken something from. Raises `NotFound` or `InvalidInput`."""
        found = await self._find(account_id)
        if found.id == LOCAL_ACCOUNT_ID:
            raise InvalidInput(f"The local account belongs to this installation; you cannot {what} it.")
        if found.id == actor.id:
            raise InvalidInput(f"You cannot {what} your own account; another administrator can.")
        return found

    async def _find(self, reference: str) -> Account:
        wanted = reference.strip()
        exact = await self._accounts.account(wanted) or await self._accounts.account_by_email(wanted)
        if exact is not None:
            return exact
        ending: Sequence[Account] = ()
        if len(wanted) >= _SHORTEST_REFERENCE:
            ending = [account for account in await self._all() if account.id.endswith(wanted.lower())]
        if not ending:
            raise NotFound(f"There is no account {clean_line(reference)}; multidb-chat admin users list shows them.")
        if len(ending) > 1:
            raise Conflict(f"The ids of {len(ending)} accounts end with {clean_line(reference)}: give more of it.")
        return ending[0]

    async def _all(self) -> list[Account]:
        found: list[Account] = []
        after = ""
        while page := await self._accounts.list_accounts(after, _PAGE):
            found += page
            after = page[-1].id
        return found

    async def _changed(self, account_id: str, change: Callable[[Account], Account]) -> Account:
        """Change an account as it is now; another change at the same time is waited out."""
        while (current := await self._accounts.account(account_id)) is not None:
            with suppress(Conflict):
                return await self._accounts.update_account(change(current))
        raise NotFound("This account does not exist any more.")
