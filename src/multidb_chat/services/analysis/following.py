"""Tables of what occurs in the documents, brought up to date behind the library's changes."""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from multidb_chat.domain.corpus import Corpus, CorpusBatch, CorpusState, DocumentCounts
from multidb_chat.domain.errors import StoreError
from multidb_chat.domain.library import Change, Chunk, Document, Library
from multidb_chat.domain.text import clean_line
from multidb_chat.services.analysis.counting import PROSE, SHORTEST, terms_in
from multidb_chat.services.answering.sentences import split
from multidb_chat.services.answering.words import Words

METHOD = 1
"""The version of how terms and sentences are told apart and counted; another one counts everything anew."""
BATCH = 64  # documents that are counted and stored in one step
_AT_ONCE = 8  # documents that are read at once
# Changes behind the watermark that are looked at again: on a server, numbers given out together may be committed in
# another order than they were given.
WINDOW = 256
PAUSE = 5.0
"""Seconds between two looks at the library."""
_log = logging.getLogger(__name__)


class CorpusFollower:
    """Keeps the tables at the library's changes; any number of them, in any number of processes, are safe.

    A step is stored whole or not at all, and only behind the one before it, so that dying at any moment is harmless.
    `sleep` is there for tests.
    """

    def __init__(
        self, corpus: Corpus, library: Library, *, sleep: Callable[[float], Coroutine[Any, Any, None]] = asyncio.sleep
    ) -> None:
        self._corpus = corpus
        self._library = library
        self._sleep = sleep

    async def run(self) -> None:
        """Follow the library until cancelled."""
        while True:
            try:
                await self.refresh()
            except StoreError as error:
                _log.warning("The tables of terms and sentences stay behind: %s", error)
            except Exception:  # noqa: BLE001 - a document that cannot be counted ends nobody else's work
                _log.exception("The tables of terms and sentences stay behind.")
            await self._sleep(PAUSE)

    async def refresh(self) -> int:
        """Count what has changed and return how many documents that was; leaves off where another process does it.

        What a newer version of the program counts is left to it. Raises `StoreError`.
        """
        # In this order: another process may bring the tables to a version that was not there a moment ago.
        state = await self._corpus.state()
        library, version = await self._library.identity(), await self._library.version()
        if state.library == library and state.method > METHOD:
            return 0
        if state[:2] != (library, METHOD) or state.watermark > version:
            await self._corpus.begin(library, METHOD)
            state = CorpusState(library, METHOD, 0)
        count, window = 0, WINDOW
        while state.watermark < version:
            batch = await self._batch(state, version, window)
            if not await self._corpus.bring_in(batch):
                break
            count += len(batch.gone) + len(batch.documents)
            state, window = state._replace(watermark=batch.until), 0
        return count

    async def _batch(self, state: CorpusState, version: int, window: int) -> CorpusBatch:
        """Count the documents of the next changes, and of those in the window before them that were missed."""
        limit = window + BATCH
        changes = await self._library.changes(max(0, state.watermark - window), limit)
        known = await self._corpus.known([change.document_id for change in changes])
        news = [change for change in changes if _is_news(change, known.get(change.document_id))]
        seqs = {change.document_id: change.seq for change in news}
        counted = await self._counted([change.document_id for change in news if not change.removed], seqs)
        gone = sorted(set(seqs).difference(one.document_id for one in counted))
        last = changes[-1].seq if changes else state.watermark
        # A full page may not be the last one; otherwise all changes up to `version` were on it.
        until = max(state.watermark, last) if len(changes) == limit else max(version, last)
        return CorpusBatch(state, until, gone, counted)

    async def _counted(self, document_ids: Sequence[str], seqs: dict[str, int]) -> list[DocumentCounts]:
        """Count those of the documents that are there, some at a time, since they come with their vectors."""
        words, counted = Words(), list[DocumentCounts]()
        for first in range(0, len(document_ids), _AT_ONCE):
            present = await self._library.indexable(document_ids[first : first + _AT_ONCE])
            for document, chunks in present:
                counted.append(await asyncio.to_thread(_counts, document, chunks, seqs[document.id], words))
        return counted


async def is_at(version: int, corpus: Corpus, library: Library) -> bool:
    """Tell whether the tables and the library are at this version of the library. Raises `StoreError`."""
    state = CorpusState(await library.identity(), METHOD, version)
    return await library.version() == version and await corpus.state() == state


def _is_news(change: Change, known: int | None) -> bool:
    return known is not None if change.removed else known != change.seq


def _counts(document: Document, chunks: Sequence[Chunk], seq: int, words: Words) -> DocumentCounts:
    terms: dict[str, Counter[str]] = defaultdict(Counter)
    sentences: Counter[str] = Counter()
    for chunk in chunks:
        for unit in split(chunk.text, chunk.kind, chunk.headings):
            text = chunk.text[unit.start : unit.end]
            tokens = words.tokens(text)
            for key, written in terms_in(text, tokens):
                terms[key][written] += 1
            if unit.kind in PROSE and len(tokens) >= SHORTEST:
                sentences[clean_line(text)] += 1
    return DocumentCounts(document.id, document.collection_id, document.name, document.revision, seq, terms, sentences)
