"""`kill -9` of workers at any moment: no task is lost, and what each leaves behind is there once."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

from multidb_chat.services.tasks.reports import loads
from tests.faults.tasks_process import application_in, furnish

MOMENTS = int(os.environ.get("MULTIDB_CHAT_KILLS", "3"))
TASKS = 6
ROOT = Path(__file__).parents[2]


def start(home: Path) -> subprocess.Popen[bytes]:
    """Start a worker; it is ready when this returns."""
    command = [sys.executable, "-m", "tests.faults.tasks_process", str(home)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    process.communicate(timeout=120)
    assert process.returncode == 0


async def assert_done_once(home: Path, owner_id: str, ids: list[str]) -> None:
    """Each task is done, its report is saved once under its own id, and its owner is told once."""
    application = application_in(home)
    try:
        account = await application.accounts.account(owner_id)
        assert account is not None
        tasks = [await application.task_service.get(account, key) for key in ids]
        assert [task.state for task in tasks] == ["done"] * len(ids)
        saved = {loads(task.result).document_id for task in tasks if task.kind == "research"}
        documents = await application.documents.list(
            account, await application.documents.resolve(account, ["reports"]), limit=1_000
        )
        assert {document.id for document in documents} == saved
        assert len(documents) == sum(task.kind == "research" for task in tasks)
        assert sorted(letter.task_id for letter in await application.inbox.letters(account)) == sorted(ids)
        told = [line.task_id for line in await application.cache.notifications(account.id)]
        assert len(told) == len(set(told))
    finally:
        await application.close()


async def test_workers_killed_at_random_moments_lose_no_task_and_repeat_no_effect(tmp_path: Path):
    seed = random.randrange(1 << 30)
    moments = random.Random(seed)
    owner, ids = await furnish(tmp_path, TASKS)
    for _ in range(MOMENTS):
        process = start(tmp_path)
        time.sleep(moments.uniform(0, 0.5))  # any moment is a good one
        process.kill()
        process.communicate()
    end(start(tmp_path))
    await assert_done_once(tmp_path, owner.id, ids)


async def test_two_processes_work_on_one_queue(tmp_path: Path):
    owner, ids = await furnish(tmp_path, TASKS)
    first, second = start(tmp_path), start(tmp_path)
    end(first)
    end(second)
    await assert_done_once(tmp_path, owner.id, ids)


async def test_one_of_two_processes_is_killed_and_the_other_does_its_work(tmp_path: Path):
    owner, ids = await furnish(tmp_path, TASKS)
    survivor, victim = start(tmp_path), start(tmp_path)
    victim.kill()
    victim.communicate()
    end(survivor)
    await assert_done_once(tmp_path, owner.id, ids)
