"""People go on asking while each server in turn is killed and started again: nothing that they were told is untrue."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from multidb_chat.bootstrap import open_application
from multidb_chat.settings import load_settings
from tests.faults.living import Damage, damage, furnish, is_well, kill_in_turn, live
from tests.installation import on_servers
from tests.servers import SERVERS, needs

# Whatever else uses the servers would not survive it.
pytestmark = [pytest.mark.alone, pytest.mark.timeout(580), *(needs(server) for server in SERVERS)]


@pytest.fixture
def servers() -> Iterator[dict[str, str]]:
    with on_servers() as environment:
        yield environment


async def test_nothing_acknowledged_is_lost_doubled_or_miscounted(tmp_path: Path, servers: dict[str, str]) -> None:
    settings = load_settings(environ={"MULTIDB_CHAT_HOME": str(tmp_path), **servers})
    async with open_application(settings) as application:
        users, collections = await furnish(application, 50)
        killing = asyncio.create_task(kill_in_turn(SERVERS, rounds=1, pause=2))
        await asyncio.gather(killing, live(application, users, collections, 12))
        await is_well(application)
        assert await damage(application, users) == Damage(0, 0, 0, 0)
        assert sum(len(user.answers) for user in users) > 400
