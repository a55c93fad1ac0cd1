"""The turns of the conversation on the screen, the latest at the bottom."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from multidb_chat.tui.widgets.welcome import Welcome

if TYPE_CHECKING:  # An exchange is made of what the first paint does without.
    from multidb_chat.tui.widgets.exchange import Exchange


class Transcript(VerticalScroll, can_focus=False):
    """Questions with their answers; before the first one, what to do here."""

    DEFAULT_CSS = """
    Transcript { width: 1fr; background: $background; scrollbar-gutter: stable; scrollbar-size-vertical: 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._current: Exchange | None = None

    def compose(self) -> ComposeResult:
        yield Welcome()

    @property
    def exchanges(self) -> "list[Exchange]":
        """The turns that are shown, the first one first."""
        from multidb_chat.tui.widgets.exchange import Exchange

        return list(self.query_children(Exchange))

    @property
    def current(self) -> "Exchange | None":
        """The turn that was looked at last, else the last one with an answer, else the last one."""
        exchanges = self.exchanges
        if self._current in exchanges:
            return self._current
        answered = [one for one in exchanges if one.answer is not None]
        return next(iter(answered[-1:] or exchanges[-1:]), None)

    def look_at(self, exchange: "Exchange | None") -> None:
        """Let commands be about this turn; None: about the last one with an answer."""
        self._current = exchange

    async def begin(self, question: str, pasted: int = 0, instead_of: "Exchange | None" = None) -> "Exchange":
        """Show a question, with the number of lines pasted with it, and follow its answer; return both.

        It stands below the last one, or `instead_of` one, which goes with all that follows it.
        """
        from multidb_chat.tui.widgets.exchange import Exchange

        await self.query(Welcome).remove()
        exchange = Exchange(question, pasted)
        if instead_of is None:
            exchange.parent_id = next((id_ for one in reversed(self.exchanges) if (id_ := _stored(one))), "")
        else:
            exchange.parent_id = instead_of.parent_id
            stored = instead_of.versions or ((instead_of.question_id or "",) if _stored(instead_of) else ())
            exchange.stand_among(stored)
            await self._remove_from(instead_of)
        await self.mount(exchange)
        self.anchor()
        return exchange

    async def _remove_from(self, first: "Exchange") -> None:
        exchanges = self.exchanges
        for exchange in exchanges[exchanges.index(first) :]:
            await exchange.remove()

    async def show(self, exchanges: "Sequence[Exchange]") -> None:
        """Show these turns instead of the others, the last ones first."""
        async with self.batch():
            await self.remove_children()
            await self.mount_all(exchanges or [Welcome()])
        self.anchor()

    async def clear(self) -> None:
        """Begin anew."""
        await self.show([])

    def move(self, step: int) -> bool:
        """Focus the turn before (-1) or after the one with the focus, else the last one; False where there is none."""
        exchanges = self.exchanges
        at = next((place for place, one in enumerate(exchanges) if one.has_focus), len(exchanges))
        if not 0 <= at + step < len(exchanges):
            return False
        exchanges[at + step].focus()
        return True


def _stored(exchange: "Exchange") -> str:
    """Return the message of the answer; empty where there is none that is stored."""
    return exchange.answer.message_id or "" if exchange.answer is not None else ""
