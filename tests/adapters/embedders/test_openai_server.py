"""A server that speaks as OpenAI's does, a real one on the loopback: the contract, and everything it may answer."""

import asyncio
import base64
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from multidb_chat.adapters.embedders.minilm import MiniLMEmbedder
from multidb_chat.adapters.embedders.openai_server import OpenAIEmbedder
from multidb_chat.domain.errors import InvalidSetting, StoreUnavailable
from tests.contracts.embedder import EmbedderContract, cosine, numbers

Answer = tuple[int, Any] | tuple[int, Any, dict[str, str]]


class Server(ThreadingHTTPServer):
    """Answers what `answer` makes of a request; keeps the requests."""

    def __init__(self, answer: Callable[[dict[str, Any]], Answer]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append({**given, "path": self.path})
        self.server.keys.append(self.headers["Authorization"])
        status, content, *headers = self.server.answer(given)
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in (headers[0] if headers else {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


def embeddings(vectors: list[list[float]]) -> Answer:
    """Return an answer, its items in any order, as the index allows."""
    items = [{"object": "embedding", "index": n, "embedding": vector} for n, vector in enumerate(vectors)]
    return 200, {"object": "list", "data": items[::-1], "model": "m"}


def lengths(given: dict[str, Any]) -> Answer:
    return embeddings([[float(len(text)), 1.0, 0.0] for text in given["input"]])


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[dict[str, Any]], Answer]], Server]]:
    servers: list[Server] = []

    def started(answer: Callable[[dict[str, Any]], Answer]) -> Server:
        servers.append(Server(answer))
        threading.Thread(target=servers[-1].serve_forever, args=(0.01,), daemon=True).start()
        return servers[-1]

    yield started
    for server in servers:
        server.shutdown()
        server.server_close()


Serve = Callable[[Callable[[dict[str, Any]], Answer]], Server]


class TestOpenAI(EmbedderContract):
    """With the default embedder behind the server."""

    @pytest.fixture
    async def embedder(self, serve: Serve) -> AsyncIterator[OpenAIEmbedder]:
        inner = MiniLMEmbedder(2)
        loop = asyncio.get_running_loop()

        def answer(given: dict[str, Any]) -> Answer:
            made = asyncio.run_coroutine_threadsafe(inner.embed_documents(given["input"]), loop).result()
            return embeddings([numbers(vector) for vector in made])

        embedder = OpenAIEmbedder(serve(answer).url, "minilm", 384)
        yield embedder
        await embedder.close()
        await inner.close()


async def test_what_is_asked_is_what_the_reference_says(serve: Serve):
    server = serve(lengths)
    embedder = OpenAIEmbedder(server.url, "some/Model", 3, key="sk-1")
    vectors = await embedder.embed_documents(["one", "three"])
    assert server.requests == [
        {"model": "some/Model", "input": ["one", "three"], "encoding_format": "float", "path": "/v1/embeddings"}
    ]
    assert server.keys == ["Bearer sk-1"]
    assert embedder.name == "openai-some/model-3"
    assert [round(numbers(vector)[0] / numbers(vector)[1]) for vector in vectors] == [3, 5]
    await embedder.close()


async def test_a_shorter_vector_is_asked_of_models_that_have_it(serve: Serve):
    server = serve(lambda given: embeddings([[1.0] * given.get("dimensions", 1_536) for _ in given["input"]]))
    for dimensions, asked in ((0, None), (1_536, None), (256, 256)):
        embedder = OpenAIEmbedder(server.url, "text-embedding-3-small", dimensions)
        assert len(await embedder.embed_query("a")) == 4 * embedder.dimensions
        assert server.requests[-1].get("dimensions") == asked
        await embedder.close()


