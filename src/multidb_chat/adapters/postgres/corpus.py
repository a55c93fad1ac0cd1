"""`PostgresCorpus`: the port `Corpus` in the database of the accounts."""

from collections.abc import Iterator, Sequence

from psycopg import AsyncConnection

from multidb_chat.adapters.postgres import corpus_tables as tables
from multidb_chat.adapters.postgres.database import Database
from multidb_chat.adapters.postgres.transactions import Row
from multidb_chat.domain.corpus import NOTHING, CorpusBatch, CorpusState, DocumentCounts, Frequency

STORING = 60.0
"""Seconds that a batch may take: dozens of documents, each with thousands of terms."""
READING = 60.0
"""Seconds that the figures of a whole library may take."""


class PostgresCorpus:
    """The port `Corpus` in a database that it shares with other stores; the port's docstrings specify it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def state(self) -> CorpusState:
        rows = await self._database.fetch(tables.STATE)
        return CorpusState(*rows[0])

    async def begin(self, library: str, method: int) -> None:
        await self._database.apply(tables.UNDO)  # from here on nobody brings anything in
        while await self._database.write(_forget_some, STORING):
            pass
        await self._database.apply(tables.BEGIN, library=library, method=method)

    async def known(self, document_ids: Sequence[str]) -> dict[str, int]:
        return dict(await self._database.fetch(tables.KNOWN, ids=list(document_ids)))

    async def bring_in(self, batch: CorpusBatch) -> bool:
        return await self._database.write(lambda connection: _bring_in(connection, batch), STORING)

    async def different_terms(self, collection_ids: Sequence[str]) -> int:
        rows = await self._figures(tables.DIFFERENT_TERMS, collection_ids, 1)
        return int(rows[0][0])

    async def terms(self, collection_ids: Sequence[str], limit: int) -> list[Frequency]:
        return [Frequency(*row) for row in await self._figures(tables.TERMS, collection_ids, limit)]

    async def sentences(self, collection_ids: Sequence[str], limit: int) -> list[Frequency]:
        return [Frequency(*row) for row in await self._figures(tables.SENTENCES, collection_ids, limit)]

    async def _figures(self, query: str, collection_ids: Sequence[str], limit: int) -> list[Row]:
        values = {"ids": list(collection_ids), "limit": max(limit, 0)}

        async def work(connection: AsyncConnection) -> list[Row]:
            return await (await connection.execute(query, values)).fetchall()

        return await self._database.read(work, READING)


async def _forget_some(connection: AsyncConnection) -> bool:
    """Remove some documents, unless somebody has begun anew meanwhile; tell whether there may be more."""
    rows = await (await connection.execute(tables.HOLD)).fetchall()
    return CorpusState(*rows[0]) == NOTHING and (await connection.execute(tables.FORGET_SOME)).rowcount > 0


async def _bring_in(connection: AsyncConnection, batch: CorpusBatch) -> bool:
    """Replace the documents of a batch, if it follows what is there."""
    rows = await (await connection.execute(tables.HOLD)).fetchall()
    if CorpusState(*rows[0]) != batch.counted:
        return False
    changed = [*batch.gone, *(one.document_id for one in batch.documents)]
    await connection.execute(tables.FORGET, {"ids": changed})
    for statement, lines in (
        (tables.COPY_DOCUMENTS, _documents(batch.documents)),
        (tables.COPY_TERMS, _terms(batch.documents)),
        (tables.COPY_SENTENCES, _sentences(batch.documents)),
    ):
        async with connection.cursor().copy(statement) as copy:
            for line in lines:
                await copy.write_row(line)
    await connection.execute(tables.ADVANCE, {"until": batch.until})
    return True


def _documents(documents: Sequence[DocumentCounts]) -> Iterator[tuple[object, ...]]:
    for one in documents:
        yield one.document_id, one.collection_id, one.name, one.revision, one.seq


def _terms(documents: Sequence[DocumentCounts]) -> Iterator[tuple[object, ...]]:
    for one in documents:
        for term, forms in one.terms.items():
            for form, count in forms.items():
                yield one.document_id, term, form, form.islower(), count


def _sentences(documents: Sequence[DocumentCounts]) -> Iterator[tuple[object, ...]]:
    for one in documents:
        for sentence, count in one.sentences.items():
            yield one.document_id, sentence, count
