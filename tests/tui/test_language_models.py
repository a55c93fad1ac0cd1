"""A language model in the app: whose words they are, another one in mid-conversation, stopping, asking again."""

import asyncio
import queue
from pathlib import Path

import pytest

from multidb_chat import bootstrap
from multidb_chat.adapters.language_models import remote
from multidb_chat.tui.app import ChatApp
from tests.adapters.language_models.faulty_server import Answering, serving
from tests.adapters.language_models.serving import breaking_off, failing, saying
from tests.tui.driving import NARROW, area, ask, exchanges, lines, outcome, prepared, send, shown, toasts, until
from tests.tui.home import settings_in

pytest.importorskip("pydantic_ai", reason="the extra models is not installed")
FOUNDED = "Who founded the Kestrel observatory?"
SAID = ("The observatory was founded by ", "Ada Lindqvist [1]. ")
SHOWN = "The observatory was founded by Ada Lindqvist."
QUOTED = "The Kestrel observatory was founded in 1912"


def app_with(home: Path, url: str, model: str = "openai:scripted-mini") -> ChatApp:
    settings = settings_in(home, model__name=model, model__url=url)
    return ChatApp(lambda: bootstrap.open_application(settings, "local"))


def wide_text(text: str) -> str:
    return " ".join(text.split())


async def test_the_title_says_which_model_writes_and_it_can_be_changed_in_mid_conversation(home: Path) -> None:
    async with serving(saying(*SAID)) as (url, came), app_with(home, url).run_test(size=NARROW) as pilot:
        await prepared(pilot)
        assert "scripted-mini" in lines(pilot)[0]
        first = await ask(pilot, FOUNDED)
        assert first.answer is not None
        assert (first.answer.method, first.answer.text) == ("model", f"{SHOWN} [1]")
        await send(pilot, "/model none")
        assert "scripted-mini" not in lines(pilot)[0]
        assert "quoted from your documents" in toasts(pilot)
        second = await ask(pilot, FOUNDED)
        assert second.answer is not None
        assert second.answer.method == "extractive"
        assert QUOTED in second.answer.text
        await send(pilot, "/model openai:another")
        assert "another" in lines(pilot)[0]
        third = await ask(pilot, FOUNDED)
        assert third.answer is not None
        assert third.answer.method == "model"
        assert [one.request["model"] for one in came] == ["scripted-mini", "another"]
        assert third.answer.conversation_id == first.answer.conversation_id


async def test_models_at_hand_are_offered_behind_the_command(home: Path) -> None:
    folder = settings_in(home).paths.data / "models"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tiny story.gguf").write_bytes(b"GGUF")
    async with app_with(home, "http://127.0.0.1:9/v1").run_test(size=NARROW) as pilot:
        await prepared(pilot)
        await pilot.press(*"/model", "space")
        await until(pilot, lambda: "answers are quoted" in shown(pilot))
        assert "openai:scripted-mini" in shown(pilot)
        assert "tiny story" in shown(pilot)
        await pilot.press(*"no")
        await until(pilot, lambda: "tiny story" not in shown(pilot))
        await pilot.press("tab")
        assert area(pilot).text == "/model none"
        await pilot.press("enter")
        await until(pilot, lambda: "scripted-mini" not in lines(pilot)[0])


async def test_escape_stops_a_model_while_it_writes(home: Path) -> None:
    left = asyncio.Event()

    async def endless(answering: Answering) -> None:
        await answering.begin()
        try:
            await answering.piece("".join(SAID))
            await answering.piece("It stands on the northern ridge of Mount Orrin [1]. The main telescope has ")
            await answering.piece("a mirror of 2.4 metres [1]. And there is ")
            while True:  # until the client has gone
                await answering.raw(b": still there\n\n")
                await asyncio.sleep(0.02)
        finally:
            left.set()

    async with serving(endless) as (url, _), app_with(home, url).run_test(size=NARROW) as pilot:
        await prepared(pilot)
        await send(pilot, FOUNDED)
        await until(pilot, lambda: SHOWN in wide_text(shown(pilot)))
        await pilot.press("escape")
        await until(pilot, lambda: exchanges(pilot)[-1].ended)
        assert outcome(exchanges(pilot)[-1]).startswith("Stopped.")
        assert SHOWN in wide_text(shown(pilot))
        await asyncio.wait_for(left.wait(), 30)


async def test_an_answer_that_is_stopped_before_it_began_can_be_asked_for_again(home: Path) -> None:
    asked = asyncio.Event()

    async def silent(answering: Answering) -> None:
        asked.set()
        await asyncio.sleep(60)

    async with serving(silent) as (url, _), app_with(home, url).run_test(size=NARROW) as pilot:
        await prepared(pilot)
        await send(pilot, FOUNDED)
        await asyncio.wait_for(asked.wait(), 30)
        await pilot.press("escape")
        await until(pilot, lambda: exchanges(pilot)[-1].ended)
        assert outcome(exchanges(pilot)[-1]) == "Stopped. /retry asks again."


