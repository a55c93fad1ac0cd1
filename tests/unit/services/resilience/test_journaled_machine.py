"""Any order of writes, outages, lost answers, replays and restarts leaves the conversations as without any outage."""

import asyncio
import shutil
import tempfile
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from multidb_chat.domain.conversations import Changes, Conversation, Feedback, Message
from tests.contracts.conversations_machine import changed_as_told
from tests.contracts.conversations_processes import NOW
from tests.unit.services.resilience.outages import Switch, a_house

CONVERSATIONS = ("c1", "c2", "c3")
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "title": st.sampled_from(["One", "Two"]),
        "renamed": st.booleans(),
        "last_activity": st.integers(0, 5).map(lambda n: NOW + timedelta(minutes=n)),
        "archived": st.booleans(),
        "read_at": st.integers(0, 5).map(lambda n: NOW + timedelta(minutes=n)),
    },
)


class OutageMachine(RuleBasedStateMachine):
    """One process writes; its store comes and goes. What waits is replayed now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp())
        self.switch = Switch()
        self.talks: dict[str, Conversation] = {}
        self.messages: dict[str, dict[str, Message]] = {key: {} for key in CONVERSATIONS}
        self.ratings: dict[str, Feedback] = {}
        self.count = 0

    @initialize()
    def begin(self) -> None:
        self.stack = AsyncExitStack()
        self.house = self.runner.run(self.stack.enter_async_context(a_house(self.folder, self.switch)))
        self.store = self.house.conversations

    @precondition(lambda self: not self.switch.away and not self.switch.lost)
    @rule()
    def restart(self) -> None:
        self.runner.run(self.stack.aclose())
        self.begin()

    @rule(away=st.booleans(), lost=st.booleans())
    def come_or_go(self, away: bool, lost: bool) -> None:
        self.switch.away, self.switch.lost = away, lost

    @rule()
    def replay(self) -> None:
        self.runner.run(self.house.replayer.drain())

    @rule(key=st.sampled_from(CONVERSATIONS))
    def begin_conversation(self, key: str) -> None:
        if key not in self.talks:
            self.talks[key] = Conversation(key, "ada", "New", NOW)
            self.runner.run(self.store.put_conversation(self.talks[key]))

    @precondition(lambda self: self.talks)
    @rule(data=st.data(), changes=CHANGES)
    def change(self, data: st.DataObject, changes: Changes) -> None:
        key = data.draw(st.sampled_from(sorted(self.talks)))
        self.talks[key] = changed_as_told(self.talks[key], changes)
        assert self.runner.run(self.store.change_conversation("ada", key, **changes)) == self.talks[key]

    @precondition(lambda self: self.talks)
    @rule(data=st.data(), several=st.integers(1, 3))
    def say(self, data: st.DataObject, several: int) -> None:
        key = data.draw(st.sampled_from(sorted(self.talks)))
        said = [self.a_message(key) for _ in range(several)]
        self.messages[key] |= {one.id: one for one in said}
        self.runner.run(self.store.append(*said))

    def a_message(self, key: str) -> Message:
        self.count += 1
        return Message(f"{self.count:04}", key, "ada", "user", f"Body {self.count}", NOW, None, "{}")

    @precondition(lambda self: any(self.messages.values()))
    @rule(data=st.data(), rating=st.integers(-1, 1))
    def rate(self, data: st.DataObject, rating: int) -> None:
        one = data.draw(st.sampled_from([m for some in self.messages.values() for m in some.values()]))
        self.count += 1
        given = Feedback(f"{self.count:04}", "ada", rating, "", NOW, one.conversation_id, one.id)
        self.ratings[one.id] = given
        self.runner.run(self.store.put_feedback(given))

    @precondition(lambda self: self.talks)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.talks)))
        del self.talks[key]
        gone = self.messages.pop(key)
        self.messages[key] = {}
        self.ratings = {id_: given for id_, given in self.ratings.items() if id_ not in gone}
        self.runner.run(self.store.delete_conversation(key))

    @invariant()
    def what_was_said_is_read(self) -> None:
        self.runner.run(self.compare())

    async def compare(self) -> None:
        for key, talk in self.talks.items():
            assert await self.store.conversation(key) == talk
            assert await self.store.messages(key, limit=1_000) == list(self.messages[key].values())
        if self.talks:
            shown = [one for one in self.talks.values() if not one.archived]
            assert await self.store.conversations("ada") == sorted(shown, key=lambda one: one.id, reverse=True)

    def teardown(self) -> None:
        self.switch.away = self.switch.lost = False
        self.runner.run(self.settle())
        self.runner.run(self.stack.aclose())
        self.runner.close()
        shutil.rmtree(self.folder)

    async def settle(self) -> None:
        """Replay all, and compare with what is in the store itself."""
        assert await self.house.replayer.drain()
        assert await self.house.refused() == []
        for key in CONVERSATIONS:
            assert await self.house.behind.conversation(key) == self.talks.get(key)
            assert await self.house.behind.messages(key, limit=1_000) == list(self.messages[key].values())
            given = [self.ratings[id_] for id_ in self.messages[key] if id_ in self.ratings]
            found = await self.house.behind.feedback_to("ada", key, list(self.messages[key]))
            assert found == sorted(given, key=lambda one: one.id)


TestOutageMachine = OutageMachine.TestCase
TestOutageMachine.settings = settings(max_examples=15, stateful_step_count=30, deadline=None)
