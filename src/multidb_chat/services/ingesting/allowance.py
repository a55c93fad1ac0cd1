"""What an account may add: asked before a document is embedded, and checked again in the step that stores it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import QuotaExceeded
from multidb_chat.domain.library import DocumentContent, Library
from multidb_chat.domain.plans import DOCUMENTS, STORAGE, Resource
from multidb_chat.services.ingesting.documents import Waiting


class Quota(Protocol):
    """What ingestion needs of the plans service."""

    async def take_each(
        self, account: Account, resource: Resource, operations: Sequence[str]
    ) -> Mapping[str, QuotaExceeded]:
        """Use one of a resource for each operation; return those that were refused."""

    async def storage_limit(self, account: Account) -> int | None:
        """Return how many bytes the account's documents may have."""

    async def refusal(self, account: Account, resource: Resource) -> QuotaExceeded:
        """Return what says that a resource is used up."""


class Allowance:
    """What one run of an account may still add to the library; without a `quota` as much as it likes.

    A document counts once in a month, however often it is added, replaced or removed in it: its identifier is the
    operation. What is replaced is not counted.
    """

    def __init__(self, library: Library, account: Account, quota: Quota | None) -> None:
        self._library = library
        self._account = account
        self._quota = quota
        self.closed = ""
        """Why no new document is taken any more, empty as long as some are."""

    async def admitted(self, waiting: Sequence[Waiting]) -> list[Waiting]:
        """Take what the documents need; return those that may go on, having told the others why they may not."""
        if self._quota is None:
            return list(waiting)
        fitting = await self._fitting(waiting, self._quota)
        new = {f"document:{one.prepared.document.id}": one for one in fitting if one.is_new}
        refused = await self._quota.take_each(self._account, DOCUMENTS, list(new))
        for operation, error in refused.items():
            self.closed = str(error)
            new[operation].refuse(self.closed)
        gone = {id(new[operation]) for operation in refused}
        return [one for one in fitting if id(one) not in gone]

    async def store(self, waiting: Sequence[Waiting], contents: Sequence[DocumentContent]) -> int:
        """Store the documents, together or, where they do not all fit, those that do; return how many."""
        limit = None if self._quota is None else await self._quota.storage_limit(self._account)
        try:
            await self._library.put_documents(contents, limit)
        except QuotaExceeded:
            if len(contents) == 1:
                waiting[0].refuse(await self._full())
                return 0
            parts = zip(waiting, contents, strict=True)
            return sum([await self.store([one], [content]) for one, content in parts])
        return len(contents)

    async def _fitting(self, waiting: Sequence[Waiting], quota: Quota) -> list[Waiting]:
        """Keep what is sure not to fit from being embedded for nothing."""
        limit = await quota.storage_limit(self._account)
        if limit is None:
            return list(waiting)
        room = limit - (await self._library.holdings(self._account.id)).size_bytes
        fitting = []
        for one in waiting:
            size = one.prepared.document.size_bytes if one.is_new else 0
            if size > room:
                one.refuse(await self._full())
            else:
                room -= size
                fitting.append(one)
        return fitting

    async def _full(self) -> str:
        assert self._quota is not None
        return str(await self._quota.refusal(self._account, STORAGE))
