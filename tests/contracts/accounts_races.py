"""What every `Accounts` does when several openings and several processes use it at once, or one of them is killed."""

import asyncio
from contextlib import AsyncExitStack

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import Conflict, QuotaExceeded
from tests.contracts import processes
from tests.contracts.accounts_processes import (
    ADA,
    NOW,
    PERIOD,
    OpenAccounts,
    audit_many,
    create_without_end,
    take_many,
)


class RacesContract:
    """A part of `AccountsContract`."""

    async def test_another_opening_sees_what_was_acknowledged(self, open_accounts: OpenAccounts):
        async with open_accounts() as one, open_accounts() as other:
            await one.create_account(ADA)
            assert await other.account("ada") == ADA
            assert await other.take("ada", "messages", PERIOD, 1, 1, "a") == 1
            assert await one.usage("ada", PERIOD) == {"messages": 1}

    async def test_an_account_is_created_once(self, open_accounts: OpenAccounts):
        async with AsyncExitStack() as stack:
            stores = [await stack.enter_async_context(open_accounts()) for _ in range(4)]
            created = await asyncio.gather(*(s.create_account(ADA) for s in stores * 3), return_exceptions=True)
            assert created.count(None) == 1
            assert sum(isinstance(outcome, Conflict) for outcome in created) == 11

    async def test_of_many_updates_of_one_version_one_wins(self, open_accounts: OpenAccounts):
        async with open_accounts() as one, open_accounts() as other:
            await one.create_account(ADA)
            outcomes = await asyncio.gather(
                *(store.update_account(ADA) for store in (one, other) * 5), return_exceptions=True
            )
            assert sum(isinstance(outcome, Account) for outcome in outcomes) == 1
            assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 9

    async def test_racers_never_pass_the_limit(self, open_accounts: OpenAccounts):
        async with open_accounts() as one, open_accounts() as other:
            await one.create_account(ADA)
            outcomes = await asyncio.gather(
                *((one, other)[n % 2].take("ada", "messages", PERIOD, 1, 20, str(n)) for n in range(50)),
                return_exceptions=True,
            )
            assert sorted(o for o in outcomes if isinstance(o, int)) == list(range(1, 21))
            assert sum(isinstance(outcome, QuotaExceeded) for outcome in outcomes) == 30

    async def test_racing_repetitions_of_one_operation_count_once(self, open_accounts: OpenAccounts):
        async with open_accounts() as one, open_accounts() as other:
            await one.create_account(ADA)
            figures = await asyncio.gather(
                *(store.take("ada", "messages", PERIOD, 2, 3, "a") for store in (one, other) * 10)
            )
            assert figures == [2] * 20

    async def test_processes_never_pass_the_limit(self, open_accounts: OpenAccounts):
        async with open_accounts() as accounts:
            await accounts.create_account(ADA)
            racers = [processes.start(take_many, open_accounts, f"p{n}", 50, 100) for n in range(4)]
            figures = [int(word) for said in processes.race(racers) for word in said]
            assert sorted(figures) == list(range(1, 101))
            assert await accounts.usage("ada", PERIOD) == {"messages": 100}

    async def test_the_audit_has_no_gap_across_processes(self, open_accounts: OpenAccounts):
        async with open_accounts() as accounts:
            said = processes.race([processes.start(audit_many, open_accounts, f"p{n}", 25) for n in range(3)])
            entries = await accounts.audit()
            assert [entry.seq for entry in entries] == list(range(1, 76))
            for number, words in enumerate(said):
                mine = [entry for entry in entries if entry.actor == f"p{number}"]
                assert [str(entry.seq) for entry in mine] == words
                assert [entry.target for entry in mine] == [str(n) for n in range(25)]

    async def test_a_killed_process_leaves_all_it_acknowledged(self, open_accounts: OpenAccounts):
        acknowledged = processes.killed_after(processes.start(create_without_end, open_accounts), 100)
        assert len(acknowledged) >= 100
        async with open_accounts() as accounts:
            for key in acknowledged:
                assert await accounts.account(key) == Account(key, "user", "free", NOW)
                assert await accounts.usage(key, PERIOD) == {"messages": int(key.split("-")[1]) + 1}
            await accounts.create_account(ADA)
