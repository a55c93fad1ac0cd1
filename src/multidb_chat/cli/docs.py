"""`multidb-chat docs`: documents in, out, and looked at."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from multidb_chat.cli.choosing import DEFAULT_COLLECTION, named, target_of
from multidb_chat.cli.console import Exit, Styled
from multidb_chat.cli.options import Collections, Into, Json, OnlyShared, Quiet, Shared, Yes
from multidb_chat.cli.search import search
from multidb_chat.cli.session import session_of
from multidb_chat.cli.usage import warn_of_quota
from multidb_chat.domain.errors import StoreUnavailable
from multidb_chat.domain.text import clean_line
from multidb_chat.services.wording import counted

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application
    from multidb_chat.services.exporting import ExportFormat
    from multidb_chat.services.ingesting.sources import Input

docs = typer.Typer(rich_markup_mode=None)
References = Annotated[list[str], typer.Argument(metavar="REF...", help="Name, title, path, URL or identifier.")]
Reference = Annotated[str, typer.Argument(metavar="REF", help="Name, title, path, URL or identifier.")]
FORMATS: "dict[str, ExportFormat]" = {"text": "text", "markdown": "markdown", "json": "json", "original": "original"}


@docs.command(epilog="Example: multidb-chat docs add ~/papers report.pdf https://example.org/page.html")
def add(
    context: typer.Context,
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Files, folders, patterns, URLs, or - for standard input.")
    ],
    collection: Into = DEFAULT_COLLECTION,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="What the text on standard input is called.")
    ] = None,
    shared: Shared = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Add documents, or bring those up to date that changed. Folders are read with everything below them.

    It can be stopped at any time; the same command then completes the rest. What cannot be read is listed at the end
    with the reason, and the exit code is 1.

    A new collection is shared when you are not logged in, and private to your account when you are.
    """
    session = session_of(context)
    session.console.quiet = quiet
    if ("-" in paths) != (name is not None):
        raise typer.BadParameter("- needs --name, and --name needs -", ctx=context, param_hint="--name")
    inputs: list[Input] = [path for path in paths if path != "-"]
    if name is not None:
        from multidb_chat.services.ingesting.sources import Given

        most = session.settings.ingest.max_file_mb * 1_000_000
        given = sys.stdin.buffer.read(most + 1) if sys.stdin is not None else b""  # None: started with it closed
        inputs.append(Given(name, given))

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.ingesting import follow

        account = application.account
        try:
            if application.spools:
                await application.spool.store_waiting()
            target = await target_of(application, session.console, collection, shared)
            done = await follow(session.console, application.ingestion.add(account, target, inputs), as_json)
        except StoreUnavailable as error:
            if error.store != "library" or not application.spools:
                raise
            kept = await application.spool.keep(account, collection, shared, inputs)
            session.console.complain(kept.told(error))
            return Exit.PARTLY
        await warn_of_quota(session.console, application)
        return done

    session.run(work)


@docs.command(epilog="Example: multidb-chat docs sync ~/papers")
def sync(
    context: typer.Context,
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="The folder.")],
    collection: Into = DEFAULT_COLLECTION,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Add a folder, and remove the documents whose files are no longer in it."""
    session = session_of(context)
    session.console.quiet = quiet

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.ingesting import follow

        target = await target_of(application, session.console, collection)
        events = application.ingestion.sync(application.account, target, folder)
        done = await follow(session.console, events, as_json)
        await warn_of_quota(session.console, application)
        return done

    session.run(work)


@docs.command(epilog="Example: multidb-chat docs reindex --collection physics")
def reindex(
    context: typer.Context,
    references: Annotated[
        list[str] | None, typer.Argument(metavar="REF...", help="Only these documents; without any, all.")
    ] = None,
    collection: Into = DEFAULT_COLLECTION,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make passages and vectors of stored documents anew, for example after another embedder was chosen."""
    session = session_of(context)
    session.console.quiet = quiet

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.ingesting import follow

        account, documents = application.account, application.documents
        target = (await documents.resolve(account, [collection]))[0]
        chosen = await documents.select(account, references, [target]) if references else ()
        return await follow(session.console, application.ingestion.reindex(account, target, chosen), as_json)

    session.run(work)


@docs.command(epilog="Example: multidb-chat docs reprocess --embedder stella --background")
def reprocess(
    context: typer.Context,
    names: Collections = None,
    embedder: Annotated[
        str, typer.Option("--embedder", metavar="NAME", help="What makes the vectors, as the setting embedder.name.")
    ] = "auto",
    wait: Annotated[
        bool, typer.Option("--wait/--background", help="Do it now, or only queue it for whoever works.")
    ] = True,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Give your collections the vectors of another embedder, while they are searched with those that they have.

    A collection is switched when all its new vectors are there. It can be stopped at any time; the same command then
    goes on.
    """
    session = session_of(context)
    session.console.quiet = quiet

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.reprocessing import reprocess as run

        return await run(session.console, application, names, embedder, wait, as_json)

    session.run(work)


@docs.command("list", epilog="Example: multidb-chat docs list --collection physics --json")
def list_(context: typer.Context, names: Collections = None, shared: OnlyShared = None, as_json: Json = False) -> None:
    """List the documents, by default of all collections but the handbook."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.listing import list_documents

        return await list_documents(session.console, application, await named(application, names, shared), as_json)

    session.run(work)


@docs.command(epilog="Example: multidb-chat docs show report.pdf")
def show(context: typer.Context, reference: Reference, names: Collections = None, as_json: Json = False) -> None:
    """Show what is known of a document."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.listing import show_document

        collections = await named(application, names)
        document = await application.documents.show(application.account, reference, collections)
        return show_document(session.console, document, as_json)

    session.run(work)


@docs.command(epilog="Example: multidb-chat docs remove report.pdf --yes")
def remove(
    context: typer.Context, references: References, names: Collections = None, yes: Yes = False, as_json: Json = False
) -> None:
    """Remove documents from the program; files on the disk stay where they are."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        account, documents = application.account, application.documents
        collections = await named(application, names)
        chosen = await documents.select(account, references, collections)
        if not yes and not await session.console.confirm(f"Remove {counted(len(chosen), 'document')}?"):
            return Exit.REFUSED
        removed = await documents.remove(account, [document.id for document in chosen])
        if as_json:
            session.console.write_json({"removed": [{"id": one.id, "name": one.name} for one in removed]})
        for one in () if as_json else removed:
            session.console.write("removed ", Styled(clean_line(one.name), "strong"))
        return Exit.DONE

    session.run(work)


@docs.command(epilog="Example: multidb-chat docs export report.pdf --format markdown --output report.md")
def export(
    context: typer.Context,
    reference: Reference,
    form: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="text, markdown, json, or original where it was kept.")
    ] = "text",
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="Where to write it; - prints it.")
    ] = "-",
    names: Collections = None,
    as_json: Json = False,
) -> None:
    """Write a document's text to a file or print it. --json is --format json."""
    session = session_of(context)
    if as_json:
        if form not in ("text", "json"):
            raise typer.BadParameter("give either --json or --format", ctx=context, param_hint="--json")
        form = "json"
    if form not in FORMATS:
        raise typer.BadParameter(f"{form!r} is not one of {', '.join(FORMATS)}", ctx=context, param_hint="--format")

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.exporting import put

        collections = await named(application, names)
        made = await application.documents.export(application.account, reference, FORMATS[form], collections)
        return put(session.console, made, output)

    session.run(work)


docs.command(epilog="Example: multidb-chat docs search churn --kind pdf --since 2019-01-01")(search)
