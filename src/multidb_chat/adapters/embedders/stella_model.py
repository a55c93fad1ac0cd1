"""The model behind `stella`: text to tokens to windows to batches to one unit vector. Synchronous; safe on two threads.

Libraries that load such models get four things wrong without an error: the direction of attention, the end mark, the
prompt and the head. All four are done here, and proved when the model is loaded (see `stella_proof`).
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from tokenizers import Tokenizer

from multidb_chat.adapters.embedders.placement import place
from multidb_chat.adapters.embedders.stella_checkpoint import END_MARK, STORE, StellaCheckpoint, read_checkpoint
from multidb_chat.adapters.embedders.stella_network import StellaNetwork
from multidb_chat.adapters.embedders.stella_proof import prove, prove_published
from multidb_chat.adapters.embedders.windows import windows
from multidb_chat.domain.errors import StoreCorrupt, StoreUnavailable

_LOG = logging.getLogger(__name__)

Prompt = Literal["s2p_query", "s2s_query", ""]
Windows = list[list[int]]

OVERLAP = 64  # tokens two windows share, of 512: as much of them as with the default embedder
CARD_DIMENSIONS = 1_024
# Tokens computed together: enough to keep the device busy (beyond it, more only takes memory), and few enough that
# cancelling and a question in between are prompt.
BUDGETS = {"cuda": 32_768, "mps": 8_192, "cpu": 1_024}
COMPILED_FROM = 4_000_000
"""Tokens after which the layers are compiled (torch.compile) on CUDA.

