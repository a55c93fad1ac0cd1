"""What every `Conversations` does with changes, marks, deletions, the shape of a tree, and words looked for."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from multidb_chat.domain.conversations import Conversations, Link
from multidb_chat.domain.errors import InvalidInput, NotFound
from multidb_chat.domain.words import words_of
from tests.contracts.conversations_processes import NOW, TALK, a_message

DAY = timedelta(days=1)


class ChangesContract:
    """A part of `ConversationsContract`."""

    async def test_a_change_sets_what_it_names_and_nothing_else(self, conversations: Conversations):
        changed = await conversations.change_conversation("ada", "c1", archived=True, head="m7")
        assert changed == replace(TALK, archived=True, head="m7")
        assert await conversations.change_conversation("ada", "c1", head=None) == replace(TALK, archived=True)
        assert await conversations.change_conversation("ada", "c1") == replace(TALK, archived=True)
        assert await conversations.conversation("c1") == replace(TALK, archived=True)

    async def test_only_the_owner_changes_a_conversation(self, conversations: Conversations):
        assert await conversations.change_conversation("bob", "c1", title="Mine") is None
        assert await conversations.change_conversation("ada", "c9", title="Mine") is None
        assert await conversations.conversation("c1") == TALK

    async def test_an_automatic_title_never_replaces_a_given_one(self, conversations: Conversations):
        assert (await conversations.change_conversation("ada", "c1", title="Ebb")).title == "Ebb"
        await conversations.change_conversation("ada", "c1", title="My own", renamed=True)
        kept = await conversations.change_conversation("ada", "c1", title="Flow", archived=True)
        assert kept == replace(TALK, title="My own", renamed=True, archived=True)

    async def test_activity_and_the_read_mark_never_go_back(self, conversations: Conversations):
        for at in (NOW + DAY, NOW - DAY):
            await conversations.change_conversation("ada", "c1", last_activity=at, read_at=at)
        assert await conversations.conversation("c1") == replace(TALK, last_activity=NOW + DAY, read_at=NOW + DAY)

    async def test_changes_at_once_do_not_undo_each_other(self, conversations: Conversations):
        await asyncio.gather(
            conversations.change_conversation("ada", "c1", title="Ebb", renamed=True),
            conversations.change_conversation("ada", "c1", archived=True),
            conversations.change_conversation("ada", "c1", last_activity=NOW + DAY),
        )
        expected = replace(TALK, title="Ebb", renamed=True, archived=True, last_activity=NOW + DAY)
        assert await conversations.conversation("c1") == expected


class DeletedContract:
    """A part of `ConversationsContract`."""

    async def test_a_conversation_marked_as_deleted_is_listed_apart(self, conversations: Conversations):
        put_away = replace(TALK, id="c2", archived=True)
        await conversations.put_conversation(put_away)
        for key in ("c1", "c2"):
            await conversations.change_conversation("ada", key, deleted_at=NOW)
        for archived in (False, True):
            assert await conversations.conversations("ada", archived=archived) == []
        gone = [replace(put_away, deleted_at=NOW), replace(TALK, deleted_at=NOW)]
        assert await conversations.conversations("ada", deleted=True) == gone
        assert await conversations.conversations("ada", "c2", deleted=True) == gone[1:]
        assert await conversations.conversations("bob", deleted=True) == []
        assert await conversations.conversation("c1") == gone[1]
        await conversations.change_conversation("ada", "c1", deleted_at=None)
        assert await conversations.conversations("ada") == [TALK]

    async def test_what_was_deleted_until_a_time_is_found_whosever_it_is(self, conversations: Conversations):
        for key, owner, days in (("c1", "ada", 2), ("c2", "bob", 0), ("c3", "ada", 1)):
            await conversations.put_conversation(replace(TALK, id=key, account_id=owner, deleted_at=NOW + days * DAY))
        await conversations.put_conversation(replace(TALK, id="c4"))

        async def keys(*arguments: object) -> list[str]:
            return [one.id for one in await conversations.deleted_conversations(*arguments)]  # type: ignore[arg-type]

        assert await keys(NOW - DAY) == []
        assert await keys(NOW) == ["c2"]
        assert await keys(NOW + 2 * DAY) == ["c2", "c3", "c1"]
        assert await keys(NOW + 2 * DAY, 1) == ["c2"]


class TreeContract:
    """A part of `ConversationsContract`."""

    async def test_a_question_and_its_answer_are_added_together_or_not_at_all(self, conversations: Conversations):
        turn = [a_message("m1"), a_message("m2", parent="m1")]
        await conversations.append(*turn)
        with pytest.raises(InvalidInput):
            await conversations.append(a_message("m3"), replace(a_message("m4", parent="m3"), meta="x" * 1_000_001))
        with pytest.raises(NotFound):
            await conversations.append(*(replace(message, conversation_id="c9") for message in turn))
        await conversations.append()
        assert await conversations.messages("c1") == turn

    async def test_the_outline_is_the_tree_without_its_words(self, conversations: Conversations):
        links = [
            Link("m1", None, "user"),
            Link("m2", "m1", "assistant"),
            Link("m3", "m1", "notice"),
            Link("m4", "m2", "user"),
        ]
        for link in (links[2], links[0], links[1], links[3]):
            await conversations.append(replace(a_message(link.id, parent=link.parent_id), role=link.role))
        assert await conversations.outline("c1") == links
        assert await conversations.outline("c2") == []

    async def test_messages_are_read_by_their_names(self, conversations: Conversations):
        await conversations.put_conversation(replace(TALK, id="c2"))
        for n in range(5):
            await conversations.append(a_message(f"m{n}"))
        await conversations.append(a_message("m9", "c2"))
        found = await conversations.messages_named("c1", ["m3", "m1", "m9", "", "m3"])
        assert found == [a_message("m1"), a_message("m3")]
        assert await conversations.messages_named("c1", []) == []
        many = [f"m{n}" for n in range(2_000)]
        assert len(await conversations.messages_named("c1", many)) == 5


class SearchContract:
    """A part of `ConversationsContract`."""

    async def found(self, conversations: Conversations, text: str, archived: bool = False) -> list[tuple]:
        words = list(words_of(text))
        found = await conversations.search_conversations("ada", words, archived=archived)
        return [(one.conversation.id, one.message and one.message.id) for one in found]

    async def test_words_are_found_in_titles_and_messages_together(self, conversations: Conversations):
        await conversations.put_conversation(replace(TALK, id="c2", title="Sails"))
        await conversations.append(replace(a_message("m1"), body="Why do they come twice a day?"))
        await conversations.append(replace(a_message("m2", parent="m1"), body="The moon pulls the water, twice."))
        await conversations.append(replace(a_message("m1", "c2"), body="The wind pulls."))
        assert await self.found(conversations, "tides") == [("c1", None)]
        assert await self.found(conversations, "moon") == [("c1", "m2")]
        assert await self.found(conversations, "twice") == [("c1", "m2")]
        assert await self.found(conversations, "day twice") == [("c1", "m1")]
        assert await self.found(conversations, "tides day moon") == [("c1", "m2")]
        assert await self.found(conversations, "pull") == [("c2", "m1"), ("c1", "m2")]
        assert await self.found(conversations, "moon sails") == []
        assert await self.found(conversations, "") == []

    @pytest.mark.parametrize(
        "words", ["MOON", "mo", "Über", "uber", "zug", "数据", "据库", "库", "don't", "snake_case"]
    )
    async def test_case_accents_and_endings_make_no_difference(self, conversations: Conversations, words: str):
        body = "The moon: über-zügig. 数据库 don't SNAKE_case"
        await conversations.append(replace(a_message("m1"), body=body))
        assert await self.found(conversations, words) == [("c1", "m1")]

    @pytest.mark.parametrize("words", ["oon", "moons", "nooz", "zzz", "OR", "NEAR", "NOT"])
    async def test_words_that_are_not_there_are_not_found(self, conversations: Conversations, words: str):
        await conversations.append(replace(a_message("m1"), body="The moon"))
        assert await self.found(conversations, words) == []

    @pytest.mark.parametrize("word", ['"', '" OR "', "moon*", "(", "text:moon", "-moon", "^", "\x00"], ids=ascii)
    async def test_nothing_in_a_word_is_syntax(self, conversations: Conversations, word: str):
        await conversations.append(replace(a_message("m1"), body="The moon"))
        assert await conversations.search_conversations("ada", [word, "sun"]) == []

    async def test_another_accounts_words_are_never_found(self, conversations: Conversations):
        await conversations.put_conversation(replace(TALK, id="c2", account_id="bob", title="Canary"))
        await conversations.append(replace(a_message("m1", "c2"), account_id="bob", body="canary"))
        assert await self.found(conversations, "canary") == []
        theirs = await conversations.search_conversations("bob", ["canary"])
        assert [one.conversation.id for one in theirs] == ["c2"]

    async def test_a_changed_title_is_found_and_the_old_one_is_not(self, conversations: Conversations):
        await conversations.change_conversation("ada", "c1", title="Ebb and flow")
        assert await self.found(conversations, "flow") == [("c1", None)]
        assert await self.found(conversations, "tides") == []
        await conversations.put_conversation(replace(TALK, title="Sails"))
        assert await self.found(conversations, "flow") == []
        assert await self.found(conversations, "sails") == [("c1", None)]

    async def test_deleted_ones_are_not_found_and_archived_ones_apart(self, conversations: Conversations):
        await conversations.append(a_message("m1"))
        await conversations.change_conversation("ada", "c1", archived=True)
        assert await self.found(conversations, "body") == []
        assert await self.found(conversations, "body", archived=True) == [("c1", "m1")]
        await conversations.change_conversation("ada", "c1", deleted_at=NOW)
        assert await self.found(conversations, "body", archived=True) == []
        await conversations.change_conversation("ada", "c1", deleted_at=None)
        assert await self.found(conversations, "body", archived=True) == [("c1", "m1")]
        await conversations.delete_conversation("c1")
        await conversations.put_conversation(replace(TALK, title="Anew"))
        assert await self.found(conversations, "body") == []
        assert await self.found(conversations, "tides") == []

    async def test_a_replayed_message_is_found_once_with_its_first_words(self, conversations: Conversations):
        await conversations.append(a_message("m1"))
        await conversations.append(replace(a_message("m1"), body="Other words"))
        assert await self.found(conversations, "other") == []
        assert await self.found(conversations, "body") == [("c1", "m1")]

    async def test_at_most_so_many_are_found_the_latest_first(self, conversations: Conversations):
        for n in range(2, 6):
            await conversations.put_conversation(replace(TALK, id=f"c{n}"))
        found = await conversations.search_conversations("ada", ["tides"], 2)
        assert [one.conversation.id for one in found] == ["c5", "c4"]
        assert await conversations.search_conversations("ada", ["tides"], 0) == []
