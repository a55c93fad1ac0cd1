"""`multidb-chat models`: which model writes the answers, and larger models on this machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from multidb_chat.cli.console import Console, Exit, Styled
from multidb_chat.cli.options import Json, Quiet, Yes
from multidb_chat.cli.session import session_of
from multidb_chat.cli.writing_models import key, use
from multidb_chat.domain.text import clean_line

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application
    from multidb_chat.domain.models import InstalledModel, Told
    from multidb_chat.services.models import Listed

models = typer.Typer(rich_markup_mode=None)
models.command("use", epilog="Example: multidb-chat models use openai:qwen3 --url http://localhost:11434/v1")(use)
models.command("key", epilog="Example: multidb-chat models key openai")(key)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The model: stella.")]


@models.command("list", epilog="Example: multidb-chat models list --json")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """Tell what writes the answers and what makes vectors, and list the models that can be added or are here."""
    session = session_of(context)
    settings = session.settings

    async def work(application: "Application") -> Exit:
        from multidb_chat.services.answering.explaining import writer

        found = await application.models.list()
        embedder = application.embedders.meant(settings.embedder.name)
        if as_json:
            used = {"language_model": settings.model.name, "embedder": embedder}
            session.console.write_json({**used, "models": [_record(one) for one in found]})
            return Exit.DONE
        session.console.write(writer(settings.model.name, "multidb-chat models use"))
        session.console.write(f"Vectors of new collections are made by {clean_line(embedder)}.\n")
        for one in found:
            here = one.installed
            size = (one.source if here is None else here).size_bytes / 1e9
            state = f"{size:.2f} GB at {here.folder}" if here else f"not here; {size:.2f} GB to download"
            title = f"{one.source.title} ({one.source.licence})"
            session.console.write(Styled(f"{one.source.name:<10}", "strong"), f"{title:<42}{clean_line(state)}")
        return Exit.DONE

    session.run_unopened(work, session.settings)


@models.command(epilog="Example: multidb-chat models add stella --from /media/disk/stella_en_1.5B_v5")
def add(
    context: typer.Context,
    name: Name,
    origin: Annotated[
        Path | None, typer.Option("--from", metavar="FOLDER", help="Copy it from a folder instead of downloading it.")
    ] = None,
    yes: Yes = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Add a model's files, and record the size and sha256 of each.

    Without --from they are downloaded, after it was said how much that is; a download that was interrupted goes on with
    what has come. Code that a model is published with is neither copied nor run.
    """
    session = session_of(context)
    console = session.console
    console.quiet = quiet

    async def work(application: "Application") -> Exit:
        shelf = application.models
        source = shelf.source(name)
        if origin is None:
            size = f"{source.size_bytes / 1e9:.2f} GB"
            question = f"Download {size} from {source.repository} (licence {source.licence})?"
            if not yes and not await console.confirm(question):
                return Exit.REFUSED
            console.tell(f"downloading {size} to {clean_line(str(shelf.folder(name)))}")
            made = await shelf.download(name)
        else:
            with _counting(console, "copied") as told:
                made = await shelf.copy(name, origin, told)
        if as_json:
            console.write_json(_installed(made))
            return Exit.DONE
        console.write("added ", Styled(made.name, "strong"), f", {made.size_bytes / 1e9:.2f} GB, {made.licence}")
        console.tell(f"To use it for what is there already: multidb-chat docs reprocess --embedder {made.name}")
        return Exit.DONE

    session.run_unopened(work, session.settings)


@models.command(epilog="Example: multidb-chat models verify stella")
def verify(context: typer.Context, name: Name, as_json: Json = False, quiet: Quiet = False) -> None:
    """Compare a model's files with the sizes and sha256 that were recorded; the exit code is 1 when one differs."""
    session = session_of(context)
    console = session.console
    console.quiet = quiet

    async def work(application: "Application") -> Exit:
        with _counting(console, "read") as told:
            wrong = await application.models.verify(name, told)
        if as_json:
            console.write_json({"name": name, "wrong": list(wrong)})
        else:
            for line in wrong:
                console.write(Styled("wrong  ", "bad"), clean_line(line))
            console.tell(f"add it again: multidb-chat models add {name}" if wrong else "all files are as recorded")
        return Exit.PARTLY if wrong else Exit.DONE

    session.run_unopened(work, session.settings)


@models.command(epilog="Example: multidb-chat models remove stella --yes")
def remove(context: typer.Context, name: Name, yes: Yes = False, as_json: Json = False) -> None:
    """Remove a model's files. Collections whose vectors it made can then not be searched by meaning here."""
    session = session_of(context)
    console = session.console

    async def work(application: "Application") -> Exit:
        if not yes and not await console.confirm(f"Remove the files of {clean_line(name)}?"):
            return Exit.REFUSED
        gone = await application.models.remove(name)
        if as_json:
            console.write_json(_installed(gone))
        else:
            console.write("removed ", Styled(gone.name, "strong"), f", {gone.size_bytes / 1e9:.2f} GB")
        return Exit.DONE

    session.run_unopened(work, session.settings)


@models.command(epilog='Example: ls "$(multidb-chat models path stella)"')
def path(context: typer.Context, name: Name) -> None:
    """Print the folder where a model's files are, or would be."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        session.console.write(str(application.models.folder(name)))
        return Exit.DONE

    session.run_unopened(work, session.settings)


@contextmanager
def _counting(console: Console, verb: str) -> "Iterator[Told]":
    """Give what counts bytes and tells every gigabyte of them on a terminal."""
    done = 0

    def told(more: int) -> None:
        nonlocal done
        before, done = done, done + more
        if console.full_terminal and not console.quiet and done // 10**9 > before // 10**9:
            console.tell(Styled(f"{verb} {done / 1e9:.0f} GB", "faint"))

    yield told


def _record(one: "Listed") -> dict[str, Any]:
    source = one.source
    return {
        "name": source.name,
        "title": source.title,
        "repository": source.repository,
        "licence": source.licence,
        "size_bytes": source.size_bytes,
        "installed": None if one.installed is None else _installed(one.installed),
    }


def _installed(model: "InstalledModel") -> dict[str, Any]:
    return {
        "name": model.name,
        "folder": str(model.folder),
        "source": model.source,
        "licence": model.licence,
        "added_at": model.added_at.isoformat(),
        "size_bytes": model.size_bytes,
        "files": {name: {"size_bytes": size, "sha256": digest} for name, (size, digest) in model.files.items()},
    }
