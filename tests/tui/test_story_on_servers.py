"""The same story with everything on the four servers; and then with each of them stopped."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.installation import on_servers, without
from tests.servers import needs
from tests.tui.home import TEXTS, furnish
from tests.tui.story import ADDRESS, ANSWER, COMPOSER, F5, GUEST_ANSWER, GUEST_QUESTION, ask, find_again, live_through
from tests.tui.terminal import Terminal

# A whole program in a terminal, whose notices go by after some seconds: beside few others, they are read before.
pytestmark = [pytest.mark.watching, needs("redis"), needs("postgres"), needs("scylla"), needs("mongodb")]
QUICKLY = {"MULTIDB_CHAT_LOGIN_PASSWORD_COST": "4"}


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, str]]:
    with on_servers() as environment:
        yield environment


@pytest.fixture(scope="module")
def lived(servers: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home on the servers in which the story has happened, with somebody logged in."""
    home = tmp_path_factory.mktemp("servers") / "home"
    asyncio.run(furnish(home, [TEXTS], servers))
    terminal = Terminal(home, 200, 50, **servers, **QUICKLY)
    live_through(terminal, tmp_path_factory.mktemp("own"))
    assert terminal.leave() == 0
    return home


def test_the_story_is_the_same_on_the_servers(lived: Path, servers: dict[str, str]) -> None:
    terminal = Terminal(lived, 80, 24, **servers, **QUICKLY)
    terminal.wait(f"multidb-chat · {ADDRESS}", COMPOSER)
    find_again(terminal)
    assert terminal.leave() == 0


def test_without_redis_everything_goes_on(lived: Path, servers: dict[str, str]) -> None:
    terminal = Terminal(lived, 200, 50, **without(servers, "cache"), **QUICKLY)
    terminal.wait(f"multidb-chat · {ADDRESS}", COMPOSER)
    find_again(terminal)
    ask(terminal, "Which storm broke the lantern?", ANSWER)
    assert terminal.leave() == 0


def test_without_scylla_one_goes_on_asking_and_what_was_said_is_there_later(
    lived: Path, servers: dict[str, str]
) -> None:
    terminal = Terminal(lived, 200, 50, **without(servers, "conversations"), **QUICKLY)
    terminal.wait(f"multidb-chat · {ADDRESS}", COMPOSER)
    ask(terminal, GUEST_QUESTION, GUEST_ANSWER, "History delayed")
    assert terminal.leave() == 0
    healed = Terminal(lived, 200, 50, **servers, **QUICKLY)
    healed.wait(f"multidb-chat · {ADDRESS}", COMPOSER)
    healed.press(F5)
    healed.wait("Conversations · 2")
    assert healed.leave() == 0


def test_without_mongodb_nothing_is_invented(lived: Path, servers: dict[str, str]) -> None:
    terminal = Terminal(lived, 200, 50, **without(servers, "library"), **QUICKLY)
    terminal.wait(f"multidb-chat · {ADDRESS}", COMPOSER)
    ask(terminal, "What did Ada Lindqvist found in Kestrel?", "MongoDB at")
    assert GUEST_ANSWER not in terminal.text
    assert terminal.leave() == 0


def test_without_postgresql_old_talk_is_read_and_no_question_gets_past_the_quota(
    lived: Path, servers: dict[str, str]
) -> None:
    terminal = Terminal(lived, 200, 50, **without(servers, "accounts"), **QUICKLY)
    terminal.wait(COMPOSER)
    terminal.press(f"{GUEST_QUESTION}\r")
    terminal.wait("accounts")
    assert GUEST_ANSWER not in terminal.text
    assert terminal.leave() == 0
