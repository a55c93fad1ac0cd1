"""`multidb-chat collections`: named sets of documents."""

import shlex
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from multidb_chat.cli.console import Exit, Styled
from multidb_chat.cli.options import Json, OnlyShared, Shared, Yes
from multidb_chat.cli.session import session_of
from multidb_chat.services.wording import counted, size

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application
    from multidb_chat.domain.accounts import Account
    from multidb_chat.domain.library import Collection, Cut

collections = typer.Typer(rich_markup_mode=None)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The collection.")]
Chunking = Annotated[
    str | None,
    typer.Option(
        "--chunking", metavar="WAY", help="How documents are cut into passages: structure, semantic or fixed."
    ),
]
ChunkSize = Annotated[
    int | None,
    typer.Option(
        "--chunk-size", metavar="N", help="The length of a passage that is aimed at, in characters; 0: the usual one."
    ),
]
Headers = Annotated[
    bool | None,
    typer.Option(
        "--headers/--no-headers",
        help="Embed each passage with the title and the headings above it.",
        show_default=False,
    ),
]


@collections.command("list", epilog="Example: multidb-chat collections list --json")
def list_(context: typer.Context, shared: OnlyShared = None, as_json: Json = False) -> None:
    """List the collections that can be searched."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.listing import write_table

        await application.handbook.ensure()
        account = application.account
        found = [row for row in await application.documents.contents(account) if shared in (None, row[0].shared)]
        if as_json:
            records = [
                collection_record(one) | {"own": one.owner_id == account.id, "documents": held.documents}
                for one, held in found
            ]
            session.console.write_json({"collections": records})
            return Exit.DONE
        if not found:
            session.console.tell("There is none. Make one: multidb-chat collections create NAME")
            return Exit.DONE
        rows = [
            (one.name, seen_by(one, account), counted(held.documents, "document"), one.embedder or "empty",
             one.description)
            for one, held in found
        ]  # fmt: skip
        write_table(session.console, rows, strong=0)
        return Exit.DONE

    session.run(work)


@collections.command(epilog='Example: multidb-chat collections create physics --description "Papers about physics"')
def create(
    context: typer.Context,
    name: Name,
    description: Annotated[str, typer.Option("--description", metavar="TEXT", help="What is in it.")] = "",
    shared: Shared = None,
    chunking: Chunking = None,
    chunk_size: ChunkSize = None,
    headers: Headers = None,
    as_json: Json = False,
) -> None:
    """Make an empty collection; it is shared when you are not logged in, and private to your account when you are."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        from multidb_chat.services.collections import shares_by_default

        account = application.account
        told = shares_by_default(account) if shared is None else shared
        cut = _cut(chunking, chunk_size, headers)
        made = await application.documents.create_collection(account, name, description=description, shared=told, **cut)
        if as_json:
            session.console.write_json(collection_record(made))
        else:
            session.console.write("created ", Styled(made.name, "strong"), f" ({'shared' if told else 'private'})")
            session.console.tell(f"Add documents to it: multidb-chat docs add PATH --collection {made.name}")
        return Exit.DONE

    session.run(work)


@collections.command("set", epilog="Example: multidb-chat collections set physics --chunking semantic --chunk-size 800")
def set_(
    context: typer.Context,
    name: Name,
    description: Annotated[str | None, typer.Option("--description", metavar="TEXT", help="What is in it.")] = None,
    chunking: Chunking = None,
    chunk_size: ChunkSize = None,
    headers: Headers = None,
    as_json: Json = False,
) -> None:
    """Change what is said of a collection of yours, and how its documents are cut into passages.

    What is in it stays as it is, and can be searched, until `docs reindex` cuts it anew.
    """
    session = session_of(context)
    cut = _cut(chunking, chunk_size, headers)
    if not cut and description is None:
        raise typer.BadParameter("say what to change", ctx=context, param_hint="--description or --chunking")

    async def work(application: "Application") -> Exit:
        account = application.account
        changed = await application.documents.change_collection(account, name, description=description, **cut)
        if as_json:
            session.console.write_json(collection_record(changed))
            return Exit.DONE
        session.console.write("changed ", Styled(changed.name, "strong"))
        if cut and changed.embedder:
            again = f"multidb-chat docs reindex --collection {shlex.quote(changed.name)}"
            session.console.tell(f"What is in it is cut anew by: {again}")
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
            "size_bytes": summary.size_bytes,
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
        summary = await documents.show_collection(account, name)
        collection = summary.collection
        inside = f"{counted(summary.documents, 'document')} ({size(summary.size_bytes)})"
        question = f"Delete the collection {collection.name} with {inside}?"
        if not yes and not await session.console.confirm(question):
            return Exit.REFUSED
        deleted = await documents.delete_collection(account, collection.id)
        if as_json:
            session.console.write_json(collection_record(deleted))
        else:
            session.console.write("deleted ", Styled(deleted.name, "strong"))
        return Exit.DONE

    session.run(work)


@collections.command(epilog="Example: multidb-chat collections share physics")
def share(context: typer.Context, name: Name, as_json: Json = False) -> None:
    """Let every account of this installation, guests too, search a collection of yours. Only you can change it."""
    _share(context, name, True, as_json)


@collections.command(epilog="Example: multidb-chat collections unshare physics")
def unshare(context: typer.Context, name: Name, as_json: Json = False) -> None:
    """Keep a collection of yours to yourself again."""
    _share(context, name, False, as_json)


def _share(context: typer.Context, name: str, shared: bool, as_json: bool) -> None:
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        changed = await application.documents.change_collection(application.account, name, shared=shared)
        if as_json:
            session.console.write_json(collection_record(changed))
        else:
            session.console.write(Styled(changed.name, "strong"), f" is {'shared' if shared else 'private'}")
        return Exit.DONE

    session.run(work)


def _cut(chunking: str | None, chunk_size: int | None, headers: bool | None) -> "Cut":
    given = {"chunking": chunking, "chunk_chars": chunk_size, "headers": headers}
    return cast("Cut", {name: value for name, value in given.items() if value is not None})


def seen_by(collection: "Collection", account: "Account") -> str:
    """Return in a few words who may search a collection."""
    if collection.owner_id != account.id:
        return "shared, read only"
    return "shared" if collection.shared else "private"


def collection_record(collection: "Collection") -> dict[str, Any]:
    """Return a collection as JSON values."""
    return {
        "id": collection.id,
        "name": collection.name,
        "description": collection.description,
        "shared": collection.shared,
        "embedder": collection.embedder,
        "dimensions": collection.dimensions,
        "chunking": collection.chunking,
        "chunk_chars": collection.chunk_chars,
        "headers": collection.headers,
        "created_at": collection.created_at.isoformat(),
    }
