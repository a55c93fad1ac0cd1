"""What every `Conversations` does with knowledge entries and feedback."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from multidb_chat.domain.conversations import Conversations, Feedback, KnowledgeEntry
from multidb_chat.domain.errors import Conflict, InvalidInput
from tests.contracts.conversations_processes import NOW, TALK, a_message

ENTRY = KnowledgeEntry("k1", "acme", "Why tides?", "why tides", "The moon.", 3, NOW, b"\x00\xff\x80", "Sea", "mini")
DAY = date(2026, 2, 28)


def a_feedback(key: str = "f1", message: str | None = "m1", account: str = "ada", rating: int = 1) -> Feedback:
    return Feedback(key, account, rating, f"Comment {key}", NOW, "c1" if message else None, message, {"model": "x"})


class KnowledgeContract:
    """A part of `ConversationsContract`."""

    @pytest.fixture
    def an_entry(self) -> KnowledgeEntry:
        return ENTRY

    async def test_an_entry_comes_back_as_it_was_stored(self, conversations: Conversations):
        await conversations.put_knowledge(ENTRY)
        assert await conversations.knowledge("acme", "why tides") == ENTRY
        assert await conversations.knowledge_entry("acme", "k1") == ENTRY
        assert await conversations.knowledge_entries("acme") == [ENTRY]

    @pytest.mark.parametrize("other", ["other", ""])
    async def test_an_entry_is_the_tenants_own(self, conversations: Conversations, other: str):
        theirs = replace(ENTRY, tenant_id=other, answer="The sun.")
        await conversations.put_knowledge(ENTRY)
        await conversations.put_knowledge(theirs)
        await conversations.count_use(other, "k1")
        assert await conversations.knowledge("acme", "why tides") == ENTRY
        assert await conversations.knowledge_entries(other) == [theirs]
        assert await conversations.knowledge("third", "why tides") is None
        assert await conversations.knowledge_entry("third", "k1") is None
        assert await conversations.delete_knowledge("acme", "k1") is True
        assert await conversations.knowledge(other, "why tides") == theirs
        assert await conversations.uses(other, ["k1"]) == {"k1": 1}

    @pytest.mark.parametrize(("version", "stored"), [(2, 3), (3, 3), (4, 4)])
    async def test_an_older_version_changes_nothing(self, conversations: Conversations, version: int, stored: int):
        await conversations.put_knowledge(ENTRY)
        await conversations.put_knowledge(replace(ENTRY, version=version, question_key="why tides then"))
        entries = await conversations.knowledge_entries("acme")
        assert [entry.version for entry in entries] == [stored]
        assert (await conversations.knowledge("acme", "why tides") is None) is (version >= 3)

    async def test_a_question_has_one_entry(self, conversations: Conversations):
        other = replace(ENTRY, id="k2", question_key="why ebb")
        await conversations.put_knowledge(ENTRY)
        with pytest.raises(Conflict):
            await conversations.put_knowledge(replace(ENTRY, id="k2"))
        await conversations.put_knowledge(other)
        with pytest.raises(Conflict):
            await conversations.put_knowledge(replace(other, version=4, question_key="why tides"))
        assert await conversations.knowledge_entries("acme") == [ENTRY, other]
        await conversations.delete_knowledge("acme", "k1")
        await conversations.put_knowledge(replace(other, version=4, question_key="why tides"))

    async def test_uses_survive_a_new_version_and_go_with_the_entry(self, conversations: Conversations):
        await conversations.put_knowledge(ENTRY)
        for _ in range(3):
            await conversations.count_use("acme", "k1")
        await conversations.put_knowledge(replace(ENTRY, version=4))
        assert await conversations.uses("acme", ["k1", "k2"]) == {"k1": 3, "k2": 0}
        assert await conversations.delete_knowledge("acme", "k1") is True
        assert await conversations.delete_knowledge("acme", "k1") is False
        await conversations.count_use("acme", "k1")
        await conversations.put_knowledge(ENTRY)
        assert await conversations.uses("acme", ["k1"]) == {"k1": 0}

    async def test_entries_are_listed_by_page(self, conversations: Conversations):
        for key in ("b", "d", "a", "c"):
            await conversations.put_knowledge(replace(ENTRY, id=key, question_key=key))
        assert [e.id for e in await conversations.knowledge_entries("acme")] == ["a", "b", "c", "d"]
        assert [e.id for e in await conversations.knowledge_entries("acme", "a", 2)] == ["b", "c"]
        assert await conversations.knowledge_entries("acme", "d") == []

    async def test_vectors_are_listed_by_embedder_and_page(self, conversations: Conversations):
        for key in ("b", "d", "a", "c"):
            await conversations.put_knowledge(replace(ENTRY, id=key, question_key=key))
        await conversations.put_knowledge(replace(ENTRY, id="e", question_key="e", embedder="other"))
        await conversations.put_knowledge(replace(ENTRY, id="f", question_key="f", vector=b""))
        found = await conversations.knowledge_vectors("acme", "mini")
        assert [one.entry_id for one in found] == ["a", "b", "c", "d"]
        assert found[0] == ("a", "a", ENTRY.question, ENTRY.vector)
        assert [one.entry_id for one in await conversations.knowledge_vectors("acme", "mini", "a", 2)] == ["b", "c"]
        assert await conversations.knowledge_vectors("other", "mini") == []


class FeedbackContract:
    """A part of `ConversationsContract`."""

    async def test_feedback_comes_back_as_it_was_given(self, conversations: Conversations):
        given = [a_feedback("f2", rating=-1), a_feedback("f1", None, rating=0)]
        for feedback in given:
            await conversations.put_feedback(feedback)
        await conversations.put_feedback(a_feedback("f3", account="bob"))
        assert await conversations.feedback("ada") == given
        assert await conversations.feedback("eve") == []

    async def test_an_account_has_one_rating_on_a_message(self, conversations: Conversations):
        for feedback in (a_feedback("f1"), a_feedback("f2", account="bob"), a_feedback("f3", "m2")):
            await conversations.put_feedback(feedback)
        await conversations.put_feedback(a_feedback("f4", rating=-1))
        assert await conversations.feedback("ada") == [a_feedback("f4", rating=-1), a_feedback("f3", "m2")]
        assert await conversations.feedback("bob") == [a_feedback("f2", account="bob")]

    async def test_replayed_feedback_changes_nothing(self, conversations: Conversations):
        given = [a_feedback("f1"), a_feedback("f2", rating=-1), a_feedback("f3", None)]
        for feedback in [*given, *given, replace(given[1], comment="other"), replace(given[0], message_id="m2")]:
            await conversations.put_feedback(feedback)
        assert (await conversations.feedback("ada"))[:2] == [given[2], given[1]]

    async def test_feedback_on_the_program_is_kept_beside_each_other(self, conversations: Conversations):
        for key in ("f1", "f2"):
            await conversations.put_feedback(a_feedback(key, None))
        assert len(await conversations.feedback("ada")) == 2

    @pytest.mark.parametrize(
        "wrong", [a_feedback(rating=2), a_feedback(rating=-2), replace(a_feedback(), conversation_id=None)]
    )
    async def test_feedback_that_cannot_be_is_refused(self, conversations: Conversations, wrong: Feedback):
        with pytest.raises(InvalidInput):
            await conversations.put_feedback(wrong)
        assert await conversations.feedback("ada") == []

    async def test_feedback_goes_with_its_conversation(self, conversations: Conversations):
        await conversations.append(a_message("m1"))
        other = replace(a_feedback("f2", "m2"), conversation_id="c2")
        general = replace(a_feedback("f3", None), conversation_id="c1")
        for feedback in (a_feedback("f1"), a_feedback("f4", account="bob"), other, general):
            await conversations.put_feedback(feedback)
        await conversations.delete_conversation(TALK.id)
        assert await conversations.feedback("ada") == [general, other]
        assert await conversations.feedback("bob") == []

    async def test_feedback_to_messages_is_read_by_whose_it_is_and_where(self, conversations: Conversations):
        given = [a_feedback("f1"), a_feedback("f2", "m2", rating=-1), a_feedback("f3", "m3")]
        elsewhere = replace(a_feedback("f4", "m4"), conversation_id="c2")
        for feedback in (*given, elsewhere, a_feedback("f5", account="bob"), a_feedback("f6", None)):
            await conversations.put_feedback(feedback)
        assert await conversations.feedback_to("ada", TALK.id, ["m2", "m1", "m4", "m9"]) == given[:2]
        assert await conversations.feedback_to("ada", "c2", ["m1", "m4"]) == [elsewhere]
        assert await conversations.feedback_to("eve", TALK.id, ["m1"]) == []
        assert await conversations.feedback_to("ada", TALK.id, []) == []

    async def test_feedback_is_read_by_page(self, conversations: Conversations):
        for n in range(5):
            await conversations.put_feedback(a_feedback(f"f{n}", f"m{n}"))
        assert [f.id for f in await conversations.feedback("ada", limit=2)] == ["f4", "f3"]
        assert [f.id for f in await conversations.feedback("ada", "f3", 2)] == ["f2", "f1"]
        assert await conversations.feedback("ada", "f0") == []

    async def test_feedback_is_read_by_day(self, conversations: Conversations):
        midnight = datetime(2026, 2, 28, tzinfo=UTC)
        instant = timedelta(microseconds=1)
        times = {"a": midnight - instant, "d": midnight, "c": NOW, "b": midnight + timedelta(days=1)}
        for key, at in times.items():
            await conversations.put_feedback(replace(a_feedback(key, key), created_at=at))
        assert [f.id for f in await conversations.feedback_on(DAY)] == ["d", "c"]
        assert [f.id for f in await conversations.feedback_on(DAY, 1)] == ["d"]
        assert [f.id for f in await conversations.feedback_on(date(2026, 2, 27))] == ["a"]
        assert await conversations.feedback_on(date.max) == []
