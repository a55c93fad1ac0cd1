"""Every method that acts for an account or on an identifier, called by everybody there is.

A new method needs a row in `tests/authorisation/rows`: without one, the first test fails.
"""

import asyncio
from pathlib import Path

import pytest

from multidb_chat.domain.errors import NotFound, NotPermitted
from tests.authorisation.methods import guarded_methods
from tests.authorisation.rows import all_rows
from tests.authorisation.world import CANARY, WHO, Outcome, furnish, world_in

ROWS = all_rows()


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("matrix") / "home"
    home.mkdir()
    asyncio.run(furnish(home))
    return home


def test_every_method_has_a_row():
    assert guarded_methods() - set(ROWS) == set()


def test_every_row_has_a_method():
    assert set(ROWS) - guarded_methods() == set()


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("method", ROWS)
async def test_everybody_gets_what_is_theirs(furnished: Path, tmp_path: Path, method: str, who: str):
    row = ROWS[method]
    expected: Outcome = getattr(row, who)
    async with world_in(furnished, tmp_path / "home") as world:
        account = await world.acting(who)
        if expected is Outcome.MISSING:
            with pytest.raises(NotFound) as missing:
                await row.call(world, account)
            assert CANARY not in str(missing.value)
        elif expected is Outcome.REFUSED:
            with pytest.raises(NotPermitted) as refused:
                await row.call(world, account)
            assert CANARY not in str(refused.value)
        else:
            seen = repr(await row.call(world, account))
            if expected is Outcome.BLIND:
                for secret in (CANARY, world.owner.id, world.conversation.id, world.collection.id, world.document.id):
                    assert secret not in seen
