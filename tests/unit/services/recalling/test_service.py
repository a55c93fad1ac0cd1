"""Summaries are made beside the turns, kept with the conversation, and stop for whoever asks."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from multidb_chat.adapters.sqlite.conversations import SqliteConversations
from multidb_chat.domain.accounts import Account
from multidb_chat.domain.conversations import Conversation
from multidb_chat.domain.errors import ModelUnavailable
from multidb_chat.domain.language import Ended, Piece, Prompt
from multidb_chat.domain.turns import Recalled, Spoken
from multidb_chat.services.recalling.reading import read_window
from multidb_chat.services.recalling.service import TalkMemory
from multidb_chat.services.recalling.window import Window
from tests.unit.services.modelled.scripted import Counted, Scripted
from tests.unit.services.recalling.talks import AT, branch

ANN = Account("ann", "user", "free", AT)
TALK = Conversation("talk", "ann", "Words", AT)
SUMMED = "The user asked about words, again and again."


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteConversations]:
    store = SqliteConversations(tmp_path / "conversations.sqlite")
    await store.put_conversation(TALK)
    yield store
    await store.close()


async def seen_after(memory: TalkMemory, store: SqliteConversations, turns: int) -> Window:
    """Say so much, let the memory sum it up, and return what is recalled then."""
    await store.append(*branch(turns, 30))
    memory.turn_ended(ANN, TALK.id)
    await memory.settled()
    return await read_window(store, TALK, 600)


async def test_a_short_conversation_is_not_summed_up(store: SqliteConversations) -> None:
    model, counted = Scripted(SUMMED), Counted()
    seen = await seen_after(TalkMemory(store, model, counted, 600), store, 4)
    assert (seen.summary, len(seen.turns), model.prompts, counted.uses) == (None, 4, [], {})


async def test_what_no_longer_fits_is_summed_up_kept_and_counted(store: SqliteConversations) -> None:
    model, counted = Scripted(SUMMED), Counted()
    seen = await seen_after(TalkMemory(store, model, counted, 600), store, 11)
    assert seen.summary is not None
    assert (seen.recalled.summary, seen.summary.model) == (SUMMED, "scripted:one")
    assert seen.summary.turns + len(seen.turns) == 11
    assert (seen.left_out, seen.to_sum_up()) == ((), ())
    assert [use.tokens for use in counted.uses.values()] == [120]
    (prompt,) = model.prompts
    assert "Question 0?" in prompt.messages[0].text
    assert "Question 10?" not in prompt.messages[0].text


async def test_a_later_summary_goes_on_with_the_one_before(store: SqliteConversations) -> None:
    await seen_after(TalkMemory(store, Scripted(SUMMED), Counted(), 600), store, 11)
    later = Scripted("The user asked about words, and then about more.")
    seen = await seen_after(TalkMemory(store, later, Counted(), 600), store, 20)
    assert f"Summary: {SUMMED}" in later.prompts[0].messages[0].text
    assert seen.recalled.summary == "The user asked about words, and then about more."
    assert seen.summary is not None
    assert seen.summary.turns + len(seen.turns) == 20


@pytest.mark.parametrize("said", [ModelUnavailable("gone"), "Sure.", "They asked 77777 questions about words."])
async def test_where_the_model_makes_none_the_questions_are_listed(
    store: SqliteConversations, said: str | Exception
) -> None:
    seen = await seen_after(TalkMemory(store, Scripted(said), Counted(), 600), store, 11)
    assert seen.summary is not None
    assert seen.summary.model == ""
    assert seen.summary.text.startswith("Question 0? Question 1?")


async def test_nothing_is_summed_up_where_no_tokens_are_left(store: SqliteConversations) -> None:
    model = Scripted(SUMMED)
    seen = await seen_after(TalkMemory(store, model, Counted("used up"), 600), store, 11)
    assert (seen.summary, model.prompts) == (None, [])


async def test_a_program_that_ends_with_the_turn_uses_a_summary_and_makes_none(store: SqliteConversations) -> None:
    await seen_after(TalkMemory(store, Scripted(SUMMED), Counted(), 600), store, 11)
    model, counted = Scripted("Another."), Counted()
    brief = TalkMemory(store, model, counted, 600, sums_up=False)
    seen = await seen_after(brief, store, 20)
    assert seen.to_sum_up()
    assert (model.prompts, counted.uses) == ([], {})
    latest = await store.messages(TALK.id, limit=brief.page)
    assert brief.window(branch(20, 30), latest).recalled.summary == SUMMED


async def test_a_turn_that_begins_stops_it_and_what_was_used_is_counted(store: SqliteConversations) -> None:
    begun = asyncio.Event()

    class Endless(Scripted):
        async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece | Ended, None]:
            begun.set()
            try:
                yield Piece("The user ")
                await asyncio.Event().wait()
            finally:
                self.stopped = True

    await store.append(*branch(11, 30))
    model, counted = Endless(), Counted()
    memory = TalkMemory(store, model, counted, 600)
    memory.turn_ended(ANN, TALK.id)
    await begun.wait()
    await memory.close()
    await asyncio.sleep(0)
    assert model.stopped
    assert (await read_window(store, TALK, 600)).summary is None
    (use,) = counted.uses.values()
    assert use.estimated > 100


async def test_a_conversation_that_went_meanwhile_is_passed_over(store: SqliteConversations) -> None:
    memory = TalkMemory(store, Scripted(SUMMED), Counted(), 600)
    memory.turn_ended(ANN, "another")
    await memory.settled()
    await store.append(*branch(11, 30))

    class Deleting(Scripted):
        async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece | Ended, None]:
            await store.delete_conversation(TALK.id)
            yield Piece(SUMMED)
            yield Ended(True)

    gone = TalkMemory(store, Deleting(), Counted(), 600)
    gone.turn_ended(ANN, TALK.id)
    await gone.settled()
    assert await store.messages(TALK.id) == []


async def test_a_deleted_conversation_is_not_summed_up(store: SqliteConversations) -> None:
    await store.put_conversation(replace(TALK, deleted_at=AT))
    model = Scripted(SUMMED)
    await seen_after(TalkMemory(store, model, Counted(), 600), store, 11)
    assert model.prompts == []


async def test_follow_ups_are_put_by_the_model_only_where_that_is_wanted(store: SqliteConversations) -> None:
    talk = Recalled("", (Spoken("Who runs the Bergen office?", "Ida Berg runs it."),))
    put = "Since when has Ida Berg run the Bergen office?"
    counted = Counted()
    memory = TalkMemory(store, Scripted(put), counted, 600, rewrites=True)
    said, rewording = await memory.put(ANN, "turn", "since when?", talk)
    assert (said, rewording and rewording.taken) == (put, True)
    assert counted.uses["turn rewording"].tokens == 120
    for other in (
        TalkMemory(store, Scripted(put), counted, 600),
        TalkMemory(store, Scripted(put), Counted("no"), 1, True),
    ):
        assert await other.put(ANN, "turn", "since when?", talk) == ("", None)
    said, rewording = await TalkMemory(store, Scripted("She runs it."), counted, 600, True).put(
        ANN, "t", "since when?", talk
    )
    assert (said, rewording and rewording.taken) == ("", False)
