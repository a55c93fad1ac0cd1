"""Tasks on PostgreSQL: the contract, what others hold while one claims, lost replies, and what a claim reads."""

from functools import partial

import pytest

from multidb_chat.adapters.postgres import tasks_tables as queue
from tests.adapters.postgres.opening import stranger, tasks_at
from tests.contracts.accounts_processes import ADA, NOW
from tests.contracts.tasks import TasksContract
from tests.contracts.tasks_processes import MINUTE, OpenTasks, a_task
from tests.faults.proxy import Proxy
from tests.servers import needs

pytestmark = needs("postgres")


class TestPostgresTasks(TasksContract):
    @pytest.fixture
    def open_tasks(self, emptied: str) -> OpenTasks:
        return partial(tasks_at, emptied)


async def test_a_claim_passes_over_what_another_one_is_claiming(url: str):
    async with tasks_at(url) as (accounts, tasks):
        await accounts.create_account(ADA)
        await tasks.enqueue(a_task("t1", age=1))
        await tasks.enqueue(a_task("t2"))
        async with await stranger(url) as other, other.transaction():
            await other.execute("SELECT FROM tasks WHERE id = 't1' FOR UPDATE")
            claims = [await tasks.claim("w", NOW, NOW + MINUTE, ["research"]) for _ in range(2)]
        assert [claim and claim.id for claim in claims] == ["t2", None]


@pytest.mark.parametrize("lost", [b"UPDATE tasks SET state = 'running'", b"COMMIT"])
async def test_a_claim_whose_reply_is_lost_is_counted_once(url: str, lost: bytes):
    async with Proxy(url) as proxy, tasks_at(proxy.url) as (accounts, tasks):
        await accounts.create_account(ADA)
        await tasks.enqueue(a_task())
        proxy.swallow_reply(to=lost)
        claim = await tasks.claim("w", NOW, NOW + MINUTE, ["research"])
        assert proxy.cut.is_set()
        assert claim is not None
        assert (claim.attempts, claim.claims) == (1, 1)
        proxy.swallow_reply(to=b"COMMIT")
        assert await tasks.finish(claim, NOW, "{}") is True
        assert await tasks.counts() == {"done": 1}


@pytest.mark.parametrize("state", ["done", "failed", "cancelled"])
async def test_a_claim_reads_only_what_waits(url: str, state: str):
    async with tasks_at(url) as (accounts, tasks):
        await accounts.create_account(ADA)
        await tasks.enqueue(a_task())
    async with await stranger(url) as connection:
        await connection.execute(
            f"INSERT INTO tasks SELECT {queue.TASKS.columns.replace('id,', 'number::text,', 1)}"
            f" FROM tasks, generate_series(1, 5000) AS number"
        )
        await connection.execute(f"UPDATE tasks SET state = '{state}', ended_at = created_at WHERE id <> 't1'")
        await connection.execute("ANALYZE tasks")
        times = {"now": NOW, "kinds": ["research"], "lost": "", "worker": "w", "lease_until": NOW + MINUTE}
        for statement in (queue.ANY_FREE, queue.CLAIM):
            plan = str(await (await connection.execute(f"EXPLAIN {statement}", times)).fetchall())
            assert "tasks_waiting" in plan
            assert "Seq Scan" not in plan
