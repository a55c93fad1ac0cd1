"""What ingestion tells while it goes on, so that a face can draw a bar and list at the end what failed and why."""

from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["added", "replaced", "unchanged", "removed", "failed"]


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that was not added: a source, or with a `name` a part of one (a line, a member of an archive).

    `refused`: not for what it is, but since the account's quota is used up.
    """

    source: str
    reason: str
    name: str = ""
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Discovered:
    """How many files there are and how large they are together; still growing until `complete`."""

    files: int
    bytes: int
    complete: bool


@dataclass(frozen=True, slots=True)
class FileStarted:
    """A source is looked at."""

    source: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class FileDone:
    """A source is dealt with: its documents can be searched. `failures` are parts of it, or why all of it failed."""

    source: str
    outcome: Outcome
    documents: int = 0
    chunks: int = 0
    failures: tuple[Failure, ...] = ()

    @property
    def reason(self) -> str:
        """Why it failed, in part or as a whole; empty when it did not."""
        return self.failures[0].reason if self.failures else ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is. `chunks_estimate` is exact once everything was read; `bytes` are the files' sizes.

    `seconds` is how long it has taken. `fraction` is between 0 and 1 and falls when more turns out to be left than was
    estimated; `remaining` is in seconds, None while unknown.
    """

    files_done: int
    files: int
    bytes_done: int
    bytes: int
    documents: int
    chunks_done: int
    chunks_estimate: int
    seconds: float
    fraction: float

    @property
    def rate(self) -> float:
        """Chunks embedded in a second."""
        return self.chunks_done / self.seconds if self.seconds else 0.0

    @property
    def remaining(self) -> float | None:
        """About how many seconds are left."""
        if not self.fraction or self.seconds < 0.5:
            return None
        return self.seconds * (1 - self.fraction) / self.fraction


@dataclass(frozen=True, slots=True)
class Finished:
    """All is done. The figures count sources, `documents` and `chunks` what was stored anew; `failed` counts parts too.

    Of `unchanged` sources nothing was stored anew; `removed` ones are gone from the disk (`sync`).
    """

    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    removed: int = 0
    failed: int = 0
    documents: int = 0
    chunks: int = 0
    seconds: float = 0.0
    failures: tuple[Failure, ...] = field(default=())


IngestEvent = Discovered | FileStarted | FileDone | Progress | Finished
