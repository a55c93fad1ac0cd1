"""Who may talk: the local account, and guests."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from multidb_chat.domain.accounts import Account, Accounts
from multidb_chat.domain.errors import Conflict, NotPermitted
from multidb_chat.domain.ids import new_id

# Well known, so that two processes that start at once make one account. A valid UUIDv7 of the first millisecond.
LOCAL_ACCOUNT_ID = "00000000-0000-7000-8000-000000000001"
GUEST_LIFE = timedelta(hours=24)


def utc_now() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)


class AccountService:
    """Accounts as the faces use them. `guest_life` is how long a guest and its conversations stay."""

    def __init__(
        self,
        accounts: Accounts,
        *,
        guest_life: timedelta = GUEST_LIFE,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._accounts = accounts
        self._guest_life = guest_life
        self._clock = clock

    async def local_account(self) -> Account:
        """Return the one account that the shell commands of an embedded installation use; make it the first time."""
        found = await self._accounts.account(LOCAL_ACCOUNT_ID)
        if found is not None:
            return found
        account = Account(LOCAL_ACCOUNT_ID, "user", "enterprise", self._clock())
        try:
            await self._accounts.create_account(account)
        except Conflict:  # another process was first
            return await self._accounts.account(LOCAL_ACCOUNT_ID) or account
        return account

    async def require_store(self) -> None:
        """Raise `StoreError` when accounts cannot be read."""
        await self._accounts.account(LOCAL_ACCOUNT_ID)

    async def guest(self) -> Account:
        """Make a guest that lives for `guest_life`."""
        return await self.admit(self.new_guest())

    def new_guest(self) -> Account:
        """Return a guest who is nowhere yet: nothing can be kept for this account until it is admitted."""
        now = self._clock()
        return Account(new_id(), "guest", "free", now, expires_at=now + self._guest_life)

    async def admit(self, guest: Account) -> Account:
        """Keep a new guest."""
        await self._accounts.create_account(guest)
        return guest

    async def check(self, account: Account) -> Account:
        """Return the account as it is now. Raises `NotPermitted` when it is gone, disabled or expired."""
        return usable(await self._accounts.account(account.id), self._clock())


def usable(account: Account | None, now: datetime) -> Account:
    """Return the account if it may be used. Raises `NotPermitted` when it is gone, disabled or expired."""
    if account is None:
        raise NotPermitted("This account does not exist any more; sign in with another one.")
    if account.disabled_at is not None:
        raise NotPermitted("This account is disabled; ask an administrator.")
    if _expired(account, now):
        raise NotPermitted("The time of this account is over; start again as a new guest.")
    return account


def _expired(account: Account, now: datetime) -> bool:
    return account.expires_at is not None and account.expires_at <= now
