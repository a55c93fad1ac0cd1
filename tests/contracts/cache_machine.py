"""Any order of calls, with time going by, leaves a `Cache` in the same state as plain dictionaries."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from multidb_chat.domain.cache import ANALYTICS_DAYS, ANALYTICS_TTL, Cache, Count, Notification

KEYS = st.sampled_from(["cache:faq:1", "cache:vector:1", "session:user:ada"])
SCOPES = st.sampled_from(["papers", "essays"])
FIGURES = st.dictionaries(st.sampled_from(["questions", "answers"]), st.integers(1, 5), min_size=1)
ACCOUNTS = st.sampled_from(["ada", "bob"])
WINDOWS = {"login": 10.0, "ask": 60.0}
START = 1_700_000_000.0


class CacheMachine(RuleBasedStateMachine):
    """A backend gives `open`, `close` and `pass_time`; its clock begins at `START`."""

    cache: Cache

    async def open(self) -> Cache:
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError

    async def pass_time(self, seconds: float) -> None:
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.now = START
        self.values: dict[str, tuple[bytes, float]] = {}
        self.generations: dict[str, int] = {}
        self.owners: dict[str, str] = {}
        self.operations: dict[str, float] = {}
        self.counters: dict[str, Counter[str]] = {owner: Counter() for owner in ("ada", "bob", "")}
        self.days: dict[str, dict[date, Any]] = {owner: {} for owner in ("ada", "bob", "")}
        self.inboxes: dict[str, dict[str, Notification]] = {"ada": {}, "bob": {}}
        self.places: dict[str, list[float]] = {}

    def does(self, call, *arguments):
        return self.runner.run(call(*arguments))

    def value(self, key: str) -> bytes | None:
        value, end = self.values.get(key, (None, 0.0))
        return value if end > self.now else None

    @initialize()
    def opens(self) -> None:
        self.cache = self.does(self.open)
        scopes = ("papers", "essays")
        self.generations = dict(zip(scopes, self.does(self.cache.generation, *scopes), strict=True))

    @rule()
    def is_closed_and_opened_again(self) -> None:
        self.does(self.close)
        self.cache = self.does(self.open)

    @rule(seconds=st.sampled_from([0.5, 7.0, 61.0, 4_000.0, ANALYTICS_TTL / 2]))
    def time_goes_by(self, seconds: float) -> None:
        self.does(self.pass_time, seconds)
        self.now += seconds

    @rule(key=KEYS, value=st.binary(max_size=8), ttl=st.sampled_from([5.0, 60.0, 3_600.0]))
    def puts(self, key: str, value: bytes, ttl: float) -> None:
        self.does(self.cache.put, key, value, ttl)
        self.values[key] = (value, self.now + ttl)
        self.owners.pop(key, None)

    @rule(key=KEYS)
    def deletes(self, key: str) -> None:
        assert self.does(self.cache.delete, key) is (self.value(key) is not None)
        self.values.pop(key, None)
        self.owners.pop(key, None)

    @rule(scope=SCOPES)
    def invalidates(self, scope: str) -> None:
        self.generations[scope] += 1
        assert self.does(self.cache.invalidate, scope) == self.generations[scope]

    @rule(account=ACCOUNTS, operation=st.sampled_from(["turn-1", "turn-2"]), figures=FIGURES)
    def counts(self, account: str, operation: str, figures: dict[str, int]) -> None:
        at = datetime.fromtimestamp(self.now, UTC)
        if self.operations.get(operation, 0.0) <= self.now:
            self.operations[operation] = self.now + ANALYTICS_TTL
            for owner in (account, ""):
                for metric, amount in figures.items():
                    self.counters[owner][metric] += amount
                    self.days[owner].setdefault(at.date(), Counter())[metric] += amount
        self.does(self.cache.count, [Count(operation, account, at, figures)])

    @rule(account=ACCOUNTS, key=KEYS)
    def puts_for_an_account(self, account: str, key: str) -> None:
        self.does(self.cache.put, key, account.encode(), 60.0, account)
        self.values[key] = (account.encode(), self.now + 60.0)
        self.owners[key] = account

    @rule(account=ACCOUNTS)
    def forgets(self, account: str) -> None:
        self.does(self.cache.forget, account)
        self.inboxes[account] = {}
        self.counters[account], self.days[account] = Counter(), {}
        for key in [key for key, owner in self.owners.items() if owner == account]:
            del self.values[key], self.owners[key]

    @rule(account=ACCOUNTS, key=st.sampled_from("abcdef"), second=st.integers(0, 3))
    def notifies(self, account: str, key: str, second: int) -> None:
        line = Notification(key, account, datetime.fromtimestamp(START + second, UTC), f"{key}{second}")
        self.does(self.cache.notify, line)
        self.inboxes[account].setdefault(key, line)

    @rule(account=ACCOUNTS)
    def clears_an_inbox(self, account: str) -> None:
        assert self.does(self.cache.clear_notifications, account) == len(self.inboxes[account])
        self.inboxes[account] = {}

    @rule(name=st.sampled_from(sorted(WINDOWS)), limit=st.integers(1, 3))
    def takes_a_place(self, name: str, limit: int) -> None:
        window = WINDOWS[name]
        inside = [at for at in self.places.get(name, []) if at > self.now - window]
        wait = self.does(self.cache.take_rate, name, limit, window, self.now)
        if len(inside) < limit:
            assert wait == 0.0
            inside.append(self.now)
        else:
            assert abs(wait - (inside[len(inside) - limit] + window - self.now)) < 1e-3
        self.places[name] = inside

    @rule()
    def purges(self) -> None:
        over = [key for key in self.values if self.value(key) is None]
        assert 0 <= self.does(self.cache.purge) <= len(over)
        assert self.does(self.cache.purge) == 0
        self.values = {key: entry for key, entry in self.values.items() if key not in over}
        self.owners = {key: owner for key, owner in self.owners.items() if key not in over}
        self.days = {owner: self.in_time(days) for owner, days in self.days.items()}
        for owner, days in self.days.items():
            assert self.does(self.cache.days, date.min, date.max, owner) == days

    def in_time(self, days: Mapping[date, Mapping[str, int]]) -> dict[date, Mapping[str, int]]:
        """Return the days in their time; others are there until a purge, or went before."""
        oldest = datetime.fromtimestamp(self.now, UTC).date() - timedelta(days=ANALYTICS_DAYS)
        return {day: figures for day, figures in days.items() if day >= oldest}

    @invariant()
    def everything_is_as_in_the_model(self) -> None:
        for key in ("cache:faq:1", "cache:vector:1", "session:user:ada"):
            assert self.does(self.cache.get, key) == self.value(key)
        for scope in ("papers", "essays"):
            assert self.does(self.cache.generation, scope) == (self.generations[scope],)
        for owner in ("ada", "bob", ""):
            assert self.does(self.cache.counters, owner) == self.counters[owner]
            counted = self.does(self.cache.days, date.min, date.max, owner)
            assert self.in_time(counted) == self.in_time(self.days[owner])
        for account, lines in self.inboxes.items():
            newest = sorted(lines.values(), key=lambda line: (line.at, line.id), reverse=True)
            assert self.does(self.cache.notifications, account) == newest

    def teardown(self) -> None:
        if hasattr(self, "cache"):
            self.does(self.close)
        self.runner.close()
