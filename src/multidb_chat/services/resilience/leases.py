"""`Leases`: a few messages that an account may go on with while nobody can count them, counted when the store is back.

A lease is given out when a message was counted, and is only as good as the plan then: at most five minutes and ten
messages, and never more than was left of the quota. It is kept in the memory of the process, so there is nothing that
anybody could forge. Whoever has none is refused: the quota never fails open.
"""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from multidb_chat.domain.accounts import Accounts
from multidb_chat.domain.errors import MultidbChatError, NotFound, StoreUnavailable
from multidb_chat.domain.journal import Journal, JournalEntry
from multidb_chat.services.accounts import utc_now
from multidb_chat.services.resilience.replaying import WAITING, Outcome

STORE, USE = "accounts", "use"
LIFE = timedelta(minutes=5)
MESSAGES = 10
_AT_ONCE = 10_000  # leases in memory


@dataclass(slots=True)
class _Lease:
    until: datetime
    left: int
    used: int


class Leases:
    """Grants and takes; what was taken waits in the journal until a `Replayer` counts it, which `wake` tells of."""

    def __init__(self, journal: Journal, wake: Callable[[], None], clock: Callable[[], datetime] = utc_now) -> None:
        self._journal = journal
        self._wake = wake
        self._clock = clock
        self._leases: dict[str, _Lease] = {}
        self._looked = False

    def grant(self, account_id: str, used: int, limit: int | None) -> None:
        """Give out a lease, instead of the one before: `used` of `limit` was just counted."""
        if not self._looked:  # what an earlier process took is counted from the first use on
            self._looked = True
            self._wake()
        now = self._clock()
        if len(self._leases) >= _AT_ONCE:
            self._leases = {key: lease for key, lease in self._leases.items() if lease.until > now}
        left = MESSAGES if limit is None else min(MESSAGES, limit - used)
        self._leases[account_id] = _Lease(now + LIFE, left, used)

    async def take(self, account_id: str, period: date, operation_id: str, away: StoreUnavailable) -> tuple[int, int]:
        """Take one message on the lease, durably; return what is used now, and what is left of the lease.

        Raises `away` without a lease that is good for it.
        """
        lease = self._leases.get(account_id)
        if lease is None or lease.left < 1 or lease.until <= self._clock():
            raise away
        lease.left -= 1  # before anything is waited for, so that nobody takes the same one
        payload = json.dumps({"period": period.isoformat(), "operation_id": operation_id})
        await self._journal.add(JournalEntry(STORE, account_id, account_id, USE, payload, self._clock()))
        self._wake()
        lease.used += 1
        return lease.used, lease.left


class UseReplay:
    """Counts what was taken on leases: once for each operation, also where only the answer had been lost."""

    def __init__(self, accounts: Accounts, resource: str) -> None:
        self._accounts = accounts
        self._resource = resource

    async def __call__(self, lane: Sequence[JournalEntry]) -> AsyncIterator[Outcome]:
        """Count the entries of one account. Raises what `WAITING` names."""
        for entry in lane:
            use = json.loads(entry.payload)
            period = date.fromisoformat(use["period"])
            try:
                # Without a limit: it was used already.
                await self._accounts.take(entry.account_id, self._resource, period, 1, None, use["operation_id"])
            except NotFound:  # the account is gone
                yield Outcome((entry.seq,))
            except WAITING:
                raise
            except MultidbChatError as error:
                yield Outcome((entry.seq,), str(error))
            else:
                yield Outcome((entry.seq,))
