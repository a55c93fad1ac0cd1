"""Collections for an account: which it may search, and which are its own to change."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack, get_args

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import Conflict, InvalidInput, NotFound, NotPermitted
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.library import Collection, Cut, Holdings, Library, Strategy
from multidb_chat.domain.permissions import Permission, require
from multidb_chat.domain.text import clean_line
from multidb_chat.services.accounts import LOCAL_ACCOUNT_ID

if TYPE_CHECKING:  # a cached answer needs no more than the collections
    from multidb_chat.services.audit import Recorder

DEFAULT_COLLECTION = "documents"
STRATEGIES = get_args(Strategy)
LEAST_CHARS, MOST_CHARS = 200, 20_000
_NAME = re.compile(r"[^\W_](?:[\w.\- ]{0,62}[\w.\-])?")
_PAGE = 1_000


class CollectionSummary(NamedTuple):
    """A collection with what is in it: documents, chunks, characters of text, and the size of what was added."""

    collection: Collection
    documents: int
    chunks: int
    characters: int
    size_bytes: int


def shares_by_default(account: Account) -> bool:
    """Tell who may see what this account adds: the local account's documents everybody here, others nobody else."""
    return account.id == LOCAL_ACCOUNT_ID


def owns(account: Account, collection: Collection) -> bool:
    """Tell whether the collection is this account's own."""
    return collection.owner_id == account.id


def require_own(account: Account, collection: Collection) -> None:
    """Raise `NotPermitted` unless the account may change the collection: to be allowed to search it is not enough."""
    require(account, Permission.INGEST)
    if not owns(account, collection):
        raise NotPermitted(f'The collection "{collection.name}" belongs to somebody else; you can only search it.')


