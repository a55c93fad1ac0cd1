"""The inbox: right whatever becomes of the cache."""

from datetime import timedelta

import pytest

from multidb_chat.domain.errors import StoreUnavailable
from multidb_chat.domain.tasks import Task
from tests.unit.services.tasks.working import ADA, BOB, NOW, Handling, Place, quickly


async def ended(place: Place, about: str = "tea") -> Task:
    task = await place.a_task(about)
    await place.worker(research=Handling(quickly)).step()
    place.clock.now += timedelta(seconds=1)
    return task


async def test_letters_are_kept_until_they_are_cleared(place: Place):
    one, other = await ended(place, "tea"), await ended(place, "coffee")
    assert await place.inbox.unread(ADA) == 2
    assert await place.inbox.mark_read(ADA, [one.id]) == 1
    assert [(letter.title, letter.read) for letter in await place.inbox.letters(ADA)] == [
        ("research: coffee", False),
        ("research: tea", True),
    ]
    assert await place.inbox.unread(ADA) == 1
    assert await place.inbox.clear(ADA, [other.id]) == 1
    assert await place.inbox.clear(ADA) == 1
    assert await place.inbox.letters(ADA) == []
    assert (await place.now(one)).state == "done"


async def test_a_lost_cache_loses_no_letter(place: Place):
    task = await ended(place)
    await place.cache.clear_notifications("ada")
    assert [letter.task_id for letter in await place.inbox.letters(ADA)] == [task.id]
    assert await place.inbox.unread(ADA) == 1


async def test_a_cleared_inbox_does_not_come_back_with_the_cache(place: Place):
    task = await ended(place)
    await place.inbox.clear(ADA)
    await place.inbox.announce(await place.now(task))
    assert await place.inbox.letters(ADA) == []
    assert await place.inbox.news(ADA, NOW - timedelta(days=1)) == []


async def test_news_is_what_ended_since(place: Place):
    await ended(place, "tea")
    since = place.clock.now - timedelta(microseconds=1)
    await ended(place, "coffee")
    await ended(place, "milk")
    assert [letter.title for letter in await place.inbox.news(ADA, since)] == ["research: coffee", "research: milk"]
    assert await place.inbox.news(ADA, place.clock.now) == []
    assert await place.inbox.news(BOB, since) == []


async def test_news_comes_from_the_tasks_while_the_cache_is_away(place: Place, monkeypatch: pytest.MonkeyPatch):
    async def away(*_: object) -> object:
        raise StoreUnavailable("cache", "The cache does not answer.")

    monkeypatch.setattr(place.cache, "notify", away)
    monkeypatch.setattr(place.cache, "notifications", away)
    monkeypatch.setattr(place.cache, "clear_notifications", away)
    task = await ended(place)
    assert [letter.task_id for letter in await place.inbox.news(ADA, NOW - timedelta(seconds=1))] == [task.id]
    assert await place.inbox.clear(ADA) == 1


async def test_what_a_second_try_ends_is_told_again(place: Place):
    task = await place.a_task()
    claim = await place.tasks.claim("w", NOW, NOW + timedelta(minutes=1), ["research"])
    assert claim is not None
    await place.tasks.fail(claim, NOW, "away")
    await place.inbox.announce(await place.now(task))
    await place.tasks.retry(task.id)
    place.clock.now += timedelta(minutes=1)
    await place.worker(research=Handling(quickly)).step()
    (news,) = await place.inbox.news(ADA, NOW)
    assert (news.task_id, news.failed) == (task.id, False)


async def test_hostile_words_are_clean_in_a_letter(place: Place):
    task = await place.a_task("te\x1b]0;stolen\x07a\x9b31m")
    await place.worker(research=Handling(quickly)).step()
    (letter,) = await place.inbox.letters(ADA)
    assert (letter.task_id, letter.title, letter.summary) == (task.id, "research: tea", "about tea")
