"""The background task that gives collections the vectors of another embedder."""

from collections.abc import Callable, Sequence
from contextlib import aclosing
from functools import partial
from typing import Protocol

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.library import Collection
from multidb_chat.domain.tasks import Task
from multidb_chat.services.ingesting.events import Finished, Progress
from multidb_chat.services.ingesting.wording import summary_of
from multidb_chat.services.ingestion import Ingestion
from multidb_chat.services.tasks.handling import Outcome, Tell
from multidb_chat.services.tasks.reports import Report, dumps, escaped
from multidb_chat.services.wording import counted


class Collections(Protocol):
    """What this needs of the documents service."""

    async def resolve(self, account: Account, names: Sequence[str]) -> list[Collection]:
        """Return the collections of these names or ids. Raises `NotFound`."""


class Reprocessing:
    """Processes collections again, with the embedder that the task names as the settings would. A second run goes on.

    `by` gives what does it, by that name; it raises `InvalidSetting` when there is no such embedder here.
    """

    def __init__(self, documents: Collections, by: Callable[[str], Ingestion]) -> None:
        self._documents = documents
        self._by = by

    async def __call__(self, task: Task, account: Account, tell: Tell) -> Outcome:
        """Process the task's `collections` (ids, one a line) with its `embedder`."""
        ids = [one for one in task.payload.get("collections", "").split("\n") if one]
        chosen = await self._documents.resolve(account, ids) if ids else []
        ingestion = self._by(task.payload.get("embedder", "auto"))
        lines = []
        for number, one in enumerate(chosen):
            told = partial(_tell, tell, one.name, number, len(chosen))
            finished = await self._processed(ingestion, account, one, told)
            lines.append(f"- {escaped(one.name)}: {summary_of(finished)}")
        title = f"Vectors by {ingestion.embedder}"
        body = "\n".join(lines) or "There was no collection to process."
        report = Report(title, f"# {title}\n\n{body}\n", bool(lines))
        return Outcome(dumps(report), f"{counted(len(chosen), 'collection')} processed with {ingestion.embedder}")

    async def _processed(
        self, ingestion: Ingestion, account: Account, collection: Collection, told: Callable[[float], None]
    ) -> Finished:
        finished = Finished()
        async with aclosing(ingestion.reprocess(account, collection)) as events:
            async for event in events:
                if isinstance(event, Progress):
                    told(event.fraction)
                elif isinstance(event, Finished):
                    finished = event
        return finished


def _tell(tell: Tell, name: str, done: int, all_: int, part: float) -> None:
    tell((done + part) / all_, f"embedding {name}")
