"""`multidb-chat admin audit`: who did what, and whether the log of it is what was written."""

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from multidb_chat.cli.console import Exit, Styled
from multidb_chat.cli.options import Json
from multidb_chat.cli.session import session_of
from multidb_chat.domain.text import clean_line
from multidb_chat.services.wording import counted

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application
    from multidb_chat.domain.audit import AuditEntry, AuditFilter

audit = typer.Typer(help="Who did what.", no_args_is_help=True, rich_markup_mode=None)
User = Annotated[str, typer.Option("--user", metavar="USER", help="Only what this account did.")]
Action = Annotated[
    str, typer.Option("--action", metavar="ACTION", help="Only this action; with a dot at its end, all that begin so.")
]
Since = Annotated[str, typer.Option("--since", metavar="DAY", help="Only from this day on (2026-11-25, UTC).")]
Until = Annotated[str, typer.Option("--until", metavar="DAY", help="Only up to this day, it included.")]
_PAGE = 1_000


@audit.command("list", epilog="Example: multidb-chat admin audit list --action session. --since 2026-11-01")
def list_(
    context: typer.Context,
    user: User = "",
    action: Action = "",
    since: Since = "",
    until: Until = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="How many at the most.")] = 50,
    as_json: Json = False,
) -> None:
    """List what was done, the latest first.

    People are shown by their address; what an erased account did stays, under a pseudonym that nothing leads to.
    """
    session = session_of(context)
    days = _days(context, since, until)

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.admin.tables import brief, when, write_rows

        where = await _where(application, user, action, days)
        found = await application.audit.entries(application.account, where, limit=limit)
        names = await _names(application)
        if as_json:
            session.console.write_json({"entries": [entry_record(one, names) for one in found]})
            return Exit.DONE
        rows = [
            (str(one.seq), when(one.at), names.get(one.actor, one.actor), one.action,
             names.get(one.target) or brief(one.target), _details(one))
            for one in found
        ]  # fmt: skip
        if rows:
            write_rows(session.console, ("no", "when", "who", "what", "to what", "more"), rows, strong=3)
        told = counted(len(rows), "entry", "entries") if rows else "Nothing of the kind was done."
        session.console.tell(Styled(told, "faint"))
        return Exit.DONE

    session.run(work)


@audit.command(epilog="Example: multidb-chat admin audit verify")
def verify(context: typer.Context, as_json: Json = False) -> None:
    """Read the whole log and say whether anything in it was changed, removed, added or moved.

    The exit code is 1 then.
    """
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        found = await application.audit.verify(application.account)
        if as_json:
            session.console.write_json({"entries": found.entries, "sound": found.sound, "problem": found.problem})
        elif found.sound:
            session.console.write(f"sound: {counted(found.entries, 'entry', 'entries')}, as recorded")
        else:
            session.console.write(Styled("wrong: ", "bad"), found.problem)
            sound = counted(found.entries, "entry is", "entries are")
            session.console.tell(f"{sound} sound before that; compare with a backup.")
        return Exit.DONE if found.sound else Exit.PARTLY

    session.run(work)


@audit.command(epilog="Example: multidb-chat admin audit export audit.jsonl --since 2026-11-01")
def export(
    context: typer.Context,
    output: Annotated[str, typer.Argument(metavar="[FILE]", help="Where to write it; - prints it.")] = "-",
    user: User = "",
    action: Action = "",
    since: Since = "",
    until: Until = "",
) -> None:
    """Write the log as JSON lines, the oldest first, with the codes that chain the entries."""
    session = session_of(context)
    days = _days(context, since, until)

    async def work(application: "Application") -> Exit:
        import json

        from multidb_chat.cli.exporting import put
        from multidb_chat.services.exporting import Export

        where = await _where(application, user, action, days)
        found: list[AuditEntry] = []
        while page := await application.audit.entries(
            application.account, where, after=found[-1].seq if found else 0, limit=_PAGE
        ):
            found += page
        names = await _names(application)
        lines = [json.dumps(entry_record(one, names)) + "\n" for one in reversed(found)]
        return put(session.console, Export("audit.jsonl", "".join(lines).encode()), output)

    session.run(work)


def entry_record(entry: "AuditEntry", names: dict[str, str]) -> dict[str, Any]:
    """Return an entry as JSON values; `actor_name` and `target_name` are addresses where there are."""
    return {
        "seq": entry.seq,
        "at": entry.at.isoformat(),
        "actor": entry.actor,
        "actor_name": names.get(entry.actor),
        "action": entry.action,
        "target": entry.target,
        "target_name": names.get(entry.target),
        "origin": entry.origin,
        "details": dict(entry.details),
        "mac": entry.mac,
    }


def _days(context: typer.Context, since: str, until: str) -> tuple[datetime | None, datetime | None]:
    from multidb_chat.cli.admin.tables import parsed_day

    first = datetime.combine(parsed_day(context, "--since", since), time(), UTC) if since else None
    last = datetime.combine(parsed_day(context, "--until", until) + timedelta(days=1), time(), UTC) if until else None
    return first, last


async def _where(
    application: "Application", user: str, action: str, days: tuple[datetime | None, datetime | None]
) -> "AuditFilter":
    from multidb_chat.domain.audit import AuditFilter

    actor = None
    if user:
        actor = (await application.administration.find(application.account, user)).pseudonym
    return AuditFilter(actor=actor, action=action or None, since=days[0], until=days[1])


async def _names(application: "Application") -> dict[str, str]:
    """Return the addresses of accounts by their pseudonyms."""
    people = await application.administration.people(application.account)
    return {one.pseudonym: one.email or "the local account" for one in people}


def _details(entry: "AuditEntry") -> str:
    return clean_line(", ".join(f"{name} {value}" for name, value in entry.details.items() if value))
