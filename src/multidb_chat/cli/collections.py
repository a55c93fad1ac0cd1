"""`multidb-chat collections`: named sets of documents."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from multidb_chat.cli.console import Exit, Styled
from multidb_chat.cli.options import Json, Yes
from multidb_chat.cli.session import session_of

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application
    from multidb_chat.domain.library import Collection

collections = typer.Typer(help="Keep sets of documents apart.", rich_markup_mode=None)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The collection.")]


@collections.command("list", epilog="Example: multidb-chat collections list --json")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """List the collections that can be searched."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.listing import write_table

        await application.handbook.ensure()
        found = await application.documents.collections(application.account)
        if as_json:
            session.console.write_json({"collections": [collection_record(one) for one in found]})
            return Exit.DONE
        rows = [
            (one.name, "shared" if one.shared else "private", one.embedder or "empty", one.description) for one in found
        ]
        write_table(session.console, rows, strong=0)
        return Exit.DONE

    session.run(work)


@collections.command(epilog='Example: multidb-chat collections create physics --description "Papers about physics"')
def create(
    context: typer.Context,
    name: Name,
    description: Annotated[str, typer.Option("--description", metavar="TEXT", help="What is in it.")] = "",
    private: Annotated[bool, typer.Option("--private", help="Hide it from guests of the app.")] = False,
    as_json: Json = False,
) -> None:
    """Make an empty collection."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        made = await application.documents.create_collection(
            application.account, name, description=description, shared=not private
        )
        if as_json:
            session.console.write_json(collection_record(made))
        else:
            session.console.write("created ", Styled(made.name, "strong"))
            session.console.tell(f"Add documents to it: multidb-chat docs add PATH --collection {made.name}")
        return Exit.DONE

    session.run(work)


@collections.command(epilog="Example: multidb-chat collections show physics")
def show(context: typer.Context, name: Name, as_json: Json = False) -> None:
    """Show what is known of a collection."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        await application.handbook.ensure()
        summary = await application.documents.show_collection(application.account, name)
        record = collection_record(summary.collection) | {
            "documents": summary.documents,
            "chunks": summary.chunks,
            "characters": summary.characters,
        }
        if as_json:
            session.console.write_json(record)
            return Exit.DONE
        for key, value in record.items():
            session.console.write(Styled(f"{key.replace('_', ' '):<14}", "faint"), str(value))
        return Exit.DONE

    session.run(work)


@collections.command(epilog="Example: multidb-chat collections delete physics --yes")
def delete(context: typer.Context, name: Name, yes: Yes = False, as_json: Json = False) -> None:
    """Remove a collection with its documents from the program; files on the disk stay where they are."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        account, documents = application.account, application.documents
        (collection,) = await documents.resolve(account, [name])
        question = f"Delete the collection {collection.name} with its documents?"
        if not yes and not await session.console.confirm(question):
            return Exit.REFUSED
        deleted = await documents.delete_collection(account, collection.id)
        if as_json:
            session.console.write_json(collection_record(deleted))
        else:
            session.console.write("deleted ", Styled(deleted.name, "strong"))
        return Exit.DONE

    session.run(work)


def collection_record(collection: "Collection") -> dict[str, Any]:
    """Return a collection as JSON values."""
    return {
        "id": collection.id,
        "name": collection.name,
        "description": collection.description,
        "shared": collection.shared,
        "embedder": collection.embedder,
        "dimensions": collection.dimensions,
        "created_at": collection.created_at.isoformat(),
    }
