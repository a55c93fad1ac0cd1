"""A turn: from a question to a cited answer, as a stream of events."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple, Protocol

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.cache import ANSWER_TTL, Cache
from multidb_chat.domain.conversations import Conversation, Conversations, KnowledgeEntry, Message
from multidb_chat.domain.errors import MultidbChatError, NotFound, StoreError, StoreUnavailable
from multidb_chat.domain.library import Collection, Library
from multidb_chat.domain.permissions import Permission, require
from multidb_chat.domain.plans import MESSAGES, Resource
from multidb_chat.domain.search import Match, SearchFilters
from multidb_chat.domain.turns import (
    Answer,
    Answerer,
    AnswerSentence,
    AnswerToken,
    Draft,
    ModelUse,
    Notice,
    Question,
    SourcesFound,
    TurnCompleted,
    TurnEvent,
    TurnFailed,
    TurnStarted,
)
from multidb_chat.services.answering.answer_cache import AnswerCache
from multidb_chat.services.answering.citing import written
from multidb_chat.services.kept_answers import KeptAnswers
from multidb_chat.services.knowledge.base import Found
from multidb_chat.services.plans import Allowance, Taken
from multidb_chat.services.resilience.budget import Budget, limited
from multidb_chat.services.retrieval import Seen
from multidb_chat.services.saving import Keeper, Late, Saving
from multidb_chat.services.side_by_side import Begin, side_by_side
from multidb_chat.services.turn import Turn, branch_of, checked, closest, curated, one_side, past_turn, rounded

NOT_FOUND = "I found nothing in your documents that answers this."
BEGINNING = ""
"""The `parent_id` of a question that answers to nothing: another first question of its conversation."""
_PAST = 8  # messages that are looked at for what a follow-up leans on


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


class Finder(Protocol):
    """What a turn needs of the retrieval service."""

    async def search(
        self,
        question: str,
        filters: SearchFilters,
        limit: int = 10,
        *,
        merge: bool = True,
        timings: dict[str, float] | None = None,
        seen: Seen | None = None,
    ) -> list[Match]:
        """Return the best passages."""

    async def look_up(self, question: str) -> None:
        """Look whether the question's vector is in the cache, for a search that follows."""


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


class Metering(Protocol):
    """What a turn needs of what counts the tokens of models."""

    @property
    def quoting(self) -> Answerer:
        """What answers where no model may."""

    async def refusal(self, account: Account) -> str:
        """Return why no model may write for the account now, empty where one may."""

    async def count(self, account: Account, operation_id: str, use: ModelUse) -> str:
        """Count what a model used; return a warning of little left, or nothing."""


class Pinned(Protocol):
    """What a turn needs of what accounts want remembered."""

    async def all(self, account: Account) -> tuple[str, ...]:
        """Return the account's facts."""


class _Ahead(NamedTuple):
    """What was begun before it was known that no answer is kept: the curated entry, and a look for the vector."""

    entry: asyncio.Task[KnowledgeEntry | None] | None
    vector: asyncio.Task[None] | None


