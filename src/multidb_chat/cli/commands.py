"""The tree of commands. What a command needs is imported when it runs."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from multidb_chat import __version__
from multidb_chat.cli.ask import ask
from multidb_chat.cli.background import analyze, research
from multidb_chat.cli.helping import print_help_here
from multidb_chat.cli.lazily import lazy_group
from multidb_chat.cli.logging_in import login, logout, register, whoami
from multidb_chat.cli.session import Session, session_of
from multidb_chat.cli.usage import stats, usage

_HELP = """Answers questions from your own documents and shows where each sentence came from.

Without a command, the app opens."""
_EPILOG = 'Example: multidb-chat docs add ~/papers && multidb-chat ask "What did the report say about churn?"'
# A module and the Typer app in it, which has the name of the group.
_GROUPS = {
    "docs:docs": "Add, list, search and remove documents.",
    "collections:collections": "Keep sets of documents apart.",
    "conversations:conversations": "List, search, show and keep conversations.",
    "memory:memory": "What language models are to know of you.",
    "account:account": "Your account: password, second factor, your data, erasure.",
    "sessions:sessions": "See where you are logged in, and end it there.",
    "config:config": "Show, change and check the configuration.",
    "evaluating:eval": "Measure how well passages are found.",
    "models:models": "Which model writes the answers; larger models on this machine.",
    "tasks:tasks": "See, cancel and do background tasks.",
    "tasks:notifications": "The inbox: background tasks that ended.",
    "feedback:feedback": "Say what an answer or the program was like.",
    "admin:admin": "Run an installation: accounts, knowledge, backups, health.",
}

root = typer.Typer(
    help=_HELP,
    epilog=_EPILOG,
    invoke_without_command=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _source, _what in _GROUPS.items():
    root.add_typer(lazy_group(f"multidb_chat.cli.{_source}", _what), name=_source.partition(":")[2])


def command_tree() -> Any:
    """Return the root command, ready to parse a command line."""
    tree = typer.main.get_command(root)
    print_help_here(tree)
    return tree


@root.callback()
def start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", "-V", help="Print the version and leave.")] = False,
    config_file: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Read this configuration file instead of the usual.")
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting for this run: --set search.threshold=0.4."),
    ] = None,
    plain: Annotated[
        bool,
        typer.Option(
            "--plain", help="Chat line by line instead of in the app: for screen readers and simple terminals."
        ),
    ] = False,
) -> None:
    """Take the options that come before a command; without one, open the app."""
    session = session_of(context)
    if version:
        session.console.write(f"multidb-chat {__version__}")
        raise typer.Exit
    session.config_file = config_file
    for override in overrides or ():
        key, equals, value = override.partition("=")
        if not equals:
            raise typer.BadParameter(f"{override!r} is not KEY=VALUE", ctx=context, param_hint="--set")
        session.overrides[key.strip()] = value
    if context.invoked_subcommand is None:
        open_chat(context, session, plain)
    elif plain:
        raise typer.BadParameter("it is for the chat alone, not for a command", ctx=context, param_hint="--plain")


def open_chat(context: typer.Context, session: Session, plain: bool) -> None:
    """Open the app, or the chat line by line where a terminal is not a full one. Raises a usage error without one."""
    terminal = session.console.out_is_terminal and sys.stdin is not None and sys.stdin.isatty()
    if plain or (terminal and not session.console.full_terminal):
        from multidb_chat.cli.plain import run_plain

        raise typer.Exit(run_plain(session.settings, session.console))
    if not terminal:
        context.fail('The app needs a terminal; without one, use multidb-chat ask "..." or multidb-chat --plain')
    from multidb_chat.cli.app import run_app

    raise typer.Exit(run_app(session.settings))


root.command(epilog='Example: cat build.log | multidb-chat ask "What failed?"')(ask)
root.command(epilog="Example: multidb-chat usage --json")(usage)
root.command(epilog="Example: multidb-chat stats --days 7")(stats)
root.command(epilog="Example: multidb-chat register ada@example.org")(register)
root.command(epilog="Example: multidb-chat login ada@example.org --password-stdin < password.txt")(login)
root.command(epilog="Example: multidb-chat logout")(logout)
root.command(epilog="Example: multidb-chat whoami --json")(whoami)
root.command(epilog='Example: multidb-chat analyze "customer churn" --collection reports')(analyze)
root.command(epilog='Example: multidb-chat research "customer churn" --save reports')(research)
