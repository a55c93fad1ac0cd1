"""Kill and freeze the four servers under people who ask, for long, and print what became of it beside what is aimed at.

    eval "$(scripts/services env)"; scripts/bench faults             an hour or more; skipped where a server is absent
    scripts/bench faults --rounds 2 --freeze 10 --rows 2000 --steps 300
    scripts/bench faults --only frozen --only journal                killed, frozen, journal, machines, cluster

It stops, kills and freezes the servers that TEST_SERVERS controls: nothing else may use them meanwhile.

killed: 50 people ask 40 questions each while each server in turn is killed (-9) and started again, every 5 s. frozen:
20 people go on asking while each server stands still (SIGSTOP) for 30 s, and from then on until its breaker is closed.
journal: messages said while the conversations are away, and how long it takes until their store has them, in order.
machines: the state machines of the contracts with so many steps a backend, against their models. cluster: three nodes
of which one is killed, as in tests/faults/test_cluster.py.
"""

import argparse
import asyncio
import logging
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine

root = Path(__file__).parents[2]
sys.path.insert(0, str(root))

from tests.faults.freezing import frozen  # noqa: E402
from tests.faults.living import User, all_messages, damage, furnish, is_well, kill_in_turn, live  # noqa: E402
from tests.faults.watching import lag, watched  # noqa: E402
from tests.installation import on_servers  # noqa: E402
from tests.servers import SERVERS, Server, control, variable  # noqa: E402

from multidb_chat.bootstrap import Application, open_application  # noqa: E402
from multidb_chat.domain.conversations import Message  # noqa: E402
from multidb_chat.domain.errors import StoreError  # noqa: E402
from multidb_chat.domain.ids import new_id  # noqa: E402
from multidb_chat.domain.library import Collection  # noqa: E402
from multidb_chat.services.accounts import utc_now  # noqa: E402
from multidb_chat.services.resilience.breaker import Breaker  # noqa: E402
from multidb_chat.settings import load_settings  # noqa: E402

PARTS = ("killed", "frozen", "journal", "machines", "cluster")
STORE_ON: dict[Server, str] = {
    "redis": "cache",
    "postgres": "accounts",
    "scylla": "conversations",
    "mongodb": "library",
}
RESTART = 8.0
"""Seconds that a server takes to start, on average; people think for so long that their questions last as long."""
LANES = 100


class Figure(NamedTuple):
    """What was measured, and what is aimed at."""

    what: str
    measured: str
    target: str
    good: bool


@contextmanager
def installation() -> Iterator[Any]:
    """Yield the settings of an installation on the servers, in a place that is removed at the end."""
    with tempfile.TemporaryDirectory() as folder, on_servers() as environment:
        yield load_settings(environ={"MULTIDB_CHAT_HOME": folder, **environment})


async def killed(application: Application, options: argparse.Namespace) -> list[Figure]:
    """Let people ask while servers are killed."""
    users, collections = await furnish(application, options.users)
    lasting = options.rounds * len(SERVERS) * (options.pause + RESTART)
    await asyncio.gather(
        kill_in_turn(SERVERS, options.rounds, options.pause),
        live(application, users, collections, options.questions, pause=lasting / options.questions),
    )
    await is_well(application)
    found = await damage(application, users)
    answers = sum(len(user.answers) for user in users)
    refused = sum(user.failed.total() for user in users)
    what = f"killed: {options.rounds} rounds, {answers:,} answers, {refused:,} refusals"
    return [
        Figure(f"{what}: lost", str(found.lost), "0", not found.lost),
        Figure("killed: doubled", str(found.doubled), "0", not found.doubled),
        Figure("killed: conversations out of order", str(found.disordered), "0", not found.disordered),
        Figure("killed: accounts whose usage is not exact", str(found.miscounted), "0", not found.miscounted),
    ]


