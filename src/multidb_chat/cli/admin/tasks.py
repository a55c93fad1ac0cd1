"""`multidb-chat admin tasks`: background work of everybody."""

from typing import TYPE_CHECKING, Annotated, cast

import typer

from multidb_chat.cli.console import Exit, Styled
from multidb_chat.cli.options import Json, Yes
from multidb_chat.cli.session import session_of
from multidb_chat.services.wording import counted

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application
    from multidb_chat.domain.tasks import TaskState

tasks = typer.Typer(help="Background tasks of everybody.", no_args_is_help=True, rich_markup_mode=None)


@tasks.command("list", epilog="Example: multidb-chat admin tasks list --state failed")
def list_(
    context: typer.Context,
    states: Annotated[
        list[str] | None,
        typer.Option("--state", metavar="STATE", help="queued, running, done, failed or cancelled (repeatable)."),
    ] = None,
    user: Annotated[str, typer.Option("--user", metavar="USER", help="Only those of this account.")] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="How many at the most.")] = 50,
    as_json: Json = False,
) -> None:
    """List tasks, the latest first, and how many there are in each state. What they are about is not told."""
    from multidb_chat.domain.tasks import TASK_STATES

    session = session_of(context)
    for state in states or ():
        if state not in TASK_STATES:
            known = ", ".join(TASK_STATES)
            raise typer.BadParameter(f"{state!r} is not one of {known}", ctx=context, param_hint="--state")

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.admin.tables import short, when, write_rows
        from multidb_chat.cli.background_views import task_record

        actor, service = application.account, application.task_service
        owner = (await application.administration.find(actor, user)).id if user else None
        chosen = cast("list[TaskState]", states or [])
        found = await service.everybodys(actor, owner_id=owner, states=chosen, limit=limit)
        counts = await service.counts(actor)
        if as_json:
            listed = [task_record(one) | {"account_id": one.account_id} for one in found]
            session.console.write_json(
                {"counts": {str(state): count for state, count in counts.items()}, "tasks": listed}
            )
            return Exit.DONE
        rows = [
            (
                short(one.id),
                one.kind,
                one.state,
                str(one.attempts),
                when(one.created_at),
                short(one.account_id),
                one.error,
            )
            for one in found
        ]
        if rows:
            write_rows(session.console, ("id", "kind", "state", "tries", "since", "account", "error"), rows)
        told = ", ".join(f"{count:,} {state}" for state, count in sorted(counts.items())) or "The queue is empty."
        session.console.tell(Styled(told, "faint"))
        return Exit.DONE

    session.run(work)


@tasks.command(epilog="Example: multidb-chat admin tasks retry 3f2a91c4")
def retry(
    context: typer.Context,
    reference: Annotated[str, typer.Argument(metavar="ID", help="The task's id, or its last four or more characters.")],
    as_json: Json = False,
) -> None:
    """Queue a failed or cancelled task of anybody anew."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.background_views import queued

        return queued(session.console, await application.task_service.retry(application.account, reference), as_json)

    session.run(work)


@tasks.command(epilog="Example: multidb-chat admin tasks purge --days 30 --yes")
def purge(
    context: typer.Context,
    days: Annotated[int, typer.Option("--days", metavar="N", min=0, help="Those that ended N days ago.")] = 30,
    unread: Annotated[bool, typer.Option("--unread", help="Also those whose results nobody has read.")] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Remove tasks of everybody that ended, with their results."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        from datetime import UTC, datetime, timedelta

        from multidb_chat.domain.permissions import Permission, require

        require(application.account, Permission.MANAGE_TASKS)  # before anything is asked
        what = "read or not" if unread else "that were read"
        question = f"Remove all tasks that ended more than {counted(days, 'day')} ago, {what}?"
        if not yes and not await session.console.confirm(question):
            return Exit.REFUSED
        until = datetime.now(UTC) - timedelta(days=days)
        removed = await application.task_service.purge(application.account, until, unread=unread)
        if as_json:
            session.console.write_json({"removed": removed})
        else:
            session.console.write(f"removed {counted(removed, 'task')}")
        return Exit.DONE

    session.run(work)
