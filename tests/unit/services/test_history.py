"""The history service on the embedded store."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from multidb_chat.adapters.sqlite.conversations import SqliteConversations
from multidb_chat.domain.accounts import Account
from multidb_chat.domain.conversations import Conversation, Message
from multidb_chat.domain.errors import InvalidInput, NotFound, NotPermitted
from multidb_chat.domain.ids import new_id
from multidb_chat.services.history import TITLE_LIMIT, UNTITLED, History
from tests.unit.services.recording import Recorder

NOW = datetime(2100, 1, 1, tzinfo=UTC)
ADA = Account("ada", "user", "free", NOW)
EVE = Account("eve", "admin", "free", NOW)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteConversations]:
    store = SqliteConversations(tmp_path / "conversations.db")
    yield store
    await store.close()


@pytest.fixture
def history(store: SqliteConversations, recorder: Recorder) -> History:
    return History(store, lambda: recorder)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def a_turn(talk: Conversation, parent: str | None = None, at: datetime = NOW) -> tuple[Message, Message]:
    question = Message(new_id(), talk.id, talk.account_id, "user", "Why tides?", at, parent)
    answer = Message(new_id(), talk.id, talk.account_id, "assistant", "The moon.", at, question.id, "{}")
    return question, answer


async def test_a_conversation_starts_empty_and_is_found_again(history: History):
    talk = await history.start(ADA, "About tides")
    assert (talk.account_id, talk.title, talk.archived) == ("ada", "About tides", False)
    assert await history.open(ADA, talk.id) == talk
    assert await history.page(ADA, talk.id) == []
    assert await history.latest(ADA) == talk
    assert await history.list(ADA) == [talk]


async def test_somebody_elses_conversation_is_as_unknown_as_none_at_all(history: History):
    talk = await history.start(ADA, "Secret")
    question, answer = a_turn(talk)
    mine = replace(question, account_id="eve"), replace(answer, account_id="eve")
    await history.append_turn(ADA, talk.id, question, answer)
    for key in (talk.id, new_id()):
        for attempt in (
            history.open(EVE, key),
            history.page(EVE, key),
            history.append_turn(EVE, key, *mine),
            history.rename(EVE, key, "Mine"),
            history.archive(EVE, key),
            history.delete(EVE, key),
            history.undelete(EVE, key),
            history.discard(EVE, key),
            history.mark_read(EVE, key),
            history.named(EVE, key),
        ):
            with pytest.raises(NotFound) as refused:
                await attempt
            assert str(refused.value) == f"There is no conversation {key}."
    assert await history.latest(EVE) is None
    assert await history.list(EVE) == []
    assert await history.search(EVE, "why tides") == []
    assert (await history.open(ADA, talk.id)).title == "Why tides"
    assert await history.page(ADA, talk.id) == [question, answer]


async def test_a_turn_is_stored_once_however_often_it_is_repeated(history: History):
    talk = await history.start(ADA, "About tides")
    turn = a_turn(talk)
    told = replace(talk, title="Why tides", last_activity=NOW, head=turn[1].id)
    for _ in range(3):
        assert await history.append_turn(ADA, talk.id, *turn) == told
    assert await history.page(ADA, talk.id) == list(turn)


async def test_a_turn_cut_off_after_its_question_is_completed_by_repeating(
    history: History, store: SqliteConversations
):
    talk = await history.start(ADA, "About tides")
    turn = a_turn(talk)
    await store.append(turn[0])
    await history.append_turn(ADA, talk.id, *turn)
    assert await history.page(ADA, talk.id) == list(turn)


async def test_a_retry_of_an_answer_is_a_sibling(history: History):
    talk = await history.start(ADA, "About tides")
    first = a_turn(talk)
    second, third = a_turn(talk, first[1].id), a_turn(talk, first[1].id)
    for turn in (first, second, third):
        await history.append_turn(ADA, talk.id, *turn)
    assert [m.parent_id for m in await history.page(ADA, talk.id) if m.role == "user"] == [
        None,
        first[1].id,
        first[1].id,
    ]


async def test_a_turn_that_does_not_belong_is_refused_whole(history: History):
    talk, other = await history.start(ADA, "One"), await history.start(ADA, "Two")
    question, answer = a_turn(talk)
    for wrong in (
        (replace(question, account_id="eve"), answer),
        (question, replace(answer, account_id="eve")),
        (replace(question, conversation_id=other.id), answer),
        (question, replace(answer, conversation_id=other.id)),
        (question, replace(answer, parent_id=None)),
        (replace(question, id=answer.id), replace(answer, id=question.id, parent_id=answer.id)),
    ):
        with pytest.raises(InvalidInput):
            await history.append_turn(ADA, talk.id, *wrong)
    with pytest.raises(NotFound, match="message"):
        await history.append_turn(ADA, talk.id, replace(question, parent_id=new_id()), answer)
    assert await history.page(ADA, talk.id) == []
    assert await history.open(ADA, talk.id) == talk


async def test_a_conversation_that_was_read_a_moment_ago_is_trusted_only_where_it_is_the_account_s(
    history: History, store: SqliteConversations
):
    talk, theirs = await history.start(ADA, "One"), await history.start(EVE, "Two")
    with pytest.raises(NotFound):
        await history.append_turn(ADA, theirs.id, *a_turn(theirs), theirs)
    with pytest.raises(NotFound):
        await history.append_turn(ADA, theirs.id, *a_turn(theirs), talk)
    assert await store.messages(theirs.id) == []
    await history.append_turn(ADA, talk.id, *(turn := a_turn(talk)), talk)
    assert await history.page(ADA, talk.id) == list(turn)
    await history.delete(ADA, talk.id)
    with pytest.raises(NotFound):
        await history.append_turn(ADA, talk.id, *a_turn(talk), talk)


async def test_activity_never_goes_back(history: History):
    talk = await history.start(ADA, "About tides")
    await history.append_turn(ADA, talk.id, *a_turn(talk))
    await history.append_turn(ADA, talk.id, *a_turn(talk, at=NOW - timedelta(days=9)))
    assert (await history.open(ADA, talk.id)).last_activity == NOW


async def test_the_latest_conversation_is_the_one_talked_in_last(history: History):
    talks = [await history.start(ADA, title) for title in ("One", "Two", "Three")]
    assert await history.latest(ADA) == talks[2]
    await history.append_turn(ADA, talks[0].id, *a_turn(talks[0]))
    assert (await history.latest(ADA)).id == talks[0].id
    await history.archive(ADA, talks[0].id)
    assert await history.latest(ADA) == talks[2]


async def test_turns_of_two_windows_at_once_are_all_kept(history: History):
    talk = await history.start(ADA, "About tides")
    turns = [a_turn(talk) for _ in range(10)]
    await asyncio.gather(*(history.append_turn(ADA, talk.id, *turn) for turn in turns))
    assert await history.page(ADA, talk.id) == [message for turn in turns for message in turn]


async def test_pages_lead_from_the_latest_message_to_the_first(history: History):
    talk = await history.start(ADA, "About tides")
    written = [message for _ in range(5) for message in a_turn(talk)]
    for question, answer in zip(written[::2], written[1::2], strict=True):
        await history.append_turn(ADA, talk.id, question, answer)
    read: list[Message] = []
    while page := await history.page(ADA, talk.id, read[0].id if read else "", 3):
        read[:0] = page
    assert read == written


async def test_a_conversation_is_renamed_archived_and_taken_out_again(history: History):
    talk = await history.start(ADA, "One")
    assert await history.rename(ADA, talk.id, " Two\nlines ") == replace(talk, title="Two lines", renamed=True)
    await history.archive(ADA, talk.id)
    assert await history.list(ADA) == []
    assert await history.list(ADA, archived=True) == [replace(talk, title="Two lines", renamed=True, archived=True)]
    await history.archive(ADA, talk.id, archived=False)
    assert await history.list(ADA) == [replace(talk, title="Two lines", renamed=True)]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("\x1b]0;evil\x07 Tides\u202e\n and \x1b[31mebb", "Tides and ebb"),
        ("x" * TITLE_LIMIT, "x" * TITLE_LIMIT),
        ("x" * (TITLE_LIMIT + 1), "x" * (TITLE_LIMIT - 1) + "…"),
        ("Привет, \ud800мир", "Привет, мир"),
    ],
)
async def test_a_title_is_fit_for_a_line(history: History, given: str, kept: str):
    talk = await history.start(ADA, given)
    assert talk.title == kept
    assert (await history.rename(ADA, talk.id, given)).title == kept


@pytest.mark.parametrize("nothing", ["", " \n", "\u200b\x1b[2J"])
async def test_a_title_of_nothing_is_refused_and_at_the_start_replaced(history: History, nothing: str):
    talk = await history.start(ADA, nothing)
    assert talk.title == UNTITLED
    with pytest.raises(InvalidInput):
        await history.rename(ADA, talk.id, nothing)


async def test_a_deleted_conversation_is_nowhere_until_it_is_taken_back(history: History, recorder: Recorder):
    talk = await history.start(ADA, "About tides")
    turn = a_turn(talk)
    await history.append_turn(ADA, talk.id, *turn)
    deleted = await history.delete(ADA, talk.id)
    assert deleted.deleted_at is not None
    for attempt in (
        history.open(ADA, talk.id),
        history.page(ADA, talk.id),
        history.append_turn(ADA, talk.id, *a_turn(talk, turn[1].id)),
        history.rename(ADA, talk.id, "Mine"),
        history.archive(ADA, talk.id),
        history.mark_read(ADA, talk.id),
        history.delete(ADA, talk.id),
        history.discard(ADA, talk.id),
        history.named(ADA, talk.id),
        history.named(ADA, "last"),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert (await history.list(ADA), await history.search(ADA, "tides"), await history.latest(ADA)) == ([], [], None)
    assert await history.list(ADA, deleted=True) == [deleted]
    assert await history.named(ADA, talk.id[:20], deleted=True) == deleted
    with pytest.raises(NotFound):
        await history.undelete(EVE, talk.id)
    assert await history.undelete(ADA, talk.id) == replace(deleted, deleted_at=None)
    assert await history.page(ADA, talk.id) == list(turn)
    with pytest.raises(NotFound, match="is not deleted"):
        await history.undelete(ADA, talk.id)
    assert recorder.records == [
        ("ada", "conversation.delete", talk.id),
        ("ada", "conversation.undelete", talk.id),
    ]


async def test_what_was_deleted_goes_for_good_when_its_time_has_come(store: SqliteConversations, recorder: Recorder):
    day = timedelta(days=1)
    history = History(store, lambda: recorder, kept=7 * day, clock=lambda: NOW)
    talks = [await history.start(ADA, title) for title in ("One", "Two", "Three")]
    for talk in talks[:2]:
        await history.append_turn(ADA, talk.id, *a_turn(talk))
        await history.delete(ADA, talk.id)
    assert await history.expire_deleted(NOW + 7 * day - timedelta(seconds=1)) == 0
    assert await history.expire_deleted(NOW + 7 * day) == 2
    assert await history.expire_deleted(NOW + 70 * day) == 0
    assert await store.messages(talks[0].id) == []
    assert await history.list(ADA, deleted=True) == []
    assert await history.list(ADA) == talks[2:]
    with pytest.raises(NotFound):
        await history.undelete(ADA, talks[0].id)


async def test_only_a_conversation_in_which_nothing_was_said_is_discarded(history: History, store: SqliteConversations):
    empty, talk = await history.start(ADA, "One"), await history.start(ADA, "Two")
    await history.append_turn(ADA, talk.id, *a_turn(talk))
    assert await history.discard(ADA, empty.id) is True
    assert await history.discard(ADA, talk.id) is False
    assert await store.conversation(empty.id) is None
    assert len(await history.page(ADA, talk.id)) == 2


async def test_the_title_is_made_of_the_first_turn_and_stays(history: History):
    talk = await history.start(ADA, "whatever was typed")
    question, answer = a_turn(talk)
    await history.append_turn(ADA, talk.id, replace(question, body="Please tell me: what is the ebb?"), answer)
    assert (await history.open(ADA, talk.id)).title == "Ebb"
    await history.append_turn(ADA, talk.id, *a_turn(talk, answer.id))
    assert (await history.open(ADA, talk.id)).title == "Ebb"


async def test_a_title_that_was_given_is_never_replaced(history: History):
    talk = await history.start(ADA, "One")
    await history.rename(ADA, talk.id, "My own")
    await history.append_turn(ADA, talk.id, *a_turn(talk))
    assert (await history.open(ADA, talk.id)).title == "My own"


async def test_answers_that_came_in_since_are_unread(history: History):
    talk = await history.start(ADA, "One")
    assert not talk.unread
    await history.append_turn(ADA, talk.id, *a_turn(talk))
    assert (await history.open(ADA, talk.id)).unread
    assert not (await history.mark_read(ADA, talk.id)).unread
    assert not (await history.open(ADA, talk.id)).unread
    await history.append_turn(ADA, talk.id, *a_turn(talk, at=NOW + timedelta(seconds=1)))
    assert (await history.open(ADA, talk.id)).unread


async def test_a_conversation_is_named_by_the_beginning_of_its_identifier(history: History):
    talks = [await history.start(ADA, title) for title in ("One", "Two", "Three")]
    await history.archive(ADA, talks[1].id)
    theirs = await history.start(EVE, "Theirs")
    for talk in talks:
        assert (await history.named(ADA, talk.id)).id == talk.id
        assert (await history.named(ADA, f" {talk.id[:-4].upper()} ")).id == talk.id
    assert (await history.named(ADA, "last")).id == talks[2].id
    for talk in (talks[2], talks[0]):
        await history.delete(ADA, talk.id)
        assert (await history.named(ADA, "last", deleted=True)).id == talk.id
    for talk in talks:
        if talk != talks[1]:
            await history.undelete(ADA, talk.id)
    with pytest.raises(NotFound, match="No conversation is deleted"):
        await history.named(ADA, "last", deleted=True)
    with pytest.raises(InvalidInput, match="begins several conversations: "):
        await history.named(ADA, talks[0].id[:6])
    for unknown in (theirs.id, "", "zzz", "%", "First"):
        with pytest.raises(NotFound):
            await history.named(ADA, unknown)


async def test_words_are_found_in_titles_and_in_what_was_said(history: History):
    tides, sails = await history.start(ADA, "Tides"), await history.start(ADA, "Sails")
    for talk in (tides, sails):
        await history.append_turn(ADA, talk.id, *a_turn(talk))
    await history.rename(ADA, sails.id, "Sails")
    assert [one.conversation.id for one in await history.search(ADA, "MOON, tid")] == [sails.id, tides.id]
    (found,) = await history.search(ADA, "sails moon")
    assert (found.conversation.id, found.message and found.message.body) == (sails.id, "The moon.")
    assert await history.search(ADA, " ?! ") == []


async def test_a_disabled_account_has_no_conversations(history: History):
    talk = await history.start(ADA, "One")
    disabled = replace(ADA, disabled_at=NOW)
    for attempt in (
        history.start(disabled, "Two"),
        history.open(disabled, talk.id),
        history.latest(disabled),
        history.list(disabled),
        history.search(disabled, "one"),
        history.named(disabled, "last"),
        history.rename(disabled, talk.id, "Mine"),
        history.delete(disabled, talk.id),
    ):
        with pytest.raises(NotPermitted):
            await attempt
