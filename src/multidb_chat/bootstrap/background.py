"""Background work: its queue, its inbox, and what does it."""

from functools import cached_property
from typing import TYPE_CHECKING

from multidb_chat.bootstrap.answering import Answering

if TYPE_CHECKING:
    from multidb_chat.services.analysis.following import CorpusFollower
    from multidb_chat.services.tasks.handling import Handler
    from multidb_chat.services.tasks.inbox import Inbox
    from multidb_chat.services.tasks.service import TaskService
    from multidb_chat.services.tasks.worker import Worker

TASK_KINDS = ("analyze", "research", "reprocess")


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

        handlers = {"analyze": self._analysis, "research": self._investigation, "reprocess": self._reprocessing}
        beside = [self.corpus_follower.run] if self.corpus_follower else []
        return Worker(self.tasks, self.accounts, handlers, self.inbox, beside=beside)

    @cached_property
    def corpus_follower(self) -> "CorpusFollower | None":
        """What keeps the tables of what occurs in the documents at the library's changes; None: there are none."""
        if self.corpus is None:
            return None
        from multidb_chat.services.analysis.following import CorpusFollower

        return CorpusFollower(self.corpus, self.library)

    def _analysis(self) -> "Handler":
        from multidb_chat.services.analysis.analysis import Analysis
        from multidb_chat.services.handbook import HANDBOOK_ID

        return Analysis(self.documents, self.library, handbook_id=HANDBOOK_ID, corpus=self.corpus)

    def _reprocessing(self) -> "Handler":
        from multidb_chat.services.reprocessing import Reprocessing

        return Reprocessing(self.documents, self.reprocessing_by)

    def _investigation(self) -> "Handler":
        from multidb_chat.services.answering.extractive import Extractive
        from multidb_chat.services.handbook import HANDBOOK_ID
        from multidb_chat.services.research.investigation import Depth, Investigation

        return Investigation(
            self.documents,
            self.retrieval,
            Extractive(),  # what it asks are topics, not questions: the reader was taught with questions
            self.ingestion,
            handbook_id=HANDBOOK_ID,
            depth=Depth(self.settings.search.threshold, self.settings.search.limit),
        )
