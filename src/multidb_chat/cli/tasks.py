"""`multidb-chat tasks` and `multidb-chat notifications`: what goes on in the background, and what came of it."""

from typing import TYPE_CHECKING, Annotated, cast

import typer

from multidb_chat.cli.console import Exit, Styled
from multidb_chat.cli.options import Json, Quiet, Yes
from multidb_chat.cli.session import session_of

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application
    from multidb_chat.domain.tasks import TaskState

tasks = typer.Typer(rich_markup_mode=None)
notifications = typer.Typer(rich_markup_mode=None)

Reference = Annotated[str, typer.Argument(metavar="ID", help="The task's id, or its last four or more characters.")]
References = Annotated[list[str], typer.Argument(metavar="ID...", help="Ids, or their last four or more characters.")]
Limit = Annotated[int, typer.Option("--limit", metavar="N", min=1, help="So many at the most.")]
Output = Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="Where to write the report; - prints it.")]


@tasks.command("list", epilog="Example: multidb-chat tasks list --state running --json")
def list_(
    context: typer.Context,
    states: Annotated[
        list[str] | None,
        typer.Option("--state", metavar="STATE", help="queued, running, done, failed or cancelled (repeatable)."),
    ] = None,
    kinds: Annotated[
        list[str] | None, typer.Option("--kind", metavar="KIND", help="analyze or research (repeatable).")
    ] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List your background tasks, the latest first."""
    session = session_of(context)
    from multidb_chat.domain.tasks import TASK_STATES

    for state in states or ():
        if state not in TASK_STATES:
            raise typer.BadParameter(
                f"{state!r} is not one of {', '.join(TASK_STATES)}", ctx=context, param_hint="--state"
            )

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.background_views import list_tasks

        found = await application.task_service.list(
            application.account, states=cast("list[TaskState]", states or []), kinds=kinds or [], limit=limit
        )
        return list_tasks(session.console, found, as_json)

    session.run(work)


@tasks.command(epilog="Example: multidb-chat tasks show 3f2a91c4 --output report.md")
def show(context: typer.Context, reference: Reference, output: Output = "-", as_json: Json = False) -> None:
    """Show how a task fares; when it is done, its report. It counts as read then."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.background_views import show as shown

        task = await application.task_service.get(application.account, reference)
        code = shown(session.console, task, as_json, output)
        await application.inbox.mark_read(application.account, [task.id])
        return code

    session.run(work)


@tasks.command(epilog="Example: multidb-chat tasks cancel 3f2a91c4")
def cancel(context: typer.Context, references: References, as_json: Json = False) -> None:
    """Cancel tasks that have not ended, running ones too."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.background_views import task_record
        from multidb_chat.services.tasks.service import short_id

        cancelled = [await application.task_service.cancel(application.account, one) for one in references]
        if as_json:
            session.console.write_json({"cancelled": [task_record(task) for task in cancelled]})
        for task in () if as_json else cancelled:
            session.console.write("cancelled ", Styled(short_id(task), "strong"))
        return Exit.DONE

    session.run(work)


@tasks.command(epilog="Example: multidb-chat tasks retry 3f2a91c4")
def retry(context: typer.Context, reference: Reference, as_json: Json = False) -> None:
    """Queue a failed or cancelled task anew."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.background_views import queued

        task = await application.task_service.retry(application.account, reference)
        return queued(session.console, task, as_json)

    session.run(work)


@tasks.command(epilog="Example: multidb-chat tasks wait 3f2a91c4 --json")
def wait(
    context: typer.Context, reference: Reference, output: Output = "-", as_json: Json = False, quiet: Quiet = False
) -> None:
    """Wait until a task has ended and show its report; nobody else has to work meanwhile.

    Ctrl-C ends the waiting, not the task. The exit code is 1 when it failed or was cancelled, 3 when it found nothing.
    """
    session = session_of(context)
    session.console.quiet = quiet

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.background_views import follow

        task = await application.task_service.get(application.account, reference)
        return await follow(session.console, application, task, as_json, output)

    session.run(work)


@tasks.command("work", epilog="Example: multidb-chat tasks work --until-empty")
def work_(
    context: typer.Context,
    until_empty: Annotated[bool, typer.Option("--until-empty", help="Leave when there is nothing left to do.")] = False,
    lanes: Annotated[int, typer.Option("--lanes", metavar="N", min=1, max=16, help="So many tasks at a time.")] = 1,
) -> None:
    """Do background tasks of all accounts of this installation until Ctrl-C; several at once are safe.

    A task that is interrupted goes back into the queue.
    """
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        if until_empty:
            done = 0
            while await application.worker.step():
                done += 1
            session.console.write(f"{done:,} done")
            if application.corpus_follower:
                await application.corpus_follower.refresh()
            return Exit.DONE
        session.console.tell("Working. Ctrl-C ends it; what is not done then goes back into the queue.")
        application.store_uploads()
        await application.worker.run(lanes)
        return Exit.DONE

    session.run(work)


@notifications.command("list", epilog="Example: multidb-chat notifications list --unread --json")
def letters(
    context: typer.Context,
    unread: Annotated[bool, typer.Option("--unread", help="Only what was not read.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Do not mark them as read.")] = False,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List what ended, the latest first, and mark it as read."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.background_views import list_letters

        inbox, account = application.inbox, application.account
        found = [one for one in await inbox.letters(account, limit) if not (unread and one.read)]
        code = list_letters(session.console, found, as_json)
        if not keep:
            await inbox.mark_read(account, [one.task_id for one in found])
        return code

    session.run(work)


@notifications.command("clear", epilog="Example: multidb-chat notifications clear --yes")
def clear(context: typer.Context, yes: Yes = False, as_json: Json = False) -> None:
    """Empty the inbox. The tasks and their reports stay."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        inbox, account = application.inbox, application.account
        unread = await inbox.unread(account)
        if unread and not yes and not await session.console.confirm(f"{unread:,} are not read. Clear the inbox?"):
            return Exit.REFUSED
        cleared = await inbox.clear(account)
        if as_json:
            session.console.write_json({"cleared": cleared})
        else:
            session.console.write(f"{cleared:,} cleared")
        return Exit.DONE

    session.run(work)
