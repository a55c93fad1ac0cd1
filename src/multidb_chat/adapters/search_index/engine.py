"""What an index does on its threads: the tables and the vector files together. Synchronous; safe on several threads."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from sqlite3 import Connection
from typing import TypeVar

from multidb_chat.adapters.search_index import full_text, similarity, writer
from multidb_chat.adapters.search_index.damage import Damaged
from multidb_chat.adapters.search_index.keys import Key
from multidb_chat.adapters.search_index.memory import Memory, Remembered
from multidb_chat.adapters.search_index.segments import VectorFiles, state
from multidb_chat.adapters.search_index.similarity import Ready
from multidb_chat.adapters.search_index.tables import Tables
from multidb_chat.domain.library import Chunk, Document
from multidb_chat.domain.search import Hit, Neighbours, SearchFilters

T = TypeVar("T")

Indexable = tuple[Document, list[Chunk]]


class Engine:
    """The index in `folder`. Methods raise `Damaged`, `Busy`, or a `StoreError`."""

    def __init__(self, folder: Path) -> None:
        self._tables = Tables(folder)
        self._files = VectorFiles(folder)
        self._memory = Memory()
        self._swept = False

    def is_current(self) -> bool:
        """Tell whether the index that is open is still the one in the folder."""
        return self._tables.is_current()

    def watermark(self) -> int:
        """Return the number of the last change in the index; let go of files that other processes put out of use."""
        with self._tables.reading() as connection:
            self._files.keep(writer.files_in_use(connection))
            return state(connection).watermark

    def library(self) -> str:
        """Return the identity of the library that the index was made from, "" while there is nothing in it."""
        with self._tables.reading() as connection:
            return state(connection).library

    def known(self, document_ids: Sequence[str]) -> dict[str, int]:
        """Return the change that each document is indexed at, for those that are."""
        with self._tables.reading() as connection:
            return writer.known(connection, document_ids)

    def write(
        self,
        library: str,
        after: int,
        until: int,
        gone: Iterable[str],
        seqs: Mapping[str, int],
        present: Sequence[Indexable],
    ) -> bool:
        """Bring the changes of `library` from `after` to `until` in.

        These are documents that are gone, and those that are there, as they are; `seqs` tells each one's change.
        False when another process has brought changes in meanwhile.
        """
        entries = [writer.Entry(seqs[document.id], document, chunks) for document, chunks in present]
        batch = writer.Batch(library, after, until, list(gone), entries)
        with self._tables.writing() as connection:
            if not self._swept:  # what an interrupted process left behind
                self._files.sweep(writer.files_in_use(connection))
                self._swept = True
            unused = writer.write(connection, self._files, batch)
        for segment in unused or ():
            self._files.remove(segment)
        return unused is not None

    def lexical(self, question: str, filters: SearchFilters, limit: int) -> list[Hit]:
        """Search the full text."""
        return self._search(lambda c, known: full_text.search(c, known, question, filters, limit))

    def ready(self, filters: SearchFilters, limit: int, compared: Sequence[Key]) -> Ready | None:
        """Return a search of the vectors that needs no thread, as it has all in memory and is over at once.

        None when there are too many for that.
        """
        return self._search(lambda c, known: similarity.ready(c, known, self._files, filters, limit, compared))

    def nearest(self, vector: bytes, filters: SearchFilters, limit: int, compared: Sequence[Key]) -> Neighbours:
        """Search the vectors."""
        return self._search(lambda c, known: similarity.search(c, known, self._files, filters, limit, compared, vector))

    def problems(self) -> list[str]:
        """Read the whole of the tables and return what is not as it should be."""
        with self._tables.reading() as connection:
            return [str(row[0]) for row in connection.execute("PRAGMA integrity_check(5)") if row[0] != "ok"]

    def count(self) -> int:
        """Return how many documents are in the index."""
        with self._tables.reading() as connection:
            return int(connection.execute("SELECT count(*) FROM documents").fetchone()[0])

    def discard(self) -> None:
        """Delete everything, unless another process has done so."""
        self._tables.discard()
        self._files.keep(())
        self._swept = False

    def close(self) -> None:
        """Close the files."""
        self._tables.close()
        self._files.keep(())

    def _search(self, work: Callable[[Connection, Remembered], T]) -> T:
        """Search one state of the index; once more when its files were put out of use before they were opened."""
        try:
            return self._once(work)
        except Damaged:
            return self._once(work)

    def _once(self, work: Callable[[Connection, Remembered], T]) -> T:
        with self._tables.reading() as connection:
            return work(connection, self._memory.of(connection))
