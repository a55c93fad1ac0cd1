"""Knowledge entries in the cluster: a tenant's entries and their questions are one partition.

`part` tells its rows apart: `entry` by the id, and `question` by a hash of the normal form of the question, which tells
whose it is. One lightweight transaction writes both, so that a question never has two entries. The counter of uses has
a name of its own, since a counter that was deleted must not be used again. The tenant that has no name has one here,
since no partition has an empty key.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from multidb_chat.adapters.scylla.connection import Connection, Statement
from multidb_chat.adapters.scylla.errors import STORE
from multidb_chat.adapters.scylla.records import Columns, now_micros
from multidb_chat.domain.conversations import KnowledgeEntry, KnowledgeVector
from multidb_chat.domain.errors import Conflict, StoreUnavailable
from multidb_chat.domain.ids import new_id

# ruff: noqa: S608 - statements are put together from constants only

ENTRIES = Columns(KnowledgeEntry)

_ATTEMPTS = 20
_AT_ONCE = 50
_NUL = "\x00"
_SET = [name for name in ENTRIES.names if name not in ("id", "tenant_id")]
_WHOLE = f"{ENTRIES.listed}, counter_id, revision"
_OF = "FROM knowledge WHERE tenant_id = ? AND part = 'entry'"
_KEY = "WHERE tenant_id = ? AND part = 'question' AND id = ?"
_INSERT = f"INSERT INTO knowledge (part, {_WHOLE}) VALUES ('entry', {ENTRIES.marks}, ?, ?) IF NOT EXISTS"
_UPDATE = (
    f"UPDATE knowledge SET {', '.join(f'{name} = ?' for name in _SET)}, revision = ?"
    " WHERE tenant_id = ? AND part = 'entry' AND id = ? IF revision = ?"
)


class Knowledge:
    """The knowledge entries of all tenants, and how often each was used."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def put(self, entry: KnowledgeEntry) -> None:
        """Add or replace an entry unless a newer version is stored; raises `Conflict`."""
        for attempt in range(_ATTEMPTS):
            stored, holder = await asyncio.gather(
                self._stored(entry.tenant_id, entry.id, latest=attempt > 0),
                self._holder(entry.tenant_id, entry.question_key, latest=attempt > 0),
            )
            if stored is not None and stored[0].version > entry.version:
                return
            if holder not in (None, entry.id):
                raise Conflict(f"Another entry answers the question {entry.question_key!r} already.")
            if await self._connection.decide(*_putting(entry, stored, holder)):
                return
        raise StoreUnavailable(STORE, f"Too many programs change the entry {entry.id!r} at once.")

    async def _stored(
        self, tenant_id: str, entry_id: str, *, latest: bool = False
    ) -> tuple[KnowledgeEntry, str, int] | None:
        ask = self._connection.latest if latest else self._connection.rows
        rows = await ask(f"SELECT {_WHOLE} {_OF} AND id = ?", named(tenant_id), entry_id)
        return (entry_of(rows[0]), str(rows[0][-2]), int(rows[0][-1])) if rows else None

    async def _holder(self, tenant_id: str, question_key: str, *, latest: bool = False) -> str | None:
        """Return the id of the entry that answers the question."""
        ask = self._connection.latest if latest else self._connection.rows
        rows = await ask(f"SELECT entry_id FROM knowledge {_KEY}", named(tenant_id), _hashed(question_key))
        return str(rows[0][0]) if rows else None

    async def by_question(self, tenant_id: str, question_key: str) -> KnowledgeEntry | None:
        """Return the tenant's entry with exactly this key."""
        holder = await self._holder(tenant_id, question_key)
        entry = None if holder is None else await self.entry(tenant_id, holder)
        return entry if entry is not None and entry.question_key == question_key else None

    async def entry(self, tenant_id: str, entry_id: str) -> KnowledgeEntry | None:
        """Return the tenant's entry with this id."""
        stored = await self._stored(tenant_id, entry_id)
        return None if stored is None else stored[0]

    async def page(self, tenant_id: str, after: str, limit: int) -> list[KnowledgeEntry]:
        """Return the tenant's entries behind an id."""
        found: list[KnowledgeEntry] = []
        async for rows in self._behind(ENTRIES.listed, tenant_id, after):
            found += [entry_of(row) for row in rows]
            if len(found) >= limit:
                break
        return found[: max(limit, 0)]

    async def vectors(self, tenant_id: str, embedder: str, after: str, limit: int) -> list[KnowledgeVector]:
        """Return what comparing needs of the tenant's entries behind an id; answers are not sent."""
        found: list[KnowledgeVector] = []
        columns = "id, question_key, question, vector, embedder"
        async for rows in self._behind(columns, tenant_id, after):
            found += [KnowledgeVector(*row[:4]) for row in rows if row[3] and row[4] == embedder]
            if len(found) >= limit:
                break
        return found[: max(limit, 0)]

    def _behind(self, columns: str, tenant_id: str, after: str) -> AsyncIterator[list[tuple[Any, ...]]]:
        if after:
            return self._connection.pages(f"SELECT {columns} {_OF} AND id > ?", named(tenant_id), after)
        return self._connection.pages(f"SELECT {columns} {_OF}", named(tenant_id))

    async def delete(self, tenant_id: str, entry_id: str) -> bool:
        """Remove an entry and its counter; False when it is unknown."""
        for attempt in range(_ATTEMPTS):
            stored = await self._stored(tenant_id, entry_id, latest=attempt > 0)
            if stored is None:
                return False
            entry, counter, revision = stored
            removal = "DELETE FROM knowledge WHERE tenant_id = ? AND part = 'entry' AND id = ? IF revision = ?"
            if await self._connection.decide(
                (removal, (named(tenant_id), entry_id, revision)), _freeing(tenant_id, entry.question_key)
            ):
                await self._connection.write("DELETE FROM knowledge_uses WHERE counter_id = ?", counter)
                return True
        raise StoreUnavailable(STORE, f"Too many programs change the entry {entry_id!r} at once.")

    async def count_use(self, tenant_id: str, entry_id: str) -> None:
        """Add one to an entry's counter; a use of an entry that is gone by now is nobody's."""
        counters = await self._counters(tenant_id, [entry_id])
        if counters:
            statement = "UPDATE knowledge_uses SET uses = uses + 1 WHERE counter_id = ?"
            await self._connection.count(statement, counters[entry_id])

    async def count_on(self, tenant_id: str, entry_id: str, uses: int) -> None:
        """Let an entry's counter go on from so many uses, while nobody else counts."""
        counted = (await self.uses(tenant_id, [entry_id]))[entry_id]
        counters = await self._counters(tenant_id, [entry_id])
        if counters and counted != uses:
            statement = "UPDATE knowledge_uses SET uses = uses + ? WHERE counter_id = ?"
            await self._connection.count(statement, uses - counted, counters[entry_id])

    async def uses(self, tenant_id: str, entry_ids: Sequence[str]) -> dict[str, int]:
        """Return the counters of these entries."""
        counters = await self._counters(tenant_id, list(dict.fromkeys(entry_ids)))
        query = "SELECT uses FROM knowledge_uses WHERE counter_id = ?"
        rows = await asyncio.gather(*(self._connection.rows(query, counter) for counter in counters.values()))
        counted = {entry_id: int(found[0][0]) for entry_id, found in zip(counters, rows, strict=True) if found}
        return {entry_id: counted.get(entry_id, 0) for entry_id in entry_ids}

    async def _counters(self, tenant_id: str, entry_ids: Sequence[str]) -> dict[str, str]:
        query = f"SELECT id, counter_id {_OF} AND id IN ?"
        parts = [entry_ids[at : at + _AT_ONCE] for at in range(0, len(entry_ids), _AT_ONCE)]
        answers = await asyncio.gather(*(self._connection.rows(query, named(tenant_id), part) for part in parts))
        return {row[0]: row[1] for rows in answers for row in rows}


