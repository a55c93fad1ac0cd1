"""The journal under `kill -9` and on a full disk: nothing acknowledged is missing, nothing is there twice."""

import asyncio
import random
from collections import Counter
from pathlib import Path

import pytest

from multidb_chat.domain.conversations import Conversation, Message
from multidb_chat.domain.errors import StoreFull
from tests.contracts.conversations_processes import NOW
from tests.contracts.processes import killed_after, say, start
from tests.faults.test_sqlite_full import disk, fill
from tests.unit.services.resilience.outages import House, Switch, a_house

__all__ = ["disk"]

LANES = 6
ROUNDS = 6


def a_message(lane: int, number: int) -> Message:
    return Message(f"{number:06}", f"lane{lane}", "ada", "user", f"{number}", NOW)


async def chat_without_end(folder: Path, seed: int, round_: int) -> None:
    """Say something in several conversations at once, from a store that comes and goes, until the process is killed."""
    chance = random.Random(seed)
    house = House(folder)
    house.conversations._wake = house.replayer.wake

    async def come_and_go() -> None:
        while True:
            await asyncio.sleep(chance.uniform(0, 0.02))
            house.switch.away = not house.switch.away

    async def talk(lane: int) -> None:
        if not round_:
            await house.conversations.put_conversation(Conversation(f"lane{lane}", "ada", "", NOW))
        number = round_ * 10_000
        while True:
            await house.conversations.append(a_message(lane, number))
            say(f"{lane}/{number}")
            number += 1

    house.replayer._pause = lambda: asyncio.sleep(0.005)
    await asyncio.gather(come_and_go(), *map(talk, range(LANES)))


async def test_killed_at_many_moments_nothing_acknowledged_is_lost_or_doubled_and_the_order_stays(tmp_path: Path):
    moments = random.Random(20260228)
    acknowledged: set[str] = set()
    for round_ in range(ROUNDS):
        process = start(chat_without_end, tmp_path, round_, round_)
        acknowledged |= set(killed_after(process, LANES + moments.randrange(120)))
    async with a_house(tmp_path) as house:
        assert await house.replayer.drain()
        assert await house.refused() == []
        for lane in range(LANES):
            stored = [int(one.id) for one in await house.behind.messages(f"lane{lane}", limit=100_000)]
            assert {f"{lane}/{number}" for number in stored} >= {one for one in acknowledged if one[0] == str(lane)}
            assert max(Counter(stored).values()) == 1
            for round_ in range(ROUNDS):  # whoever said a thing had said all before it
                said = [number for number in stored if number // 10_000 == round_]
                assert said == list(range(round_ * 10_000, round_ * 10_000 + len(said)))


async def test_on_a_full_disk_nothing_is_acknowledged_and_what_was_goes_on_waiting(disk: Path, tmp_path: Path):
    (disk / "folder").mkdir()
    (disk / "films").write_bytes(b"x" * 400_000)
    switch = Switch()
    async with a_house(tmp_path) as behind, a_house(disk / "folder", switch) as house:
        house.store._store = behind.behind  # type: ignore[attr-defined]  # the store has a disk of its own
        await house.conversations.put_conversation(Conversation("lane0", "ada", "", NOW))
        switch.away = True
        kept: list[str] = []

        async def talk() -> None:
            for number in range(10_000):
                await house.conversations.append(Message(f"{number:06}", "lane0", "ada", "user", "x" * 5_000, NOW))
                kept.append(f"{number:06}")

        with pytest.raises(StoreFull, match="No space is left for the journal file"):
            await talk()
        assert len(kept) > 9
        fill(disk)
        with pytest.raises(StoreFull):
            await house.conversations.append(a_message(0, 999_999))
        for away in (True, False):
            switch.away = away
            assert [one.id for one in await house.conversations.messages("lane0", limit=10_000)] == kept
        (disk / "films").unlink()
        assert await house.replayer.drain()
        assert [one.id for one in await behind.behind.messages("lane0", limit=10_000)] == kept
        switch.away = True
        await house.conversations.append(a_message(0, 999_999))


async def test_a_process_that_is_killed_while_it_replays_leaves_the_rest_to_another(tmp_path: Path):
    switch = Switch()
    async with a_house(tmp_path, switch) as house:
        await house.conversations.put_conversation(Conversation("lane0", "ada", "", NOW))
        switch.away = True
        for number in range(300):
            await house.conversations.append(a_message(0, number))
    for words in (1, 2, 3):
        killed_after(start(replay_slowly, tmp_path), words)
    async with a_house(tmp_path) as house:
        assert await house.replayer.drain()
        stored = [one.id for one in await house.behind.messages("lane0", limit=1_000)]
        assert stored == [f"{number:06}" for number in range(300)]


async def replay_slowly(folder: Path) -> None:
    """Do what waits, and say so behind each step, until the process is killed."""
    house = House(folder)
    remove = house.journal.remove

    async def told(seqs) -> None:
        say("stored")
        await remove(seqs)
        say("removed")

    house.journal.remove = told  # type: ignore[method-assign]
    await house.replayer.drain()
    say("done")
    say("done")
