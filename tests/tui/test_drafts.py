"""What was being typed when the program ended: it is there again, for whoever typed it alone."""

import os
import signal
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import StoreUnavailable
from multidb_chat.services.drafts import MOST_CHARACTERS, Drafts
from tests.tui.driving import NARROW, app_in, area, ask, send, toasts, until
from tests.tui.test_terminal import pexpect, start

ADA = Account("ada", "user", "free", datetime(2026, 1, 1, tzinfo=UTC))
BOB = replace(ADA, id="bob")
GUEST = replace(ADA, id="g1", role="guest")


async def test_each_account_has_its_own_draft_and_guests_share_one(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path / "drafts")
    assert await drafts.recall(ADA) == ""
    await drafts.keep(ADA, "first\nline \ud800")
    await drafts.keep(ADA, "second")
    await drafts.keep(GUEST, "a guest's")
    assert await drafts.recall(ADA) == "second"
    assert await drafts.recall(BOB) == ""
    assert await drafts.recall(replace(GUEST, id="g2")) == "a guest's"
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "drafts").iterdir()} == {0o600}
    assert (tmp_path / "drafts").stat().st_mode & 0o777 == 0o700
    await drafts.keep(ADA, "  \n")
    await drafts.forget(GUEST)
    await drafts.forget(BOB)
    assert list((tmp_path / "drafts").iterdir()) == []
    await drafts.keep(ADA, "x" * (MOST_CHARACTERS + 1))
    assert len(await drafts.recall(ADA)) == MOST_CHARACTERS


async def test_a_folder_that_cannot_be_made_is_an_error_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "drafts").write_text("a file in its place")
    drafts = Drafts(tmp_path / "drafts")
    for refused in (drafts.keep(ADA, "x"), drafts.recall(ADA), drafts.forget(ADA)):
        with pytest.raises(StoreUnavailable):
            await refused


async def test_what_was_sent_is_no_draft_any_more_and_a_guest_leaves_none_behind(home: Path) -> None:
    draft = home / "data" / "drafts" / "guest.txt"
    async with app_in(home).run_test(size=NARROW) as pilot:
        await pilot.press(*"half a thought")
        await until(pilot, lambda: draft.exists() and draft.read_text() == "half a thought")
        await ask(pilot, "Who founded the Kestrel observatory?")
        await until(pilot, lambda: not draft.exists())
        await pilot.press(*"more")
        await until(pilot, draft.exists)
    assert not draft.exists()


async def test_a_draft_comes_back_unless_something_was_typed_already(home: Path) -> None:
    draft = home / "data" / "drafts" / "guest.txt"
    draft.parent.mkdir()
    draft.write_text("two\nlines")
    async with app_in(home).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: area(pilot).text == "two\nlines")
        assert "is back" in toasts(pilot)
    draft.write_text("old")
    async with app_in(home).run_test(size=NARROW) as pilot:
        await pilot.press("n")
        await until(pilot, lambda: draft.read_text() == "n")
        assert area(pilot).text == "n"


async def test_a_draft_that_cannot_be_kept_disturbs_nobody(home: Path) -> None:
    (home / "data" / "drafts").write_text("a file in its place")
    async with app_in(home).run_test(size=NARROW) as pilot:
        await pilot.press(*"still typing")
        assert area(pilot).text == "still typing"
        await send(pilot, "/theme paper")
        assert pilot.app.theme == "paper"
    assert pilot.app.failure is None


def test_a_draft_survives_a_program_that_is_killed(home: Path) -> None:
    draft = home / "data" / "drafts" / "guest.txt"
    child = start(home)
    child.expect_exact(b"what everybody here may see")  # nobody used the program here before
    child.send("g")
    child.expect_exact(b"Ask your documents")
    child.send("what did the keeper")
    end = time.monotonic() + 30
    while not (draft.exists() and draft.read_text() == "what did the keeper"):
        assert time.monotonic() < end
        time.sleep(0.05)
    os.kill(child.pid, signal.SIGKILL)
    child.expect(pexpect.EOF)
    child.close()
    again = start(home)
    again.expect_exact(b"what did the keeper")
    again.close(force=True)
