"""`multidb-chat admin knowledge`: curated questions and answers."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from multidb_chat.cli.console import Console, Exit, Styled
from multidb_chat.cli.options import Json, Yes
from multidb_chat.cli.session import session_of
from multidb_chat.domain.text import clean_line
from multidb_chat.services.wording import counted

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application
    from multidb_chat.services.knowledge.exchange import Form

knowledge = typer.Typer(help="Curated questions and answers.", no_args_is_help=True, rich_markup_mode=None)
Reference = Annotated[str, typer.Argument(metavar="ENTRY", help="The id, the end of it (6 or more), or the question.")]
References = Annotated[list[str], typer.Argument(metavar="ENTRY...", help="Ids, ends of them, or questions.")]
Category = Annotated[str, typer.Option("--category", metavar="NAME", help="A word to group entries by.")]
Of = Annotated[str | None, typer.Option("--category", metavar="NAME", help="Only entries of this category.")]
FormOption = Annotated[str, typer.Option("--format", metavar="FORMAT", help="csv or json; else the file's name tells.")]
_LONG = 500  # entries that take more than a moment
_FORMS: "dict[str, Form]" = {"csv": "csv", "json": "json"}


@knowledge.command("list", epilog='Example: multidb-chat admin knowledge list "password" --category Accounts')
def list_(
    context: typer.Context,
    words: Annotated[str, typer.Argument(metavar="[WORDS]", help="Only entries that hold this.")] = "",
    category: Of = None,
    as_json: Json = False,
) -> None:
    """List the entries with how often each was used."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.admin.tables import short, when, write_rows
        from multidb_chat.services.knowledge.exchange import record

        found = await application.curation.entries(application.account, category=category, words=words)
        if as_json:
            session.console.write_json({"entries": [record(one) for one in found]})
            return Exit.DONE
        rows = [
            (one.entry.question, one.entry.category, f"{one.uses:,}", when(one.entry.updated_at), short(one.entry.id))
            for one in found
        ]
        if rows:
            write_rows(session.console, ("question", "category", "used", "changed", "id"), rows)
            session.console.tell(Styled(counted(len(rows), "entry", "entries"), "faint"))
        else:
            session.console.tell("There is no such entry; multidb-chat admin knowledge add makes one.")
        return Exit.DONE

    session.run(work)


