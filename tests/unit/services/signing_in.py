"""The real services for logging in on the stores of a folder, with a clock to be set."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp

from multidb_chat.adapters.security.anchor_file import AnchorFile
from multidb_chat.adapters.security.judging import Judge
from multidb_chat.adapters.security.key_file import KeyFile
from multidb_chat.adapters.security.passwords import BcryptHasher
from multidb_chat.adapters.security.time_codes import TotpCodes
from multidb_chat.adapters.security.tokens import JwtSigner
from multidb_chat.adapters.sqlite.accounts import SqliteAccounts
from multidb_chat.domain.accounts import Account
from multidb_chat.services.audit import AuditLog
from multidb_chat.services.authentication.composing import SigningIn
from multidb_chat.services.authentication.sessions import LogIn

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA = "ada@example.org"
PASSWORD = "turning the brass key"
CHEAP = 4
"""The least that bcrypt does: what is tested here is not how slow it is."""


class Gate:
    """Logging in, as one program on one machine sees it."""

    def __init__(self, folder: Path, *, cost: int = CHEAP, origin: str = "local") -> None:
        self.now = NOW
        self.accounts = SqliteAccounts(folder / "accounts.sqlite")
        self.keys = KeyFile(folder / "keys.json")
        self.hasher = BcryptHasher(cost)
        self.audit = AuditLog(self.accounts, self.keys, AnchorFile(folder / "audit.head"), clock=lambda: self.now)
        both = SigningIn(
            self.accounts,
            self.keys,
            self.audit,
            hasher=self.hasher,
            judge=Judge(),
            signer=JwtSigner(),
            codes=TotpCodes(),
            origin=origin,
            clock=lambda: self.now,
        )
        self.service, self.security, self.passwords = both.authentication, both.security, both.passwords

    async def close(self) -> None:
        await self.hasher.close()
        await self.accounts.close()

    def later(self, **by: float) -> None:
        """Let time go by."""
        self.now += timedelta(**by)

    async def ada(self) -> LogIn:
        """Register Ada."""
        return await self.service.register(None, ADA, PASSWORD, client="test")

    async def log_in(self, email: str = ADA, password: str = PASSWORD, code: str = "") -> LogIn:
        """Log in."""
        return await self.service.log_in(email, password, code, client="test")

    async def with_factor(self, account: Account) -> tuple[pyotp.TOTP, tuple[str, ...]]:
        """Give the account a second factor; return what its app would be, and the recovery codes."""
        app = pyotp.TOTP((await self.security.offer_factor(account)).secret)
        codes = await self.security.confirm_factor(account, PASSWORD, self.code(app))
        self.later(seconds=30)
        return app, codes

    def code(self, app: pyotp.TOTP, steps: int = 0) -> str:
        """Return what the app shows now, or so many steps of 30 seconds later."""
        return app.generate_otp(int(self.now.timestamp()) // 30 + steps)

    async def actions(self) -> list[str]:
        """Return what the audit log says was done."""
        return [entry.action for entry in await self.accounts.audit()]


@asynccontextmanager
async def gate_in(folder: Path, **options: object) -> AsyncIterator[Gate]:
    gate = Gate(folder, **options)  # type: ignore[arg-type]
    try:
        yield gate
    finally:
        await gate.close()
