"""Anthropic and Gemini by servers of this machine that speak their protocols, and err as they do.

The streams are as their documentation has them: https://docs.anthropic.com/en/api/messages-streaming and
https://ai.google.dev/api/generate-content (`streamGenerateContent?alt=sse`).
"""

import asyncio
import json
from typing import Any

import pytest

from multidb_chat.adapters.language_models.remote import Provider, RemoteModel
from multidb_chat.domain.errors import ModelError, ModelRefused, ModelUnavailable, PromptTooLong
from multidb_chat.domain.language import Ended, Piece, Prompt, Said
from tests.adapters.language_models.faulty_server import Answering, Behaviour, serving
from tests.contracts.language_model import COLOURS, said

pytest.importorskip("anthropic", reason="the extra models is not installed in full")
pytest.importorskip("google.genai", reason="the extra models is not installed in full")
KEY = "key-of-this-test"


async def claude_event(answering: Answering, kind: str, **data: Any) -> None:
    await answering.raw(f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n".encode())


async def claude_begins(answering: Answering, *pieces: str) -> None:
    await answering.begin()
    usage = {"input_tokens": 25, "output_tokens": 1}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": None,
               "stop_sequence": None, "usage": usage}  # fmt: skip
    await claude_event(answering, "message_start", message=message)
    await claude_event(answering, "content_block_start", index=0, content_block={"type": "text", "text": ""})
    await claude_event(answering, "ping")
    for piece in pieces:
        await claude_event(answering, "content_block_delta", index=0, delta={"type": "text_delta", "text": piece})


async def claude_ends(answering: Answering, reason: str) -> None:
    await claude_event(answering, "content_block_stop", index=0)
    delta = {"stop_reason": reason, "stop_sequence": None}
    await claude_event(answering, "message_delta", delta=delta, usage={"output_tokens": 15})
    await claude_event(answering, "message_stop")


async def gemini_chunk(answering: Answering, text: str, finish: str | None = None) -> None:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    usage = {"promptTokenCount": 25, "candidatesTokenCount": 15, "totalTokenCount": 40}
    await answering.event(json.dumps({"candidates": [candidate], "usageMetadata": usage, "modelVersion": "m"}))


def speaking(provider: Provider, *pieces: str, cut_off: bool = False) -> Behaviour:
    async def claude(answering: Answering) -> None:
        await claude_begins(answering, *pieces)
        await claude_ends(answering, "max_tokens" if cut_off else "end_turn")

    async def gemini(answering: Answering) -> None:
        await answering.begin()
        for piece in pieces[:-1]:
            await gemini_chunk(answering, piece)
        await gemini_chunk(answering, pieces[-1], "MAX_TOKENS" if cut_off else "STOP")

    return claude if provider == "anthropic" else gemini


def model_at(provider: Provider, url: str, timeout: float = 30) -> RemoteModel:
    return RemoteModel(provider, "m", url=url.removesuffix("/v1"), key=KEY, timeout=timeout)


PROVIDERS = pytest.mark.parametrize("provider", ["anthropic", "gemini"])


@PROVIDERS
async def test_an_answer_comes_in_pieces_with_the_providers_count(provider: Provider) -> None:
    async with serving(speaking(provider, "Red, ", "green ", "and blue.")) as (url, came):
        events = [event async for event in model_at(provider, url).stream(COLOURS)]
    assert events[:-1] == [Piece("Red, "), Piece("green "), Piece("and blue.")]
    assert events[-1] == Ended(True, 25, 15, None)
    assert any(KEY in value for value in came[0].headers.values())


@PROVIDERS
async def test_the_instructions_stand_apart_from_what_was_said(provider: Provider) -> None:
    talk = Prompt("Be brief.", (Said("user", "I am Ada."), Said("assistant", "Hello."), Said("user", "Who?")), 30)
    async with serving(speaking(provider, "Ada.")) as (url, came):
        await said(model_at(provider, url), talk)
    sent = came[0].request
    if provider == "anthropic":
        assert "Be brief." in json.dumps(sent["system"])
        assert sent["max_tokens"] == 30
        turns = sent["messages"]
    else:
        assert "Be brief." in json.dumps(sent["systemInstruction"])
        assert sent["generationConfig"]["maxOutputTokens"] == 30  # type: ignore[index, call-overload]
        turns = sent["contents"]
    assert [turn["role"] for turn in turns] == ["user", "model" if provider == "gemini" else "assistant", "user"]  # type: ignore[attr-defined]
    assert "Be brief." not in json.dumps(turns)
    assert "tools" not in sent


@PROVIDERS
async def test_an_answer_that_was_cut_off_says_so(provider: Provider) -> None:
    async with serving(speaking(provider, "Red and ", cut_off=True)) as (url, _):
        text, ended = await said(model_at(provider, url), COLOURS)
    assert (text, ended.complete) == ("Red and ", False)


def refusing(status: int, message: str, kind: str, *, wait: int = 0, reason: str = "") -> Behaviour:
    """Return what refuses as both do: the message lies in `error`."""

    async def refuse(answering: Answering) -> None:
        error: dict[str, Any] = {"type": kind, "status": kind, "code": status, "message": message}
        if reason:
            info = "type.googleapis.com/google.rpc.ErrorInfo"
            error["details"] = [{"@type": info, "reason": reason, "domain": "googleapis.com"}]
        data = json.dumps({"type": "error", "error": error}).encode()
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n"
        await answering.raw(f"{head}retry-after: {wait}\r\nConnection: close\r\n\r\n".encode() + data)

    return refuse


