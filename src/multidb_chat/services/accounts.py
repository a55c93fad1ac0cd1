"""Who may talk, and how much: the local account, guests, and the quota of messages."""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta

from multidb_chat.domain.accounts import Account, Accounts
from multidb_chat.domain.conversations import Conversations
from multidb_chat.domain.errors import Conflict, NotPermitted, QuotaExceeded, StoreError
from multidb_chat.domain.ids import new_id

# Well known, so that two processes that start at once make one account. A valid UUIDv7 of the first millisecond.
LOCAL_ACCOUNT_ID = "00000000-0000-7000-8000-000000000001"
MESSAGES = "messages"
GUEST_LIFE = timedelta(hours=24)
_PAGE = 200
_log = logging.getLogger(__name__)


def utc_now() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)


class AccountService:
    """Accounts as the faces use them.

    `limits` are the messages a month of each plan (`free`, `pro`, `enterprise`) and of a `guest`, None where there is
    no limit; a missing one is a `KeyError` here and now. `guest_life` is how long a guest and its conversations stay.
    """

    def __init__(
        self,
        accounts: Accounts,
        conversations: Conversations,
        *,
        limits: Mapping[str, int | None],
        guest_life: timedelta = GUEST_LIFE,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._accounts = accounts
        self._conversations = conversations
        self._limits = {name: limits[name] for name in ("guest", "free", "pro", "enterprise")}
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

    async def guest(self) -> Account:
        """Make a guest that lives for `guest_life`."""
        now = self._clock()
        account = Account(new_id(), "guest", "free", now, expires_at=now + self._guest_life)
        await self._accounts.create_account(account)
        return account

    async def check(self, account: Account) -> Account:
        """Return the account as it is now. Raises `NotPermitted` when it is gone, disabled or expired."""
        current = await self._accounts.account(account.id)
        if current is None:
            raise NotPermitted("This account does not exist any more; sign in with another one.")
        if current.disabled_at is not None:
            raise NotPermitted("This account is disabled; ask an administrator.")
        if _expired(current, self._clock()):
            raise NotPermitted("The time of this account is over; start again as a new guest.")
        return current

    async def take_message(self, account: Account, operation_id: str) -> int:
        """Use one message of the billing month (UTC), once for each operation; return how many are used.

        Where there is no limit, a message that cannot be counted (the disk is full) is allowed all the same. Raises
        `QuotaExceeded`, which knows when the quota is full again, `NotPermitted`, or `StoreError`.
        """
        current = await self.check(account)
        kind = "guest" if current.role == "guest" else current.plan
        limit = self._limits[kind]
        period = self._clock().astimezone(UTC).date().replace(day=1)
        try:
            return await self._accounts.take(current.id, MESSAGES, period, 1, limit, operation_id)
        except QuotaExceeded:
            following = _following_month(period)
            raise QuotaExceeded(
                f"All {limit} messages a month ({kind}) are used; you can go on from 1 {following:%B %Y}.",
                datetime(following.year, following.month, 1, tzinfo=UTC),
            ) from None
        except StoreError as error:
            if limit is not None:  # nobody gets past a limit uncounted
                raise
            _log.warning("A message was not counted: %s", error)
            return (await self._accounts.usage(current.id, period)).get(MESSAGES, 0)

    async def expire_guests(self, now: datetime) -> int:
        """Remove the guests whose time is over, with their conversations; return how many there were.

        The account goes last: what was interrupted is found again by the next run.
        """
        removed = 0
        after = ""
        while page := await self._accounts.list_accounts(after, _PAGE):
            for account in page:
                if account.role == "guest" and _expired(account, now):
                    await self._remove_conversations(account.id)
                    removed += await self._accounts.delete_account(account.id)
            after = page[-1].id
        return removed

    async def _remove_conversations(self, account_id: str) -> None:
        for archived in (False, True):
            while page := await self._conversations.conversations(account_id, limit=_PAGE, archived=archived):
                for conversation in page:
                    await self._conversations.delete_conversation(conversation.id)


def _expired(account: Account, now: datetime) -> bool:
    return account.expires_at is not None and account.expires_at <= now


def _following_month(period: date) -> date:
    return (period + timedelta(days=31)).replace(day=1)
