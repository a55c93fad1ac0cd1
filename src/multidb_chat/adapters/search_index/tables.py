"""The index's rows, in `index.sqlite`: connections, the schema, and what counts as damage.

A *segment* is the chunks of one collection whose vectors have one length. A chunk has a slot in its segment (where its
vector lies in the files) and one *row number* for everything: `segment << 32 | slot`. A collection, which is a tenant's
boundary, is thus a range of row numbers, in the full text too; a document is a range within it.
"""

import contextlib
import errno
import fcntl
import os
import sqlite3
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

from multidb_chat.adapters.search_index import at_rest
from multidb_chat.adapters.search_index.at_rest import marks_of
from multidb_chat.adapters.search_index.damage import Busy, Damaged, Truncated
from multidb_chat.domain.errors import StoreError, StoreFull, StoreUnavailable
from multidb_chat.domain.text import clean_line

SLOT_BITS = 32
SLOT_MASK = (1 << SLOT_BITS) - 1
# Another schema is another index: the number goes up with every change of what is stored, and the old one is rebuilt.
VERSION = 2
APPLICATION = zlib.crc32(b"multidb-chat search index") & 0x7FFF_FFFF
# How long a writer waits for another process that is writing, in seconds; then it goes on with what there is.
PATIENCE = 2.0

# FTS5's BM25 gives a word in more than half of all passages no weight: in a collection of five, that is most of what
# is asked. So many passages of average length with nothing but a word of their own (a character for private use, that
# no question is searched for) stand for all the texts that are not there, and count less the more there are.
BACKGROUND, BACKGROUND_LENGTH = 500, 180
_FILLER = "\ue000"

# ruff: noqa: S608 - statements are put together from constants and question marks only

# Stemming gains more than any choice of engine; marks (M*) belong to words, or the vowels of Indic scripts would cut
# them. Documents are found by their segment's rows; holes are rows of documents that are gone.
_SCHEMA = (
    "CREATE TABLE state (token TEXT NOT NULL, watermark INTEGER NOT NULL, library TEXT NOT NULL)",
    "INSERT INTO state VALUES (hex(randomblob(16)), 0, '')",
    """CREATE TABLE segments (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        collection_id TEXT NOT NULL,
        dimensions INTEGER NOT NULL,
        file TEXT NOT NULL,
        slots INTEGER NOT NULL,
        dead INTEGER NOT NULL,
        UNIQUE (collection_id, dimensions)
    )""",
    """CREATE TABLE documents (
        first INTEGER PRIMARY KEY,
        slots INTEGER NOT NULL,
        id TEXT NOT NULL UNIQUE,
        seq INTEGER NOT NULL,
        kind TEXT NOT NULL,
        day INTEGER NOT NULL,
        metadata TEXT NOT NULL,
        ordinals TEXT
    )""",
    "CREATE TABLE holes (first INTEGER PRIMARY KEY, slots INTEGER NOT NULL)",
    """CREATE VIRTUAL TABLE passages USING fts5 (
        title, headings, body,
        tokenize = "porter unicode61 remove_diacritics 2 categories 'L* N* M* Co'"
    )""",
    "WITH RECURSIVE row (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM row WHERE number < "
    f"{BACKGROUND}) INSERT INTO passages (rowid, body) SELECT number, '{(_FILLER + ' ') * BACKGROUND_LENGTH}' FROM row",
    f"PRAGMA application_id = {APPLICATION}",
    f"PRAGMA user_version = {VERSION}",
)

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


# Device and inode of a file, None when there is none.
Identity = tuple[int, int] | None


