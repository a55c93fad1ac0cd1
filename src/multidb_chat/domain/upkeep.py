"""Looking after an installation: what its stores hold, whether they are sound, copies out of them; and the port for it.

Nothing here is about one account: it is what whoever runs the program does with the stores as wholes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

Severity = Literal["ok", "note", "wrong"]
Progress = Callable[[float], None]
"""Is told the share that is done, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class StoreReport:
    """What a store is and holds. `schema` is 0 while nothing was stored yet; `newest` the time of its latest record.

    `place` is where it lies, fit to be shown (no password). `records` are counts by kind. None is what is not known: a
    server need not tell its size, and what has no tables has no schema. One that is not `examined` is only named.
    `notes` are what whoever runs it had better change, a line each.
    """

    store: str
    place: str
    schema: int | None = None
    known_schema: int | None = None
    size_bytes: int | None = None
    records: Mapping[str, int] = field(default_factory=dict)
    newest: datetime | None = None
    on_server: bool = False
    examined: bool = True
    notes: tuple[str, ...] = ()


class Upkeep(Protocol):
    """Looks after one store as a whole, whichever programs use it meanwhile. Raises `StoreError`."""

    @property
    def store(self) -> str:
        """The name of its port: accounts, conversations, library or cache."""

    @property
    def on_server(self) -> bool:
        """Whether it lives on a server, whose own tools make its backups."""

    async def report(self) -> StoreReport:
        """Return what the store holds; changes and makes nothing, also where nothing was stored yet."""

    async def problems(self) -> list[str]:
        """Read everything and return what is not as it should be, a line each; none for a store that is not made yet.

        Damage is told, not raised.
        """

    async def obstacle(self) -> str:
        """Return why nothing can be written now, in a line (another program holds the store, the disk is read-only).

        Empty when something can, and for a store that is not made yet. Nothing is written; waits for some seconds.
        """


class FileUpkeep(Upkeep, Protocol):
    """Looks after a store that is one file of this machine, and so can be copied whole."""

    async def save(self, target: Path, progress: Progress = lambda _: None) -> int:
        """Write one committed state of the store into the new file `target`; return the version of its schema.

        Readers and writers go on meanwhile. The copy is durable, can be moved, and is complete without other files.
        """

    async def check_copy(self, copy: Path) -> None:
        """Read a copy that `save` made. Raises `StoreCorrupt`, or `SchemaTooNew` for one of a newer program."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: `about` names the check, `mend` how to mend it, `safe` whether the program may by itself."""

    about: str
    severity: Severity
    text: str
    mend: str = ""
    safe: bool = False


@dataclass(frozen=True, slots=True)
class LooseFile:
    """A file or folder that others could read or write: its mode, and the mode it should have."""

    path: Path
    mode: int
    wanted: int


@dataclass(frozen=True, slots=True)
class Room:
    """The bytes that are free where a folder lies."""

    folder: Path
    free: int


class Files(Protocol):
    """The files of an installation on this machine. Synchronous; raises `OSError`."""

    def loose(self) -> list[LooseFile]:
        """Return what others than the owner could read or write and should not."""

    def tighten(self, loose: LooseFile) -> None:
        """Give a file or folder the mode it should have."""

    def room(self) -> list[Room]:
        """Return the free bytes where the data and the cache lie."""

    def used_by_others(self) -> bool:
        """Tell whether another program has the data open."""

    def left_behind(self) -> list[Path]:
        """Return folders that interrupted work left and nothing needs."""

    def set_aside(self) -> list[Path]:
        """Return the data that restores put aside."""

    def remove(self, folder: Path) -> None:
        """Remove a folder with what is in it."""

    def discard_cache(self) -> None:
        """Remove what is kept of the cache on this machine."""
