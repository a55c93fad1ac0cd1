"""Models behind HTTP: the contract over llama.cpp's own server, and all that a server may do wrong."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator

import pytest

from multidb_chat.adapters.language_models.remote import RemoteModel
from multidb_chat.domain.errors import ModelError, ModelRefused, ModelUnavailable, PromptTooLong
from multidb_chat.domain.language import Ended, Piece
from tests.adapters.language_models.faulty_server import Answering, Behaviour, serving
from tests.adapters.language_models.weights import gguf_file
from tests.contracts.language_model import COLOURS, LanguageModelContract, said

pytest.importorskip("pydantic_ai", reason="the extra models is not installed")
KEY = "sk-of-this-test"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The address of a real server with a real small model, on this machine."""
    path = gguf_file()
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.n_ctx = 2_048
    parameters.n_parallel = 1
    parameters.verbosity = -1
    parameters.api_keys = [KEY]
    parameters.cpuparams.n_threads = 1
    server = xllamacpp.Server(parameters)
    yield f"{server.listening_address}/v1"
    del server


@pytest.fixture
async def model(address: str) -> AsyncIterator[RemoteModel]:
    made = RemoteModel("openai", "smollm2", url=address, key=KEY)
    yield made
    await made.close()


class TestRemote(LanguageModelContract):
    pass


async def test_tokens_are_the_servers_own_count(model: RemoteModel) -> None:
    _, ended = await said(model, COLOURS)
    assert ended.tokens_in is not None
    assert ended.tokens_in > 10
    assert ended.tokens_out is not None
    assert ended.cost is None, "nobody knows the price of a local model"


async def test_a_wrong_key_is_refused_without_being_shown(address: str) -> None:
    with pytest.raises(ModelRefused, match="refuses the key") as refused:
        await said(RemoteModel("openai", "smollm2", url=address, key="sk-wrong-one"), COLOURS)
    assert "sk-wrong-one" not in str(refused.value)


ASKED_AT_ONCE = """
import asyncio, threading
from multidb_chat.adapters.language_models.remote import RemoteModel, load
from multidb_chat.domain.errors import ModelError
from multidb_chat.domain.language import Prompt, Said

async def ask():
    try:
        async for _ in RemoteModel("openai", "m", url="http://127.0.0.1:9/v1").stream(Prompt("", (Said("user", "?"),))):
            pass
    except ModelError as error:
        print(error)

threading.Thread(target=load, args=("openai",)).start()
asyncio.run(ask())
"""


def test_a_question_waits_for_the_libraries_that_another_thread_loads() -> None:
    asked = subprocess.run([sys.executable, "-c", ASKED_AT_ONCE], capture_output=True, text=True, timeout=60)
    assert "cannot be reached: Connection refused" in asked.stdout, asked.stdout + asked.stderr


async def test_nobody_there_is_told_as_away() -> None:
    with pytest.raises(ModelUnavailable, match=r"cannot be reached: Connection refused$"):
        await said(RemoteModel("openai", "m", url="http://127.0.0.1:9/v1", timeout=5), COLOURS)


async def fine(answering: Answering) -> None:
    await answering.begin()
    await answering.piece("Red and ")
    await answering.piece("blue.", "stop")
    await answering.usage(7, 3)
    await answering.event("[DONE]")


async def busy(answering: Answering) -> None:
    await answering.refuse(429, "slow down", "Retry-After: 1")


async def broken(answering: Answering) -> None:
    await answering.refuse(500, "it hurts")


async def unknown(answering: Answering) -> None:
    await answering.refuse(404, "no such model")


async def too_long(answering: Answering) -> None:
    await answering.refuse(400, "This model's maximum context length is 2048 tokens.")


async def silent(answering: Answering) -> None:
    await asyncio.sleep(60)


async def stalled(answering: Answering) -> None:
    await answering.begin()
    await answering.piece("Red and ")
    await asyncio.sleep(60)


async def malformed(answering: Answering) -> None:
    await answering.begin()
    await answering.piece("Red and ")
    await answering.event("{not json")