class Chat:
    """Answers questions from an account's documents.

    `handbook_id` is the collection of the bundled guide: it is searched with the user's documents, but answers only
    where it fits better than all of them, and one answer never mixes the two. `threshold` is the calibrated score from
    which a passage may be used; `limit` how many passages an answer is made from. `tenant_id` owns the curated
    knowledge entries; whoever changes one invalidates the cache's scope `knowledge:{tenant_id}`. `late` is what keeps
    turns while the conversations are away, None where nothing does. `meter` counts the tokens of a model, None where
    none writes; `pinned` are the facts that it gets.
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
        handbook_id: str | None = None,
        tenant_id: str = "",
        threshold: float = 0.3,
        limit: int = 10,
        cache_ttl: float = ANSWER_TTL,
    ) -> None:
        self._plans = plans
        self._conversations = conversations
        self._cache = AnswerCache(cache, cache_ttl)
        settings = (threshold, handbook_id)
        self._kept = KeptAnswers(library, self._cache, f"knowledge:{tenant_id}", answerer.name, settings)
        self._retrieval = retrieval
        self._answerer = answerer
        self._saving = Saving(history, late)
        self._may_be_late = late is not None
        self._curated = knowledge
        self._statistics = statistics
        self._meter = meter
        self._pinned = pinned
        self._handbook_id = handbook_id
        self._threshold = threshold
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
            async for event in limited(steps, Budget()):
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
        turn.asked = checked(turn.asked)
        turn.wording = checked(turn.wording) if turn.wording else turn.asked
        async with side_by_side() as begin:  # each store is waited for beside the others
            allowance = begin(self._plans.allowance(turn.account))
            with turn.timed("conversation"):
                unsaved = await self._placed(turn, limit, begin)
            if unsaved:
                yield Notice(unsaved)
            with turn.timed("quota"):
                # What was found is told only when the message was counted.
                ahead = self._ahead(turn, begin) if self._kept.is_to_be_made(turn) else None
                taken, kept = await asyncio.gather(
                    self._plans.take(turn.account, MESSAGES, 1, turn.id, allowance), self._kept.find(turn)
                )
            yield TurnStarted(turn.id, turn.conversation_id, turn.asked)
            if taken.warning:
                yield Notice(taken.warning)
            answer: Answer | None = None
            async for event in self._answer(turn, limit, kept, ahead):
                if isinstance(event, Answer):
                    answer = event
                else:
                    yield event
            assert answer is not None
            keeping = begin(self._kept.keep(turn, answer)) if turn.made else None
            answer, notice = await self._saved(turn, replace(answer, timings=rounded(turn.timings)))
            if notice:
                yield Notice(notice)
            if keeping is not None:
                with turn.timed("cache"):
                    await keeping
        yield TurnCompleted(answer)

    async def _placed(self, turn: Turn, limit: int, begin: Begin) -> str:
        """Settle where the turn belongs and where it may look; return what to tell where it cannot be saved.

        Raises `NotFound` for what is not the account's.
        """
        unsaved, scope, facts = "", begin(self._kept.scope(turn)), begin(self._facts(turn))
        try:
            turn.standalone = await self._standalone(turn)
        except StoreError as error:
            turn.standalone = turn.wording
            turn.unread = self._may_be_late and isinstance(error, StoreUnavailable)
            if not turn.unread:
                turn.conversation_id = None
                unsaved = f"This turn is not saved, and earlier ones are not known: {error}"
        turn.facts = await facts
        try:
            turn.scope = await scope
        except StoreError as error:
            turn.away = error
        else:
            turn.key = self._kept.key(turn, turn.scope, limit)
        return unsaved

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

    def _ahead(self, turn: Turn, begin: Begin) -> _Ahead:
        """Begin what is wanted if no answer is kept, beside looking for one."""
        return _Ahead(
            begin(self._curated.exact(turn.standalone)) if _may_be_curated(turn) else None,
            begin(self._retrieval.look_up(turn.standalone)) if turn.collections else None,
        )

    async def _facts(self, turn: Turn) -> tuple[str, ...]:
        """Return what a model is to know of the account; nothing where that cannot be read now."""
        if self._pinned is not None:
            with suppress(MultidbChatError):
                return await self._pinned.all(turn.account)
        return ()

    async def _standalone(self, turn: Turn) -> str:
        """Return the question with what it leaves out taken from the turns that led here, and settle its parent.

        Raises `NotFound` for another account's conversation, a deleted one, or an unknown parent.
        """
        if turn.conversation_id is None:
            return turn.wording
        conversation, latest = await asyncio.gather(
            self._conversations.conversation(turn.conversation_id),
            self._conversations.messages(turn.conversation_id, limit=_PAST),
        )
        if conversation is None or conversation.account_id != turn.account.id or conversation.deleted_at is not None:
            raise NotFound(f"There is no conversation {turn.conversation_id}.")
        turn.conversation, turn.read_at = conversation, time.monotonic()
        branch = await self._led_here(turn, conversation, latest)
        turn.parent_id = branch[-1].id if branch else None
        if not branch:
            return turn.wording
        from multidb_chat.services.follow_up import standalone

        last = next((past for message in reversed(branch) if (past := past_turn(message)) is not None), None)
        return turn.wording if last is None else standalone(turn.wording, [last])

    async def _led_here(self, turn: Turn, conversation: Conversation, latest: Sequence[Message]) -> list[Message]:
        """Return the messages that the question answers to, as far as they matter, oldest first."""
        if turn.parent_id == BEGINNING:
            return []
        parent_id = turn.parent_id or conversation.head
        if parent_id is None or any(message.id == parent_id for message in latest):
            return branch_of(latest, parent_id)
        parent = await self._conversations.message(conversation.id, parent_id)
        if parent is not None:
            return branch_of(
                [*await self._conversations.messages(conversation.id, parent_id, _PAST), parent], parent_id
            )
        if turn.parent_id is not None:
            raise NotFound(f"There is no message {turn.parent_id} in this conversation.")
        return branch_of(latest, None)

    async def _answer(
        self, turn: Turn, limit: int, kept: Answer | None, ahead: _Ahead | None
    ) -> AsyncIterator[TurnEvent | Answer]:
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
            answer = replace(kept, question=turn.asked, standalone=turn.standalone)
            self._kept.share(turn, answer)
            yield AnswerToken(answer.text)
            yield answer
            return
        if ahead is not None and ahead.vector is not None:
            await ahead.vector
        async for event in self._from_passages(turn, limit):
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

    async def _from_passages(self, turn: Turn, limit: int) -> AsyncIterator[TurnEvent | Answer]:
        """Answer from the texts given with the question; where they say nothing, from the collections."""
        nearest: list[Match] = []
        others: list[Match] = []
        draft: Draft | None = None
        for given in (True, False):
            if not (turn.extra if given else turn.collections):
                continue
            matches, others = (list(turn.extra), []) if given else await self._search(turn, limit)
            nearest += matches
            usable = matches if given else [match for match in matches if match.score >= self._threshold]
            pieces: list[str] = []
            if usable:
                yield SourcesFound(tuple(usable))
                async for piece in self._draft(turn, usable):
                    if isinstance(piece, Draft):
                        draft = piece
                        turn.passing |= piece.passing
                    elif isinstance(piece, Notice):
                        yield piece
                    else:
                        pieces.append(piece)
                        yield AnswerToken(piece)
            if draft is not None and draft.found:
                yield Answer(
                    turn.asked, turn.standalone, "".join(pieces), True, draft.sentences, draft.citations,
                    nearest=(), method=draft.method, model=draft.model,
                )  # fmt: skip
                return
        yield AnswerToken(NOT_FOUND)
        near = closest(nearest, others)
        yield Answer(turn.asked, turn.standalone, NOT_FOUND, False, nearest=near, model=draft.model if draft else None)

    async def _search(self, turn: Turn, limit: int) -> tuple[list[Match], list[Match]]:
        """Return the passages of the user's collections, or the handbook's where they fit better; and the others."""
        ids = tuple(sorted({collection.id for collection in turn.collections}))
        mixed = self._handbook_id in ids and len(ids) > 1
        detail: dict[str, float] = {}
        with turn.timed("retrieval"):
            # Not merged: a passage is weighed with its own heading, and all that were found shall be weighed.
            found = await self._retrieval.search(
                turn.standalone,
                SearchFilters(ids, turn.documents),
                2 * limit if mixed else limit,
                merge=False,
                timings=detail,
                seen=turn.scope and Seen(turn.scope.collections, turn.scope.versions),
            )
        turn.timings.update({f"retrieval.{step}": value for step, value in detail.items()})
        side, rest = one_side(found, self._handbook_id)
        return side[:limit], rest

    async def _draft(self, turn: Turn, matches: Sequence[Match]) -> AsyncIterator[str | Notice | Draft]:
        """Yield the answer's Markdown by sentence, one behind the answerer (marks look ahead), then the draft."""
        waiting: AnswerSentence | None = None
        answerer = self._answerer
        if self._meter is not None and (refusal := await self._meter.refusal(turn.account)):
            answerer, turn.passing = self._meter.quoting, True
            yield Notice(refusal)
        begin = time.perf_counter()
        async for item in answerer.answer(Question(turn.asked, turn.standalone, turn.facts), matches):
            if isinstance(item, Notice):
                yield item
                continue
            following = item if isinstance(item, AnswerSentence) else None
            if waiting is not None:
                yield written(waiting, following)
            waiting = following
            if isinstance(item, Draft):
                turn.timings["answer"] = (time.perf_counter() - begin) * 1000
                if self._meter is not None and item.model is not None:
                    turn.asked_models += 1
                    operation = f"{turn.id} {turn.asked_models}"
                    if warning := await self._meter.count(turn.account, operation, item.model):
                        yield Notice(warning)
                yield item


def _may_be_curated(turn: Turn) -> bool:
    """Tell whether knowledge may answer; texts given with a question, and certain documents, are what it is about."""
    return not turn.extra and not turn.documents
