"""What every `Conversations` does with conversations and messages."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from multidb_chat.domain import ids
from multidb_chat.domain.conversations import META_LIMIT, Conversation, Conversations, Message
from multidb_chat.domain.errors import Conflict, InvalidInput, NotFound
from tests.contracts.conversations_curation import ENTRY, a_feedback
from tests.contracts.conversations_processes import NOW, TALK, OpenConversations, a_message


class TalkContract:
    """A part of `ConversationsContract`."""

    async def test_an_empty_store_answers_everything_with_nothing(self, open_conversations: OpenConversations):
        async with open_conversations() as store:
            assert await store.conversation("c1") is None
            assert await store.conversations("ada") == []
            assert await store.conversations("ada", deleted=True) == []
            assert await store.deleted_conversations(NOW) == []
            assert await store.search_conversations("ada", ["tides"]) == []
            assert await store.change_conversation("ada", "c1", title="Ebb") is None
            assert await store.delete_conversation("c1") is False
            assert await store.message("c1", "m1") is None
            assert await store.messages_named("c1", ["m1"]) == []
            assert await store.outline("c1") == []
            assert await store.messages("c1") == []
            assert await store.knowledge("acme", "why tides") is None
            assert await store.knowledge_entries("acme") == []
            assert await store.delete_knowledge("acme", "k1") is False
            assert await store.uses("acme", ["k1"]) == {"k1": 0}
            assert await store.feedback("ada") == []
            assert await store.feedback_on(NOW.date()) == []

    async def test_a_conversation_comes_back_as_it_was_stored(self, conversations: Conversations):
        everything = Conversation("c2", "ada", "Über\nEbbe", NOW, True, "c1", True, "m1", NOW, NOW + timedelta(1))
        await conversations.put_conversation(everything)
        assert await conversations.conversation("c2") == everything

    async def test_all_but_the_origin_is_replaced(self, conversations: Conversations):
        marks = {"archived": True, "renamed": True, "head": "m1", "read_at": NOW, "deleted_at": NOW}
        changed = replace(TALK, title="Ebb", last_activity=NOW + timedelta(1), **marks)
        await conversations.put_conversation(changed)
        assert await conversations.conversation("c1") == changed
        await conversations.put_conversation(replace(changed, forked_from="c9"))
        assert await conversations.conversation("c1") == changed

    async def test_questions_are_counted_by_day_in_utc_for_an_account_and_for_all(self, conversations: Conversations):
        first, at = date(2026, 3, 1), datetime(2026, 3, 1, tzinfo=UTC)
        await conversations.put_conversation(replace(TALK, id="bobs", account_id="bob"))
        for number, (seconds, role) in enumerate(
            [(-1, "user"), (0, "user"), (86_399, "user"), (86_399, "assistant"), (86_400, "user")]
        ):
            message = replace(a_message(f"m{number}"), role=role, created_at=at + timedelta(seconds=seconds))
            await conversations.append(message)
        await conversations.append(replace(a_message("m9", "bobs"), role="user", account_id="bob", created_at=at))
        assert await conversations.questions(first, "ada") == {first: 2, date(2026, 3, 2): 1}
        assert await conversations.questions(first) == {first: 3, date(2026, 3, 2): 1}
        assert await conversations.questions(date(2026, 3, 2), "bob") == {}

    async def test_conversations_without_a_word_since_then_are_idle_the_longest_first(
        self, conversations: Conversations
    ):
        for days, owner in ((3, "ada"), (1, "bob"), (2, "ada")):
            talk = replace(TALK, id=f"idle{days}", account_id=owner, last_activity=NOW - timedelta(days=days))
            await conversations.put_conversation(talk)
        until = NOW - timedelta(days=1)
        assert [one.id for one in await conversations.idle_conversations(until)] == ["idle3", "idle2", "idle1"]
        assert [one.id for one in await conversations.idle_conversations(until, 1)] == ["idle3"]

    async def test_an_erased_account_leaves_nothing_and_gets_nothing_any_more(self, conversations: Conversations):
        for owner in ("ada", "bob"):
            for number in range(45):
                talk = Conversation(f"{owner}{number}", owner, "Talk", NOW, archived=bool(number % 2))
                await conversations.put_conversation(talk)
                message = replace(a_message(f"m{number}", talk.id), account_id=owner, role="user")
                await conversations.append(message)
                await conversations.put_feedback(
                    replace(a_feedback(f"{owner}{number}", message.id, owner), conversation_id=talk.id)
                )
            await conversations.put_feedback(a_feedback(f"{owner} program", None, owner))
        await conversations.change_conversation("ada", "ada3", deleted_at=NOW)
        assert await conversations.erase("ada") == 46
        assert await conversations.erase("ada") == 0
        for archived, deleted in ((False, False), (True, False), (False, True)):
            assert await conversations.conversations("ada", archived=archived, deleted=deleted) == []
        assert await conversations.feedback("ada") == []
        assert await conversations.messages("ada1") == []
        assert await conversations.questions(date.min, "ada") == {}
        assert await conversations.search_conversations("ada", ["talk"]) == []
        for late in (
            conversations.put_conversation(TALK),
            conversations.append(replace(a_message("late", "bob1"), account_id="ada")),
            conversations.put_feedback(a_feedback("late", None, "ada")),
        ):
            with pytest.raises(NotFound):
                await late
        assert await conversations.change_conversation("ada", "ada1", title="Back") is None
        assert len(await conversations.conversations("bob", limit=99)) == 23
        assert len(await conversations.feedback("bob", limit=99)) == 46

    async def test_another_owner_cannot_take_a_conversation_over(self, conversations: Conversations):
        with pytest.raises(Conflict):
            await conversations.put_conversation(replace(TALK, account_id="bob", title="Mine"))
        assert await conversations.conversation("c1") == TALK

    async def test_conversations_are_read_by_page_latest_first(self, conversations: Conversations):
        for key in ("c3", "c2", "c5", "c4"):
            await conversations.put_conversation(replace(TALK, id=key, archived=key == "c4"))
        await conversations.put_conversation(replace(TALK, id="c6", account_id="bob"))

        async def keys(*arguments: object) -> list[str]:
            return [found.id for found in await conversations.conversations("ada", *arguments)]  # type: ignore[arg-type]

        assert await keys() == ["c5", "c3", "c2", "c1"]
        assert await keys("", 2) == ["c5", "c3"]
        assert await keys("c3", 2) == ["c2", "c1"]
        assert await keys("c1") == []
        assert await keys("", 50, True) == ["c4"]
        assert await keys("", 0) == []
        assert await keys("", -1) == []

    async def test_a_deleted_conversation_takes_its_messages_along(self, conversations: Conversations):
        await conversations.put_conversation(replace(TALK, id="c2"))
        await conversations.append(a_message("m1"))
        await conversations.append(a_message("m1", "c2"))
        assert await conversations.delete_conversation("c1") is True
        assert await conversations.delete_conversation("c1") is False
        assert await conversations.messages("c1") == []
        assert await conversations.message("c1", "m1") is None
        with pytest.raises(NotFound):
            await conversations.append(a_message("m2"))
        assert await conversations.messages("c2") == [a_message("m1", "c2")]


class MessagesContract:
    """A part of `ConversationsContract`."""

    async def test_a_message_comes_back_as_it_was_stored(self, conversations: Conversations):
        everything = Message("m1", "c1", "ada", "assistant", "Ebb\tand\r\nflow", NOW, "m0", '{"citations": []}')
        await conversations.append(everything)
        assert await conversations.message("c1", "m1") == everything
        assert await conversations.message("c2", "m1") is None

    async def test_a_message_of_an_unknown_conversation_is_refused(self, conversations: Conversations):
        with pytest.raises(NotFound):
            await conversations.append(a_message("m1", "c9"))
        assert await conversations.messages("c9") == []

    async def test_a_replayed_message_changes_nothing(self, conversations: Conversations):
        await conversations.append(a_message("m1"))
        await conversations.append(a_message("m1"))
        await conversations.append(replace(a_message("m1"), body="Other words", parent_id="m0"))
        assert await conversations.messages("c1") == [a_message("m1")]

    async def test_a_retry_is_a_sibling(self, conversations: Conversations):
        for message in (a_message("m1"), a_message("m2", parent="m1"), a_message("m3", parent="m1")):
            await conversations.append(message)
        assert [(m.id, m.parent_id) for m in await conversations.messages("c1")] == [
            ("m1", None),
            ("m2", "m1"),
            ("m3", "m1"),
        ]

    async def test_a_notice_is_kept_like_a_message_and_neither_found_nor_counted(self, conversations: Conversations):
        await conversations.put_conversation(TALK)
        said = a_message("m1")
        notice = replace(a_message("m2", parent="m1"), role="notice", body="", meta='{"summary":"Whales sang."}')
        await conversations.append(said)
        await conversations.append(notice)
        assert await conversations.messages("c1") == [said, notice]
        assert await conversations.search_conversations("ada", ["whales"]) == []
        assert sum((await conversations.questions(NOW.date(), "ada")).values()) == 1
        await conversations.delete_conversation("c1")
        assert await conversations.messages_named("c1", ["m2"]) == []

    async def test_pages_go_back_from_the_latest_and_read_forwards(self, conversations: Conversations):
        for n in (3, 1, 5, 2, 4):
            await conversations.append(a_message(f"m{n}"))

        async def keys(*arguments: object) -> list[str]:
            return [message.id for message in await conversations.messages("c1", *arguments)]  # type: ignore[arg-type]

        assert await keys() == ["m1", "m2", "m3", "m4", "m5"]
        assert await keys("", 2) == ["m4", "m5"]
        assert await keys("m4", 2) == ["m2", "m3"]
        assert await keys("m2", 2) == ["m1"]
        assert await keys("m1") == []
        assert await keys("", 0) == []
        assert await keys("", -1) == []

    async def test_messages_keep_their_order_when_the_clock_goes_back(
        self, conversations: Conversations, monkeypatch: pytest.MonkeyPatch
    ):
        clock = iter(range(2_000_000_000_000_000_000, 0, -60_000_000_000))
        monkeypatch.setattr(ids, "_last_ms", 0)
        monkeypatch.setattr(ids.time, "time_ns", lambda: next(clock))
        written = [replace(a_message(ids.new_id()), created_at=NOW - timedelta(minutes=n)) for n in range(5)]
        for message in written:
            await conversations.append(message)
        assert await conversations.messages("c1") == written

    @pytest.mark.parametrize("letter", ["x", "é"])
    async def test_meta_of_the_greatest_length_is_kept_and_more_is_refused(
        self, conversations: Conversations, letter: str
    ):
        longest = letter * (META_LIMIT // len(letter.encode()))
        await conversations.append(replace(a_message("m1"), meta=longest))
        with pytest.raises(InvalidInput):
            await conversations.append(replace(a_message("m2"), meta=longest + "x"))
        assert [message.meta for message in await conversations.messages("c1")] == [longest]

    async def test_a_body_of_a_million_characters_is_kept(self, conversations: Conversations):
        message = replace(a_message("m1"), body="tide " * 200_000)
        await conversations.append(message)
        assert await conversations.messages("c1") == [message]


HOSTILE = [
    "",
    "\x00",
    "a\x00b",
    "\ud800",
    "a\udfffb",
    "\x1b[31m",
    "'; DROP TABLE messages; --",
    "%_*?",
    "🎉",
    "e\u0301",
]


class HostileTextContract:
    """A part of `ConversationsContract`."""

    @pytest.mark.parametrize("text", HOSTILE, ids=ascii)
    async def test_any_text_comes_back_exactly_or_is_refused_cleanly(self, conversations: Conversations, text: str):
        talk = Conversation(f"c2 {text}", f"ada {text}", text, NOW, False, text)
        message = Message(f"m {text}", talk.id, text, "user", text, NOW, text, text)
        entry = replace(ENTRY, id=f"k {text}", tenant_id=text, question=text, question_key=text, answer=text)
        feedback = replace(a_feedback(f"f {text}", text, f"ada {text}"), comment=text, meta={text: text})
        try:
            await conversations.put_conversation(talk)
            await conversations.append(message)
            await conversations.put_knowledge(entry)
            await conversations.put_feedback(feedback)
        except InvalidInput:
            assert await conversations.feedback_on(NOW.date()) == []
            assert [c.id for c in await conversations.conversations("ada")] == ["c1"]
            return
        assert await conversations.conversations(talk.account_id) == [talk]
        assert await conversations.messages(talk.id) == [message]
        assert await conversations.knowledge(text, text) == entry
        assert await conversations.feedback(feedback.account_id) == [feedback]

    @pytest.mark.parametrize("text", ["\ud800", "\x00"], ids=ascii)
    async def test_asking_for_hostile_text_finds_nothing(self, conversations: Conversations, text: str):
        for ask in (
            conversations.conversation(text),
            conversations.message("c1", text),
            conversations.messages(text),
            conversations.messages_named("c1", [text]),
            conversations.search_conversations(text, ["tides"]),
            conversations.knowledge(text, text),
            conversations.feedback(text),
        ):
            try:
                assert not await ask
            except InvalidInput:
                continue
