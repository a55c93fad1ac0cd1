"""A model that says what a test tells it to, piece by piece, and may fail at a certain place."""

from collections.abc import AsyncGenerator, Sequence

from multidb_chat.domain.language import Ended, Piece, Prompt


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


def in_pieces(text: str, size: int) -> list[str]:
    """Return a text cut into pieces of a size."""
    return [text[at : at + size] for at in range(0, len(text), size)]
