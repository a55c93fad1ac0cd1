"""What every `StoredLogIn` does, written once: a backend's test class gives the fixture `open_log_in`."""

import asyncio
from collections.abc import Callable
from typing import Any

from multidb_chat.domain.signing_in import StoredLogIn, Tokens
from tests.contracts import processes

OpenLogIn = Callable[[], StoredLogIn]

ONE, OTHER = Tokens("access 1", "refresh 1"), Tokens("access 2", "refresh 2")


async def count_up(open_log_in: OpenLogIn, times: int) -> None:
    """Read, add one, and store, under the lock."""
    stored = open_log_in()
    processes.starting_line()
    for _ in range(times):
        async with stored.locked():
            tokens: Any = await stored.load()
            await stored.store(Tokens(str(int(tokens.access) + 1), ""))


class StoredLogInContract:
    """Give it a fixture `open_log_in`: a picklable function that opens the same, at first empty, place."""

    async def test_what_was_stored_last_is_there_until_it_is_cleared(self, open_log_in: OpenLogIn):
        stored = open_log_in()
        assert (await stored.load(), await stored.remembered()) == (None, None)
        for tokens in (ONE, OTHER):
            await stored.store(tokens)
            assert (await open_log_in().load(), await stored.remembered()) == (tokens, "account")
        await stored.clear()
        assert (await stored.load(), await open_log_in().remembered()) == (None, None)
        await stored.clear()

    async def test_a_guest_is_remembered_without_tokens(self, open_log_in: OpenLogIn):
        stored = open_log_in()
        await stored.store(ONE)
        await stored.remember_guest()
        assert (await open_log_in().load(), await stored.remembered()) == (None, "guest")
        await stored.store(OTHER)
        assert (await open_log_in().load(), await stored.remembered()) == (OTHER, "account")

    async def test_one_at_a_time_holds_the_lock(self, open_log_in: OpenLogIn):
        one, other = open_log_in(), open_log_in()
        order: list[str] = []

        async def hold(stored: StoredLogIn, name: str) -> None:
            async with stored.locked():
                order.append(name)
                await asyncio.sleep(0)
                order.append(name)

        await asyncio.gather(*(hold(stored, name) for stored, name in ((one, "a"), (other, "b"), (one, "c"))))
        assert [order[at] for at in (0, 2, 4)] == [order[at] for at in (1, 3, 5)]

    async def test_processes_change_it_one_after_the_other(self, open_log_in: OpenLogIn):
        await open_log_in().store(Tokens("0", ""))
        processes.race([processes.start(count_up, open_log_in, 10) for _ in range(3)])
        tokens = await open_log_in().load()
        assert tokens is not None
        assert tokens.access == "30"

    def test_tokens_are_not_shown(self):
        assert "access 1" not in repr(ONE)
        assert "refresh 1" not in repr(ONE)
