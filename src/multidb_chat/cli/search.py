"""`multidb-chat docs search`: the passages themselves, for one question or a file of them."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from multidb_chat.cli.choosing import for_now, named
from multidb_chat.cli.console import Exit
from multidb_chat.cli.options import Collections, Json, Rerank, Rewrite
from multidb_chat.cli.session import session_of
from multidb_chat.domain.errors import InvalidInput

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application
    from multidb_chat.domain.search import SearchFilters


def search(
    context: typer.Context,
    query: Annotated[str | None, typer.Argument(metavar="QUERY", help="What to look for.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1_000, help="The most passages.")] = 10,
    names: Collections = None,
    kinds: Annotated[
        list[str] | None, typer.Option("--kind", metavar="KIND", help="Only this kind, such as pdf (repeatable).")
    ] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="DATE", help="Not older: 2019-01-31.")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="DATE", help="Not newer: 2019-12-31.")] = None,
    meta: Annotated[
        list[str] | None, typer.Option("--meta", metavar="KEY=VALUE", help="Only with this metadata (repeatable).")
    ] = None,
    queries: Annotated[
        Path | None,
        typer.Option("--queries", metavar="FILE", help='Queries, one a line: {"id": ..., "text": ...}.'),
    ] = None,
    run: Annotated[
        Path | None, typer.Option("--run", metavar="FILE", help="Write the documents' ranking in TREC format.")
    ] = None,
    rerank: Rerank = None,
    rewrite: Rewrite = None,
    as_json: Json = False,
) -> None:
    """Find passages and show them with all their scores. The handbook is searched only when it is named.

    With --queries and --run, the best documents of each query are written, one a line:
    query Q0 document rank score multidb-chat.
    """
    session = session_of(context)
    if (query is None) == (queries is None) or (queries is None) != (run is None):
        raise typer.BadParameter("give a query, or --queries with --run", ctx=context, param_hint="QUERY")
    if query is not None and not any(character.isalnum() for character in query):
        raise InvalidInput("The query is empty: write what to look for.")
    pairs = [pair.partition("=") for pair in meta or ()]
    if wrong := next((key for key, equals, _ in pairs if not equals or not key), None):
        raise typer.BadParameter(f"{wrong!r} is not KEY=VALUE", ctx=context, param_hint="--meta")
    narrowed: dict[str, Any] = {
        "kinds": tuple(kinds or ()),
        "since": _day(context, "--since", since),
        "until": _day(context, "--until", until),
        "metadata": {key: value for key, _, value in pairs},
    }

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli import searching

        for_now(application, rerank, rewrite)
        filters = await _filters(application, names, narrowed)
        if queries is not None and run is not None:
            return await searching.write_run(session.console, application, queries, run, filters, limit)
        assert query is not None
        return await searching.show_passages(session.console, application, query, filters, limit, as_json)

    session.run(work)


async def _filters(application: "Application", names: list[str] | None, narrowed: dict[str, Any]) -> "SearchFilters":
    from multidb_chat.domain.search import SearchFilters

    collections = await named(application, names)
    return SearchFilters(tuple(collection.id for collection in collections), **narrowed)


def _day(context: typer.Context, option: str, text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a date like 2019-01-31", ctx=context, param_hint=option) from None
