"""The model behind `minilm`: text to word pieces to windows to one unit vector. Synchronous; safe on several threads.

One text is one run, unpadded, on the calling thread, so its vector is the same bit for bit whatever else is embedded
beside it, and no work is spent on padding. Several texts run on several threads.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from multidb_chat.adapters.embedders.windows import windows
from multidb_chat.domain.errors import StoreCorrupt, StoreUnavailable
from multidb_chat.domain.search import Pieces

# The library reports its use to its makers, and keeps an identifier of the device in the user's home for that, unless
# it is told not to before it is loaded. Nobody's documents are anybody's business: nothing leaves this machine.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime  # type: ignore[import-untyped]

WINDOW = 256  # word pieces, the two marks included: the length the model was trained for
OVERLAP = 32  # word pieces two windows share, so that a sentence on the border is whole in one of them
SLICE_CHARS = 16_384  # the tokenizer keeps the interpreter to itself, some 0.5 s for 1 MB: a slice, some 10 ms


class MiniLMModel:
    """The tokenizer and the network of `folder`. Raises `StoreCorrupt` when a file is missing or damaged."""

    def __init__(self, folder: Path) -> None:
        for name in ("model.onnx", "tokenizer.json"):
            if not (folder / name).is_file():
                raise StoreCorrupt("embedder", f"{folder / name} is missing; install multidb-chat again")
        try:
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self._session = onnxruntime.InferenceSession(
                str(folder / "model.onnx"), _options(), providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # both libraries raise plain Exception
            raise StoreCorrupt(
                "embedder", f"the embedding model in {folder} is damaged ({_line(error)}); install multidb-chat again"
            ) from error
        self._begin = self._tokenizer.token_to_id("[CLS]")
        self._end = self._tokenizer.token_to_id("[SEP]")
        self._vector_name, self._pieces_name = (output.name for output in self._session.get_outputs())

    def vectors(self, texts: list[str], stopped: Callable[[], bool]) -> list[bytes]:
        """Return each text's unit vector. `stopped` is asked before each window; True raises `StoreUnavailable`."""
        return [self._vector(text, stopped) for text in texts]

    def pieces(self, texts: list[str], stopped: Callable[[], bool]) -> list[Pieces]:
        """Return each text's word pieces, those of its first window. `stopped` as above."""
        return [self._pieces_of(text, stopped) for text in texts]

    def _pieces_of(self, text: str, stopped: Callable[[], bool]) -> Pieces:
        _check(stopped)
        beginning = next(slices(text.encode("utf-8", "replace").decode("utf-8")))
        read = self._tokenizer.encode(beginning, add_special_tokens=False)
        ids, spans = read.ids[: WINDOW - 2], read.offsets[: WINDOW - 2]
        vector, rows = self._outputs([self._vector_name, self._pieces_name], ids)
        inner = rows[1:-1]
        units = inner / np.maximum(np.linalg.norm(inner, axis=1, keepdims=True), 1e-12)
        return Pieces(vector.astype("<f4").tobytes(), tuple(ids), tuple(spans), units.astype("<f4").tobytes())

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
            pieces += self._tokenizer.encode(part, add_special_tokens=False).ids
        return pieces

    def _run(self, window: list[int]) -> NDArray[np.float32]:
        return self._outputs([self._vector_name], window)[0]

    def _outputs(self, names: list[str], window: list[int]) -> list[NDArray[np.float32]]:
        ids = np.array([[self._begin, *window, self._end]], dtype=np.int64)
        try:
            outputs: list[NDArray[np.float32]] = self._session.run(names, {"input_ids": ids})
        except Exception as error:  # as above
            raise StoreUnavailable("embedder", f"a text could not be embedded: {_line(error)}") from error
        return [output[0] for output in outputs]


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


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # the caller's thread, and no pool of its own
    # The graph is written as it should run. What the optimiser would fuse (the layer norms) runs slower fused.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3  # errors only: they come as exceptions too
    return options


def _check(stopped: Callable[[], bool]) -> None:
    if stopped():
        raise StoreUnavailable("embedder", "the embedding was stopped")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
