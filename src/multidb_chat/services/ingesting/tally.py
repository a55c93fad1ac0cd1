"""The figures of one run of ingestion, and the events made of them."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from multidb_chat.services.ingesting.events import FileDone, Finished, IngestEvent, Progress

# Progress is told at most so often, in seconds: a terminal shows no more.
_INTERVAL = 0.05


@dataclass(slots=True)
class Tally:
    """Counts what happens and reports it. `files` and `bytes` are the totals once everything was discovered."""

    report: Callable[[IngestEvent], None]
    files: int = 0
    bytes: int = 0
    bytes_done: int = 0
    bytes_skipped: int = 0
    bytes_read: int = 0
    bytes_begun: int = 0
    chunks_read: int = 0
    chunks_done: int = 0
    documents: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    dones: list[FileDone] = field(default_factory=list)
    started: float = field(default_factory=time.perf_counter)
    told: float = 0.0

    def embedded(self, chunks: int) -> None:
        """Count chunks that have their vectors now."""
        self.chunks_done += chunks
        self._tell()

    def stored(self, documents: int) -> None:
        """Count documents that are in the library now."""
        self.documents += documents
        self._tell()

    def part_read(self, characters: int, chunks: int, of_bytes: int) -> None:
        """Count a document of a source of `of_bytes` that is still being read: its text tells how far that is."""
        self.bytes_begun = min(self.bytes_begun + characters, of_bytes)
        self.chunks_read += chunks

    def read(self, size_bytes: int) -> None:
        """Count a source that was read to its end."""
        self.bytes_begun = 0
        self.bytes_read += size_bytes

    def done(self, event: FileDone, size_bytes: int = 0) -> None:
        """Count a source that is dealt with, and report it."""
        self.outcomes[event.outcome] += 1
        self.bytes_done += size_bytes
        if event.outcome in ("unchanged", "failed"):
            self.bytes_skipped += size_bytes
        if event.failures:
            self.dones.append(event)
        self.report(event)
        self._tell()

    def finished(self) -> Finished:
        """Return the figures at the end."""
        failures = tuple(failure for event in self.dones for failure in event.failures)
        return Finished(
            added=self.outcomes["added"],
            replaced=self.outcomes["replaced"],
            unchanged=self.outcomes["unchanged"],
            removed=self.outcomes["removed"],
            failed=len(failures),
            documents=self.documents,
            chunks=self.chunks_done,
            seconds=time.perf_counter() - self.started,
            failures=failures,
        )

    def _tell(self) -> None:
        now = time.perf_counter()
        if now - self.told >= _INTERVAL:
            self.told = now
            self.report(self._progress(now - self.started))

    def _progress(self, seconds: float) -> Progress:
        """What is not read yet is assumed to have as many chunks a byte as what was read."""
        read = self.bytes_read + self.bytes_begun
        to_read = max(self.bytes - self.bytes_skipped, read)
        estimate = max(round(self.chunks_read * to_read / read), self.chunks_read) if read else 0
        share = self.chunks_done / estimate if estimate else float(to_read == 0)
        whole = (self.bytes_skipped + to_read * min(share, 1.0)) / self.bytes if self.bytes else 0.0
        return Progress(
            files_done=self.outcomes.total(),
            files=self.files,
            bytes_done=self.bytes_done,
            bytes=self.bytes,
            documents=self.documents,
            chunks_done=self.chunks_done,
            chunks_estimate=estimate,
            seconds=seconds,
            fraction=min(whole, 1.0),
        )
