"""What administrators do with the knowledge base: entries in, changed, out, and what becomes of good answers."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.cache import Cache
from multidb_chat.domain.conversations import Conversations, KnowledgeEntry
from multidb_chat.domain.errors import Conflict, InvalidInput, NotFound, StoreError
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.permissions import Permission, require
from multidb_chat.domain.search import Embedder
from multidb_chat.domain.text import clean_line, normalise_question
from multidb_chat.services.accounts import utc_now
from multidb_chat.services.audit import Recorder
from multidb_chat.services.knowledge.exchange import Listed, Row, checked
from multidb_chat.services.knowledge.memory import scope_of

_PAGE = 1_000
_BATCH = 64
_SHORTEST_REFERENCE = 6
_MOST_USED = 10


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the rows of a file: how many entries were added, changed, and the same already."""

    added: int
    changed: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class KnowledgeStatistics:
    """Figures of the knowledge base; `outdated` entries have no vector of the embedder in use."""

    entries: int
    uses: int
    unused: int
    outdated: int
    categories: dict[str, int]
    most_used: tuple[Listed, ...]


class Curation:
    """The entries of one tenant. Each change begins a new generation of answers and is recorded in the audit log."""

    def __init__(
        self,
        conversations: Conversations,
        cache: Cache,
        embedder: Embedder,
        audit: Recorder,
        *,
        tenant_id: str = "",
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._conversations = conversations
        self._cache = cache
        self._embedder = embedder
        self._audit = audit
        self._tenant_id = tenant_id
        self._clock = clock

    async def entries(self, actor: Account, *, category: str | None = None, words: str = "") -> list[Listed]:
        """Return the entries of a category (None: all) whose question or answer holds `words`, in order of id.

        Raises `NotPermitted`.
        """
        require(actor, Permission.READ_KNOWLEDGE)
        return await self._listed(category, words)

    async def show(self, actor: Account, reference: str) -> Listed:
        """Return the entry with this id, end of an id, or question. Raises `NotPermitted`, `NotFound` or `Conflict`."""
        require(actor, Permission.READ_KNOWLEDGE)
        entry = await self._find(reference)
        return Listed(entry, (await self._conversations.uses(self._tenant_id, [entry.id]))[entry.id])

    async def add(self, actor: Account, question: str, answer: str, category: str = "") -> KnowledgeEntry:
        """Add an entry. Raises `NotPermitted`, `InvalidInput`, or `Conflict` when the question has an answer."""
        require(actor, Permission.MANAGE_KNOWLEDGE)
        return await self._add(actor, "knowledge.add", checked("", question, answer, category))

    async def edit(
        self,
        actor: Account,
        reference: str,
        *,
        question: str | None = None,
        answer: str | None = None,
        category: str | None = None,
    ) -> KnowledgeEntry:
        """Change what is given (None: as it is) and return the entry with its next version.

        Raises `NotPermitted`, `NotFound`, `InvalidInput` or `Conflict`.
        """
        require(actor, Permission.MANAGE_KNOWLEDGE)
        entry = await self._find(reference)
        row = checked(
            "",
            entry.question if question is None else question,
            entry.answer if answer is None else answer,
            entry.category if category is None else category,
        )
        changed = await self._stored(row, entry)
        await self._changed(actor, "knowledge.edit", changed)
        return changed

    async def delete(self, actor: Account, reference: str) -> KnowledgeEntry:
        """Remove an entry and its counter; return it. Raises `NotPermitted`, `NotFound` or `Conflict`."""
        require(actor, Permission.MANAGE_KNOWLEDGE)
        entry = await self._find(reference)
        await self._conversations.delete_knowledge(self._tenant_id, entry.id)
        await self._changed(actor, "knowledge.delete", entry)
        return entry

    async def import_rows(
        self, actor: Account, rows: Sequence[Row], progress: Callable[[int, int], None] = lambda _done, _all: None
    ) -> Imported:
        """Add the rows, or bring the entries with their id or question up to date.

        Interrupted at any moment, the same call later does the rest: what is the same already stays untouched.
        `progress` is told how many of how many are stored. Raises `NotPermitted`, or `Conflict` before anything is
        stored when two entries would have one question.
        """
        require(actor, Permission.MANAGE_KNOWLEDGE)
        known = [listed.entry for listed in await self._listed(None, "", counted=False)]
        planned = _plan(rows, known)
        news = [(row, entry) for row, entry in planned if entry is None or not _same(row, entry)]
        await self._embed_and_store(news, progress)
        added = sum(entry is None for _, entry in planned)
        unchanged = sum(entry is not None and _same(row, entry) for row, entry in planned)
        done = Imported(added, len(planned) - added - unchanged, unchanged)
        await self._invalidate()
        await self._audit.record(
            actor, "knowledge.import", added=str(done.added), changed=str(done.changed), unchanged=str(done.unchanged)
        )
        return done

    async def reindex(self, actor: Account) -> int:
        """Make the vectors anew that are not of the embedder in use; return how many. Raises `NotPermitted`."""
        require(actor, Permission.MANAGE_KNOWLEDGE)
        known = [listed.entry for listed in await self._listed(None, "", counted=False)]
        outdated = [entry for entry in known if entry.embedder != self._embedder.name or not entry.vector]
        await self._embed_and_store([(_row_of(entry), entry) for entry in outdated])
        if outdated:
            await self._invalidate()
            await self._audit.record(actor, "knowledge.reindex", entries=str(len(outdated)))
        return len(outdated)

    async def statistics(self, actor: Account) -> KnowledgeStatistics:
        """Return figures. Raises `NotPermitted`."""
        require(actor, Permission.READ_KNOWLEDGE)
        listed = await self._listed(None, "")
        ranked = sorted((one for one in listed if one.uses), key=lambda one: (-one.uses, one.entry.id))
        return KnowledgeStatistics(
            entries=len(listed),
            uses=sum(one.uses for one in listed),
            unused=sum(not one.uses for one in listed),
            outdated=sum(one.entry.embedder != self._embedder.name or not one.entry.vector for one in listed),
            categories=dict(sorted(Counter(one.entry.category for one in listed).items())),
            most_used=tuple(ranked[:_MOST_USED]),
        )

    async def add_promoted(self, actor: Account, row: Row, message_id: str) -> KnowledgeEntry:
        """Add an entry that was made from the answer `message_id`. Raises like `add`."""
        require(actor, Permission.MANAGE_KNOWLEDGE)
        return await self._add(actor, "knowledge.promote", row, message=message_id)

    async def _add(self, actor: Account, action: str, row: Row, **details: str) -> KnowledgeEntry:
        entry = await self._stored(row, None)
        await self._changed(actor, action, entry, **details)
        return entry

    async def _stored(self, row: Row, before: KnowledgeEntry | None) -> KnowledgeEntry:
        (entry,) = await self._embed_and_store([(row, before)])
        return entry

    async def _embed_and_store(
        self,
        rows: Sequence[tuple[Row, KnowledgeEntry | None]],
        progress: Callable[[int, int], None] = lambda _done, _all: None,
    ) -> list[KnowledgeEntry]:
        """Store rows in place of the entries they belong to; those of a batch share vectors' threads and commits."""
        done: list[KnowledgeEntry] = []
        for start in range(0, len(rows), _BATCH):
            batch = rows[start : start + _BATCH]
            vectors = await asyncio.gather(*(self._vector(row, before) for row, before in batch))
            entries = [self._entry(*one, vector) for one, vector in zip(batch, vectors, strict=True)]
            stored = await asyncio.gather(*map(self._put, entries), return_exceptions=True)
            if errors := [error for error in stored if error is not None]:
                raise errors[0]
            done += entries
            progress(len(done), len(rows))
        return done

    async def _vector(self, row: Row, before: KnowledgeEntry | None) -> bytes:
        if before is not None and before.question == row.question and before.embedder == self._embedder.name:
            return before.vector
        return await self._embedder.embed_query(row.question)

    def _entry(self, row: Row, before: KnowledgeEntry | None, vector: bytes) -> KnowledgeEntry:
        return KnowledgeEntry(
            id=before.id if before else row.id or new_id(),
            tenant_id=self._tenant_id,
            question=row.question,
            question_key=row.key,
            answer=row.answer,
            version=before.version + 1 if before else 1,
            updated_at=self._clock(),
            vector=vector,
            category=row.category,
            embedder=self._embedder.name,
        )

    async def _put(self, entry: KnowledgeEntry) -> None:
        try:
            await self._conversations.put_knowledge(entry)
        except Conflict:
            raise Conflict(f'There is an entry for "{entry.question}" already; edit or delete that one.') from None

    async def _find(self, reference: str) -> KnowledgeEntry:
        exact = await self._conversations.knowledge_entry(self._tenant_id, reference)
        exact = exact or await self._conversations.knowledge(self._tenant_id, normalise_question(reference))
        if exact is not None:
            return exact
        ending = [entry async for entry in self._all() if entry.id.endswith(reference)]
        if len(reference) < _SHORTEST_REFERENCE or not ending:
            raise NotFound(
                f"There is no knowledge entry {clean_line(reference)!r}: give its id, or the question;"
                " multidb-chat admin knowledge list shows them."
            )
        if len(ending) > 1:
            raise Conflict(f"{len(ending)} entries have ids that end with {reference}: give more of the id.")
        return ending[0]

    async def _all(self) -> AsyncIterator[KnowledgeEntry]:
        after = ""
        while page := await self._conversations.knowledge_entries(self._tenant_id, after, _PAGE):
            for entry in page:
                yield entry
            after = page[-1].id

    async def _listed(self, category: str | None, words: str, *, counted: bool = True) -> list[Listed]:
        wanted = words.casefold()
        entries = [
            entry
            async for entry in self._all()
            if category in (None, entry.category) and wanted in f"{entry.question}\n{entry.answer}".casefold()
        ]
        uses = await self._conversations.uses(self._tenant_id, [entry.id for entry in entries]) if counted else {}
        return [Listed(entry, uses.get(entry.id, 0)) for entry in entries]

    async def _changed(self, actor: Account, action: str, entry: KnowledgeEntry, **details: str) -> None:
        await self._invalidate()
        about = {"question": entry.question, "version": str(entry.version), **details}
        await self._audit.record(actor, action, entry.id, **about)

    async def _invalidate(self) -> None:
        with suppress(StoreError):  # what is found in memory or in a cache is looked up again, or is over soon
            await self._cache.invalidate(scope_of(self._tenant_id))


def _row_of(entry: KnowledgeEntry) -> Row:
    return Row("", entry.question, entry.answer, entry.category, entry.id)


def _same(row: Row, entry: KnowledgeEntry) -> bool:
    return (row.question, row.answer, row.category) == (entry.question, entry.answer, entry.category)


def _plan(rows: Sequence[Row], known: Sequence[KnowledgeEntry]) -> list[tuple[Row, KnowledgeEntry | None]]:
    """Return each row with the entry that it changes, None where it is new. Raises `InvalidInput` or `Conflict`."""
    by_id = {entry.id: entry for entry in known}
    by_key = {entry.question_key: entry for entry in known}
    planned: list[tuple[Row, KnowledgeEntry | None]] = []
    taken: dict[str, str] = {}
    for row in rows:
        entry = by_id.get(row.id) or by_key.get(row.key)
        owner = by_key.get(row.key)
        if entry is not None and owner is not None and owner.id != entry.id:
            raise Conflict(f'{row.place}: the question of entry {row.id} is that of "{owner.question}" already')
        target = entry.id if entry else row.id or row.key
        if (before := taken.setdefault(target, row.place)) != row.place:
            raise InvalidInput(f"{row.place}: the same entry as {before}")
        planned.append((row, entry))
    return planned