async def stood_still(application: Application, options: argparse.Namespace) -> list[Figure]:
    """Freeze each server, and wait for the breaker of its store."""
    users, collections = await furnish(application, 20)
    await live(application, users, collections, 1)
    calls = watched(application)
    figures = []
    for server in SERVERS:
        asking = [asyncio.create_task(goes_on(application, user, collections)) for user in users]
        breaker = application._guard(STORE_ON[server]).breaker
        with lag() as seen:
            async with frozen(server):
                await asyncio.sleep(options.freeze)
                opened = breaker.state != "closed"
            back = time.monotonic()
        await until_closed(breaker)
        closed = time.monotonic() - back
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        await is_well(application)
        longest = max(call.beyond for call in calls)
        late = 1e3 * seen.share(0.99)
        name = f"{server} frozen {options.freeze:g} s"
        figures += [
            Figure(
                f"{name}: longest call beyond its deadline ({len(calls):,} calls)",
                f"{longest:+.2f} s", "<= 0.3 s", longest <= 0.3,
            ),
            Figure(f"{name}: lag of the loop, p99", f"{late:.0f} ms", "< 50 ms", late < 50),
            Figure(f"{name}: back until its breaker is closed", f"{closed:.1f} s", "<= 10 s", opened and closed <= 10),
        ]  # fmt: skip
        calls.clear()
    return figures


async def until_closed(breaker: Breaker) -> None:
    """Look at a breaker again and again, while others use what it guards."""
    while breaker.state != "closed":  # noqa: ASYNC110 - it tells one listener of its state, which is the outage log
        await asyncio.sleep(0.02)


async def goes_on(application: Application, user: User, collections: Sequence[Collection]) -> None:
    """Ask one question after the other, until cancelled."""
    number = 0
    while True:
        await user.ask(application, collections, f"Question {number} of {user.account.id}?")
        number += 1
        await asyncio.sleep(1)


async def journal(application: Application, options: argparse.Namespace) -> list[Figure]:
    """Say much while the conversations are away, and wait until their store has it."""
    store, account = application.conversations, application.account
    talks = [await application.history.start(account, f"Talk {number}") for number in range(LANES)]
    await asyncio.to_thread(control, "kill", "scylla")
    said: dict[str, list[str]] = {talk.id: [] for talk in talks}
    for first in range(0, options.rows, LANES):
        messages = [
            Message(new_id(), talks[number % LANES].id, account.id, "user", f"Number {number}", utc_now())
            for number in range(first, min(first + LANES, options.rows))
        ]
        await asyncio.gather(*(store.append(message) for message in messages))
        for message in messages:
            said[message.conversation_id].append(message.id)
    waiting = (await application.journal.backlog("conversations")).waiting
    await asyncio.to_thread(control, "start", "scylla")
    back = time.monotonic()
    breaker = application._guard("conversations").breaker
    while breaker.state != "closed":
        with suppress(StoreError):
            await store.knowledge("", "probe")
        await asyncio.sleep(0.1)
    closed = time.monotonic() - back
    await is_well(application)
    drained = time.monotonic() - back
    kept = {talk.id: [one.id for one in await all_messages(application, talk.id)] for talk in talks}
    wrong = sum(kept[talk] != ids for talk, ids in said.items())
    return [
        Figure("conversations back after kill -9: breaker closed", f"{closed:.1f} s", "<= 10 s", closed <= 10),
        Figure(f"journal: {waiting:,} rows drained since it is back", f"{drained:.1f} s", "<= 60 s", drained <= 60),
        Figure("journal: conversations that differ or are out of order", str(wrong), "0", not wrong),
    ]


