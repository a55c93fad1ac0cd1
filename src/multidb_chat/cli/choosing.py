"""Which collections a command is about."""

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from multidb_chat.domain.errors import StoreError

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application
    from multidb_chat.cli.console import Console
    from multidb_chat.domain.library import Collection

DEFAULT_COLLECTION = "documents"
HANDBOOK = "handbook"


async def searched(application: "Application", names: Sequence[str]) -> "list[Collection]":
    """Return the named collections, or all that the account may search, the handbook among them.

    Raises `NotFound`.
    """
    with suppress(StoreError):  # a full disk keeps the handbook out, and nobody from their own documents
        await application.handbook.ensure()
    return await application.documents.resolve(application.account, names)


async def named(application: "Application", names: Sequence[str] | None) -> "list[Collection]":
    """Return the named collections, or all but the handbook, which is not the user's own. Raises `NotFound`."""
    if names and HANDBOOK in names:
        await application.handbook.ensure()
    found = await application.documents.resolve(application.account, names or [])
    return found if names else [collection for collection in found if collection.id != HANDBOOK]


async def target_of(application: "Application", console: "Console", name: str) -> "Collection":
    """Return the collection to add to; it is made when it is first needed, and that is told: it may be a typing error.

    Raises `InvalidInput` for a name that no collection can have.
    """
    from multidb_chat.domain.errors import NotFound

    try:
        return (await application.documents.resolve(application.account, [name]))[0]
    except NotFound:
        made = await application.documents.ensure_collection(application.account, name)
        if name != DEFAULT_COLLECTION:
            console.tell(f"created the collection {made.name}")
        return made


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: `1 document`, `1,400 documents`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