async def test_a_text_that_is_too_long_is_embedded_by_parts_and_nothing_is_cut_off(serve: Serve):
    def short_sighted(given: dict[str, Any]) -> Answer:
        if any(len(text) > 500 for text in given["input"]):
            return 400, {"error": {"message": "maximum context length is 500"}}
        return embeddings([[1.0 + text.count("a"), 1.0 + text.count("b"), 0.0] for text in given["input"]])

    embedder = OpenAIEmbedder(serve(short_sighted).url, "m", 3)
    both, beginning = await embedder.embed_documents(["a " * 600 + "b " * 600, "a " * 600])
    assert cosine(both, beginning) == pytest.approx(0.7, abs=0.1)
    await embedder.close()


async def test_a_busy_server_is_asked_again_and_the_answer_counts(serve: Serve):
    answers: list[Answer] = [
        (429, {"error": {"message": "slow down"}}, {"Retry-After": "0"}),
        (503, b"", {"Retry-After": "0"}),
    ]
    server = serve(lambda given: answers.pop(0) if answers else lengths(given))
    embedder = OpenAIEmbedder(server.url, "m", 3)
    await embedder.embed_query("a")
    assert len(server.requests) == 3
    await embedder.close()


BAD: dict[str, tuple[Answer, str]] = {
    "a refused key": ((401, {"error": {"message": "no"}}), "refused the key"),
    "a refused text": ((400, {"error": {"message": "no\x1b[31m such\nmodel"}}), "refused a text.*no such model"),
    "an unknown path": ((404, b"<html>nothing here</html>"), "404"),
    "a redirect": ((302, b"", {"Location": "http://127.0.0.1:1/"}), "302"),
    "busy for ever": ((503, {"error": "overloaded"}, {"Retry-After": "0"}), "busy or failed.*overloaded"),
    "no JSON": ((200, b"hello"), "no embedding"),
    "no data": ((200, {"object": "list"}), "no embedding"),
    "text for numbers": (embeddings([["x", "y", "z"]]), "no embedding"),  # type: ignore[list-item]
    "packed numbers": ((200, {"data": [{"index": 0, "embedding": base64.b64encode(b"12").decode()}]}), "no embedding"),
    "too few": (embeddings([]), "0 of 1 vectors"),
    "no finite number": ((200, b'{"data": [{"index": 0, "embedding": [NaN, 1, 2]}]}'), "no numbers"),
    "another length": (embeddings([[1.0, 2.0]]), "vectors of 2 numbers, not 3"),
}


@pytest.mark.parametrize("kind", BAD)
async def test_what_is_no_vector_is_said_in_one_line(serve: Serve, kind: str):
    answer, message = BAD[kind]
    embedder = OpenAIEmbedder(serve(lambda _: answer).url, "m", 3, key="sk-secret")
    with pytest.raises(StoreUnavailable, match=message) as refused:
        await embedder.embed_query("a")
    assert "\n" not in str(refused.value)
    assert "\x1b" not in str(refused.value)
    assert "sk-secret" not in str(refused.value)
    await embedder.close()


async def test_a_server_that_is_not_there_is_named_without_what_is_secret():
    embedder = OpenAIEmbedder("http://user:hidden@127.0.0.1:1/v1", "m", 3)
    with pytest.raises(StoreUnavailable, match=r"http://127\.0\.0\.1:1 cannot be reached") as refused:
        await embedder.embed_query("a")
    assert "hidden" not in str(refused.value)
    await embedder.close()


async def test_a_frozen_server_is_given_up(serve: Serve):
    gate = threading.Event()
    embedder = OpenAIEmbedder(
        serve(lambda given: lengths(given) if gate.wait(30) else (500, b"")).url, "m", 3, wait_s=0.2
    )
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        await embedder.embed_query("a")
    gate.set()
    await embedder.close()


@pytest.mark.parametrize("url", ["", "localhost:80", "ftp://x/v1", "http://", "http://[::1", "http://x:port/"])
def test_what_is_no_url_is_refused(url: str):
    with pytest.raises(InvalidSetting, match="URL"):
        OpenAIEmbedder(url, "m", 3)


def test_the_length_of_an_unknown_model_s_vectors_has_to_be_said():
    with pytest.raises(InvalidSetting, match=r"embedder\.dimensions"):
        OpenAIEmbedder("http://localhost/v1", "bge-m3")
