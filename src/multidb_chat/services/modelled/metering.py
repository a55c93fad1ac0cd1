"""Tokens of language models, counted against the plan; when they are used up, answers are quoted."""

import asyncio
import logging
from typing import Protocol

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import MultidbChatError
from multidb_chat.domain.plans import COST, TOKENS, Resource
from multidb_chat.domain.turns import Answerer, ModelUse
from multidb_chat.services.plans import Taken

_log = logging.getLogger(__name__)


class Counting(Protocol):
    """What metering needs of the plans service."""

    async def count(self, account: Account, resource: Resource, amount: int, operation_id: str) -> Taken:
        """Count what was used."""

    async def spent(self, account: Account, resource: Resource) -> str:
        """Return one line when nothing is left."""


class Meter:
    """Counts what models used. Nothing else of a turn fails because of it: what cannot be counted is logged.

    `quoting` makes the answers of whoever has no tokens left.
    """

    def __init__(self, plans: Counting, quoting: Answerer) -> None:
        self._plans = plans
        self.quoting = quoting
        self._counting: set[asyncio.Task[str]] = set()

    def count_later(self, account: Account, operation_id: str, use: ModelUse) -> asyncio.Task[str] | None:
        """Count what a model used beside what goes on: its answer was stopped, or made for the program.

        Return what counts it, and gives a warning like `count`; None where there is nothing to count.
        """
        if not (use.tokens or use.cost):
            return None
        task = asyncio.create_task(self.count(account, operation_id, use))
        self._counting.add(task)
        task.add_done_callback(self._counting.discard)
        return task

    async def close(self) -> None:
        """Wait until all is counted."""
        if self._counting:
            await asyncio.wait(self._counting)

    async def refusal(self, account: Account) -> str:
        """Return why no model may write for the account now; empty where one may, or where that cannot be told."""
        try:
            return await self._plans.spent(account, TOKENS)
        except MultidbChatError as error:
            _log.warning("What is left of the tokens cannot be told: %s", error)
            return ""

    async def count(self, account: Account, operation_id: str, use: ModelUse) -> str:
        """Count an answer's tokens and what they cost, once for each operation; return a warning of little left."""
        warning = ""
        try:
            if use.tokens:
                warning = (await self._plans.count(account, TOKENS, use.tokens, f"{operation_id} tokens")).warning
            if use.cost and (millionths := round(use.cost * 1e6)):
                await self._plans.count(account, COST, millionths, f"{operation_id} cost")
        except MultidbChatError as error:
            _log.warning("Tokens of a model were not counted: %s", error)
        return warning
