"""A network that comes with the program, and its tokenizer: one text at a time, on the calling thread."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from multidb_chat.domain.errors import StoreCorrupt

# The library reports its use to its makers, and keeps an identifier of the device in the user's home for that, unless
# it is told not to before it is loaded. Nobody's documents are anybody's business: nothing leaves this machine.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime  # type: ignore[import-untyped]


class Network:
    """`model.onnx` of `folder` and `tokenizer.json` of `words`; `begin` and `end` are the marks around a text.

    `store` names it in errors. Raises `StoreCorrupt` when a file is missing or damaged.
    """

    def __init__(self, folder: Path, words: Path, store: str) -> None:
        model, tokenizer = folder / "model.onnx", words / "tokenizer.json"
        for path in (model, tokenizer):
            if not path.is_file():
                raise StoreCorrupt(store, f"{path} is missing; install multidb-chat again")
        try:
            self.tokenizer = Tokenizer.from_file(str(tokenizer))
            self._session = onnxruntime.InferenceSession(str(model), _options(), providers=["CPUExecutionProvider"])
        except Exception as error:  # both libraries raise plain Exception
            raise StoreCorrupt(
                store, f"the {store}'s model in {folder} is damaged ({described(error)}); install multidb-chat again"
            ) from error
        self.begin, self.end = (self.tokenizer.token_to_id(mark) or 0 for mark in ("[CLS]", "[SEP]"))

    def run(self, ids: list[int]) -> NDArray[np.float32]:
        """Return what comes out for the word pieces of one text. Raises what the library raises."""
        output: NDArray[np.float32] = self._session.run(None, {"input_ids": np.array([ids], dtype=np.int64)})[0][0]
        return output


def described(error: Exception) -> str:
    """Return an error of the libraries in one line."""
    return " ".join(str(error).split())[:200] or type(error).__name__


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # the caller's thread, and no pool of its own
    # The graph is written as it should run. What the optimiser would fuse (the layer norms) runs slower fused.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3  # errors only: they come as exceptions too
    return options
