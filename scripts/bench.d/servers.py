"""Measure everything on the four servers against the raw drivers doing the same, in one run.

    scripts/services start; scripts/bench servers           four minutes; skipped where a server is absent
    scripts/bench servers --users 500 --think 60            a person takes a minute to read and to ask again
    scripts/bench servers --rounds                          also every request of a turn, with when it ran

Everything lies in a schema, keyspace, database and prefix of its own, which are removed at the end. The embedder hands
out vectors made before and the answerer quotes its best passage, as in `scripts/bench turn`, so that what is left is
the program's own and the servers'.

A turn's requests are counted at the drivers: "requests" are all of them, "rounds" the longest chain of those that
waited for one another; what runs side by side is one round. Raw, for a turn: as many requests one after the other, of
the same kinds. A page of history: 50 messages by the port, and by the prepared statement alone. Ingestion: documents
with their passages by the port, and the same records, as durable, by one `insert_many` after the other, as many a call.
Catching up: the passages that the index's follower reads in a second, beside the driver reading the same ones by one
cursor. "By this process alone" counts its own processor time, not the server's: what it could read from a server that
is no limit. The users come first, and are counted from --warm on: servers in Java are slow in their first minute.
"""

import argparse
import asyncio
import gc
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, NamedTuple

import psycopg
from cassandra.cluster import Session
from pymongo import monitoring
from redis.asyncio import Redis

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

from _library import ingestion, timed  # noqa: E402
from tests.installation import on_servers  # noqa: E402
from tests.servers import SERVERS, variable  # noqa: E402
from turn import (  # noqa: E402
    DIMENSIONS,
    InstantAnswerer,
    InstantEmbedder,
    User,
    fill,
    question,
    share,
)

from multidb_chat.bootstrap import Application, open_application  # noqa: E402
from multidb_chat.domain.accounts import Account  # noqa: E402
from multidb_chat.domain.conversations import Message  # noqa: E402
from multidb_chat.domain.errors import StoreError  # noqa: E402
from multidb_chat.domain.ids import new_id  # noqa: E402
from multidb_chat.services.accounts import utc_now  # noqa: E402
from multidb_chat.settings import load_settings  # noqa: E402


class Request(NamedTuple):
    """A request to a server, with when it ran (seconds)."""

    server: str
    what: str
    begin: float
    end: float


