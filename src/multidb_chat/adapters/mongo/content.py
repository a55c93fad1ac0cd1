"""What is large of a document: its text, blocks, chunks and original, under a name that is new for each state.

Nothing here is ever changed: a state of a document is written whole before a transaction makes it the current one, and
deleted when another one is. What a writer that died leaves behind is written down beforehand, as leftovers, with the
same transaction that replaces a document turning them into what it no longer needs.
"""

import asyncio
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import astuple
from itertools import islice
from typing import NamedTuple, TypeVar

import pymongo
from gridfs import NoFile
from gridfs.asynchronous import AsyncGridFSBucket

from multidb_chat.adapters.mongo.connection import BULK_TIMEOUT, Database, Record
from multidb_chat.adapters.mongo.records import CHUNK, CHUNK_WITHOUT_VECTOR, chunk_of, chunk_records
from multidb_chat.adapters.mongo.texts import packed, unpacked
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.library import Chunk, DocumentContent
from multidb_chat.domain.reading import Block

T = TypeVar("T")

# Characters of a segment: a passage of a long text is read without the rest.
SEGMENT = 16_384
# A record has 16 MB at the most: so many segments (up to 4 bytes a character), blocks and bytes of the original.
SEGMENTS, PIECE = 64, 4_000_000
# Larger originals are files of GridFS.
LARGEST_INLINE = 16_000_000
# So many chunks are looked for where they lie: what was written one after the other lies together, so that what is
# between the first and the last of them is read as a whole, up to so many times as much as is wanted; then the rest.
MANY, MOST_BETWEEN = 500, 2
# Records written at once, by so many beside each other, and read at once.
AT_ONCE, BESIDE, READ_AT_ONCE = 250, 2, 2_000
_ORIGINALS, _TEXTS, _CHUNKS = "originals", "texts", "chunks"
_FILE_TIMEOUT = 120.0


class Missing(Exception):
    """A part is not there: the document was replaced meanwhile, or is damaged."""


class Stored(NamedTuple):
    """Where the content of a document is. `ordinals`: the chunks' numbers, or how many there are from 0 on."""

    generation: str
    parts: int
    segments: int
    ordinals: int | list[int]
    original: str

    @classmethod
    def of(cls, record: Record) -> "Stored":
        """Return where a document's record says it is."""
        return cls(*(record[name] for name in cls._fields))

    def chunk_keys(self, first: int = 0, last: int | None = None) -> list[str]:
        """Return the keys of the chunks of these numbers."""
        numbers = range(self.ordinals) if isinstance(self.ordinals, int) else self.ordinals
        return [self._key(n) for n in numbers if first <= n and (last is None or n <= last)]

    def part_keys(self) -> list[str]:
        """Return the keys of the parts of text, blocks and original."""
        return [self._key(n) for n in range(self.parts)]

    def _key(self, number: int) -> str:
        return f"{self.generation}:{number}"


class Ready(NamedTuple):
    """A content on its way, with its chunks in order, the records of its parts, and where it is going to be."""

    place: Stored
    content: DocumentContent
    chunks: Sequence[Chunk]
    parts: Sequence[Record]


def ready(content: DocumentContent, chunks: Sequence[Chunk]) -> Ready:
    """Return the content under a new name."""
    ordinals = [chunk.ordinal for chunk in chunks]
    original = content.original
    where = "" if original is None else "inline" if len(original) <= LARGEST_INLINE else "file"
    parts = list(_parts(content, where))
    counted = len(ordinals) if ordinals == list(range(len(ordinals))) else ordinals
    segments = sum(len(part["segments"]) for part in parts)
    return Ready(Stored(new_id(), len(parts), segments, counted, where), content, chunks, parts)


def records_of(contents: Sequence[Ready], vectors: bool) -> dict[str, Generator[Record]]:
    """Return the records of the contents, by the collection that they go into."""
    parts = (
        {"_id": key, **part} for one in contents for key, part in zip(one.place.part_keys(), one.parts, strict=True)
    )
    chunks = (
        record
        for one in contents
        for record in chunk_records(one.place.chunk_keys(), one.chunks, one.content.document, vectors)
    )
    return {_TEXTS: parts, _CHUNKS: chunks}


