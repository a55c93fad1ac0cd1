"""What is kept for how long, and removing what is over its time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.cache import Cache
from multidb_chat.domain.conversations import Conversations
from multidb_chat.domain.permissions import Permission, require
from multidb_chat.domain.tasks import Tasks
from multidb_chat.services.accounts import utc_now
from multidb_chat.services.erasure import Erasure
from multidb_chat.services.history import History

if TYPE_CHECKING:
    from multidb_chat.services.audit import Recorder

_PAGE = 200


@dataclass(frozen=True, slots=True)
class Kept:
    """For how long things are kept, None for good.

    `conversations` counts from when something was said last, `tasks` from when one ended; results that nobody has read
    yet are kept for `unread`. Deleted conversations and guests have times of their own.
    """

    conversations: timedelta | None = None
    tasks: timedelta | None = None
    unread: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Swept:
    """How much was removed."""

    accounts: int
    conversations: int
    deleted_conversations: int
    tasks: int
    cached: int


class Retention:
    """Removes what is over its time. The audit log is kept."""

    def __init__(
        self,
        erasure: Erasure,
        history: History,
        conversations: Conversations,
        tasks: Tasks,
        cache: Cache,
        *,
        kept: Kept,
        audit: "Callable[[], Recorder]",
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._erasure = erasure
        self._history = history
        self._conversations = conversations
        self._tasks = tasks
        self._cache = cache
        self._kept = kept
        self._audit = audit
        self._clock = clock

    async def run(self, actor: Account) -> Swept:
        """Remove everything that is over its time; recorded in the audit log. Raises `NotPermitted`, `StoreError`."""
        require(actor, Permission.MANAGE_INSTALLATION)
        await self._audit().record(actor, "retention.run")
        return Swept(
            accounts=await self._erasure.complete(),
            conversations=await self._idle(),
            deleted_conversations=await self._history.expire_deleted(self._clock()),
            tasks=await self._ended(),
            cached=await self._cache.purge(),
        )

    async def tidy(self) -> int:
        """Do what the program does by itself when it starts: let expired guests and half erased accounts go."""
        return await self._erasure.complete()

    async def _idle(self) -> int:
        if self._kept.conversations is None:
            return 0
        removed, until = 0, self._clock() - self._kept.conversations
        while page := await self._conversations.idle_conversations(until, _PAGE):
            for conversation in page:
                removed += await self._conversations.delete_conversation(conversation.id)
        return removed

    async def _ended(self) -> int:
        removed = 0
        for life, unread in ((self._kept.tasks, False), (self._kept.unread, True)):
            if life is not None:
                removed += await self._tasks.purge(self._clock() - life, unread=unread)
        return removed
