"""Whether a model can be used: one short question to it, and what that took."""

import time
from contextlib import aclosing
from typing import NamedTuple

from multidb_chat.domain.language import Ended, LanguageModel, Prompt, Said

_PROMPT = Prompt("Answer in one short sentence.", (Said("user", "What colour is the sky on a clear day?"),), 24)


class Trial(NamedTuple):
    """What a model said, after how many seconds it began and ended, and the tokens by its provider's count."""

    text: str
    first: float
    seconds: float
    tokens_in: int | None
    tokens_out: int | None


async def tried(model: LanguageModel) -> Trial:
    """Ask the model. Raises `ModelError`."""
    begin = time.perf_counter()
    pieces: list[str] = []
    first = 0.0
    ended = Ended(complete=False)
    async with aclosing(model.stream(_PROMPT)) as events:
        async for event in events:
            if isinstance(event, Ended):
                ended = event
                continue
            first = first or time.perf_counter() - begin
            pieces.append(event.text)
    return Trial("".join(pieces), first, time.perf_counter() - begin, ended.tokens_in, ended.tokens_out)
