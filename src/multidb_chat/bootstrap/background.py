"""Background work: its queue, its inbox, and what does it."""

from functools import cached_property
from typing import TYPE_CHECKING

from multidb_chat.bootstrap.answering import Answering

if TYPE_CHECKING:
    from multidb_chat.services.tasks.handling import Handler
    from multidb_chat.services.tasks.inbox import Inbox
    from multidb_chat.services.tasks.service import TaskService
    from multidb_chat.services.tasks.worker import Worker

TASK_KINDS = ("analyze", "research")


class Background(Answering):
    """What takes longer than anybody wants to wait for."""

    @cached_property
    def task_service(self) -> "TaskService":
        """Background tasks of an account."""
        from multidb_chat.services.tasks.service import TaskService

        return TaskService(self.tasks, self.plans, self.audit, TASK_KINDS)

    @cached_property
    def inbox(self) -> "Inbox":
        """What is told of tasks that ended."""
        from multidb_chat.services.tasks.inbox import Inbox

        return Inbox(self.tasks, self.cache)

    @cached_property
    def worker(self) -> "Worker":
        """What does background tasks for as long as somebody runs it."""
        from multidb_chat.services.tasks.worker import Worker

        handlers = {"analyze": self._analysis, "research": self._investigation}
        return Worker(self.tasks, self.accounts, handlers, self.inbox)

    def _analysis(self) -> "Handler":
        from multidb_chat.services.analysis.analysis import Analysis
        from multidb_chat.services.handbook import HANDBOOK_ID

        return Analysis(self.documents, self.library, handbook_id=HANDBOOK_ID)

    def _investigation(self) -> "Handler":
        from multidb_chat.services.answering.extractive import Extractive
        from multidb_chat.services.handbook import HANDBOOK_ID
        from multidb_chat.services.research.investigation import Depth, Investigation

        return Investigation(
            self.documents,
            self.retrieval,
            Extractive(self.embedder),
            self.ingestion,
            handbook_id=HANDBOOK_ID,
            depth=Depth(self.settings.search.threshold, self.settings.search.limit),
        )
