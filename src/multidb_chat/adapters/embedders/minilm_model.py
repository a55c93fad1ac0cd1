"""The model behind `minilm`: text to word pieces to windows to one unit vector. Synchronous; safe on several threads.

One text is one run, unpadded, on the calling thread, so its vector is the same bit for bit whatever else is embedded
beside it, and no work is spent on padding. Several texts run on several threads.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from multidb_chat.adapters.embedders.network import Network, described
from multidb_chat.adapters.embedders.windows import windows
from multidb_chat.domain.errors import StoreUnavailable

WINDOW = 256  # word pieces, the two marks included: the length the model was trained for
OVERLAP = 32  # word pieces two windows share, so that a sentence on the border is whole in one of them
SLICE_CHARS = 16_384  # the tokenizer keeps the interpreter to itself, some 0.5 s for 1 MB: a slice, some 10 ms


class MiniLMModel:
    """The tokenizer and the network of `folder`. Raises `StoreCorrupt` when a file is missing or damaged."""

    def __init__(self, folder: Path) -> None:
        self._network = Network(folder, folder, "embedder")

    def vectors(self, texts: list[str], stopped: Callable[[], bool]) -> list[bytes]:
        """Return each text's unit vector. `stopped` is asked before each window; True raises `StoreUnavailable`."""
        return [self._vector(text, stopped) for text in texts]

    def _vector(self, text: str, stopped: Callable[[], bool]) -> bytes:
        total = np.zeros(1, dtype=np.float32)
        for window in windows(self._ids(text, stopped), WINDOW - 2, OVERLAP):
            _check(stopped)
            total = total + (len(window) + 2) * self._run(window)
        return (total / np.linalg.norm(total)).astype("<f4").tobytes()

    def _ids(self, text: str, stopped: Callable[[], bool]) -> list[int]:
        pieces: list[int] = []
        for part in slices(text.encode("utf-8", "replace").decode("utf-8")):  # lone surrogates are no characters
            _check(stopped)
            pieces += self._network.tokenizer.encode(part, add_special_tokens=False).ids
        return pieces

    def _run(self, window: list[int]) -> NDArray[np.float32]:
        try:
            return self._network.run([self._network.begin, *window, self._network.end])
        except Exception as error:  # the library raises plain Exception
            raise StoreUnavailable("embedder", f"a text could not be embedded: {described(error)}") from error


def slices(text: str) -> Iterator[str]:
    """Yield the text in parts of at most `SLICE_CHARS`, cut before white space, where the tokenizer cuts anyway."""
    start = 0
    while len(text) - start > SLICE_CHARS:
        limit = start + SLICE_CHARS
        cut = max(text.rfind(" ", start, limit), text.rfind("\n", start, limit))
        end = cut if cut > start else limit
        yield text[start:end]
        start = end
    yield text[start:]


def _check(stopped: Callable[[], bool]) -> None:
    if stopped():
        raise StoreUnavailable("embedder", "the embedding was stopped")
