"""`Breaker`: no call goes to a store that has just failed several times; one at a time finds out whether it is back.

::

            5 failures in 10 s               the probe's time has come
    closed ───────────────────► open ────────────────────────► probing
      ▲                          ▲   a failure: twice the pause   │
      │                          └────────────────────────────────┤
      └───────────────────────── 3 successes, one after the other ┘

Only a store that is away is a failure. A refusal (`Conflict`, `QuotaExceeded` ...) is an answer, and so a success.
"""

import random
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from multidb_chat.domain.errors import StoreUnavailable

FAILURES = 5
WINDOW = 10.0
"""So many failures within so many seconds open the breaker, where nothing else is said."""
SHORTEST, LONGEST = 1.0, 5.0
"""Seconds before a probe: the first pause, doubled at each failed probe up to the longest.

However long a store was away, it is to be used again within ten seconds of coming back. The last probe before that may
have failed as late as its deadline (5 s), the next one follows after half to all of the longest pause, and no pause
parts the successes that close the breaker. One call in a few seconds is no load for a server that is starting.
"""
SUCCESSES = 3
"""So many probes in a row have to succeed before everybody is let through."""

State = Literal["closed", "open", "probing"]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Breaker:
    """The breaker of one store in one process; it opens at `failures` within `WINDOW`. `clock` counts seconds, `now`
    tells the time, `chance` is 0 to 1. `changed` is told of every change of `state`.

    Every call asks `admit` and gives back the ticket it got: by `succeeded`, `failed` or, where the call says nothing
    about the store (it was cancelled), `dropped`. What comes back from before a change of state changes nothing.
    """

    def __init__(
        self,
        store: str,
        *,
        failures: int = FAILURES,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = _utc_now,
        chance: Callable[[], float] = random.random,
        changed: Callable[["Breaker"], None] = lambda _: None,
    ) -> None:
        self.store = store
        self.state: State = "closed"
        self.since: datetime | None = None
        """When the store was found to be away: the first of the failures that opened the breaker."""
        self.error = ""
        """What the store's last failure said."""
        self._clock = clock
        self._now = now
        self._chance = chance
        self._changed = changed
        self._failures: deque[tuple[float, datetime]] = deque(maxlen=failures)
        self._ticket = 0
        self._probe_out = False
        self._probe_at = 0.0
        self._pause = SHORTEST
        self._successes = 0

    def admit(self) -> int:
        """Return the ticket of a call that may go to the store. Raises `StoreUnavailable` when none may now."""
        if self.state == "open" and self._clock() >= self._probe_at:
            self._become("probing")
        if self.state == "closed":
            return self._ticket
        if self.state == "open" or self._probe_out:
            raise StoreUnavailable(self.store, self.told())
        self._probe_out = True
        self._ticket += 1  # what was admitted before is no probe
        return self._ticket

    def succeeded(self, ticket: int) -> None:
        """Take a ticket back: the store answered."""
        if ticket != self._ticket or self.state != "probing":
            return
        self._probe_out = False
        self._successes += 1
        if self._successes >= SUCCESSES:
            self._become("closed")

    def failed(self, ticket: int, error: str) -> None:
        """Take a ticket back: the store was away, as `error` says in a line."""
        if ticket != self._ticket or self.state == "open":
            return
        self.error = error
        if self.state == "probing":
            self._pause = min(2 * self._pause, LONGEST)
            self._become("open")
            return
        at = self._clock()
        self._failures.append((at, self._now()))
        if len(self._failures) == self._failures.maxlen and at - self._failures[0][0] <= WINDOW:
            self.since = self._failures[0][1]
            self._pause = SHORTEST
            self._become("open")

    def dropped(self, ticket: int) -> None:
        """Take a ticket back that says nothing about the store."""
        if ticket == self._ticket and self.state == "probing":
            self._probe_out = False

    def told(self) -> str:
        """Return in a line that the store is away, since when and why."""
        since = f" since {self.since:%H:%M:%S} UTC" if self.since else ""
        return f"The {self.store} store is away{since}: {self.error}"

    def _become(self, state: State) -> None:
        self.state = state
        self._ticket += 1
        self._probe_out = False
        self._successes = 0
        self._failures.clear()
        if state == "open":
            # Between half of the pause and all of it, so that processes do not all ask at the same moment.
            self._probe_at = self._clock() + self._pause * (0.5 + 0.5 * self._chance())
        elif state == "closed":
            self.since, self.error = None, ""
        self._changed(self)
