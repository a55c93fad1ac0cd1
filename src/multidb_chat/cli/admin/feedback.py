"""`multidb-chat admin feedback`: what people said of answers and of the program."""

from typing import TYPE_CHECKING, Annotated

import typer

from multidb_chat.cli.console import Exit, Styled
from multidb_chat.cli.options import Json
from multidb_chat.cli.session import session_of
from multidb_chat.domain.text import clean_line
from multidb_chat.services.wording import counted

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application
    from multidb_chat.services.feedback import Given

feedback = typer.Typer(help="What people said.", no_args_is_help=True, rich_markup_mode=None)
Days = Annotated[int, typer.Option("--days", metavar="N", min=1, max=365, help="Of the last N days.")]
_RATINGS = {1: "good", -1: "bad", 0: "–"}


@feedback.command("list", epilog="Example: multidb-chat admin feedback list --bad --days 7")
def list_(
    context: typer.Context,
    good: Annotated[bool, typer.Option("--good", help="Only answers that were found good.")] = False,
    bad: Annotated[bool, typer.Option("--bad", help="Only answers that were found bad.")] = False,
    days: Days = 30,
    as_json: Json = False,
) -> None:
    """List what was said, the latest first; who said it is not told.

    The id of a good rating is what multidb-chat admin knowledge promote makes an entry of.
    """
    session = session_of(context)
    if good and bad:
        raise typer.BadParameter("give either --good or --bad", ctx=context, param_hint="--good")
    rating = 1 if good else -1 if bad else None

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.admin.tables import when, write_rows

        found = await application.feedback.given(application.account, days, rating)
        if as_json:
            session.console.write_json(
                {
                    "feedback": [
                        {"id": one.id, "at": one.at.isoformat(), "rating": one.rating, "text": one.text,
                         "on_answer": one.on_answer}
                        for one in found
                    ]
                }
            )  # fmt: skip
            return Exit.DONE
        rows = [
            (
                when(one.at),
                _RATINGS[one.rating],
                _about(one),
                one.id,
                clean_line(one.text),
            )
            for one in found
        ]
        if rows:
            write_rows(session.console, ("when", "rating", "about", "id", "comment"), rows, strong=1)
        told = f"{len(rows):,} in {counted(days, 'day')}" if rows else "Nobody said anything."
        session.console.tell(Styled(told, "faint"))
        return Exit.DONE

    session.run(work)


@feedback.command(epilog="Example: multidb-chat admin feedback stats --days 90")
def stats(context: typer.Context, days: Days = 30, as_json: Json = False) -> None:
    """Show by day how many answers were found good and bad."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.admin.tables import write_fields, write_rows

        figures = await application.feedback.statistics(application.account, days)
        good, bad = sum(day.good for day in figures.days), sum(day.bad for day in figures.days)
        said = sum(day.messages for day in figures.days)
        if as_json:
            listed = [
                {"day": day.day.isoformat(), "good": day.good, "bad": day.bad, "messages": day.messages}
                for day in figures.days
            ]
            session.console.write_json({"good": good, "bad": bad, "messages": said, "days": listed})
            return Exit.DONE
        share = f" ({good / (good + bad):.0%} good)" if good + bad else ""
        write_fields(session.console, {"good": f"{good:,}{share}", "bad": f"{bad:,}", "about the program": f"{said:,}"})
        rows = [(day.day.isoformat(), f"{day.good:,}", f"{day.bad:,}", f"{day.messages:,}") for day in figures.days]
        if rows:
            session.console.write()
            write_rows(session.console, ("day", "good", "bad", "about the program"), rows)
        return Exit.DONE

    session.run(work)


def _about(given: "Given") -> str:
    return "an answer" if given.on_answer else "the program"
