"""`AccountSecurity`: an account's password, second factor and one-time codes."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from multidb_chat.domain.accounts import Account, Accounts
from multidb_chat.domain.credentials import OneTimeCode, SecondFactor
from multidb_chat.domain.errors import Conflict, InvalidInput, LogInRefused, NotFound, NotPermitted
from multidb_chat.domain.keys import Keys
from multidb_chat.domain.permissions import Permission, require
from multidb_chat.domain.signing_in import TimeCodes
from multidb_chat.domain.text import clean_line
from multidb_chat.services.audit import Recorder
from multidb_chat.services.authentication.one_time import hash_of, new_code
from multidb_chat.services.authentication.passwords import Passwords
from multidb_chat.services.authentication.proving import Prover
from multidb_chat.services.authentication.throttle import Throttle

RECOVERY_CODES = 10
RESET_REFUSED = "The e-mail address or the code is wrong, or the code was used already or is too old."


@dataclass(frozen=True, slots=True)
class FactorOffer:
    """A second factor to be taken into an authenticator app: a secret to type, an address, and a QR code in lines."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)
    picture: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class FactorState:
    """Whether the account has a second factor that counts, since when, and how many recovery codes are left."""

    since: datetime | None
    recovery_codes: int


@dataclass(frozen=True, slots=True)
class ResetCode:
    """A code with which a password is set anew, once, until `expires_at`."""

    code: str = field(repr=False)
    expires_at: datetime