async def upload(database: Database, contents: Sequence[Ready], vectors: bool) -> None:
    """Write the contents; nobody sees them before a document's record leads there."""
    await _insert(database, records_of(contents, vectors))
    for place, content, *_ in contents:
        if place.original == "file":
            with pymongo.timeout(_FILE_TIMEOUT):
                await _files(database).upload_from_stream_with_id(
                    place.generation, place.generation, content.original or b""
                )


async def delete(database: Database, places: Sequence[Stored]) -> None:
    """Delete contents that no document's record leads to."""
    for name, keys in (
        (_TEXTS, (key for place in places for key in place.part_keys())),
        (_CHUNKS, (key for place in places for key in place.chunk_keys())),
    ):
        for some in _batches(keys):
            with pymongo.timeout(BULK_TIMEOUT):
                await database[name].delete_many({"_id": {"$in": some}})
    for place in places:
        if place.original == "file":
            with pymongo.timeout(BULK_TIMEOUT):
                await database[f"{_ORIGINALS}.files"].delete_one({"_id": place.generation})
                await database[f"{_ORIGINALS}.chunks"].delete_many({"files_id": place.generation})


async def chunks_of(database: Database, wanted: Sequence[list[str]], vectors: bool) -> list[list[Chunk]]:
    """Return the chunks of each list of keys. Raises `Missing`."""
    found = await chunks_named(database, [key for keys in wanted for key in keys], vectors)
    try:
        return [[found[key] for key in keys] for keys in wanted]
    except KeyError as error:
        raise Missing from error


async def chunks_named(database: Database, keys: Sequence[str], vectors: bool) -> dict[str, Chunk]:
    """Return the chunks that there are of these keys, by key."""
    chunks = database[_CHUNKS]
    fields = dict.fromkeys(CHUNK if vectors else CHUNK_WITHOUT_VECTOR, 1)
    found: dict[str, Chunk] = {}
    if len(keys) >= MANY:
        wanted = set(keys)
        between = chunks.find({"_id": {"$gte": min(wanted), "$lte": max(wanted)}}, fields, batch_size=READ_AT_ONCE)
        with pymongo.timeout(BULK_TIMEOUT):
            for record in await between.limit(MOST_BETWEEN * len(wanted)).to_list():
                if record["_id"] in wanted:
                    found[record["_id"]] = chunk_of(record)
    for some in _batches(key for key in keys if key not in found):
        with pymongo.timeout(BULK_TIMEOUT) if vectors else nullcontext():
            cursor = chunks.find({"_id": {"$in": some}}, fields, batch_size=READ_AT_ONCE)
            for record in await cursor.to_list():
                found[record["_id"]] = chunk_of(record)
    return found


async def lacking(database: Database, places: Sequence[Stored]) -> set[str]:
    """Return the names of those contents of which a part is missing."""
    missing: set[str] = set()
    for name, keys in (
        (_TEXTS, (key for place in places for key in place.part_keys())),
        (_CHUNKS, (key for place in places for key in place.chunk_keys())),
        (f"{_ORIGINALS}.files", (place.generation for place in places if place.original == "file")),
    ):
        for some in _batches(keys):
            with pymongo.timeout(BULK_TIMEOUT):
                cursor = database[name].find({"_id": {"$in": some}}, {"_id": 1}, batch_size=READ_AT_ONCE)
                there = {record["_id"] for record in await cursor.to_list()}
            missing.update(key.partition(":")[0] for key in some if key not in there)
    return missing


