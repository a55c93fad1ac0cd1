"""Answers of earlier turns: found again where all that they depend on is as it was; and those being made right now."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

from multidb_chat.domain.errors import NotFound
from multidb_chat.domain.library import Library
from multidb_chat.domain.text import clean
from multidb_chat.domain.turns import Answer
from multidb_chat.services.answering.answer_cache import AnswerCache, answer_key
from multidb_chat.services.single_flight import SingleFlight
from multidb_chat.services.turn import Scope, Turn, digest

# Keys of answers that are remembered as being kept: some 200 bytes each.
_REMEMBERED = 4_096


class KeptAnswers:
    """Finds and keeps the answers of turns. `settings` are what every answer depends on, the answerer's name first."""

    def __init__(self, library: Library, cache: AnswerCache, shared: str, answerer: str, settings: Sequence[object]):
        self._library = library
        self._cache = cache
        self._shared = shared
        self._answerer = answerer
        self._settings = tuple(settings)
        self._making: SingleFlight[Answer] = SingleFlight()
        self._lately: OrderedDict[str, None] = OrderedDict()

    async def scope(self, turn: Turn) -> Scope:
        """Return where the turn may look. Raises `StoreError`, or `NotFound` for what the account may not search.

        The collections are looked at anew: who they were resolved for is not known.
        """
        allowed, versions, generations = await asyncio.gather(
            self._library.collections(turn.account.id),
            self._library.collection_versions([collection.id for collection in turn.collections]),
            self._cache.generations(turn.account.id, self._shared),
        )
        may_search = {collection.id: collection for collection in allowed}
        for collection in turn.collections:
            if collection.id not in may_search:
                raise NotFound(f'There is no collection named "{clean(collection.name)}".')
        return Scope([may_search[collection.id] for collection in turn.collections], versions, generations)

    def key(self, turn: Turn, scope: Scope, limit: int) -> str:
        """Return the key that the turn's answer is kept by; empty where the cache cannot tell what was invalidated."""
        if scope.generations is None:
            return ""
        return answer_key(
            turn.standalone,
            account_id=turn.account.id,
            versions=scope.versions,
            answerer=self._answerer,
            settings=(limit, *self._settings, *scope.generations),
            extra=[
                *(digest(match) for match in turn.extra),
                *(f"only {one}" for one in sorted(turn.documents)),
                *(f"fact {one}" for one in turn.facts),
                *(f"said {one}" for one in (*turn.recalled.turns, turn.recalled.summary) if one),
            ],
        )

    def is_to_be_made(self, turn: Turn) -> bool:
        """Tell whether the turn has to make its answer, as far as can be told without asking anybody.

        Wrong for an answer that another process keeps, and for one that is kept no more.
        """
        return not self._usable(turn) or (turn.key not in self._lately and self._making.leads(turn.key, turn.id))

    async def find(self, turn: Turn) -> Answer | None:
        """Return the answer that is kept for the turn; None where there is none, or it is not to be used.

        From here on equal questions wait for this turn's answer, until it is kept or shared, or the turn leaves.
        """
        if not self._usable(turn) or not self._making.leads(turn.key, turn.id):
            return None
        found = await self._cache.find(turn.key)
        if found is not None:
            self._remember(turn.key)
            self.share(turn, found)
        return found

    async def awaited(self, turn: Turn) -> Answer | None:
        """Return the answer that an equal question gets at this time; None when this turn is to make it."""
        return await self._making.made(turn.key, turn.id) if self._usable(turn) else None

    async def keep(self, turn: Turn, answer: Answer) -> None:
        """Keep the turn's answer for the next time."""
        if self._usable(turn):
            await self._cache.keep(turn.key, answer, turn.account.id)
            self._remember(turn.key)

    def share(self, turn: Turn, answer: Answer) -> None:
        """Give the turn's answer to the equal questions that wait for it."""
        self._making.end(turn.key, turn.id, answer)

    def leave(self, turn: Turn) -> None:
        """Let nobody wait for the turn any more; it ended, perhaps without an answer."""
        self._making.end(turn.key, turn.id)

    def _remember(self, key: str) -> None:
        self._lately[key] = None
        self._lately.move_to_end(key)
        while len(self._lately) > _REMEMBERED:
            self._lately.popitem(last=False)

    def _usable(self, turn: Turn) -> bool:
        return bool(turn.key) and turn.use_cache