@PROVIDERS
async def test_a_server_that_is_busy_for_a_moment_is_asked_again(provider: Provider) -> None:
    refused = 0

    async def busy_once(answering: Answering) -> None:
        nonlocal refused
        refused += 1
        speaks = refusing(529, "Overloaded", "UNAVAILABLE") if refused == 1 else speaking(provider, "Red.")
        await speaks(answering)

    async with serving(busy_once) as (url, came):
        text, _ = await said(model_at(provider, url), COLOURS)
    assert (text, len(came)) == ("Red.", 2)


@PROVIDERS
async def test_a_provider_that_wants_to_be_left_alone_is_not_waited_for(provider: Provider) -> None:
    async with serving(refusing(429, "slow down", "RESOURCE_EXHAUSTED", wait=45)) as (url, came):
        async with asyncio.timeout(20):
            with pytest.raises(ModelUnavailable, match="left alone for 45 seconds"):
                await said(model_at(provider, url), COLOURS)
    assert len(came) == 1


async def test_a_wrong_key_is_told_as_such_where_gemini_calls_it_a_bad_request() -> None:
    wrong = refusing(400, "API key not valid.", "INVALID_ARGUMENT", reason="API_KEY_INVALID")
    async with serving(wrong) as (url, _):
        with pytest.raises(ModelRefused, match=r"refuses the key\. .*config set model\.key"):
            await said(model_at("gemini", url), COLOURS)


@PROVIDERS
async def test_without_a_key_the_one_that_is_needed_is_told(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "GOOGLE_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ModelRefused, match=r"cannot be used: it needs a key\. .*config set model\.key"):
        await said(RemoteModel(provider, "m"), COLOURS)


@PROVIDERS
async def test_a_key_in_the_environment_is_not_sent_to_another_address(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.setenv(name, "sk-of-the-environment")
    async with serving(refusing(401, "who are you", "authentication_error")) as (url, came):
        with pytest.raises(ModelRefused, match="asks for a key"):
            await said(RemoteModel(provider, "m", url=url.removesuffix("/v1")), COLOURS)
    assert not any("sk-of-the-environment" in value for value in came[0].headers.values())


async def silent(answering: Answering) -> None:
    await asyncio.sleep(60)


async def begun(provider: Provider, answering: Answering) -> None:
    if provider == "anthropic":
        await claude_begins(answering, "Red and ")
    else:
        await answering.begin()
        await gemini_chunk(answering, "Red and ")


def faults(provider: Provider) -> dict[str, tuple[Behaviour, type[ModelError], str]]:
    async def stalled(answering: Answering) -> None:
        await begun(provider, answering)
        await asyncio.sleep(60)

    async def cut(answering: Answering) -> None:
        await begun(provider, answering)
        await answering.cut()

    async def unfinished(answering: Answering) -> None:
        await begun(provider, answering)

    async def malformed(answering: Answering) -> None:
        await begun(provider, answering)
        await answering.event("{not json")

    async def overloaded(answering: Answering) -> None:
        await begun(provider, answering)
        error = {"type": "overloaded_error", "message": "Overloaded", "code": 503, "status": "UNAVAILABLE"}
        if provider == "anthropic":
            await claude_event(answering, "error", error=error)
        else:
            await answering.event(json.dumps({"error": error}))

    return {
        "wrong key": (refusing(401, "invalid x-api-key", "authentication_error"), ModelRefused, "refuses the key"),
        "unknown model": (refusing(404, "model: m", "not_found_error"), ModelRefused, "was not found"),
        "too long": (refusing(400, "prompt is too long", "invalid_request_error"), PromptTooLong, "prompt is too long"),
        "429": (refusing(429, "slow down", "RESOURCE_EXHAUSTED"), ModelUnavailable, "cannot answer now"),
        "529": (refusing(529, "Overloaded", "overloaded_error"), ModelUnavailable, "cannot answer now"),
        "silence": (silent, ModelUnavailable, "said nothing"),
        "a stall in mid-stream": (stalled, ModelUnavailable, "said nothing"),
        "a cut connection": (cut, ModelUnavailable, "The model m at"),
        "a stream without an end": (unfinished, ModelUnavailable, "closed the connection"),
        "malformed chunks": (malformed, ModelError, "The model m at"),
        "an error in mid-stream": (overloaded, ModelError, "The model m at"),
    }


@PROVIDERS
@pytest.mark.parametrize("fault", faults("gemini"))
async def test_what_a_provider_does_wrong_becomes_one_line(provider: Provider, fault: str) -> None:
    behaviour, kind, text = faults(provider)[fault]
    timeout = 1 if text == "said nothing" else 4  # only that one is waited for to its end
    async with serving(behaviour) as (url, _):
        with pytest.raises(kind, match=text) as raised:
            await said(model_at(provider, url, timeout=timeout), COLOURS)
    assert "\n" not in str(raised.value)
    assert KEY not in str(raised.value)


@PROVIDERS
async def test_leaving_the_answer_closes_the_connection(provider: Provider) -> None:
    left = asyncio.Event()

    async def endless(answering: Answering) -> None:
        await begun(provider, answering)
        try:
            while True:
                await answering.raw(b": still there\n\n")
                await asyncio.sleep(0.02)
        finally:
            left.set()

    async with serving(endless) as (url, _):
        stream = model_at(provider, url).stream(COLOURS)
        assert await anext(stream) == Piece("Red and ")
        await stream.aclose()
        await asyncio.wait_for(left.wait(), 30)


@PROVIDERS
async def test_nobody_there_is_told_as_away(provider: Provider) -> None:
    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        await said(RemoteModel(provider, "m", url="http://127.0.0.1:9", key=KEY, timeout=5), COLOURS)
