"""Any order of calls leaves credentials, attempts and rotating sessions in the same state as plain dictionaries."""

import asyncio
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from multidb_chat.domain.accounts import Account, Accounts, Session
from multidb_chat.domain.credentials import OneTimeCode, SecondFactor
from multidb_chat.domain.errors import NotFound
from tests.contracts.accounts_processes import NOW

IDS = st.sampled_from(["ada", "bob"])
KINDS = st.sampled_from(["recovery", "reset"])
HASHES = st.sampled_from(["1", "2", "3"])
MINUTES = st.integers(0, 90)
FORGET = timedelta(hours=1)


def pause(failures: int) -> timedelta:
    return timedelta(minutes=0 if failures <= 2 else 2 ** (failures - 2))


def at(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


class CredentialsMachine(RuleBasedStateMachine):
    """A backend gives `open`; opening again after closing finds what was stored. Ada has an account, Bob has none."""

    def open(self) -> AbstractAsyncContextManager[Accounts]:
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.now = 0
        self.factors: dict[str, SecondFactor] = {}
        self.codes: dict[tuple[str, str, str], datetime | None] = {}
        self.attempts: dict[str, tuple[int, datetime, datetime]] = {}
        self.session: Session | None = None

    @initialize()
    def begin(self) -> None:
        self.stack = AsyncExitStack()
        self.store = self.runner.run(self.stack.enter_async_context(self.open()))
        if self.runner.run(self.store.account("ada")) is None:
            self.runner.run(self.store.create_account(Account("ada", "user", "free", NOW)))

    @rule()
    def open_again(self) -> None:
        self.runner.run(self.stack.aclose())
        self.begin()

    def teardown(self) -> None:
        self.runner.run(self.stack.aclose())
        self.runner.close()

    def meets(self, expected: object, call: object) -> None:
        """Wait for the call: it returns what is expected, or raises `NotFound` where that is expected."""
        try:
            outcome: object = self.runner.run(call)  # type: ignore[arg-type]
        except NotFound:
            outcome = NotFound
        assert outcome == expected

    @rule(key=IDS, last=st.integers(0, 3))
    def put_second_factor(self, key: str, last: int) -> None:
        factor = SecondFactor(key, "secret", at(self.now), last)
        self.meets(None if key == "ada" else NotFound, self.store.put_second_factor(factor))
        if key == "ada":
            self.factors[key] = factor

    @rule(key=IDS, step=st.integers(0, 5))
    def use_step(self, key: str, step: int) -> None:
        factor = self.factors.get(key)
        good = factor is not None and step > factor.last_step
        self.meets(good, self.store.use_step(key, step))
        if factor is not None and good:
            self.factors[key] = replace(factor, last_step=step)

    @rule(key=IDS)
    def remove_second_factor(self, key: str) -> None:
        self.meets(self.factors.pop(key, None) is not None, self.store.remove_second_factor(key))
        self.codes = {place: end for place, end in self.codes.items() if place[:2] != (key, "recovery")}

    @rule(key=IDS, kind=KINDS, hashes=st.lists(HASHES, unique=True), end=st.none() | MINUTES)
    def put_codes(self, key: str, kind: str, hashes: list[str], end: int | None) -> None:
        expires = None if end is None else at(end)
        codes = [OneTimeCode(key, kind, one, expires) for one in hashes]  # type: ignore[arg-type]
        unknown = key != "ada" and bool(codes)
        self.meets(NotFound if unknown else None, self.store.put_codes(key, kind, codes))  # type: ignore[arg-type]
        if not unknown:
            self.codes = {place: kept for place, kept in self.codes.items() if place[:2] != (key, kind)}
            self.codes |= {(key, kind, one): expires for one in hashes}

    @rule(key=IDS, kind=KINDS, code=HASHES)
    def use_code(self, key: str, kind: str, code: str) -> None:
        place, now = (key, kind, code), at(self.now)
        end = self.codes.get(place)
        good = place in self.codes and (end is None or end > now)
        self.meets(good, self.store.use_code(key, kind, code, now))  # type: ignore[arg-type]
        if good:
            del self.codes[place]

    @rule(key=IDS)
    def admit(self, key: str) -> None:
        now = at(self.now)
        count, last, ready = self.attempts.get(key, (0, now, now))
        if last <= now - FORGET and ready <= now:
            count = 0
        if ready > now:
            self.meets(ready, self.store.admit(key, now, pause, FORGET))
            return
        self.meets(None, self.store.admit(key, now, pause, FORGET))
        self.attempts[key] = count + 1, now, now + pause(count + 1)

    @rule(key=IDS, attempts=st.none() | st.integers(1, 2))
    def take_back(self, key: str, attempts: int | None) -> None:
        self.meets(None, self.store.take_back(key, attempts))
        if key in self.attempts:
            count, last, _ = self.attempts.pop(key)
            if attempts is not None and count > attempts:
                self.attempts[key] = count - attempts, last, last

    @rule(minutes=st.integers(1, 70))
    def wait(self, minutes: int) -> None:
        self.now += minutes

    @rule(hashed=HASHES)
    def begin_session(self, hashed: str) -> None:
        self.session = Session("s", "ada", NOW, at(10_000), hashed)
        self.meets(None, self.store.put_session(self.session))

    @rule(expected=HASHES, following=HASHES)
    def rotate_session(self, expected: str, following: str) -> None:
        rotated = Session("s", "ada", NOW, at(10_000), following, expected, at(self.now))
        live = self.session is not None and self.session.ended_at is None
        good = live and self.session is not None and self.session.refresh_hash == expected
        self.meets(good, self.store.rotate_session(rotated, expected))
        if good:
            self.session = rotated

    @rule()
    def end_sessions(self) -> None:
        live = self.session is not None and self.session.ended_at is None
        self.meets(int(live), self.store.end_sessions("ada", at(self.now)))
        if live and self.session is not None:
            self.session = replace(self.session, ended_at=at(self.now))

    @invariant()
    def all_is_as_in_the_model(self) -> None:
        self.runner.run(self.compare())

    async def compare(self) -> None:
        now = at(self.now)
        assert await self.store.session("s") == self.session
        for key in ("ada", "bob"):
            assert await self.store.second_factor(key) == self.factors.get(key)
            for kind in ("recovery", "reset"):
                good = [
                    end
                    for (owner, of, _), end in self.codes.items()
                    if (owner, of) == (key, kind) and (end is None or end > now)
                ]
                assert await self.store.codes_left(key, kind, now) == len(good)  # type: ignore[arg-type]
