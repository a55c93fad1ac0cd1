"""The documents of a list: which of them fit what was typed, and in which order."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from multidb_chat.domain.library import Collection, Document
from multidb_chat.services.handbook import HANDBOOK_ID

Order = Literal["collection", "title", "newest", "largest", "kind"]
ORDERS: tuple[Order, ...] = ("collection", "title", "newest", "largest", "kind")


@dataclass(slots=True)
class Shelf:
    """All documents an account may see, and what of them is wanted. `words` must all be in title, name or source."""

    collections: dict[str, Collection] = field(default_factory=dict)
    documents: list[Document] = field(default_factory=list)
    words: str = ""
    collection_id: str = ""
    order: Order = "collection"
    _texts: dict[tuple[str, int], str] = field(default_factory=dict)

    def view(self) -> list[Document]:
        """Return what is wanted in the wanted order; the program's own handbook comes last among collections."""
        wanted = [document for document in list(self.documents) if self._fits(document)]
        return sorted(wanted, key=self._key())

    def next_order(self) -> Order:
        """Return the order behind the present one."""
        return ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)]

    def collection_of(self, document: Document) -> Collection | None:
        """Return the collection of a document; None when it was deleted meanwhile."""
        return self.collections.get(document.collection_id)

    def _fits(self, document: Document) -> bool:
        if self.collection_id and document.collection_id != self.collection_id:
            return False
        words = self.words.casefold().split()
        if not words:
            return True
        key = document.id, document.revision
        text = self._texts.get(key)
        if text is None:
            text = self._texts[key] = "\n".join((document.title, document.name, document.source)).casefold()
        return all(word in text for word in words)

    def _key(self) -> Callable[[Document], Any]:
        def title(document: Document) -> tuple[str, str]:
            return (document.title or document.name).casefold(), document.id

        def collection(document: Document) -> tuple[bool, str]:
            found = self.collections.get(document.collection_id)
            return document.collection_id == HANDBOOK_ID, found.name.casefold() if found else ""

        keys: dict[Order, Callable[[Document], Any]] = {
            "collection": lambda one: (collection(one), title(one)),
            "title": title,
            "newest": lambda one: (-one.added_at.timestamp(), title(one)),
            "largest": lambda one: (-one.size_bytes, title(one)),
            "kind": lambda one: (one.kind, title(one)),
        }
        return keys[self.order]
