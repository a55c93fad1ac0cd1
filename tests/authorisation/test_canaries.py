"""Two accounts and a guest ask, search, list and export at random; nobody ever meets a word of anybody else.

`MULTIDB_CHAT_CANARIES=10000` is the long form; without it a few hundred tries are made.
"""

import os
import random
import zipfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from multidb_chat.bootstrap import Application
from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import InvalidInput, NotPermitted
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.library import Collection
from multidb_chat.domain.search import SearchFilters
from multidb_chat.services.accounts import utc_now
from multidb_chat.services.ingesting.sources import Given
from multidb_chat.settings import load_settings
from tests.unit.services.ingesting import HashingEmbedder

TRIES = int(os.environ.get("MULTIDB_CHAT_CANARIES", "300"))
CANARIES = {"ada": "Zorblax", "bob": "Quiverton", "guest": "Mumblefjord"}
PLACES = ("harbour", "lighthouse", "ferry", "museum", "bakery")
# No question names a canary: what comes back with one was found, not asked.
QUESTIONS = ("Where is the {}?", "Who has a key of the {}?", "{}", "What is open?", "Tell me about the {} and its key.")


@dataclass
class Person:
    """An account with what is its own."""

    name: str
    account: Account
    collection: Collection | None = None
    documents: list[str] = field(default_factory=list)
    conversations: list[str] = field(default_factory=list)

    @property
    def canary(self) -> str:
        """The word that is in everything of this person's."""
        return CANARIES[self.name]


class House:
    """An installation with two accounts and a guest."""

    def __init__(self, app: Application, folder: Path) -> None:
        self.app = app
        self.folder = folder
        self.people: list[Person] = []

    async def furnish(self) -> None:
        for name in CANARIES:
            role = "guest" if name == "guest" else "user"
            email = None if role == "guest" else f"{CANARIES[name]}@example.org"
            account = Account(new_id(), role, "enterprise", utc_now(), email)  # type: ignore[arg-type]
            await self.app.accounts.create_account(account)
            person = Person(name, account)
            self.people.append(person)
            if role == "user":
                await self._add_documents(person)
            talk = await self.app.history.start(account, f"{person.canary} talk")
            person.conversations.append(talk.id)

    async def _add_documents(self, person: Person) -> None:
        person.collection = await self.app.documents.create_collection(person.account, "papers")
        text = "# The {place}\n\nThe {place} of {name} is open; {name} has a key."
        texts = [Given(f"{place}.md", text.format(place=place, name=person.canary).encode()) for place in PLACES]
        async for _ in self.app.ingestion.add(person.account, person.collection, texts):
            pass
        person.documents = [one.id for one in await self.app.documents.list(person.account, [person.collection])]


class Tries:
    """What anybody may try; each returns all that came back. `other` is whose things are aimed at."""

    def __init__(self, house: House, chance: random.Random) -> None:
        self.house = house
        self.app = house.app
        self.chance = chance

    def question(self) -> str:
        return self.chance.choice(QUESTIONS).format(self.chance.choice(PLACES))

    async def asks(self, who: Person, other: Person) -> Any:
        """Ask in the own or in somebody else's conversation, of what may be searched or of somebody's collection."""
        collections = await self.app.documents.resolve(who.account, [])
        if other.collection is not None and self.chance.random() < 0.3:
            collections = [other.collection]
        talk = self.chance.choice([*who.conversations, *other.conversations])
        events = self.app.chat.respond(
            who.account, self.question(), collections=collections, conversation_id=talk,
            use_cache=self.chance.random() < 0.7,
        )  # fmt: skip
        return [event async for event in events]

    async def searches(self, who: Person, other: Person) -> Any:
        allowed = await self.app.documents.resolve(who.account, [])
        filters = SearchFilters(tuple(one.id for one in allowed), tuple(other.documents[: self.chance.randint(0, 2)]))
        return await self.app.retrieval.search(self.question(), filters)

    async def looks_at_documents(self, who: Person, other: Person) -> Any:
        if not other.documents:
            return await self.app.documents.list(who.account)
        key = self.chance.choice(other.documents)
        ways: list[Callable[[], Awaitable[Any]]] = [
            lambda: self.app.documents.show(who.account, key),
            lambda: self.app.documents.passage(who.account, key, 0, 30),
            lambda: self.app.documents.export(who.account, key, "json"),
            lambda: self.app.documents.list(who.account),
            lambda: self.app.documents.collections(who.account),
        ]
        return await self.chance.choice(ways)()

    async def looks_at_conversations(self, who: Person, other: Person) -> Any:
        talk = self.chance.choice(other.conversations)
        ways: list[Callable[[], Awaitable[Any]]] = [
            lambda: self.app.history.page(who.account, talk),
            lambda: self.app.history.search(who.account, "talk"),
            lambda: self.app.history.all(who.account),
            lambda: self.app.branches.export(who.account, talk, "json"),
        ]
        return await self.chance.choice(ways)()

    async def exports(self, who: Person, other: Person) -> Any:
        path = self.house.folder / f"{new_id()}.zip"
        await self.app.account_export.write(who.account, path)
        with zipfile.ZipFile(path) as archive:
            return [archive.read(name).decode() for name in archive.namelist()]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    settings = load_settings(environ={"MULTIDB_CHAT_HOME": str(tmp_path)}, overrides={"search.threshold": 0.0})
    app = Application(settings)
    app.embedders.use(HashingEmbedder())
    house = House(app, tmp_path)
    await house.furnish()
    yield house
    await app.close()


async def test_nobody_ever_meets_what_is_somebody_else_s(house: House) -> None:
    chance = random.Random(4711)
    tries = Tries(house, chance)
    # An export takes as long as many questions.
    ways = [tries.asks, tries.searches, tries.looks_at_documents, tries.looks_at_conversations] * 5 + [tries.exports]
    met: Counter[str] = Counter()
    for _ in range(TRIES):
        way, who, other = chance.choice(ways), chance.choice(house.people), chance.choice(house.people)
        try:
            seen = repr(await way(who, other))
        except (NotPermitted, InvalidInput) as error:
            seen = str(error)
        for person in house.people:
            if person is who:
                met[way.__name__] += person.canary in seen
            else:
                assert person.canary not in seen, (way.__name__, who.name, other.name)
    # Else it would pass although nothing is found at all.
    assert min(met[way.__name__] for way in ways) > 0