class Watch(monitoring.CommandListener):
    """Notes the requests that drivers send."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._begun: dict[int, float] = {}

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self._begun[event.request_id] = time.perf_counter()

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        begin = self._begun.pop(event.request_id, time.perf_counter())
        self.requests.append(Request("mongodb", event.command_name, begin, time.perf_counter()))

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        self._begun.pop(event.request_id, None)

    def install(self) -> None:
        """Stand between the drivers and their callers."""
        monitoring.register(self)
        self._wrap(Redis, "execute_command", "redis", lambda arguments: str(arguments[1]))
        self._wrap(psycopg.AsyncConnection, "wait", "postgres", lambda _: "statement")
        send = Session.execute_async

        def execute_async(session: Session, statement: Any, *rest: Any, **options: Any) -> Any:
            begin = time.perf_counter()
            future = send(session, statement, *rest, **options)
            text = getattr(
                getattr(statement, "prepared_statement", statement), "query_string", type(statement).__name__
            )

            def note(_: object) -> None:
                self.requests.append(Request("scylla", " ".join(str(text).split())[:60], begin, time.perf_counter()))

            future.add_callbacks(note, note)
            return future

        Session.execute_async = execute_async

    def _wrap(self, kind: type, name: str, server: str, what: Callable[[tuple[Any, ...]], str]) -> None:
        call = getattr(kind, name)

        async def noted(*arguments: Any, **options: Any) -> Any:
            begin = time.perf_counter()
            try:
                return await call(*arguments, **options)
            finally:
                self.requests.append(Request(server, what(arguments), begin, time.perf_counter()))

        setattr(kind, name, noted)


def rounds(requests: Sequence[Request]) -> int:
    """Return the length of the longest chain in which each request began when the one before had ended."""
    deepest: list[tuple[float, int]] = []
    for one in sorted(requests, key=lambda request: request.begin):
        before = max((depth for end, depth in deepest if end <= one.begin), default=0)
        deepest.append((one.end, before + 1))
    return max((depth for _, depth in deepest), default=0)


async def raw_requests(application: Application, requests: Sequence[Request]) -> float:
    """Return the seconds that requests of these kinds take one after the other, at their least: reads of one row."""
    count = Counter(request.server for request in requests)
    taken = 0.0
    async with await psycopg.AsyncConnection.connect(os.environ[variable("postgres")], autocommit=True) as connection:
        await connection.execute("SELECT 1", prepare=True)
        for _ in range(count["postgres"]):
            taken += await timed(lambda: connection.execute("SELECT 1", prepare=True))
    redis = Redis.from_url(os.environ[variable("redis")])
    await redis.ping()
    for _ in range(count["redis"]):
        taken += await timed(lambda: redis.get("absent"))
    await redis.aclose()
    conversations = application.conversations
    for _ in range(count["scylla"]):
        taken += await timed(lambda: conversations.conversation("absent"))
    for _ in range(count["mongodb"]):
        taken += await timed(application.library.version)
    return taken


async def turns(application: Application, user: User, watch: Watch, number: int, show: bool) -> None:
    """Print what cached and fresh turns take, their requests and rounds."""
    chance = Random(1)
    known = question(chance)
    await user.ask(known)
    for name in ("cached", "fresh"):
        for _ in range(5):
            await user.ask(known if name == "cached" else question(chance))
        taken, alone, chains, counts, raw = [], [], [], [], []
        for _ in range(number):
            watch.requests.clear()
            begin = time.process_time()
            seconds, answer = await user.ask(known if name == "cached" else question(chance))
            alone.append(time.process_time() - begin)
            seen = list(watch.requests)
            assert answer.cached is (name == "cached")
            taken.append(seconds)
            chains.append(rounds(seen))
            counts.append(len(seen))
            raw.append(await raw_requests(application, seen))
        print(
            f"{name + ' turn':24}{1e3 * median(taken):9.2f}{1e3 * share(taken, 0.95):9.2f}"
            f"{median(taken) / median(raw):9.2f}   {median(counts):.0f} requests in {median(chains):.0f} rounds, "
            f"{1e3 * median(alone):.1f} ms by this process, raw {1e3 * median(raw) / median(counts):.2f} a request"
        )
        first = min(request.begin for request in seen)
        for request in sorted(seen, key=lambda one: one.begin) if show else ():
            when = f"{1e3 * (request.begin - first):7.2f} to {1e3 * (request.end - first):7.2f} ms"
            print(f"    {when}  {request.server:9} {request.what}")


async def many_users(users: Sequence[User], think: float, warm: float, seconds: float) -> None:
    """Let all of them ask for so long, half of it for the first time; print what it took behind the first seconds."""
    taken: list[float] = []
    failed: Counter[str] = Counter()
    begin = time.perf_counter() + warm
    end = begin + seconds

    async def live(number: int) -> None:
        chance = Random(number)
        asked: list[str] = []
        await asyncio.sleep(chance.uniform(0, think))
        while time.perf_counter() < end:
            asked.append(chance.choice(asked) if asked and chance.random() < 0.5 else question(chance))
            counts = time.perf_counter() >= begin
            try:
                took, _ = await users[number].ask(asked[-1])
                taken.extend([took] if counts else [])
            except StoreError as error:
                failed[str(error)] += 1
            await asyncio.sleep(chance.uniform(0.5 * think, 1.5 * think))

    await asyncio.gather(*(live(number) for number in range(len(users))))
    print(f"{f'{len(users)} users':24}{1e3 * median(taken):9.2f}{1e3 * share(taken, 0.95):9.2f}")
    print(f"  {len(taken) / seconds:.0f} turns a second, {failed.total()} failed")
    for what, number in failed.most_common(3):
        print(f"    {number} x {what}")


async def history(application: Application, account: Account, number: int) -> None:
    """Print what a page of 50 of a long conversation takes, and the prepared read behind it alone."""
    store = application.conversations
    talk = await application.history.start(account, "Long")
    for _ in range(10):
        asked = [Message(new_id(), talk.id, account.id, "user", "x" * 400, utc_now()) for _ in range(50)]
        await store.append(*asked)
    bare = store
    while hasattr(bare, "_store") or hasattr(bare, "_inner"):
        bare = getattr(bare, "_store", None) or bare._inner
    connection = bare._connection  # the raw statement is asked for on the same connection
    from multidb_chat.adapters.scylla.buckets import bucket_of
    from multidb_chat.adapters.scylla.conversations_messages import _SELECT
    from multidb_chat.adapters.scylla.schema import in_keyspace

    _, session = await connection.opened()
    statement = in_keyspace(connection.address.keyspace, f"{_SELECT} LIMIT 50")
    prepared = await asyncio.to_thread(session.prepare, statement)
    bucket = bucket_of(asked[-1].id)

    async def read() -> None:
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        session.execute_async(prepared, (talk.id, bucket)).add_callbacks(
            lambda _: loop.call_soon_threadsafe(done.set), lambda _: loop.call_soon_threadsafe(done.set)
        )
        await done.wait()

    pages, raw = [], []
    for _ in range(number):
        raw.append(await timed(read))
        pages.append(await timed(lambda: store.messages(talk.id, limit=50)))
    print(
        f"{'history page of 50':24}{1e3 * median(pages):9.2f}{1e3 * share(pages, 0.95):9.2f}"
        f"{median(pages) / median(raw):9.2f}"
    )


async def start_up(environment: dict[str, str], home: Path, number: int) -> None:
    """Print the seconds from the start of a process to the first prompt."""
    taken = []
    for _ in range(number):
        begin = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "multidb_chat", "--plain",
            env=os.environ | environment | {"MULTIDB_CHAT_HOME": str(home)},
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"/session-stats\n")
        await process.stdout.readline()
        taken.append(time.perf_counter() - begin)
        process.stdin.close()
        await process.communicate()
    print(f"{'start to first prompt':24}{1e3 * median(taken):9.0f}{1e3 * max(taken):9.0f}")


@contextmanager
def installation() -> Iterator[tuple[dict[str, str], Path]]:
    """Yield the environment of an installation on the servers, and its home."""
    with tempfile.TemporaryDirectory() as folder, on_servers() as environment:
        yield environment, Path(folder)


async def measure(environment: dict[str, str], home: Path, options: argparse.Namespace) -> None:
    """Fill an installation and print the table."""
    watch = Watch()
    watch.install()
    settings = load_settings(
        environ={"MULTIDB_CHAT_HOME": str(home), **environment}, overrides={"search.threshold": 0.0}
    )
    async with open_application(settings) as application:
        embedder = InstantEmbedder()
        application.embedders.use(embedder)
        collection = await fill(application, embedder, options.chunks)
        chat = application.chat
        chat._drafting._answerer = InstantAnswerer()
        users, accounts = [], []
        for _ in range(options.users):
            accounts.append(Account(new_id(), "user", "enterprise", utc_now()))
            await application.accounts.create_account(accounts[-1])
            conversation = await application.history.start(accounts[-1], "Bench")
            users.append(User(chat, accounts[-1], collection, conversation.id))
        print(f"{options.chunks:,} passages of {DIMENSIONS} dimensions; milliseconds, and how often the raw drivers'")
        print(f"{'':24}{'p50':>9}{'p95':>9}{'x raw':>9}")
        if options.only:
            await ingestion(application, collection, options.documents)
            return
        gc.freeze()  # as the program does
        await many_users(users, options.think, options.warm, options.seconds)
        await turns(application, users[0], watch, options.turns, options.rounds)
        await history(application, accounts[0], options.turns)
        await ingestion(application, collection, options.documents)
    if not options.only:
        await start_up(environment, home, 5)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, default=2_500)
    parser.add_argument("--documents", type=int, default=400)
    parser.add_argument("--turns", type=int, default=50)
    parser.add_argument("--users", type=int, default=500)
    parser.add_argument("--think", type=float, default=60.0, help="seconds between an answer and the next question")
    parser.add_argument("--warm", type=float, default=45.0)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--only", choices=["ingestion"], help="nothing else")
    parser.add_argument("--rounds", action="store_true", help="show every request of a turn")
    options = parser.parse_args(argv)
    absent = [server for server in SERVERS if not os.environ.get(variable(server))]
    if absent:
        print(f'not measured: no {", ".join(absent)} (scripts/services start; eval "$(scripts/services env)")')
        return 0
    with installation() as (environment, home):
        asyncio.run(measure(environment, home, options))
    return 0


if __name__ == "__main__":
    sys.exit(main())
