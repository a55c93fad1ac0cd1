"""What a turn costs: round trips to the server, counted where the driver waits for it."""

from collections.abc import Callable

import psycopg
import pytest

from multidb_chat.adapters.postgres.accounts import PostgresAccounts
from multidb_chat.domain.accounts import Subscription
from multidb_chat.domain.audit import AuditEntry
from tests.adapters.postgres.opening import accounts_at
from tests.contracts.accounts_processes import ADA, NOW, PERIOD
from tests.servers import needs

pytestmark = needs("postgres")


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Grows by one at each round trip."""
    made: list[None] = []
    wait: Callable = psycopg.AsyncConnection.wait

    async def counted(*arguments: object, **named: object) -> object:
        made.append(None)
        return await wait(*arguments, **named)

    monkeypatch.setattr(psycopg.AsyncConnection, "wait", counted)
    return made


async def opened(store: PostgresAccounts) -> None:
    await store.create_account(ADA)
    await store.put_subscription(Subscription("1", "ada", "pro", NOW))
    await store.take("ada", "messages", PERIOD, 1, 9, "0")


async def test_a_turn_costs_two_round_trips(url: str, trips: list[None]):
    async with accounts_at(url) as store:
        await opened(store)
        before = len(trips)
        assert await store.subscriber("ada") is not None
        assert await store.take("ada", "messages", PERIOD, 1, 9, "1") == 2
        assert len(trips) - before == 2


async def test_an_entry_of_the_audit_log_costs_four(url: str, trips: list[None]):
    async with accounts_at(url) as store:
        await opened(store)
        before = len(trips)
        await store.append_audit(AuditEntry(NOW, "ada", "asked"))
        assert len(trips) - before == 4
