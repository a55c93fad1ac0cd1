"""`multidb-chat account`: the rights over one's own data, and what an account is proved with."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from multidb_chat.cli.console import Console, Exit, Styled
from multidb_chat.cli.credentials import password, reset, totp
from multidb_chat.cli.options import Json, Quiet, Yes
from multidb_chat.cli.session import session_of
from multidb_chat.services.wording import counted

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application
    from multidb_chat.domain.accounts import Account

account = typer.Typer(rich_markup_mode=None)
account.command(epilog="Example: multidb-chat account password")(password)
account.command(epilog="Example: multidb-chat account reset ada@example.org")(reset)
account.add_typer(totp, name="totp")


@account.command(epilog="Example: multidb-chat account export my-data.zip")
def export(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE.zip", help="The file to write; it must not exist yet.")],
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write all that is kept of you into one zip file that only you can read.

    Profile, conversations, what was typed and not sent, documents with their texts and originals, feedback, tasks,
    usage, and what the audit log says about you: as JSON, conversations as Markdown too.
    """
    session = session_of(context)
    session.console.quiet = quiet

    path = Path(file).expanduser().absolute()

    async def work(application: "Application") -> Exit:
        with progress_on(session.console) as told:
            counts = await application.account_export.write(application.account, path, told)
        if as_json:
            session.console.write_json({"file": str(path), "counts": counts})
            return Exit.DONE
        what = ", ".join(counted(counts[f"{kind}s"], kind) for kind in ("conversation", "document"))
        session.console.write("wrote ", Styled(str(path), "strong"), f" ({what})")
        return Exit.DONE

    session.run(work)


@account.command(epilog="Example: multidb-chat account erase")
def erase(context: typer.Context, yes: Yes = False, as_json: Json = False) -> None:
    """Erase your account and everything in it, for good: conversations, documents, feedback, tasks.

    It is confirmed by typing the e-mail address of the account. What was recorded in the audit log stays, under a
    random name that nothing leads to any more. If it is interrupted, the next start of the app completes it.
    """
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        who = application.account
        if not yes and not await _confirmed(session.console, application, who):
            return Exit.REFUSED
        erased = await application.erasure.erase(who)
        await application.identity.leave()
        if as_json:
            session.console.write_json(
                {"conversations": erased.conversations, "documents": erased.documents, "tasks": erased.tasks}
            )
            return Exit.DONE
        gone = (counted(erased.conversations, "conversation"), counted(erased.documents, "document"))
        session.console.write(f"erased the account, with {' and '.join(gone)}")
        return Exit.DONE

    session.run(work)


async def _confirmed(console: Console, application: "Application", who: "Account") -> bool:
    """Say what goes, and ask for the address."""
    if who.email is None:  # told by the service, which refuses it
        return True
    held = await application.documents.holdings(who)
    deleted = len(await application.history.all(who, deleted=True))  # they are kept for a while, and go as well
    talks = counted(len(await application.history.all(who)) + deleted, "conversation")
    among = f" ({deleted:,} of them deleted)" if deleted else ""
    console.tell(
        f"This erases {who.email} for good, with {talks}{among} and "
        f"{counted(held.documents, 'document')}. To keep a copy: multidb-chat account export FILE.zip"
    )
    return await console.confirm_word("Type the e-mail address to erase it:", who.email)


@contextmanager
def progress_on(console: Console) -> Iterator[Callable[[str, int], None]]:
    """Give what shows how much of a kind is written, on a terminal in one line that is taken away at the end."""
    if not console.full_terminal or console.quiet:
        yield lambda what, count: None
        return
    from rich.console import Console as RichConsole
    from rich.status import Status

    rich = RichConsole(stderr=True, no_color=not console.err_coloured, highlight=False)
    with Status("reading", console=rich) as status:
        yield lambda what, count: status.update(f"{count:,} {what}")
