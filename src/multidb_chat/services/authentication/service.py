"""`Authentication`: registering, logging in and out, and sessions."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from multidb_chat.domain.accounts import Account, Accounts, Role, Session
from multidb_chat.domain.errors import (
    Conflict,
    InvalidInput,
    LogInRefused,
    NotFound,
    NotPermitted,
    SecondFactorNeeded,
    SessionEnded,
)
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.permissions import Permission, require
from multidb_chat.domain.signing_in import Strength
from multidb_chat.domain.text import clean_line
from multidb_chat.services.audit import Recorder
from multidb_chat.services.authentication.passwords import Passwords
from multidb_chat.services.authentication.proving import Prover
from multidb_chat.services.authentication.sessions import LogIn, Reuse, Sessions, SignedIn, is_live
from multidb_chat.services.authentication.throttle import Throttle

LOCAL = "local"
"""The origin of whoever sits at this machine."""
REFUSED = "The e-mail address or the password is wrong."
CODE_REFUSED = "The code is wrong or was used already."
USED_TWICE = (
    "This log-in was used in two places and is ended, since somebody else may have a copy of it; log in again: "
    "multidb-chat login"
)
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")
_PAGE = 200


class Authentication:
    """Who somebody is. `origin` says from where this program is used: attempts are counted by it.

    A refused log-in tells nobody whether the account exists, neither by its words nor by the time it takes.
    """

    def __init__(
        self,
        accounts: Accounts,
        passwords: Passwords,
        sessions: Sessions,
        throttle: Throttle,
        prover: Prover,
        audit: Recorder,
        *,
        origin: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._accounts = accounts
        self._passwords = passwords
        self._sessions = sessions
        self._throttle = throttle
        self._prover = prover
        self._audit = audit
        self._origin = origin
        self._clock = clock

    # Coming in

    async def strength(self, password: str, email: str = "") -> Strength:
        """Estimate how hard a password is to guess, and advise in one line."""
        return await self._passwords.strength(password, email)

    async def register(self, account: Account | None, email: str, password: str, *, client: str) -> LogIn:
        """Register somebody and log in. A guest stays the same account, so what the guest did is kept.

        Raises `InvalidInput` for an address or a password that cannot be used, `Conflict` for an address that is
        registered, `TooManyAttempts`, `NotPermitted` for a guest whose time is over.
        """
        if account is not None:
            require(account, Permission.CHAT)
        address = checked_email(email)
        await self._passwords.require_good(password, address)
        await self._throttle.admit_origin("register", self._origin)
        hashed = await self._passwords.hash(password)
        if account is not None and account.role == "guest":
            made = await self._promoted(account, address, hashed)
        else:
            made = await self._created(address, hashed, "user")
        await self._audit.record(made, "account.register", made)
        return await self._begun(made, client)

    async def log_in(self, email: str, password: str, code: str = "", *, client: str) -> LogIn:
        """Log in with a password and, where the account has a second factor, a code from it or a recovery code.

        Raises `LogInRefused`, `SecondFactorNeeded` (the same again with a code), `TooManyAttempts`, or `NotPermitted`
        for a disabled account, which is told only to whoever knows its password.
        """
        email = email.strip()
        await self._throttle.admit(email, self._origin)
        found = await self._accounts.account_by_email(email)
        right = await self._passwords.verify(password, found.password_hash if found is not None else None)
        if found is None or not right:
            await self._audit.record(None, "session.refuse", found or "")
            raise LogInRefused(REFUSED)
        if found.disabled_at is not None:
            await self._audit.record(None, "session.refuse", found, reason="disabled")
            raise NotPermitted("This account is disabled; ask an administrator.")
        await self._require_code(found, code)
        await self._throttle.succeeded(email, self._origin)
        return await self._begun(await self._rehashed(found, password), client)

    async def check(self, access: str) -> SignedIn | None:
        """Return who an access token lets in; None when it is not good any more and a new one is needed.

        Raises `SessionEnded` when the session, or the account, is ended, expired, disabled or gone.
        """
        return await self._sessions.check(access)

    async def current(self, session_id: str) -> SignedIn:
        """Return who is logged in by a session now. Raises `SessionEnded`."""
        return await self._sessions.live(session_id)

    async def refresh(self, token: str) -> LogIn:
        """Give new tokens for a refresh token, once. Raises `SessionEnded`."""
        found = await self._sessions.refresh(token)
        if isinstance(found, Reuse):
            await self._audit.record(None, "session.reuse", found.owner, session=found.session.id)
            raise SessionEnded(USED_TWICE)
        return found

    # Sessions

    async def log_out(self, account: Account, session_id: str) -> None:
        """End one's own session; one that is over already stays so."""
        if await self._accounts.end_sessions(account.id, self._clock(), [session_id]):
            await self._audit.record(account, "session.end", session_id)

    async def sessions(self, account: Account) -> list[Session]:
        """Return one's own sessions that can still be used, the latest first."""
        require(account, Permission.KEEP_ACCOUNT)
        return await self._live_sessions(account.id)

    async def end_session(self, account: Account, reference: str) -> Session:
        """End one of one's own sessions, named by its id or the end of it (four or more characters).

        Raises `NotFound`, or `InvalidInput` when several end so.
        """
        require(account, Permission.KEEP_ACCOUNT)
        chosen = _only(reference, await self._live_sessions(account.id))
        await self.log_out(account, chosen.id)
        return chosen

    async def end_other_sessions(self, account: Account, session_id: str) -> int:
        """End all of one's own sessions but this one (empty: all); return how many."""
        require(account, Permission.KEEP_ACCOUNT)
        others = [session.id for session in await self._live_sessions(account.id) if session.id != session_id]
        ended = await self._accounts.end_sessions(account.id, self._clock(), others)
        await self._audit.record(account, "session.end", account, count=str(ended))
        return ended

    # For staff

    async def create(self, actor: Account, email: str, password: str, role: Role = "user") -> Account:
        """Make an account with a password for somebody. Raises like `register`, and `NotPermitted`."""
        require(actor, Permission.MANAGE_USERS)
        if role == "guest":
            raise InvalidInput("A guest has no e-mail address; use user, support or admin.")
        address = checked_email(email)
        await self._passwords.require_good(password, address)
        made = await self._created(address, await self._passwords.hash(password), role)
        await self._audit.record(actor, "account.create", made, role=role)
        return made

    async def create_first_admin(self, email: str, password: str) -> Account:
        """Make the installation's first administrator. Raises `Conflict` when there is one, and like `register`."""
        address = checked_email(email)
        await self._passwords.require_good(password, address)
        if await self._has_admin():
            raise Conflict("There is an administrator already; administrators make others: multidb-chat admin users")
        made = await self._created(address, await self._passwords.hash(password), "admin")
        await self._audit.record(made, "account.create", made, role="admin")
        return made

    async def sessions_of(self, actor: Account, account_id: str) -> list[Session]:
        """Return another account's sessions that can still be used. Raises `NotPermitted` or `NotFound`."""
        require(actor, Permission.READ_USERS)
        return await self._live_sessions((await self._known(account_id)).id)

    async def end_sessions_of(self, actor: Account, account_id: str) -> int:
        """End all sessions of an account; return how many. Raises `NotPermitted` or `NotFound`."""
        require(actor, Permission.MANAGE_USERS)
        known = await self._known(account_id)
        ended = await self._accounts.end_sessions(known.id, self._clock())
        await self._audit.record(actor, "session.end", known, count=str(ended))
        return ended

    # Parts

    async def _require_code(self, found: Account, code: str) -> None:
        if not await self._prover.needs_code(found):
            return
        if not code:
            raise SecondFactorNeeded("This account has a second factor: give the code of its app, or a recovery code.")
        if not await self._prover.proves(found, code):
            await self._audit.record(None, "session.refuse", found, reason="code")
            raise LogInRefused(CODE_REFUSED)

    async def _begun(self, account: Account, client: str) -> LogIn:
        where = clean_line(client if self._origin == LOCAL else f"{client}, {self._origin}")
        begun = await self._sessions.begin(account, where)
        await self._audit.record(account, "session.begin", begun.session.id, client=client)
        return begun

    async def _rehashed(self, found: Account, password: str) -> Account:
        """Hash the password anew where pepper or cost have changed; another log-in at the same time may do it too."""
        if await self._passwords.is_current(found.password_hash or ""):
            return found
        try:
            hashed = await self._passwords.hash(password)
            return await self._accounts.update_account(replace(found, password_hash=hashed))
        except Conflict:
            return found

    async def _created(self, address: str, hashed: str, role: Role) -> Account:
        made = Account(new_id(), role, "free", self._clock(), address, hashed)
        try:
            await self._accounts.create_account(made)
        except Conflict:
            raise _taken(address) from None
        return made

    async def _promoted(self, guest: Account, address: str, hashed: str) -> Account:
        current = await self._accounts.account(guest.id)
        over = current is None or (current.expires_at is not None and current.expires_at <= self._clock())
        if current is None or over:
            raise NotPermitted("The time of this guest is over; register without it: leave the app and start it again.")
        if current.role != "guest":
            raise Conflict("This guest has registered already; log in instead.")
        changed = replace(current, role="user", plan="free", email=address, password_hash=hashed, expires_at=None)
        try:
            return await self._accounts.update_account(changed)
        except Conflict:
            raise _taken(address) from None

    async def _live_sessions(self, account_id: str) -> list[Session]:
        now = self._clock()
        return [session for session in await self._accounts.sessions(account_id) if is_live(session, now)]

    async def _known(self, account_id: str) -> Account:
        found = await self._accounts.account(account_id)
        if found is None:
            raise NotFound(f"There is no account {clean_line(account_id)}.")
        return found

    async def _has_admin(self) -> bool:
        after = ""
        while page := await self._accounts.list_accounts(after, _PAGE):
            if any(account.role == "admin" for account in page):
                return True
            after = page[-1].id
        return False


def checked_email(text: str) -> str:
    """Return an e-mail address without what stands around it. Raises `InvalidInput` for what is none."""
    email = text.strip()
    if not _EMAIL.fullmatch(email) or not email.isprintable():
        raise InvalidInput(f'"{clean_line(text)[:80]}" is no e-mail address; it looks like ada@example.org.')
    return email


def _taken(address: str) -> Conflict:
    return Conflict(f"There is an account for {address} already; log in with it: multidb-chat login {address}")


def _only(reference: str, sessions: Sequence[Session]) -> Session:
    reference = reference.strip().lower()
    found = [one for one in sessions if one.id == reference or (len(reference) >= 4 and one.id.endswith(reference))]
    if not found:
        raise NotFound(f"There is no session {clean_line(reference)}. See: multidb-chat sessions list")
    if len(found) > 1:
        raise InvalidInput(f"Several sessions end with {clean_line(reference)}; give more of it.")
    return found[0]
