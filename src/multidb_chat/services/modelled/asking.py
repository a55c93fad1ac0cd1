"""A short question to a model for the program's own use: all that it says, in time, and what that took."""

import asyncio
from contextlib import aclosing

from multidb_chat.domain.errors import ModelError
from multidb_chat.domain.language import Ended, LanguageModel, Prompt
from multidb_chat.domain.turns import ModelUse
from multidb_chat.services.modelled.estimating import size, tokens_of

_LISTENING: set[asyncio.Task[None]] = set()


def _over(listening: asyncio.Task[None]) -> None:
    _LISTENING.discard(listening)
    if not listening.cancelled():
        listening.exception()  # looked at, so that nobody is told that it never was


class Asking:
    """One request to a model. `use` tells what it took so far, also of one that failed or was left."""

    def __init__(self, model: LanguageModel, prompt: Prompt) -> None:
        self._model = model
        self._prompt = prompt
        self._said: list[str] = []
        self._ended: Ended | None = None
        self._begun = False

    async def answer(self, seconds: float) -> str:
        """Return what the model says; empty where it fails, says too much or is not done in so many seconds."""
        try:
            said = await self.said(seconds)
        except (ModelError, TimeoutError):
            return ""
        return said if self._ended is not None and self._ended.complete else ""

    async def said(self, seconds: float | None = None) -> str:
        """Return all that the model says, also where it says too much. Raises `ModelError`.

        Raises `TimeoutError` after so many seconds, and not later: a model on this machine that is left ends its step
        first, which nobody waits for.
        """
        listening = asyncio.create_task(self._listen())
        _LISTENING.add(listening)
        listening.add_done_callback(_over)
        try:
            done, _ = await asyncio.wait({listening}, timeout=seconds)
        finally:
            listening.cancel()
        if not done:
            raise TimeoutError
        await listening
        return "".join(self._said)

    async def _listen(self) -> None:
        self._begun = True
        async with aclosing(self._model.stream(self._prompt)) as events:
            async for event in events:
                if isinstance(event, Ended):
                    self._ended = event
                else:
                    self._said.append(event.text)

    @property
    def use(self) -> ModelUse:
        """What was used: by the provider's count, or about how many tokens were read and written."""
        ended = self._ended or Ended(False)
        known = ended.tokens_in is not None or ended.tokens_out is not None or not self._begun
        read = size(self._prompt.instructions) + sum(size(one.text) for one in self._prompt.messages)
        estimated = 0 if known else tokens_of(read + sum(map(size, self._said)))
        return ModelUse(self._model.name, ended.tokens_in, ended.tokens_out, ended.cost, estimated=estimated)
