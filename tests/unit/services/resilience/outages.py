"""Stores that are away when a test says so, and a journal before them."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from multidb_chat.adapters.sqlite.conversations import SqliteConversations
from multidb_chat.adapters.sqlite.journal import SqliteJournal
from multidb_chat.domain.conversations import Conversations
from multidb_chat.domain.errors import StoreUnavailable
from multidb_chat.services.resilience.breaker import Breaker
from multidb_chat.services.resilience.guard import DEADLINE, Guard
from multidb_chat.services.resilience.guarded import guarded
from multidb_chat.services.resilience.journaled_conversations import ClosableConversations, JournaledConversations
from multidb_chat.services.resilience.ports import CONVERSATIONS
from multidb_chat.services.resilience.replaying import Replayer
from multidb_chat.services.resilience.talk_entries import STORE
from multidb_chat.services.resilience.talk_replay import TalkReplay

T = TypeVar("T")


class Switch(Guard):
    """Lets every call through or, while `away`, none; `lost` lets a call through and then says that it failed."""

    def __init__(self, store: str = "conversations") -> None:
        super().__init__(Breaker(store))
        self.away = False
        self.lost = False
        self.calls = 0

    async def call(
        self, work: Callable[[], Coroutine[Any, Any, T]], *, deadline: float = DEADLINE, again: bool = False
    ) -> T:
        self.calls += 1
        if self.away:
            raise StoreUnavailable(self.breaker.store, "It is away.")
        result = await work()
        if self.lost:
            raise StoreUnavailable(self.breaker.store, "The answer was lost.")
        return result


class House:
    """One process's view: a store behind a switch, the journal, and what does what waits when a test says so."""

    def __init__(self, folder: Path, switch: Switch | None = None) -> None:
        self.switch = switch or Switch()
        self.behind = SqliteConversations(folder / "conversations.db")
        self.store: ClosableConversations = guarded(self.behind, CONVERSATIONS, self.switch)
        self.journal = SqliteJournal(folder / "journal.db")
        self.replayer = Replayer(self.journal, STORE, TalkReplay(self.store))
        self.conversations = JournaledConversations(self.store, self.journal)

    async def close(self) -> None:
        await self.replayer.close()
        await self.conversations.close()
        await self.journal.close()

    async def waiting(self) -> int:
        return (await self.journal.backlog(STORE)).waiting

    async def refused(self) -> list[str]:
        return [entry.refusal for entry in await self.journal.refused(STORE)]


@asynccontextmanager
async def a_house(folder: Path, switch: Switch | None = None) -> AsyncIterator[House]:
    house = House(folder, switch)
    try:
        yield house
    finally:
        await house.close()


@asynccontextmanager
async def conversations_in(folder: Path) -> AsyncIterator[Conversations]:
    async with a_house(folder) as house:
        yield house.conversations
