"""People ask while a server stands still: every turn ends, no call outlives its deadline, the loop keeps turning."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from multidb_chat.bootstrap import open_application
from multidb_chat.settings import load_settings
from tests.faults.freezing import frozen
from tests.faults.living import Damage, damage, furnish, is_well, live
from tests.faults.watching import lag, watched
from tests.installation import on_servers
from tests.servers import SERVERS, needs

# Whatever else uses the servers would wait with it.
pytestmark = [pytest.mark.alone, pytest.mark.timeout(580), *(needs(server) for server in SERVERS)]

# Seconds. Deadlines are held to tenths of a second where the machine has nothing else to do (`scripts/bench faults`).
SLACK = 5.0


@pytest.fixture
def servers() -> Iterator[dict[str, str]]:
    with on_servers() as environment:
        yield environment


async def test_turns_end_in_time_and_everything_is_well_again_when_the_server_runs(
    tmp_path: Path, servers: dict[str, str]
) -> None:
    settings = load_settings(environ={"MULTIDB_CHAT_HOME": str(tmp_path), **servers})
    async with open_application(settings) as application:
        users, collections = await furnish(application, 20)
        await live(application, users, collections, 1)
        calls = watched(application)
        for server in SERVERS:
            async with frozen(server):
                with lag() as seen:
                    questions = (user.ask(application, collections, f"With {server} frozen?") for user in users)
                    await asyncio.gather(*questions)
            assert seen.late, "the loop stood still"
            assert any(call.seconds > 0.5 for call in calls), f"{server} went on"
            assert [call for call in calls if call.beyond > SLACK] == []
            calls.clear()
            await is_well(application)
            calls.clear()
        assert await damage(application, users) == Damage(0, 0, 0, 0)
