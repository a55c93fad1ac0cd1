"""Language models: what they are asked, what they say piece by piece; and the port, one method wide."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol


class Said(NamedTuple):
    """One earlier turn of speech in a prompt."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is asked. `instructions` are the program's own; everything from documents is in `messages`.

    `most_tokens` bounds the answer. `temperature` 0 is the most likely words each time.
    """

    instructions: str
    messages: tuple[Said, ...]
    most_tokens: int = 512
    temperature: float = 0.0


class Piece(NamedTuple):
    """Some of the answer's text, as it comes."""

    text: str


class Ended(NamedTuple):
    """The answer is over. Tokens are the provider's own count, None where it gives none; `cost` is US dollars.

    `complete` is False when it was cut off at the most tokens or by the provider's filter.
    """

    complete: bool
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: float | None = None


class LanguageModel(Protocol):
    """A model that writes."""

    @property
    def name(self) -> str:
        """What it is called, with its provider; another name may give other answers."""

    def stream(self, prompt: Prompt) -> AsyncGenerator[Piece | Ended, None]:
        """Yield the answer piece by piece, and at last `Ended`. Closing the generator stops the model.

        Raises `ModelError`: `ModelUnavailable` (no connection, too slow, overloaded: another try may help) or
        `ModelRefused` (wrong key, unknown model, prompt too long, a stream that is none). Pieces may have come before.
        """

    async def close(self) -> None:
        """Free connections and memory."""
