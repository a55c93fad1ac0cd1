"""Embeddings from any server that speaks as OpenAI's `/embeddings` does (vLLM, Ollama, llama.cpp, TEI, OpenAI).

Reference: https://platform.openai.com/docs/api-reference/embeddings. The standard library's HTTP, in a thread; no proxy
and no redirect, so that the key reaches this server and no other.
"""

import array
import http.client
import json
import math
import ssl
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any
from urllib.parse import urlsplit

from multidb_chat.adapters.embedders.threads import Threads
from multidb_chat.domain.errors import InvalidSetting, StoreUnavailable
from multidb_chat.domain.text import clean_line

STORE = "embedder"
# The length of the vectors of models that everybody knows; of others the settings have to say it.
KNOWN_DIMENSIONS = {"text-embedding-3-small": 1_536, "text-embedding-3-large": 3_072, "text-embedding-ada-002": 1_536}
_BATCH = 32  # texts of one request
_SHORTEST = 200  # characters: what is refused as too long is halved, down to these
_TRIES, _MOST_WAIT = 4, 30.0  # seconds
_MOST_BYTES = 256 << 20
_TOO_LONG = {400, 413, 422}
_BUSY = {408, 425, 429, 500, 502, 503, 504}


class OpenAIEmbedder:
    """The `Embedder` of a server at `url`, up to `/embeddings` (`http://localhost:11434/v1`).

    `dimensions` 0: those of a well-known `model`. `key` is sent as bearer token. Raises `InvalidSetting` for a URL or a
    model that it cannot know what to do with.
    """

    def __init__(self, url: str, model: str, dimensions: int = 0, key: str | None = None, wait_s: float = 60.0) -> None:
        self._connect, self._path, self._where = _target(url, wait_s)
        self._model = model
        self._shortened = dimensions > 0 and model in KNOWN_DIMENSIONS and dimensions != KNOWN_DIMENSIONS[model]
        self.dimensions = dimensions or KNOWN_DIMENSIONS.get(model, 0)
        if not self.dimensions:
            raise InvalidSetting(f"embedder.dimensions: say how long the vectors of the model {clean_line(model)} are")
        self.name = f"openai-{clean_line(model).strip().lower()}-{self.dimensions}"
        self._key = key
        self._pools = Threads(1)

    async def embed_query(self, text: str) -> bytes:
        """Return the vector of a question. Raises `StoreUnavailable` when the server gives none."""
        return (await self._embed(self._pools.questions, [text], Event()))[0]

    async def embed_documents(self, texts: Sequence[str]) -> list[bytes]:
        """Return the vectors of passages, in order. Raises like `embed_query`; cancelling stops between requests."""
        stop = Event()
        try:
            return await self._embed(self._pools.passages, texts, stop) if texts else []
        finally:
            stop.set()

    async def close(self) -> None:
        """Stop after the request that is under way; a call under way then fails."""
        await self._pools.close()

    async def _embed(self, pool: ThreadPoolExecutor, texts: Sequence[str], stop: Event) -> list[bytes]:
        def stopped() -> bool:
            return stop.is_set() or self._pools.closed

        return await self._pools.run(pool, lambda: self._vectors(texts, stopped))

    def _vectors(self, texts: Sequence[str], stopped: Callable[[], bool]) -> list[bytes]:
        clean = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        found: list[list[float]] = []
        for at in range(0, len(clean), _BATCH):
            found += self._batch(clean[at : at + _BATCH], stopped)
        return [_packed(vector) for vector in found]

    def _batch(self, texts: list[str], stopped: Callable[[], bool]) -> list[list[float]]:
        """Return the vectors of some texts; where the server refuses them as too much, of parts of them."""
        status, answer = self._asked(texts, stopped)
        if status == 200:
            return self._read(answer, len(texts))
        if status in _TOO_LONG and len(texts) > 1:
            return [vector for text in texts for vector in self._batch([text], stopped)]
        if status in _TOO_LONG and len(texts[0]) > _SHORTEST:
            return [self._of_halves(texts[0], stopped)]
        raise StoreUnavailable(STORE, f"{self._where} refused a text ({status}): {_reason(answer)}")

    def _of_halves(self, text: str, stopped: Callable[[], bool]) -> list[float]:
        """Return the mean of a text's halves, weighed by their length: nothing is cut off."""
        middle = text.rfind(" ", len(text) // 4, len(text) * 3 // 4)
        middle = middle if middle > 0 else len(text) // 2
        parts = [text[:middle], text[middle:]]
        found = [_unit(vector) for part in parts for vector in self._batch([part], stopped)]
        return [sum(len(part) * n for part, n in zip(parts, pair, strict=True)) for pair in zip(*found, strict=True)]

    def _asked(self, texts: Sequence[str], stopped: Callable[[], bool]) -> tuple[int, bytes]:
        """Return the status and the body of the answer, asked again while the server is busy."""
        given: dict[str, Any] = {"model": self._model, "input": [text or " " for text in texts]}
        given["encoding_format"] = "float"
        if self._shortened:
            given["dimensions"] = self.dimensions
        body = json.dumps(given).encode()
        for last in (*[False] * (_TRIES - 1), True):
            if stopped():
                raise StoreUnavailable(STORE, "the embedding was stopped")
            status, answer, wait = self._request(body)
            if status in (401, 403):
                raise StoreUnavailable(
                    STORE, f"{self._where} refused the key ({status}); embedder.key says where it is"
                )
            if status not in _BUSY:
                return status, answer
            if not last:
                time.sleep(min(wait, _MOST_WAIT))
        raise StoreUnavailable(STORE, f"{self._where} was busy or failed {_TRIES} times ({status}): {_reason(answer)}")

    def _request(self, body: bytes) -> tuple[int, bytes, float]:
        """Send one request; return status, body and the seconds to wait where the server is busy."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        connection = self._connect()
        try:
            connection.request("POST", self._path, body, headers)
            response = connection.getresponse()
            answer = response.read(_MOST_BYTES)
            after = response.headers.get("Retry-After", "")
            return response.status, answer, float(after) if after.isdecimal() else 1.0
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise StoreUnavailable(
                STORE, f"{self._where} cannot be reached: {clean_line(str(reason))[:150]}"
            ) from error
        finally:
            connection.close()

    def _read(self, answer: bytes, count: int) -> list[list[float]]:
        try:
            items = sorted(json.loads(answer)["data"], key=lambda item: item["index"])
            vectors = [[float(number) for number in item["embedding"]] for item in items]
        except (ValueError, KeyError, TypeError) as error:
            raise StoreUnavailable(STORE, f"{self._where} answered something that is no embedding") from error
        if len(vectors) != count or not all(map(math.isfinite, (n for vector in vectors for n in vector))):
            raise StoreUnavailable(STORE, f"{self._where} gave {len(vectors)} of {count} vectors, or no numbers")
        if wrong := next((len(vector) for vector in vectors if len(vector) != self.dimensions), 0):
            raise StoreUnavailable(
                STORE, f"{self._where} gives vectors of {wrong} numbers, not {self.dimensions}: set embedder.dimensions"
            )
        return vectors


def _target(url: str, wait_s: float) -> tuple[Callable[[], http.client.HTTPConnection], str, str]:
    """Return what connects to a server, the path, and how it is called in messages."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https"):
        raise InvalidSetting("embedder.name: openai: needs a URL: openai:http://localhost:11434/v1")
    where = f"{parts.scheme}://{host}{f':{port}' if port else ''}"
    path = f"{parts.path.rstrip('/').removesuffix('/embeddings')}/embeddings"
    if parts.scheme == "http":
        return lambda: http.client.HTTPConnection(host, port, timeout=wait_s), path, where
    context = ssl.create_default_context()
    return lambda: http.client.HTTPSConnection(host, port, timeout=wait_s, context=context), path, where


def _unit(vector: Sequence[float]) -> list[float]:
    length = math.sqrt(math.fsum(number * number for number in vector)) or 1.0
    return [number / length for number in vector]


def _packed(vector: Sequence[float]) -> bytes:
    values = array.array("f", _unit(vector))
    if sys.byteorder == "big":
        values.byteswap()
    return values.tobytes()


def _reason(answer: bytes) -> str:
    """Return what a server says is wrong, on one line."""
    try:
        said = json.loads(answer)
        error = said.get("error", said)
        text = error.get("message", error) if isinstance(error, dict) else error
    except (ValueError, AttributeError):
        text = answer[:300].decode("utf-8", "replace")
    return clean_line(str(text))[:200]
