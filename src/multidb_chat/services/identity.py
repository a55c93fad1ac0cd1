"""`Identity`: who is talking in this run of the program, and the log-in that this machine keeps."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import SessionEnded, StoreError, StoreUnavailable
from multidb_chat.services.accounts import AccountService

if TYPE_CHECKING:  # a run without a log-in needs none of it
    from multidb_chat.domain.signing_in import StoredLogIn, Strength, Tokens
    from multidb_chat.services.authentication.service import Authentication
    from multidb_chat.services.authentication.sessions import LogIn, SignedIn

Who = Literal["shell", "app", "guest", "local"]
"""Who is to talk: `shell` and `app` are the stored log-in, else the local account or somebody who has to choose."""


class Identity:
    """Holds the account that talks, and changes it. Read `account` anew at each use.

    Several programs may use one stored log-in at once: tokens are refreshed by one of them, and the others take the
    new ones.
    """

    def __init__(
        self,
        accounts: AccountService,
        authentication: "Callable[[], Authentication]",
        stored: "StoredLogIn",
        *,
        patient: bool = False,
    ) -> None:
        """`patient`: in the app, accounts that are away are waited for; they are on a server."""
        self._accounts = accounts
        self._compose_authentication = authentication
        self._stored = stored
        self._patient = patient
        self._account: Account | None = None
        self._face = "shell"
        self.session_id = ""
        """The session by which the account is logged in, empty for the local account and guests."""
        self.chosen = False
        """Whether it is settled who talks; in the app, somebody new is asked first."""
        self.notice = ""
        """Why a log-in that this machine had is over, or nobody can log in now; one line or empty."""
        self.waiting = False
        """Whether the accounts were away when the app was opened; `open` again finds out whether they are back."""

    @property
    def account(self) -> Account:
        """Who is talking."""
        assert self._account is not None, "the application is open"
        return self._account

    async def open(self, who: Who) -> None:
        """Find or make the account that talks.

        Raises `SessionEnded` in the shell when the stored log-in is over, so that nobody goes on as somebody else
        without knowing.
        """
        self._face = "shell" if who in ("shell", "local") else "app"
        if who == "guest":
            self._become(await self._accounts.guest())
        elif self._face == "app":
            await self._open_app()
        elif who == "local" or not await self._resumed(who):
            self._become(await self._accounts.local_account())

    async def _open_app(self) -> None:
        """Let in whoever is logged in; all others have to choose, as soon as that can be done."""
        self.notice = ""
        try:
            if not await self._resumed("app"):
                await self._accounts.require_store()  # found now, not when somebody has chosen
                self._account = self._accounts.new_guest()
        except StoreUnavailable as error:
            if not self._patient:
                raise
            self._account = self._accounts.new_guest()
            self.notice = f"Nobody can log in or ask for now, and it is tried again by itself. {error}"
            self.waiting = True
            return
        self.waiting = False

    async def enter_as_guest(self, *, remember: bool = True) -> Account:
        """Go on as a new guest, and remember that for the next start of the app."""
        guest = self._account
        if self.chosen or guest is None or guest.role != "guest":
            guest = self._accounts.new_guest()
        await self._accounts.admit(guest)
        if remember:
            await self._stored.remember_guest()
        return self._become(guest)

    async def log_in(self, email: str, password: str, code: str = "") -> Account:
        """Log in and store it; a log-in there was on this machine ends. Raises like `Authentication.log_in`."""
        begun = await (await self._authenticating()).log_in(email, password, code, client=self._face)
        return await self._entered(begun)

    async def register(self, email: str, password: str) -> Account:
        """Register and log in; the guest who talks stays the same account. Raises like `Authentication.register`."""
        guest = self._account if self.chosen and self.account.role == "guest" else None
        return await self._entered(
            await (await self._authenticating()).register(guest, email, password, client=self._face)
        )

    async def log_out(self) -> Account:
        """End the session and forget it; go on as the local account, in the app as somebody who has to choose.

        It works for a log-in too that is over, or whose file cannot be read.
        """
        if not self.session_id and self._face == "shell":
            with suppress(SessionEnded, StoreError):
                await self._resumed("local")
        if self.session_id:
            await (await self._authenticating()).log_out(self.account, self.session_id)
        return await self.leave()

    async def leave(self) -> Account:
        """Forget the log-in of this machine, whose session or account is gone; go on like after logging out."""
        await self._forget()
        if self._face == "shell":
            return self._become(await self._accounts.local_account())
        self.session_id, self.chosen = "", False
        self._account = self._accounts.new_guest()
        return self._account

    async def strength(self, password: str, email: str = "") -> "Strength":
        """Estimate how hard a password is to guess, and advise in one line."""
        return await (await self._authenticating()).strength(password, email)

    async def recheck(self) -> Account:
        """Return the account as it is now. Raises `SessionEnded` or `NotPermitted` when it may not go on."""
        if self.session_id:
            self._account = (await (await self._authenticating()).current(self.session_id)).account
        elif self.chosen:
            self._account = await self._accounts.check(self.account)
        return self.account

    async def _entered(self, begun: "LogIn") -> Account:
        if not self.session_id:  # there may be a log-in that this run did not begin with
            with suppress(SessionEnded, StoreError):
                await self._resumed("local")
        before, before_id = self._account, self.session_id
        async with self._stored.locked():
            await self._stored.store(begun.tokens)
        if before is not None and before_id:
            await (await self._authenticating()).log_out(before, before_id)
        return self._become(begun.account, begun.session.id)

    async def _forget(self) -> None:
        """Forget what is stored; in the app only what is its own, since a log-in may have been made in the shell."""
        if self._face == "app" and await self._stored.remembered() == "account":
            tokens = await self._stored.load()
            if tokens is not None and tokens.refresh.partition(".")[0] != self.session_id:
                return
        await self._stored.clear()

    async def _resumed(self, who: Who) -> bool:
        tokens = await self._stored.load()
        if tokens is None:
            return False
        try:
            signed_in = await self._let_in(tokens)
        except SessionEnded as error:
            if who == "app":
                await self._stored.clear()
                self.notice = str(error)
                return False
            raise SessionEnded(f"{error} (or go on as the local account: multidb-chat logout)") from None
        self._become(signed_in.account, signed_in.session.id)
        return True

    async def _let_in(self, tokens: "Tokens") -> "SignedIn | LogIn":
        authentication = await self._authenticating()
        if (found := await authentication.check(tokens.access)) is not None:
            return found
        async with self._stored.locked():
            now = await self._stored.load() or tokens  # another program may have refreshed them
            if now != tokens and (found := await authentication.check(now.access)) is not None:
                return found
            begun = await authentication.refresh(now.refresh)
            await self._stored.store(begun.tokens)
            return begun

    async def _authenticating(self) -> "Authentication":
        """Return the service; what it is made of is imported in a thread, since a key cannot wait for that."""
        return await asyncio.to_thread(self._compose_authentication)

    def _become(self, account: Account, session_id: str = "") -> Account:
        self._account, self.session_id, self.chosen, self.notice = account, session_id, True, ""
        return account