@knowledge.command(epilog='Example: multidb-chat admin knowledge show "What are your opening hours?"')
def show(context: typer.Context, entry: Reference, as_json: Json = False) -> None:
    """Show an entry."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.admin.tables import write_fields
        from multidb_chat.services.knowledge.exchange import record

        found = await application.curation.show(application.account, entry)
        fields = record(found)
        if as_json:
            session.console.write_json(fields)
            return Exit.DONE
        answer = fields.pop("answer")
        write_fields(session.console, {name.replace("_", " "): value for name, value in fields.items()})
        session.console.write()
        session.console.write(answer)
        return Exit.DONE

    session.run(work)


@knowledge.command(epilog='Example: multidb-chat admin knowledge add "Where do I park?" "Behind the house."')
def add(
    context: typer.Context,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="The question.")],
    answer: Annotated[str, typer.Argument(metavar="ANSWER", help="The answer (Markdown); - reads standard input.")],
    category: Category = "",
    as_json: Json = False,
) -> None:
    """Add an entry: it answers its question, and the same question in other words, before the documents are asked."""
    session = session_of(context)
    text = _answer(answer)

    async def work(application: "Application") -> Exit:
        made = await application.curation.add(application.account, question, text, category)
        if as_json:
            session.console.write_json({"id": made.id, "version": made.version})
        else:
            session.console.write("added ", Styled(made.question, "strong"), f" ({made.id[-8:]})")
        return Exit.DONE

    session.run(work)


@knowledge.command(epilog='Example: multidb-chat admin knowledge edit "Where do I park?" --answer "In the yard."')
def edit(
    context: typer.Context,
    entry: Reference,
    question: Annotated[str | None, typer.Option("--question", metavar="TEXT", help="Another question.")] = None,
    answer: Annotated[
        str | None, typer.Option("--answer", metavar="TEXT", help="Another answer; - reads standard input.")
    ] = None,
    category: Annotated[str | None, typer.Option("--category", metavar="NAME", help="Another category.")] = None,
    as_json: Json = False,
) -> None:
    """Change what is given of an entry."""
    session = session_of(context)
    if question is None and answer is None and category is None:
        raise typer.BadParameter("give --question, --answer or --category", ctx=context, param_hint="--answer")
    text = None if answer is None else _answer(answer)

    async def work(application: "Application") -> Exit:
        changed = await application.curation.edit(
            application.account, entry, question=question, answer=text, category=category
        )
        if as_json:
            session.console.write_json({"id": changed.id, "version": changed.version})
        else:
            session.console.write("changed ", Styled(changed.question, "strong"), f", version {changed.version}")
        return Exit.DONE

    session.run(work)


@knowledge.command(epilog='Example: multidb-chat admin knowledge delete "Where do I park?" --yes')
def delete(context: typer.Context, entries: References, yes: Yes = False, as_json: Json = False) -> None:
    """Remove entries."""
    session = session_of(context)
    console = session.console

    async def work(application: "Application") -> Exit:
        account, curation = application.account, application.curation
        found = [(await curation.show(account, one)).entry for one in entries]
        for one in found:
            console.tell(f"{one.question} ({one.id[-8:]})")
        what = counted(len(found), "entry", "entries")
        if not yes and not await console.confirm(f"Remove {what} from the knowledge base?"):
            return Exit.REFUSED
        for one in found:
            await curation.delete(account, one.id)
        if as_json:
            console.write_json({"removed": [{"id": one.id, "question": one.question} for one in found]})
        for one in () if as_json else found:
            console.write("removed ", Styled(one.question, "strong"))
        return Exit.DONE

    session.run(work)


@knowledge.command("import", epilog="Example: multidb-chat admin knowledge import faq.csv")
def import_(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="CSV or JSON; - reads standard input.")],
    form: FormOption = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Add entries from a file, or bring those with the same id or question up to date.

    A CSV file begins with a line of names: question and answer, and where wanted category and id. When something is
    wrong with any row, all such rows are named by their line and nothing is imported.
    """
    session = session_of(context)
    chosen = _form(context, form, file)

    async def work(application: "Application") -> Exit:
        from multidb_chat.services.knowledge.exchange import read

        rows = read(_content(file), chosen)
        what = counted(len(rows), "entry", "entries")
        if not yes and not await session.console.confirm(f"Import {what} from {clean_line(file)}?"):
            return Exit.REFUSED
        done = await application.curation.import_rows(application.account, rows, _telling(session.console))
        counts = {"added": done.added, "changed": done.changed, "unchanged": done.unchanged}
        if as_json:
            session.console.write_json(counts)
        else:
            session.console.write(", ".join(f"{count:,} {what}" for what, count in counts.items()))
        return Exit.DONE

    session.run(work)


@knowledge.command(epilog="Example: multidb-chat admin knowledge export faq.csv")
def export(
    context: typer.Context,
    output: Annotated[str, typer.Argument(metavar="[FILE]", help="Where to write it; - prints it.")] = "-",
    form: FormOption = "",
    category: Of = None,
) -> None:
    """Write the entries into a file that can be imported again."""
    session = session_of(context)
    chosen = _form(context, form or ("csv" if output == "-" else ""), output)

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.exporting import put
        from multidb_chat.services.exporting import Export
        from multidb_chat.services.knowledge.exchange import written

        found = await application.curation.entries(application.account, category=category)
        return put(session.console, Export(f"knowledge.{chosen}", written(found, chosen).encode()), output)

    session.run(work)


