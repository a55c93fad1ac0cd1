"""Which collections a command is about, and how it finds passages in them."""

import shlex
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from multidb_chat.domain.errors import StoreError

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application
    from multidb_chat.cli.console import Console
    from multidb_chat.domain.library import Collection

__all__ = ["DEFAULT_COLLECTION", "HANDBOOK", "for_now", "named", "searched", "target_of"]

DEFAULT_COLLECTION = "documents"
HANDBOOK = "handbook"


def for_now(application: "Application", rerank: str | None, rewrite: str | None) -> None:
    """Find passages so for this run, where it is said. Raises `InvalidSetting`."""
    for key, name in (("search.rerank", rerank), ("search.rewrite", rewrite)):
        if name is not None:
            application.preferences.for_now(application.account, key, name)


async def searched(application: "Application", names: Sequence[str]) -> "list[Collection]":
    """Return the named collections, or all that the account may search, the handbook among them.

    Raises `NotFound`.
    """
    with suppress(StoreError):  # a full disk keeps the handbook out, and nobody from their own documents
        await application.handbook.ensure()
    return await application.documents.resolve(application.account, names)


async def named(
    application: "Application", names: Sequence[str] | None, shared: bool | None = None
) -> "list[Collection]":
    """Return the named collections, or all but the handbook, which is not the user's own. Raises `NotFound`.

    `shared` narrows to those that are, or are not.
    """
    if names and HANDBOOK in names:
        await application.handbook.ensure()
    found = await application.documents.resolve(application.account, names or [])
    return [one for one in found if (names or one.id != HANDBOOK) and shared in (None, one.shared)]


async def target_of(
    application: "Application", console: "Console", name: str, shared: bool | None = None
) -> "Collection":
    """Return the collection to add to; it is made when it is first needed, and that is told: it may be a typing error.

    Somebody else's shared collection called like the usual one is not meant: everybody has one of that name.
    Raises `InvalidInput` for a name that no collection can have, or for one that is shared otherwise than said.
    """
    from multidb_chat.domain.errors import InvalidInput, NotFound

    account, documents = application.account, application.documents
    found = None
    with suppress(NotFound):
        found = (await documents.resolve(account, [name]))[0]
    if found is None or (found.owner_id != account.id and name == DEFAULT_COLLECTION):
        made = await documents.ensure_collection(account, name, shared=shared)
        if name != DEFAULT_COLLECTION:
            console.tell(f"created the collection {made.name}")
        return made
    if shared is not None and found.owner_id == account.id and found.shared != shared:
        state, verb = ("shared", "unshare") if found.shared else ("private", "share")
        raise InvalidInput(
            f'The collection "{found.name}" is {state}. To change that: multidb-chat collections {verb} '
            f"{shlex.quote(found.name)}"
        )
    return found
