"""Groups of commands that are only made when one of them is called, so that all others start without them."""

import importlib
from typing import Any

import typer
from typer.core import TyperGroup

from multidb_chat.cli.helping import print_help_here


class LazyGroup(TyperGroup):
    """A group whose commands are those of the Typer app `SOURCE`, a module and a name in it: `package.module:name`."""

    SOURCE = ""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command of the group."""
        self._load(ctx)
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands."""
        self._load(ctx)
        return super().list_commands(ctx)

    def _load(self, ctx: Any) -> None:
        if self.commands:
            return
        module, _, name = self.SOURCE.partition(":")
        made: Any = typer.main.get_group(getattr(importlib.import_module(module), name))
        self.commands.update(made.commands)
        for command in made.commands.values():
            print_help_here(command, ctx)


def lazy_group(source: str, help: str) -> typer.Typer:  # noqa: A002 - it is what Typer calls it
    """Return what stands for the Typer app at `source` until one of its commands is called."""
    kind = type("LazyGroup", (LazyGroup,), {"SOURCE": source})
    group = typer.Typer(help=help, cls=kind, rich_markup_mode=None)
    group.callback()(_nothing)
    return group


def _nothing() -> None:
    pass
