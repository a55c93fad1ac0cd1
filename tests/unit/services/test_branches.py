"""Branches of conversations on the embedded store."""

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from multidb_chat.adapters.sqlite.conversations import SqliteConversations
from multidb_chat.domain.accounts import Account
from multidb_chat.domain.conversations import Conversation, Message
from multidb_chat.domain.errors import InvalidInput, NotFound
from multidb_chat.domain.ids import new_id
from multidb_chat.services.branches import Branches
from multidb_chat.services.history import History
from multidb_chat.services.recalling.summary import Summary, as_message, summary_in
from tests.unit.services.recording import Recorder

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ADA = Account("ada", "user", "free", NOW)
EVE = Account("eve", "admin", "free", NOW)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteConversations]:
    store = SqliteConversations(tmp_path / "conversations.db")
    yield store
    await store.close()


@pytest.fixture
def history(store: SqliteConversations) -> History:
    return History(store, Recorder)


@pytest.fixture
def branches(store: SqliteConversations, history: History) -> Branches:
    return Branches(history, store)


async def say(history: History, talk: Conversation, parent: str | None = None, words: str = "Why?") -> tuple[str, str]:
    """Ask and answer; return both ids."""
    question = Message(new_id(), talk.id, talk.account_id, "user", words, NOW, parent)
    answer = Message(new_id(), talk.id, talk.account_id, "assistant", f"On {words}", NOW, question.id)
    await history.append_turn(ADA, talk.id, question, answer)
    return question.id, answer.id


async def test_an_empty_conversation_has_an_empty_branch(history: History, branches: Branches):
    talk = await history.start(ADA, "Tides")
    shown = await branches.shown(ADA, talk.id)
    assert (shown.ids, shown.turns, shown.siblings) == ((), (), {})
    with pytest.raises(InvalidInput, match="nothing to fork"):
        await branches.fork(ADA, talk.id)


async def test_the_branch_that_grew_last_is_shown_until_another_is_chosen(history: History, branches: Branches):
    talk = await history.start(ADA, "Tides")
    first = await say(history, talk)
    second = await say(history, talk, first[1])
    third = await say(history, talk, second[1])
    edited = await say(history, talk, first[1])
    both = (second[0], edited[0])
    shown = await branches.shown(ADA, talk.id)
    assert (shown.ids, shown.siblings) == ((*first, *edited), {edited[0]: both})
    assert await branches.siblings(ADA, talk.id, second[0]) == both
    chosen = await branches.choose(ADA, talk.id, second[0])
    assert (chosen.ids, chosen.siblings) == ((*first, *second, *third), {second[0]: both})
    assert chosen.turns == (first, second, third)
    assert (await branches.shown(ADA, talk.id)) == chosen


async def test_another_first_question_is_a_sibling_of_the_first(history: History, branches: Branches):
    talk = await history.start(ADA, "Tides")
    first, again = await say(history, talk), await say(history, talk)
    shown = await branches.shown(ADA, talk.id)
    assert (shown.ids, shown.siblings) == (again, {again[0]: (first[0], again[0])})


async def test_where_the_chosen_end_is_unknown_the_latest_branch_is_shown(
    history: History, branches: Branches, store: SqliteConversations
):
    talk = await history.start(ADA, "Tides")
    first = await say(history, talk)
    for head in (None, "gone"):
        await store.change_conversation("ada", talk.id, head=head)
        assert (await branches.shown(ADA, talk.id)).ids == first


async def test_messages_that_answer_to_each_other_end_a_branch(branches: Branches, history: History, store: Any):
    talk = await history.start(ADA, "Tides")
    for key, parent in (("m1", "m2"), ("m2", "m1")):
        await store.append(Message(key, talk.id, "ada", "user", "Round", NOW, parent))
    assert (await branches.shown(ADA, talk.id)).ids == ("m1", "m2")
    assert (await branches.choose(ADA, talk.id, "m1")).ids == ("m1", "m2")


