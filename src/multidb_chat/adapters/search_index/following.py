"""Following a library: its next changes are read while those before are written.

Reading waits for a server or a disk, writing for another disk and the processor, so that one hides the other. A step is
as many documents as have `PASSAGES` together, since each costs a few exchanges and a transaction whatever is in it.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from multidb_chat.domain.library import Change, Chunk, Document, Library

if TYPE_CHECKING:
    from multidb_chat.adapters.search_index.engine import Engine

T = TypeVar("T")

# Passages of a step, unless one document has more: some ten megabytes, twice, with vectors of 384 dimensions.
PASSAGES = 5_000
# Changes asked for at once.
PAGE = 2_000
# Changes behind the watermark that are looked at again: on a server, numbers given out together may be committed in
# another order than they were given.
WINDOW = 256


class Run(Protocol):
    """Runs something on the index's threads."""

    def __call__(self, work: "Callable[[Engine], T]", /) -> Awaitable[T]: ...


class Step(NamedTuple):
    """What brings an index from the change `after` to `until`: documents that are gone, and those that are there.

    `seqs` has the number of each one's change.
    """

    after: int
    until: int
    gone: list[str]
    seqs: dict[str, int]
    present: list[tuple[Document, list[Chunk]]]


async def bring_in(run: Run, library: Library, identity: str, after: int, version: int, window: int) -> int:
    """Bring the changes from `after` to `version` into the index, and those of the `window` before that were missed.

    Returns how many there were; sooner when another process brings changes in, too. Raises `Damaged`, `Busy`, or a
    `StoreError`.
    """
    count = 0
    async with aclosing(_ahead(_steps(run, library, after, version, window))) as steps:
        async for step in steps:
            if not await run(partial(_write, identity, step)):
                break
            count += len(step.seqs)
    return count


def _write(identity: str, step: Step, engine: "Engine") -> bool:
    return engine.write(identity, *step)


def _known(changes: Sequence[Change], engine: "Engine") -> dict[str, int]:
    return engine.known([change.document_id for change in changes])


async def _ahead(items: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """Yield the items; the next one is made while one is worked with."""
    coming = asyncio.create_task(anext(items, None))
    try:
        while (item := await coming) is not None:
            coming = asyncio.create_task(anext(items, None))
            yield item
    finally:
        coming.cancel()
        await asyncio.wait([coming])
        if not coming.cancelled():
            coming.exception()  # of no interest any more
        await items.aclose()


async def _steps(run: Run, library: Library, after: int, version: int, window: int) -> AsyncGenerator[Step, None]:
    pending: dict[str, int] = {}  # what is perhaps being written while the next step is read
    while after < version:
        limit = window + PAGE
        changes = await library.changes(max(0, after - window), limit)
        known = await run(partial(_known, changes)) | pending
        news = [change for change in changes if _is_news(change, known.get(change.document_id))]
        last = changes[-1].seq if changes else after
        # A full page may not be the last one; otherwise all changes up to `version` were on it.
        end = max(after, last) if len(changes) == limit else max(version, last)
        for some, is_last in _parted(news):
            until = end if is_last else max(after, some[-1].seq)
            seqs = {change.document_id: change.seq for change in some}
            present = await library.indexable([change.document_id for change in some if not change.removed])
            pending = {document.id: seqs[document.id] for document, _ in present}
            yield Step(after, until, [key for key in seqs if key not in pending], seqs, present)
            after = until
        window = 0


def _parted(changes: Sequence[Change]) -> Iterator[tuple[list[Change], bool]]:
    """Yield the changes, some at a time, and whether they are the last ones; at least once."""
    some: list[Change] = []
    passages = 0
    for change in changes:
        if some and passages + change.chunks > PASSAGES:
            yield some, False
            some, passages = [], 0
        some.append(change)
        passages += change.chunks
    yield some, True


def _is_news(change: Change, known: int | None) -> bool:
    """Tell whether the index differs from what the change says; `known` is the change it has of that document."""
    return known is not None if change.removed else known != change.seq
