"""The Textual app: it paints first, opens the services behind the first screen, and closes them when it leaves."""

import asyncio
from collections.abc import Iterable
from typing import ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from multidb_chat.domain.errors import MultidbChatError
from multidb_chat.tui.messages import ServicesFailed, ServicesReady
from multidb_chat.tui.screens.chat import ChatScreen
from multidb_chat.tui.services import OpenServices
from multidb_chat.tui.themes import THEMES


class ChatApp(App[int]):
    """multidb-chat in the terminal."""

    TITLE = "multidb-chat"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+q", "quit", "Quit", priority=True)]

    def __init__(self, open_services: OpenServices, theme: str = THEMES[0].name) -> None:
        super().__init__()
        self._open_services = open_services
        self._theme_name = theme
        self._leaving = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None
        self._chat = ChatScreen()

    def on_mount(self) -> None:
        """Show the chat at once; everything that takes time comes behind it."""
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = self._theme_name
        self.push_screen(self._chat)
        self.call_after_refresh(self._open)

    def _open(self) -> None:
        # A task of its own, not a worker: workers are cancelled when the app leaves, and stores must close in order.
        self._serving = asyncio.create_task(self._serve())

    async def _serve(self) -> None:
        try:
            async with self._open_services() as services:
                self._chat.post_message(ServicesReady(services))
                await services.prepare()
                await self._leaving.wait()
        except MultidbChatError as error:
            self._chat.post_message(ServicesFailed(str(error)))

    async def action_quit(self) -> None:
        """Leave, with the services closed in order."""
        self.exit(0)

    async def on_unmount(self) -> None:
        """Close the services before the loop ends."""
        self._leaving.set()
        if self._serving is not None:
            await self._serving

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer the chat's actions in the command palette."""
        yield from super().get_system_commands(screen)
        if isinstance(screen, ChatScreen):
            yield SystemCommand("Documents", "Show the documents that are searched", screen.action_documents)
            yield SystemCommand("Sources", "Show or hide the sources panel", screen.action_toggle_sources)
            yield SystemCommand("Why", "Show how the last answer came about", screen.action_why)
            yield SystemCommand("Clear", "Clear the screen and begin a new conversation", screen.action_clear)
