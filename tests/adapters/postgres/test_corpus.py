"""Tables of terms and sentences on PostgreSQL: the contract, the views, and several processes at once."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from multidb_chat.adapters.postgres.corpus import PostgresCorpus
from multidb_chat.domain.corpus import Corpus, CorpusBatch, CorpusState
from tests.adapters.postgres.opening import database_at, stranger
from tests.contracts.corpus import TEA, CorpusContract, filled
from tests.servers import needs

pytestmark = needs("postgres")


@pytest.fixture
async def corpus(emptied: str) -> AsyncIterator[PostgresCorpus]:
    async with database_at(emptied) as database:
        yield PostgresCorpus(database)


class TestPostgresCorpus(CorpusContract):
    pass


async def test_the_views_tell_the_same_figures(corpus: Corpus, emptied: str):
    await filled(corpus)
    async with await stranger(emptied) as connection:
        terms = await connection.execute(
            "SELECT collection_id, term, count, documents, written FROM corpus_terms ORDER BY collection_id, term"
        )
        assert await terms.fetchall() == [
            ("c1", "assam", 1, 1, "Assam"),
            ("c1", "tea", 5, 1, "tea"),
            ("c2", "cup", 2, 1, "CUP"),
            ("c2", "tea", 4, 1, "Tea"),
        ]
        sentences = await connection.execute("SELECT * FROM corpus_sentences WHERE collection_id = 'c1' ORDER BY count")
        assert await sentences.fetchall() == [("c1", "Once.", 1, 1), ("c1", "Tea is grown in Assam.", 2, 1)]


async def test_of_many_that_bring_in_one_batch_one_does(corpus: Corpus):
    await corpus.begin("lib", 1)
    batch = CorpusBatch(CorpusState("lib", 1, 0), 1, (), (TEA,))
    done = await asyncio.gather(*(corpus.bring_in(batch) for _ in range(6)))
    assert done.count(True) == 1
    assert await corpus.different_terms(["c1"]) == 2