async def cut(answering: Answering) -> None:
    await answering.begin()
    await answering.piece("Red and ")
    await answering.cut()


async def unfinished(answering: Answering) -> None:
    await answering.begin()
    await answering.piece("Red and ")
    await answering.event("[DONE]")


async def no_stream(answering: Answering) -> None:
    await answering.raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>")


FAULTS: dict[str, tuple[Behaviour, type[ModelError], str]] = {
    "429 with Retry-After": (busy, ModelUnavailable, "cannot answer now"),
    "500": (broken, ModelUnavailable, "it hurts"),
    "404": (unknown, ModelRefused, "was not found"),
    "context overflow": (too_long, PromptTooLong, "maximum context length"),
    "no first token": (silent, ModelUnavailable, "said nothing"),
    "a stall in mid-stream": (stalled, ModelUnavailable, "said nothing"),
    "malformed chunks": (malformed, ModelError, "The model m at"),
    "a connection that is cut": (cut, ModelUnavailable, "The model m at"),
    "a stream without an end": (unfinished, ModelUnavailable, "closed the connection"),
    "no stream at all": (no_stream, ModelError, "The model m at"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_a_server_does_wrong_becomes_one_line(fault: str) -> None:
    behaviour, kind, text = FAULTS[fault]
    timeout = 1 if text == "said nothing" else 4  # only that one is waited for to its end
    async with serving(behaviour) as (url, _):
        with pytest.raises(kind, match=text) as raised:
            await said(RemoteModel("openai", "m", url=url, key=KEY, timeout=timeout), COLOURS)
    assert "\n" not in str(raised.value)
    assert KEY not in str(raised.value)


async def test_a_server_that_is_busy_for_a_moment_is_asked_again() -> None:
    refused = 0

    async def busy_once(answering: Answering) -> None:
        nonlocal refused
        if refused:
            await fine(answering)
        else:
            refused += 1
            await answering.refuse(429, "slow down", "Retry-After: 0")

    async with serving(busy_once) as (url, came):
        text, _ = await said(RemoteModel("openai", "m", url=url, key=KEY), COLOURS)
    assert (text, len(came)) == ("Red and blue.", 2)


async def test_a_provider_that_wants_to_be_left_alone_is_not_waited_for() -> None:
    async def tired(answering: Answering) -> None:
        await answering.refuse(429, "slow down", "Retry-After: 45")

    async with serving(tired) as (url, came):
        async with asyncio.timeout(20):
            with pytest.raises(ModelUnavailable, match=r"slow down\. It wants to be left alone for 45 seconds\."):
                await said(RemoteModel("openai", "m", url=url, key=KEY), COLOURS)
    assert len(came) == 1


async def test_an_empty_account_is_not_asked_again() -> None:
    async def empty(answering: Answering) -> None:
        await answering.refuse(429, "You exceeded your current quota.", code="insufficient_quota")

    async with serving(empty) as (url, came):
        with pytest.raises(ModelRefused, match="exceeded your current quota"):
            await said(RemoteModel("openai", "m", url=url, key=KEY), COLOURS)
    assert len(came) == 1


async def test_what_came_before_a_fault_was_given_out() -> None:
    async with serving(stalled) as (url, _):
        stream = RemoteModel("openai", "m", url=url, timeout=1).stream(COLOURS)
        assert await anext(stream) == Piece("Red and ")
        with pytest.raises(ModelUnavailable):
            await anext(stream)


async def test_the_key_goes_into_the_header_and_the_question_into_the_body() -> None:
    async with serving(fine) as (url, came):
        text, ended = await said(RemoteModel("openai", "m", url=url, key=KEY), COLOURS)
    assert (text, ended) == ("Red and blue.", Ended(True, 7, 3, None))
    assert came[0].headers["authorization"] == f"bearer {KEY}".lower()
    assert came[0].request["messages"] == [
        {"role": "system", "content": "Answer in one short sentence."},
        {"role": "user", "content": "Name three colours."},
    ]
    assert "tools" not in came[0].request
