"""`multidb-chat admin status`: what the installation is and holds."""

import re
from typing import TYPE_CHECKING, Any

import typer

from multidb_chat.cli.console import Exit, Styled
from multidb_chat.cli.options import Json
from multidb_chat.cli.session import session_of
from multidb_chat.services.wording import counted

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application
    from multidb_chat.domain.upkeep import StoreReport
    from multidb_chat.services.installation.overview import Overview


def status(context: typer.Context, as_json: Json = False) -> None:
    """Show the stores with their sizes, versions and contents, the queue, and when a backup was made last."""
    session = session_of(context)
    console = session.console

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.admin.tables import when, write_fields, write_rows
        from multidb_chat.services.resilience.states import told

        seen = await application.overviews.now(application.account)
        if as_json:
            console.write_json(overview_record(seen))
            return Exit.DONE
        queue = ", ".join(f"{count:,} {state}" for state, count in sorted(seen.queue.items())) or "empty"
        write_fields(
            console,
            {
                "version": seen.version,
                "in use since": when(seen.since),
                "last backup": when(seen.backed_up_at) if seen.backed_up_at else "never",
                "tasks": queue,
                "data": application.settings.paths.data,
            },
        )
        console.write()
        rows = [(one.store, _where(one), _size(one), _schema(one), held(one)) for one in seen.stores]
        write_rows(console, ("store", "on", "size", "schema", "holds"), rows)
        if seen.states:
            console.write()
            write_rows(console, ("server of", "state"), [(one.store, told(one)) for one in seen.states])
        if seen.backed_up_at is None:
            console.tell(Styled("Make a backup: multidb-chat admin backup FILE", "faint"))
        return Exit.DONE

    session.run(work)


def overview_record(seen: "Overview") -> dict[str, Any]:
    """Return the state as JSON values."""
    return {
        "version": seen.version,
        "since": seen.since and seen.since.isoformat(),
        "backed_up_at": seen.backed_up_at and seen.backed_up_at.isoformat(),
        "queue": dict(seen.queue),
        "stores": [
            {
                "store": one.store,
                "place": one.place,
                "schema": one.schema,
                "known_schema": one.known_schema,
                "size_bytes": one.size_bytes,
                "on_server": one.on_server,
                "examined": one.examined,
                "records": dict(one.records),
                "newest": one.newest and one.newest.isoformat(),
            }
            for one in seen.stores
        ],
        "servers": [
            {
                "store": one.store,
                "away_since": one.outage and one.outage.since.isoformat(),
                "error": one.outage and one.outage.error,
                "waiting": one.backlog.waiting,
                "waiting_since": one.backlog.oldest and one.backlog.oldest.isoformat(),
                "refused": one.backlog.refused,
            }
            for one in seen.states
        ],
    }


def _where(report: "StoreReport") -> str:
    return report.place if report.on_server else "this machine"


def _size(report: "StoreReport") -> str:
    return "–" if report.size_bytes is None else f"{report.size_bytes / 1e6:,.1f} MB"


def _schema(report: "StoreReport") -> str:
    if report.schema in (None, 0, report.known_schema):
        return str(report.schema or "–")
    return f"{report.schema} of {report.known_schema}"


def held(report: "StoreReport") -> str:
    """Return what a store holds in words: `3 accounts, 1 audit entry`."""
    if not report.examined:
        return "not examined from here"
    return ", ".join(counted(count, _one(kind), kind) for kind, count in report.records.items()) or "nothing yet"


def _one(kind: str) -> str:
    """Return what one of several is called: of `days of figures`, `day of figures`."""
    return re.sub(r"(ies|s)(?= of | with | \(|$)", lambda found: "y" if found[0] == "ies" else "", kind, count=1)
