"""`Prover`: whether somebody is who they say, by password, second factor or recovery code."""

from collections.abc import Callable
from datetime import datetime

from multidb_chat.domain.accounts import Account, Accounts
from multidb_chat.domain.errors import InvalidInput, WrongPassword
from multidb_chat.domain.keys import Keys
from multidb_chat.domain.signing_in import TimeCodes
from multidb_chat.services.authentication.one_time import hash_of, plain
from multidb_chat.services.authentication.passwords import Passwords
from multidb_chat.services.authentication.throttle import Throttle

_DIGITS = 6


class Prover:
    """Checks proofs of an account; a code counts once, whoever uses it first."""

    def __init__(
        self,
        accounts: Accounts,
        passwords: Passwords,
        throttle: Throttle,
        codes: TimeCodes,
        keys: Keys,
        *,
        origin: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._accounts = accounts
        self._passwords = passwords
        self._throttle = throttle
        self._codes = codes
        self._keys = keys
        self._origin = origin
        self._clock = clock

    async def needs_code(self, owner: Account) -> bool:
        """Tell whether the account has a second factor that counts."""
        factor = await self._accounts.second_factor(owner.id)
        return factor is not None and factor.confirmed_at is not None

    async def proves(self, owner: Account, code: str) -> bool:
        """Tell whether it is a code of the account's second factor, or a recovery code; it is used up then."""
        code = plain(code)
        if len(code) == _DIGITS and code.isdecimal():
            return await self.uses_step(owner, code)
        return await self._accounts.use_code(owner.id, "recovery", await hash_of(code, self._keys), self._clock())

    async def uses_step(self, owner: Account, code: str) -> bool:
        """Tell whether it is a code of the account's second factor, confirmed or not, that was not used before."""
        factor = await self._accounts.second_factor(owner.id)
        step = None if factor is None else self._codes.step(factor.secret, plain(code), self._clock())
        return step is not None and await self._accounts.use_step(owner.id, step)

    async def require_password(self, owner: Account, password: str) -> Account:
        """Return the account as it is now if it is its password. Raises like `begin`."""
        current = await self.begin(owner, password)
        await self.succeeded(current)
        return current

    async def begin(self, owner: Account, password: str) -> Account:
        """Do the same where a code is asked for, too: the attempt counts until it `succeeded`.

        Raises `WrongPassword`, `TooManyAttempts`, or `InvalidInput` for an account without one.
        """
        current = await self._accounts.account(owner.id)
        if current is None or current.email is None or current.password_hash is None:
            raise InvalidInput("This account has no password; register for one that has: multidb-chat register")
        await self._throttle.admit(current.email, self._origin)
        if not await self._passwords.verify(password, current.password_hash):
            raise WrongPassword("The password is wrong.")
        return current

    async def succeeded(self, owner: Account) -> None:
        """Take back what was counted of the attempt that `begin` began."""
        await self._throttle.succeeded(owner.email or owner.id, self._origin)
