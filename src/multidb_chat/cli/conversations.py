"""`multidb-chat conversations`: what was asked and answered, looked at, kept in order and taken along."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from multidb_chat.cli.console import Exit
from multidb_chat.cli.options import Json, Yes
from multidb_chat.cli.session import session_of
from multidb_chat.services.wording import counted

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application
    from multidb_chat.services.talk_export import TalkForm

conversations = typer.Typer(rich_markup_mode=None)
Which = Annotated[str, typer.Argument(metavar="ID", help='The identifier, its beginning, or "last".')]
Several = Annotated[list[str], typer.Argument(metavar="ID...", help='Identifiers, their beginnings, or "last".')]
FORMS: "dict[str, TalkForm]" = {"md": "md", "json": "json"}


@conversations.command("list", epilog="Example: multidb-chat conversations list --search churn")
def list_(
    context: typer.Context,
    search: Annotated[
        str | None,
        typer.Option("--search", "-s", metavar="TEXT", help="Only those with all these words, or beginnings."),
    ] = None,
    archived: Annotated[bool, typer.Option("--archived", help="Those that were put away.")] = False,
    deleted: Annotated[bool, typer.Option("--deleted", help="Those that can still be taken back.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")] = 50,
    as_json: Json = False,
) -> None:
    """List the conversations, the one talked in last first; a dot marks those with answers not looked at yet.

    The words of a search are looked for in titles, questions and answers.
    """
    session = session_of(context)
    if deleted and (archived or search is not None):
        raise typer.BadParameter("stands alone", ctx=context, param_hint="--deleted")

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli import conversation_views as views

        history, account = application.history, application.account
        if search is not None:
            found = await history.search(account, search, limit, archived)
            return views.show_found(session.console, found, search, as_json)
        everything = await history.all(account, deleted=deleted)
        chosen = [one for one in everything if deleted or one.archived is archived]
        return views.show_list(session.console, chosen, limit, as_json, deleted)

    session.run(work)


@conversations.command(epilog="Example: multidb-chat conversations show last")
def show(context: typer.Context, which: Which, as_json: Json = False) -> None:
    """Show what was said, with the sources of each answer."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli import conversation_views as views

        account, branches = application.account, application.branches
        conversation = await application.history.named(account, which)
        branch = await branches.shown(account, conversation.id)
        messages = await branches.messages(account, conversation.id, branch.ids)
        done = views.show_talk(session.console, conversation, messages, as_json)
        if session.console.out_is_terminal:
            await application.history.mark_read(account, conversation.id)
        return done

    session.run(work)


@conversations.command(epilog='Example: multidb-chat conversations rename last "Churn, for the board"')
def rename(
    context: typer.Context,
    which: Which,
    title: Annotated[str, typer.Argument(metavar="TITLE", help="What it is called from now on.")],
    as_json: Json = False,
) -> None:
    """Give a conversation another title."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.conversation_views import told

        account = application.account
        found = await application.history.named(account, which)
        return told(session.console, "renamed", [await application.history.rename(account, found.id, title)], as_json)

    session.run(work)


@conversations.command(epilog="Example: multidb-chat conversations archive last")
def archive(context: typer.Context, which: Several, as_json: Json = False) -> None:
    """Put conversations away; they stay and can be searched with --archived."""
    _put_away(context, which, True, as_json)


@conversations.command(epilog="Example: multidb-chat conversations unarchive 0193f1a2")
def unarchive(context: typer.Context, which: Several, as_json: Json = False) -> None:
    """Take conversations out of the archive."""
    _put_away(context, which, False, as_json)


def _put_away(context: typer.Context, which: list[str], archived: bool, as_json: bool) -> None:
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.conversation_views import told

        history, account = application.history, application.account
        found = [await history.named(account, reference) for reference in which]
        changed = [await history.archive(account, one.id, archived) for one in found]
        return told(session.console, "archived" if archived else "unarchived", changed, as_json)

    session.run(work)


@conversations.command(epilog="Example: multidb-chat conversations delete last --yes")
def delete(context: typer.Context, which: Several, yes: Yes = False, as_json: Json = False) -> None:
    """Delete conversations; for a month, undelete brings them back."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.conversation_views import told

        history, account = application.history, application.account
        found = {one.id: one for one in [await history.named(account, reference) for reference in which]}
        title = f'"{next(iter(found.values())).title}"' if len(found) == 1 else counted(len(found), "conversation")
        if not yes and not await session.console.confirm(f"Delete {title}?"):
            return Exit.REFUSED
        deleted = [await history.delete(account, key) for key in found]
        done = told(session.console, "deleted", deleted, as_json)
        session.console.tell(f"Take it back: multidb-chat conversations undelete {' '.join(found)}")
        return done

    session.run(work)


@conversations.command(epilog="Example: multidb-chat conversations undelete 0193f1a2")
def undelete(context: typer.Context, which: Several, as_json: Json = False) -> None:
    """Bring deleted conversations back."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.conversation_views import told

        history, account = application.history, application.account
        found = [await history.named(account, reference, deleted=True) for reference in which]
        return told(
            session.console, "brought back", [await history.undelete(account, one.id) for one in found], as_json
        )

    session.run(work)


@conversations.command(epilog="Example: multidb-chat conversations fork last")
def fork(
    context: typer.Context,
    which: Which,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="MESSAGE", help="Copy up to this message only; show --json tells identifiers."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Copy what was said into a conversation of its own, to go on from there in another direction."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.conversation_views import told

        account = application.account
        found = await application.history.named(account, which)
        made = await application.branches.fork(account, found.id, at)
        done = told(session.console, "forked", [made], as_json)
        session.console.tell(f'Go on there: multidb-chat ask --conversation {made.id} "..."')
        return done

    session.run(work)


@conversations.command(epilog="Example: multidb-chat conversations export last --format md --output talk.md")
def export(
    context: typer.Context,
    which: Which,
    form: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="md: what is shown, to read; json: everything, to keep.")
    ] = "md",
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="A file, or a folder to put it in; - prints it.")
    ] = "-",
) -> None:
    """Write a conversation with its sources to a file or print it."""
    session = session_of(context)
    if form not in FORMS:
        raise typer.BadParameter(f"{form!r} is not one of {', '.join(FORMS)}", ctx=context, param_hint="--format")
    folder = Path(output) if Path(output).is_dir() else None

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.exporting import put

        account = application.account
        found = await application.history.named(account, which)
        made = await application.branches.export(account, found.id, FORMS[form])
        return put(session.console, made, str(folder / made.name) if folder else output)

    session.run(work)
