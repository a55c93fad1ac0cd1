"""`multidb-chat admin retention`: for how long things are kept."""

from typing import TYPE_CHECKING

import typer

from multidb_chat.cli.console import Exit, Styled
from multidb_chat.cli.options import Json, Yes
from multidb_chat.cli.session import session_of
from multidb_chat.services.wording import counted

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application

retention = typer.Typer(help="For how long things are kept.", no_args_is_help=True, rich_markup_mode=None)
_KEPT = {
    "conversations_days": "conversations, since something was said last",
    "deleted_days": "deleted conversations",
    "tasks_days": "background tasks that were read",
    "unread_days": "background tasks that nobody has read",
}
_REMOVED = ("account", "conversation", "deleted conversation", "task", "cached answer")


@retention.command(epilog="Example: multidb-chat admin retention show")
def show(context: typer.Context, as_json: Json = False) -> None:
    """Show for how long things are kept; multidb-chat config set retention.KEY DAYS changes it."""
    session = session_of(context)
    settings = session.settings
    values = {key: int(settings.value(f"retention.{key}")) for key in _KEPT}
    if as_json:
        session.console.write_json({**values, "guest_hours": settings.guest.hours})
        return
    for key, what in _KEPT.items():
        days = counted(values[key], "day") if values[key] else "for good"
        session.console.write(Styled(f"{key:<20}", "faint"), f"{days:<12}", what)
    session.console.write(
        Styled(f"{'guest.hours':<20}", "faint"), f"{counted(settings.guest.hours, 'hour'):<12}", "guests"
    )
    session.console.tell("The audit log is kept. To remove what is over its time: multidb-chat admin retention run")


@retention.command(epilog="Example: multidb-chat admin retention run --yes")
def run(context: typer.Context, yes: Yes = False, as_json: Json = False) -> None:
    """Remove what is over its time: guests, conversations, deletions, tasks, cached answers."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        from multidb_chat.domain.permissions import Permission, require

        require(application.account, Permission.MANAGE_INSTALLATION)  # before anything is asked
        if not yes and not await session.console.confirm("Remove everything that is over its time, for good?"):
            return Exit.REFUSED
        swept = await application.retention.run(application.account)
        counts = {
            "accounts": swept.accounts,
            "conversations": swept.conversations,
            "deleted_conversations": swept.deleted_conversations,
            "tasks": swept.tasks,
            "cached": swept.cached,
        }
        if as_json:
            session.console.write_json(counts)
        else:
            session.console.write("removed ", ", ".join(map(counted, counts.values(), _REMOVED)))
        return Exit.DONE

    session.run(work)
