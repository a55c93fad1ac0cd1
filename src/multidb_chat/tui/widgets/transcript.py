"""The turns of the conversation on the screen, the latest at the bottom."""

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

    def compose(self) -> ComposeResult:
        yield Welcome()

    async def begin(self, question: str, pasted: int = 0) -> "Exchange":
        """Show a question, with the number of lines pasted with it, and follow its answer; return both."""
        from multidb_chat.tui.widgets.exchange import Exchange

        await self.query(Welcome).remove()
        exchange = Exchange(question, pasted)
        await self.mount(exchange)
        self.anchor()
        return exchange

    async def clear(self) -> None:
        """Begin anew."""
        await self.remove_children()
        await self.mount(Welcome())
