"""`SqliteAccounts`: the port `Accounts` in one SQLite file."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from multidb_chat.adapters.sqlite import accounts_audit as log
from multidb_chat.adapters.sqlite import accounts_credentials as credentials
from multidb_chat.adapters.sqlite import accounts_people as people
from multidb_chat.adapters.sqlite.accounts_credentials import SECOND_FACTORS
from multidb_chat.adapters.sqlite.accounts_people import ACCOUNTS, SESSIONS
from multidb_chat.adapters.sqlite.accounts_schema import SCHEMA
from multidb_chat.adapters.sqlite.database import Database
from multidb_chat.domain.accounts import Account, Session, Subscription
from multidb_chat.domain.audit import EVERYTHING, AuditEntry, AuditFilter, Seal
from multidb_chat.domain.credentials import CodeKind, OneTimeCode, Pause, SecondFactor


class SqliteAccounts:
    """The port `Accounts` in the file `path`, which is made when it is first needed; the port's docstrings specify it.

    Text is any Unicode, NUL included; lone surrogates are refused with `InvalidInput`, in questions too.
    """

    def __init__(self, path: Path) -> None:
        self._database = Database(path, "accounts", SCHEMA)

    async def close(self) -> None:
        """Finish what is being written and close the file."""
        await self._database.close()

    async def create_account(self, account: Account) -> None:
        await self._database.write(lambda c: people.create(c, account))

    async def account(self, account_id: str) -> Account | None:
        return await self._database.look(lambda c: ACCOUNTS.first(c, "WHERE id = ?", account_id))

    async def account_by_email(self, email: str) -> Account | None:
        return await self._database.look(lambda c: people.by_email(c, email))

    async def update_account(self, account: Account) -> Account:
        return await self._database.write(lambda c: people.update(c, account))

    async def list_accounts(self, after: str = "", limit: int = 100) -> list[Account]:
        return await self._database.read(lambda c: people.page(c, after, limit))

    async def leaving(self, at: datetime, limit: int = 100) -> list[Account]:
        return await self._database.read(lambda c: people.leaving(c, at, limit))

    async def delete_account(self, account_id: str) -> bool:
        return await self._database.write(lambda c: people.delete(c, account_id))

    async def put_subscription(self, subscription: Subscription) -> None:
        await self._database.write(lambda c: people.put_subscription(c, subscription))

    async def subscriber(self, account_id: str) -> tuple[Account, list[Subscription]] | None:
        return await self._database.look(lambda c: people.subscriber(c, account_id))

    async def subscriptions(self, account_id: str) -> list[Subscription]:
        return await self._database.read(lambda c: people.subscriptions(c, account_id))

    async def take(
        self, account_id: str, resource: str, period: date, amount: int, limit: int | None, operation_id: str
    ) -> int:
        return await self._database.write(
            lambda c: people.take(c, account_id, resource, period, amount, limit, operation_id)
        )

    async def usage(self, account_id: str, period: date) -> dict[str, int]:
        return await self._database.read(lambda c: people.usage(c, account_id, period))

    async def put_session(self, session: Session) -> None:
        await self._database.write(lambda c: people.put_session(c, session))

    async def session(self, session_id: str) -> Session | None:
        return await self._database.look(lambda c: SESSIONS.first(c, "WHERE id = ?", session_id))

    async def sessions(self, account_id: str) -> list[Session]:
        clauses = "WHERE account_id = ? ORDER BY created_at DESC, id DESC"
        return await self._database.read(lambda c: SESSIONS.all(c, clauses, account_id))

    async def end_sessions(self, account_id: str, at: datetime, session_ids: Sequence[str] | None = None) -> int:
        return await self._database.write(lambda c: people.end_sessions(c, account_id, at, session_ids))

    async def rotate_session(self, session: Session, expected: str) -> bool:
        return await self._database.write(lambda c: people.rotate_session(c, session, expected))

    async def put_second_factor(self, factor: SecondFactor) -> None:
        await self._database.write(lambda c: credentials.put_second_factor(c, factor))

    async def second_factor(self, account_id: str) -> SecondFactor | None:
        return await self._database.read(lambda c: SECOND_FACTORS.first(c, "WHERE account_id = ?", account_id))

    async def use_step(self, account_id: str, step: int) -> bool:
        return await self._database.write(lambda c: credentials.use_step(c, account_id, step))

    async def remove_second_factor(self, account_id: str) -> bool:
        return await self._database.write(lambda c: credentials.remove_second_factor(c, account_id))

    async def put_codes(self, account_id: str, kind: CodeKind, codes: Sequence[OneTimeCode]) -> None:
        await self._database.write(lambda c: credentials.put_codes(c, account_id, kind, codes))

    async def use_code(self, account_id: str, kind: CodeKind, code_hash: str, at: datetime) -> bool:
        return await self._database.write(lambda c: credentials.use_code(c, account_id, kind, code_hash, at))

    async def codes_left(self, account_id: str, kind: CodeKind, at: datetime) -> int:
        return await self._database.read(lambda c: credentials.codes_left(c, account_id, kind, at))

    async def admit(self, key: str, at: datetime, pause: Pause, forget: timedelta) -> datetime | None:
        return await self._database.write(lambda c: credentials.admit(c, key, at, pause, forget))

    async def take_back(self, key: str, attempts: int | None = None) -> None:
        await self._database.write(lambda c: credentials.take_back(c, key, attempts))

    async def append_audit(self, entry: AuditEntry, seal: Seal | None = None) -> AuditEntry:
        return await self._database.write(lambda c: log.append(c, entry, seal))

    async def audit(
        self, after: int = 0, limit: int = 100, where: AuditFilter = EVERYTHING, *, newest: bool = False
    ) -> list[AuditEntry]:
        return await self._database.read(lambda c: log.page(c, after, limit, where, newest))