async def test_a_fork_is_a_copy_that_goes_its_own_way(history: History, branches: Branches, store: SqliteConversations):
    talk = await history.start(ADA, "Tides")
    first = await say(history, talk, words="One")
    second = await say(history, talk, first[1], "Two")
    await say(history, talk, second[1], "Three")
    made = await branches.fork(ADA, talk.id, second[1])
    assert (made.forked_from, made.title, made.deleted_at, made.unread) == (talk.id, "One (fork)", None, False)
    shown = await branches.shown(ADA, made.id)
    copies = await branches.messages(ADA, made.id, shown.ids)
    assert [message.body for message in copies] == ["One", "On One", "Two", "On Two"]
    assert [message.parent_id for message in copies] == [None, *(message.id for message in copies[:-1])]
    originals = await branches.messages(ADA, talk.id, [*first, *second])
    assert [replace(one, id="", conversation_id="", parent_id=None) for one in copies] == [
        replace(one, id="", conversation_id="", parent_id=None) for one in originals
    ]
    await say(history, made, shown.ids[-1], "Four")
    assert len(await store.messages(talk.id)) == 6
    cut = await branches.shown(ADA, (await branches.fork(ADA, talk.id, second[0])).id)
    assert [len(turn) for turn in cut.turns] == [2, 1]
    whole = await branches.fork(ADA, talk.id)
    assert len(await store.messages(whole.id)) == 6


async def test_a_long_branch_is_forked_whole(history: History, branches: Branches, store: SqliteConversations):
    talk = await history.start(ADA, "Tides")
    keys = [new_id() for _ in range(1_203)]
    parents = [None, *keys]
    await store.append(*(Message(k, talk.id, "ada", "user", str(n), NOW, parents[n]) for n, k in enumerate(keys)))
    made = await branches.fork(ADA, talk.id)
    shown = await branches.shown(ADA, made.id)
    assert [m.body for m in await branches.messages(ADA, made.id, shown.ids)] == [str(n) for n in range(1_203)]


async def test_nobody_elses_branches_are_seen(history: History, branches: Branches):
    talk = await history.start(ADA, "Tides")
    question, answer = await say(history, talk)
    other = await history.start(EVE, "Theirs")

    async def all_refused(account: Account, key: str, message: str) -> None:
        for attempt in (
            branches.shown(account, key),
            branches.messages(account, key, [message]),
            branches.siblings(account, key, message),
            branches.choose(account, key, message),
            branches.fork(account, key, message),
            branches.export(account, key, "json"),
        ):
            with pytest.raises(NotFound):
                await attempt

    await all_refused(EVE, talk.id, question)
    assert await branches.messages(EVE, other.id, [question, answer]) == []
    for attempt in (branches.siblings, branches.choose, branches.fork):
        with pytest.raises(NotFound, match="no message"):
            await attempt(EVE, other.id, question)
    await history.delete(ADA, talk.id)
    await all_refused(ADA, talk.id, question)


async def test_a_branch_is_exported_to_read_and_the_tree_to_keep(
    history: History, branches: Branches, store: SqliteConversations
):
    talk = await history.start(ADA, "x")
    first = await say(history, talk, words="# One\n\nmore")
    await say(history, talk, first[1], "Two")
    shown = await say(history, talk, first[1], "Three")
    await history.rename(ADA, talk.id, "../Tides & ebb: \x1b[31m/etc/passwd")
    markdown, whole = [await branches.export(ADA, talk.id, form) for form in ("md", "json")]
    assert (markdown.name, whole.name) == ("tides-ebb-etc-passwd.md", "tides-ebb-etc-passwd.json")
    text = markdown.content.decode()
    assert text.startswith("# ../Tides & ebb: /etc/passwd\n")
    assert "> **# One**\n>\n> **more**" in text
    assert "Three" in text
    assert "Two" not in text
    record = json.loads(whole.content)
    assert (record["id"], record["title"], record["head"]) == (talk.id, "../Tides & ebb: /etc/passwd", shown[1])
    read = [
        Message(
            one["id"], record["id"], "ada", one["role"], one["body"], datetime.fromisoformat(one["created_at"]),
            one["parent_id"], json.dumps(one["answer"]) if one["answer"] else "",
        )
        for one in record["messages"]
    ]  # fmt: skip
    assert read == await store.messages(talk.id)


