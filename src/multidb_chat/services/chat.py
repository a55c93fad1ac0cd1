"""A turn: from a question to a cited answer, as a stream of events."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import NamedTuple, Protocol

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.cache import ANSWER_TTL, Cache
from multidb_chat.domain.conversations import Conversations, KnowledgeEntry
from multidb_chat.domain.errors import MultidbChatError, StoreError
from multidb_chat.domain.library import Collection, Library
from multidb_chat.domain.permissions import Permission, require
from multidb_chat.domain.plans import MESSAGES, Resource
from multidb_chat.domain.search import Match
from multidb_chat.domain.turns import (
    Answer,
    Answerer,
    AnswerToken,
    Notice,
    TurnCompleted,
    TurnEvent,
    TurnFailed,
    TurnStarted,
)
from multidb_chat.services.answering.answer_cache import AnswerCache
from multidb_chat.services.drafting import Drafting, Metering, Searched
from multidb_chat.services.finding import Finder
from multidb_chat.services.kept_answers import KeptAnswers
from multidb_chat.services.knowledge.base import Found
from multidb_chat.services.placing import Memory, Pinned, Placing
from multidb_chat.services.plans import Allowance, Taken
from multidb_chat.services.resilience.budget import Budget, limited
from multidb_chat.services.saving import Keeper, Late, Saving
from multidb_chat.services.side_by_side import Begin, side_by_side
from multidb_chat.services.turn import Turn, checked, curated, rounded


class Quota(Protocol):
    """What a turn needs of the plans service."""

    async def allowance(self, account: Account) -> Allowance:
        """Return what the account may use. Raises `NotPermitted`."""

    async def take(
        self,
        account: Account,
        resource: Resource,
        amount: int,
        operation_id: str,
        allowance: Awaitable[Allowance] | None = None,
    ) -> Taken:
        """Use some of the account's quota. Raises `QuotaExceeded`."""


class Curated(Protocol):
    """What a turn needs of the knowledge base."""

    async def exact(self, question: str) -> KnowledgeEntry | None:
        """Return the entry with this very question."""

    async def find(
        self, question: str, exact: Awaitable[KnowledgeEntry | None] | None = None, generation: int | None = None
    ) -> Found | None:
        """Return the entry that answers the question."""


class Counting(Protocol):
    """What a turn needs of the statistics service."""

    def turn_ended(self, account: Account, turn_id: str, answer: Answer | None, milliseconds: float) -> None:
        """Count a turn; None: it failed."""


class _Ahead(NamedTuple):
    """What was begun before it was known that no answer is kept: reading the curated entry, and searching passages."""

    entry: asyncio.Task[KnowledgeEntry | None] | None
    searched: asyncio.Task[Searched] | None


