"""Options that several commands share, each said once."""

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document; its keys stay the same.")]
Collections = Annotated[
    list[str] | None, typer.Option("--collection", "-c", metavar="NAME", help="Only this collection (repeatable).")
]
Into = Annotated[str, typer.Option("--collection", "-c", metavar="NAME", help="The collection.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No sources, progress or hints; errors still show.")]
Shared = Annotated[
    bool | None,
    typer.Option(
        "--shared/--private", help="Who may search it: every account here, or its owner alone.", show_default=False
    ),
]
OnlyShared = Annotated[
    bool | None,
    typer.Option(
        "--shared/--private",
        help="Only what every account here may search, or only what is private.",
        show_default=False,
    ),
]
Rerank = Annotated[
    str | None,
    typer.Option(
        "--rerank", metavar="NAME", help='What puts the best passages in order, as the setting search.rerank; "none".'
    ),
]
Rewrite = Annotated[
    str | None,
    typer.Option(
        "--rewrite", metavar="NAME", help='What asks in other words, too: feedback, model or "none" (search.rewrite).'
    ),
]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input instead of asking for it.")
]
