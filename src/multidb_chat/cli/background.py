"""`multidb-chat analyze` and `research`: background work that a person waits for, or does not."""

from typing import TYPE_CHECKING, Annotated

import typer

from multidb_chat.cli.options import Collections, Json, Quiet
from multidb_chat.cli.session import session_of

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application
    from multidb_chat.cli.console import Exit

Wait = Annotated[
    bool,
    typer.Option("--wait/--background", help="Do it now and show the report, or only queue it for whoever works."),
]
Output = Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="Where to write the report; - prints it.")]


def analyze(
    context: typer.Context,
    description: Annotated[
        str, typer.Argument(metavar="[DESCRIPTION]", help="What to look at; names of collections narrow it.")
    ] = "",
    names: Collections = None,
    wait: Wait = True,
    output: Output = "-",
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Report on the documents: terms, topics, names, dates, readability, and what is nearly the same.

    Words of the description that are not names of collections are counted by document and date.
    """
    _submit(context, "analyze", description, names, {}, wait, output, as_json, quiet)


def research(
    context: typer.Context,
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="What to find out.")],
    names: Collections = None,
    save: Annotated[
        str, typer.Option("--save", metavar="NAME", help="Add the report as a document to this collection of yours.")
    ] = "",
    wait: Wait = True,
    output: Output = "-",
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Ask the documents many questions about a topic and write a report with citations.

    What the documents do not say is in it too. The exit code is 3 when nothing was found.
    """
    if not any(character.isalnum() for character in topic):
        raise typer.BadParameter("say what to find out", ctx=context, param_hint="TOPIC")
    _submit(context, "research", topic, names, {"save": save} if save else {}, wait, output, as_json, quiet)


def _submit(
    context: typer.Context,
    kind: str,
    about: str,
    names: list[str] | None,
    options: dict[str, str],
    wait: bool,
    output: str,
    as_json: bool,
    quiet: bool,
) -> None:
    session = session_of(context)
    session.console.quiet = quiet

    async def work(application: "Application") -> "Exit":
        from multidb_chat.cli.background_views import follow, queued
        from multidb_chat.services.tasks.service import AWAITED

        if names:  # an unknown one is told now, not by a task that failed
            chosen = await application.documents.resolve(application.account, names)
            options["collections"] = "\n".join(one.id for one in chosen)
        task = await application.task_service.submit(
            application.account, kind, about, options, priority=AWAITED if wait else 0
        )
        if wait:
            return await follow(session.console, application, task, as_json, output, cancels=True)
        return queued(session.console, task, as_json)

    session.run(work)
