"""Where the program starts: runs a command, turns every error into one line and an exit code."""

import gc
import signal
import sys
from typing import TYPE_CHECKING, Any

from multidb_chat.cli.console import Console, Exit, ReaderGone, exit_of, standard_console
from multidb_chat.domain.errors import MultidbChatError

if TYPE_CHECKING:
    from multidb_chat.cli.session import Session

# New objects until Python looks for garbage among them. What is loaded is no garbage, and looking through it at every
# 700 objects, as usual, takes a tenth of the time of a cached answer.
_SELDOM = 50_000


def main() -> None:
    """Run the program with the process's arguments and leave with its exit code."""
    gc.set_threshold(_SELDOM)
    console = standard_console()
    _end_like_ctrl_c()
    try:
        code = run(sys.argv[1:], console)
    except KeyboardInterrupt:
        code = Exit.INTERRUPTED
    except ReaderGone:
        code = Exit.DONE
    gc.freeze()  # what is left goes with the process; looking through it takes as long as an answer from the cache
    sys.exit(code)


def _end_like_ctrl_c() -> None:
    """Let the signals that ask a program to end do what Ctrl-C does: temporary files and terminals are left tidy.

    Where Ctrl-C is ignored (a job in the background of a script), they end the program at once, as they always do; one
    that is ignored (`nohup`) stays so.
    """
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, lambda *_: signal.raise_signal(signal.SIGINT))


def run(arguments: list[str], console: Console) -> int:
    """Run one command line and return its exit code. Raises `ReaderGone` and `KeyboardInterrupt`."""
    from multidb_chat.cli.session import Session

    session = Session(console)
    try:
        code = _command(arguments, session)
        console.flush()
        return code
    except MultidbChatError as error:
        console.error(str(error))
        return exit_of(error)
    except (ReaderGone, KeyboardInterrupt):
        raise
    except Exception as error:  # noqa: BLE001 - a traceback is for the log, not for the user
        console.error(_unexpected(error, session))
        return Exit.PARTLY


def _command(arguments: list[str], session: "Session") -> int:
    import typer

    from multidb_chat.cli.commands import command_tree

    usage_error = typer.BadParameter.__mro__[1]  # Typer does not export it
    tree = command_tree()
    try:
        code = tree.main(arguments, prog_name="multidb-chat", standalone_mode=False, obj=session)
    except typer.Abort:
        return Exit.INTERRUPTED
    except Exception as error:
        if not isinstance(error, usage_error):
            raise
        session.console.error(_usage(error, _path(tree, arguments)))
        return Exit.USAGE
    return code if isinstance(code, int) else Exit.DONE


def _path(tree: Any, arguments: list[str]) -> str:
    """Return the command that was called, as far as there is one: an error does not always know it."""
    path, command = ["multidb-chat"], tree
    for word in arguments:
        if below := getattr(command, "commands", {}).get(word):
            path.append(word)
            command = below
    return " ".join(path)


def _usage(error: Exception, called: str) -> str:
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else called
    return f"{message.rstrip('.')}; see {path} --help"


def _unexpected(error: Exception, session: "Session") -> str:
    from multidb_chat.cli.crashes import write_report

    what = f"something unexpected happened ({type(error).__name__}: {error})"
    report = write_report(error, session)
    return f"{what[:300]}; the details are in {report}" if report else f"{what[:300]}; no report could be written"
