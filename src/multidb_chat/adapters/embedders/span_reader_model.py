"""The model behind `span_reader`: a question and an excerpt in, the log-odds of its spans out. Safe on several threads.

It reads `[CLS] question [SEP] above [SEP] excerpt [SEP]` and gives three values for each word piece. A span's log-odds
are the mean of what its own pieces say of their sentence, what [CLS] says of the whole excerpt, and the strongest of
its pieces as part of an answer (log-sum-exp). `scripts/train-reader` teaches it this very sum.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from multidb_chat.adapters.embedders.minilm import FOLDER as EMBEDDER
from multidb_chat.adapters.embedders.minilm_model import WINDOW
from multidb_chat.adapters.embedders.network import Network, described
from multidb_chat.domain.errors import StoreUnavailable
from multidb_chat.domain.search import Excerpt

_QUESTION, _ABOVE = 64, 28  # the most word pieces of the question, and of where the excerpt stands
_QUESTION_CHARS = 2_000  # more would be cut into pieces for nothing, once for each excerpt
_WHOLE, _SENTENCE, _PART = range(3)  # what the three values are
UNREAD = -9.0
"""The log-odds of a span that was not read."""


class MiniLMSpanModel:
    """The network of `folder`, with the tokenizer of the embedder.

    Raises `StoreCorrupt` when a file is missing or damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._network = Network(folder, EMBEDDER, "reader")

    def odds(self, question: str, excerpt: Excerpt, stopped: Callable[[], bool]) -> tuple[float, ...]:
        """Return the log-odds of each span of the excerpt. `stopped`: True raises `StoreUnavailable`."""
        if stopped():
            raise StoreUnavailable("reader", "the reading was stopped")
        head = [self._network.begin, *self._pieces(question[:_QUESTION_CHARS])[0][:_QUESTION], self._network.end]
        if above := self._pieces(excerpt.above)[0][:_ABOVE]:
            head += [*above, self._network.end]
        ids, places = self._pieces(excerpt.text)
        room = WINDOW - len(head) - 1
        try:
            values = self._network.run([*head, *ids[:room], self._network.end])
        except Exception as error:  # the library raises plain Exception
            raise StoreUnavailable("reader", f"a passage could not be read: {described(error)}") from error
        return tuple(_of_span(values, len(head), places[:room], span) for span in excerpt.spans)

    def _pieces(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        read = self._network.tokenizer.encode(text.encode("utf-8", "replace").decode(), add_special_tokens=False)
        return read.ids, read.offsets


def _of_span(values: NDArray[np.float32], first: int, places: list[tuple[int, int]], span: tuple[int, int]) -> float:
    """Return the log-odds of a span, given the values of all pieces and the characters of those from `first` on."""
    inside = [first + at for at, (start, end) in enumerate(places) if start < span[1] and end > span[0]]
    if not inside:
        return UNREAD
    mine = values[inside]
    parts = mine[:, _PART]
    strongest = float(parts.max())
    return float(mine[:, _SENTENCE].mean() + values[0, _WHOLE] + strongest + np.log(np.exp(parts - strongest).sum()))
