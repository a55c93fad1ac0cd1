"""How many lines of the inbox were not read, at the end of the title line; and a notice when something has ended."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from multidb_chat.domain.errors import MultidbChatError
from multidb_chat.domain.text import clean_line
from multidb_chat.tui.serving import Serving

if TYPE_CHECKING:  # painted before the services are loaded
    from multidb_chat.services.tasks.inbox import Letter

EVERY = 1.0
"""Seconds after which it is looked again."""


class News(Static):
    """Blank while everything was read."""

    DEFAULT_CSS = """
    News { width: auto; height: 1; padding: 0 1; background: $panel; color: $accent; display: none; }
    """

    def __init__(self, serving: Serving, ring: "Callable[[Letter], None]") -> None:
        """`ring` is called for each letter that has just come."""
        super().__init__(markup=False)
        self._serving = serving
        self._ring = ring
        self._account = ""
        self._unread = 0
        self._since = datetime.now(UTC)

    def on_mount(self) -> None:
        """Look from now on."""
        self.set_interval(EVERY, self.look)

    async def look(self) -> None:
        """Show how much was not read, and tell what has just ended; a store that is away is asked again later."""
        services = self._serving.opened
        if services is None:
            return
        account = services.account
        if self._account and account.id != self._account:  # somebody logged in: what ended before is no news
            self._since = datetime.now(UTC)
        self._account = account.id
        try:
            unread = await services.inbox.unread(account)
            news = await services.inbox.news(account, self._since)
        except MultidbChatError:
            return
        self._since = max((letter.at for letter in news), default=self._since)
        if unread != self._unread:  # else the screen would be laid out anew each time
            self._unread = unread
            self.display = bool(unread)
            self.update(Content(f"✉ {unread:,} unread, F9"))
        for letter in news:
            self._ring(letter)


def notice_of(letter: "Letter") -> str:
    """Return what is said when a task has ended."""
    return clean_line(f"{letter.title}: {'failed, ' if letter.failed else ''}{letter.summary}")
