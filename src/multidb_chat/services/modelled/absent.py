"""A model that cannot be had: the program opens all the same, quotes its answers and says why."""

from collections.abc import AsyncGenerator

from multidb_chat.domain.errors import ModelRefused
from multidb_chat.domain.language import Ended, Piece, Prompt


class AbsentModel:
    """The port `LanguageModel` in the place of one that was chosen and cannot be made, for the reason `why`."""

    def __init__(self, name: str, why: str) -> None:
        self.name = name
        self._why = why

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece | Ended, None]:
        """Say nothing. Raises `ModelRefused` with the reason."""
        raise ModelRefused(self._why)
        yield  # type: ignore[unreachable] # what makes this a generator

    async def close(self) -> None:
        """Nothing: there is none."""