class Tables:
    """The file `index.sqlite` in `folder`: a pool of connections for several threads, and its disposal.

    Methods raise `Damaged`, `Busy`, or a `StoreError`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "index.sqlite"
        self._idle: list[tuple[Identity, sqlite3.Connection]] = []
        self._identity: Identity = None

    def is_current(self) -> bool:
        """Tell whether the file that is open is still the one in the folder."""
        return self._identity is not None and self._identity == _identity(self.path)

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One state of the index, however long it is read; also where nothing can be written."""
        with self._connection(also_at_rest=True) as connection:
            connection.execute("BEGIN")
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction of the one writer there is at a time; committed at the end, undone by an exception."""
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    def close(self) -> None:
        """Close the connections."""
        self._identity = None
        while self._idle:
            self._idle.pop()[1].close()

    def discard(self) -> None:
        """Delete the index that is open, unless another process has replaced it already, and begin an empty one."""
        with self._translated():
            _make(self.folder)
            with _locked(self.folder / "lock"):
                mine, there = self._identity, _identity(self.path)
                self.close()
                if mine is None or mine == there:
                    for path in _files(self.folder):
                        path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _connection(self, also_at_rest: bool = False) -> Iterator[sqlite3.Connection]:
        with self._translated():
            try:
                identity, connection = self._pooled()
            except (OSError, sqlite3.OperationalError) as obstacle:
                if not also_at_rest or not at_rest.is_barred(obstacle):
                    raise
                with at_rest.reading(self.path, (APPLICATION, VERSION), obstacle) as connection:
                    yield connection
                return
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                if identity == self._identity:
                    self._idle.append((identity, connection))
                else:  # the file was replaced meanwhile
                    connection.close()

    def _pooled(self) -> tuple[Identity, sqlite3.Connection]:
        if not self.is_current():
            self.close()
        try:
            return self._idle.pop()
        except IndexError:  # no test before: threads share the list
            return self._opened()

    def _opened(self) -> tuple[Identity, sqlite3.Connection]:
        """Open a connection; the busy timeout does not cover the switch to write-ahead logging, so try again here."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return self._open()
            except sqlite3.OperationalError as error:
                if _primary_code(error) not in _BUSY or time.monotonic() > end:
                    raise
            time.sleep(0.01)

    def _open(self) -> tuple[Identity, sqlite3.Connection]:
        _make(self.folder)
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        identity = self._identity = _identity(self.path)
        connection = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA journal_size_limit = 16777216")
            _require_schema(connection)
        except BaseException:
            connection.close()
            raise
        return identity, connection

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except Truncated as error:
            raise Damaged(str(error)) from error
        except sqlite3.Error as error:
            raise self._meaning(error) from error
        except OSError as error:
            raise self._from_system(error) from error

    def _meaning(self, error: sqlite3.Error) -> Exception:
        code = _primary_code(error)
        short = getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_IOERR_SHORT_READ
        if code in _DAMAGED or short or _lacks_table(error):
            return Damaged(str(error))
        if code in _BUSY:
            return Busy(str(error))
        if code == sqlite3.SQLITE_FULL or (at_rest.is_barred(error) and at_rest.is_full(self.folder)):
            return self._full()
        return StoreUnavailable("search index", f"{self._file()} cannot be read or written ({error}); check the disk.")

    def _from_system(self, error: OSError) -> StoreError:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return self._full()
        reason = clean_line(error.strerror or str(error))
        return StoreUnavailable(
            "search index", f"{self._file()} cannot be opened or written ({reason}); check its folder's permissions."
        )

    def _full(self) -> StoreFull:
        return StoreFull("search index", f"No space is left for {self._file('the')}: free some, then try again.")

    def _file(self, article: str = "The") -> str:
        return f"{article} search index {clean_line(str(self.folder))}"


def _require_schema(connection: sqlite3.Connection) -> None:
    """Make the schema in an empty file. Raises `Damaged` for a file of something else or of another version."""
    if marks_of(connection) == (APPLICATION, VERSION):
        return
    connection.execute("BEGIN IMMEDIATE")
    marks, tables = marks_of(connection), connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if marks == (0, 0) and not tables:
        for statement in _SCHEMA:
            connection.execute(statement)
        connection.execute("COMMIT")
    elif marks != (APPLICATION, VERSION):
        raise Damaged(f"not an index of version {VERSION}")
    else:
        connection.execute("ROLLBACK")


def _primary_code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _lacks_table(error: sqlite3.Error) -> bool:
    """A table or column that is not there: the schema is damaged (the program's own statements name real ones)."""
    return isinstance(error, sqlite3.OperationalError) and str(error).startswith(("no such table", "no such column"))


def _files(folder: Path) -> Iterator[Path]:
    for pattern in ("index.sqlite*", "*.f32", "*.i8"):
        yield from folder.glob(pattern)


def _identity(path: Path) -> Identity:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock between processes, which the system frees when its holder dies."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _make(folder: Path) -> None:
    """Make the folder, and the one it is in, for their owner alone."""
    for one in (folder.parent, folder):  # `parents` would make them with the mode that is usual here
        one.mkdir(mode=0o700, parents=True, exist_ok=True)
