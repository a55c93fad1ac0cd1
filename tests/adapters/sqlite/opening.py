"""Stores opened for as long as a block lasts, by functions that other processes can import; what a statement costs."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from multidb_chat.adapters.sqlite.accounts import SqliteAccounts
from multidb_chat.adapters.sqlite.conversations import SqliteConversations
from multidb_chat.adapters.sqlite.tasks import SqliteTasks
from tests.contracts.tasks_processes import Stores


@asynccontextmanager
async def accounts_in(path: Path) -> AsyncIterator[SqliteAccounts]:
    store = SqliteAccounts(path)
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def tasks_in(path: Path) -> AsyncIterator[Stores]:
    tasks = SqliteTasks(path)
    async with accounts_in(path) as accounts:
        try:
            yield Stores(accounts, tasks)
        finally:
            await tasks.close()


@asynccontextmanager
async def conversations_in(path: Path) -> AsyncIterator[SqliteConversations]:
    store = SqliteConversations(path)
    try:
        yield store
    finally:
        await store.close()


def steps(connection: sqlite3.Connection, work: Callable[[], object]) -> int:
    """Return how many instructions SQLite's virtual machine runs for the work: its cost, without a clock."""
    count = 0

    def step() -> None:
        nonlocal count
        count += 1

    connection.set_progress_handler(step, 1)
    try:
        work()
    finally:
        connection.set_progress_handler(None, 1)
    return count