class AccountSecurity:
    """What an account is proved with. Whatever changes that needs its password once more (OWASP ASVS 5.0, 7.5.1)."""

    def __init__(
        self,
        accounts: Accounts,
        passwords: Passwords,
        throttle: Throttle,
        prover: Prover,
        codes: TimeCodes,
        keys: Keys,
        audit: Recorder,
        *,
        origin: str,
        reset_life: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._accounts = accounts
        self._passwords = passwords
        self._throttle = throttle
        self._prover = prover
        self._codes = codes
        self._keys = keys
        self._audit = audit
        self._origin = origin
        self._reset_life = reset_life
        self._clock = clock

    # The password

    async def change_password(self, account: Account, password: str, new: str, *, session_id: str = "") -> Account:
        """Change one's own password, and end all sessions but this one; return the account as it is now.

        Raises `WrongPassword` when `password` is not the present one, `TooManyAttempts`, `InvalidInput`.
        """
        require(account, Permission.KEEP_ACCOUNT)
        current = await self._prover.require_password(account, password)
        changed = await self._with_password(current, new)
        others = [session.id for session in await self._accounts.sessions(account.id) if session.id != session_id]
        await self._accounts.end_sessions(account.id, self._clock(), others)
        await self._audit.record(account, "account.password", account)
        return changed

    async def issue_reset(self, actor: Account, account_id: str) -> ResetCode:
        """Give a code with which the account's owner sets a new password; it takes the place of one given before.

        Raises `NotFound`, or `NotPermitted`: support resets the passwords of users, administrators everybody's.
        """
        require(actor, Permission.RESET_PASSWORDS)
        known = await self._known(account_id)
        if known.role != "user" and actor.role != "admin":
            raise NotPermitted("Only an administrator can reset the password of support and of administrators.")
        if known.email is None:
            raise InvalidInput("This account has no e-mail address, so nobody logs in with it.")
        code, expires_at = new_code(), self._clock() + self._reset_life
        stored = OneTimeCode(known.id, "reset", await hash_of(code, self._keys), expires_at)
        await self._accounts.put_codes(known.id, "reset", [stored])
        await self._audit.record(actor, "account.reset-issue", known)
        return ResetCode(code, expires_at)

    async def reset_password(self, email: str, code: str, new: str) -> None:
        """Set a new password by a code from an administrator, and end all sessions. A second factor stays.

        Raises `LogInRefused`, `TooManyAttempts`, or `InvalidInput` for the password; the code is not used up then.
        """
        email = email.strip()
        await self._passwords.require_good(new, email)
        await self._throttle.admit(email, self._origin)
        found = await self._accounts.account_by_email(email)
        hashed = await hash_of(code, self._keys)
        if found is None or not await self._accounts.use_code(found.id, "reset", hashed, self._clock()):
            await self._audit.record(None, "account.reset-refuse", found or "")
            raise LogInRefused(RESET_REFUSED)
        await self._with_password(found, new)
        await self._accounts.end_sessions(found.id, self._clock())
        await self._throttle.succeeded(email, self._origin)
        await self._audit.record(found, "account.reset", found)

    # The second factor

    async def factor(self, account: Account) -> FactorState:
        """Return the state of one's own second factor."""
        require(account, Permission.KEEP_ACCOUNT)
        found = await self._accounts.second_factor(account.id)
        left = await self._accounts.codes_left(account.id, "recovery", self._clock())
        return FactorState(found.confirmed_at if found is not None else None, left)

    async def offer_factor(self, account: Account) -> FactorOffer:
        """Make a second factor, which counts when it is confirmed. Raises `Conflict` when there is one that does."""
        require(account, Permission.KEEP_ACCOUNT)
        if account.email is None:
            raise InvalidInput("This account has no password; register for one that has: multidb-chat register")
        await self._require_no_factor(account)
        secret = self._codes.new_secret()
        await self._accounts.put_second_factor(SecondFactor(account.id, secret))
        uri = self._codes.uri(secret, account.email)
        return FactorOffer(secret, uri, self._codes.picture(uri))

    async def confirm_factor(self, account: Account, password: str, code: str) -> tuple[str, ...]:
        """Let the second factor count from now on; return the recovery codes, which are never shown again.

        Without the password, whoever sits down at a terminal that somebody left could lock its owner out.
        Raises `WrongPassword` (the code is not used up then), `LogInRefused` for a wrong code, `TooManyAttempts`,
        `Conflict` when it counts already, `InvalidInput` when there is none.
        """
        require(account, Permission.KEEP_ACCOUNT)
        await self._require_no_factor(account)
        if await self._accounts.second_factor(account.id) is None:
            raise InvalidInput("There is no second factor to confirm; begin with: multidb-chat account totp on")
        current = await self._prover.begin(account, password)
        if not await self._prover.uses_step(account, code):
            raise LogInRefused("The code is wrong; look at the clock of the device, and try the next one.")
        factor = await self._accounts.second_factor(account.id)
        assert factor is not None
        codes = await self._new_recovery_codes(account)
        await self._accounts.put_second_factor(replace(factor, confirmed_at=self._clock()))
        await self._prover.succeeded(current)
        await self._audit.record(account, "account.totp-on", account)
        return codes

    async def remove_factor(self, account: Account, password: str) -> None:
        """Remove one's own second factor and its recovery codes. Raises `WrongPassword`, `InvalidInput` without one."""
        require(account, Permission.KEEP_ACCOUNT)
        await self._prover.require_password(account, password)
        if not await self._accounts.remove_second_factor(account.id):
            raise InvalidInput("This account has no second factor.")
        await self._audit.record(account, "account.totp-off", account)

    async def new_recovery_codes(self, account: Account, password: str) -> tuple[str, ...]:
        """Give ten new recovery codes in the place of all there were. Raises like `remove_factor`."""
        require(account, Permission.KEEP_ACCOUNT)
        await self._prover.require_password(account, password)
        if not await self._prover.needs_code(account):
            raise InvalidInput("This account has no second factor, so it needs no recovery codes.")
        codes = await self._new_recovery_codes(account)
        await self._audit.record(account, "account.recovery-codes", account)
        return codes

    async def clear_factor(self, actor: Account, account_id: str) -> bool:
        """Remove the second factor of somebody who lost it; False when there is none.

        Raises `NotPermitted` or `NotFound`.
        """
        require(actor, Permission.MANAGE_USERS)
        known = await self._known(account_id)
        removed = await self._accounts.remove_second_factor(known.id)
        await self._audit.record(actor, "account.totp-off", known)
        return removed

    # Parts

    async def _with_password(self, current: Account, new: str) -> Account:
        await self._passwords.require_good(new, current.email or "")
        hashed = await self._passwords.hash(new)
        return await self._accounts.update_account(replace(current, password_hash=hashed))

    async def _require_no_factor(self, owner: Account) -> None:
        if await self._prover.needs_code(owner):
            raise Conflict("This account has a second factor already; remove it first.")

    async def _new_recovery_codes(self, owner: Account) -> tuple[str, ...]:
        codes = tuple(new_code() for _ in range(RECOVERY_CODES))
        stored = [OneTimeCode(owner.id, "recovery", await hash_of(code, self._keys)) for code in codes]
        await self._accounts.put_codes(owner.id, "recovery", stored)
        return codes

    async def _known(self, account_id: str) -> Account:
        found = await self._accounts.account(account_id)
        if found is None:
            raise NotFound(f"There is no account {clean_line(account_id)}.")
        return found