class Collections:
    """The collections that an account may search, its own and the shared ones, and those it may change, its own.

    What belongs privately to somebody else is `NotFound`, in the same words as what does not exist; what is shared by
    somebody else is `NotPermitted` to change. A guest changes nothing, and a disabled account sees nothing.
    """

    def __init__(self, library: Library, audit: Callable[[], "Recorder"] | None = None) -> None:
        """`audit` gives what records changes, when there is one to record; without it nothing is recorded."""
        self._library = library
        self._audit = audit

    async def _record(self, account: Account, action: str, target: str, **details: str) -> None:
        """Record what is about to be done: what cannot be recorded is not done. Raises `StoreError`."""
        if self._audit is not None:
            await self._audit().record(account, action, target, **details)

    async def collections(self, account: Account) -> list[Collection]:
        """Return the collections the account may search, in order of name."""
        require(account, Permission.CHAT)
        return await self._library.collections(account.id)

    async def contents(self, account: Account) -> list[tuple[Collection, Holdings]]:
        """Return the collections the account may search, in order of name, each with what it holds now."""
        found = await self.collections(account)
        held = await self._library.holdings_in([one.id for one in found])
        return [(one, held[one.id]) for one in found]

    async def holdings(self, account: Account) -> Holdings:
        """Return what the account's own collections hold together."""
        require(account, Permission.CHAT)
        return await self._library.holdings(account.id)

    async def create_collection(
        self, account: Account, name: str, *, description: str = "", shared: bool = False, **cut: Unpack[Cut]
    ) -> Collection:
        """Add a collection, whose documents are `cut` so. Raises like `change_collection`."""
        require(account, Permission.INGEST)
        _check_name(name)
        _check_cut(cut)
        made = Collection(new_id(), account.id, name, datetime.now(UTC), clean_line(description), shared)
        collection = replace(made, **_given(cut))
        await self._record(account, "collection.create", collection.id, shared=str(shared).lower())
        await self._library.create_collection(collection)
        return collection

    async def ensure_collection(
        self, account: Account, name: str = DEFAULT_COLLECTION, *, description: str = "", shared: bool | None = None
    ) -> Collection:
        """Return the account's own collection of this name, made now if there is none; safe in several processes.

        A new one is shared as the account shares by default (None), or as it is said; one that is there stays as it is.
        """
        told = shares_by_default(account) if shared is None else shared
        for _ in range(2):
            for collection in await self.collections(account):
                if owns(account, collection) and collection.name.casefold() == name.casefold():
                    return collection
            try:
                return await self.create_collection(account, name, description=description, shared=told)
            except Conflict:  # another process made it just now
                continue
        raise NotFound(f'There is no collection named "{name}".')

    async def change_collection(
        self,
        account: Account,
        name: str,
        *,
        new_name: str | None = None,
        description: str | None = None,
        shared: bool | None = None,
        **cut: Unpack[Cut],
    ) -> Collection:
        """Change what is given of an own collection: its name, what is said of it, who may see it, how it is cut.

        Raises `InvalidInput` for a bad name or way to cut, `Conflict` for a name the account has already.
        """
        collection = (await self.resolve(account, [name]))[0]
        require_own(account, collection)
        if new_name is not None:
            _check_name(new_name)
        _check_cut(cut)
        described = None if description is None else clean_line(description)
        if shared is not None:
            await self._record(account, "collection.share" if shared else "collection.unshare", collection.id)
        if new_name is not None or description is not None or _given(cut):
            await self._record(account, "collection.describe", collection.id)
        return await self._library.describe_collection(
            collection.id, name=new_name, description=described, shared=shared, **cut
        )

    async def show_collection(self, account: Account, name: str) -> CollectionSummary:
        """Return the collection with its figures; it counts by going through the documents."""
        collection = (await self.resolve(account, [name]))[0]
        documents = chunks = characters = size = 0
        after = ""
        while page := await self._library.documents([collection.id], after, _PAGE):
            documents += len(page)
            chunks += sum(document.chunks for document in page)
            characters += sum(document.characters for document in page)
            size += sum(document.size_bytes for document in page)
            after = page[-1].id
        return CollectionSummary(collection, documents, chunks, characters, size)

    async def delete_collection(self, account: Account, name: str) -> Collection:
        """Remove the collection with its documents; return what it was."""
        collection = (await self.resolve(account, [name]))[0]
        require_own(account, collection)
        await self._record(account, "collection.delete", collection.id)
        await self._library.delete_collection(collection.id)
        return collection

    async def resolve(self, account: Account, names: Sequence[str]) -> list[Collection]:
        """Return the collections with these names or ids (none: all that may be searched), each once.

        Of an own and a shared one with the same name it is the own. Raises `NotFound` with the nearest name.
        """
        mine = await self.collections(account)
        if not names:
            return mine
        return list({found.id: found for found in (_named(account, mine, name) for name in names)}.values())


def _given(cut: Cut) -> dict[str, Any]:
    return {name: value for name, value in cut.items() if value is not None}


def _check_cut(cut: Cut) -> None:
    if (strategy := cut.get("chunking")) is not None and strategy not in STRATEGIES:
        raise InvalidInput(f'"{clean_line(strategy)}" is no way to cut documents: {", ".join(STRATEGIES)} are.')
    if (chars := cut.get("chunk_chars")) and not LEAST_CHARS <= chars <= MOST_CHARS:
        raise InvalidInput(f"A passage is {LEAST_CHARS} to {MOST_CHARS:,} characters long, or 0 for the usual length.")


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f'"{clean_line(name)[:80]}" cannot name a collection: use 1 to 64 letters, digits, spaces, ".", "-" '
            'and "_", with a letter or digit first.'
        )


def _named(account: Account, collections: Sequence[Collection], name: str) -> Collection:
    found = [one for one in collections if name == one.id or name.casefold() == one.name.casefold()]
    if found:
        return min(found, key=lambda one: not owns(account, one))
    from difflib import get_close_matches

    nearest = get_close_matches(name, [one.name for one in collections], 1)
    hint = f' Did you mean "{nearest[0]}"?' if nearest else " See: multidb-chat collections list"
    raise NotFound(f'There is no collection named "{clean_line(name)}".{hint}')
