"""Installations of which some stores are on servers: what is told of those, copied of the others, and put back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from multidb_chat.bootstrap import Application
from multidb_chat.domain.accounts import Account
from multidb_chat.domain.conversations import Conversation
from multidb_chat.domain.errors import InvalidInput, StoreUnavailable
from multidb_chat.domain.ids import new_id
from multidb_chat.services.installation import archive
from multidb_chat.settings import load_settings
from tests.adapters.postgres.opening import own_schema
from tests.servers import needs

MADE = datetime(2026, 1, 31, tzinfo=UTC)
ADMIN = Account(new_id(), "admin", "free", MADE, "root@example.org")
TALK = {"MULTIDB_CHAT_STORES_CONVERSATIONS": "scylla://ada:pa55@talk.example.org/chat?datacenter=one"}
# Nobody listens there.
AWAY = {
    "MULTIDB_CHAT_STORES_CONVERSATIONS": "scylla://127.0.0.1:1/chat?datacenter=one",
    "MULTIDB_CHAT_STORES_LIBRARY": "mongodb://127.0.0.1:1/chat",
}
PEOPLE = {"MULTIDB_CHAT_STORES_ACCOUNTS": "postgresql://ada:pa55@people.example.org/chat"}


@asynccontextmanager
async def installation(home: Path, **environ: str) -> AsyncIterator[Application]:
    """An installation with an administrator, opened; with these settings besides."""
    embedded = Application(load_settings(environ={"MULTIDB_CHAT_HOME": str(home)}))
    await embedded.open("local")
    if await embedded.accounts.account(ADMIN.id) is None:
        await embedded.accounts.create_account(ADMIN)
    await embedded.close()
    app = Application(load_settings(environ={"MULTIDB_CHAT_HOME": str(home), **environ}))
    yield app
    await app.close()


async def test_embedded_stores_are_backed_up_and_those_on_servers_named(tmp_path: Path) -> None:
    async with installation(tmp_path / "home", **TALK) as app:
        made = await app.backups.create(ADMIN, tmp_path / "backup.zip")
        assert made.elsewhere == ("conversations",)
        assert [copy.name for copy in made.copies if copy.name.endswith(".sqlite")] == [
            "journal.sqlite",
            "library.sqlite",
            "accounts.sqlite",
        ]
        assert archive.read(tmp_path / "backup.zip") == made
        prepared = await app.restoring.prepare(ADMIN, tmp_path / "backup.zip")
        assert (prepared.folder / "accounts.sqlite").exists()
        assert not (prepared.folder / "conversations.sqlite").exists()
        prepared.discard()


async def test_what_waits_for_servers_is_in_the_backup_and_waits_again_where_it_is_put_back(tmp_path: Path) -> None:
    paper = tmp_path / "tides.md"
    paper.write_text("# Tides")
    async with installation(tmp_path / "home", **AWAY) as app:
        talk = Conversation(new_id(), ADMIN.id, "Tides", MADE)
        await app.conversations.put_conversation(talk)
        await app.spool.keep(ADMIN, "papers", None, [paper])
        waiting = await app.journal.waiting("conversations")
        made = await app.backups.create(ADMIN, tmp_path / "backup.zip")
        assert {"journal.sqlite", "spool.tar"} <= {copy.name for copy in made.copies}
    async with installation(tmp_path / "new home", **AWAY) as app:
        prepared = await app.restoring.prepare(ADMIN, tmp_path / "backup.zip")
        await app.close()
        await app.restoring.commit(prepared)
    async with installation(tmp_path / "new home", **AWAY) as app:
        assert [one.lane for one in waiting] == [talk.id]
        assert await app.journal.waiting("conversations") == waiting
        assert await app.conversations.conversation(talk.id) == talk
        (upload,) = (path for path in (tmp_path / "new home" / "data" / "spool").iterdir() if path.is_dir())
        assert upload.stat().st_mode & 0o777 == 0o700
        assert (upload / "0").read_text() == "# Tides"
        assert (await app.spool.backlog()).waiting == 1
        with pytest.raises(StoreUnavailable, match="2 things wait here"):
            await app.restoring.prepare(ADMIN, tmp_path / "backup.zip")


async def test_a_backup_is_put_back_only_where_the_same_stores_are_embedded(tmp_path: Path) -> None:
    async with installation(tmp_path / "home") as app:
        await app.backups.create(ADMIN, tmp_path / "all.zip")
    async with installation(tmp_path / "home", **TALK) as app:
        await app.backups.create(ADMIN, tmp_path / "some.zip")
        with pytest.raises(InvalidInput, match=r"which is on scylla://ada:\*\*\*@talk"):
            await app.restoring.prepare(ADMIN, tmp_path / "all.zip")
    async with installation(tmp_path / "home") as app:
        with pytest.raises(InvalidInput, match="was on a server when the backup was made"):
            await app.restoring.prepare(ADMIN, tmp_path / "some.zip")


async def test_what_looks_after_the_stores_is_chosen_for_each_of_them(tmp_path: Path) -> None:
    async with installation(tmp_path / "home", **TALK, **PEOPLE) as app:
        seen = {upkeep.store: upkeep for upkeep in app.upkeep}
        assert [store for store, upkeep in seen.items() if upkeep.on_server] == ["conversations", "accounts"]
        with pytest.raises(StoreUnavailable) as caught:
            await seen["conversations"].report()
        assert "talk.example.org" in str(caught.value)
        assert "pa55" not in str(caught.value)
        assert (await seen["library"].report()).place.endswith("library.sqlite")


@needs("postgres")
async def test_with_accounts_on_a_server_nothing_comes_back_of_those_that_were_erased(tmp_path: Path) -> None:
    eve = Account(new_id(), "user", "free", datetime(2026, 1, 31, tzinfo=UTC), "eve@example.org")
    with own_schema() as url:
        settings = load_settings(
            environ={"MULTIDB_CHAT_HOME": str(tmp_path / "home"), "MULTIDB_CHAT_STORES_ACCOUNTS": url}
        )
        app = Application(settings)
        await app.open("local")
        for account in (ADMIN, eve):
            await app.accounts.create_account(account)
        hers, his = await app.history.start(eve, "Tides"), await app.history.start(ADMIN, "Winds")
        shelf = await app.documents.ensure_collection(eve, "papers")
        made = await app.backups.create(ADMIN, tmp_path / "backup.zip")
        assert made.elsewhere == ("accounts",)
        await app.erasure.erase_for(ADMIN, eve.id)
        prepared = await app.restoring.prepare(ADMIN, tmp_path / "backup.zip")
        await app.close()
        await app.restoring.commit(prepared)
        again = Application(settings)
        await again.open("local")
        assert await again.conversations.conversation(hers.id) is None
        assert await again.conversations.conversation(his.id) == his
        assert await again.library.collection(shelf.id) is None
        (entry, *_) = await again.audit.entries(ADMIN)
        assert (entry.action, entry.details["erased_again"]) == ("backup.restore", "1")
        assert (await again.audit.verify(ADMIN)).sound
        await again.close()