async def test_what_is_told_of_an_answer_stays_in_its_column(home: Path) -> None:
    async with serving(saying(*SAID)) as (url, _), app_with(home, url).run_test(size=NARROW) as pilot:
        await prepared(pilot)
        await ask(pilot, FOUNDED)
        await pilot.press("f4")
        await until(pilot, lambda: "Model " in shown(pilot))
        at = next(number for number, line in enumerate(lines(pilot)) if "Model " in line)
        model, behind = lines(pilot)[at : at + 2]
        assert "written" in behind
        assert len(behind) - len(behind.lstrip("│▌ ")) == model.index("openai:")


async def test_after_a_fall_back_the_model_can_be_asked_again(home: Path) -> None:
    asked = 0

    async def ill_at_first(answering: Answering) -> None:
        nonlocal asked
        asked += 1
        await (failing if asked < 3 else saying(*SAID))(answering)  # the client itself asks twice

    async with serving(ill_at_first) as (url, _), app_with(home, url).run_test(size=NARROW) as pilot:
        await prepared(pilot)
        first = await ask(pilot, FOUNDED)
        assert first.answer is not None
        assert QUOTED in first.answer.text
        assert toasts(pilot).count("quoted from your documents instead") == 1
        assert outcome(first).startswith("Quoted: the language model gave no answer of use.")
        await send(pilot, "/retry")
        await until(pilot, lambda: exchanges(pilot)[-1].ended and exchanges(pilot)[-1].answer is not None)
        await until(pilot, lambda: SHOWN in wide_text(shown(pilot)))
        assert outcome(exchanges(pilot)[-1]) == ""
        await send(pilot, "/other <")
        await until(pilot, lambda: "gave no answer of use" in wide_text(shown(pilot)))


async def test_a_server_that_is_killed_in_the_middle_leaves_what_it_said(home: Path) -> None:
    dying = breaking_off(*SAID, "It stands on ")
    async with serving(dying) as (url, _), app_with(home, url).run_test(size=NARROW) as pilot:
        await prepared(pilot)
        exchange = await ask(pilot, FOUNDED)
        assert exchange.answer is not None
        assert exchange.answer.text == f"{SHOWN} [1]"
        assert "The answer breaks off" in toasts(pilot)


async def test_facts_are_remembered_listed_and_forgotten(home: Path) -> None:
    async with serving(saying(*SAID)) as (url, came), app_with(home, url).run_test(size=NARROW) as pilot:
        await prepared(pilot)
        await send(pilot, "/remember The observatory is the Kestrel one")
        assert "Remembered as number 1" in toasts(pilot)
        await ask(pilot, FOUNDED)
        assert "The observatory is the Kestrel one" in str(came[0].request["messages"])
        await send(pilot, "/memory")
        await until(pilot, lambda: "What is remembered" in shown(pilot))
        assert "the latest 1 turn" in shown(pilot)
        assert "of 600 tokens" in shown(pilot)
        await pilot.press("escape")
        await send(pilot, "/forget kestrel")
        assert "Forgotten: The observatory is the Kestrel one" in toasts(pilot)
        await send(pilot, "/new")
        await send(pilot, "/memory")
        assert "Nothing is remembered" in toasts(pilot)


async def test_the_app_opens_with_a_model_that_cannot_be_had_and_says_why_it_quotes(home: Path) -> None:
    settings = settings_in(home, model__name="openai:scripted-mini", model__key="env:NOT_SET_ANYWHERE")
    app = ChatApp(lambda: bootstrap.open_application(settings, "local"))
    async with app.run_test(size=NARROW) as pilot:
        await prepared(pilot)
        quoted = await ask(pilot, FOUNDED)
        assert quoted.answer is not None
        assert QUOTED in quoted.answer.text
        assert "the variable NOT_SET_ANYWHERE is not set. This answer is quoted" in wide_text(toasts(pilot))
        await send(pilot, "/theme paper")
        await until(pilot, lambda: pilot.app.theme == "paper")
        await send(pilot, "/model openai:another")
        assert "scripted-mini" in lines(pilot)[0], "a model without its key is not taken either"
        await send(pilot, "/model none")
        await until(pilot, lambda: "scripted-mini" not in lines(pilot)[0])


async def test_what_a_providers_model_needs_is_loaded_before_the_first_question(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: queue.Queue[str] = queue.Queue()
    monkeypatch.setattr(remote, "load", loaded.put)
    settings = settings_in(home, model__name="anthropic:scripted-mini")
    async with bootstrap.open_application(settings, "local") as application:
        await application.prepare()
        assert await asyncio.to_thread(loaded.get, timeout=30) == "anthropic"


async def test_a_model_stays_loaded_while_other_settings_change(home: Path) -> None:
    settings = settings_in(home, model__name="openai:scripted-mini", model__url="http://127.0.0.1:9/v1")
    async with bootstrap.open_application(settings, "local") as application:
        model = application.language_model
        application.preferences.for_now(application.account, "model.strict", "true")
        assert application.language_model is model
        application.preferences.for_now(application.account, "model.name", "openai:another")
        assert application.language_model is not model
