"""`PostgresAccounts`: the port `Accounts` on a PostgreSQL server."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from multidb_chat.adapters.postgres import accounts_audit as log
from multidb_chat.adapters.postgres import accounts_credentials as credentials
from multidb_chat.adapters.postgres import accounts_people as people
from multidb_chat.adapters.postgres import accounts_sessions as logins
from multidb_chat.adapters.postgres import accounts_usage as uses
from multidb_chat.adapters.postgres.database import Database
from multidb_chat.domain.accounts import Account, Session, Subscription
from multidb_chat.domain.audit import EVERYTHING, AuditEntry, AuditFilter, Seal
from multidb_chat.domain.credentials import CodeKind, OneTimeCode, Pause, SecondFactor


class PostgresAccounts:
    """The port `Accounts` in a database that it may share with other stores; the port's docstrings specify it.

    Every write is done once, also when the server's reply is lost: see `Database.apply` and `Database.write`, of which
    each uses the one that fits. Text is any Unicode, NUL included; lone surrogates are refused with `InvalidInput`, in
    questions too.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def close(self) -> None:
        """Finish what is being written and close the database, for all that share it."""
        await self._database.close()

    async def create_account(self, account: Account) -> None:
        await people.create(self._database, account)

    async def account(self, account_id: str) -> Account | None:
        return await people.by_id(self._database, account_id)

    async def account_by_email(self, email: str) -> Account | None:
        return await people.by_email(self._database, email)

    async def update_account(self, account: Account) -> Account:
        return await people.update(self._database, account)

    async def list_accounts(self, after: str = "", limit: int = 100) -> list[Account]:
        return await people.page(self._database, after, limit)

    async def leaving(self, at: datetime, limit: int = 100) -> list[Account]:
        return await people.leaving(self._database, at, limit)

    async def delete_account(self, account_id: str) -> bool:
        return await people.delete(self._database, account_id)

    async def put_subscription(self, subscription: Subscription) -> None:
        await people.put_subscription(self._database, subscription)

    async def subscriber(self, account_id: str) -> tuple[Account, list[Subscription]] | None:
        return await people.subscriber(self._database, account_id)

    async def subscriptions(self, account_id: str) -> list[Subscription]:
        return await people.subscriptions(self._database, account_id)

    async def take(
        self, account_id: str, resource: str, period: date, amount: int, limit: int | None, operation_id: str
    ) -> int:
        return await uses.take(self._database, uses.Use(account_id, period, resource, amount, limit, operation_id))

    async def usage(self, account_id: str, period: date) -> dict[str, int]:
        return await uses.usage(self._database, account_id, period)

    async def put_session(self, session: Session) -> None:
        await logins.put(self._database, session)

    async def session(self, session_id: str) -> Session | None:
        return await logins.by_id(self._database, session_id)

    async def sessions(self, account_id: str) -> list[Session]:
        return await logins.of(self._database, account_id)

    async def rotate_session(self, session: Session, expected: str) -> bool:
        return await logins.rotate(self._database, session, expected)

    async def end_sessions(self, account_id: str, at: datetime, session_ids: Sequence[str] | None = None) -> int:
        return await logins.end(self._database, account_id, at, session_ids)

    async def put_second_factor(self, factor: SecondFactor) -> None:
        await credentials.put_second_factor(self._database, factor)

    async def second_factor(self, account_id: str) -> SecondFactor | None:
        return await credentials.second_factor(self._database, account_id)

    async def use_step(self, account_id: str, step: int) -> bool:
        return await credentials.use_step(self._database, account_id, step)

    async def remove_second_factor(self, account_id: str) -> bool:
        return await credentials.remove_second_factor(self._database, account_id)

    async def put_codes(self, account_id: str, kind: CodeKind, codes: Sequence[OneTimeCode]) -> None:
        await credentials.put_codes(self._database, account_id, kind, codes)

    async def use_code(self, account_id: str, kind: CodeKind, code_hash: str, at: datetime) -> bool:
        return await credentials.use_code(self._database, account_id, kind, code_hash, at)

    async def codes_left(self, account_id: str, kind: CodeKind, at: datetime) -> int:
        return await credentials.codes_left(self._database, account_id, kind, at)

    async def admit(self, key: str, at: datetime, pause: Pause, forget: timedelta) -> datetime | None:
        return await credentials.admit(self._database, credentials.Attempt(key, at, forget), pause)

    async def take_back(self, key: str, attempts: int | None = None) -> None:
        await credentials.take_back(self._database, key, attempts)

    async def append_audit(self, entry: AuditEntry, seal: Seal | None = None) -> AuditEntry:
        return await log.append(self._database, entry, seal)

    async def audit(
        self, after: int = 0, limit: int = 100, where: AuditFilter = EVERYTHING, *, newest: bool = False
    ) -> list[AuditEntry]:
        return await log.page(self._database, after, limit, where, newest)
