"""The audit log: what was done is recorded in a chain that shows any later change.

Each entry's code is HMAC-SHA256 over the code of the entry before and the entry's own fields, with a key that does not
lie in the store; the last code is remembered outside it as well (OWASP ASVS 5.0, 16.4.2). So a changed byte, a missing,
added or moved entry, and a log that was cut off are all found by `verify`.
"""

import hmac
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.audit import ACTORLESS, EVERYTHING, Anchor, AuditEntry, AuditFilter, AuditTrail, Head
from multidb_chat.domain.errors import StoreCorrupt, StoreError
from multidb_chat.domain.keys import Key, Keys
from multidb_chat.domain.permissions import Permission, require
from multidb_chat.domain.text import clean_line
from multidb_chat.services.wording import counted

_PAGE = 1_000
_LONGEST = 500
_log = logging.getLogger(__name__)


class Recorder(Protocol):
    """What other services need of the audit log."""

    async def record(
        self, actor: Account | None, action: str, target: Account | str = "", **details: str
    ) -> AuditEntry:
        """Record what the actor (None: nobody, or nobody known) did to the target."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify` found: how many entries are sound from the first on, and the first problem, empty if none."""

    entries: int
    problem: str = ""

    @property
    def sound(self) -> bool:
        """Whether nothing was changed."""
        return not self.problem


class AuditLog:
    """Records, lists and verifies. `origin` says from where this program is used, such as an address."""

    def __init__(
        self,
        trail: AuditTrail,
        keys: Keys,
        anchor: Anchor,
        *,
        origin: str = "",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._trail = trail
        self._keys = keys
        self._anchor = anchor
        self._origin = clean_line(origin)
        self._clock = clock

    async def record(
        self, actor: Account | None, action: str, target: Account | str = "", **details: str
    ) -> AuditEntry:
        """Record what the actor (None: nobody, or nobody known) did to the target; return the entry.

        People are written by their pseudonyms. Texts are made fit for a line and cut at 500 characters; no secret
        belongs in them. Durable when it returns. Raises `StoreError` when it cannot be recorded.
        """
        key = await self._keys.current("audit")
        entry = AuditEntry(
            self._clock(),
            ACTORLESS if actor is None else actor.pseudonym,
            _line(action),
            target.pseudonym if isinstance(target, Account) else _line(target),
            self._origin,
            {name: _line(value) for name, value in details.items()},
        )
        stored = await self._trail.append_audit(entry, lambda numbered, before: mac_of(numbered, before, key))
        await self._anchored(stored, key)
        return stored

    async def entries(
        self, account: Account, where: AuditFilter = EVERYTHING, *, after: int = 0, limit: int = 100
    ) -> list[AuditEntry]:
        """Return the entries that fit, newest first, those below the number `after` (0: from the end).

        Raises `NotPermitted` without the permission to read the audit log.
        """
        require(account, Permission.READ_AUDIT)
        return await self._trail.audit(after, limit, where, newest=True)

    async def own_entries(self, account: Account, *, after: int = 0, limit: int = 100) -> list[AuditEntry]:
        """Return what the account itself did, newest first. Raises `NotPermitted` for a disabled account."""
        require(account, Permission.CHAT)
        return await self._trail.audit(after, limit, AuditFilter(actor=account.pseudonym), newest=True)

    async def verify(self, account: Account) -> Verification:
        """Read the whole log and check its chain; the log does not have to fit into memory.

        Raises `NotPermitted` without the permission to read the audit log, `StoreError` when a store is away.
        """
        require(account, Permission.READ_AUDIT)
        keys = {key.kid: key for key in await self._keys.keys("audit")}
        head = await self._anchor.head()  # before the log, which only grows
        return await self._checked(keys, head)

    async def _checked(self, keys: dict[str, Key], head: Head | None) -> Verification:
        sound, before, reached = 0, "", False
        try:
            while page := await self._trail.audit(sound, _PAGE):
                for entry in page:
                    if problem := _problem(entry, sound + 1, before, keys):
                        return Verification(sound, problem)
                    sound, before = entry.seq, entry.mac
                    reached = reached or (head is not None and (entry.seq, entry.mac) == (head.seq, head.mac))
        except StoreCorrupt as error:
            return Verification(sound, str(error))
        return Verification(sound, _ending(sound, reached, head, keys))

    async def _anchored(self, entry: AuditEntry, key: Key) -> None:
        """Remember the head; where that fails the entry is recorded all the same, and the next one brings it on."""
        try:
            await self._anchor.advance(Head(entry.seq, entry.mac, _seal_of_head(entry.seq, entry.mac, key)))
        except StoreError as error:
            _log.warning("The head of the audit log was not written: %s", error)


def mac_of(entry: AuditEntry, before: str, key: Key) -> str:
    """Return the code of an entry behind the one whose code is `before`: the key's name and HMAC-SHA256 (RFC 2104)."""
    fields = [
        before, str(entry.seq), entry.at.astimezone(UTC).isoformat(), entry.actor, entry.action, entry.target,
        entry.origin, json.dumps(dict(entry.details)),
    ]  # fmt: skip
    return f"{key.kid}:{_hmac(key, json.dumps(fields))}"


def _problem(entry: AuditEntry, seq: int, before: str, keys: dict[str, Key]) -> str:
    if entry.seq != seq:
        return f"Entry {seq} is missing."
    key = keys.get(entry.mac.partition(":")[0])
    if key is None or not hmac.compare_digest(
        mac_of(entry, before, key).encode(), entry.mac.encode("utf-8", "replace")
    ):
        return f"Entry {seq} is not what was recorded: it or its place in the chain was changed."
    return ""


def _ending(last: int, reached: bool, head: Head | None, keys: dict[str, Key]) -> str:
    """Tell what is wrong with the end of the log, given whether the remembered head was met in it."""
    if head is None:
        return "The remembered head of the log is missing or cannot be read." if last else ""
    key = keys.get(head.mac.partition(":")[0])
    if key is None or not hmac.compare_digest(_seal_of_head(head.seq, head.mac, key), head.seal):
        return "The remembered head of the log is not what was written."
    if not reached:
        return f"The log was cut off: {counted(last, 'entry is', 'entries are')} left of at least {head.seq}."
    return ""


def _seal_of_head(seq: int, mac: str, key: Key) -> str:
    return _hmac(key, json.dumps(["head", seq, mac]))


def _hmac(key: Key, text: str) -> str:
    return hmac.digest(key.secret, text.encode("utf-8", "surrogatepass"), "sha256").hex()


def _line(text: str) -> str:
    line = clean_line(text)
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
