"""Erasing an account from every store: it is marked first, so that whatever interrupts it, it is completed later."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from multidb_chat.domain.accounts import Account, Accounts
from multidb_chat.domain.cache import Cache
from multidb_chat.domain.conversations import Conversations
from multidb_chat.domain.errors import Conflict, InvalidInput, NotFound, StoreError
from multidb_chat.domain.library import Library
from multidb_chat.domain.permissions import Permission, require
from multidb_chat.domain.tasks import Tasks
from multidb_chat.domain.text import clean_line
from multidb_chat.services.accounts import LOCAL_ACCOUNT_ID, utc_now
from multidb_chat.services.drafts import Drafts

if TYPE_CHECKING:
    from multidb_chat.services.audit import Recorder

_PAGE = 100


class Derived(Protocol):
    """What is made of the documents and follows their changes: the search index, the tables of terms."""

    async def refresh(self) -> int:
        """Follow, so that nothing is left of what was removed. Raises `StoreError`."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What was removed of one account."""

    conversations: int
    documents: int
    tasks: int


class Uploads(Protocol):
    """What waits on this machine to be added to the library."""

    async def erase(self, owner: Account) -> None:
        """Remove what is of an account."""


class Erasure:
    """Removes accounts with all that is theirs.

    The order is what makes it safe to stop anywhere: the account is disabled and marked, and from then on nobody can
    log in; each store remembers that the account is gone before it removes anything, so that a write that comes late
    is dropped; the account's row goes last, and as long as it is there `complete` finds what is left to do. The audit
    log stays, with a pseudonym that nothing leads to any more.
    """

    def __init__(
        self,
        accounts: Accounts,
        tasks: Tasks,
        conversations: Conversations,
        library: Library,
        cache: Cache,
        *,
        drafts: Drafts,
        uploads: Uploads | None = None,
        derived: Callable[[], Sequence[Derived]],
        audit: "Callable[[], Recorder]",
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._accounts = accounts
        self._tasks = tasks
        self._conversations = conversations
        self._library = library
        self._cache = cache
        self._drafts = drafts
        self._uploads = uploads
        self._derived = derived  # made when documents were removed
        self._audit = audit
        self._clock = clock

    async def erase(self, account: Account) -> Erased:
        """Erase the account that asks for it, for good.

        Raises `NotPermitted` for a guest or a disabled account, `InvalidInput` for the local account, and `StoreError`;
        then the account is marked all the same, unless it was its own store that failed, and `complete` goes on.
        """
        require(account, Permission.KEEP_ACCOUNT)
        if account.id == LOCAL_ACCOUNT_ID:
            raise InvalidInput(
                "The local account belongs to this installation and cannot be erased alone; to remove all there is, "
                "delete the folders that multidb-chat config path shows."
            )
        await self._audit().record(account, "account.erase", account)
        return await self._remove(await self._marked(account.id))

    async def erase_for(self, actor: Account, account_id: str) -> Erased:
        """Erase somebody else's account, for good. Raises `NotPermitted`, `NotFound`, and like `erase`."""
        require(actor, Permission.MANAGE_USERS)
        found = await self._accounts.account(account_id)
        if found is None:
            raise NotFound(f"There is no account {clean_line(account_id)}.")
        if found.id == LOCAL_ACCOUNT_ID:
            raise InvalidInput("The local account belongs to this installation and cannot be erased alone.")
        await self._audit().record(actor, "account.erase", found)
        return await self._remove(await self._marked(found.id))

    async def complete(self) -> int:
        """Finish what was interrupted, and remove the guests whose time is over; return how many accounts went."""
        removed = 0
        while page := await self._accounts.leaving(self._clock(), _PAGE):
            for account in page:
                await self._remove(account)
            removed += len(page)
        return removed

    async def _marked(self, account_id: str) -> Account:
        """Disable the account, take away what says whose it is, and mark it; another change at once is repeated."""
        while (current := await self._accounts.account(account_id)) is not None:
            now = self._clock()
            gone = replace(current, email=None, password_hash=None, disabled_at=now, erased_at=now)
            with suppress(Conflict):
                marked = await self._accounts.update_account(gone)
                await self._accounts.end_sessions(account_id, now)
                return marked
        raise NotFound("This account does not exist any more.")

    async def _remove(self, account: Account) -> Erased:
        if self._uploads is not None:
            await self._uploads.erase(account)
        tasks = await self._tasks.delete_tasks(account.id)
        conversations = await self._conversations.erase(account.id)
        documents = await self._library.erase(account.id)
        if documents:
            for one in self._derived():
                with suppress(StoreError):  # it follows later: the index at the next search, the tables beside a worker
                    await one.refresh()
        await self._cache.forget(account.id)
        await self._drafts.erase(account)
        await self._accounts.delete_account(account.id)
        return Erased(conversations, documents, tasks)
