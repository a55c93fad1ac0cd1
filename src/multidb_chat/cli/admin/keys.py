"""`multidb-chat admin keys`: what the installation signs with."""

from typing import TYPE_CHECKING, Annotated, cast

import typer

from multidb_chat.cli.console import Exit, Styled
from multidb_chat.cli.options import Json, Yes
from multidb_chat.cli.session import session_of

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application
    from multidb_chat.domain.keys import Purpose

keys = typer.Typer(help="The keys of the installation.", no_args_is_help=True, rich_markup_mode=None)
_ABOUT = {
    "tokens": "signs log-ins; those that are there stay good for their time",
    "audit": "chains the audit log; older entries are verified with the key they were made with",
    "pepper": "is mixed into passwords; each is hashed anew when its owner logs in next",
}


@keys.command("list", epilog="Example: multidb-chat admin keys list")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """List the keys by what they are for. What they are is never shown."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.admin.tables import write_rows

        found = await application.administration.key_versions(application.account)
        if as_json:
            records = [{"purpose": one.purpose, "keys": list(one.names), "current": one.names[-1]} for one in found]
            session.console.write_json({"keys": records})
            return Exit.DONE
        rows = [(one.purpose, one.names[-1], f"{len(one.names)}", _ABOUT[one.purpose]) for one in found]
        write_rows(session.console, ("for", "in use", "versions", "it"), rows)
        return Exit.DONE

    session.run(work)


@keys.command(epilog="Example: multidb-chat admin keys rotate tokens --yes")
def rotate(
    context: typer.Context,
    purpose: Annotated[str, typer.Argument(metavar="PURPOSE", help="tokens, audit or pepper.")],
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Make a new key, which is used from now on. What older keys made stays good; make a backup afterwards."""
    session = session_of(context)
    if purpose not in _ABOUT:
        raise typer.BadParameter(f"{purpose!r} is not one of {', '.join(_ABOUT)}", ctx=context, param_hint="PURPOSE")

    async def work(application: "Application") -> Exit:
        from multidb_chat.domain.permissions import Permission, require

        require(application.account, Permission.MANAGE_INSTALLATION)  # before anything is asked
        if not yes and not await session.console.confirm(f"Make a new key, which {_ABOUT[purpose]}?"):
            return Exit.REFUSED
        made = await application.administration.rotate_key(application.account, cast("Purpose", purpose))
        if as_json:
            session.console.write_json({"purpose": purpose, "current": made.kid})
        else:
            session.console.write("made ", Styled(made.kid, "strong"))
            session.console.tell("Backups of before do not have it: make a new one.")
        return Exit.DONE

    session.run(work)
