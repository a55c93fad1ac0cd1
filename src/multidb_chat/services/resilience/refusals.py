"""`Refusals`: what stores would not take of what had waited for them, to look at, to try again, or to let go."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import Conflict, NotFound, StoreError
from multidb_chat.domain.journal import Journal, JournalEntry, Refused
from multidb_chat.domain.permissions import Permission, require
from multidb_chat.services.audit import Recorder
from multidb_chat.services.resilience import spool
from multidb_chat.services.resilience.spool import Spool

_MOST = 10_000
_SHORTEST_END = 4


class Refusals:
    """The entries of the journal and the uploads of the spool that were set aside.

    For administrators alone: other people's words are in them. These are not shown, and trying and removing is recorded
    in the audit log.
    """

    def __init__(
        self, journal: Journal, uploads: Spool, audit: Recorder, attempts: Mapping[str, Callable[[], Awaitable[object]]]
    ) -> None:
        """`attempts` do what waits for a store, for each store that something may wait for."""
        self._journal = journal
        self._uploads = uploads
        self._audit = audit
        self._attempts = attempts

    async def all(self, actor: Account) -> list[Refused]:
        """Return all that was set aside, by store, the oldest first. Raises `NotPermitted` or `StoreError`."""
        require(actor, Permission.MANAGE_INSTALLATION)
        return await self._all()

    async def retry(self, actor: Account, references: Sequence[str] = ()) -> tuple[list[Refused], list[Refused]]:
        """Let some wait again (none named: all), and do what waits; return these, and what was refused again of them.

        A store that is away takes them when it is back. Raises `NotPermitted`, `NotFound`, `Conflict` or `StoreError`.
        """
        require(actor, Permission.MANAGE_INSTALLATION)
        chosen = _chosen(await self._all(), references)
        await self._record(actor, "journal.retry", chosen)
        entries, uploads = _parted(chosen)
        await self._journal.wait_again(entries)
        await self._uploads.wait_again(uploads)
        for store in dict.fromkeys(one.store for one in chosen):
            with suppress(StoreError):  # it is away, or another process does what waits
                await self._attempts[store]()
        ids = {one.id for one in chosen}
        return chosen, [one for one in await self._all() if one.id in ids]

    async def drop(self, actor: Account, references: Sequence[str] = ()) -> list[Refused]:
        """Remove some for good (none named: all) and return them.

        Raises `NotPermitted`, `NotFound`, `Conflict` or `StoreError`.
        """
        require(actor, Permission.MANAGE_INSTALLATION)
        chosen = _chosen(await self._all(), references)
        await self._record(actor, "journal.drop", chosen)
        entries, uploads = _parted(chosen)
        await self._journal.remove(entries)
        await self._uploads.drop(uploads)
        return chosen

    async def _all(self) -> list[Refused]:
        found: list[Refused] = []
        for store in self._attempts:
            if store == spool.STORE:
                found += await self._uploads.refused()
            else:
                found += map(_of, await self._journal.refused(store, _MOST))
        return found

    async def _record(self, actor: Account, action: str, chosen: Sequence[Refused]) -> None:
        for one in chosen:
            await self._audit.record(actor, action, one.account_id, store=one.store, entry=one.id, kind=one.kind)


def _of(entry: JournalEntry) -> Refused:
    return Refused(str(entry.seq), entry.store, entry.kind, entry.account_id, entry.at, entry.refusal)


def _parted(chosen: Sequence[Refused]) -> tuple[list[int], list[str]]:
    """Return the numbers of entries of the journal, and the names of uploads."""
    entries = [int(one.id) for one in chosen if one.store != spool.STORE]
    return entries, [one.id for one in chosen if one.store == spool.STORE]


def _chosen(found: Sequence[Refused], references: Sequence[str]) -> list[Refused]:
    """Return what is named by its id, or by the end of one: all of it where nothing is named."""
    if not references:
        return list(found)
    chosen = {}
    for reference in references:
        meant = [one for one in found if one.id == reference]
        if not meant and len(reference) >= _SHORTEST_END:
            meant = [one for one in found if one.id.endswith(reference)]
        if not meant:
            raise NotFound(f"Nothing that was refused is called {reference!r}; see multidb-chat admin journal list")
        if len(meant) > 1:
            raise Conflict(f"Several of what was refused end in {reference!r}; give more of it.")
        chosen[meant[0].id] = meant[0]
    return list(chosen.values())
