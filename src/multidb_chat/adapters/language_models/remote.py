"""Models behind an HTTP interface: OpenAI and whatever speaks like it, Anthropic, Gemini. Needs the extra `models`.

pydantic-ai speaks to the providers; what it raises becomes the domain's errors here.
"""

import asyncio
import os
import re
import socket
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from multidb_chat.adapters.language_models.extras import require
from multidb_chat.domain.errors import ModelError, ModelRefused, ModelUnavailable, PromptTooLong
from multidb_chat.domain.language import Ended, Piece, Prompt
from multidb_chat.domain.text import as_sentence, clean_line

if TYPE_CHECKING:
    from pydantic_ai.exceptions import ModelHTTPError
    from pydantic_ai.messages import ModelMessage, ModelResponse
    from pydantic_ai.models import Model

Provider = Literal["openai", "anthropic", "gemini"]

# pydantic-ai's name for each, which is that of its own extra, too; and a module that it needs.
_LIBRARIES = {
    "openai": ("openai", "openai"),
    "anthropic": ("anthropic", "anthropic"),
    "gemini": ("google", "google.genai"),
}
_LOADING = threading.Lock()
_BUSY = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
# What OpenAI and vLLM, llama.cpp, LM Studio, Anthropic and Gemini say where a prompt is too long: no code is common.
_TOO_LONG = re.compile(
    r"context (?:length|size|window|the overflows)|context_length|exceed_context|prompt is too long|input token count",
    re.IGNORECASE,
)
_NO_KEY = "none"  # local servers ask for none, and the client insists on one
_KEY = "Say where the right one is: multidb-chat config set model.key env:NAME"
_PAUSE = 0.5
_PATIENCE = 5.0  # seconds that a provider may want to be left alone; where it wants more, the documents answer sooner


def load(provider: Provider) -> None:
    """Import what a provider's models need, which takes seconds; nothing where it is not installed.

    One thread at a time: two that import these libraries at once get modules that are half made.
    """
    library = _LIBRARIES[provider][0]
    with _LOADING, suppress(ImportError):
        for module in ("direct", f"models.{library}", f"providers.{library}"):
            import_module(f"pydantic_ai.{module}")


class _Busy(ModelUnavailable):
    """Nothing was said yet, and the same request may be answered in so many seconds."""

    def __init__(self, text: str, seconds: float) -> None:
        super().__init__(text)
        self.seconds = seconds


