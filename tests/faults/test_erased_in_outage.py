"""An account is erased while the conversations are away: nothing of it is left, and nothing comes back."""

from dataclasses import replace
from pathlib import Path

import pytest

from multidb_chat.adapters.sqlite.accounts import SqliteAccounts
from multidb_chat.adapters.sqlite.cache import SqliteCache
from multidb_chat.adapters.sqlite.library import SqliteLibrary
from multidb_chat.adapters.sqlite.tasks import SqliteTasks
from multidb_chat.domain.conversations import Conversation, Feedback
from multidb_chat.domain.errors import NotFound, StoreUnavailable
from multidb_chat.services.drafts import Drafts
from multidb_chat.services.erasure import Erasure
from multidb_chat.services.ingesting.sources import Given
from multidb_chat.services.resilience.spool import Spool
from tests.contracts.accounts_processes import ADA
from tests.contracts.conversations_processes import NOW, TALK, a_message
from tests.unit.services.recording import Recorder
from tests.unit.services.resilience.outages import a_house
from tests.unit.services.resilience.test_spool import Library as Uploads


async def test_nothing_is_left_and_nothing_comes_back(tmp_path: Path):
    ada = replace(ADA, role="user", plan="free", disabled_at=None)
    accounts, tasks = SqliteAccounts(tmp_path / "accounts.db"), SqliteTasks(tmp_path / "accounts.db")
    library, cache = SqliteLibrary(tmp_path / "library.db"), SqliteCache(tmp_path / "cache.db")
    uploads = Uploads()
    spool = Spool(tmp_path / "spool", 1_000, uploads.find, uploads.add)
    await accounts.create_account(ada)
    async with a_house(tmp_path) as house, a_house(tmp_path, house.switch) as other:
        talk = replace(TALK, account_id=ada.id)
        said = [replace(a_message(f"00{n}"), account_id=ada.id, body="Secret words.") for n in range(4)]
        await house.conversations.put_conversation(talk)
        await house.conversations.append(said[0])
        house.switch.away = True
        await house.conversations.append(said[1])
        await other.conversations.put_conversation(Conversation("c2", ada.id, "Secret words.", NOW))
        await house.conversations.put_feedback(Feedback("f", ada.id, 1, "Secret words.", NOW, "c1", "000"))
        await spool.keep(ada, "documents", None, [Given("notes", b"Secret words.")])
        erasure = Erasure(
            accounts, tasks, house.conversations, library, cache,
            drafts=Drafts(tmp_path / "drafts"), uploads=spool, derived=list, audit=Recorder,
        )  # fmt: skip
        with pytest.raises(StoreUnavailable):
            await erasure.erase(ada)
        assert await house.waiting() == 0
        assert (await spool.backlog()).waiting == 0
        with pytest.raises(NotFound):
            await other.conversations.append(said[2])
        house.switch.away = False
        assert await house.replayer.drain()
        assert await erasure.complete() == 1
        assert await other.replayer.drain()
        with pytest.raises(NotFound):
            await other.conversations.append(said[3])
        assert await accounts.account(ada.id) is None
        for conversation in ("c1", "c2"):
            assert await house.behind.conversation(conversation) is None
            assert await house.behind.messages(conversation) == []
        assert await house.behind.feedback(ada.id) == []
    for store in (tasks, accounts, library, cache):
        await store.close()
    assert uploads.added == []
    for file in tmp_path.rglob("*"):
        assert file.is_dir() or b"Secret words." not in file.read_bytes(), file