def _putting(
    entry: KnowledgeEntry, stored: tuple[KnowledgeEntry, str, int] | None, holder: str | None
) -> list[Statement]:
    """Return the statements that write an entry, take its question, and free the one it had before."""
    tenant_id = named(entry.tenant_id)
    values = dict(zip(ENTRIES.names, ENTRIES.row(entry), strict=True)) | {"tenant_id": tenant_id}
    if stored is None:
        statements: list[Statement] = [(_INSERT, (*values.values(), new_id(), now_micros()))]
    else:
        before, _, revision = stored
        changed = (*(values[name] for name in _SET), max(now_micros(), revision + 1))
        statements = [(_UPDATE, (*changed, tenant_id, entry.id, revision))]
        if before.question_key != entry.question_key:
            statements.append(_freeing(entry.tenant_id, before.question_key))
    if holder is None:
        taking = "INSERT INTO knowledge (tenant_id, part, id, entry_id) VALUES (?, 'question', ?, ?) IF NOT EXISTS"
        statements.append((taking, (tenant_id, _hashed(entry.question_key), entry.id)))
    return statements


def _freeing(tenant_id: str, question_key: str) -> Statement:
    return f"DELETE FROM knowledge {_KEY}", (named(tenant_id), _hashed(question_key))


def named(tenant_id: str) -> str:
    """Return a tenant's name as it lies in the cluster: nothing but NULs, one more of them."""
    return tenant_id if tenant_id.strip(_NUL) else tenant_id + _NUL


def entry_of(row: Sequence[Any]) -> KnowledgeEntry:
    """Return the entry in the values of the columns `ENTRIES`."""
    entry = ENTRIES.record(row)
    return entry if entry.tenant_id.strip(_NUL) else replace(entry, tenant_id=entry.tenant_id[1:])


def _hashed(question_key: str) -> str:
    """Return what stands for a question, however long it is."""
    return sha256(question_key.encode("utf-8", "surrogatepass")).hexdigest()
