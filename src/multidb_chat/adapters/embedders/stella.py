"""Stella 1.5B v5, a large embedder for machines with an accelerator, from a folder of its weights.

The model is https://huggingface.co/NovaSearch/stella_en_1.5B_v5 (MIT). Here are the threads; `stella_model` is what
runs on them, and is imported with torch at the first text. It needs the extra `stella`.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from multidb_chat.adapters.embedders.extras import require_stella
from multidb_chat.adapters.embedders.stella_checkpoint import read_checkpoint
from multidb_chat.adapters.embedders.threads import Threads

if TYPE_CHECKING:
    from multidb_chat.adapters.embedders.stella_model import Prompt, StellaModel, Windows

DIMENSIONS = 1_024
_TOKENISED_AT_ONCE = 128  # texts; the next ones are tokenised while these are on the device


class StellaEmbedder:
    """The `Embedder` of a Stella checkpoint; nothing is loaded before the first text.

    `folder` holds the weights, with a head for vectors of `dimensions`. `device` and `precision`: see `place`.
    `prompt` is what questions are asked with: `s2p_query` looks for passages that answer, `s2s_query` for texts that
    say the same. Passages have none. Raises `StoreCorrupt` when the folder is none of a Stella model, and
    `InvalidSetting` when the extra is not installed.
    """

    def __init__(
        self,
        folder: Path,
        dimensions: int = DIMENSIONS,
        device: str = "auto",
        precision: str = "auto",
        prompt: "Prompt" = "s2p_query",
    ) -> None:
        require_stella("torch", "transformers")
        self.dimensions = dimensions
        self._checkpoint = read_checkpoint(folder, dimensions)
        self._device = device
        self._precision = precision
        self._prompt: Prompt = prompt
        self._model: StellaModel | None = None
        self._loading = asyncio.Lock()
        self._pools = Threads(1)

    @cached_property
    def name(self) -> str:
        """The model, the length of its vectors and the fingerprint of its files."""
        return f"stella-{self.dimensions}-{self._checkpoint.fingerprint()}"

    async def embed_query(self, text: str) -> bytes:
        """Return the vector of a question.

        Raises `StoreCorrupt` when the weights are damaged or would give wrong vectors, `InvalidSetting` for a device
        that is not there, `StoreUnavailable` when its memory is used up.
        """
        model = await self._loaded()
        tokens = await asyncio.to_thread(model.tokens, [text], self._prompt)
        return (await self._run(self._pools.questions, model, tokens, Event()))[0]

    async def embed_documents(self, texts: Sequence[str]) -> list[bytes]:
        """Return the vectors of passages, in order. Raises like `embed_query`; cancelling stops between batches."""
        if not texts:
            return []
        model = await self._loaded()
        stop = Event()
        parts = [texts[at : at + _TOKENISED_AT_ONCE] for at in range(0, len(texts), _TOKENISED_AT_ONCE)]
        vectors: list[bytes] = []
        ahead = asyncio.create_task(asyncio.to_thread(model.tokens, parts[0]))
        try:
            for following in (*parts[1:], []):
                tokens = await ahead
                ahead = asyncio.create_task(asyncio.to_thread(model.tokens, following))
                vectors += await self._run(self._pools.passages, model, tokens, stop)
        finally:
            stop.set()
            ahead.cancel()
        return vectors

    async def describe(self) -> str:
        """Tell where it runs, and why there, without loading the weights. Raises `InvalidSetting`."""
        return f"{self.name} runs {await self._pools.run(self._pools.questions, self._placed)}"

    async def close(self) -> None:
        """Stop the threads after the batch each is at, and let the model go; a call under way then fails."""
        await self._pools.close()
        self._model = None

    async def _run(
        self, pool: ThreadPoolExecutor, model: "StellaModel", tokens: "list[Windows]", stop: Event
    ) -> list[bytes]:
        return await self._pools.run(pool, lambda: model.vectors(tokens, lambda: stop.is_set() or self._pools.closed))

    async def _loaded(self) -> "StellaModel":
        async with self._loading:
            if self._model is None:
                self._model = await self._pools.run(self._pools.questions, self._load)
            return self._model

    def _placed(self) -> str:
        from multidb_chat.adapters.embedders.placement import place

        return str(place(self._device, self._precision))

    def _load(self) -> "StellaModel":
        from multidb_chat.adapters.embedders.stella_model import StellaModel

        return StellaModel(self._checkpoint.folder, self.dimensions, self._device, self._precision)
