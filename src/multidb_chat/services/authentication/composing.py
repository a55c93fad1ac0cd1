"""`SigningIn`: the two services and the parts they share, put together."""

from collections.abc import Callable
from datetime import datetime, timedelta

from multidb_chat.domain.accounts import Accounts
from multidb_chat.domain.keys import Keys
from multidb_chat.domain.signing_in import PasswordHasher, PasswordJudge, TimeCodes, TokenSigner
from multidb_chat.services.accounts import utc_now
from multidb_chat.services.audit import Recorder
from multidb_chat.services.authentication.passwords import Passwords
from multidb_chat.services.authentication.proving import Prover
from multidb_chat.services.authentication.security import AccountSecurity
from multidb_chat.services.authentication.service import Authentication
from multidb_chat.services.authentication.sessions import Sessions
from multidb_chat.services.authentication.throttle import Throttle


class SigningIn:
    """`authentication` and `security` on the same store, keys and clock."""

    def __init__(
        self,
        accounts: Accounts,
        keys: Keys,
        audit: Recorder,
        *,
        hasher: PasswordHasher,
        judge: PasswordJudge,
        signer: TokenSigner,
        codes: TimeCodes,
        origin: str,
        session_life: timedelta = timedelta(days=30),
        reset_life: timedelta = timedelta(hours=24),
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.passwords = Passwords(hasher, judge, keys)
        throttle = Throttle(accounts, keys, clock)
        prover = Prover(accounts, self.passwords, throttle, codes, keys, origin=origin, clock=clock)
        sessions = Sessions(accounts, keys, signer, session_life, clock)
        self.authentication = Authentication(
            accounts, self.passwords, sessions, throttle, prover, audit, origin=origin, clock=clock
        )
        self.security = AccountSecurity(
            accounts, self.passwords, throttle, prover, codes, keys, audit,
            origin=origin, reset_life=reset_life, clock=clock,
        )  # fmt: skip
