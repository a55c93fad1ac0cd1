"""`multidb-chat memory`: what is remembered of one's account, for language models to know."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from multidb_chat.cli.console import Console, Exit, Styled
from multidb_chat.cli.options import Json
from multidb_chat.cli.session import session_of
from multidb_chat.domain.text import clean_line

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application
    from multidb_chat.domain.conversations import Conversation
    from multidb_chat.services.recalling.window import Window

memory = typer.Typer(rich_markup_mode=None)


@memory.command(epilog='Example: multidb-chat memory add "I work in the Bergen office"')
def add(
    context: typer.Context,
    fact: Annotated[str, typer.Argument(metavar="FACT", help="What to remember, in one line.")],
    as_json: Json = False,
) -> None:
    """Remember a fact. A language model gets all of them with every question; quoted answers need none."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        facts = await application.pinned_facts.remember(application.account, fact)
        if as_json:
            session.console.write_json({"facts": list(facts)})
        else:
            session.console.write(f"remembered as number {len(facts)}")
        return Exit.DONE

    session.run(work)


@memory.command("list", epilog="Example: multidb-chat memory list --json")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """List what is remembered."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        facts = await application.pinned_facts.all(application.account)
        if as_json:
            session.console.write_json({"facts": list(facts)})
        else:
            write_facts(session.console, facts)
        return Exit.DONE

    session.run(work)


@memory.command(epilog="Example: multidb-chat memory show last")
def show(
    context: typer.Context,
    which: Annotated[
        str | None, typer.Argument(metavar="ID", help="A conversation: its identifier, or its beginning.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what a language model gets to know beside the documents: facts, and what is recalled of a conversation.

    Shows the conversation talked in last where none is named. Its latest turns are recalled in their own words, older
    ones as a summary, within model.memory_tokens.
    """
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        from multidb_chat.services.recalling.reading import recalled_rows

        account, history = application.account, application.history
        facts = await application.pinned_facts.all(account)
        talk = await (history.latest(account) if which is None else history.named(account, which))
        seen = None if talk is None else await application.recollection.of(account, talk.id)
        if as_json:
            session.console.write_json({"facts": list(facts), "conversation": _record(talk, seen)})
            return Exit.DONE
        write_facts(session.console, facts)
        if talk is not None and seen is not None:
            session.console.write(Styled(talk.title, "strong"))
            for name, value in recalled_rows(seen):
                session.console.write(f"{name}: {value}")
        return Exit.DONE

    session.run(work)


@memory.command(epilog="Example: multidb-chat memory remove 2")
def remove(
    context: typer.Context,
    which: Annotated[str, typer.Argument(metavar="N|WORDS", help="Its number in the list, or words of it.")],
    as_json: Json = False,
) -> None:
    """Forget a fact."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        gone = await application.pinned_facts.forget(application.account, which)
        if as_json:
            session.console.write_json({"forgotten": gone})
        else:
            session.console.write("forgotten: ", clean_line(gone))
        return Exit.DONE

    session.run(work)


def _record(talk: "Conversation | None", seen: "Window | None") -> dict[str, Any] | None:
    if talk is None or seen is None:
        return None
    return {
        "id": talk.id,
        "title": talk.title,
        "summary": None if seen.summary is None else seen.summary._asdict(),
        "turns": len(seen.turns),
        "left_out": len(seen.left_out),
        "tokens": seen.used,
        "budget": seen.budget,
    }


def write_facts(console: Console, facts: Sequence[str]) -> None:
    """Write facts with their numbers."""
    for number, fact in enumerate(facts, 1):
        console.write(Styled(f"{number:>3}  ", "faint"), clean_line(fact))
    if not facts:
        console.tell("Nothing is remembered.")
