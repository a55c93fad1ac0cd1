"""Search and reading: files in, passages out."""

import os
from contextlib import aclosing
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from multidb_chat.bootstrap.guarding import keyring_secret
from multidb_chat.bootstrap.plans import MEGABYTE, limits_of
from multidb_chat.bootstrap.security import Security
from multidb_chat.domain.errors import InvalidSetting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from multidb_chat.bootstrap.embedding import Embedders
    from multidb_chat.domain.accounts import Account
    from multidb_chat.domain.language import LanguageModel
    from multidb_chat.domain.reading import DocumentReader, Fetcher
    from multidb_chat.domain.search import Embedder, SearchIndex, SpanReader
    from multidb_chat.services.answering.extractive import Extractive
    from multidb_chat.services.audit import Recorder
    from multidb_chat.services.documents import Documents
    from multidb_chat.services.evaluation.evaluation import Evaluation
    from multidb_chat.services.finding import Finding
    from multidb_chat.services.handbook import Handbook
    from multidb_chat.services.ingesting.events import IngestEvent
    from multidb_chat.services.ingesting.sources import Input
    from multidb_chat.services.ingestion import Ingestion
    from multidb_chat.services.modelled.metering import Meter
    from multidb_chat.services.modelled.paying import PaidModel
    from multidb_chat.services.models import ModelShelf
    from multidb_chat.services.one_off import OneOff
    from multidb_chat.services.plans import Plans
    from multidb_chat.services.question_vectors import QuestionVectors
    from multidb_chat.services.reranking import Reranking
    from multidb_chat.services.resilience.spool import Spool
    from multidb_chat.services.retrieval import Retrieval
    from multidb_chat.services.rewriting import Rewriter

SPOOL = "spool"
"""The folder, in that of the data, of uploads that wait for a library on a server."""


