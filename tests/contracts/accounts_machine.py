"""Any order of calls leaves an `Accounts` in the same state as plain dictionaries."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from multidb_chat.domain.accounts import Account, Accounts, Session, Subscription
from multidb_chat.domain.audit import AuditEntry
from multidb_chat.domain.errors import Conflict, NotFound, QuotaExceeded
from tests.contracts.accounts_processes import NOW

IDS = st.sampled_from(["ada", "bob", "eve"])
EMAILS = st.sampled_from([None, "a@example.org", "A@EXAMPLE.ORG", "b@example.org"])
PLANS = st.sampled_from(["free", "pro", "enterprise"])
PERIODS = st.sampled_from([date(2026, 1, 1), date(2026, 2, 1)])
RESOURCES = st.sampled_from(["messages", "documents"])
KEYS = st.sampled_from(["1", "2", "3", "4"])
MINUTES = st.integers(0, 20)
ACTIONS = st.sampled_from(["asked", "answered"])


class AccountsMachine(RuleBasedStateMachine):
    """A backend gives `open`; opening again after closing finds what was stored."""

    def open(self) -> AbstractAsyncContextManager[Accounts]:
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.accounts: dict[str, Account] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.sessions: dict[str, Session] = {}
        self.used: dict[tuple[str, date, str], int] = {}
        self.operations: set[tuple[str, str]] = set()
        self.log: list[AuditEntry] = []

    @initialize()
    def begin(self) -> None:
        self.stack = AsyncExitStack()
        self.store = self.runner.run(self.stack.enter_async_context(self.open()))

    @rule()
    def open_again(self) -> None:
        self.runner.run(self.stack.aclose())
        self.begin()

    def teardown(self) -> None:
        self.runner.run(self.stack.aclose())
        self.runner.close()

    def meets(self, expected: object, call: Callable, *arguments: object) -> None:
        """Call the store: it returns what is expected, or raises it where that is an error's class."""
        try:
            outcome = self.runner.run(call(*arguments))
        except (NotFound, Conflict, QuotaExceeded) as error:
            outcome = type(error)
        assert outcome == expected

    def address_taken(self, account: Account) -> bool:
        return account.email is not None and any(
            other.email is not None and other.email.casefold() == account.email.casefold()
            for other in self.accounts.values()
            if other.id != account.id
        )

    @rule(key=IDS, email=EMAILS, plan=PLANS)
    def create_account(self, key: str, email: str | None, plan: str) -> None:
        account = Account(key, "user", plan, NOW, email)  # type: ignore[arg-type]
        taken = key in self.accounts or self.address_taken(account)
        self.meets(Conflict if taken else None, self.store.create_account, account)
        if not taken:
            self.accounts[key] = account

    @rule(key=IDS, email=EMAILS, behind=st.integers(0, 1))
    def update_account(self, key: str, email: str | None, behind: int) -> None:
        current = self.accounts.get(key, Account(key, "user", "free", NOW))
        changed = replace(current, email=email, version=current.version - behind)
        if key not in self.accounts:
            self.meets(NotFound, self.store.update_account, changed)
        elif behind or self.address_taken(changed):
            self.meets(Conflict, self.store.update_account, changed)
        else:
            self.accounts[key] = replace(changed, version=changed.version + 1)
            self.meets(self.accounts[key], self.store.update_account, changed)

    @rule(key=IDS)
    def delete_account(self, key: str) -> None:
        self.meets(self.accounts.pop(key, None) is not None, self.store.delete_account, key)
        for records in (self.subscriptions, self.sessions):
            for gone in [record.id for record in records.values() if record.account_id == key]:
                del records[gone]
        self.used = {place: figure for place, figure in self.used.items() if place[0] != key}
        self.operations = {operation for operation in self.operations if operation[0] != key}

    @rule(key=KEYS, owner=IDS, plan=PLANS, minutes=MINUTES)
    def put_subscription(self, key: str, owner: str, plan: str, minutes: int) -> None:
        record = Subscription(key, owner, plan, NOW + timedelta(minutes=minutes))  # type: ignore[arg-type]
        self.meets(None if owner in self.accounts else NotFound, self.store.put_subscription, record)
        if owner in self.accounts:
            self.subscriptions[key] = record

    @rule(
        key=IDS, resource=RESOURCES, period=PERIODS, amount=st.integers(1, 3),
        limit=st.none() | st.integers(0, 8), operation=st.integers(0, 9).map(str),
    )  # fmt: skip
    def take(self, key: str, resource: str, period: date, amount: int, limit: int | None, operation: str) -> None:
        place = key, period, resource
        used = self.used.get(place, 0)
        expected: object = used
        if key not in self.accounts:
            expected = NotFound
        elif (key, operation) not in self.operations:
            if limit is not None and used + amount > limit:
                expected = QuotaExceeded
            else:
                self.operations.add((key, operation))
                expected = self.used[place] = used + amount
        self.meets(expected, self.store.take, key, resource, period, amount, limit, operation)

    @rule(key=KEYS, owner=IDS, minutes=MINUTES, refresh=KEYS)
    def put_session(self, key: str, owner: str, minutes: int, refresh: str) -> None:
        at = NOW + timedelta(minutes=minutes)
        session = Session(key, owner, at, at + timedelta(hours=1), refresh)
        self.meets(None if owner in self.accounts else NotFound, self.store.put_session, session)
        if owner in self.accounts:
            self.sessions[key] = session

    @rule(owner=IDS, keys=st.none() | st.lists(KEYS))
    def end_sessions(self, owner: str, keys: list[str] | None) -> None:
        ending = [
            session
            for session in self.sessions.values()
            if session.account_id == owner and session.ended_at is None and (keys is None or session.id in keys)
        ]
        for session in ending:
            self.sessions[session.id] = replace(session, ended_at=NOW)
        self.meets(len(ending), self.store.end_sessions, owner, NOW, keys)

    @rule(actor=IDS, action=ACTIONS)
    def append_audit(self, actor: str, action: str) -> None:
        entry = AuditEntry(NOW, actor, action, details={"n": str(len(self.log))})
        self.log.append(replace(entry, seq=len(self.log) + 1))
        self.meets(self.log[-1], self.store.append_audit, entry)

    @invariant()
    def all_is_as_in_the_model(self) -> None:
        self.runner.run(self.compare())

    async def compare(self) -> None:
        store = self.store
        assert await store.list_accounts() == [self.accounts[key] for key in sorted(self.accounts)]
        assert await store.audit() == self.log
        for key in ("ada", "bob", "eve"):
            assert await store.account(key) == self.accounts.get(key)
            assert await store.subscriptions(key) == _latest(self.subscriptions, key, "starts_at")
            assert await store.sessions(key) == _latest(self.sessions, key, "created_at")
            for period in (date(2026, 1, 1), date(2026, 2, 1)):
                assert await store.usage(key, period) == {
                    resource: figure
                    for (owner, at, resource), figure in self.used.items()
                    if (owner, at) == (key, period)
                }


def _latest(records: dict, owner: str, time: str) -> list:
    mine = [record for record in records.values() if record.account_id == owner]
    return sorted(mine, key=lambda record: (getattr(record, time), record.id), reverse=True)
