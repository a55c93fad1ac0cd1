"""The Textual app: it paints first, opens the services behind the first screen, and closes them when it leaves."""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from importlib import import_module
from pathlib import PurePath
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Literal

from textual import events
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.filter import NoColor
from textual.message import Message
from textual.screen import Screen

from multidb_chat.domain.text import clean_line
from multidb_chat.tui.adding import Addition
from multidb_chat.tui.commands import COMMANDS
from multidb_chat.tui.commands.command import Command
from multidb_chat.tui.commands.parsing import named
from multidb_chat.tui.desk import Desk
from multidb_chat.tui.key_names import key_name
from multidb_chat.tui.messages import Ended, ServicesPrepared
from multidb_chat.tui.screens.chat import ChatScreen
from multidb_chat.tui.services import OpenServices
from multidb_chat.tui.serving import Serving
from multidb_chat.tui.themes import NAMES, THEMES

if TYPE_CHECKING:
    from textual.driver import Driver

    from multidb_chat.settings import Tui

# What the first paint can do without and the first question or key needs.
_BEHIND = (
    "widgets.exchange",
    "branches",
    *(
        f"screens.{name}"
        for name in (
            *("add", "conversations", "documents", "feedback", "help", "inbox"),
            *("passage", "preview", "report", "tasks", "why"),
        )
    ),
)


REST = 1.0
"""Seconds without keys after which nobody waits for the screen."""

First = Literal["chat", "welcome"]
"""Which screen is painted first: the chat, or the welcome screen above it for whoever is new here."""


class ChatApp(App[int]):
    """multidb-chat in the terminal. After `run`, `failure` is the error that kept the services from working."""

    TITLE = "multidb-chat"
    # Textual loads a screen's own styles only when it is pushed.
    CSS_PATH: ClassVar[list[str | PurePath]] = ["screens/chat.tcss", "app.tcss"]
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "Quit", priority=True, show=False),
        Binding("f1,question_mark", "help", "Help", show=False),
    ]

    def __init__(
        self,
        open_services: OpenServices,
        theme: str = THEMES[0].name,
        *,
        first: First = "chat",
        bell: str = "off",
        settled: Callable[[], None] | None = None,
        idle: Callable[[], None] | None = None,
    ) -> None:
        """`bell` is how the end of a background task is told beside the screen: `off`, `bell` or `desktop`.

        `settled` is called once, when all that is loaded behind the first paint is there; `idle` each second in which
        nobody touches keys or mouse.
        """
        super().__init__()
        self._settled = settled
        self._idle = idle
        self._touched = 0.0
        self._bell = bell
        if self.no_color:  # Textual would show greys, which are colours too (no-color.org)
            self._filters = [NoColor()]
        for own in THEMES:
            self.register_theme(own)
        self.theme = theme
        self._serving = Serving(open_services, self._tell_chat)
        self._desk = Desk(self._serving)
        self._desk.additions.listeners.append(self._tell_addition)
        self._chat = ChatScreen(self._serving, self._desk)
        self._first = first

    def get_driver_class(self) -> "type[Driver]":
        """Return what draws on the terminal and reads it."""
        chosen = super().get_driver_class()
        if chosen.__name__ != "LinuxDriver":  # Windows, a browser, or one that was asked for
            return chosen
        from multidb_chat.tui.terminal_driver import TerminalDriver

        return TerminalDriver

    @property
    def failure(self) -> Exception | None:
        """Why the services could not be opened or closed."""
        return self._serving.failure

    def get_default_screen(self) -> Screen[None]:
        """Begin with the chat."""
        return self._chat

    def on_mount(self) -> None:
        """Ask who is there before anything else is shown, where that is not known."""
        if self._first == "welcome":
            self._chat.entrance.welcome()

    def on_ready(self) -> None:
        """Begin behind the first paint with everything that takes time."""
        self.call_after_refresh(self._begin)

    async def _begin(self) -> None:
        self._serving.start()
        self.set_interval(REST, self._rest)
        self.run_worker(self._import_behind(), group="imports")

    async def on_event(self, event: events.Event) -> None:
        """Take what the terminal sends, and remember when somebody was last there."""
        if isinstance(event, events.InputEvent):
            self._touched = monotonic()
        await super().on_event(event)

    def _rest(self) -> None:
        if self._idle is not None and monotonic() - self._touched >= REST:
            self._idle()

    async def _import_behind(self) -> None:
        for module in _BEHIND:
            await asyncio.to_thread(import_module, f"multidb_chat.tui.{module}")

    def on_ended(self, event: Ended) -> None:
        """Tell it beside the screen, where that is switched on: with the bell, or by a desktop notice (OSC 9).

        OSC 9 is understood by iTerm2, kitty, WezTerm, Windows Terminal, foot and Ghostty; others ignore it.
        """
        if self._bell == "bell":
            self.bell()
        elif self._bell == "desktop" and self._driver is not None:
            self._driver.write(f"\x1b]9;{clean_line(event.notice)[:200]}\x07")

    def _tell_chat(self, message: Message) -> None:
        if isinstance(message, ServicesPrepared) and self._settled is not None:
            self._settled()
        if self.is_running:
            self._chat.post_message(message)

    async def action_quit(self) -> None:
        """Leave, with the services closed in order."""
        self.exit(0)

    def action_help_quit(self) -> None:
        """Tell on Ctrl+C, which copies here, how to leave: many press it for that."""
        self.notify("Ctrl+C copies what is selected; Ctrl+Q leaves the app.", markup=False)

    def _tell_addition(self, run: Addition) -> None:
        """Tell the end of adding, whichever screen is shown."""
        if run.state not in ("done", "failed") or not self.is_running:
            return
        from multidb_chat.services.ingesting.wording import summary_of

        failed = run.state == "failed" or bool(run.failures)
        told = run.problem if run.finished is None else f"{clean_line(run.collection)}: {summary_of(run.finished)}"
        why = ". F3 and then e shows why some could not be read." if run.failures else ""
        self.notify(told + why, severity="warning" if failed else "information", markup=False)

    async def on_unmount(self) -> None:
        """Close the services before the loop ends; the screens, and the turn in them, have ended."""
        await self._desk.additions.cancel()
        await self._serving.stop()

    def adopt(self, settings: "Tui") -> None:
        """Look and sound as these settings say, from now on."""
        self.theme = settings.theme
        self._bell = settings.bell

    def get_key_display(self, binding: Binding) -> str:
        """Return how a key is written in the list of all actions."""
        return binding.key_display or key_name(binding.key)

    def action_help(self) -> None:
        """Show the keys of the screen and the commands."""
        from multidb_chat.tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(self.screen))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer in the command palette what can be done on this screen, and every command."""
        if screen is not self._chat:
            from multidb_chat.tui.screens.help import actions_of

            for active in actions_of(screen):
                binding = active.binding
                if binding.action != "command_palette":
                    act = partial(self.run_action, binding.action, active.node)
                    yield SystemCommand(binding.description, f"Here: {self.get_key_display(binding)}", act)
        for command in COMMANDS:
            yield SystemCommand(command.title, command.help, partial(self._carry_out, command))
        for name in NAMES:
            theme = partial(self._carry_out, named("/theme"), name)
            yield SystemCommand(f"Theme: {name}", "Change the colours", theme)

    async def _carry_out(self, command: Command, argument: str = "") -> None:
        """Carry out a command of the chat from any screen; all but the colours are shown from there."""
        while command.name != "/theme" and self.screen is not self._chat and len(self.screen_stack) > 1:
            await self.pop_screen()
        self._chat.carry_out(command, argument)
