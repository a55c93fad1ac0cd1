"""Any order of calls leaves a `Conversations` in the same state as plain dictionaries."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from multidb_chat.domain.conversations import (
    Changes,
    Conversation,
    Conversations,
    Feedback,
    KnowledgeEntry,
    Link,
    Message,
)
from multidb_chat.domain.errors import Conflict, NotFound
from multidb_chat.domain.words import words_of
from tests.contracts.conversations_processes import NOW

TALKS = st.sampled_from(["c1", "c2", "c3"])
OWNERS = st.sampled_from(["ada", "bob"])
KEYS = st.integers(0, 12).map(lambda n: f"{n:02}")
WORDS = st.text("ab \n\x00é🎉", max_size=4)
DAYS = st.integers(-1, 1).map(lambda n: NOW + timedelta(days=n))
LIMITS = st.integers(0, 5)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "title": WORDS,
        "renamed": st.booleans(),
        "last_activity": DAYS,
        "archived": st.booleans(),
        "head": st.none() | KEYS,
        "read_at": DAYS,
        "deleted_at": st.none() | DAYS,
    },
)


def changed_as_told(stored: Conversation, changes: Changes) -> Conversation:
    """Return the conversation with the changes, as the port's docstring specifies them."""
    new = replace(stored, **changes)
    if stored.renamed and not changes.get("renamed"):
        new = replace(new, title=stored.title)
    read_at = max((at for at in (stored.read_at, new.read_at) if at is not None), default=None)
    return replace(new, last_activity=max(stored.last_activity, new.last_activity), read_at=read_at)


def has(text: str, word: str) -> bool:
    """Tell whether a word of the text begins with the word."""
    return any(plain(one).startswith(plain(word)) for one in words_of(text))


def plain(word: str) -> str:
    return word.replace("é", "e")


