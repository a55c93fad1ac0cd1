"""A model that says what a test tells it to, piece by piece, and may fail at a certain place; and who counts it."""

from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.language import Ended, Piece, Prompt
from multidb_chat.domain.turns import ModelUse

ADA = Account("ada", "user", "free", datetime(2026, 1, 1, tzinfo=UTC))


class Scripted:
    """Says `pieces`, raising those that are errors. `prompts` are those it was given, `stopped` whether it was left."""

    def __init__(self, *pieces: str | Exception, ended: Ended | None = None) -> None:
        self._pieces: Sequence[str | Exception] = pieces
        self._ended = ended or Ended(True, 100, 20)
        self.prompts: list[Prompt] = []
        self.stopped = False

    @property
    def name(self) -> str:
        return "scripted:one"

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece | Ended, None]:
        self.prompts.append(prompt)
        try:
            for piece in self._pieces:
                if isinstance(piece, Exception):
                    raise piece
                yield Piece(piece)
            yield self._ended
        except GeneratorExit:
            self.stopped = True
            raise

    async def close(self) -> None:
        pass


class Counted:
    """Keeps what it was told to count; `left` says why no model may be asked."""

    def __init__(self, left: str = "") -> None:
        self._left = left
        self.uses: dict[str, ModelUse] = {}

    async def refusal(self, account: Account) -> str:
        return self._left

    def count_later(self, account: Account, operation_id: str, use: ModelUse) -> None:
        self.uses[operation_id] = use


def in_pieces(text: str, size: int) -> list[str]:
    """Return a text cut into pieces of a size."""
    return [text[at : at + size] for at in range(0, len(text), size)]
