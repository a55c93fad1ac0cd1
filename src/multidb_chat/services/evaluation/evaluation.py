"""All queries searched in each of several ways, and what that is worth."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import InvalidInput
from multidb_chat.domain.search import SearchFilters
from multidb_chat.services.documents import Documents
from multidb_chat.services.evaluation.configuration import Configuration
from multidb_chat.services.evaluation.judgements import Judged
from multidb_chat.services.evaluation.measures import DEPTH, Measured, measured
from multidb_chat.services.evaluation.significance import randomisation
from multidb_chat.services.finding import Finding
from multidb_chat.services.modelled.paying import paid_by
from multidb_chat.services.reranking import Reranking
from multidb_chat.services.retrieval import Retrieval
from multidb_chat.services.rewriting import MultiQuery, Rewriter


@dataclass(frozen=True)
class Evaluated:
    """The measures of one configuration by query, and the seconds that its searches took.

    `warning` is one line where little was left of the plan's tokens then.
    """

    name: str
    by_query: Mapping[str, Measured]
    seconds: float
    warning: str = ""

    @property
    def mean(self) -> Measured:
        """The means over all queries."""
        return Measured(*(fmean(values) for values in zip(*self.by_query.values(), strict=True)))


class Comparison(NamedTuple):
    """How much better the `second` is than the `first` by a measure, and how likely that much is by chance."""

    first: str
    second: str
    measure: str
    difference: float
    p: float


class Evaluation:
    """Measures retrieval with judged queries."""

    def __init__(
        self,
        documents: Documents,
        retrieval: Retrieval,
        reranking: Reranking | None = None,
        rewriter: Rewriter | None = None,
    ) -> None:
        self._documents = documents
        self._retrieval = retrieval
        self._reranking = reranking
        self._rewriter = rewriter

    async def run(
        self,
        account: Account,
        queries: Mapping[str, str],
        judged: Judged,
        configurations: Sequence[Configuration],
        collection_ids: Sequence[str],
    ) -> AsyncIterator[Evaluated]:
        """Yield the measures of each configuration as it is done.

        Documents are known by their names. Queries of which no document is relevant are left out. Raises
        `InvalidInput` when none is left, nothing can be searched, nothing reranks or rewrites, `NotFound` for a
        collection that is not there or not the account's to search, and what `Retrieval` and `Reranking` raise.
        """
        allowed = [one.id for one in await self._documents.resolve(account, collection_ids)] if collection_ids else []
        asked = {name: text for name, text in queries.items() if any(judged.get(name, {}).values())}
        if not asked:
            raise InvalidInput("No query has a relevant document: are the two files of the same collection?")
        if self._reranking is None and any(one.rerank for one in configurations):
            raise InvalidInput("There is nothing that reranks: name it with --rerank, or set search.rerank.")
        if self._rewriter is None and any(one.rewrite for one in configurations):
            raise InvalidInput("There is nothing that rewrites: name it with --rewrite, or set search.rewrite.")
        for one in configurations:
            ids = allowed
            if one.collection:
                ids = [found.id for found in await self._documents.resolve(account, [one.collection])]
            if not ids:
                raise InvalidInput("There is no collection to search.")
            begin = time.perf_counter()
            with paid_by(account) as payer:
                by_query = {
                    name: measured(await self._ranking(text, ids, one), judged[name]) for name, text in asked.items()
                }
            seconds = time.perf_counter() - begin
            yield Evaluated(one.name, by_query, seconds, await payer.warning())

    async def _ranking(self, query: str, ids: Sequence[str], one: Configuration) -> list[str]:
        filters = SearchFilters(tuple(ids))
        # No falling back here: what is measured is what is named.
        finding: Finding = self._retrieval
        if one.rewrite and self._rewriter is not None:
            finding = MultiQuery(finding, self._rewriter, None, one.rewrite)
        found = await finding.rank_documents(query, filters, DEPTH, one.fusion)
        if one.rerank and self._reranking is not None:
            found = await self._reranking.ordered(query, found, one.rerank)
        return [match.document.name for match in found]


def compared(done: Sequence[Evaluated]) -> list[Comparison]:
    """Return the first configuration compared with each other one, by each measure."""
    return [
        Comparison(done[0].name, other.name, measure, fmean(second) - fmean(first), randomisation(first, second))
        for other in done[1:]
        for measure in Measured._fields
        for first, second in [(_values(done[0], measure), _values(other, measure))]
    ]


def _values(one: Evaluated, measure: str) -> list[float]:
    return [getattr(each, measure) for each in one.by_query.values()]
