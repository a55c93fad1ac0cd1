"""Feedback: given once for each answer, listed to whoever gave it, counted for staff without names."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multidb_chat.adapters.sqlite.conversations import SqliteConversations
from multidb_chat.domain.accounts import Account
from multidb_chat.domain.conversations import Conversation, Message
from multidb_chat.domain.errors import InvalidInput, NotFound, NotPermitted
from multidb_chat.services.feedback import MOST_CHARACTERS, DayOfFeedback, FeedbackService

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA = Account("ada", "user", "free", NOW)
BOB = Account("bob", "guest", "free", NOW, expires_at=NOW)
ADMIN = Account("root", "admin", "free", NOW)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def service(tmp_path: Path, clock: Clock) -> AsyncIterator[FeedbackService]:
    """Ada's conversation `c` with the answers `a1` and `a2`."""
    store = SqliteConversations(tmp_path / "conversations.sqlite")
    await store.put_conversation(Conversation("c", "ada", "Talk", NOW))
    for number in ("1", "2"):
        question = Message(f"q{number}", "c", "ada", "user", "Why?", NOW)
        await store.append(question)
        await store.append(replace(question, id=f"a{number}", role="assistant", parent_id=question.id))
    yield FeedbackService(store, clock=clock)
    await store.close()


async def test_a_rating_replaces_the_one_before(service: FeedbackService) -> None:
    await service.rate(ADA, "c", "a1", 1)
    await service.rate(ADA, "c", "a2", 1, "Fine.")
    last = await service.rate(ADA, "c", "a1", -1, " It\x1b[31m is\nwrong. ")
    assert last.comment == "It is\nwrong."
    assert [(one.message_id, one.rating) for one in await service.own(ADA)] == [("a1", -1), ("a2", 1)]


@pytest.mark.parametrize(("account", "conversation", "message"), [
    (BOB, "c", "a1"), (ADA, "c", "q1"), (ADA, "c", "a9"), (ADA, "d", "a1"),
])  # fmt: skip
async def test_only_ones_own_answers_can_be_rated(
    service: FeedbackService, account: Account, conversation: str, message: str
) -> None:
    with pytest.raises(NotFound):
        await service.rate(account, conversation, message, 1)


async def test_what_makes_no_sense_is_refused(service: FeedbackService) -> None:
    for refused in (
        service.rate(ADA, "c", "a1", 0),
        service.rate(ADA, "c", "a1", 5),
        service.rate(ADA, "c", "a1", 1, "x" * (MOST_CHARACTERS + 1)),
        service.tell(ADA, " \x1b[2J "),
    ):
        with pytest.raises(InvalidInput):
            await refused
    assert await service.own(ADA) == []


async def test_a_guest_tells_something_about_the_program(service: FeedbackService) -> None:
    first = await service.tell(BOB, "It is fast.")
    second = await service.tell(BOB, "It is fast.")
    assert await service.own(BOB) == [second, first]
    assert await service.own(BOB, before=second.id) == [first]
    assert await service.own(ADA) == []
    assert first.message_id is None


async def test_the_staff_reads_counts_and_comments_by_day_without_names(service: FeedbackService, clock: Clock) -> None:
    clock.now = NOW - timedelta(days=40)
    await service.tell(BOB, "Long ago.")
    clock.now = NOW - timedelta(days=1)
    await service.rate(ADA, "c", "a1", 1, "Fine.")
    await service.rate(ADA, "c", "a2", -1)
    clock.now = NOW
    await service.tell(BOB, "It is fast.")
    found = await service.statistics(ADMIN)
    yesterday = (NOW - timedelta(days=1)).date()
    assert found.days == (DayOfFeedback(NOW.date(), 0, 0, 1), DayOfFeedback(yesterday, 1, 1, 0))
    assert [day.mean for day in found.days] == [None, 0.0]
    assert [(one.text, one.rating, one.on_answer) for one in found.comments] == [
        ("It is fast.", 0, False),
        ("Fine.", 1, True),
    ]
    assert len((await service.statistics(ADMIN, comments=1)).comments) == 1
    assert not {"ada", "bob"} & set(repr(found).lower().split("'"))
    with pytest.raises(NotPermitted):
        await service.statistics(ADA)


@given(good=st.integers(0, 50), bad=st.integers(0, 50))
def test_the_mean_lies_between_all_bad_and_all_good(good: int, bad: int) -> None:
    mean = DayOfFeedback(NOW.date(), good, bad, 3).mean
    assert mean is None if good + bad == 0 else mean is not None and -1 <= mean <= 1