TALKS = st.integers(0, 3)
PLACES = st.integers(0, 30)


class BranchesMachine(RuleBasedStateMachine):
    """Any order of turns, choices, forks, deletions and undos leaves what plain dictionaries say."""

    @initialize()
    def begin(self) -> None:
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp())
        self.store = SqliteConversations(self.folder / "conversations.db")
        self.history = History(self.store, Recorder, kept=timedelta(days=1), clock=lambda: NOW)
        self.branches = Branches(self.history, self.store)
        self.talks: dict[str, dict[str, str | None]] = {}
        self.words: dict[str, str] = {}
        self.heads: dict[str, str] = {}
        self.archived: set[str] = set()
        self.deleted: set[str] = set()

    def teardown(self) -> None:
        self.runner.run(self.store.close())
        self.runner.close()
        shutil.rmtree(self.folder)

    def living(self) -> list[str]:
        return [key for key in self.talks if key not in self.deleted]

    def one(self, n: int) -> str:
        return self.living()[n % len(self.living())]

    def path(self, key: str, at: str | None) -> list[str]:
        found: list[str] = []
        while at is not None:
            found.insert(0, at)
            at = self.talks[key][at]
        return found

    @rule()
    def start(self) -> None:
        self.talks[self.runner.run(self.history.start(ADA, "New")).id] = {}

    @precondition(lambda self: self.living())
    @rule(n=TALKS, place=PLACES, word=st.sampled_from(["tide", "moon", "sail"]))
    def ask(self, n: int, place: int, word: str) -> None:
        key = self.one(n)
        answers = [None, *(m for m, parent in self.talks[key].items() if parent is not None)]
        answers = [m for m in answers if m is None or self.words[m].startswith("On")]
        parent = answers[place % len(answers)]
        talk = self.runner.run(self.history.open(ADA, key))
        question, answer = self.runner.run(say(self.history, talk, parent, word))
        self.talks[key] |= {question: parent, answer: question}
        self.words |= {question: word, answer: f"On {word}"}
        self.heads[key] = answer

    @precondition(lambda self: any(self.talks[key] for key in self.living()))
    @rule(n=TALKS, place=PLACES)
    def choose(self, n: int, place: int) -> None:
        key = self.one(n)
        if not self.talks[key]:
            return
        chosen = sorted(self.talks[key])[place % len(self.talks[key])]
        below = [m for m in self.talks[key] if chosen in self.path(key, m)]
        self.heads[key] = max(below)
        assert list(self.runner.run(self.branches.choose(ADA, key, chosen)).ids) == self.path(key, self.heads[key])

    @precondition(lambda self: any(self.talks[key] for key in self.living()))
    @rule(n=TALKS, place=PLACES)
    def fork(self, n: int, place: int) -> None:
        key = self.one(n)
        if not self.talks[key]:
            return
        at = sorted(self.talks[key])[place % len(self.talks[key])]
        made = self.runner.run(self.branches.fork(ADA, key, at))
        copies = self.runner.run(self.store.messages(made.id, limit=100))
        assert [m.body for m in copies] == [self.words[m] for m in self.path(key, at)]
        self.talks[made.id] = {m.id: m.parent_id for m in copies}
        self.words |= {m.id: m.body for m in copies}
        self.heads[made.id] = copies[-1].id

    @precondition(lambda self: self.living())
    @rule(n=TALKS, archived=st.booleans())
    def archive(self, n: int, archived: bool) -> None:
        key = self.one(n)
        self.runner.run(self.history.archive(ADA, key, archived))
        (self.archived.add if archived else self.archived.discard)(key)

    @precondition(lambda self: self.living())
    @rule(n=TALKS)
    def delete(self, n: int) -> None:
        key = self.one(n)
        self.runner.run(self.history.delete(ADA, key))
        self.deleted.add(key)

    @precondition(lambda self: self.deleted)
    @rule(n=TALKS)
    def undelete(self, n: int) -> None:
        key = sorted(self.deleted)[n % len(self.deleted)]
        self.runner.run(self.history.undelete(ADA, key))
        self.deleted.remove(key)

    @rule(days=st.integers(0, 1))
    def expire(self, days: int) -> None:
        assert self.runner.run(self.history.expire_deleted(NOW + timedelta(days=days))) == days * len(self.deleted)
        if days:
            for key in self.deleted:
                del self.talks[key]
            self.deleted.clear()

    @invariant()
    def all_is_as_in_the_model(self) -> None:
        self.runner.run(self.compare())

    async def compare(self) -> None:
        for archived in (False, True):
            listed = [key for key in self.living() if (key in self.archived) is archived]
            assert [c.id for c in await self.history.list(ADA, archived=archived)] == sorted(listed, reverse=True)
            found = await self.history.search(ADA, "moon", archived=archived)
            with_moon = [key for key in listed if any("moon" in self.words[m] for m in self.talks[key])]
            titled = {f.conversation.id for f in found if f.message is None}
            assert {f.conversation.id for f in found} - titled == set(with_moon)
        assert {c.id for c in await self.history.list(ADA, deleted=True)} == self.deleted
        for key in self.living():
            branch = await self.branches.shown(ADA, key)
            assert list(branch.ids) == self.path(key, self.heads.get(key))
            for message, all_ in branch.siblings.items():
                parent = self.talks[key][message]
                assert list(all_) == sorted(m for m, p in self.talks[key].items() if p == parent)


