"""Measure a turn on the embedded stores, everything in it but models.

    scripts/bench turn                        one minute
    scripts/bench turn --users 500 --seconds 30 --think 10
    scripts/bench turn --where                also where the time of the single turns goes

The embedder hands out vectors made before, and the answerer quotes its best passage at once, so that what is left is
the program's own: quota, caches, both searches, reading passages, storing question and answer durably.

One user: p50 of turns one after the other in one conversation, warm; "cached" repeats a question, "fresh" asks
questions that were never asked. Many users: each is an account with a conversation of its own that asks, waits (think
time, uniform between half and one and a half of --think seconds), and asks again; half of the questions are asked for
the first time by this account, half are ones that it asked before. A turn is measured from the question to
`TurnCompleted`, by when all of it is on the disk. Reference, ten by ten in between: one durable SQLite commit of a row
as large as a message.
"""

import argparse
import asyncio
import hashlib
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from itertools import accumulate, islice, product
from pathlib import Path
from statistics import median

import numpy as np

from multidb_chat.bootstrap import Application, open_application
from multidb_chat.domain.accounts import Account
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.library import Chunk, Collection, Document, DocumentContent, document_id
from multidb_chat.domain.search import Match
from multidb_chat.domain.turns import Answer, AnswerSentence, Draft, Question, TurnCompleted, TurnFailed
from multidb_chat.services.accounts import utc_now
from multidb_chat.services.answering.citing import citation
from multidb_chat.services.chat import Chat
from multidb_chat.settings import load_settings

# Words as often as in a natural text: the n-th of them 1/n times as often as the first (Zipf's law), and as many
# different ones as a text of one and a half million words has (Heaps' law).
SYLLABLES = tuple(f"{first}{rest}" for first in "bdfgklmnprst" for rest in ("ar", "e", "il", "on", "u"))
WORDS = tuple(
    map("".join, islice(product(SYLLABLES, ("ba", "den", "fo", "gil", "lo", "mun"), SYLLABLES, SYLLABLES), 40_000))
)
OFTEN = tuple(accumulate(1 / (rank + 2) for rank in range(len(WORDS))))
# What questions are made of: nine words, none of the ten most frequent ones. Each is in a tenth of the passages, as
# are those of questions of two collections of abstracts, without stop words (Cranfield 13 %, SciFact 8 %).
ASKED, STOP_WORDS = 9, 10
ASKED_WORDS = WORDS[STOP_WORDS:]
ASKED_OFTEN = [value - OFTEN[STOP_WORDS - 1] for value in OFTEN[STOP_WORDS:]]
DIMENSIONS = 384
CHUNKS_EACH = 25
BLOCK = 10  # turns of one kind before those of the other


class InstantEmbedder:
    """Gives each text a vector of its own at once."""

    name = "instant"
    dimensions = DIMENSIONS

    def __init__(self) -> None:
        generator = np.random.default_rng(1)
        vectors = generator.standard_normal((4096, DIMENSIONS), dtype=np.float32)
        self._vectors = [row.tobytes() for row in vectors / np.linalg.norm(vectors, axis=1, keepdims=True)]

    async def embed_query(self, text: str) -> bytes:
        return self._vectors[int.from_bytes(hashlib.sha256(text.encode()).digest()[:2]) % len(self._vectors)]

    async def embed_documents(self, texts: Sequence[str]) -> list[bytes]:
        return [await self.embed_query(text) for text in texts]

    async def close(self) -> None:
        """Nothing to free."""


class InstantAnswerer:
    """Quotes the best passage."""

    name = "instant"

    async def answer(self, question: Question, matches: Sequence[Match]) -> AsyncIterator[AnswerSentence | Draft]:
        cited = citation(matches[0], 1, 0, 200)
        sentence = AnswerSentence(cited.snippet, (1,), before="")
        yield sentence
        yield Draft((sentence,), (cited,), True)


def page(collection_id: str, number: int, chance: random.Random, vectors: Sequence[bytes]) -> DocumentContent:
    """Return a document of random words."""
    name, now = f"random-{number}", utc_now()
    key = document_id(collection_id, name, name)
    texts = [" ".join(chance.choices(WORDS, cum_weights=OFTEN, k=120)) for _ in vectors]
    text = "\n".join(texts)
    starts = [sum(len(one) + 1 for one in texts[:n]) for n in range(len(texts))]
    chunks = tuple(
        Chunk(key, n, start, start + len(one), one, vector=vector)
        for n, (start, one, vector) in enumerate(zip(starts, texts, vectors, strict=True))
    )
    document = Document(key, collection_id, name, name, name, "text", name, now, now, len(text), len(text), len(chunks))
    return DocumentContent(document, text, (), chunks)


