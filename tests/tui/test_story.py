"""The whole story in a real terminal: from a guest's first question to the conversation that is there again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.terminal import Terminal

ADDRESS, PASSWORD = "ada@example.org", "nine kestrels over barley"
OWN = "# Lighthouse log\n\n## Storms\n\nThe great storm of 1974 broke the lantern of the Fennel lighthouse.\n"
ESCAPE, F3, F5, F9 = "\x1b", "\x1bOR", "\x1b[15~", "\x1b[20~"
COMPOSER = "Ask about your documents"
GUEST_QUESTION, GUEST_ANSWER = "Who founded the Kestrel observatory?", "by Ada Lindqvist"
QUESTION, ANSWER = "What broke the lantern of the Fennel lighthouse?", "The great storm of 1974 broke the lantern"


@pytest.fixture(params=[(80, 24), (200, 50)], ids=["80x24", "200x50"])
def terminal(request: pytest.FixtureRequest, home: Path) -> Iterator[Terminal]:
    columns, rows = request.param
    # A password is hashed three times here; how long that takes is nobody's concern in this test.
    started = Terminal(home, columns, rows, MULTIDB_CHAT_LOGIN_PASSWORD_COST="4")
    yield started
    assert started.leave() == 0


def ask(terminal: Terminal, question: str, *answer: str) -> None:
    terminal.wait(COMPOSER)
    terminal.press(f"{question}\r")
    terminal.wait(COMPOSER, question, *answer)


def come_in(terminal: Terminal, *labels: str) -> None:
    """Fill in the form and wait until the account's name is on the chat."""
    for label in labels:
        terminal.fill(label, ADDRESS if "address" in label else PASSWORD)
    terminal.wait(f"multidb-chat · {ADDRESS}", COMPOSER, without="Enter goes on")


def test_from_the_first_question_to_the_conversation_that_is_there_again(terminal: Terminal, tmp_path: Path) -> None:
    log = tmp_path / "lighthouse.md"
    log.write_text(OWN, encoding="utf-8")

    terminal.wait("what everybody here may see")
    terminal.press("g")
    terminal.wait("multidb-chat · guest")
    ask(terminal, GUEST_QUESTION, GUEST_ANSWER, "[1] ")

    terminal.press("/register\r")
    come_in(terminal, "E-mail address", "Password, 8", "once more")
    terminal.wait(GUEST_ANSWER)  # the guest's conversation stays

    terminal.press(f"/add {log}\r")
    terminal.wait("Enter adds", "lighthouse.md")
    terminal.press("\r")
    terminal.wait(COMPOSER, without="Enter adds")
    terminal.press(F3)
    terminal.wait("Documents · ", "Lighthouse log")
    terminal.press(ESCAPE)

    ask(terminal, QUESTION, f"{ANSWER} of the Fennel lighthouse. [1]", "[1] Lighthouse log")
    terminal.press("/rate + as it was\r")
    terminal.wait("You found this answer good.", "as it was")

    terminal.press("/research the Fennel lighthouse\r")
    terminal.wait("1 unread")
    terminal.press(F9)
    terminal.wait("Inbox · 1, 1 unread", "research: the Fennel")
    terminal.press("\r")
    terminal.wait("Research: the Fennel lighthouse", "The great storm of 1974")
    terminal.press(ESCAPE)
    terminal.wait("Inbox · 1", without="unread")
    terminal.press(ESCAPE)
    terminal.wait(COMPOSER, ANSWER)

    terminal.press("/logout\r")
    terminal.wait("what everybody here may see", without=ANSWER)
    terminal.press("l")
    come_in(terminal, "E-mail address", "Password")

    terminal.press(F5)
    terminal.wait("Conversations · 1", GUEST_QUESTION[:20])
    terminal.press("\r")
    terminal.wait(COMPOSER, ANSWER, "You found this answer good.", "as it was")
    ask(terminal, GUEST_QUESTION, GUEST_ANSWER)  # and it goes on
