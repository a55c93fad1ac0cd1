"""Tasks in SQLite: the contract, a file of an earlier version, and what a claim costs."""

import sqlite3
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from multidb_chat.adapters.sqlite import tasks_tables as queue
from multidb_chat.adapters.sqlite.accounts_schema import SCHEMA
from multidb_chat.adapters.sqlite.database import Database
from multidb_chat.domain.tasks import Task
from tests.adapters.sqlite.opening import accounts_in, steps, tasks_in
from tests.contracts.accounts_processes import ADA, NOW
from tests.contracts.tasks import TasksContract
from tests.contracts.tasks_processes import MINUTE, OpenTasks, a_task


class TestSqliteTasks(TasksContract):
    @pytest.fixture
    def open_tasks(self, path: Path) -> OpenTasks:
        return partial(tasks_in, path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "accounts.db"


@pytest.mark.parametrize("state", ["done", "failed", "cancelled"])
async def test_a_claim_costs_the_same_behind_a_long_history(path: Path, state: str):
    async with accounts_in(path) as store:
        await store.create_account(ADA)
    costs = []
    with sqlite3.connect(path) as connection:
        for count in (10, 2_000):
            for n in range(count):
                queue.enqueue(connection, replace(a_task(f"{count}-{n}"), state=state))
            queue.enqueue(connection, a_task(f"waiting-{count}"))
            costs.append(steps(connection, lambda: queue.claim(connection, "w", NOW, NOW + timedelta(1), ["research"])))
    assert costs[1] <= 1.1 * costs[0]


async def test_an_inbox_costs_the_same_behind_a_long_history(path: Path):
    async with accounts_in(path) as store:
        await store.create_account(ADA)
    costs = []
    with sqlite3.connect(path) as connection:
        for count in (10, 2_000):
            for n in range(count):
                past = replace(a_task(f"{count}-{n}"), state="done", ended_at=NOW, cleared_at=NOW)
                queue.enqueue(connection, past)
            costs.append(steps(connection, lambda: queue.unread(connection, "ada")))
    assert costs[1] <= 1.1 * costs[0]


async def test_tasks_of_a_file_from_before_are_kept(path: Path):
    before = Database(path, "accounts", SCHEMA[:1])
    row = "INSERT INTO tasks VALUES (?, 'ada', 'research', '{\"topic\": \"tea\"}', ?, ?, ?, ?, 'w', ?, 0.5)"

    def fill(connection: sqlite3.Connection) -> None:
        values = ("ada", "user", "free", 0, None, None, None, None, 1, None)
        connection.execute(f"INSERT INTO accounts VALUES ({', '.join('?' * len(values))})", values)
        for number, (state, lease) in enumerate(
            [("queued", None), ("running", 5), ("running", None), ("done", None), ("cancelled", None)]
        ):
            connection.execute(row, (f"t{number}", number, state, number, lease, state))

    await before.write(fill)
    await before.close()
    async with tasks_in(path) as (_, tasks):
        found: list[Task] = await tasks.tasks()
        assert [(task.id, task.state, task.claims, task.ended) for task in found] == [
            ("t4", "cancelled", 4, True),
            ("t3", "done", 3, True),
            ("t2", "running", 2, False),
            ("t1", "running", 1, False),
            ("t0", "queued", 0, False),
        ]
        assert all((task.ended_at is None) is not task.ended for task in found)
        assert {task.payload["topic"] for task in found} == {"tea"}
        claims = [await tasks.claim("w", NOW, NOW + MINUTE, ["research"]) for _ in range(4)]
        assert [claim and claim.id for claim in claims] == ["t0", "t1", "t2", None]
        assert [task.id for task in await tasks.inbox("ada")] == ["t3"]
