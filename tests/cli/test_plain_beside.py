"""What is done beside the chat line by line: it goes on while a line is waited for, and keeps nobody from leaving."""

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from tests.adapters.language_models.faulty_server import Answering
from tests.adapters.language_models.serving import saying, served
from tests.cli.conftest import CHURN, Program
from tests.cli.test_plain import talk

pytest.importorskip("pydantic_ai", reason="the extra models is not installed")
pexpect = pytest.importorskip("pexpect", reason="pexpect is not installed")
SAID = saying("Churn fell to 4.2 percent in 2019 [1].")
SUMMARY = "The user asked about churn in 2019, again and again."


def is_to_sum_up(answering: Answering) -> bool:
    return "You keep the notes" in json.dumps(answering.request)


async def summing_up(answering: Answering) -> None:
    """Answer, and sum up when the prompt has long been there."""
    if is_to_sum_up(answering):
        await asyncio.sleep(1)
        await saying(SUMMARY)(answering)
    else:
        await SAID(answering)


async def never_done(answering: Answering) -> None:
    """Answer, and begin a summary that goes on until nobody reads it."""
    if not is_to_sum_up(answering):
        await SAID(answering)
        return
    await answering.begin()
    while True:
        await answering.piece("The user ")
        await asyncio.sleep(0.1)


def until_due(program: Program, url: str, came: list[Answering]) -> Any:
    """Ask in a terminal until the model is asked for a summary, and wait for the prompt."""
    program("config", "set", "model.memory_tokens", "100")
    program("models", "use", "openai:scripted", "--url", url)
    child = talk(program, "--plain")
    child.expect_exact("> ")
    for _ in range(8):
        child.sendline(CHURN)
        child.expect_exact("2019. [1]")
        child.expect_exact("\r\n> ")
        if any(map(is_to_sum_up, came)):
            break
    comes(lambda: any(map(is_to_sum_up, came)))
    return child


def comes(true: Callable[[], object]) -> None:
    """Wait for something that happens beside the prompt."""
    for _ in range(600):
        if true():
            return
        time.sleep(0.1)
    pytest.fail("it never came")


def summaries(program: Program) -> list[str]:
    (file,) = program.home.rglob("conversations.sqlite")
    with closing(sqlite3.connect(file)) as store:
        return [
            json.loads(meta)["summary"] for (meta,) in store.execute("SELECT meta FROM messages WHERE role = 'notice'")
        ]


def test_a_conversation_is_summed_up_while_nobody_types(program: Program) -> None:
    with served(summing_up) as (url, came):
        child = until_due(program, url, came)
        comes(lambda: summaries(program))
        assert summaries(program) == [SUMMARY]
        child.sendline("/memory")
        child.expect_exact(f"Summary: {SUMMARY}")
        child.sendline("/quit")
        child.expect(pexpect.EOF)
        child.close()
    assert child.exitstatus == 0


@pytest.mark.parametrize("way", ["end of input", "another question, and /quit"])
def test_a_summary_that_takes_long_keeps_nobody_waiting(program: Program, way: str) -> None:
    with served(never_done) as (url, came):
        child = until_due(program, url, came)
        if way != "end of input":
            child.sendline(CHURN)
            child.expect_exact("2019. [1]", timeout=30)
            child.expect_exact("> ")
        child.sendeof() if way == "end of input" else child.sendline("/quit")
        child.expect(pexpect.EOF, timeout=30)  # half of what a summary may take
        child.close()
    assert child.exitstatus == 0
    assert summaries(program) == []


def test_ctrl_c_while_a_summary_is_written_drops_the_line_alone(program: Program) -> None:
    with served(never_done) as (url, came):
        child = until_due(program, url, came)
        for _ in range(10):  # an interrupt throws away what is not read yet, and the editor waits for another key then
            child.send("half a question")
            time.sleep(0.5)  # it is read
            child.sendintr()
            if child.expect_exact(["\r\n> ", pexpect.TIMEOUT], timeout=10) == 0:
                break
        else:
            pytest.fail(f"no prompt came after an interrupt; there is: {child.before!r}")
        child.sendline("/why")
        child.expect_exact(f"Asked: {CHURN}")
        child.sendline("/quit")
        child.expect(pexpect.EOF, timeout=30)
        child.close()
    assert child.exitstatus == 0
