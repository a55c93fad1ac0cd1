"""What can be wrong with an installation. Each check returns what it found; one that could not be made is a finding."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from multidb_chat.domain.errors import InvalidSetting, MultidbChatError, StoreError
from multidb_chat.domain.journal import StoreState
from multidb_chat.domain.keys import Keys
from multidb_chat.domain.search import SearchIndex
from multidb_chat.domain.text import clean_line
from multidb_chat.domain.upkeep import Files, Finding, Severity, StoreReport, Upkeep
from multidb_chat.services.resilience.states import told

CONFIGURATION, STORES, CACHE, INDEX = "configuration", "stores", "cache", "index"
MODEL, EMBEDDER, KEYS, PERMISSIONS, LEFTOVERS = "model", "embedder", "keys", "permissions", "leftovers"
CLOCK, DISK, LOCKS = "clock", "disk", "locks"
SERVERS = "servers"
_AHEAD = timedelta(minutes=5)
_LITTLE, _TIGHT = 100_000_000, 1_000_000_000
_SHOWN = 3


async def store(upkeep: Upkeep) -> tuple[list[Finding], StoreReport | None]:
    """Read the whole store; return what was found and, where it can be read, what the store holds."""
    about: Literal["cache", "stores"] = "cache" if upkeep.store == "cache" else "stores"
    problems = await upkeep.problems()
    if problems:
        state = "has problems" if upkeep.on_server else "is damaged"  # it may just be away
        text = f"The {upkeep.store} store {state}: {'; '.join(problems[:_SHOWN])}"
        safe = about == CACHE and not upkeep.on_server
        mend = _SERVER_MEND if upkeep.on_server else _CACHE_MEND if safe else _FILE_MEND
        return [Finding(about, "wrong", text, mend, safe=safe)], None
    report = await upkeep.report()
    severity, text = _state(report)
    return [Finding(about, severity, text), *(Finding(about, "note", note) for note in report.notes)], report


_FILE_MEND = "Restore a backup: multidb-chat admin restore FILE"
_CACHE_MEND = "Nothing in it is lost for good: multidb-chat admin doctor --fix begins a new one"
_FILE_WRITABLE = "End the program that holds it, or make the file and its folder writable."
_SERVER_WRITABLE = "Look at the server, and at the rights of the role or user in the URL."
_SERVER_MEND = "Look at the server with its own tools, or restore its backup there"


def _state(report: StoreReport) -> tuple[Severity, str]:
    name = f"The {report.store} store"
    if report.schema == 0:
        return "ok", f"{name} is not made yet."
    if report.schema is not None and report.schema < (report.known_schema or 0):
        return "note", f"{name} is of an older version; it is brought up to date when it is next used."
    size = "" if report.size_bytes is None else f" ({report.size_bytes / 1e6:,.1f} MB)"
    return "ok", f"{name}{f' on {report.place}' if report.on_server else ''} is sound{size}."


async def servers(states: Callable[[], Awaitable[Sequence[StoreState]]]) -> list[Finding]:
    """Ask the stores on servers whether they answer, and look at what waits for them."""
    found = []
    for state in await states():
        text = f"The {state.store} store: {told(state)}."
        if state.outage is not None:
            mend = "Start the server, or correct its address; what waits here is stored by itself then."
            found.append(Finding(SERVERS, "wrong", text, mend))
        elif state.backlog.refused:
            mend = "What a store refused is kept here and not tried again: multidb-chat admin journal list says why."
            found.append(Finding(SERVERS, "note", text, mend))
        else:
            found.append(Finding(SERVERS, "ok", text))
    return found


async def search_index(index: SearchIndex) -> list[Finding]:
    """Compare the search index with the library."""
    if wrong := await index.check():
        text = f"The search index is not what the library says: {'; '.join(wrong)}."
        return [Finding(INDEX, "wrong", text, "multidb-chat admin doctor --fix makes it anew", safe=True)]
    return [Finding(INDEX, "ok", f"Passages are searched for on {await index.where()}; the index is as it should be.")]


async def models(verify: Sequence[Callable[[], Awaitable[None]]]) -> list[Finding]:
    """Compare the files of the models with what was recorded of them."""
    try:
        for one in verify:
            await one()
    except StoreError as error:
        return [Finding(MODEL, "wrong", str(error), "Install the program again; its models come with it.")]
    return [Finding(MODEL, "ok", "The files of the models are those that were recorded (sha256).")]


async def embedder(describe: Callable[[], Awaitable[str]]) -> list[Finding]:
    """Tell what makes the vectors of new collections, and where."""
    try:
        return [Finding(EMBEDDER, "ok", f"New collections get vectors of {await describe()}.")]
    except InvalidSetting as error:
        return [Finding(EMBEDDER, "wrong", str(error), "Or without it: multidb-chat config set embedder.name minilm")]


async def keys(held: Keys, exists: bool, needed: bool) -> list[Finding]:
    """Read the key file. `needed`: something was made with a key already."""
    if not needed:
        return [Finding(KEYS, "ok", "No keys are needed yet; they are made when they are.")]
    if not exists:
        text = "The key file is missing: nobody can log in, and the audit log cannot be verified."
        return [Finding(KEYS, "wrong", text, "Restore it from a backup: multidb-chat admin restore FILE")]
    await held.keys("audit")
    return [Finding(KEYS, "ok", "The keys can be read.")]


async def permissions(files: Files) -> list[Finding]:
    """Look who could read the files."""
    loose = await asyncio.to_thread(files.loose)
    if not loose:
        return [Finding(PERMISSIONS, "ok", "Nobody else can read or write the files.")]
    shown = ", ".join(f"{_shown(one.path)} ({one.mode:04o}, not {one.wanted:04o})" for one in loose[:_SHOWN])
    more = f" and {len(loose) - _SHOWN} more" if len(loose) > _SHOWN else ""
    text = f"Others than the owner could read or write {shown}{more}."
    return [Finding(PERMISSIONS, "wrong", text, "multidb-chat admin doctor --fix sets the modes", safe=True)]


async def leftovers(files: Files) -> list[Finding]:
    """Look for what interrupted work left, and for data that were put aside."""
    found = []
    busy = await asyncio.to_thread(files.used_by_others)  # perhaps a restore is going on
    for path in await asyncio.to_thread(files.left_behind):
        if busy:
            found.append(Finding(LEFTOVERS, "note", f"{_shown(path)} belongs to a restore, perhaps one that goes on."))
        else:
            text = f"{_shown(path)} was left by an interrupted restore."
            mend = "Nothing needs it: multidb-chat admin doctor --fix removes it"
            found.append(Finding(LEFTOVERS, "wrong", text, mend, safe=True))
    for path in await asyncio.to_thread(files.set_aside):
        text = f"{_shown(path)} holds the data of before a restore."
        found.append(Finding(LEFTOVERS, "note", text, "Remove the folder when you do not need it any more."))
    return found or [Finding(LEFTOVERS, "ok", "Nothing was left behind.")]


async def clock(reports: Sequence[StoreReport], now: datetime) -> list[Finding]:
    """Compare the clock with the newest record."""
    newest = max((report.newest for report in reports if report.newest is not None), default=None)
    if newest is not None and newest > now + _AHEAD:
        text = f"The clock says {now:%Y-%m-%d %H:%M} UTC, and the newest record is of {newest:%Y-%m-%d %H:%M} UTC."
        return [Finding(CLOCK, "wrong", text, "Set the clock of this machine (NTP); tokens and quotas depend on it.")]
    return [Finding(CLOCK, "ok", f"The clock says {now:%Y-%m-%d %H:%M} UTC; no record is of a later time.")]


async def disk(files: Files) -> list[Finding]:
    """Look how much room is left."""
    found = []
    for room in await asyncio.to_thread(files.room):
        text = f"{room.free / 1e6:,.0f} MB are free where {_shown(room.folder)} lies."
        severity: Literal["wrong", "note", "ok"] = "ok"
        if room.free < _TIGHT:
            severity = "wrong" if room.free < _LITTLE else "note"
        found.append(Finding(DISK, severity, text, "" if severity == "ok" else "Free some space on this disk."))
    return found


async def locks(files: Files, stores: Sequence[Upkeep]) -> list[Finding]:
    """Look whether every store can be written, and whether another program has the data open, which is no fault."""
    found = [
        Finding(LOCKS, "wrong", obstacle, _SERVER_WRITABLE if on_server else _FILE_WRITABLE)
        for on_server, obstacle in [(upkeep.on_server, await upkeep.obstacle()) for upkeep in stores]
        if obstacle
    ]
    if await asyncio.to_thread(files.used_by_others):
        text = "Another multidb-chat has the data open; a restore would have to wait for it."
        return [*found, Finding(LOCKS, "note", text)]
    return found or [Finding(LOCKS, "ok", "Every store can be written, and no other multidb-chat has them open.")]


async def made(about: str, check: Awaitable[list[Finding]]) -> list[Finding]:
    """Return what a check found; where it cannot be made, that."""
    try:
        return await check
    except (MultidbChatError, OSError) as error:
        text = str(error) if isinstance(error, MultidbChatError) else f"It cannot be checked: {error.strerror}."
        return [Finding(about, "wrong", text)]


def _shown(path: Path) -> str:
    return clean_line(str(path))
