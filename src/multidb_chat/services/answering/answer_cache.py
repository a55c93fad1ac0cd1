"""Answers kept for the next time, so that one is never served across scopes nor after a document in scope changed."""

import hashlib
import json
from collections.abc import Mapping, Sequence

from multidb_chat.domain.cache import ANSWER_TTL, Cache
from multidb_chat.domain.errors import StoreError
from multidb_chat.domain.text import normalise_question
from multidb_chat.domain.turns import Answer
from multidb_chat.services.answering import codec


def answer_key(
    question: str,
    *,
    account_id: str,
    versions: Mapping[str, int],
    answerer: str,
    settings: Sequence[object],
    extra: Sequence[str] = (),
) -> str:
    """Return the cache key of a stand-alone question asked in a scope.

    `versions` holds the searched collections with the number of their latest change; `settings` everything else that
    the answer depends on; `extra` the hashes of texts that were given with the question.
    """
    parts = [
        codec.FORMAT,
        account_id,
        sorted(versions.items()),
        answerer,
        [str(value) for value in settings],
        list(extra),
        normalise_question(question),
    ]
    text = json.dumps(parts, ensure_ascii=True, separators=(",", ":"))
    return f"cache:faq:{hashlib.sha256(text.encode()).hexdigest()}"


class AnswerCache:
    """Finds and keeps answers for `ttl` seconds, 0 keeps none.

    A cache that is away or holds something else is a miss, never an error.
    """

    def __init__(self, cache: Cache, ttl: float = ANSWER_TTL) -> None:
        self._cache = cache
        self._ttl = ttl

    async def find(self, key: str) -> Answer | None:
        """Return the kept answer, None when there is none that can be read."""
        if not self._ttl:
            return None
        try:
            data = await self._cache.get(key)
            return codec.loads(data) if data is not None else None
        except (StoreError, ValueError):
            return None

    async def keep(self, key: str, answer: Answer, owner: str) -> None:
        """Keep an answer to a question of this account for the time to live."""
        if not self._ttl:
            return
        try:
            await self._cache.put(key, codec.dumps(answer).encode("utf-8", "replace"), self._ttl, owner)
        except StoreError:
            return

    async def clear(self, owner: str) -> None:
        """Let no answer kept for this account be found any more. Raises `StoreError`."""
        await self._cache.invalidate(_scope(owner))

    async def generations(self, owner: str, shared: str) -> tuple[int, int] | None:
        """Return the generations of this account's answers and of another scope; None when the cache is away."""
        try:
            own, others = await self._cache.generation(_scope(owner), shared)
        except StoreError:
            return None
        return own, others


def _scope(owner: str) -> str:
    return f"answers:{owner}"
