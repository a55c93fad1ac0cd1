"""Tasks in PostgreSQL behave as a plain dictionary would, in any order of calls."""

from contextlib import AbstractAsyncContextManager

from hypothesis import settings

from tests.adapters.postgres.opening import InOwnSchema, tasks_at
from tests.contracts.tasks_machine import TasksMachine
from tests.contracts.tasks_processes import Stores
from tests.servers import needs


class PostgresTasksMachine(InOwnSchema, TasksMachine):
    def open(self) -> AbstractAsyncContextManager[Stores]:
        return tasks_at(self.url)


@needs("postgres")
class TestPostgresTasksMachine(PostgresTasksMachine.TestCase):  # type: ignore[misc, valid-type]
    settings = settings(max_examples=6, stateful_step_count=25, deadline=None)
