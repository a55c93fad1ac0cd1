"""Keys, the audit log, and who is talking."""

import os
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from multidb_chat.bootstrap.stores import Stores

if TYPE_CHECKING:
    from multidb_chat.adapters.security.passwords import BcryptHasher
    from multidb_chat.adapters.security.stored_log_in import LogInFile
    from multidb_chat.domain.accounts import Account, Accounts
    from multidb_chat.domain.keys import Keys
    from multidb_chat.services.accounts import AccountService
    from multidb_chat.services.audit import AuditLog
    from multidb_chat.services.authentication.composing import SigningIn
    from multidb_chat.services.authentication.security import AccountSecurity
    from multidb_chat.services.authentication.service import Authentication
    from multidb_chat.services.identity import Identity

KEYS, ANCHOR = "keys.json", "audit.head"  # in the data folder


class Security(Stores):
    """Who may do what, and who did."""

    @property
    def account(self) -> "Account":
        """Who is talking; read it anew at each use, since one can log in and out while the program runs."""
        return self.identity.account

    @cached_property
    def keys(self) -> "Keys":
        """The installation's own keys."""
        from multidb_chat.adapters.security.key_file import KeyFile

        return KeyFile(self.settings.paths.data / KEYS)

    @cached_property
    def audit(self) -> "AuditLog":
        """Who did what."""
        return audit_log(self.settings.paths.data, self.accounts, self.keys)

    @cached_property
    def account_service(self) -> "AccountService":
        """Who may talk."""
        from multidb_chat.services.accounts import AccountService

        return AccountService(self.accounts, guest_life=timedelta(hours=self.settings.guest.hours))

    @cached_property
    def identity(self) -> "Identity":
        """Who is talking."""
        from multidb_chat.services.identity import Identity

        patient = self._server("accounts") is not None
        return Identity(self.account_service, lambda: self.authentication, self.stored_log_in, patient=patient)

    @cached_property
    def stored_log_in(self) -> "LogInFile":
        """The log-in that this machine keeps."""
        from multidb_chat.remembered import log_in_file

        return log_in_file(self.settings)

    @property
    def authentication(self) -> "Authentication":
        """Registering, logging in and out, sessions."""
        return self._signing_in.authentication

    @property
    def account_security(self) -> "AccountSecurity":
        """Passwords, second factors, one-time codes."""
        return self._signing_in.security

    @cached_property
    def password_hasher(self) -> "BcryptHasher":
        """What hashes passwords, in threads of its own."""
        from multidb_chat.adapters.security.passwords import BcryptHasher

        return BcryptHasher(self.settings.login.password_cost)

    @cached_property
    def _signing_in(self) -> "SigningIn":
        from multidb_chat.adapters.security.judging import Judge
        from multidb_chat.adapters.security.origin import origin
        from multidb_chat.adapters.security.time_codes import TotpCodes
        from multidb_chat.adapters.security.tokens import JwtSigner
        from multidb_chat.services.authentication.composing import SigningIn

        login = self.settings.login
        return SigningIn(
            self.accounts,
            self.keys,
            self.audit,
            hasher=self.password_hasher,
            judge=Judge(),
            signer=JwtSigner(),
            codes=TotpCodes(),
            origin=origin(os.environ),
            session_life=timedelta(days=login.days),
            reset_life=timedelta(hours=login.reset_hours),
        )


def audit_log(folder: Path, accounts: "Accounts", keys: "Keys") -> "AuditLog":
    """Return the audit log of a data folder."""
    from multidb_chat.adapters.security.anchor_file import AnchorFile
    from multidb_chat.adapters.security.origin import origin
    from multidb_chat.services.audit import AuditLog

    return AuditLog(accounts, keys, AnchorFile(folder / ANCHOR), origin=origin(os.environ))
