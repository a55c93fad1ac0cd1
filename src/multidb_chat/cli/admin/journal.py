"""`multidb-chat admin journal`: what stores on servers refused of what had waited for them on this machine."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from multidb_chat.cli.console import Exit, Styled
from multidb_chat.cli.options import Json, Yes
from multidb_chat.cli.session import session_of

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application
    from multidb_chat.domain.journal import Refused

journal = typer.Typer(
    help="What stores on servers refused of what had waited for them here.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
References = Annotated[
    list[str] | None, typer.Argument(metavar="[ID]...", help="Ids, or their last four or more characters.")
]
Everything = Annotated[bool, typer.Option("--all", help="All that was refused.")]


@journal.command("list", epilog="Example: multidb-chat admin journal list")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """List what was refused and why, the oldest first. What was said in it is not told.

    What still waits is counted by multidb-chat admin status.
    """
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.admin.tables import short, when, write_rows

        found = await application.refusals.all(application.account)
        if as_json:
            session.console.write_json({"refused": _records(found)})
            return Exit.DONE
        rows = [
            (short(one.id), one.store, one.kind, when(one.at), short(one.account_id), one.reason or "the log says why")
            for one in found
        ]
        if rows:
            write_rows(session.console, ("id", "store", "what", "since", "account", "reason"), rows)
        else:
            session.console.tell(Styled("Nothing was refused.", "faint"))
        return Exit.DONE

    session.run(work)


@journal.command(epilog="Example: multidb-chat admin journal retry --all")
def retry(
    context: typer.Context, ids: References = None, everything: Everything = False, as_json: Json = False
) -> None:
    """Try again what was refused, once its cause is gone. What a store refuses again stays here."""
    session = session_of(context)
    references = _given(context, ids, everything)

    async def work(application: "Application") -> Exit:
        tried, again = await application.refusals.retry(application.account, references)
        if as_json:
            session.console.write_json({"tried": _records(tried), "refused": _records(again)})
        else:
            session.console.write(f"tried {len(tried):,}, refused again {len(again):,}")
            for reason in dict.fromkeys(one.reason for one in again if one.reason):
                session.console.tell(Styled(reason, "faint"))
        return Exit.PARTLY if again else Exit.DONE

    session.run(work)


@journal.command(epilog="Example: multidb-chat admin journal drop 17 --yes")
def drop(
    context: typer.Context,
    ids: References = None,
    everything: Everything = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Remove what was refused, for good: what was said or uploaded is lost then."""
    session = session_of(context)
    references = _given(context, ids, everything)

    async def work(application: "Application") -> Exit:
        what = "all that was refused" if everything else f"{len(references):,} of what was refused"
        if not yes and not await session.console.confirm(f"Remove {what}, for good?"):
            return Exit.REFUSED
        dropped = await application.refusals.drop(application.account, references)
        if as_json:
            session.console.write_json({"dropped": _records(dropped)})
        else:
            session.console.write(f"removed {len(dropped):,}")
        return Exit.DONE

    session.run(work)


def _given(context: typer.Context, ids: Sequence[str] | None, everything: bool) -> Sequence[str]:
    if bool(ids) == everything:
        raise typer.BadParameter("give either ids or --all", ctx=context, param_hint="ID")
    return ids or ()


def _records(found: "Sequence[Refused]") -> list[dict[str, str]]:
    return [one._asdict() | {"at": one.at.isoformat()} for one in found]
