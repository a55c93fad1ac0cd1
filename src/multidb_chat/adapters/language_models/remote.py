"""Models behind an HTTP interface: OpenAI and whatever speaks like it, Anthropic, Gemini. Needs the extra `models`.

pydantic-ai speaks to the providers; what it raises becomes the domain's errors here.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

from multidb_chat.domain.errors import InvalidSetting, ModelError, ModelRefused, ModelUnavailable
from multidb_chat.domain.language import Ended, Piece, Prompt
from multidb_chat.domain.text import clean_line

if TYPE_CHECKING:
    from pydantic_ai.exceptions import ModelHTTPError
    from pydantic_ai.messages import ModelMessage, ModelResponse
    from pydantic_ai.models import Model

Provider = Literal["openai", "anthropic", "gemini"]

_HINT = "Language models need the extra `models`: pip install 'multidb-chat[models]'"
_BUSY = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_NO_KEY = "none"  # local servers ask for none, and the client insists on one


class RemoteModel:
    """A model of a provider. `url` replaces the provider's own address (a local server's `http://localhost:11434/v1`).

    `timeout` bounds the wait for the first piece and between two, in seconds. Raises `InvalidSetting` without the
    extra.
    """

    def __init__(
        self, provider: Provider, model: str, *, url: str | None = None, key: str | None = None, timeout: float = 60.0
    ) -> None:
        if find_spec("pydantic_ai") is None:  # looked for only: importing it takes a second
            raise InvalidSetting(_HINT)
        self._provider, self._model, self._url, self._key = provider, model, url, key
        self._timeout = timeout
        self._made: Model | None = None

    @property
    def name(self) -> str:
        """The provider's name, the model's, and the address where it is not the provider's own."""
        return f"{self._provider}:{self._model}" + (f"@{self._url}" if self._url else "")

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece | Ended, None]:
        """Yield the answer piece by piece. Raises `ModelError`."""
        pieces = self._pieces(prompt)
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
                    raise self._translated(error) from error
                yield piece
        finally:
            await pieces.aclose()

    async def _pieces(self, prompt: Prompt) -> AsyncGenerator[Piece | Ended, None]:
        settings: Any = {
            "max_tokens": prompt.most_tokens,
            "temperature": prompt.temperature,
            "timeout": self._timeout,
            "max_retries": 1,  # it waits for as long as the provider says; a second time the documents answer sooner
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
                    raise ModelUnavailable(f"{self._where} broke off in the middle of the answer.")
                yield _ended(response)

    @asynccontextmanager
    async def _opened(self) -> "AsyncIterator[Model]":
        """Yield the client, made in a thread: loading the libraries takes a second."""
        if self._provider != "gemini":
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
        try:
            return self._make_client()
        except ImportError as error:
            raise ModelRefused(_HINT) from error

    def _make_client(self) -> "Model":
        if self._provider == "anthropic":
            from pydantic_ai.models.anthropic import AnthropicModel
            from pydantic_ai.providers.anthropic import AnthropicProvider

            return AnthropicModel(self._model, provider=AnthropicProvider(api_key=self._key, base_url=self._url))
        if self._provider == "gemini":
            from pydantic_ai.models.google import GoogleModel
            from pydantic_ai.providers.google import GoogleProvider

            return GoogleModel(self._model, provider=GoogleProvider(api_key=self._key or _NO_KEY, base_url=self._url))
        from pydantic_ai.models.openai import OpenAIChatModel
        from pydantic_ai.providers.openai import OpenAIProvider

        key = self._key or (_NO_KEY if self._url else None)
        return OpenAIChatModel(self._model, provider=OpenAIProvider(api_key=key, base_url=self._url))

    @property
    def _where(self) -> str:
        return f"The model {clean_line(self._model)}" + (f" at {clean_line(self._url)}" if self._url else "")

    def _translated(self, error: Exception) -> Exception:
        from pydantic_ai.exceptions import ModelAPIError, ModelHTTPError, UnexpectedModelBehavior, UserError

        if isinstance(error, ModelHTTPError):
            return self._from_status(error)
        if isinstance(error, UserError):
            return ModelRefused(f"{self._where} cannot be used: {clean_line(str(error))}")
        if isinstance(error, ModelAPIError):
            return ModelUnavailable(f"{self._where} cannot be reached: {clean_line(str(error.__cause__ or error))}")
        if isinstance(error, UnexpectedModelBehavior | ValueError):
            return ModelRefused(f"{self._where} answers in a form that cannot be read.")
        return ModelUnavailable(f"{self._where} broke off: {clean_line(str(error)) or type(error).__name__}")

    def _from_status(self, error: "ModelHTTPError") -> ModelError:
        told = clean_line(_told(error.body))[:200]
        if error.status_code in (401, 403):
            return ModelRefused(f"{self._where} refuses the key: set one with `multidb-chat models use`.")
        if error.status_code == 404:
            return ModelRefused(f"{self._where} does not exist there.")
        if error.status_code in _BUSY:
            return ModelUnavailable(f"{self._where} is overloaded ({error.status_code}): {told or 'try again later'}")
        return ModelRefused(f"{self._where} refuses the request ({error.status_code}): {told or 'no reason given'}")

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


def _told(body: object) -> str:
    """Return what a provider says of an error, out of the forms that are usual."""
    if isinstance(body, dict):
        inner = body.get("error", body)
        return str(inner.get("message", "")) if isinstance(inner, dict) else str(inner)
    return body if isinstance(body, str) else ""
