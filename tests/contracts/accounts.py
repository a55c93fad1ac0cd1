"""What every `Accounts` does, written once: a backend's test class gives the fixture `open_accounts`."""

from collections.abc import AsyncIterator

import pytest

from multidb_chat.domain.accounts import Accounts
from tests.contracts.accounts_audit import AuditContract
from tests.contracts.accounts_credentials import CredentialsContract
from tests.contracts.accounts_people import HostileTextContract, PeopleContract, SessionsContract, UsageContract
from tests.contracts.accounts_processes import ADA, BOB, OpenAccounts
from tests.contracts.accounts_races import RacesContract


class AccountsContract(
    PeopleContract,
    UsageContract,
    SessionsContract,
    AuditContract,
    CredentialsContract,
    HostileTextContract,
    RacesContract,
):
    """Give it a fixture `open_accounts`: a picklable function that opens the same, at first empty, store."""

    @pytest.fixture
    async def accounts(self, open_accounts: OpenAccounts) -> AsyncIterator[Accounts]:
        """A store that knows Ada and Bob."""
        async with open_accounts() as accounts:
            await accounts.create_account(ADA)
            await accounts.create_account(BOB)
            yield accounts
