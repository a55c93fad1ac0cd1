"""The knowledge base: which questions are taken for the same, and what looking costs a turn among 10,000 entries.

The pairs of tests/data/knowledge are judged in three ways: by the cosine alone (the threshold that is best on the first
part), by the words alone, and by both as the program does. Then a store is filled and asked.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.unit.services.knowing import Pair, pairs

from multidb_chat.adapters.embedders.minilm import MiniLMEmbedder
from multidb_chat.adapters.sqlite.cache import SqliteCache
from multidb_chat.adapters.sqlite.conversations import SqliteConversations
from multidb_chat.domain.conversations import KnowledgeEntry
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.text import normalise_question
from multidb_chat.services.knowledge.base import KnowledgeBase
from multidb_chat.services.knowledge.memory import KnowledgeMemory
from multidb_chat.services.knowledge.sameness import ALIKE, Sameness
from multidb_chat.services.question_vectors import QuestionVectors

ENTRIES = 10_000
RUNS = 25
MISS = "How long may a bicycle stay in the cellar?"


@dataclass(frozen=True)
class Judged:
    """A pair with the cosine of its questions, and the cosine that the words ask for (None: never the same)."""

    pair: Pair
    cosine: float
    needed: float | None


async def judged(split: str, embedder: MiniLMEmbedder) -> list[Judged]:
    """Return the pairs of a part, judged."""
    sameness = Sameness()
    found = []
    for pair in pairs(split):
        one, other = [np.frombuffer(await embedder.embed_query(text), "<f4") for text in (pair.entry, pair.question)]
        found.append(Judged(pair, float(one @ other), sameness.needed(pair.entry, pair.question)))
    return found


def row(name: str, part: list[Judged], accepts: Callable[[Judged], bool]) -> str:
    """Return a line of the table: how many of the same are found, and how many of the others are taken for the same."""
    same = [one for one in part if one.pair.same]
    other = [one for one in part if not one.pair.same]
    return f"{name:24}{sum(map(accepts, same)):4} of {len(same):3}{sum(map(accepts, other)):12} of {len(other):3}"


def best_threshold(part: list[Judged]) -> float:
    """Return the cosine that tells most pairs of a part rightly."""
    return max((one.cosine for one in part), key=lambda at: sum((one.cosine >= at) == one.pair.same for one in part))


async def judge(embedder: MiniLMEmbedder) -> None:
    """Print how well questions are told apart."""
    parts = {split: await judged(split, embedder) for split in ("dev", "test")}
    alone = best_threshold(parts["dev"])
    ways: dict[str, Callable[[Judged], bool]] = {
        f"cosine >= {alone:.2f} alone": lambda one: one.cosine >= alone,
        "words alone": lambda one: one.needed is not None,
        "words and cosine": lambda one: one.needed is not None and one.cosine >= one.needed,
    }
    print(f"{'':30}{'same, found':16}others, taken for the same")
    for split, part in parts.items():
        for name, accepts in ways.items():
            print(f"{split:6}{row(name, part, accepts)}")


async def filled(store: SqliteConversations, embedder: MiniLMEmbedder) -> None:
    """Store entries; their vectors are random, since none of them is to be near."""
    random = np.random.default_rng(7)
    vectors = random.standard_normal((ENTRIES, embedder.dimensions)).astype("<f4")
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    now = datetime.now(UTC)
    entries = [
        KnowledgeEntry(
            new_id(), "", text := f"What is meant by number {number}?", normalise_question(text), "That." * 40, 1, now,
            vectors[number].tobytes(), "Numbers", embedder.name,
        )
        for number in range(ENTRIES)
    ]  # fmt: skip
    for start in range(0, ENTRIES, 500):
        await asyncio.gather(*map(store.put_knowledge, entries[start : start + 500]))


async def timed(work: Callable[[], Awaitable[object]], runs: int = RUNS) -> float:
    """Return the median milliseconds of some runs."""
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        await work()
        times.append((time.perf_counter() - begin) * 1000)
    return statistics.median(times)


async def cost(folder: Path, embedder: MiniLMEmbedder) -> None:
    """Print what looking costs, without entries and with many."""
    store, cache = SqliteConversations(folder / "conversations.sqlite"), SqliteCache(folder / "cache.sqlite")
    vectors = QuestionVectors(embedder, cache)
    base = KnowledgeBase(store, cache, vectors, embedder)
    print(f"\nno entries:     nothing found {await timed(lambda: base.find(MISS)):8.2f} ms")
    await filled(store, embedder)
    await cache.invalidate("knowledge:")
    memory = KnowledgeMemory(store, cache, "", embedder.name)
    begin = time.perf_counter()
    await memory.refresh()
    print(f"{ENTRIES:,} entries: read once    {(time.perf_counter() - begin) * 1000:8.2f} ms in a process")
    vector = await vectors.of(MISS)
    await base.find(MISS)

    async def compare() -> None:
        list(memory.nearest(vector, ALIKE))

    print(f"{ENTRIES:,} entries: compared     {await timed(compare):8.2f} ms")
    print(f"{ENTRIES:,} entries: nothing found{await timed(lambda: base.find(MISS)):8.2f} ms, the vector known")
    print(f"{'':16}its vector   {await timed(lambda: embedder.embed_query(MISS)):8.2f} ms, used by the search too")
    exact = "What is meant by number 4711?"
    print(f"{ENTRIES:,} entries: the same     {await timed(lambda: base.find(exact)):8.2f} ms, its use counted")
    await store.close()
    await cache.close()


async def main() -> None:
    embedder = MiniLMEmbedder(1)
    await judge(embedder)
    with tempfile.TemporaryDirectory() as folder:
        await cost(Path(folder), embedder)
    await embedder.close()


if __name__ == "__main__":
    asyncio.run(main())
