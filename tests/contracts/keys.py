"""What every `Keys` does, written once: a backend's test class gives the fixture `open_keys`."""

from collections.abc import Callable

from multidb_chat.domain.keys import Key, Keys
from tests.contracts import processes

OpenKeys = Callable[[], Keys]


async def use_keys(open_keys: OpenKeys) -> None:
    """Say the first audit key, and rotate the one for tokens a few times."""
    keys = open_keys()
    processes.starting_line()
    processes.say((await keys.current("audit")).secret.hex())
    for _ in range(5):
        processes.say((await keys.rotate("tokens")).secret.hex())


class KeysContract:
    """Give it a fixture `open_keys`: a picklable function that opens the same, at first empty, store of keys."""

    async def test_a_key_is_made_the_first_time_and_stays(self, open_keys: OpenKeys):
        key = await open_keys().current("audit")
        assert len(key.secret) == 32
        assert await open_keys().current("audit") == key
        assert await open_keys().keys("audit") == [key]
        assert await open_keys().key("audit", key.kid) == key
        assert await open_keys().key("audit", "unknown") is None

    async def test_purposes_have_keys_of_their_own(self, open_keys: OpenKeys):
        keys = open_keys()
        made = [await keys.current("audit"), await keys.current("tokens"), await keys.current("pepper")]
        assert len({key.secret for key in made}) == len({key.kid for key in made}) == 3
        assert await keys.key("audit", made[1].kid) is None

    async def test_a_rotated_key_is_the_current_one_everywhere_and_the_older_one_is_kept(self, open_keys: OpenKeys):
        keys, other = open_keys(), open_keys()
        first = await other.current("tokens")
        audit = await other.current("audit")
        second = await keys.rotate("tokens")
        assert await other.current("tokens") == second != first
        assert await other.keys("tokens") == [first, second]
        assert await other.key("tokens", first.kid) == first
        assert await other.current("audit") == audit

    async def test_rotating_makes_a_key_where_there_is_none(self, open_keys: OpenKeys):
        made = await open_keys().rotate("pepper")
        assert await open_keys().keys("pepper") == [made]

    async def test_processes_that_start_at_once_have_the_same_key_and_lose_none(self, open_keys: OpenKeys):
        said = processes.race([processes.start(use_keys, open_keys) for _ in range(3)])
        assert len({words[0] for words in said}) == 1
        kept = [key.secret.hex() for key in await open_keys().keys("tokens")]
        assert sorted(kept) == sorted(word for words in said for word in words[1:])
        assert len({key.kid for key in await open_keys().keys("tokens")}) == 15

    def test_a_key_is_not_shown(self):
        assert "secret" not in repr(Key("audit-1", b"secret"))
