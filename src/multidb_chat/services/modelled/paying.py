"""Who pays for models that are asked while passages are found.

What finds passages knows no account, and models are asked some layers behind it: who knows the account says so around a
search, and who asks reads it.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import QuotaExceeded
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.language import LanguageModel, Prompt
from multidb_chat.domain.turns import ModelUse
from multidb_chat.services.modelled.asking import Asking


class Metering(Protocol):
    """What is needed of what counts the tokens of models, where the program asks for itself."""

    async def refusal(self, account: Account) -> str:
        """Return why no model may write for the account now, empty where one may."""

    def count_later(self, account: Account, operation_id: str, use: ModelUse) -> asyncio.Task[str] | None:
        """Count what a model used; whoever waits for it gets a warning of little left, or nothing."""


@dataclass(slots=True)
class Payer:
    """Whose plan pays. `refusal` is why a model was not asked, empty where each was that was wanted.

    `counting` is what still counts tokens, or has; they are counted beside the search, which does not wait for it.
    """

    account: Account
    refusal: str = ""
    counting: list[asyncio.Task[str]] = field(default_factory=list)

    async def warning(self) -> str:
        """Return, once all is counted, the latest warning of little left; each is told once.

        Nothing where there is none, or a refusal says more.
        """
        counting, self.counting = self.counting, []
        if counting:
            await asyncio.wait(counting)  # whoever is cancelled meanwhile stops no counting
        warnings = [told for one in counting if (told := one.result())]
        return "" if self.refusal or not warnings else warnings[-1]


# Nobody pays by default, so that a search which forgets to say who does fails in its first test.
_payer: ContextVar[Payer] = ContextVar("payer")


@contextmanager
def paid_by(account: Account) -> Iterator[Payer]:
    """Let the account pay for all models that are asked in the block, also by tasks that begin in it."""
    payer = Payer(account)
    token = _payer.set(payer)
    try:
        yield payer
    finally:
        _payer.reset(token)


class PaidModel:
    """A `model` that is asked for whoever pays, as long as the plan has tokens left."""

    def __init__(self, model: LanguageModel, meter: Metering) -> None:
        self._model = model
        self._meter = meter

    @property
    def name(self) -> str:
        """What the model is called."""
        return self._model.name

    async def said(self, prompt: Prompt) -> str:
        """Return all that the model says, and count it, also what fails or is stopped.

        Raises `ModelError`, and `QuotaExceeded` without asking where no tokens are left.
        """
        payer = _payer.get()
        if refusal := await self._meter.refusal(payer.account):
            payer.refusal = refusal
            raise QuotaExceeded(refusal)
        asking = Asking(self._model, prompt)
        try:
            return await asking.said()
        finally:
            # An id of its own: a task that is begun anew asks again, and pays again.
            if counting := self._meter.count_later(payer.account, new_id(), asking.use):
                payer.counting.append(counting)
