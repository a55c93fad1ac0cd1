"""Everything that can be looked at of an installation, and what of it can be mended by itself.

Nobody has to be logged in for it: it is needed most when nobody can. It shows nothing of anybody's.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime

from multidb_chat.domain.errors import MultidbChatError, StoreUnavailable
from multidb_chat.domain.journal import StoreState
from multidb_chat.domain.keys import Keys
from multidb_chat.domain.search import SearchIndex
from multidb_chat.domain.upkeep import Files, Finding, StoreReport, Upkeep
from multidb_chat.services.accounts import utc_now
from multidb_chat.services.installation import checks
from multidb_chat.services.wording import counted


class Health:
    """Examines and mends.

    Each of `verify_models` raises `StoreError`; `describe_embedder` tells what makes vectors, or raises
    `InvalidSetting` or `StoreError`; `has_keys` tells whether there is a key file.
    """

    def __init__(
        self,
        stores: Sequence[Upkeep],
        index: SearchIndex,
        keys: Keys,
        files: Files,
        *,
        states: Callable[[], Awaitable[Sequence[StoreState]]],
        verify_models: Sequence[Callable[[], Awaitable[None]]],
        describe_embedder: Callable[[], Awaitable[str]],
        has_keys: Callable[[], bool],
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._stores = stores
        self._index = index
        self._keys = keys
        self._files = files
        self._states = states
        self._verify_models = verify_models
        self._describe_embedder = describe_embedder
        self._has_keys = has_keys
        self._clock = clock

    async def examine(self) -> AsyncIterator[Finding]:
        """Yield what the checks find, one check after the other. Nothing is changed, and nothing is raised."""
        reports: list[StoreReport] = []
        for upkeep in self._stores:
            for finding in await checks.made(checks.STORES, self._store(upkeep, reports)):
                yield finding
        recorded = sum(report.records.get("audit entries", 0) for report in reports)
        exists = await asyncio.to_thread(self._has_keys)
        readable = [upkeep for upkeep in self._stores if upkeep.store in {report.store for report in reports}]
        for about, check in (
            (checks.SERVERS, checks.servers(self._states)),
            (checks.INDEX, checks.search_index(self._index)),
            (checks.MODEL, checks.models(self._verify_models)),
            (checks.EMBEDDER, checks.embedder(self._describe_embedder)),
            (checks.KEYS, checks.keys(self._keys, exists, exists or recorded > 0)),
            (checks.PERMISSIONS, checks.permissions(self._files)),
            (checks.LEFTOVERS, checks.leftovers(self._files)),
            (checks.CLOCK, checks.clock(reports, self._clock())),
            (checks.DISK, checks.disk(self._files)),
            (checks.LOCKS, checks.locks(self._files, readable)),
        ):
            for finding in await checks.made(about, check):
                yield finding

    async def mend(self, findings: Sequence[Finding]) -> list[str]:
        """Mend what is wrong and safe to mend; return what was done, a line each. Raises `MultidbChatError`."""
        wanted = {finding.about for finding in findings if finding.severity == "wrong" and finding.safe}
        ways: dict[str, Callable[[], Awaitable[list[str]]]] = {
            checks.PERMISSIONS: self._tighten,
            checks.LEFTOVERS: self._clear,
            checks.CACHE: self._begin_cache,
            checks.INDEX: self._rebuild,
        }
        try:
            return [line for about, way in ways.items() if about in wanted for line in await way()]
        except OSError as error:
            raise MultidbChatError(f"It cannot be mended: {error.strerror or error}") from error

    async def _store(self, upkeep: Upkeep, reports: list[StoreReport]) -> list[Finding]:
        found, report = await checks.store(upkeep)
        if report is not None:
            reports.append(report)
        return found

    async def _tighten(self) -> list[str]:
        loose = await asyncio.to_thread(self._files.loose)
        for one in loose:
            await asyncio.to_thread(self._files.tighten, one)
        return [f"set the modes of {counted(len(loose), 'file or folder', 'files and folders')}"]

    async def _clear(self) -> list[str]:
        left = await asyncio.to_thread(self._files.left_behind)
        for folder in left:
            await asyncio.to_thread(self._files.remove, folder)
        return [f"removed {folder.name}" for folder in left]

    async def _begin_cache(self) -> list[str]:
        if await asyncio.to_thread(self._files.used_by_others):
            raise StoreUnavailable("cache", "Another multidb-chat uses the cache: end it, then it can be begun anew.")
        await asyncio.to_thread(self._files.discard_cache)
        return ["began a new cache"]

    async def _rebuild(self) -> list[str]:
        return [f"made the search index anew, of {counted(await self._index.rebuild(), 'document')}"]
