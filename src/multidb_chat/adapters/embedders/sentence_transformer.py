"""Any model that sentence-transformers loads from a folder, without code of the folder's own."""

import asyncio
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

from multidb_chat.adapters.embedders.extras import require_stella
from multidb_chat.adapters.embedders.folder import fingerprint, line
from multidb_chat.adapters.embedders.threads import Threads
from multidb_chat.adapters.embedders.windows import text_windows
from multidb_chat.domain.errors import InvalidSetting, StoreCorrupt, StoreUnavailable

STORE = "embedder"
_BATCH = 32


class SentenceTransformerEmbedder:
    """The `Embedder` of a folder; nothing is loaded before the first text. `device` and `precision`: see `place`.

    Questions have the prompt that the folder names `query`, passages the one it names `document`, where it names any.
    Raises `InvalidSetting` when the extra or the folder is missing, or the model needs code of its own.
    """

    def __init__(self, folder: Path, device: str = "auto", precision: str = "auto") -> None:
        require_stella("torch", "sentence_transformers")
        self._folder = folder
        self._device = device
        self._precision = precision
        self.dimensions = _dimensions(folder)
        self.name = f"{folder.resolve().name.lower()}-{self.dimensions}-{fingerprint(folder)}"
        self._model: Any = None
        self._loading = asyncio.Lock()
        self._pools = Threads(1)

    async def embed_query(self, text: str) -> bytes:
        """Return the vector of a question. Raises `StoreCorrupt` when the model cannot be loaded."""
        return (await self._embed(self._pools.questions, [text], "query", Event()))[0]

    async def embed_documents(self, texts: Sequence[str]) -> list[bytes]:
        """Return the vectors of passages, in order. Raises like `embed_query`; cancelling stops between batches."""
        stop = Event()
        try:
            return await self._embed(self._pools.passages, texts, "document", stop) if texts else []
        finally:
            stop.set()

    async def close(self) -> None:
        """Stop the threads after the batch each is at, and let the model go; a call under way then fails."""
        await self._pools.close()
        self._model = None

    async def _embed(self, pool: ThreadPoolExecutor, texts: Sequence[str], prompt: str, stop: Event) -> list[bytes]:
        async with self._loading:
            if self._model is None:
                self._model = await self._pools.run(self._pools.questions, self._load)
        model = self._model
        return await self._pools.run(
            pool, lambda: _vectors(model, texts, prompt, lambda: stop.is_set() or self._pools.closed)
        )

    def _load(self) -> Any:
        from sentence_transformers import SentenceTransformer

        from multidb_chat.adapters.embedders.placement import place

        placement = place(self._device, self._precision)
        try:
            model = SentenceTransformer(
                str(self._folder),
                device=placement.device,
                trust_remote_code=False,
                local_files_only=True,
                model_kwargs={"dtype": placement.dtype},
            )
        except Exception as error:  # the library raises whatever its parts raise
            raise StoreCorrupt(STORE, f"the model in {self._folder} cannot be loaded: {line(error)}") from error
        found = len(model.encode("a", show_progress_bar=False))
        if found != self.dimensions:
            raise StoreCorrupt(STORE, f"{self._folder} gives {found} numbers, and its files say {self.dimensions}")
        return model


def _vectors(model: Any, texts: Sequence[str], prompt: str, stopped: Callable[[], bool]) -> list[bytes]:
    """Return unit vectors; a text of several windows has the mean of theirs, weighed by their length."""
    import numpy as np

    named = prompt if prompt in model.prompts else None
    room = int(model.max_seq_length or 512) * 3 // 4  # the rest is for prompts and marks
    parts = [
        (place, window) for place, text in enumerate(texts) for window in text_windows(model.tokenizer, text, room)
    ]
    totals = np.zeros((len(texts), model.encode("a", show_progress_bar=False).shape[0]), dtype=np.float32)
    for at in range(0, len(parts), _BATCH):
        if stopped():
            raise StoreUnavailable(STORE, "the embedding was stopped")
        batch = parts[at : at + _BATCH]
        try:
            found = model.encode(
                [text for _, text in batch], prompt_name=named, normalize_embeddings=True, show_progress_bar=False
            )
        except Exception as error:  # as above
            raise StoreUnavailable(STORE, f"texts could not be embedded: {line(error)}") from error
        for (place, text), vector in zip(batch, found, strict=True):
            totals[place] += vector * max(1, len(text))
    totals /= np.linalg.norm(totals, axis=1, keepdims=True)
    return [row.astype("<f4").tobytes() for row in totals]


def _dimensions(folder: Path) -> int:
    """Return the length of the vectors by the folder's own files."""
    try:
        config = json.loads((folder / "config.json").read_bytes())
        found = int(config["hidden_size"])
        modules = folder / "modules.json"
        for module in json.loads(modules.read_bytes()) if modules.is_file() else ():
            if str(module["type"]).endswith("Dense"):
                found = int(json.loads((folder / module["path"] / "config.json").read_bytes())["out_features"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidSetting(
            f"embedder.name: {folder} is not the folder of a model of sentence-transformers: {line(error)}"
        ) from error
    if "auto_map" in config:
        raise InvalidSetting(
            f"embedder.name: the model in {folder} needs code of its own, which is not run; for Stella:"
            f" multidb-chat models add stella --from {folder}"
        )
    return found
