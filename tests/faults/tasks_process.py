"""Run as a process of its own: work on a queue of tasks with visible effects, until nothing is left or it is killed."""

import asyncio
import sys
from pathlib import Path

from multidb_chat.bootstrap import Application
from multidb_chat.domain.accounts import Account
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.tasks import Task
from multidb_chat.services.accounts import utc_now
from multidb_chat.services.tasks.worker import Pace, Worker
from multidb_chat.settings import load_settings

TEXT = "# Tea\n\nTea is grown in Assam and Darjeeling. The harvest begins in March because the rain comes in May.\n"
QUICK = Pace(lease=1.0, beat=0.1, poll=0.02, backoff=0.05, longest=0.2)


def application_in(home: Path) -> Application:
    """Open the installation in a folder."""
    return Application(load_settings(environ={"MULTIDB_CHAT_HOME": str(home)}))


def quick_worker(application: Application) -> Worker:
    """Return the application's worker with short leases, so that what a killed one held is free again soon."""
    handlers = {"analyze": application._analysis, "research": application._investigation}
    return Worker(application.tasks, application.accounts, handlers, application.inbox, pace=QUICK)


async def furnish(home: Path, count: int) -> tuple[Account, list[str]]:
    """Make an installation with a document and so many tasks; return whose and their ids."""
    application = application_in(home)
    account = await application.account_service.local_account()
    collection = await application.documents.ensure_collection(account)
    text = home / "tea.md"
    text.write_text(TEXT)
    async for _ in application.ingestion.add(account, collection, [text]):
        pass
    ids = [new_id() for _ in range(count)]
    for number, key in enumerate(ids):
        kind = "analyze" if number % 5 == 4 else "research"
        options = {} if kind == "analyze" else {"save": "reports"}
        payload = {**options, "about": "tea harvest"}
        # As many tries as there may be kills; being given up after five is another matter.
        await application.tasks.enqueue(Task(key, account.id, kind, payload, utc_now(), max_attempts=1_000))
    await application.close()
    return account, ids


async def left(application: Application) -> list[Task]:
    """Return the tasks that have not ended."""
    return await application.tasks.tasks(states=["queued", "running"], limit=1_000)


async def work(home: Path) -> None:
    application = application_in(home)
    try:
        await application.embedder.embed_query("warm up")
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        running = asyncio.create_task(quick_worker(application).run(lanes=2))
        while await left(application):
            await asyncio.sleep(0.02)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    finally:
        await application.close()


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1])))
