"""Tasks in SQLite against the model of the contract."""

import shutil
import tempfile
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from hypothesis import settings

from tests.adapters.sqlite.opening import tasks_in
from tests.contracts.tasks_machine import TasksMachine
from tests.contracts.tasks_processes import Stores


class SqliteTasksMachine(TasksMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())

    def open(self) -> AbstractAsyncContextManager[Stores]:
        return tasks_in(self.folder / "accounts.db")

    def teardown(self) -> None:
        super().teardown()
        shutil.rmtree(self.folder)


TestSqliteTasksMachine = SqliteTasksMachine.TestCase
TestSqliteTasksMachine.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
