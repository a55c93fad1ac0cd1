"""A guarded store is the store: it passes the whole contract of its port."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from multidb_chat.adapters.sqlite.accounts import SqliteAccounts
from multidb_chat.adapters.sqlite.cache import SqliteCache
from multidb_chat.adapters.sqlite.conversations import SqliteConversations
from multidb_chat.adapters.sqlite.library import SqliteLibrary
from multidb_chat.adapters.sqlite.tasks import SqliteTasks
from multidb_chat.domain.accounts import Accounts
from multidb_chat.domain.cache import Cache
from multidb_chat.domain.conversations import Conversations
from multidb_chat.domain.errors import StoreUnavailable
from multidb_chat.domain.library import Library
from multidb_chat.domain.tasks import Tasks
from multidb_chat.services.resilience.breaker import FAILURES, Breaker
from multidb_chat.services.resilience.guard import Guard
from multidb_chat.services.resilience.guarded import Port, calls_of, guarded
from multidb_chat.services.resilience.ports import ACCOUNTS, CACHE, CONVERSATIONS, LIBRARY, TASKS
from tests.adapters.sqlite.test_cache import Clock
from tests.contracts.accounts import AccountsContract
from tests.contracts.accounts_processes import OpenAccounts
from tests.contracts.cache import CacheContract, OpenCache, PassTime
from tests.contracts.conversations import ConversationsContract
from tests.contracts.conversations_processes import OpenConversations
from tests.contracts.library import LibraryContract, OpenLibrary
from tests.contracts.tasks import TasksContract
from tests.contracts.tasks_processes import OpenTasks, Stores

PORTS = {
    ACCOUNTS: SqliteAccounts,
    TASKS: SqliteTasks,
    CONVERSATIONS: SqliteConversations,
    LIBRARY: SqliteLibrary,
    CACHE: SqliteCache,
}


def a_guard(store: str) -> Guard:
    return Guard(Breaker(store))


@asynccontextmanager
async def accounts_in(path: Path) -> AsyncIterator[Accounts]:
    accounts: Accounts = guarded(SqliteAccounts(path), ACCOUNTS, a_guard("accounts"))
    yield accounts
    await accounts.close()


@asynccontextmanager
async def tasks_in(path: Path) -> AsyncIterator[Stores]:
    tasks: Tasks = guarded(SqliteTasks(path), TASKS, a_guard("accounts"))
    async with accounts_in(path) as accounts:
        yield Stores(accounts, tasks)
        await tasks.close()


@asynccontextmanager
async def conversations_in(path: Path) -> AsyncIterator[Conversations]:
    conversations: Conversations = guarded(SqliteConversations(path), CONVERSATIONS, a_guard("conversations"))
    yield conversations
    await conversations.close()


def library_in(path: Path) -> Library:
    return guarded(SqliteLibrary(path), LIBRARY, a_guard("library"))


def cache_in(path: Path, clock: Clock) -> Cache:
    return guarded(SqliteCache(path, clock), CACHE, a_guard("cache"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


class TestGuardedAccounts(AccountsContract):
    @pytest.fixture
    def open_accounts(self, path: Path) -> OpenAccounts:
        return partial(accounts_in, path)


class TestGuardedTasks(TasksContract):
    @pytest.fixture
    def open_tasks(self, path: Path) -> OpenTasks:
        return partial(tasks_in, path)


class TestGuardedConversations(ConversationsContract):
    @pytest.fixture
    def open_conversations(self, path: Path) -> OpenConversations:
        return partial(conversations_in, path)


class TestGuardedLibrary(LibraryContract):
    @pytest.fixture
    async def open_library(self, path: Path) -> AsyncIterator[OpenLibrary]:
        opened: list[Library] = []

        async def open_library() -> Library:
            opened.append(library_in(path))
            return opened[-1]

        yield open_library
        for library in opened:
            await library.close()

    @pytest.fixture(scope="class")
    def run_library(self, tmp_path_factory: pytest.TempPathFactory):
        library = library_in(tmp_path_factory.mktemp("shared") / "library.db")
        with asyncio.Runner() as runner:
            yield lambda check: runner.run(check(library))
            runner.run(library.close())


class TestGuardedCache(CacheContract):
    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def pass_time(self, clock: Clock) -> PassTime:
        return clock.pass_time

    @pytest.fixture
    async def open_cache(self, path: Path, clock: Clock) -> AsyncIterator[OpenCache]:
        opened: list[Cache] = []

        async def open_cache() -> Cache:
            opened.append(cache_in(path, clock))
            return opened[-1]

        yield open_cache
        for cache in opened:
            await cache.close()


@pytest.mark.parametrize("port", PORTS, ids=lambda port: port.protocol.__name__)
async def test_every_call_of_a_port_is_stopped_where_the_store_is_away(port: Port, path: Path):
    guard = Guard(Breaker("accounts"))
    for _ in range(FAILURES):
        guard.breaker.failed(guard.breaker.admit(), "refused")
    store = guarded(PORTS[port](path), port, guard)
    declared = {name for name in dir(port.protocol) if not name.startswith("_")}
    assert declared == set(calls_of(port.protocol))
    for name in declared:
        with pytest.raises(StoreUnavailable, match="away since"):
            await getattr(store, name)()
