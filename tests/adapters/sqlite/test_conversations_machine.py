"""Conversations in SQLite against the model of the contract."""

import shutil
import tempfile
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from hypothesis import settings

from multidb_chat.domain.conversations import Conversations
from tests.adapters.sqlite.opening import conversations_in
from tests.contracts.conversations_machine import ConversationsMachine


class SqliteConversationsMachine(ConversationsMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())

    def open(self) -> AbstractAsyncContextManager[Conversations]:
        return conversations_in(self.folder / "conversations.db")

    def teardown(self) -> None:
        super().teardown()
        shutil.rmtree(self.folder)


TestSqliteConversationsMachine = SqliteConversationsMachine.TestCase
TestSqliteConversationsMachine.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
