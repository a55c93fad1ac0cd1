"""What an installation is and holds, in figures."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from multidb_chat import __version__
from multidb_chat.domain.accounts import Account, Accounts
from multidb_chat.domain.audit import AuditFilter, AuditTrail
from multidb_chat.domain.errors import StoreUnavailable
from multidb_chat.domain.journal import StoreState
from multidb_chat.domain.permissions import Permission, require
from multidb_chat.domain.tasks import Tasks, TaskState
from multidb_chat.domain.upkeep import StoreReport, Upkeep
from multidb_chat.services.accounts import LOCAL_ACCOUNT_ID


@dataclass(frozen=True, slots=True)
class Overview:
    """The state of an installation; `since` is when it was first used, `backed_up_at` when a backup was made last.

    `states` tell of the stores on servers. What a store that is away could not tell is left out.
    """

    version: str
    stores: tuple[StoreReport, ...]
    queue: Mapping[TaskState, int]
    since: datetime | None
    backed_up_at: datetime | None
    states: tuple[StoreState, ...] = ()


class Overviews:
    """Looks at everything there is, for those who may read figures."""

    def __init__(
        self,
        stores: Sequence[Upkeep],
        accounts: Accounts,
        trail: AuditTrail,
        tasks: Tasks,
        states: Callable[[], Awaitable[Sequence[StoreState]]],
    ) -> None:
        self._stores = stores
        self._accounts = accounts
        self._trail = trail
        self._tasks = tasks
        self._states = states

    async def now(self, actor: Account) -> Overview:
        """Return the state as it is now. Raises `NotPermitted` or `StoreError`."""
        require(actor, Permission.READ_STATISTICS)
        first = await self._accounts.account(LOCAL_ACCOUNT_ID)
        backups = await self._trail.audit(0, 1, AuditFilter(action="backup.create"), newest=True)
        return Overview(
            version=__version__,
            stores=tuple([await _report(upkeep) for upkeep in self._stores]),
            queue=await self._tasks.counts(),
            since=first.created_at if first else None,
            backed_up_at=backups[0].at if backups else None,
            states=tuple(await self._states()),
        )


async def _report(upkeep: Upkeep) -> StoreReport:
    try:
        return await upkeep.report()
    except StoreUnavailable:
        return StoreReport(upkeep.store, "", on_server=upkeep.on_server, examined=False)