class Chat:
    """Answers questions from an account's documents.

    `limit` is how many passages an answer is made from; `handbook_id`, `threshold` and `meter` are as in `Drafting`.
    `tenant_id` owns the curated knowledge entries; whoever changes one invalidates the cache's scope
    `knowledge:{tenant_id}`. `late` is what keeps turns while the conversations are away, None where nothing does;
    `pinned` are the facts and `memory` the conversations that a model gets, None where none writes. `order` names what
    helps to find passages: it may be a model, and is asked only where the message is counted and no answer kept.
    """

    def __init__(
        self,
        plans: Quota,
        conversations: Conversations,
        library: Library,
        cache: Cache,
        retrieval: Finder,
        answerer: Answerer,
        *,
        history: Keeper,
        knowledge: Curated,
        statistics: Counting,
        late: Late | None = None,
        meter: Metering | None = None,
        pinned: Pinned | None = None,
        memory: Memory | None = None,
        handbook_id: str | None = None,
        order: str = "",
        tenant_id: str = "",
        threshold: float = 0.2,
        limit: int = 10,
        cache_ttl: float = ANSWER_TTL,
    ) -> None:
        self._plans = plans
        self._cache = AnswerCache(cache, cache_ttl)
        settings = (threshold, handbook_id, order)
        self._kept = KeptAnswers(library, self._cache, f"knowledge:{tenant_id}", answerer.name, settings)
        self._placing = Placing(conversations, self._kept, pinned, memory, may_be_late=late is not None)
        self._drafting = Drafting(retrieval, answerer, meter, handbook_id, threshold)
        self._saving = Saving(history, late)
        self._memory = memory
        self._helped = bool(order)
        self._curated = knowledge
        self._statistics = statistics
        self._limit = limit

    async def respond(
        self,
        account: Account,
        question: str,
        *,
        collections: Sequence[Collection],
        conversation_id: str | None = None,
        parent_id: str | None = None,
        use_cache: bool = True,
        extra: Sequence[Match] | None = None,
        limit: int | None = None,
        documents: Sequence[str] = (),
        wording: str = "",
    ) -> AsyncIterator[TurnEvent]:
        """Answer a question as events; the last one is `TurnCompleted`, or `TurnFailed` with the domain error.

        `collections` are those to search, if the account may. `parent_id` is the message that is answered to: None is
        the end of the branch that is shown, `BEGINNING` none at all. `extra` are passages of texts given with the
        question: they are tried before the collections. A turn that is cancelled or not read to its end stores nothing.
        `documents` are the ids of the only ones to search (none: all). `wording` is what to search with, where that is
        not the question as it was asked.
        """
        turn = Turn(account, question, collections, conversation_id, parent_id, use_cache, extra or ())
        turn.documents, turn.wording = tuple(documents), wording
        begin = time.perf_counter()
        try:
            steps = self._steps(turn, self._limit if limit is None else limit)
            async with aclosing(limited(steps, Budget())) as events:
                async for event in events:
                    if isinstance(event, TurnCompleted):
                        turn.timings["total"] = (time.perf_counter() - begin) * 1000
                        event = TurnCompleted(replace(event.answer, timings=rounded(turn.timings)))
                        self._statistics.turn_ended(account, turn.id, event.answer, turn.timings["total"])
                    yield event
        except MultidbChatError as error:
            self._statistics.turn_ended(account, turn.id, None, (time.perf_counter() - begin) * 1000)
            yield TurnFailed(error)
        finally:
            self._kept.leave(turn)

    async def forget_answers(self, account: Account) -> None:
        """Make every answer that is kept for the account be computed anew. Raises `NotPermitted` or `StoreError`."""
        require(account, Permission.CHAT)
        await self._cache.clear(account.id)

    async def _steps(self, turn: Turn, limit: int) -> AsyncGenerator[TurnEvent, None]:
        require(turn.account, Permission.CHAT)
        if self._memory is not None:
            self._memory.stop()  # a model on this machine does one thing at a time
        turn.asked = checked(turn.asked)
        turn.wording = checked(turn.wording) if turn.wording else turn.asked
        async with side_by_side() as begin:  # each store is waited for beside the others
            allowance = begin(self._plans.allowance(turn.account))
            with turn.timed("conversation"):
                unsaved = await self._placing.place(turn, limit, begin)
            if unsaved:
                yield Notice(unsaved)
            taking = self._plans.take(turn.account, MESSAGES, 1, turn.id, allowance)
            counted: Awaitable[Taken] = taking
            if turn.recalled.turns or self._helped:  # a model may be asked, and who has no message left may not ask it
                await (counted := begin(taking))
                await self._placing.reword(turn, limit)
            with turn.timed("quota"):
                finding = begin(self._kept.find(turn))
                # What was found is told only when the message was counted.
                ahead = self._ahead(turn, limit, begin, finding) if self._kept.is_to_be_made(turn) else None
                taken, kept = await asyncio.gather(counted, finding)
            yield TurnStarted(turn.id, turn.conversation_id, turn.asked)
            if taken.warning:
                yield Notice(taken.warning)
            answer: Answer | None = None
            async with aclosing(self._answer(turn, limit, kept, ahead)) as events:
                async for event in events:
                    if isinstance(event, Answer):
                        answer = event
                    else:
                        yield event
            assert answer is not None
            keeping = begin(self._kept.keep(turn, answer)) if turn.made else None
            answer, notice = await self._saved(turn, replace(answer, timings=rounded(turn.timings)))
            for told in filter(None, (notice, await self._drafting.warning(turn))):
                yield Notice(told)
            if keeping is not None:
                with turn.timed("cache"):
                    await keeping
        if self._memory is not None and answer.conversation_id is not None and not turn.unread:
            self._memory.turn_ended(turn.account, answer.conversation_id)
        yield TurnCompleted(answer)

    async def _saved(self, turn: Turn, answer: Answer) -> tuple[Answer, str]:
        """Return the answer with where it was stored, and what to tell about that."""
        if turn.conversation_id is None:
            return answer, ""
        try:
            with turn.timed("save"):
                answer = await self._saving.save(turn, answer)
            return answer, await self._saving.delay(turn)
        except StoreError as error:
            return answer, f"This turn is not saved: {error}"

    def _ahead(self, turn: Turn, limit: int, begin: Begin, finding: asyncio.Task[Answer | None]) -> _Ahead:
        """Begin what is wanted if no answer is kept, beside looking for one.

        Texts that are given with a question may answer it, so that nothing else is searched.
        """
        searches = turn.collections and not turn.extra and turn.away is None
        return _Ahead(
            begin(self._curated.exact(turn.standalone)) if _may_be_curated(turn) else None,
            begin(self._searched(turn, limit, finding)) if searches else None,
        )

    async def _searched(self, turn: Turn, limit: int, finding: asyncio.Task[Answer | None]) -> Searched:
        """Search; where that takes far longer than finding an answer, as the first time does, only if none is kept."""
        if (self._helped or not self._drafting.has_searched) and await finding is not None:
            return Searched([], [])
        return await self._drafting.search(turn, limit)

    async def _answer(
        self, turn: Turn, limit: int, kept: Answer | None, ahead: _Ahead | None
    ) -> AsyncGenerator[TurnEvent | Answer, None]:
        """Yield events, and at last the answer: the kept one, from curated knowledge, or from passages."""
        if kept is None:
            kept = await self._kept.awaited(turn)
        if kept is None:
            with turn.timed("knowledge"):
                known = await self._knowledge(turn, ahead)
            if known is None and turn.away is not None:
                raise turn.away
            if known is not None and turn.away is not None:
                yield Notice(f"Your documents cannot be read now; this answer was curated: {turn.away}")
            kept = known
        else:
            kept = replace(kept, cached=True)
        if kept is not None:
            answer = replace(kept, question=turn.asked, standalone=turn.standalone, rewording=turn.rewording)
            self._kept.share(turn, answer)
            yield AnswerToken(answer.text)
            yield answer
            return
        async with aclosing(self._drafting.answer(turn, limit, ahead and ahead.searched)) as events:
            async for event in events:
                if isinstance(event, Answer):
                    turn.made = not turn.passing
                    self._kept.share(turn, event)
                yield event

    async def _knowledge(self, turn: Turn, ahead: _Ahead | None) -> Answer | None:
        """Return the curated answer to this question; none when there is no entry or its store is away."""
        if not _may_be_curated(turn):
            return None
        generations = turn.scope and turn.scope.generations
        with suppress(StoreError):
            found = await self._curated.find(
                turn.standalone, ahead and ahead.entry, generations[1] if generations else None
            )
            if found is not None:
                return curated(turn, found)
        return None


def _may_be_curated(turn: Turn) -> bool:
    """Tell whether knowledge may answer; texts given with a question, and certain documents, are what it is about."""
    return not turn.extra and not turn.documents