@knowledge.command(epilog="Example: multidb-chat admin knowledge promote 5f0c2a91 --category Sea --yes")
def promote(
    context: typer.Context,
    rating: Annotated[str, typer.Argument(metavar="RATING", help="The id of a good rating; see feedback list --good.")],
    question: Annotated[str | None, typer.Option("--question", metavar="TEXT", help="Other words for it.")] = None,
    answer: Annotated[str | None, typer.Option("--answer", metavar="TEXT", help="Another answer.")] = None,
    category: Category = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Make an entry of an answer that somebody found good; everybody is answered with it from then on."""
    session = session_of(context)
    console = session.console

    async def work(application: "Application") -> Exit:
        account, promotions = application.account, application.promotions
        found = await promotions.proposal(account, rating)
        console.tell(Styled("question  ", "faint"), question or found.question)
        console.tell(Styled("answer    ", "faint"), answer or found.answer)
        if found.sources:
            console.tell(Styled("from      ", "faint"), "; ".join(found.sources))
        if not yes and not await console.confirm("Answer everybody with this?"):
            return Exit.REFUSED
        made = await promotions.promote(account, rating, question=question, answer=answer, category=category)
        if as_json:
            console.write_json({"id": made.id, "version": made.version, "question": made.question})
        else:
            console.write("added ", Styled(made.question, "strong"), f" ({made.id[-8:]})")
        return Exit.DONE

    session.run(work)


@knowledge.command(epilog="Example: multidb-chat admin knowledge stats")
def stats(context: typer.Context, as_json: Json = False) -> None:
    """Show how many entries there are, and which are used."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.admin.tables import write_fields, write_rows
        from multidb_chat.services.knowledge.exchange import record

        figures = await application.curation.statistics(application.account)
        if as_json:
            session.console.write_json(
                {
                    "entries": figures.entries, "uses": figures.uses, "unused": figures.unused,
                    "outdated": figures.outdated, "categories": figures.categories,
                    "most_used": [record(one) for one in figures.most_used],
                }
            )  # fmt: skip
            return Exit.DONE
        categories = ", ".join(f"{name or 'none'} {count:,}" for name, count in figures.categories.items())
        write_fields(
            session.console,
            {
                "entries": f"{figures.entries:,}", "used": counted(figures.uses, "time"),
                "never used": f"{figures.unused:,}", "categories": categories,
            },
        )  # fmt: skip
        if figures.most_used:
            session.console.write()
            rows = [(one.entry.question, f"{one.uses:,}") for one in figures.most_used]
            write_rows(session.console, ("most used", "times"), rows)
        if figures.outdated:
            lacking = counted(figures.outdated, "entry has", "entries have")
            session.console.tell(f"{lacking} no vector: multidb-chat admin knowledge reindex")
        return Exit.DONE

    session.run(work)


@knowledge.command(epilog="Example: multidb-chat admin knowledge reindex")
def reindex(context: typer.Context, as_json: Json = False) -> None:
    """Make the vectors anew of entries that another embedder made them for."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        count = await application.curation.reindex(application.account)
        if as_json:
            session.console.write_json({"reindexed": count})
        else:
            session.console.write(f"made {counted(count, 'vector')} anew")
        return Exit.DONE

    session.run(work)


def _telling(console: Console) -> Callable[[int, int], None]:
    """Return what tells each tenth of a long import on a terminal."""
    told = 0

    def progress(done: int, of: int) -> None:
        nonlocal told
        if console.err_is_terminal and of >= _LONG and done * 10 // of > told:
            told = done * 10 // of
            console.tell(Styled(f"{done:,} of {of:,}", "faint"))

    return progress


def _answer(text: str) -> str:
    import sys

    return sys.stdin.read() if text == "-" and sys.stdin is not None else text


def _content(file: str) -> bytes:
    """Return what is in a file. Raises `InvalidInput`."""
    import sys

    from multidb_chat.domain.errors import InvalidInput

    if file == "-":
        return sys.stdin.buffer.read() if sys.stdin is not None else b""
    try:
        return Path(file).expanduser().read_bytes()
    except OSError as error:
        raise InvalidInput(f"{clean_line(file)}: it cannot be read ({error.strerror})") from error


def _form(context: typer.Context, form: str, file: str) -> "Form":
    chosen = form or Path(file).suffix.removeprefix(".").lower()
    if chosen not in _FORMS:
        wrong = f"{form!r} is not one of csv, json" if form else f"say whether {file} is csv or json"
        raise typer.BadParameter(wrong, ctx=context, param_hint="--format")
    return _FORMS[chosen]
