"""A task as it is typed into a chat: `customer churn in #reports --save studies`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.library import Collection

SAVED_IN = "reports"
"""The collection that a report is saved in when none is named."""
_SAVE = re.compile(r"\s+--save(?:[= ]+(\S+))?\s*$")
_NARROWED = re.compile(r"(?<!\w)#([\w.-]+)")


class Collections(Protocol):
    """What this needs of the documents service."""

    async def resolve(self, account: Account, names: Sequence[str]) -> list[Collection]:
        """Return the collections of these names. Raises `NotFound`."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to do it about, in which collections (none: all), and the collection to save the report in ("": none)."""

    about: str
    collections: tuple[str, ...] = ()
    save: str = ""

    async def options(self, account: Account, documents: Collections) -> dict[str, str]:
        """Return the options of the task. Raises `NotFound` for an unknown collection."""
        options = {"save": self.save} if self.save else {}
        if self.collections:
            chosen = await documents.resolve(account, self.collections)
            options["collections"] = "\n".join(one.id for one in chosen)
        return options


def read_request(text: str) -> Request:
    """Return what a typed text asks for; the names of collections stay in it as words."""
    saving = _SAVE.search(f" {text}")
    about = f" {text}"[: saving.start()] if saving else text
    names = tuple(dict.fromkeys(_NARROWED.findall(about)))
    return Request(_NARROWED.sub(r"\1", about).strip(), names, (saving[1] or SAVED_IN) if saving else "")
