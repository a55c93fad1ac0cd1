"""A slash command: one row of the table."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from multidb_chat.tui.key_names import key_name

if TYPE_CHECKING:
    from multidb_chat.tui.screens.chat import ChatScreen

Run = Callable[["ChatScreen", str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Command:
    """A slash command; `where` names the function that carries it out, `topic:function` in this package.

    The function gets the chat screen and what stands behind the name; what it raises is told on the screen. `members`
    marks what guests have to register for. `key` carries it out from the chat too; with a `label` the footer shows it.
    `plain` marks what the chat line by line has as well.
    """

    name: str
    argument: str
    help: str
    where: str
    members: bool = False
    key: str = ""
    label: str = ""
    plain: bool = False

    @property
    def title(self) -> str:
        """The name as the command palette shows it."""
        return self.name[1:].replace("-", " ").capitalize()

    @property
    def topic(self) -> str:
        """The heading that the help lists it under."""
        return self.where.partition(":")[0].capitalize()

    @property
    def key_name(self) -> str:
        """The key as it is written on it: `ctrl+l` is Ctrl+L."""
        return key_name(self.key) if self.key else ""

    def load(self) -> Run:
        """Return the function, whose module is imported when it is first used."""
        module, _, function = self.where.partition(":")
        run: Run = getattr(import_module(f"multidb_chat.tui.commands.{module}"), function)
        return run
