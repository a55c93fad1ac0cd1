"""Tasks in PostgreSQL behave as a plain dictionary would, in any order of calls."""

from contextlib import AbstractAsyncContextManager, ExitStack

from hypothesis import settings

from tests.adapters.postgres.opening import own_schema, tasks_at
from tests.contracts.tasks_machine import TasksMachine
from tests.contracts.tasks_processes import Stores
from tests.servers import needs


class PostgresTasksMachine(TasksMachine):
    def __init__(self) -> None:
        super().__init__()
        self.around = ExitStack()
        self.url = self.around.enter_context(own_schema())

    def open(self) -> AbstractAsyncContextManager[Stores]:
        return tasks_at(self.url)

    def teardown(self) -> None:
        super().teardown()
        self.around.close()


@needs("postgres")
class TestPostgresTasksMachine(PostgresTasksMachine.TestCase):  # type: ignore[misc, valid-type]
    settings = settings(max_examples=6, stateful_step_count=25, deadline=None)