class Reading(Security):
    """The documents, and what finds passages in them. The embedder, the index and the readers start at first use."""

    stays = False
    """Whether the program goes on after a turn, so that something can be done beside the next one."""

    @cached_property
    def embedders(self) -> "Embedders":
        """All that make vectors."""
        from multidb_chat.bootstrap.embedding import Embedders

        return Embedders(self.settings, self._secret)

    @property
    def embedder(self) -> "Embedder":
        """What makes the vectors of new collections."""
        return self.embedders.chosen

    @property
    def small_embedder(self) -> "Embedder":
        """What compares sentences and questions: all thresholds for that were measured with it."""
        return self.embedders.called("minilm")

    @cached_property
    def span_reader(self) -> "SpanReader":
        """What judges which sentences of a passage answer a question."""
        from multidb_chat.adapters.embedders.span_reader import MiniLMSpanReader

        return MiniLMSpanReader(self.settings.embedder.threads or None)

    @cached_property
    def quoting(self) -> "Extractive":
        """What answers with sentences of the passages."""
        from multidb_chat.services.answering.extractive import Extractive

        return Extractive(self.span_reader)

    @cached_property
    def index(self) -> "SearchIndex":
        """The search index, derived from the library."""
        from multidb_chat.adapters.search_index import EmbeddedSearchIndex

        embedded = EmbeddedSearchIndex(self.settings.paths.cache / "index", self.library)
        if (url := self._server("library")) is None:
            return embedded
        from multidb_chat.adapters.mongo.search import MongoSearchIndex

        return MongoSearchIndex(url, embedded)

    @cached_property
    def reader(self) -> "DocumentReader":
        """What reads files, in processes of their own."""
        from multidb_chat.adapters.readers.client import SubprocessReader

        ingest = self.settings.ingest
        return SubprocessReader(
            max_file_bytes=ingest.max_file_mb * MEGABYTE,
            memory_mb=ingest.read_memory_mb,
            timeout_s=ingest.read_timeout_s,
            workers=ingest.workers or None,
        )

    @cached_property
    def fetcher(self) -> "Fetcher":
        """What fetches URLs."""
        from multidb_chat.adapters.fetching import UrlFetcher

        return UrlFetcher(max_bytes=self.settings.ingest.max_file_mb * MEGABYTE)

    @cached_property
    def plans(self) -> "Plans":
        """What an account may use, and has used."""
        from multidb_chat.services.plans import Plans

        leases = self._leases(self.accounts)
        return Plans(self.accounts, self.library, limits=limits_of(self.settings), leases=leases)

    @cached_property
    def documents(self) -> "Documents":
        """Collections and documents of an account."""
        from multidb_chat.services.documents import Documents

        return Documents(self.library, lambda: self.audit, lambda: self.plans)

    @cached_property
    def ingestion(self) -> "Ingestion":
        """Files in, searchable documents out."""
        return self._ingestion(lambda: self.audit, self.plans)

    def _ingestion(
        self,
        audit: "Callable[[], Recorder] | None" = None,
        quota: "Plans | None" = None,
        embedder: "Embedder | None" = None,
    ) -> "Ingestion":
        from multidb_chat.services.ingesting.run import IngestOptions
        from multidb_chat.services.ingestion import Ingestion

        ingest = self.settings.ingest
        options = IngestOptions(ingest.max_file_mb * MEGABYTE, ingest.chunk_chars)
        embedder = self.embedder if embedder is None else embedder
        others = self.embedders.remembered
        return Ingestion(self.library, self.reader, self.fetcher, embedder, options, audit, quota, others)

    def reprocessing_by(self, embedder: str) -> "Ingestion":
        """Return what processes documents again with the embedder that the settings would call so.

        Raises `InvalidSetting` when it cannot be had.
        """
        return self._ingestion(lambda: self.audit, self.plans, self.embedders.keeping(embedder))

    @cached_property
    def models(self) -> "ModelShelf":
        """Larger models on this machine."""
        from multidb_chat.adapters.embedders.stella import DIMENSIONS
        from multidb_chat.adapters.embedders.stella_checkpoint import read_checkpoint
        from multidb_chat.adapters.model_files import ModelFiles
        from multidb_chat.bootstrap.embedding import models_folder
        from multidb_chat.services.models import ModelShelf

        def check_stella(folder: Path) -> None:
            read_checkpoint(folder, DIMENSIONS)

        return ModelShelf(ModelFiles(models_folder(self.settings)), {"stella": check_stella})

    @property
    def spools(self) -> bool:
        """Whether uploads are kept while the library is away: it is on a server."""
        return self._server("library") is not None

    @cached_property
    def spool(self) -> "Spool":
        """Uploads that wait for the library."""
        from multidb_chat.services.accounts import usable, utc_now
        from multidb_chat.services.resilience.spool import Spool

        async def found(account_id: str) -> "Account":
            return usable(await self.accounts.account(account_id), utc_now())

        most = self.settings.ingest.max_file_mb * MEGABYTE
        return Spool(self.settings.paths.data / SPOOL, most, found, self._added)

    async def _added(
        self, account: "Account", collection: str, shared: bool | None, inputs: "Sequence[Input]"
    ) -> "AsyncIterator[IngestEvent]":
        target = await self.documents.ensure_collection(account, collection, shared=shared)
        async with aclosing(self.ingestion.add(account, target, inputs)) as events:
            async for event in events:
                yield event

    @cached_property
    def handbook(self) -> "Handbook":
        """The bundled guide."""
        from multidb_chat.services.handbook import Handbook

        # The program's own account is in no store, and has no quota.
        def is_here(name: str) -> bool:
            return self.embedders.remembered(name) is not None

        return Handbook(self.library, self.embedder.name, self._ingestion, handbook_folder(), is_here)

    @cached_property
    def question_vectors(self) -> "QuestionVectors":
        """What questions mean, to compare them with each other."""
        from multidb_chat.services.question_vectors import QuestionVectors

        return QuestionVectors(self.small_embedder, self.cache)

    @cached_property
    def language_model(self) -> "LanguageModel | None":
        """What writes the answers and may order passages; None where answers are quoted.

        Raises `InvalidSetting` when it cannot be had; where the program stays, its answers are quoted and say why.
        """
        try:
            return self._made_language_model()
        except InvalidSetting as error:
            if not self.stays:
                raise
            from multidb_chat.services.modelled.absent import AbsentModel

            return AbsentModel(self.settings.model.name, str(error))

    def _made_language_model(self) -> "LanguageModel | None":
        from multidb_chat.bootstrap.models import language_model

        return language_model(self.settings, keyring_secret, os.environ)

    @cached_property
    def meter(self) -> "Meter":
        """What counts the tokens of language models."""
        from multidb_chat.services.modelled.metering import Meter

        return Meter(self.plans, self.quoting)

    def _paid_model(self) -> "PaidModel | None":
        from multidb_chat.services.modelled.paying import PaidModel

        return None if self.language_model is None else PaidModel(self.language_model, self.meter)

    @cached_property
    def reranking(self) -> "Reranking | None":
        """What puts the best passages in order; None where they stay as they are found.

        Raises `InvalidSetting` when it cannot be had.
        """
        from multidb_chat.bootstrap.models import reranker

        search = self.settings.search
        if (made := reranker(self.settings, self._paid_model)) is None:
            return None
        from multidb_chat.services.reranking import Reranking

        return Reranking(made, search.rerank_best, search.timeout_s)

    @cached_property
    def rewriter(self) -> "Rewriter | None":
        """What says questions in other words; None where they are asked as they stand.

        Raises `InvalidSetting` when it cannot be had.
        """
        from multidb_chat.bootstrap.models import rewriter

        return rewriter(self.settings, self._paid_model)

    @cached_property
    def retrieval(self) -> "Finding":
        """Questions in, passages out."""
        found: Finding = self.search
        if self.rewriter is not None:
            from multidb_chat.services.rewriting import MultiQuery

            found = MultiQuery(found, self.rewriter, self.settings.search.timeout_s)
        if self.reranking is None:
            return found
        from multidb_chat.services.reranking import RerankedRetrieval

        return RerankedRetrieval(found, self.reranking)

    @property
    def way_of_finding(self) -> str:
        """What tells answers of what was rewritten or reranked from others."""
        return " ".join(one.name for one in (self.rewriter, self.reranking) if one is not None)

    @cached_property
    def search(self) -> "Retrieval":
        """Passages by words and vectors."""
        from multidb_chat.services.question_vectors import QuestionVectors
        from multidb_chat.services.retrieval import FEW_AHEAD, MANY_AHEAD, Retrieval

        embedder, vectors = self.embedder, self.question_vectors
        if embedder is not self.small_embedder:
            vectors = QuestionVectors(embedder, self.cache)
        # A server's library may be large, and was filled by others: what is in the index already is searched at once.
        patience, ahead = (None, FEW_AHEAD) if self._server("library") is None else (1.0, MANY_AHEAD)
        others = self.embedders.remembered
        return Retrieval(self.index, self.library, embedder, self.cache, vectors, patience, others, ahead)

    @cached_property
    def evaluation(self) -> "Evaluation":
        """How well passages are found, by judged questions."""
        from multidb_chat.services.evaluation.evaluation import Evaluation

        return Evaluation(self.documents, self.search, self.reranking, self.rewriter)

    @cached_property
    def one_off(self) -> "OneOff":
        """Passages of texts that are not in the library."""
        from multidb_chat.services.one_off import OneOff

        return OneOff(self.small_embedder)


def handbook_folder() -> Path:
    """Return where the bundled guide lies: in the package, or in a checkout beside it."""
    package = Path(__file__).parents[1]
    bundled = package / "handbook"
    return bundled if bundled.is_dir() else package.parents[1] / "docs" / "handbook"
