"""Equal questions at the same time cost one answer, and each gets it as if it had been the only one."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from multidb_chat.domain.conversations import KnowledgeEntry
from multidb_chat.domain.errors import StoreUnavailable
from multidb_chat.domain.plans import Limits
from multidb_chat.domain.search import Match
from multidb_chat.domain.text import normalise_question
from multidb_chat.domain.turns import AnswerToken, Question, SourcesFound, TurnCompleted, TurnFailed, TurnStarted
from multidb_chat.services.answering.extractive import Extractive
from multidb_chat.services.chat import Chat
from tests.unit.services.test_chat import LIMITS, NOW, House, embedder, house

__all__ = ["embedder", "house"]  # fixtures

QUESTION = "How many customers left in 2020?"


class Counted:
    """An answerer that counts its calls, and waits in each until it may go on; the first `failing` ones fail."""

    name = Extractive().name

    def __init__(self, failing: int = 0) -> None:
        self.calls = 0
        self.asked = asyncio.Event()
        self.may_go_on = asyncio.Event()
        self._failing = failing

    async def answer(self, question: Question, matches: Sequence[Match]) -> AsyncIterator[Any]:
        self.calls += 1
        fails = self.calls <= self._failing
        self.asked.set()
        await self.may_go_on.wait()
        if fails:
            raise StoreUnavailable("library", "The library does not answer.")
        async for item in Extractive().answer(question, matches):
            yield item


async def together(house: House, chat: Chat, answerer: Counted, count: int = 100) -> list[list[Any]]:
    """Ask equally often at once; the first is answered when all others wait for it."""
    calls = [asyncio.create_task(house.ask(QUESTION, chat)) for _ in range(count)]
    await answerer.asked.wait()
    while await used(house) < count:
        await asyncio.sleep(0.01)
    answerer.may_go_on.set()
    return await asyncio.gather(*calls)


async def used(house: House) -> int:
    usage = await house.accounts.usage(house.account.id, NOW.date().replace(day=1))
    return usage.get("messages", 0)


async def test_a_hundred_equal_questions_at_once_cost_one_answer(house: House):
    answerer = Counted()
    turns = await together(house, house.chat(answerer=answerer), answerer)
    assert answerer.calls == 1
    assert await used(house) == 100, "each is counted"
    answers = [turn[-1].answer for turn in turns]
    assert {answer.text for answer in answers} == {"Churn rose to 8.1 percent in 2020, when 149 customers left. [1]"}
    assert sorted(answer.cached for answer in answers) == [False] + [True] * 99
    for turn in turns:
        assert isinstance(turn[0], TurnStarted)
        kinds = {type(event) for event in turn[1:-1]}
        assert kinds == ({AnswerToken} if turn[-1].answer.cached else {AnswerToken, SourcesFound})
        assert "".join(event.text for event in turn if isinstance(event, AnswerToken)) == turn[-1].answer.text


async def test_one_that_fails_takes_no_other_with_it(house: House):
    answerer = Counted(failing=1)
    turns = await together(house, house.chat(answerer=answerer), answerer, 20)
    assert answerer.calls == 2
    assert [type(turn[-1]) for turn in turns].count(TurnFailed) == 1
    assert [type(turn[-1]) for turn in turns].count(TurnCompleted) == 19


async def test_one_that_is_cancelled_takes_no_other_with_it(house: House):
    answerer = Counted()
    chat = house.chat(answerer=answerer)
    first = asyncio.create_task(house.ask(QUESTION, chat))
    await answerer.asked.wait()
    others = [asyncio.create_task(house.ask(QUESTION, chat)) for _ in range(10)]
    while await used(house) < 11:
        await asyncio.sleep(0.01)
    first.cancel()
    answerer.may_go_on.set()
    turns = await asyncio.gather(*others)
    assert {type(turn[-1]) for turn in turns} == {TurnCompleted}
    assert answerer.calls == 2


async def test_beyond_the_quota_none_gets_the_answer_of_another(house: House):
    answerer = Counted()
    answerer.may_go_on.set()
    chat = house.chat(answerer=answerer, limits=LIMITS | {"free": Limits(3)})
    turns = await asyncio.gather(*(house.ask(QUESTION, chat) for _ in range(10)))
    assert [type(turn[-1]) for turn in turns].count(TurnCompleted) == 3
    assert [type(turn[-1]) for turn in turns].count(TurnFailed) == 7


async def test_without_the_cache_each_is_answered_anew(house: House):
    answerer = Counted()
    answerer.may_go_on.set()
    chat = house.chat(answerer=answerer)
    await asyncio.gather(*(house.ask(QUESTION, chat, use_cache=False) for _ in range(3)))
    assert answerer.calls == 3


async def test_other_questions_do_not_wait(house: House):
    answerer = Counted()
    chat = house.chat(answerer=answerer)
    first = asyncio.create_task(house.ask(QUESTION, chat))
    await answerer.asked.wait()
    turn = await house.ask("Who won the football world cup in 1954?", chat)
    assert isinstance(turn[-1], TurnCompleted)
    answerer.may_go_on.set()
    await first


async def test_curated_answers_wait_for_nothing_that_is_never_made(house: House):
    entry = KnowledgeEntry("k1", "tenant", QUESTION, normalise_question(QUESTION), "149 customers.", 1, NOW)
    await house.conversations.put_knowledge(entry)
    chat = house.chat()
    turns = await asyncio.gather(*(house.ask(QUESTION, chat) for _ in range(5)))
    assert {turn[-1].answer.text for turn in turns} == {"149 customers."}


async def test_a_cache_that_cannot_tell_what_was_invalidated_is_not_used(house: House, monkeypatch: pytest.MonkeyPatch):
    await house.answer(QUESTION)

    async def away(*_: str) -> tuple[int, ...]:
        raise StoreUnavailable("cache", "The cache does not answer.")

    monkeypatch.setattr(house.cache, "generation", away)
    assert [(await house.answer(QUESTION)).cached for _ in range(2)] == [False, False]
