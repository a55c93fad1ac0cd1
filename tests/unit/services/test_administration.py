"""What staff do with the accounts of others."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from multidb_chat.bootstrap import Application
from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import Conflict, InvalidInput, NotFound
from multidb_chat.domain.ids import new_id
from multidb_chat.services.accounts import LOCAL_ACCOUNT_ID
from multidb_chat.settings import load_settings

NOW = datetime(2026, 1, 31, tzinfo=UTC)


def an_account(email: str, role: str = "user") -> Account:
    return Account(new_id(), role, "free", NOW, email)  # type: ignore[arg-type]


ADMIN, EVE, BOB = an_account("root@example.org", "admin"), an_account("Eve@example.org"), an_account("bob@example.org")


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[Application]:
    made = Application(load_settings(environ={"MULTIDB_CHAT_HOME": str(tmp_path)}))
    for account in (ADMIN, EVE, BOB):
        await made.accounts.create_account(account)
    await made.account_service.local_account()
    await made.account_service.guest()
    yield made
    await made.close()


async def test_people_are_found_by_address_id_and_its_end(app: Application) -> None:
    people = app.administration
    for reference in (EVE.id, "eve@EXAMPLE.org", EVE.id[-6:]):
        assert await people.find(ADMIN, reference) == EVE
    for wrong in ("", "eve", EVE.id[-5:], "nobody@example.org", "%"):
        with pytest.raises(NotFound):
            await people.find(ADMIN, wrong)
    twin = replace(BOB, id="01a21534-0000-7000-8000-" + EVE.id[-12:], email="twin@example.org")
    await app.accounts.create_account(twin)
    with pytest.raises(Conflict, match="2 accounts"):
        await people.find(ADMIN, EVE.id[-6:])


async def test_guests_are_listed_only_where_they_are_asked_for(app: Application) -> None:
    people = app.administration
    assert [one.email for one in await people.people(ADMIN)] == [None, BOB.email, EVE.email, ADMIN.email]
    assert [one.role for one in await people.people(ADMIN, role="guest")] == ["guest"]
    await people.disable(ADMIN, EVE.id)
    assert [one.email for one in await people.people(ADMIN, disabled=True)] == [EVE.email]
    assert [one.email for one in await people.people(ADMIN, words="BOB")] == [BOB.email]


async def test_the_local_account_and_ones_own_cannot_be_taken_anything_from(app: Application) -> None:
    people = app.administration
    for account_id, said in ((LOCAL_ACCOUNT_ID, "local account"), (ADMIN.id, "your own account")):
        for call in (people.disable, people.delete):
            with pytest.raises(InvalidInput, match=said):
                await call(ADMIN, account_id)
        with pytest.raises(InvalidInput, match=said):
            await people.change_role(ADMIN, account_id, "user")
    with pytest.raises(InvalidInput, match="cannot be erased alone"):
        await app.erasure.erase_for(ADMIN, LOCAL_ACCOUNT_ID)
    with pytest.raises(NotFound):
        await app.erasure.erase_for(ADMIN, "nobody")


async def test_a_guest_gets_no_role_and_nobody_becomes_one(app: Application) -> None:
    (guest,) = await app.administration.people(ADMIN, role="guest")
    for account, role in ((guest, "admin"), (EVE, "guest")):
        with pytest.raises(InvalidInput):
            await app.administration.change_role(ADMIN, account.id, role)  # type: ignore[arg-type]


async def test_changes_at_the_same_time_are_all_made(app: Application) -> None:
    people = app.administration
    await asyncio.gather(
        people.disable(ADMIN, EVE.id), people.change_role(ADMIN, EVE.id, "support"), people.disable(ADMIN, EVE.id)
    )
    now = await app.accounts.account(EVE.id)
    assert now is not None
    assert now.disabled_at is not None
    assert now.role == "support"
    actions = sorted(entry.action for entry in await app.audit.entries(ADMIN))
    assert actions == ["account.disable", "account.disable", "account.role"]


async def test_an_account_that_is_being_erased_does_not_come_back(app: Application) -> None:
    await app.accounts.update_account(replace(EVE, erased_at=NOW, disabled_at=NOW))
    with pytest.raises(InvalidInput, match="being erased"):
        await app.administration.enable(ADMIN, EVE.id)


async def test_a_deleted_account_is_gone_from_every_store(app: Application) -> None:
    await app.history.start(EVE, "Tides")
    gone = await app.administration.delete(ADMIN, EVE.id)
    assert (gone.conversations, gone.documents, gone.tasks) == (1, 0, 0)
    assert await app.accounts.account(EVE.id) is None
    (entry,) = await app.audit.entries(ADMIN)
    assert (entry.action, entry.actor, entry.target) == ("account.erase", ADMIN.pseudonym, EVE.pseudonym)


async def test_a_plan_is_given_and_recorded(app: Application) -> None:
    until = datetime(2099, 1, 1, tzinfo=UTC)
    given = await app.administration.give_plan(ADMIN, "eve@example.org", "pro", until)
    assert (given.plan, given.ends_at) == ("pro", until)
    assert (await app.plans.usage_for(ADMIN, EVE.id)).plan == "pro"
    (entry,) = await app.audit.entries(ADMIN)
    assert dict(entry.details) == {"plan": "pro", "until": "2098-12-31"}


async def test_once_there_is_an_administrator_no_first_one_can_be_made(app: Application) -> None:
    with pytest.raises(Conflict, match="users create"):
        await app.administration.require_new()
    await app.accounts.delete_account(ADMIN.id)
    await app.administration.require_new()
