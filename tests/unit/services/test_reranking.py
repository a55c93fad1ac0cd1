"""Reranking over a real library and index: the order, what stays when it fails, and how it is measured."""

# ruff: noqa: F811 - fixtures are imported

import asyncio
from collections.abc import Sequence

import pytest

from multidb_chat.adapters.sqlite.library import SqliteLibrary
from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import InvalidInput, ModelUnavailable, StoreCorrupt, StoreUnavailable
from multidb_chat.services.documents import Documents
from multidb_chat.services.evaluation.configuration import configuration
from multidb_chat.services.evaluation.evaluation import Evaluated, Evaluation
from multidb_chat.services.reranking import RerankedRetrieval, Reranking
from multidb_chat.services.retrieval import Retrieval
from tests.contracts.search_index import EPOCH, PAPERS
from tests.unit.services.test_retrieval import (  # noqa: F401
    WordEmbedder,
    a_text,
    cache,
    embedder,
    index,
    library,
    retrieval,
)

ADA = Account("ada", "user", "free", EPOCH, email="ada@example.org")


TEXTS = {"d": "wing drag", "c": "wing drag in flight", "b": "wing drag in slow flight", "a": "walls and drag"}


class Shortest:
    """Prefers short passages; a `Reranker` in earnest, whose order everybody can check. Raises `error` if there is one.

    `asked` are the passages it was given; it takes `seconds`.
    """

    name = "shortest"

    def __init__(self, error: Exception | None = None, seconds: float = 0.0) -> None:
        self.asked: list[str] = []
        self.error = error
        self.seconds = seconds

    async def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        self.asked += passages
        await asyncio.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        return [-float(len(passage)) for passage in passages]

    async def close(self) -> None:
        """Nothing to free."""


@pytest.fixture
async def filled(library: SqliteLibrary) -> SqliteLibrary:
    await library.put_documents([a_text(name, text, title=f"About {name}") for name, text in TEXTS.items()])
    return library


async def test_the_best_are_in_the_rerankers_order_and_the_others_behind_them(
    filled: SqliteLibrary,
    retrieval: Retrieval,
):
    plain = [match.document.name for match in await retrieval.search("wing drag in slow flight", PAPERS)]
    reranker = Shortest()
    found = await RerankedRetrieval(retrieval, Reranking(reranker, 3, 10)).search("wing drag in slow flight", PAPERS)
    assert plain == ["b", "c", "d", "a"]
    assert [match.document.name for match in found] == ["d", "c", "b", "a"]
    assert [match.reranked is None for match in found] == [False, False, False, True]
    assert len(reranker.asked) == 3
    assert reranker.asked == [f"About {name}\n{TEXTS[name]}" for name in "bcd"], "each with its title"


async def test_more_is_reranked_than_is_asked_for(filled: SqliteLibrary, retrieval: Retrieval):
    timings: dict[str, float] = {}
    reranked = RerankedRetrieval(retrieval, Reranking(Shortest(), 3, 10))
    (first,) = await reranked.search("wing drag in slow flight", PAPERS, 1, timings=timings)
    assert first.document.name == "d"
    assert timings["rerank"] >= 0
    (document,) = await reranked.rank_documents("wing drag in slow flight", PAPERS, 1)
    assert document.document.name == "d"


@pytest.mark.parametrize("error", [ModelUnavailable("away"), StoreCorrupt("reranker", "damaged"), None])
async def test_where_it_fails_or_takes_too_long_the_order_stays(
    filled: SqliteLibrary,
    retrieval: Retrieval,
    error: Exception | None,
    caplog: pytest.LogCaptureFixture,
):
    reranking = Reranking(Shortest(error, seconds=60 if error is None else 0), 3, 0.05)
    found = await RerankedRetrieval(retrieval, reranking).search("wing drag in slow flight", PAPERS)
    assert [match.document.name for match in found] == ["b", "c", "d", "a"]
    assert all(match.reranked is None for match in found)
    assert "passages stay as they were found" in caplog.text


async def test_a_defect_of_a_reranker_is_not_hidden(filled: SqliteLibrary, retrieval: Retrieval):
    with pytest.raises(ZeroDivisionError):
        await RerankedRetrieval(retrieval, Reranking(Shortest(ZeroDivisionError()), 3, 10)).search("wing drag", PAPERS)


async def test_one_passage_needs_no_order(filled: SqliteLibrary, retrieval: Retrieval):
    reranker = Shortest()
    await RerankedRetrieval(retrieval, Reranking(reranker, 20, 10)).search("wing", PAPERS.__class__(("nowhere",)))
    assert reranker.asked == []


async def test_reranking_is_measured_beside_the_search_alone(filled: SqliteLibrary, retrieval: Retrieval):
    evaluation = Evaluation(Documents(filled), retrieval, Reranking(Shortest(), 2, 10))
    done = await evaluated(evaluation, "both", "both:rerank=3")
    assert [one.mean.mrr for one in done] == [pytest.approx(1 / 3), 1.0]


@pytest.mark.parametrize(
    ("reranking", "error", "told"),
    [
        (None, InvalidInput, "nothing that reranks"),
        (Reranking(Shortest(ModelUnavailable("away")), 3, 10), ModelUnavailable, "away"),
        (Reranking(Shortest(seconds=60), 3, 0.05), StoreUnavailable, "within 0.05 seconds"),
    ],
)
async def test_a_measurement_never_falls_back(
    filled: SqliteLibrary,
    retrieval: Retrieval,
    reranking: Reranking | None,
    error: type[Exception],
    told: str,
):
    with pytest.raises(error, match=told):
        await evaluated(Evaluation(Documents(filled), retrieval, reranking), "both:rerank=3")


async def evaluated(evaluation: Evaluation, *names: str) -> list[Evaluated]:
    queries, judged = {"q": "wing drag in slow flight"}, {"q": {"d": 1}}
    run = evaluation.run(ADA, queries, judged, [configuration(name) for name in names], ["papers"])
    return [one async for one in run]