async def fill(application: Application, embedder: InstantEmbedder, chunks: int) -> Collection:
    """Make a shared collection of so many chunks, and bring the index to it."""
    collection = Collection(
        new_id(), application.account.id, "random", utc_now(), shared=True, embedder="instant", dimensions=DIMENSIONS
    )
    await application.library.create_collection(collection)
    chance = random.Random(7)
    for number in range(chunks // CHUNKS_EACH):
        vectors = await embedder.embed_documents([f"{number} {n}" for n in range(CHUNKS_EACH)])
        await application.library.put_documents([page(collection.id, number, chance, vectors)])
    await application.index.refresh()
    return collection


class User:
    """An account with a conversation of its own."""

    def __init__(self, chat: Chat, account: Account, collection: Collection, conversation_id: str) -> None:
        self._chat = chat
        self._account = account
        self._collection = collection
        self._conversation_id = conversation_id

    async def ask(self, question: str) -> tuple[float, Answer]:
        """Return the seconds that the turn took, and its answer."""
        begin = time.perf_counter()
        async for event in self._chat.respond(
            self._account, question, collections=[self._collection], conversation_id=self._conversation_id
        ):
            if isinstance(event, TurnFailed):
                raise event.error
            if isinstance(event, TurnCompleted):
                return time.perf_counter() - begin, event.answer
        raise AssertionError("a turn ends with an answer")


def question(chance: random.Random) -> str:
    """Return a question that was never asked."""
    words = chance.choices(ASKED_WORDS, cum_weights=ASKED_OFTEN, k=ASKED)
    return f"Where is the {' '.join(words)} {chance.getrandbits(60)}?"


class Reference:
    """One durable commit at a time, in a file beside the stores."""

    def __init__(self, folder: Path) -> None:
        self._connection = sqlite3.connect(folder / "reference.sqlite", isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("CREATE TABLE messages (body TEXT)")

    def commit(self) -> float:
        """Return the seconds that a commit took."""
        begin = time.perf_counter()
        self._connection.execute("INSERT INTO messages VALUES (?)", ("x" * 2_000,))
        return time.perf_counter() - begin


async def one_user(user: User, reference: Reference, turns: int, where: bool) -> None:
    """Print the p50 of cached and fresh turns beside that of a commit."""
    chance = random.Random(1)
    known = question(chance)
    await user.ask(known)
    cached: list[float] = []
    fresh: list[float] = []
    commits: list[float] = []
    steps: dict[str, dict[str, list[float]]] = {"cached": {}, "fresh": {}}
    for _ in range(turns // BLOCK):
        commits += [reference.commit() for _ in range(BLOCK)]
        for name, taken in (("cached", cached), ("fresh", fresh)):
            for _ in range(BLOCK):
                seconds, answer = await user.ask(known if name == "cached" else question(chance))
                assert answer.cached is (name == "cached")
                taken.append(seconds)
                for step, milliseconds in answer.timings.items():
                    steps[name].setdefault(step, []).append(milliseconds)
    base = median(commits)
    for name, taken in (("one durable commit", commits), ("cached turn", cached), ("fresh turn", fresh)):
        print(f"{name:22}{1e3 * median(taken):9.2f}{1e3 * share(taken, 0.95):9.2f}{median(taken) / base:9.1f}")
    for name in steps if where else ():
        print(f"  {name}: " + ", ".join(f"{step} {median(taken):.2f}" for step, taken in steps[name].items()))


async def many_users(users: Sequence[User], reference: Reference, think: float, seconds: float) -> None:
    """Let all of them ask for so long, and print what their turns took."""
    taken: list[float] = []
    commits: list[float] = []
    end = time.perf_counter() + seconds

    async def live(number: int) -> None:
        chance = random.Random(number)
        asked: list[str] = []
        await asyncio.sleep(chance.uniform(0, think))
        while time.perf_counter() < end:
            again = asked and chance.random() < 0.5
            asked.append(chance.choice(asked) if again else question(chance))
            taken.append((await users[number].ask(asked[-1]))[0])
            await asyncio.sleep(chance.uniform(0.5 * think, 1.5 * think))

    async def refer() -> None:
        while time.perf_counter() < end:
            commits.append(await asyncio.to_thread(reference.commit))
            await asyncio.sleep(0.25)

    cpu, begin = time.process_time(), time.perf_counter()
    await asyncio.gather(refer(), *(live(number) for number in range(len(users))))
    used = (time.process_time() - cpu) / (time.perf_counter() - begin)
    base = median(commits)
    name = f"{len(users)} users"
    print(f"{name:22}{1e3 * median(taken):9.2f}{1e3 * share(taken, 0.95):9.2f}{median(taken) / base:9.1f}")
    print(f"  {len(taken) / seconds:.0f} turns a second, {used:.2f} cores; a commit meanwhile {1e3 * base:.2f} ms")


def share(taken: Sequence[float], part: float) -> float:
    """Return the value that so large a part does not exceed."""
    return sorted(taken)[min(int(part * len(taken)), len(taken) - 1)]


async def measure(home: Path, options: argparse.Namespace) -> None:
    """Fill an installation and print the table."""
    settings = load_settings(environ={"MULTIDB_CHAT_HOME": str(home)}, overrides={"search.threshold": 0.0})
    async with open_application(settings) as application:
        embedder = InstantEmbedder()
        application.embedders.use(embedder)
        collection = await fill(application, embedder, options.chunks)
        chat = application.chat
        chat._drafting._answerer = InstantAnswerer()
        users = []
        for _ in range(options.users):
            account = Account(new_id(), "user", "enterprise", utc_now())
            await application.accounts.create_account(account)
            conversation = await application.history.start(account, "Bench")
            users.append(User(chat, account, collection, conversation.id))
        reference = Reference(home)
        print(f"{options.chunks:,} chunks; milliseconds, and how often the p50 of a commit in the same run")
        print(f"{'':22}{'p50':>9}{'p95':>9}{'x commit':>9}")
        await one_user(users[0], reference, options.turns, options.where)
        await many_users(users, reference, options.think, options.seconds)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, default=12_500)
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--users", type=int, default=500)
    parser.add_argument("--think", type=float, default=10.0)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--where", action="store_true")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder), options))
    return 0


if __name__ == "__main__":
    sys.exit(main())
