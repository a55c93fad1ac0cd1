"""The handler of `/analyze`: goes through the documents page by page and reports on them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, replace
from typing import Protocol

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.corpus import Corpus
from multidb_chat.domain.errors import StoreError
from multidb_chat.domain.library import Chunk, Collection, Document, Library
from multidb_chat.domain.tasks import Task
from multidb_chat.services.analysis.counting import Counted, Scribe
from multidb_chat.services.analysis.duplicates import Signer
from multidb_chat.services.analysis.figures import Figures, SentenceCount, TermCount
from multidb_chat.services.analysis.following import is_at
from multidb_chat.services.analysis.rendering import rendered
from multidb_chat.services.analysis.scope import focus_of, named_in
from multidb_chat.services.analysis.tallying import TOP_SENTENCES, TOP_TERMS, Tally
from multidb_chat.services.answering.words import Words
from multidb_chat.services.tasks.handling import Outcome, Tell
from multidb_chat.services.tasks.reports import Report, dumps
from multidb_chat.services.wording import counted

_PAGE = 100
_AT_ONCE = 200  # passages that are counted between two turns of the event loop, in a thread
_COUNTING = 0.95  # of the progress; the rest is what is made of the counts
_log = logging.getLogger(__name__)


class Collections(Protocol):
    """What this needs of the documents service."""

    async def resolve(self, account: Account, names: Sequence[str]) -> list[Collection]:
        """Return the collections that the account may search. Raises `NotFound`."""


class Analysis:
    """Statistics of the documents an account may search, of those collections that the task names.

    `handbook_id` is the bundled guide, which is analysed only when it is named. `corpus` are the tables whose figures
    of terms and sentences are told instead of the counted ones, exact however large the library is, if they are of the
    library as it is.
    """

    def __init__(
        self, documents: Collections, library: Library, *, handbook_id: str = "", corpus: Corpus | None = None
    ) -> None:
        self._documents = documents
        self._library = library
        self._handbook_id = handbook_id
        self._corpus = corpus

    async def __call__(self, task: Task, account: Account, tell: Tell) -> Outcome:
        """Analyse what the task's `about` and `collections` (names, one a line) name."""
        about = task.payload.get("about", "")
        chosen = await self._chosen(account, about, task.payload.get("collections", "").split("\n"))
        words = Words()
        focus = await asyncio.to_thread(focus_of, about, chosen, words)
        tell(0.0, "counting the documents")
        version = await self._library.version()
        total = await self._total(chosen)
        scribe = await asyncio.to_thread(lambda: Scribe(frozenset(focus), Signer(), words))
        tally = Tally(scribe, {one.id: one.name for one in chosen})
        done = 0
        async for document in self._all(chosen):
            tell(_COUNTING * done / max(1, total), f"reading {document.name}")
            await self._count(document, scribe, tally)
            done += document.characters
        tell(_COUNTING, "looking for topics and duplicates")
        figures = await self._as_tables_tell(await asyncio.to_thread(tally.figures, about, focus), chosen, version)
        title = f"Analysis: {about}" if about else "Analysis"
        if not figures.documents:
            markdown = "# Analysis\n\nThere are no documents to analyse. Add some: multidb-chat docs add PATH\n"
            return Outcome(dumps(Report(title, markdown, False)), "There are no documents to analyse.")
        report = Report(title, await asyncio.to_thread(rendered, figures), True, asdict(figures))
        parts = ((figures.documents, "document"), (figures.words, "word"), (len(figures.topics), "topic"))
        summary = ", ".join(counted(number, noun) for number, noun in parts)
        return Outcome(await asyncio.to_thread(dumps, report), summary)

    async def _chosen(self, account: Account, about: str, names: Sequence[str]) -> list[Collection]:
        """Return the collections that are named, in the options or in the description, else all of the account."""
        names = [name for name in names if name]
        if names:
            return await self._documents.resolve(account, names)
        everything = await self._documents.resolve(account, [])
        mentioned = named_in(about, everything)
        return mentioned or [one for one in everything if one.id != self._handbook_id]

    async def _total(self, chosen: Sequence[Collection]) -> int:
        total = 0
        async for document in self._all(chosen):
            total += document.characters
        return total

    async def _all(self, chosen: Sequence[Collection]) -> AsyncIterator[Document]:
        after = ""
        ids = [one.id for one in chosen]
        while ids and (page := await self._library.documents(ids, after, _PAGE)):
            for document in page:
                yield document
            after = page[-1].id

    async def _as_tables_tell(self, figures: Figures, chosen: Sequence[Collection], version: int) -> Figures:
        """Return the figures with what the tables tell, if those and the library are at this version."""
        if self._corpus is None or not figures.documents:
            return figures
        ids = [one.id for one in chosen]
        try:
            if not await is_at(version, self._corpus, self._library):
                return figures
            terms = await self._corpus.terms(ids, TOP_TERMS)
            different = await self._corpus.different_terms(ids)
            repeated = await self._corpus.sentences(ids, TOP_SENTENCES)
        except StoreError as error:
            _log.info("The tables of terms and sentences were not asked: %s", error)
            return figures
        return replace(
            figures,
            terms=tuple(TermCount(one.text, one.count, one.documents) for one in terms),
            distinct_terms=different,
            repeated=tuple(SentenceCount(one.text, one.count, one.documents) for one in repeated),
            approximate=False,
        )

    async def _count(self, document: Document, scribe: Scribe, tally: Tally) -> None:
        """Count one document, some passages at a time, so that the task can be cancelled between them."""
        read = await self._library.indexable([document.id])
        for now, chunks in read:  # empty when it was removed meanwhile
            counted = scribe.begin(now)
            for first in range(0, len(chunks), _AT_ONCE):
                await asyncio.to_thread(_passages, scribe, counted, chunks[first : first + _AT_ONCE])
            await asyncio.to_thread(tally.add, counted)


def _passages(scribe: Scribe, counted: Counted, chunks: Sequence[Chunk]) -> None:
    scribe.passages(counted, chunks)