Compiling took 7.4 s on an H200 and made 201 of 146 thousand tokens a second (`scripts/bench stella`): it is made up for
within another four million tokens, and who has embedded as many is likely to go on.
"""


class StellaModel:
    """The tokenizer, the network and the head of a folder, loaded and proved.

    Raises `StoreCorrupt` when the folder is not what it should be or its vectors would be wrong, `InvalidSetting` for a
    device that is not there, and `StoreUnavailable` when the device has no room for the weights.
    `card`: whether a network of the published shape must also give the model card's figures.
    """

    def __init__(
        self, folder: Path, dimensions: int, device: str = "auto", precision: str = "auto", *, card: bool = True
    ) -> None:
        self.checkpoint = read_checkpoint(folder, dimensions)
        self._tokenizer = _tokenizer(folder / "tokenizer.json")
        self.placement = place(device, precision)
        self.budget = BUDGETS[self.placement.device]
        self.compiled_from = COMPILED_FROM
        self._embedded = 0
        self._compiled = False
        self.network = self._loaded(self.checkpoint)
        prove(self.network, self._only)
        if card and self.checkpoint.published:
            self._prove_published()
        _LOG.info("stella: %s, dimensions %d, %s", folder, dimensions, self.placement)

    def tokens(self, texts: Sequence[str], prompt: Prompt = "") -> list[Windows]:
        """Return the windows of each text, with the prompt in front of and the end mark behind every one of them.

        What looks like a mark of the model within a text is text: nobody's document ends a text early.
        """
        before = self.checkpoint.prompts[prompt] if prompt else ""
        whole = [before + text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        lead: list[int] = self._tokenizer.encode(before.rstrip()).ids if before else []
        found = (encoding.ids for encoding in self._tokenizer.encode_batch_fast(whole))
        return [list(self._windows(ids, lead)) for ids in found]

    def vectors(self, texts: Sequence[Windows], stopped: Callable[[], bool]) -> list[bytes]:
        """Return each text's unit vector: of the mean over all its tokens. `stopped` is asked before each batch.

        Raises `StoreUnavailable` when it is stopped, or when one window does not fit into the device's memory.
        """
        flat = [(len(window), place, window) for place, text in enumerate(texts) for window in text]
        flat.sort(key=lambda item: item[:2], reverse=True)
        device = self.placement.device
        totals = torch.zeros(len(texts), self.checkpoint.dimensions, device=device)
        for batch in self._batches(flat):
            if stopped():
                raise StoreUnavailable(STORE, "the embedding was stopped")
            self._compile_when_it_pays(sum(length for length, _, _ in batch))
            found = self._run([window for _, _, window in batch])
            weights = torch.tensor([length for length, _, _ in batch], dtype=torch.float32).to(device)
            places = torch.tensor([place for _, place, _ in batch]).to(device)
            totals.index_add_(0, places, found * weights[:, None])
        scaled = torch.nn.functional.normalize(totals).cpu().numpy().astype("<f4")
        return [row.tobytes() for row in scaled]

    def _windows(self, ids: list[int], lead: list[int]) -> Iterator[list[int]]:
        """Yield the windows of a text's tokens, which begin with the prompt's, `lead`."""
        room = self.checkpoint.window - 1
        if len(ids) <= room:
            yield [*ids, END_MARK]
            return
        rest = ids[len(lead) :]
        for part in windows(rest, room - len(lead), OVERLAP):
            yield [*lead, *part, END_MARK]

    def _batches(self, items: Sequence[tuple[int, int, list[int]]]) -> Iterator[list[tuple[int, int, list[int]]]]:
        """Yield the windows in batches of at most `budget` tokens, one window at least. It may fall meanwhile."""
        batch: list[tuple[int, int, list[int]]] = []
        size = 0
        for item in items:
            if batch and size + item[0] > self.budget:
                yield batch
                batch, size = [], 0
            batch.append(item)
            size += item[0]
        if batch:
            yield batch

    def _run(self, batch: Sequence[Sequence[int]]) -> torch.Tensor:
        """Return the vectors of windows; where they do not fit into memory, half by half, now and from now on."""
        try:
            return self.network.vectors(batch)
        except RuntimeError as error:
            if not _out_of_memory(error):
                raise StoreUnavailable(STORE, f"texts could not be embedded: {_line(error)}") from error
        if len(batch) == 1:
            raise StoreUnavailable(STORE, f"{self.placement.device} has no memory left for a text of 512 tokens")
        self._free()
        self.budget = max(self.checkpoint.window, sum(map(len, batch)) // 2)
        _LOG.warning("stella: out of memory; from now on %d tokens at a time", self.budget)
        half = len(batch) // 2
        return torch.cat([self._run(batch[:half]), self._run(batch[half:])])

    def _compile_when_it_pays(self, tokens: int) -> None:
        """Compile the layers, once, when so much was embedded that more will follow; and prove that nothing changed."""
        self._embedded += tokens
        if self._compiled or self.placement.device != "cuda" or self._embedded < self.compiled_from:
            return
        self._compiled = True
        try:
            self.network.compile()
            prove(self.network, self._only)
        except (RuntimeError, StoreCorrupt) as error:  # what the compiler raises is a RuntimeError
            self.network.decompile()
            _LOG.warning("stella: goes on without compiled layers: %s", _line(error))

    def _free(self) -> None:
        if self.placement.device != "cpu":
            getattr(torch, self.placement.device).empty_cache()

    def _only(self, text: str) -> list[int]:
        return self.tokens([text])[0][0]

    def _loaded(self, checkpoint: StellaCheckpoint) -> StellaNetwork:
        try:
            return StellaNetwork(checkpoint, self.placement)
        except RuntimeError as error:
            why = "has no memory left for the weights" if _out_of_memory(error) else f"cannot run it: {_line(error)}"
            raise StoreUnavailable(STORE, f"{self.placement.device} {why}; choose embedder.device") from error

    def _prove_published(self) -> None:
        card = read_checkpoint(self.checkpoint.folder, CARD_DIMENSIONS)
        network = self.network if self.checkpoint == card else self.network.with_head(card)
        prove_published(network, self._only, card.prompts["s2p_query"])


def _tokenizer(path: Path) -> Any:
    try:
        tokenizer = Tokenizer.from_file(str(path))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        tokenizer.post_processor = None  # the end mark is put here, whatever the file says
        tokenizer.encode_special_tokens = True
    except Exception as error:  # the library raises plain Exception
        raise StoreCorrupt(STORE, f"{path} cannot be read ({_line(error)}): copy the model's folder again") from error
    return tokenizer


def _out_of_memory(error: RuntimeError) -> bool:
    """Tell whether a device's memory was used up; MPS has no error of its own for it."""
    return isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error).lower()


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
