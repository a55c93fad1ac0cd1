"""Help goes through the console, which alone writes to standard output."""

from typing import Any

import typer

from multidb_chat.cli.session import session_of


def print_help_here(command: Any, parent: Any = None) -> None:
    """Let a command, and those below it, print their help by the console: it knows what to do when nobody reads it."""
    context = command.context_class(command, parent=parent, **command.context_settings)
    command.get_help_option(context).callback = show_help  # made now, and kept by the command
    for below in getattr(command, "commands", {}).values():
        print_help_here(below, context)


def show_help(context: typer.Context, _param: object, wanted: bool) -> None:
    """Print a command's help and leave."""
    if wanted and not context.resilient_parsing:
        session_of(context).console.write(context.get_help())
        raise typer.Exit