class Machines:
    """A plugin of pytest that gives each state machine as many steps as are wanted, and counts them."""

    def __init__(self, steps: int) -> None:
        self.wanted = steps
        self.steps: dict[str, int] = {}
        self.failed: dict[str, int] = {}
        self._running = ""

    def pytest_itemcollected(self, item: Any) -> None:
        case = getattr(item, "cls", None)
        given = getattr(case, "settings", None)
        if isinstance(given, settings):
            each = given.stateful_step_count
            phases = [Phase.explicit, Phase.reuse, Phase.generate]  # making an example smaller takes for ever
            case.settings = settings(given, max_examples=-(-6 * self.wanted // (5 * each)), phases=phases)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._running = nodeid.split("::")[0].removeprefix("tests/adapters/") + " " + nodeid.split("::")[1]
        self.steps[self._running] = self.failed[self._running] = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.failed[self._running] += report.failed

    def count(self) -> None:
        """Count each step, which is followed by a look at the invariants."""
        check = RuleBasedStateMachine.check_invariants

        def counted(machine: RuleBasedStateMachine, *arguments: Any, **named: Any) -> None:
            self.steps[self._running] += 1
            check(machine, *arguments, **named)

        RuleBasedStateMachine.check_invariants = counted  # type: ignore[method-assign]


def machines(options: argparse.Namespace) -> list[Figure]:
    """Run the state machines of all backends."""
    plugin = Machines(options.steps)
    plugin.count()
    files = sorted(
        str(path.relative_to(root))
        for path in root.glob("tests/adapters/*/test_*.py")
        if "Machine" in path.read_text(encoding="utf-8")
    )
    pytest.main(
        ["-q", "--disable-warnings", "-p", "no:cacheprovider", "-o", "timeout=0", "-k", "runTest", *files],
        plugins=[plugin],
    )
    return [
        Figure(
            f"{name}: steps",
            f"{steps:,}{', differs' if plugin.failed[name] else ''}",
            f">= {options.steps:,}, the same",
            steps >= options.steps and not plugin.failed[name],
        )
        for name, steps in plugin.steps.items()
    ]  # fmt: skip


def cluster(_: argparse.Namespace) -> list[Figure]:
    """Run the test of the cluster."""
    os.environ["TEST_CLUSTER"] = "1"
    begin = time.monotonic()
    status = pytest.main(
        ["-q", "--disable-warnings", "-p", "no:cacheprovider", str(root / "tests/faults/test_cluster.py")]
    )
    took = f"{time.monotonic() - begin:.0f} s"
    what = "three nodes, one killed: nothing failed, nothing lost"
    return [Figure(what, f"{'yes' if status == 0 else 'no'} ({took})", "yes", status == 0)]


async def with_application(part: Any, options: argparse.Namespace, given: Any) -> list[Figure]:
    async with open_application(given) as application:
        found: list[Figure] = await part(application, options)
        return found


def show(figures: Sequence[Figure]) -> None:
    for figure in figures:
        missed = "" if figure.good else "MISSED"
        print(f"{figure.what:76}{figure.measured:>16}   {figure.target:22}{missed}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure what becomes of faults.")
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--questions", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--pause", type=float, default=5.0, help="seconds between two kills")
    parser.add_argument("--freeze", type=float, default=30.0, help="seconds that each server stands still")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--only", action="append", choices=PARTS)
    options = parser.parse_args()
    absent = [name for name in (*map(variable, SERVERS), "TEST_SERVERS") if not os.environ.get(name)]
    if absent:
        print(f"skipped: {', '.join(absent)} not set (scripts/services env)")
        return 0
    logging.disable(logging.WARNING)  # drivers tell at length what happens to them
    figures: list[Figure] = []
    for part in options.only or PARTS:
        if part in ("machines", "cluster"):
            found = {"machines": machines, "cluster": cluster}[part](options)
        else:
            work = {"killed": killed, "frozen": stood_still, "journal": journal}[part]
            with installation() as given:
                found = asyncio.run(with_application(work, options, given))
        show(found)
        figures += found
    print()
    show(figures)
    return 0 if all(figure.good for figure in figures) else 1


if __name__ == "__main__":
    raise SystemExit(main())
