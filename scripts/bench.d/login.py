"""Measures whether a refused log-in tells by its time if the account exists.

    scripts/bench login [--cost N] [--count N]

Known and unknown addresses take turns, each with a wrong password, on the embedded store with real hashes and a clock
that runs ahead, so that nobody has to wait. `--cost` is bcrypt's; the installation's own is 12, a lower one makes the
hash a smaller part of the time and a gap easier to see.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from multidb_chat.adapters.security.anchor_file import AnchorFile
from multidb_chat.adapters.security.judging import Judge
from multidb_chat.adapters.security.key_file import KeyFile
from multidb_chat.adapters.security.passwords import BcryptHasher
from multidb_chat.adapters.security.time_codes import TotpCodes
from multidb_chat.adapters.security.tokens import JwtSigner
from multidb_chat.adapters.sqlite.accounts import SqliteAccounts
from multidb_chat.domain.errors import LogInRefused
from multidb_chat.services.audit import AuditLog
from multidb_chat.services.authentication.composing import SigningIn
from multidb_chat.services.authentication.service import Authentication

KNOWN = 20
PASSWORD = "turning the brass key"


class Clock:
    """A clock that is two hours further at each attempt."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def run_ahead(self) -> None:
        self.now += timedelta(hours=2)


async def refused(service: Authentication, email: str) -> float:
    """Return the seconds that a refused log-in takes."""
    begin = time.perf_counter()
    try:
        await service.log_in(email, "not the password", client="bench")
    except LogInRefused:
        return time.perf_counter() - begin
    raise AssertionError("a wrong password was let in")


async def measure(cost: int, count: int) -> dict[str, list[float]]:
    """Return the times of known and of unknown addresses."""
    clock = Clock()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        accounts, keys, hasher = SqliteAccounts(folder / "a.sqlite"), KeyFile(folder / "keys.json"), BcryptHasher(cost)
        audit = AuditLog(accounts, keys, AnchorFile(folder / "audit.head"), clock=clock)
        both = SigningIn(
            accounts, keys, audit, hasher=hasher, judge=Judge(), signer=JwtSigner(), codes=TotpCodes(), origin="local",
            clock=clock,
        )  # fmt: skip
        service = both.authentication
        for number in range(KNOWN):
            await service.register(None, f"known{number}@example.org", PASSWORD, client="bench")
            clock.run_ahead()
        times: dict[str, list[float]] = {"known": [], "unknown": []}
        for number in range(count):
            for kind in random.sample(["known", "unknown"], 2):
                times[kind].append(await refused(service, f"{kind}{number % KNOWN}@example.org"))
                clock.run_ahead()
        await hasher.close()
        await accounts.close()
    return times


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cost", type=int, default=8)
    parser.add_argument("--count", type=int, default=1_000)
    options = parser.parse_args()
    times = asyncio.run(measure(options.cost, options.count))
    medians = {kind: statistics.median(found) * 1000 for kind, found in times.items()}
    gap = abs(medians["known"] - medians["unknown"]) / medians["known"]
    print(f"bcrypt cost {options.cost}, {options.count:,} refused log-ins each")
    for kind, found in times.items():
        p95 = statistics.quantiles(found, n=20)[-1] * 1000
        print(f"{kind:<8} median {medians[kind]:7.2f} ms   p95 {p95:7.2f} ms")
    print(f"gap of the medians: {gap:.2%} (to be below 5%)")


if __name__ == "__main__":
    main()