async def span(database: Database, place: Stored, start: int, end: int | None) -> str:
    """Return the characters of a text from `start` to `end`. Raises `Missing`."""
    first = max(start, 0) // SEGMENT
    behind = place.segments if end is None else min(-(-end // SEGMENT), place.segments)
    pieces: list[bytes] = []
    while first + len(pieces) < behind:
        part, begin = divmod(first + len(pieces), SEGMENTS)
        count = min(behind - first - len(pieces), SEGMENTS - begin)
        pieces += await _segments(database, place.part_keys()[part], begin, count)
    found, offset = b"".join(pieces).decode("utf-8", "surrogatepass"), first * SEGMENT
    return found[max(start, 0) - offset : None if end is None else max(end - offset, 0)]


async def whole(database: Database, place: Stored) -> tuple[str, tuple[Block, ...], list[Chunk], bytes | None]:
    """Return text, blocks, chunks and original. Raises `Missing`."""
    parts: dict[str, Record] = {}
    for key in place.part_keys():  # each may have megabytes
        found = await database[_TEXTS].find_one({"_id": key})
        if found is None:
            raise Missing
        parts[key] = found
    text, blocks, original = (
        b"".join(piece for part in parts.values() for piece in part[name])
        for name in ("segments", "blocks", "original")
    )
    ((chunks),) = await chunks_of(database, [place.chunk_keys()], vectors=True)
    return (
        text.decode("utf-8", "surrogatepass"),
        tuple(Block(*values) for values in unpacked(blocks)) if blocks else (),
        chunks,
        await _original(database, place, original),
    )


async def _original(database: Database, place: Stored, inline: bytes) -> bytes | None:
    if place.original != "file":
        return inline if place.original else None
    try:
        with pymongo.timeout(_FILE_TIMEOUT):
            return await (await _files(database).open_download_stream(place.generation)).read()
    except NoFile as error:
        raise Missing from error


async def _segments(database: Database, key: str, first: int, count: int) -> list[bytes]:
    # A slice alone would leave nothing out; beside a field that is wanted, only what is wanted comes.
    found = await database[_TEXTS].find_one({"_id": key}, {"number": 1, "segments": {"$slice": [first, count]}})
    if found is None:
        raise Missing
    segments: list[bytes] = found["segments"]
    if len(segments) != count:
        raise Missing
    return segments


def _parts(content: DocumentContent, original: str) -> Iterator[Record]:
    """Yield the records of a content, at least one: in each some segments, some of the blocks, some of the original."""
    text, blocks = content.text, packed([astuple(block) for block in content.blocks]) if content.blocks else b""
    raw = content.original or b"" if original == "inline" else b""
    step = SEGMENT * SEGMENTS
    for number in range(max(1, -(-len(text) // step), -(-len(blocks) // PIECE), -(-len(raw) // PIECE))):
        some = text[number * step : (number + 1) * step]
        segments = [some[at : at + SEGMENT].encode("utf-8", "surrogatepass") for at in range(0, len(some), SEGMENT)]
        cut = slice(number * PIECE, (number + 1) * PIECE)
        yield {"number": number, "segments": segments, "blocks": [blocks[cut]], "original": [raw[cut]]}


async def _insert(database: Database, records: Mapping[str, Generator[Record]]) -> None:
    """Insert the records of each collection, some being made ready while the server writes others."""

    async def insert(name: str) -> None:
        while some := _some(records[name]):
            try:
                with pymongo.timeout(BULK_TIMEOUT):
                    await database[name].insert_many(some, ordered=False)
            except BaseException:
                for others in records.values():
                    others.close()
                raise

    done = await asyncio.gather(*(insert(name) for name in records for _ in range(BESIDE)), return_exceptions=True)
    for failure in filter(None, done):
        raise failure


def _some(records: Iterator[Record]) -> list[Record]:
    """Return the next records: not too many, and not too many bytes of text."""
    taken: list[Record] = []
    weight = 0
    for record in records:
        taken.append(record)
        weight += sum(map(len, record["segments"] + record["original"])) if "segments" in record else 0
        if len(taken) == AT_ONCE or weight > PIECE:
            break
    return taken


def _batches(keys: Iterator[T]) -> Iterator[list[T]]:
    while some := list(islice(keys, READ_AT_ONCE)):
        yield some


def _files(database: Database) -> AsyncGridFSBucket:
    return AsyncGridFSBucket(database, _ORIGINALS)
