"""`multidb-chat sessions`: where one is logged in."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from multidb_chat.cli.console import Exit, Styled
from multidb_chat.cli.options import Json, Yes
from multidb_chat.cli.session import session_of
from multidb_chat.services.wording import counted

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application
    from multidb_chat.domain.accounts import Session as LogInSession

sessions = typer.Typer(rich_markup_mode=None)
NONE = "You are not logged in anywhere. Log in: multidb-chat login"


@sessions.command("list", epilog="Example: multidb-chat sessions list --json")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """List your log-ins that can still be used, the latest first."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.listing import write_table

        found = await application.authentication.sessions(application.account)
        current = application.identity.session_id
        if as_json:
            session.console.write_json({"sessions": [_record(one, current) for one in found]})
        elif not found:
            session.console.tell(NONE)
        else:
            write_table(session.console, [_row(one, current) for one in found], strong=0)
        return Exit.DONE

    session.run(work)


@sessions.command(epilog="Example: multidb-chat sessions end --others")
def end(
    context: typer.Context,
    references: Annotated[
        list[str] | None, typer.Argument(metavar="ID...", help="The log-ins: ids, or how they end (sessions list).")
    ] = None,
    others: Annotated[bool, typer.Option("--others", help="All but the one of this machine.")] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """End log-ins; whoever uses them has to log in again."""
    session = session_of(context)
    if bool(references) == others:
        raise typer.BadParameter("name log-ins, or give --others", ctx=context, param_hint="ID")

    async def work(application: "Application") -> Exit:
        authentication, account = application.authentication, application.account
        if others:
            if not yes and not await session.console.confirm("End all other log-ins of this account?"):
                return Exit.REFUSED
            ended = await authentication.end_other_sessions(account, application.identity.session_id)
        else:
            ended = len([await authentication.end_session(account, reference) for reference in references or ()])
        if as_json:
            session.console.write_json({"ended": ended})
        else:
            session.console.write("ended ", Styled(counted(ended, "log-in"), "strong"))
        return Exit.DONE

    session.run(work)


def _row(one: "LogInSession", current: str) -> tuple[str, ...]:
    here = "this one" if one.id == current else ""
    return one.id[-8:], one.client, f"since {one.created_at:%Y-%m-%d %H:%M}", f"until {one.expires_at:%Y-%m-%d}", here


def _record(one: "LogInSession", current: str) -> dict[str, Any]:
    return {
        "id": one.id,
        "client": one.client,
        "created_at": one.created_at.isoformat(),
        "expires_at": one.expires_at.isoformat(),
        "current": one.id == current,
    }
