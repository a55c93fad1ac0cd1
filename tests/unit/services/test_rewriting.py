"""Asking in several ways, over a real library and index."""

# ruff: noqa: F811 - fixtures are imported

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from multidb_chat.adapters.sqlite.library import SqliteLibrary
from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import InvalidInput, ModelUnavailable
from multidb_chat.domain.search import Match
from multidb_chat.services.documents import Documents
from multidb_chat.services.evaluation.configuration import configuration
from multidb_chat.services.evaluation.evaluation import Evaluated, Evaluation
from multidb_chat.services.retrieval import Retrieval
from multidb_chat.services.rewriting import FeedbackRewriter, MultiQuery, telling_words, together
from tests.contracts.search_index import EPOCH, PAPERS
from tests.unit.services.test_retrieval import (  # noqa: F401
    WordEmbedder,
    a_text,
    embedder,
    index,
    library,
    retrieval,
)

ADA = Account("ada", "user", "free", EPOCH, email="ada@example.org")
TEXTS = {
    "a": "the wing meets drag when flutter begins; flutter needs damping",
    "b": "damping of flutter in panels",
    "c": "bread and salt",
}


class Saying:
    """Rewrites to certain wordings, after some seconds. Raises `error` if there is one."""

    name = "saying"

    def __init__(self, *wordings: str, error: Exception | None = None, seconds: float = 0.0) -> None:
        self.wordings = wordings
        self.error = error
        self.seconds = seconds

    async def others(self, question: str, found: Sequence[Match]) -> list[str]:
        await asyncio.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        return list(self.wordings)


@pytest.fixture
async def filled(library: SqliteLibrary) -> SqliteLibrary:
    await library.put_documents([a_text(name, text) for name, text in TEXTS.items()])
    return library


def names(found: Sequence[Match]) -> list[str]:
    return [match.document.name for match in found]


async def test_the_telling_words_are_those_of_the_passages_that_the_question_lacks(
    filled: SqliteLibrary, retrieval: Retrieval
):
    found = await retrieval.search("wing drag", PAPERS, 1)
    assert telling_words("wing drag", found, 1) == ["flutter"]
    words = telling_words("wing drag", found, 20)
    assert not {"the", "when", "wing", "drag"} & set(words)
    assert await FeedbackRewriter().others("wing drag", found) == [f"wing drag {' '.join(words)}"]
    assert await FeedbackRewriter().others("wing drag", []) == []


async def test_what_another_wording_finds_comes_up(filled: SqliteLibrary, retrieval: Retrieval):
    plain = await retrieval.search("bread", PAPERS)
    found = await MultiQuery(retrieval, Saying("damping of flutter in panels"), 10, weight=0.9).search("bread", PAPERS)
    assert names(plain)[0] == "c"
    assert names(found)[0] == "b"
    assert len(set(names(found))) == len(found)
    ranked = MultiQuery(retrieval, Saying("damping of flutter in panels"), 10, weight=0.9)
    assert names(await ranked.rank_documents("bread", PAPERS, 2))[0] == "b"


@pytest.mark.parametrize("rewriter", [Saying(), Saying("x", error=ModelUnavailable("away")), Saying("x", seconds=60)])
async def test_without_another_wording_it_is_the_search_alone(
    filled: SqliteLibrary, retrieval: Retrieval, rewriter: Saying
):
    plain = await retrieval.search("wing drag", PAPERS)
    assert await MultiQuery(retrieval, rewriter, 0.05).search("wing drag", PAPERS) == plain


async def test_of_passages_that_overlap_the_better_one_stays(filled: SqliteLibrary, retrieval: Retrieval):
    (one, *_) = await retrieval.search("wing drag", PAPERS, 1)
    longer = replace(one, chunk=replace(one.chunk, end=one.chunk.end + 9), fused=one.fused * 3)
    (kept,) = together([one], [[longer]], 0.5)
    assert kept.chunk == longer.chunk
    assert kept.fused == pytest.approx(longer.fused / 2)


async def test_rewriting_is_measured_beside_the_search_alone_and_never_falls_back(
    filled: SqliteLibrary, retrieval: Retrieval
):
    evaluation = Evaluation(Documents(filled), retrieval, None, Saying("damping of flutter in panels"))
    done = await evaluated(evaluation, "both", "both:rewrite=0.9")
    assert done[0].mean.mrr < done[1].mean.mrr == 1.0
    with pytest.raises(InvalidInput, match="nothing that rewrites"):
        await evaluated(Evaluation(Documents(filled), retrieval), "both:rewrite=0.5")
    failing = Saying(error=ModelUnavailable("away"))
    with pytest.raises(ModelUnavailable):
        await evaluated(Evaluation(Documents(filled), retrieval, None, failing), "both:rewrite=0.5")


async def evaluated(evaluation: Evaluation, *ways: str) -> list[Evaluated]:
    run = evaluation.run(ADA, {"q": "bread"}, {"q": {"b": 1}}, [configuration(way) for way in ways], ["papers"])
    return [one async for one in run]
