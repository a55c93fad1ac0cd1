"""`admin journal`: what a store on a server refused, while that store is away."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from multidb_chat.adapters.sqlite.journal import SqliteJournal
from multidb_chat.domain.conversations import Message
from multidb_chat.services.accounts import utc_now
from multidb_chat.services.resilience.talk_entries import of_messages
from tests.cli.admin.conftest import data, done, told
from tests.cli.conftest import Program

# Nobody listens there.
AWAY = {"MULTIDB_CHAT_STORES_CONVERSATIONS": "scylla://127.0.0.1:1/talk?datacenter=dc1&replication_factor=1"}
REASON = "The conversation 'c2' is not the account's."


async def refuse_two(path: Path) -> None:
    journal = SqliteJournal(path)
    for lane in ("c1", "c2"):
        said = Message(f"{lane}-1", lane, "somebody", "user", "Secret.", utc_now())
        await journal.add(of_messages([said], utc_now()))
    await journal.refuse({1: "It waited for more than 5 days.", 2: REASON})
    await journal.close()


@pytest.fixture
def waiting(root: Program) -> Program:
    """An installation whose conversations are on a server that is away, with two entries that it had refused."""
    asyncio.run(refuse_two(root.home / "data" / "journal.sqlite"))
    return replace(root, environment=root.environment | AWAY)


def test_what_was_refused_is_listed_tried_again_and_removed(waiting: Program) -> None:
    shown = done(waiting, "admin", "journal", "list")
    assert (shown.count("\n"), REASON in shown, "Secret" in shown) == (2, True, False)
    first, second = data(waiting, "admin", "journal", "list")["refused"]
    assert (first["id"], second["id"], second["reason"]) == ("1", "2", REASON)
    assert (second["store"], second["kind"], second["account_id"]) == ("conversations", "messages", "somebody")
    assert done(waiting, "admin", "journal", "retry", "2") == "tried 1, refused again 0\n"
    assert [one["id"] for one in data(waiting, "admin", "journal", "list")["refused"]] == ["1"]
    assert told(waiting, "admin", "journal", "drop", "--all").returncode == 4
    assert data(waiting, "admin", "journal", "drop", "--all", "--yes")["dropped"] == [first]
    empty = told(waiting, "admin", "journal", "list")
    assert (empty.stdout, empty.stderr) == ("", "Nothing was refused.\n")
    actions = [one["action"] for one in data(waiting, "admin", "audit", "list")["entries"]]
    assert {"journal.retry", "journal.drop"} <= set(actions)


def test_what_is_wrongly_called_changes_nothing(waiting: Program) -> None:
    assert told(waiting, "admin", "journal", "drop", "--yes").returncode == 2
    assert told(waiting, "admin", "journal", "retry", "1", "--all").returncode == 2
    assert told(waiting, "admin", "journal", "retry", "17").returncode == 6
    assert len(data(waiting, "admin", "journal", "list")["refused"]) == 2


def test_users_see_nothing_of_it(waiting: Program, eve: Program) -> None:
    assert told(replace(eve, environment=waiting.environment), "admin", "journal", "list").returncode == 4
