"""What an account wants remembered: short facts, its own alone, that a language model gets with every question."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from multidb_chat.domain.accounts import Account, Accounts
from multidb_chat.domain.errors import Conflict, InvalidInput
from multidb_chat.domain.permissions import Permission, require
from multidb_chat.domain.text import clean_line, normalise_question
from multidb_chat.services.accounts import usable, utc_now

MOST = 30
"""So many facts are kept: a model reads all of them with each question."""
LONGEST = 200
"""Characters of a fact."""

_Change = Callable[[list[str]], list[str]]


class PinnedFacts:
    """Keeps the facts of accounts, with the account: they are exported, erased and carried with it."""

    def __init__(self, accounts: Accounts, clock: Callable[[], datetime] = utc_now) -> None:
        self._accounts = accounts
        self._clock = clock

    async def all(self, account: Account) -> tuple[str, ...]:
        """Return the account's facts in the order in which they were given. Raises `NotPermitted`."""
        return tuple((await self._current(account)).facts.splitlines())

    async def remember(self, account: Account, text: str) -> tuple[str, ...]:
        """Keep a fact, once; return all of them then. Raises `InvalidInput` or `NotPermitted`."""
        fact = clean_line(text)
        if not any(character.isalnum() for character in fact):
            raise InvalidInput("Say what to remember: /remember I work in the Bergen office")
        if len(fact) > LONGEST:
            raise InvalidInput(f"A fact has at most {LONGEST} characters; this one has {len(fact):,}.")

        def added(facts: list[str]) -> list[str]:
            if normalise_question(fact) in map(normalise_question, facts):
                return facts
            if len(facts) >= MOST:
                raise InvalidInput(f"{MOST} facts are remembered already; /forget one of them first.")
            return [*facts, fact]

        return await self._changed(account, added)

    async def forget(self, account: Account, which: str) -> str:
        """Forget one fact, by its number in the list or by words of it; return it.

        Raises `InvalidInput` when there is none or more than one such, or `NotPermitted`.
        """
        gone: list[str] = []

        def removed(facts: list[str]) -> list[str]:
            at = _place(facts, clean_line(which))
            gone[:] = [facts[at]]
            return [*facts[:at], *facts[at + 1 :]]

        await self._changed(account, removed)
        return gone[0]

    async def _current(self, account: Account) -> Account:
        require(account, Permission.CHAT)
        return usable(await self._accounts.account(account.id), self._clock())

    async def _changed(self, account: Account, change: _Change) -> tuple[str, ...]:
        """Change the facts as they are now; another change of the account at the same time is waited out."""
        while True:
            current = await self._current(account)
            before = current.facts.splitlines()
            after = change(list(before))
            if after == before:
                return tuple(after)
            with suppress(Conflict):
                await self._accounts.update_account(replace(current, facts="\n".join(after)))
                return tuple(after)


def _place(facts: Sequence[str], which: str) -> int:
    if which.isdecimal() and 0 < int(which) <= len(facts):
        return int(which) - 1
    words = normalise_question(which).split()
    found = [at for at, fact in enumerate(facts) if words and all(one in normalise_question(fact) for one in words)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise InvalidInput("There is no such fact; /memory lists them." if facts else "Nothing is remembered.")
    raise InvalidInput(f"{len(found)} facts have these words; say which by its number: /memory lists them.")