TestBranchesMachine = BranchesMachine.TestCase
TestBranchesMachine.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)


def summed_up(text: str, until: str, talk: Conversation) -> Message:
    return as_message(Summary(text, 1, until, "scripted:one"), talk.id, talk.account_id)


async def test_a_summary_is_no_answer_no_sibling_and_no_end_of_a_branch(
    history: History, branches: Branches, store: SqliteConversations
):
    talk = await history.start(ADA, "Tides")
    first, said = await say(history, talk)
    second, last = await say(history, talk, said)
    await store.append(summed_up("Tides were asked.", said, talk), summed_up("All.", last, talk))
    shown = await branches.shown(ADA, talk.id)
    assert shown.ids == (first, said, second, last)
    assert (shown.siblings, shown.turns) == ({}, ((first, said), (second, last)))
    assert (await branches.choose(ADA, talk.id, first)).ids == shown.ids
    headless = await history.start(ADA, "Moons")
    asked = Message(new_id(), headless.id, ADA.id, "user", "Why?", NOW)
    await store.append(asked)
    await store.append(summed_up("Nothing yet.", asked.id, headless))
    assert (await branches.shown(ADA, headless.id)).ids == (asked.id,)


async def test_a_fork_takes_along_the_summary_of_what_it_copies(
    history: History, branches: Branches, store: SqliteConversations
):
    talk = await history.start(ADA, "Tides")
    _, said = await say(history, talk)
    _, last = await say(history, talk, said)
    await store.append(summed_up("First.", said, talk), summed_up("All of it.", last, talk))
    await store.append(summed_up("Second.", said, talk))
    for until, text in ((said, "Second."), (last, "All of it.")):
        made = await branches.fork(ADA, talk.id, until)
        messages = await store.messages(made.id)
        (summary,) = [one for message in messages if (one := summary_in(message)) is not None]
        assert (summary.text, summary.until) == (text, made.head)


async def test_a_summary_is_exported_with_what_it_sums_up(
    history: History, branches: Branches, store: SqliteConversations
):
    talk = await history.start(ADA, "Tides")
    _, said = await say(history, talk)
    await store.append(summed_up("Tides were asked.", said, talk))
    tree = json.loads((await branches.export(ADA, talk.id, "json")).content)
    assert [one["role"] for one in tree["messages"]] == ["user", "assistant", "notice"]
    assert tree["messages"][-1]["summary"]["text"] == "Tides were asked."
    assert b"summed" not in (await branches.export(ADA, talk.id, "md")).content.lower()
