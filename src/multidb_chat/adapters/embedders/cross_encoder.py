"""Any cross-encoder that sentence-transformers loads from a folder: question and passage read together, one score."""

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from typing import Any

from multidb_chat.adapters.embedders.extras import require_stella
from multidb_chat.adapters.embedders.folder import fingerprint, line
from multidb_chat.adapters.embedders.threads import Threads
from multidb_chat.adapters.embedders.windows import text_windows
from multidb_chat.domain.errors import InvalidSetting, StoreCorrupt, StoreUnavailable

STORE = "reranker"
_BATCH = 32
_QUESTION_TOKENS = 128  # of a question so many are read at the most
_MARKS = 4  # begin, end and what stands between question and passage, for every family of models


class CrossEncoderReranker:
    """The `Reranker` of a folder; nothing is loaded before the first question. `device` and `precision`: see `place`.

    A passage that is longer than the model reads is as good as the best of its windows. Raises `InvalidSetting` when
    the extra or the folder is missing, the model needs code of its own, or gives more than one score.
    """

    def __init__(self, folder: Path, device: str = "auto", precision: str = "auto") -> None:
        require_stella("torch", "sentence_transformers")
        _check(folder)
        self._folder = folder
        self._device = device
        self._precision = precision
        self.name = f"{folder.resolve().name.lower()}-{fingerprint(folder)}"
        self._model: Any = None
        self._loading = asyncio.Lock()
        self._pools = Threads(1)

    async def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        """Return the model's scores, in order. Raises `StoreCorrupt` when it cannot be loaded, `StoreUnavailable`."""
        stop = Event()
        try:
            async with self._loading:
                if self._model is None:
                    self._model = await self._pools.run(self._pools.questions, self._load)
            model = self._model
            stopped: Callable[[], bool] = lambda: stop.is_set() or self._pools.closed  # noqa: E731
            return await self._pools.run(self._pools.questions, lambda: _scores(model, question, passages, stopped))
        finally:
            stop.set()

    async def close(self) -> None:
        """Stop after the batch it is at, and let the model go; a call under way then fails."""
        await self._pools.close()
        self._model = None

    def _load(self) -> Any:
        from sentence_transformers import CrossEncoder

        from multidb_chat.adapters.embedders.placement import place

        placement = place(self._device, self._precision)
        try:
            return CrossEncoder(
                str(self._folder),
                device=placement.device,
                trust_remote_code=False,
                local_files_only=True,
                model_kwargs={"dtype": placement.dtype},
            )
        except Exception as error:  # the library raises whatever its parts raise
            raise StoreCorrupt(STORE, f"the model in {self._folder} cannot be loaded: {line(error)}") from error


def _scores(model: Any, question: str, passages: Sequence[str], stopped: Callable[[], bool]) -> list[float]:
    tokenizer = model.tokenizer
    asked = next(iter(text_windows(tokenizer, question, _QUESTION_TOKENS)))
    taken = len(tokenizer(asked, add_special_tokens=False, verbose=False)["input_ids"])
    room = max(16, _most_tokens(model) - taken - _MARKS)
    pairs = [(place, window) for place, text in enumerate(passages) for window in text_windows(tokenizer, text, room)]
    best = [float("-inf")] * len(passages)
    for at in range(0, len(pairs), _BATCH):
        if stopped():
            raise StoreUnavailable(STORE, "the reranking was stopped")
        batch = pairs[at : at + _BATCH]
        try:
            found = model.predict([(asked, window) for _, window in batch], show_progress_bar=False)
        except Exception as error:  # as above
            raise StoreUnavailable(STORE, f"passages could not be compared: {line(error)}") from error
        for (place, _), score in zip(batch, found, strict=True):
            best[place] = max(best[place], float(score))
    return best


def _most_tokens(model: Any) -> int:
    """Return how many tokens the model reads: what its folder says, else 512 as BERT's."""
    known = int(getattr(model, "max_seq_length", None) or model.tokenizer.model_max_length or 512)
    return known if known <= 32_768 else 512


def _check(folder: Path) -> None:
    try:
        config = json.loads((folder / "config.json").read_bytes())
        kinds = [str(kind) for kind in config["architectures"]]
        labels = len(config.get("id2label", {"0": ""}))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidSetting(f"search.rerank: {folder} is not the folder of a cross-encoder: {line(error)}") from error
    if "auto_map" in config:
        raise InvalidSetting(f"search.rerank: the model in {folder} needs code of its own, which is not run")
    if labels != 1 or not any(kind.endswith("ForSequenceClassification") for kind in kinds):
        raise InvalidSetting(f"search.rerank: {folder} is not the folder of a cross-encoder: it gives no single score")