class RemoteModel:
    """A model of a provider. `url` replaces the provider's own address (a local server's `http://localhost:11434/v1`).

    `timeout` bounds the wait for the first piece and between two, in seconds. Raises `InvalidSetting` where the
    provider's library is not installed.
    """

    def __init__(
        self, provider: Provider, model: str, *, url: str | None = None, key: str | None = None, timeout: float = 60.0
    ) -> None:
        library, module = _LIBRARIES[provider]
        require(f"pydantic-ai-slim[{library}]", "pydantic_ai", module)  # looked for only: importing them takes a second
        self.provider, self._model, self._url, self._key = provider, model, url, key
        self._timeout = timeout
        self._made: Model | None = None

    @property
    def name(self) -> str:
        """The provider's name, the model's, and the address where it is not the provider's own."""
        return f"{self.provider}:{self._model}" + (f"@{self._url}" if self._url else "")

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece | Ended, None]:
        """Yield the answer piece by piece; a server that is busy for a moment is asked twice. Raises `ModelError`."""
        for last in (False, True):
            try:
                async with aclosing(self._asked(prompt)) as pieces:
                    async for piece in pieces:
                        yield piece
                return
            except _Busy as busy:
                if last:
                    raise
                pause = busy.seconds
            await asyncio.sleep(pause)

    async def _asked(self, prompt: Prompt) -> AsyncGenerator[Piece | Ended, None]:
        pieces = self._pieces(prompt)
        said = False
        try:
            while True:
                try:
                    async with asyncio.timeout(self._timeout):
                        piece = await anext(pieces)
                except StopAsyncIteration:
                    return
                except TimeoutError as error:
                    raise ModelUnavailable(f"{self._where} said nothing for {self._timeout:g} seconds.") from error
                except ModelError:
                    raise
                except Exception as error:
                    raise self._translated(error, said) from error
                said = True
                yield piece
        finally:
            await pieces.aclose()

    async def _pieces(self, prompt: Prompt) -> AsyncGenerator[Piece | Ended, None]:
        settings: Any = {
            "max_tokens": prompt.most_tokens,
            "temperature": prompt.temperature,
            "timeout": self._timeout,
            "max_retries": 0,  # the libraries wait for up to a minute
        }
        async with self._opened() as model:
            from pydantic_ai.direct import model_request_stream
            from pydantic_ai.messages import PartDeltaEvent, PartStartEvent, TextPart, TextPartDelta

            stream = model_request_stream(model, _messages(prompt), model_settings=settings)
            async with stream as events:
                async for event in events:
                    if isinstance(event, PartStartEvent) and isinstance(event.part, TextPart) and event.part.content:
                        yield Piece(event.part.content)
                    elif isinstance(event, PartDeltaEvent) and isinstance(event.delta, TextPartDelta):
                        yield Piece(event.delta.content_delta)
                response = events.get()
                # Of a stream that just stopped the library says that it was complete; only the provider knows.
                if "finish_reason" not in (response.provider_details or {}):
                    raise ModelUnavailable(f"{self._where} closed the connection too early.")
                yield _ended(response)

    @asynccontextmanager
    async def _opened(self) -> "AsyncIterator[Model]":
        """Yield the client, made in a thread: loading the libraries takes a second."""
        if self.provider != "gemini":
            yield await asyncio.to_thread(self._client)
            return
        # Google's library goes on receiving an answer that was left, until its connection is closed.
        async with await asyncio.to_thread(self._make) as model:
            yield model

    def _client(self) -> "Model":
        if self._made is None:
            self._made = self._make()
        return self._made

    def _make(self) -> "Model":
        load(self.provider)
        # Without a key the libraries look into the environment; what lies there is for the provider, and nobody else.
        key = self._key or (_NO_KEY if self._url else None)
        if self.provider == "anthropic":
            from pydantic_ai.models.anthropic import AnthropicModel
            from pydantic_ai.providers.anthropic import AnthropicProvider

            return AnthropicModel(self._model, provider=AnthropicProvider(api_key=key, base_url=self._url))
        if self.provider == "gemini":
            from pydantic_ai.models.google import GoogleModel
            from pydantic_ai.providers.google import GoogleProvider

            return GoogleModel(self._model, provider=GoogleProvider(api_key=key, base_url=self._url))
        from pydantic_ai.models.openai import OpenAIChatModel
        from pydantic_ai.providers.openai import OpenAIProvider

        return OpenAIChatModel(self._model, provider=OpenAIProvider(api_key=key, base_url=self._url))

    @property
    def _where(self) -> str:
        return f"The model {clean_line(self._model)}" + (f" at {clean_line(self._url)}" if self._url else "")

    def _translated(self, error: Exception, said: bool) -> Exception:
        from pydantic_ai import exceptions

        if isinstance(error, exceptions.ModelHTTPError):
            return self._from_status(error, said)
        if isinstance(error, exceptions.UserError):
            why = clean_line(str(error)) if self._key or self._url else f"it needs a key. {_KEY}"
            return ModelRefused(f"{self._where} cannot be used: {why}")
        if isinstance(error, exceptions.ModelAPIError):
            told = f"{self._where} cannot be reached: {_root(error)}"
            slow = isinstance(error, exceptions.ModelTimeoutError)
            return ModelUnavailable(told) if said or slow else _Busy(told, _PAUSE)
        if isinstance(error, exceptions.UnexpectedModelBehavior | ValueError):
            return ModelRefused(f"{self._where} answers in a form that cannot be read.")
        return ModelUnavailable(f"{self._where} broke off: {clean_line(str(error)) or type(error).__name__}")

    def _from_status(self, error: "ModelHTTPError", said: bool) -> ModelError:
        from pydantic_ai.exceptions import ModelQuotaExceededError

        status, told = error.status_code, self._told(error.body)
        if status == 401 or "API_KEY_INVALID" in str(error.body):  # Gemini's, with status 400
            return ModelRefused(f"{self._where} {'refuses the key' if self._key else 'asks for a key'}. {_KEY}")
        if status == 404:
            return ModelRefused(f"{self._where} was not found (404): {told or 'name or address may be wrong'}")
        if status not in _BUSY or isinstance(error, ModelQuotaExceededError):
            refused = PromptTooLong if status in (400, 413) and _TOO_LONG.search(str(error.body)) else ModelRefused
            return refused(f"{self._where} refuses the request ({status}): {told or 'no reason given'}")
        busy = f"{self._where} cannot answer now ({status}): {told or 'try again later'}"
        pause = _PAUSE if error.retry_after is None else error.retry_after
        if pause > _PATIENCE:
            return ModelUnavailable(f"{as_sentence(busy)} It wants to be left alone for {pause:,.0f} seconds.")
        return ModelUnavailable(busy) if said else _Busy(busy, pause)

    def _told(self, body: object) -> str:
        """Return what a provider says of an error, out of the forms that are usual, without the key."""
        if isinstance(body, dict):
            inner = body.get("error", body)
            body = inner.get("message") if isinstance(inner, dict) else inner
        text = clean_line(body if isinstance(body, str) else "")
        return (text.replace(self._key, "***") if self._key else text)[:200]

    async def close(self) -> None:
        """Forget the client; its connections belong to the library, which shares them."""
        self._made = None


def _messages(prompt: Prompt) -> "list[ModelMessage]":
    from pydantic_ai.messages import ModelRequest, ModelResponse, TextPart, UserPromptPart

    messages: list[ModelMessage] = []
    for said in prompt.messages:
        if said.role == "user":
            messages.append(ModelRequest([UserPromptPart(said.text)], instructions=prompt.instructions))
        else:
            messages.append(ModelResponse([TextPart(said.text)]))
    return messages


def _ended(response: "ModelResponse") -> Ended:
    usage = response.usage
    try:
        cost: float | None = float(response.cost().total_price)
    except (LookupError, ValueError):
        cost = None  # a model whose price nobody knows: a local one, mostly
    counted = bool(usage.input_tokens or usage.output_tokens)
    return Ended(
        response.finish_reason == "stop",
        usage.input_tokens if counted else None,
        usage.output_tokens if counted else None,
        cost,
    )


def _root(error: BaseException) -> str:
    """Return why a connection failed, as the system says it: the libraries only say that it did."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    if isinstance(error, ConnectionError) and error.errno:
        return os.strerror(error.errno)
    text = error.strerror if isinstance(error, socket.gaierror) else str(error)
    return clean_line(text or "") or type(error).__name__
