"""The breaker: opens after failures, asks one at a time whether the store is back, closes when it is."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from multidb_chat.domain.errors import StoreUnavailable
from multidb_chat.services.resilience.breaker import FAILURES, LONGEST, SHORTEST, SUCCESSES, WINDOW, Breaker

NOON = datetime(2026, 2, 28, 12, tzinfo=UTC)


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds - 1_000)


def a_breaker(clock: Clock) -> Breaker:
    return Breaker("accounts", clock=clock, now=clock.now, chance=lambda: 1.0)


def fail(breaker: Breaker, times: int = 1) -> None:
    for _ in range(times):
        breaker.failed(breaker.admit(), "refused")


def test_five_failures_within_ten_seconds_open_it_and_it_says_since_when_and_why():
    clock = Clock()
    breaker = a_breaker(clock)
    fail(breaker)
    for _ in range(FAILURES - 1):
        clock.seconds += WINDOW / (FAILURES - 1)
        fail(breaker)
    with pytest.raises(StoreUnavailable, match="The accounts store is away since 12:00:00 UTC: refused") as refused:
        breaker.admit()
    assert refused.value.store == "accounts"


def test_a_store_that_is_easily_missed_is_given_up_sooner():
    breaker = Breaker("cache", failures=2)
    fail(breaker)
    assert breaker.state == "closed"
    fail(breaker)
    assert breaker.state == "open"


def test_failures_further_apart_leave_it_closed():
    clock = Clock()
    breaker = a_breaker(clock)
    for _ in range(20):
        fail(breaker)
        clock.seconds += WINDOW / (FAILURES - 1) + 0.1
    assert breaker.state == "closed"


def test_answers_between_failures_do_not_keep_a_store_that_mostly_fails_open_to_all():
    clock = Clock()
    breaker = a_breaker(clock)
    for _ in range(FAILURES):
        breaker.succeeded(breaker.admit())
        fail(breaker)
    assert breaker.state == "open"


def test_one_probe_at_a_time_and_three_in_a_row_close_it():
    clock = Clock()
    breaker = a_breaker(clock)
    fail(breaker, FAILURES)
    clock.seconds += SHORTEST
    for _ in range(SUCCESSES):
        probe = breaker.admit()
        with pytest.raises(StoreUnavailable):
            breaker.admit()
        breaker.succeeded(probe)
    assert (breaker.state, breaker.since, breaker.error) == ("closed", None, "")


def test_each_failed_probe_doubles_the_pause_up_to_the_longest():
    clock = Clock()
    breaker = a_breaker(clock)
    fail(breaker, FAILURES)
    pause = SHORTEST
    for _ in range(8):
        clock.seconds += pause - 0.01
        with pytest.raises(StoreUnavailable):
            breaker.admit()
        clock.seconds += 0.01
        fail(breaker)
        pause = min(2 * pause, LONGEST)
    assert pause == LONGEST


@given(away=st.floats(0, 200), late=st.floats(0, 3), chance=st.floats(0, 1))
def test_a_store_that_is_back_is_used_again_within_ten_seconds_however_long_it_was_away(
    away: float, late: float, chance: float
):
    clock = Clock()
    breaker = Breaker("conversations", clock=clock, now=clock.now, chance=lambda: chance)
    fail(breaker, FAILURES)
    back = clock.seconds + away
    while breaker.state != "closed":
        try:
            ticket = breaker.admit()
        except StoreUnavailable:
            clock.seconds += 0.1  # until somebody calls again
            continue
        if clock.seconds < back:
            clock.seconds += late  # a probe that found nobody there goes on for so long, also beyond the return
            breaker.failed(ticket, "refused")
        else:
            breaker.succeeded(ticket)
    assert clock.seconds - back <= 10


def test_a_probe_that_was_cancelled_makes_room_for_the_next():
    clock = Clock()
    breaker = a_breaker(clock)
    fail(breaker, FAILURES)
    clock.seconds += SHORTEST
    breaker.dropped(breaker.admit())
    breaker.succeeded(breaker.admit())


class BreakerMachine(RuleBasedStateMachine):
    """Calls that end in any order against what the words of the specification say, kept as plainly as possible."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.breaker = a_breaker(self.clock)
        self.out: list[tuple[int, int]] = []  # tickets, with the era they were given in
        self.era = 0
        self.is_open = self.is_probing = False
        self.failures: list[float] = []
        self.probe_at = 0.0
        self.pause = SHORTEST
        self.successes = 0
        self.probes_out = 0

    def change(self, *, opened: bool = False, probing: bool = False) -> None:
        self.era += 1
        self.is_open, self.is_probing = opened, probing
        self.failures, self.successes, self.probes_out = [], 0, 0
        if opened:
            self.probe_at = self.clock.seconds + self.pause

    @rule(seconds=st.floats(0.01, 40))
    def wait(self, seconds: float) -> None:
        self.clock.seconds += seconds

    @rule()
    def begin(self) -> None:
        if self.is_open and self.clock.seconds >= self.probe_at:
            self.change(probing=True)
        admitted = not self.is_open and not (self.is_probing and self.probes_out)
        if not admitted:
            with pytest.raises(StoreUnavailable, match="away since"):
                self.breaker.admit()
            return
        if self.is_probing:
            self.era += 1
            self.probes_out += 1
        self.out.append((self.breaker.admit(), self.era))

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def succeed(self, data: st.DataObject) -> None:
        ticket, era = self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))
        self.breaker.succeeded(ticket)
        if era == self.era and self.is_probing:
            self.probes_out -= 1
            self.successes += 1
            if self.successes == SUCCESSES:
                self.change()

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        ticket, era = self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))
        self.breaker.failed(ticket, "refused")
        if era != self.era or self.is_open:
            return
        if self.is_probing:
            self.pause = min(2 * self.pause, LONGEST)
            self.change(opened=True)
            return
        self.failures.append(self.clock.seconds)
        latest = self.failures[-FAILURES:]
        if len(latest) == FAILURES and latest[-1] - latest[0] <= WINDOW:
            self.pause = SHORTEST
            self.change(opened=True)

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def drop(self, data: st.DataObject) -> None:
        ticket, era = self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))
        self.breaker.dropped(ticket)
        if era == self.era and self.is_probing:
            self.probes_out -= 1

    @invariant()
    def it_is_in_the_state_of_the_model(self) -> None:
        expected = "open" if self.is_open else "probing" if self.is_probing else "closed"
        assert self.breaker.state == expected
        assert (self.breaker.since is None) == (expected == "closed")
        assert self.probes_out <= 1


TestBreakerMachine = BreakerMachine.TestCase
TestBreakerMachine.settings = settings(max_examples=200, stateful_step_count=60, deadline=None)
