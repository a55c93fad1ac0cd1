"""`multidb-chat admin usage` and `stats`: what is used of plans, and what everybody did."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from multidb_chat.cli.console import Exit, Styled
from multidb_chat.cli.options import Json
from multidb_chat.cli.session import session_of

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application


def usage(
    context: typer.Context,
    user: Annotated[str, typer.Argument(metavar="[USER]", help="Only this account.")] = "",
    as_json: Json = False,
) -> None:
    """Show what accounts used of their plans in this month."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.admin.tables import write_rows
        from multidb_chat.cli.usage import standing_record
        from multidb_chat.services.quota_wording import amount

        actor, people = application.account, application.administration
        found = [await people.find(actor, user)] if user else await people.people(actor, disabled=False)
        standings = [(one, await application.plans.usage_for(actor, one.id)) for one in found]
        if as_json:
            records = [{"id": one.id, "email": one.email, **standing_record(of)} for one, of in standings]
            session.console.write_json({"usage": records})
            return Exit.DONE
        rows = []
        for one, of in standings:
            used = [
                amount(kind.resource, kind.used) + (f" of {amount(kind.resource, kind.limit)}" if kind.limit else "")
                for kind in of.usage
            ]
            rows.append((one.email or "(the local account)", of.plan, *used))
        heads = [kind.resource for kind in standings[0][1].usage] if standings else []
        write_rows(session.console, ("address", "plan", *heads), rows)
        return Exit.DONE

    session.run(work)


def stats(
    context: typer.Context,
    days: Annotated[int, typer.Option("--days", metavar="N", min=1, max=365, help="Of the last N days.")] = 30,
    watch: Annotated[
        int | None, typer.Option("--watch", metavar="SECONDS", min=1, help="Show it again and again, until Ctrl-C.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what everybody did: questions, answers from the cache, times, documents and feedback."""
    session = session_of(context)
    console = session.console

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.usage import figures_record, write_figures

        while True:
            figures = await application.statistics.of_all(application.account, days)
            if as_json:
                console.write_json(figures_record(figures))
            else:
                if watch is not None:
                    from datetime import datetime

                    console.clear()
                    console.write(Styled(f"{datetime.now().astimezone():%H:%M:%S}, every {watch} s", "faint"))
                write_figures(console, figures)
            if watch is None:
                return Exit.DONE
            await asyncio.sleep(watch)

    session.run(work)
