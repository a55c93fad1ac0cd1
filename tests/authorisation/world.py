"""Who is there in the matrix, and what belongs to the owner: made once, copied for each case."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

from multidb_chat.bootstrap import Application
from multidb_chat.domain.accounts import Account
from multidb_chat.domain.conversations import Conversation, Message
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.library import Collection, Document
from multidb_chat.settings import load_settings

NOW = datetime.now(UTC)
WHO = ("owner", "other", "guest", "disabled", "support", "admin")
CANARY = "Zorblax-4711"
"""It stands in everything that is the owner's, and may reach nobody else."""


class Outcome(Enum):
    """What becomes of a call about something of the owner's."""

    DONE = "it is done, and may show what is the owner's"
    BLIND = "it works, and nothing of the owner's is in it"
    MISSING = "there is no such thing for this account"
    REFUSED = "this account may not do it"


DONE, BLIND, MISSING, REFUSED = Outcome


@dataclass
class World:
    """The services of one installation, the accounts, and the owner's things in it."""

    app: Application
    accounts: dict[str, Account]
    conversation: Conversation
    messages: tuple[Message, Message]
    collection: Collection
    document: Document

    async def acting(self, who: str) -> Account:
        """Return the account that acts; a disabled one is disabled in the store too."""
        if who == "disabled":
            return await self.app.accounts.update_account(self.accounts["disabled"])
        return self.accounts[who]

    @property
    def owner(self) -> Account:
        """Whose things they are."""
        return self.accounts["owner"]


@dataclass(frozen=True)
class Row:
    """How a method is called about something of the owner's by some account, and what becomes of it for each of them.

    `call` gets the world and the account that acts; it awaits the method, or lists what an async generator yields.
    `disabled` is the owner after the account was disabled.
    """

    call: Callable[[World, Account], Awaitable[Any]]
    owner: Outcome = DONE
    other: Outcome = MISSING
    guest: Outcome = MISSING
    disabled: Outcome = REFUSED
    support: Outcome = MISSING
    admin: Outcome = MISSING


def own(call: Callable[[World, Account], Awaitable[Any]], **outcomes: Outcome) -> Row:
    """Return the row of a method about the acting account's own things alone."""
    return Row(call, **({"other": BLIND, "guest": BLIND, "support": BLIND, "admin": BLIND} | outcomes))


def for_staff(call: Callable[[World, Account], Awaitable[Any]], **outcomes: Outcome) -> Row:
    """Return the row of a method that only an administrator may use; `support=DONE` lets support use it too."""
    refused = dict.fromkeys(("owner", "other", "guest", "support"), REFUSED)
    return Row(call, **(refused | {"admin": DONE} | outcomes))


def _account(name: str) -> Account:
    role = name if name in ("guest", "support", "admin") else "user"
    if role == "guest":
        return Account(new_id(), "guest", "free", NOW, expires_at=NOW + timedelta(hours=1))
    email = f"{CANARY if name == 'owner' else name}@example.org"
    return Account(new_id(), role, "enterprise", NOW, email, password_hash="")  # type: ignore[arg-type]


async def furnish(home: Path) -> None:
    """Make the installation: accounts, a conversation, and a private collection with a document."""
    app = _application(home)
    accounts = {name: _account(name) for name in WHO if name != "disabled"}
    for account in accounts.values():
        await app.accounts.create_account(account)
    owner = accounts["owner"]
    conversation = await app.history.start(owner, CANARY)
    asked, said = (
        Message(new_id(), conversation.id, owner.id, role, f"{CANARY} {role}", datetime.now(UTC))  # type: ignore[arg-type]
        for role in ("user", "assistant")
    )
    await app.history.append_turn(owner, conversation.id, asked, replace(said, parent_id=asked.id))
    collection = await app.documents.create_collection(owner, "secrets", description=CANARY)
    text = home / "secret.md"
    text.write_text(f"# {CANARY}\n\nThe {CANARY} device is switched on by turning the brass key twice.\n")
    async for _ in app.ingestion.add(owner, collection, [text]):
        pass
    await app.close()


def _application(home: Path) -> Application:
    return Application(load_settings(environ={"MULTIDB_CHAT_HOME": str(home)}, overrides={"login.password_cost": 4}))


@asynccontextmanager
async def world_in(furnished: Path, home: Path) -> AsyncIterator[World]:
    """Open a copy of the furnished installation."""
    shutil.copytree(furnished, home)
    app = _application(home)
    try:
        accounts = {_name_of(account): account for account in await app.accounts.list_accounts()}
        owner = accounts["owner"]
        accounts["disabled"] = replace(owner, disabled_at=NOW)
        (conversation,) = await app.history.list(owner)
        asked, said = await app.history.page(owner, conversation.id)
        (collection,) = await app.documents.collections(owner)
        (document,) = await app.documents.list(owner)
        yield World(app, accounts, conversation, (asked, said), collection, document)
    finally:
        await app.close()


def _name_of(account: Account) -> str:
    if account.email is None:
        return account.role
    name = account.email.partition("@")[0]
    return "owner" if name == CANARY else name
