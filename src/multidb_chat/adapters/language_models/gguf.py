"""A model in a GGUF file, run in this process by llama.cpp (xllamacpp). Needs the extra `gguf`."""

import asyncio
import secrets
import threading
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

from multidb_chat.adapters.language_models.extras import require
from multidb_chat.domain.errors import InvalidSetting, ModelRefused, ModelUnavailable, PromptTooLong
from multidb_chat.domain.language import Ended, Piece, Prompt
from multidb_chat.domain.text import clean_line

_WHY_NOT = "it is damaged, of a kind that xllamacpp does not know, or larger than the memory"
_BATCH = 256  # tokens of the question that are read at a time: with 512, or 2,048 as usual, leaving takes longer
_MAGIC = b"GGUF"  # https://github.com/ggml-org/ggml/blob/master/docs/gguf.md


class GgufModel:
    """The model in the file `path`, loaded at the first question; `context` is how many tokens it keeps in view.

    `timeout` bounds the wait for the first piece and between two, in seconds.
    Raises `InvalidSetting` without the extra, or where there is no such file.
    """

    def __init__(self, path: Path, *, context: int = 4096, threads: int = 0, timeout: float = 120.0) -> None:
        require("xllamacpp", "xllamacpp")
        try:
            with path.open("rb") as file:
                is_model = file.read(4) == _MAGIC
        except OSError as error:
            raise InvalidSetting(f"{path}: {error.strerror}") from error
        if not is_model:
            raise InvalidSetting(f"{path} is no GGUF file.")
        self._path, self._context, self._threads, self._timeout = path, context, threads, timeout
        self._loaded: Any = None
        self._loading = threading.Lock()

    @property
    def name(self) -> str:
        """The file's name and size, which change with its contents."""
        return f"gguf:{self._path.name}-{self._path.stat().st_size}"

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece | Ended, None]:
        """Yield the answer piece by piece; a thread runs the model.

        One that is left stops behind the token it writes or the batch it reads, which nobody waits for: the next
        question does, in the library.
        """
        arrived: asyncio.Queue[dict[str, Any] | Exception | None] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        stopped = threading.Event()

        def put(item: "dict[str, Any] | Exception | None") -> None:
            if not stopped.is_set():
                loop.call_soon_threadsafe(arrived.put_nowait, item)

        # Whoever leaves the program waits for it: a thread that is in the library at the end takes the program down.
        loop.run_in_executor(None, self._run, _request(prompt), put, stopped)
        ended: Ended | None = None
        try:
            while (item := await self._next(arrived)) is not None:
                if isinstance(item, Exception):
                    raise item
                for choice in item["choices"]:
                    if text := choice.get("delta", {}).get("content"):
                        yield Piece(text)
                    if reason := choice.get("finish_reason"):
                        ended = Ended(reason == "stop")
                if ended is not None and (usage := item.get("usage")):  # comes behind the reason
                    ended = Ended(ended.complete, usage.get("prompt_tokens"), usage.get("completion_tokens"))
            if ended is not None:
                yield ended
        finally:
            stopped.set()

    async def _next(self, arrived: "asyncio.Queue[dict[str, Any] | Exception | None]") -> Any:
        try:
            async with asyncio.timeout(self._timeout):
                return await arrived.get()
        except TimeoutError as error:
            raise ModelUnavailable(f"{self._path.name} said nothing for {self._timeout:g} seconds.") from error

    def _run(
        self,
        request: dict[str, Any],
        put: "Callable[[dict[str, Any] | Exception | None], None]",
        stopped: threading.Event,
    ) -> None:
        def take(chunk: dict[str, Any]) -> bool:
            put(self._refusal(chunk) if "error" in chunk or "choices" not in chunk else chunk)
            return stopped.is_set()  # True ends the generation

        try:
            server = self._server()
        except Exception as error:  # noqa: BLE001 - the library only says that it could not
            put(ModelRefused(f"{self._path.name} cannot be loaded: {_WHY_NOT} ({clean_line(str(error))})"))
            return
        try:
            server.handle_chat_completions(request, take)
            put(None)
        except Exception as error:  # noqa: BLE001 - whatever the library raises, the turn gets an answer of its own
            put(ModelRefused(f"{self._path.name} cannot be run: {clean_line(str(error)) or type(error).__name__}"))

    def _server(self) -> Any:
        with self._loading:
            if self._loaded is None:
                import xllamacpp

                parameters = xllamacpp.CommonParams()
                parameters.model.path = str(self._path)
                parameters.n_ctx = self._context
                parameters.n_parallel = 1
                parameters.n_batch = _BATCH
                parameters.verbosity = -1
                parameters.warmup = False  # nothing else in the program runs while the library loads and warms up
                parameters.ui = False
                # It also listens on a port of this machine; nobody else knows the key.
                parameters.api_keys = [secrets.token_hex(32)]
                if self._threads:
                    parameters.cpuparams.n_threads = self._threads
                self._loaded = xllamacpp.Server(parameters)
            return self._loaded

    def _refusal(self, chunk: dict[str, Any]) -> ModelRefused:
        error = chunk.get("error", chunk)
        if isinstance(error, dict) and "n_prompt_tokens" in error:
            return PromptTooLong(
                f"The question and its passages are {error['n_prompt_tokens']:,} tokens, and {self._path.name} is given"
                f" {self._context:,} to read and write: see the setting model.context."
            )
        told = error.get("message", "") if isinstance(error, dict) else str(error)
        return ModelRefused(f"{self._path.name} refuses the question: {clean_line(str(told))[:200]}")

    async def close(self) -> None:
        """Free the memory."""
        self._loaded = None


def _request(prompt: Prompt) -> dict[str, Any]:
    return {
        "messages": [
            {"role": "system", "content": prompt.instructions},
            *({"role": said.role, "content": said.text} for said in prompt.messages),
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "return_progress": True,  # a sign of life, and an occasion to stop, with each batch of the question
        "max_tokens": prompt.most_tokens,
        "temperature": prompt.temperature,
    }