class ConversationsMachine(RuleBasedStateMachine):
    """A backend gives `open`; opening again after closing finds what was stored."""

    def open(self) -> AbstractAsyncContextManager[Conversations]:
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.talks: dict[str, Conversation] = {}
        self.messages: dict[tuple[str, str], Message] = {}
        self.knowledge: dict[tuple[str, str], KnowledgeEntry] = {}
        self.uses: dict[tuple[str, str], int] = {}
        self.feedback: dict[str, Feedback] = {}

    @initialize()
    def begin(self) -> None:
        self.stack = AsyncExitStack()
        self.store = self.runner.run(self.stack.enter_async_context(self.open()))

    @rule()
    def open_again(self) -> None:
        self.runner.run(self.stack.aclose())
        self.begin()

    def teardown(self) -> None:
        self.runner.run(self.stack.aclose())
        self.runner.close()

    def meets(self, expected: object, call: Callable, *arguments: object) -> None:
        """Call the store: it returns what is expected, or raises it where that is an error's class."""
        try:
            outcome = self.runner.run(call(*arguments))
        except (NotFound, Conflict) as error:
            outcome = type(error)
        assert outcome == expected

    @rule(key=TALKS, owner=OWNERS, title=WORDS, at=DAYS, archived=st.booleans())
    def put_conversation(self, key: str, owner: str, title: str, at, archived: bool) -> None:
        new = Conversation(key, owner, title, at, archived, forked_from=title or None)
        stored = self.talks.get(key, new)
        self.meets(None if stored.account_id == owner else Conflict, self.store.put_conversation, new)
        if stored.account_id == owner:
            self.talks[key] = replace(new, forked_from=stored.forked_from)

    @rule(key=TALKS, owner=OWNERS, changes=CHANGES)
    def change_conversation(self, key: str, owner: str, changes: Changes) -> None:
        stored = self.talks.get(key)
        if stored is None or stored.account_id != owner:
            changed = None
        else:
            changed = self.talks[key] = changed_as_told(stored, changes)
        assert self.runner.run(self.store.change_conversation(owner, key, **changes)) == changed

    @rule(
        owner=OWNERS, words=st.lists(st.sampled_from(["a", "b", "ab", "bb", "é"]), max_size=3), archived=st.booleans()
    )
    def search(self, owner: str, words: list[str], archived: bool) -> None:
        found = self.runner.run(self.store.search_conversations(owner, words, archived=archived))
        expected = [talk for talk in self.listed(owner, archived) if words and self.has_all(talk, words)]
        assert [one.conversation for one in found] == expected
        for one in found:
            assert one.message == self.telling_message(one.conversation.id, words)

    def listed(self, owner: str, archived: bool) -> list[Conversation]:
        talks = [self.talks[key] for key in sorted(self.talks, reverse=True)]
        return [t for t in talks if (t.account_id, t.archived, t.deleted_at) == (owner, archived, None)]

    def has_all(self, talk: Conversation, words: list[str]) -> bool:
        texts = [talk.title, *(message.body for message in self.messages_of(talk.id))]
        return all(any(has(text, word) for text in texts) for word in words)

    def telling_message(self, talk: str, words: list[str]) -> Message | None:
        latest_first = self.messages_of(talk)[::-1]
        with_all = [m for m in latest_first if all(has(m.body, word) for word in words)]
        with_one = [m for m in latest_first if any(has(m.body, word) for word in words)]
        return next(iter([*with_all, *with_one]), None)

    @rule(key=TALKS)
    def delete_conversation(self, key: str) -> None:
        self.meets(self.talks.pop(key, None) is not None, self.store.delete_conversation, key)
        self.messages = {place: message for place, message in self.messages.items() if place[0] != key}
        self.feedback = {
            id_: given
            for id_, given in self.feedback.items()
            if given.conversation_id != key or given.message_id is None
        }

    @rule(talk=TALKS, key=KEYS, body=WORDS, parent=st.none() | KEYS)
    def append(self, talk: str, key: str, body: str, parent: str | None) -> None:
        message = Message(key, talk, "ada", "user", body, NOW, parent, body)
        self.meets(None if talk in self.talks else NotFound, self.store.append, message)
        if talk in self.talks:
            self.messages.setdefault((talk, key), message)

    @rule(talk=TALKS, before=KEYS | st.just(""), limit=LIMITS)
    def read_a_page(self, talk: str, before: str, limit: int) -> None:
        below = [m for m in self.messages_of(talk) if not before or m.id < before]
        self.meets(below[max(0, len(below) - limit) :], self.store.messages, talk, before, limit)

    def messages_of(self, talk: str) -> list[Message]:
        return [message for place, message in sorted(self.messages.items()) if place[0] == talk]

    @rule(tenant=OWNERS, key=TALKS, question=WORDS, version=st.integers(1, 4))
    def put_knowledge(self, tenant: str, key: str, question: str, version: int) -> None:
        entry = KnowledgeEntry(
            key, tenant, question, question, "An answer", version, NOW, question.encode(), category=question[:1]
        )
        place = tenant, key
        if place in self.knowledge and version < self.knowledge[place].version:
            self.meets(None, self.store.put_knowledge, entry)
        elif any(e.tenant_id == tenant and e.question_key == question and e.id != key for e in self.knowledge.values()):
            self.meets(Conflict, self.store.put_knowledge, entry)
        else:
            self.knowledge[place] = entry
            self.meets(None, self.store.put_knowledge, entry)

    @rule(tenant=OWNERS, key=TALKS)
    def delete_knowledge(self, tenant: str, key: str) -> None:
        known = self.knowledge.pop((tenant, key), None) is not None
        self.uses.pop((tenant, key), None)
        self.meets(known, self.store.delete_knowledge, tenant, key)

    @rule(tenant=OWNERS, key=TALKS)
    def count_use(self, tenant: str, key: str) -> None:
        self.meets(None, self.store.count_use, tenant, key)
        if (tenant, key) in self.knowledge:
            self.uses[tenant, key] = self.uses.get((tenant, key), 0) + 1

    @rule(key=KEYS, owner=OWNERS, talk=TALKS, message=st.none() | TALKS, rating=st.integers(-1, 1), at=DAYS)
    def put_feedback(self, key: str, owner: str, talk: str, message: str | None, rating: int, at) -> None:
        key = f"{key} {owner}"  # an identifier is made once, by the one who gives the feedback
        new = Feedback(key, owner, rating, talk, at, talk, message, {"about": talk})
        self.meets(None, self.store.put_feedback, new)
        rivals = [
            given
            for given in self.feedback.values()
            if message is not None and (given.account_id, given.message_id) == (owner, message)
        ]
        if key not in self.feedback and all(rival.id < key for rival in rivals):
            for rival in rivals:
                del self.feedback[rival.id]
            self.feedback[key] = new

    @rule(owner=OWNERS, before=KEYS | st.just(""), limit=LIMITS)
    def read_feedback(self, owner: str, before: str, limit: int) -> None:
        below = [f for f in self.feedback_of(owner) if not before or f.id < before]
        self.meets(below[:limit], self.store.feedback, owner, before, limit)

    def feedback_of(self, owner: str) -> list[Feedback]:
        return [
            self.feedback[key] for key in sorted(self.feedback, reverse=True) if self.feedback[key].account_id == owner
        ]

    @invariant()
    def all_is_as_in_the_model(self) -> None:
        self.runner.run(self.compare())

    async def compare(self) -> None:
        store = self.store
        for talk in ("c1", "c2", "c3"):
            assert await store.conversation(talk) == self.talks.get(talk)
            messages = self.messages_of(talk)
            assert await store.messages(talk) == messages
            assert await store.outline(talk) == [Link(m.id, m.parent_id, m.role) for m in messages]
        for owner in ("ada", "bob"):
            for archived in (False, True):
                assert await store.conversations(owner, archived=archived) == self.listed(owner, archived)
            deleted = [t for _, t in sorted(self.talks.items(), reverse=True) if t.deleted_at and t.account_id == owner]
            assert await store.conversations(owner, deleted=True) == deleted
            assert await store.feedback(owner) == self.feedback_of(owner)
            entries = [entry for (tenant, _), entry in sorted(self.knowledge.items()) if tenant == owner]
            assert await store.knowledge_entries(owner) == entries
            for entry in entries:
                assert await store.knowledge(owner, entry.question_key) == entry
                assert await store.knowledge_entry(owner, entry.id) == entry
                assert await store.uses(owner, [entry.id]) == {entry.id: self.uses.get((owner, entry.id), 0)}
        for days in (-1, 0, 1):
            deleted = [t for t in self.talks.values() if t.deleted_at and t.deleted_at <= NOW + timedelta(days=days)]
            assert await store.deleted_conversations(NOW + timedelta(days=days)) == sorted(
                deleted, key=lambda talk: (talk.deleted_at, talk.id)
            )
            day = (NOW + timedelta(days=days)).date()
            given = [feedback for feedback in self.feedback.values() if feedback.created_at.date() == day]
            assert await store.feedback_on(day) == sorted(
                given, key=lambda feedback: (feedback.created_at, feedback.id)
            )
