"""Answers made of passages: searched, those that are good enough given to the answerer, and what it says passed on."""

import time
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import aclosing
from typing import NamedTuple, Protocol, cast

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.search import Match, SearchFilters
from multidb_chat.domain.turns import (
    Answer,
    Answerer,
    AnswerSentence,
    AnswerToken,
    Draft,
    ModelAsked,
    ModelUse,
    Notice,
    Question,
    SourcesFound,
    TurnEvent,
)
from multidb_chat.services.answering.citing import written
from multidb_chat.services.finding import Finder
from multidb_chat.services.modelled.paying import Metering as Paying
from multidb_chat.services.modelled.paying import paid_by
from multidb_chat.services.retrieval import Seen
from multidb_chat.services.turn import Turn, closest, one_side

NOT_FOUND = "I found nothing in your documents that answers this."


class Metering(Paying, Protocol):
    """What a turn needs of what counts the tokens of models."""

    @property
    def quoting(self) -> Answerer:
        """What answers where no model may."""

    async def count(self, account: Account, operation_id: str, use: ModelUse) -> str:
        """Count what a model used; return a warning of little left, or nothing."""


class Searched(NamedTuple):
    """The passages of one side, the user's documents or the handbook; and those of the other.

    `refusal` says why a model that helps to find them was not asked, empty where it was or none does.
    """

    matches: list[Match]
    others: list[Match]
    refusal: str = ""


class Drafting:
    """Makes answers of passages.

    `handbook_id` is the collection of the bundled guide: it is searched with the user's documents, but answers only
    where it fits better than all of them, and one answer never mixes the two. `threshold` is the calibrated score from
    which a passage may be used. `meter` counts the tokens of a model, None where none writes.
    """

    def __init__(
        self, retrieval: Finder, answerer: Answerer, meter: Metering | None, handbook_id: str | None, threshold: float
    ) -> None:
        self._retrieval = retrieval
        self._answerer = answerer
        self._meter = meter
        self._handbook_id = handbook_id
        self._threshold = threshold
        self.has_searched = False

    async def search(self, turn: Turn, limit: int) -> Searched:
        """Return the passages of the user's collections, or the handbook's where they fit better; and the others."""
        ids = tuple(sorted({collection.id for collection in turn.collections}))
        mixed = self._handbook_id in ids and len(ids) > 1
        detail: dict[str, float] = {}
        self.has_searched = True
        with turn.timed("retrieval"), paid_by(turn.account) as turn.payer:
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
        return Searched(side[:limit], rest, turn.payer.refusal)

    async def warning(self, turn: Turn) -> str:
        """Return, once, a warning that finding passages left little of the plan's tokens, empty where it did not."""
        return "" if turn.payer is None else await turn.payer.warning()

    async def answer(
        self, turn: Turn, limit: int, searched: Awaitable[Searched] | None
    ) -> AsyncGenerator[TurnEvent | Answer, None]:
        """Answer from the texts given with the question; where they say nothing, from the collections.

        `searched` is what brings what was found in them, where that was begun before.
        """
        nearest: list[Match] = []
        others: list[Match] = []
        refusal = ""
        draft: Draft | None = None
        for given in (True, False):
            if not (turn.extra if given else turn.collections):
                continue
            found = Searched(list(turn.extra), []) if given else await (searched or self.search(turn, limit))
            matches, others, refusal = found
            turn.passing |= bool(refusal)
            nearest += matches
            usable = matches if given else [match for match in matches if match.score >= self._threshold]
            pieces: list[str] = []
            if usable:
                yield SourcesFound(tuple(usable))
                async with aclosing(self._draft(turn, usable)) as drafted:
                    async for piece in drafted:
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
                    nearest=(), method=draft.method, model=draft.model, rewording=turn.rewording,
                )  # fmt: skip
                return
        if refusal and draft is None:  # else it was told where the answer was to be made
            yield Notice(refusal)
        yield AnswerToken(NOT_FOUND)
        near = closest(nearest, others)
        model = draft.model if draft else None
        yield Answer(turn.asked, turn.standalone, NOT_FOUND, False, nearest=near, model=model, rewording=turn.rewording)

    async def _draft(self, turn: Turn, matches: Sequence[Match]) -> AsyncGenerator[str | Notice | Draft, None]:
        """Yield the answer's Markdown by sentence, one behind the answerer (marks look ahead), then the draft."""
        waiting: AnswerSentence | None = None
        answerer = self._answerer
        if self._meter is not None and (refusal := await self._meter.refusal(turn.account)):
            answerer, turn.passing = self._meter.quoting, True
            if turn.payer is not None:
                turn.payer.refusal = refusal  # which says more than that little is left
            yield Notice(refusal)
        begin = time.perf_counter()
        question = Question(turn.asked, turn.standalone, turn.facts, turn.recalled)
        async with aclosing(self._counted(turn, answerer, question, matches)) as items:
            async for item in items:
                if isinstance(item, Notice):
                    yield item
                    continue
                following = item if isinstance(item, AnswerSentence) else None
                if waiting is not None:
                    yield written(waiting, following)
                waiting = following
                if isinstance(item, Draft):
                    turn.timings["answer"] = (time.perf_counter() - begin) * 1000
                    yield item

    async def _counted(
        self, turn: Turn, answerer: Answerer, question: Question, matches: Sequence[Match]
    ) -> AsyncGenerator[AnswerSentence | Notice | Draft, None]:
        """Yield what an answerer says, and count what a model takes for it, also where it is stopped."""
        asked: ModelAsked | None = None
        operation = ""
        stream = cast(
            "AsyncGenerator[AnswerSentence | Notice | ModelAsked | Draft, None]", answerer.answer(question, matches)
        )
        try:
            async with aclosing(stream) as items:
                async for item in items:
                    if isinstance(item, ModelAsked):
                        turn.asked_models += 1
                        asked, operation = item, f"{turn.id} {turn.asked_models}"
                        continue
                    if isinstance(item, Draft) and item.model is not None and self._meter is not None:
                        warning = await self._meter.count(turn.account, operation, item.model)
                        asked = None
                        before = await self.warning(turn)
                        if warning or before:  # the latest says what is left now
                            yield Notice(warning or before)
                    yield item
        finally:
            if asked is not None and self._meter is not None:
                self._meter.count_later(turn.account, operation, asked.use())
