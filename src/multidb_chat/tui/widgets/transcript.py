"""The turns of the conversation on the screen, the latest at the bottom."""

from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.widget import Widget

from multidb_chat.tui.branches import BranchPages, ReadMessages
from multidb_chat.tui.widgets.paged import FIRST, PagedScroll
from multidb_chat.tui.widgets.welcome import Welcome

if TYPE_CHECKING:  # An exchange is made of what the first paint does without.
    from multidb_chat.services.branches import Branch
    from multidb_chat.tui.widgets.exchange import Exchange


class Transcript(PagedScroll, can_focus=False):
    """Questions with their answers, those near the view; before the first one, what to do here.

    `read_messages` reads messages of the conversation that is shown by their ids, and their ratings.
    """

    DEFAULT_CSS = """
    Transcript { width: 1fr; background: $background; scrollbar-gutter: stable; scrollbar-size-vertical: 1; }
    """

    def __init__(self, read_messages: ReadMessages) -> None:
        super().__init__(BranchPages(read_messages))
        self._read_messages = read_messages
        self._current: Exchange | None = None
        self._typed_at = 0.0
        self._guest = False

    def compose(self) -> ComposeResult:
        yield Welcome()

    def empty(self) -> Sequence[Widget]:
        """Return what to do here."""
        return (Welcome(self._guest),)

    def greet(self, guest: bool) -> None:
        """Say what to do here to a guest, or to somebody with an account."""
        self._guest = guest
        for welcome in self.query(Welcome):
            welcome.greet(guest)

    def typed(self) -> None:
        """Somebody typed a letter just now."""
        self._typed_at = monotonic()

    @property
    def typing(self) -> bool:
        """Whether somebody is typing: the last letter came within a second."""
        return monotonic() - self._typed_at < 1.0

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

    @property
    def looked_at(self) -> "Exchange | None":
        """The turn that was looked at last, None where that is none in particular."""
        return self._current if self._current in self.exchanges else None

    def look_at(self, exchange: "Exchange | None") -> None:
        """Let commands be about this turn; None: about the last one with an answer."""
        self._current = exchange

    async def begin(self, question: str, pasted: int = 0, instead_of: "Exchange | None" = None) -> "Exchange":
        """Show a question, with the number of lines pasted with it, and follow its answer; return both.

        It stands below the last one, or `instead_of` one, which goes with all that follows it.
        """
        from multidb_chat.tui.widgets.exchange import Exchange

        exchange = Exchange(question, pasted)
        if instead_of is None:
            await self.show_end()
            exchange.parent_id = next((id_ for one in reversed(self.exchanges) if (id_ := one.message_id)), "")
        else:
            exchange.parent_id = instead_of.parent_id
            stored = instead_of.versions or ((instead_of.question_id or "",) if instead_of.message_id else ())
            exchange.stand_among(stored)
            await self.cut(instead_of)
        await self.add(exchange)
        return exchange

    async def show_branch(self, branch: "Branch", question_id: str = "") -> "Exchange | None":
        """Show a stored branch: its end, or the turn of a question, which is returned."""
        pages = BranchPages(self._read_messages, branch)
        at = pages.place_of(question_id) if question_id else len(pages)
        await self.show_pages(pages, at if at < len(pages) - FIRST else None)
        return next((one for one in self.exchanges if question_id and one.question_id == question_id), None)

    async def clear(self) -> None:
        """Begin anew."""
        await self.show_pages(BranchPages(self._read_messages))

    def move(self, step: int) -> bool:
        """Focus the turn before (-1) or after the one with the focus, else the last one; False where there is none."""
        exchanges = self.exchanges
        at = next((place for place, one in enumerate(exchanges) if one.has_focus), len(exchanges))
        if not 0 <= at + step < len(exchanges):
            return False
        exchanges[at + step].focus()
        return True
