"""An account's data as a file: complete, nobody else's, written bit by bit, there whole or not at all."""

import json
import stat
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from multidb_chat.adapters.security.anchor_file import AnchorFile
from multidb_chat.adapters.security.key_file import KeyFile
from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import InvalidInput, NotPermitted, StoreUnavailable
from multidb_chat.services.account_export import AccountExport
from multidb_chat.services.audit import AuditLog
from multidb_chat.services.drafts import Drafts
from tests.contracts.library import a_content
from tests.unit.services.houses import NOW, Stores, furnish, somebody

ADA, BOB, GUEST = somebody("ada"), somebody("bob"), somebody("gus", "guest")


class House(Stores):
    """The service on the stores of one folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.target = folder / "export.zip"
        anchor = AnchorFile(folder / "audit.head")
        self.drafts = Drafts(folder / "drafts")
        self.audit = AuditLog(self.accounts, KeyFile(folder / "keys.json"), anchor, clock=lambda: self.now)

    def export(self, **stores: Any) -> AccountExport:
        named = ("accounts", "tasks", "conversations", "library")
        parts = (stores.get(name, getattr(self, name)) for name in named)
        return AccountExport(*parts, drafts=self.drafts, audit=lambda: self.audit, clock=lambda: self.now)

    async def written(self, account: Account) -> dict[str, str]:
        await self.export().write(account, self.target)
        with zipfile.ZipFile(self.target) as archive:
            assert archive.testzip() is None
            return {name: archive.read(name).decode() for name in archive.namelist()}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    house = House(tmp_path)
    for account in (ADA, BOB, GUEST):
        await furnish(house, account)
    yield house
    await house.close()


async def test_everything_of_the_account_comes_back_out_of_the_file(house: House):
    await house.audit.record(ADA, "session.begin", "terminal")
    files = await house.written(ADA)
    parsed = {name: json.loads(text) for name, text in files.items() if name.endswith(".json")}
    account, subscription, session = parsed["profile.json"]
    assert (account["id"], account["email"], subscription["plan"]) == (ADA.id, "ada@example.org", "pro")
    assert session["expires_at"] == "2026-01-31T23:00:00+00:00"
    assert not {"password_hash", "refresh_hash", "previous_refresh_hash"} & {*account, *session}
    assert parsed["usage.json"][0] == {"month": "2026-01-01", "resource": "messages", "used": 3}
    assert [task["payload"] for task in parsed["tasks.json"]] == [{"topic": ADA.id}]
    assert {one["comment"] for one in parsed["feedback.json"]} == {f"{ADA.id} likes it", f"{ADA.id} says hello"}
    assert [entry["action"] for entry in parsed["audit.json"]] == ["account.export", "session.begin"]
    talks = {name: one for name, one in parsed.items() if name.startswith("conversations/")}
    assert {one["id"] for one in talks.values()} == {f"talk {number} {ADA.id}" for number in range(3)}
    for name, talk in talks.items():
        assert [message["body"] for message in talk["messages"]] == [f"{ADA.id} says {part}" for part in range(4)]
        assert f"> **{ADA.id} says 3**" in files[name.replace(".json", ".md")]
    assert {one["name"] for one in parsed["documents.json"]} == {f"{ADA.id} {number}" for number in range(3)}
    for document in parsed["documents.json"]:
        assert files[document["files"]["text"]] == f"Words of {ADA.id}."
    assert "| conversations | 3 | `conversations/` |" in files["README.md"]


async def test_what_was_typed_and_not_sent_is_in_it(house: House):
    await house.drafts.keep(ADA, "How low was\nchurn in")
    files = await house.written(ADA)
    assert json.loads(files["drafts.json"]) == [{"text": "How low was\nchurn in"}]
    assert "| drafts | 1 | `drafts.json` |" in files["README.md"]


async def test_nothing_of_anybody_else_is_in_it(house: House):
    await house.drafts.keep(BOB, f"{BOB.id} is writing")
    await house.library.update_collection(
        replace((await house.library.collections(BOB.id))[0], shared=True)
    )  # fmt: skip
    text = "".join([*(await house.written(ADA)).values()])
    assert BOB.id not in text
    assert GUEST.id not in text
    assert BOB.email is not None
    assert BOB.email not in text


async def test_originals_are_in_it_and_hostile_names_stay_inside(house: House):
    collection = (await house.library.collections(ADA.id))[0]
    names = ["../../etc/passwd", "a\x00b\n\x1b[31m", "/", "..", "ünï 東京.pdf", "x" * 500]
    contents = [
        a_content(name, "Text.", collection=collection.id, source=name, original=b"\x00\xff bytes") for name in names
    ]
    await house.library.put_documents(contents)
    await house.export().write(ADA, house.target)
    with zipfile.ZipFile(house.target) as archive:
        originals = [name for name in archive.namelist() if name.startswith("originals/")]
        assert len(originals) == len(names) == len(set(originals))
        for name in archive.namelist():
            assert ".." not in Path(name).parts
            assert name.isprintable()
            assert not name.startswith("/")
        assert {archive.read(name) for name in originals} == {b"\x00\xff bytes"}
        assert {one["name"] for one in json.loads(archive.read("documents.json"))} >= set(names)


async def test_only_its_owner_can_read_the_file_and_none_is_replaced(house: House):
    await house.export().write(ADA, house.target)
    assert stat.S_IMODE(house.target.stat().st_mode) == 0o600
    before = house.target.read_bytes()
    with pytest.raises(InvalidInput, match="there already"):
        await house.export().write(ADA, house.target)
    assert house.target.read_bytes() == before
    with pytest.raises(InvalidInput, match="cannot be written"):
        await house.export().write(ADA, house.folder / "nowhere" / "export.zip")


class Away:
    """A store of which one method fails."""

    def __init__(self, store: Any, name: str) -> None:
        self._store = store
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name == self._name:
            raise StoreUnavailable("library", "It is away.")
        return getattr(self._store, name)


@pytest.mark.parametrize(("store", "method"), [("library", "content"), ("conversations", "messages_named")])
async def test_an_export_that_fails_leaves_no_file(house: House, store: str, method: str):
    before = {path.name for path in house.folder.iterdir()}
    with pytest.raises(StoreUnavailable):
        await house.export(**{store: Away(getattr(house, store), method)}).write(ADA, house.target)
    assert {path.name for path in house.folder.iterdir()} <= before | {
        "keys.json",
        "keys.json.lock",
        "audit.head",
        "audit.head.lock",
    }


async def test_guests_and_disabled_accounts_export_nothing(house: House):
    for account in (GUEST, replace(ADA, disabled_at=NOW)):
        with pytest.raises(NotPermitted):
            await house.export().write(account, house.target)
    assert not house.target.exists()


async def test_how_far_it_is_is_told(house: House):
    told: list[tuple[str, int]] = []
    counts = await house.export().write(ADA, house.target, lambda what, count: told.append((what, count)))
    assert [count for what, count in told if what == "conversations"] == [1, 2, 3]
    assert (counts["conversations"], counts["documents"], counts["feedback"]) == (3, 3, 4)
