"""Any order of calls, with time going by, leaves a `Cache` in the same state as plain dictionaries."""

import asyncio
from collections import Counter
from datetime import UTC, datetime

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from multidb_chat.domain.cache import ANALYTICS_TTL, Cache, Notification

KEYS = st.sampled_from(["cache:faq:1", "cache:vector:1", "session:user:ada"])
SCOPES = st.sampled_from(["papers", "essays"])
METRICS = st.sampled_from(["questions", "answers"])
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
        self.generations: Counter[str] = Counter()
        self.operations: dict[tuple[str, str], float] = {}
        self.counters: Counter[str] = Counter()
        self.days: dict[str, Counter[str]] = {}
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

    @rule(key=KEYS)
    def deletes(self, key: str) -> None:
        assert self.does(self.cache.delete, key) is (self.value(key) is not None)
        self.values.pop(key, None)

    @rule(scope=SCOPES)
    def invalidates(self, scope: str) -> None:
        self.generations[scope] += 1
        assert self.does(self.cache.invalidate, scope) == self.generations[scope]

    @rule(metric=METRICS, operation=st.sampled_from(["turn-1", "turn-2"]), amount=st.integers(1, 5))
    def counts(self, metric: str, operation: str, amount: int) -> None:
        if self.operations.get((metric, operation), 0.0) <= self.now:
            self.operations[metric, operation] = self.now + ANALYTICS_TTL
            self.counters[metric] += amount
            day = datetime.fromtimestamp(self.now, UTC).date().isoformat()
            self.days.setdefault(day, Counter())[metric] += amount
        assert self.does(self.cache.count, metric, operation, amount) == self.counters[metric]

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

    @invariant()
    def everything_is_as_in_the_model(self) -> None:
        for key in ("cache:faq:1", "cache:vector:1", "session:user:ada"):
            assert self.does(self.cache.get, key) == self.value(key)
        for scope in ("papers", "essays"):
            assert self.does(self.cache.generation, scope) == self.generations[scope]
        for metric in ("questions", "answers"):
            assert self.does(self.cache.counter, metric) == self.counters[metric]
        for day, figures in self.days.items():
            assert self.does(self.cache.daily, datetime.fromisoformat(day).date()) == figures
        for account, lines in self.inboxes.items():
            newest = sorted(lines.values(), key=lambda line: (line.at, line.id), reverse=True)
            assert self.does(self.cache.notifications, account) == newest

    def teardown(self) -> None:
        if hasattr(self, "cache"):
            self.does(self.close)
        self.runner.close()
