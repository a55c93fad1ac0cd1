"""`multidb-chat admin migrate`: stores from this machine to servers, and back."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from multidb_chat.cli.console import Console, Exit, Styled
from multidb_chat.cli.options import Json, Quiet, Yes
from multidb_chat.cli.session import Session, session_of
from multidb_chat.services.wording import counted

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application
    from multidb_chat.services.migration.migration import Compared, Migration, Outcome, Step, Tell
    from multidb_chat.settings import Settings

_STORES = ("accounts", "conversations", "library")
_PLACES = ("servers", "embedded")
_CARRIED = (
    "Carried over while the program may be used. When it suits you, end all programs, here and on all other machines,\n"
    "and run the same with --switch (or with --finish, to change the configuration yourself)."
)


def _url(store: str, scheme: str) -> Any:
    return typer.Option(f"--{store}", metavar="URL", help=f"Where the {store} go: {scheme}://HOST/...")


def migrate(
    context: typer.Context,
    to: Annotated[str, typer.Option("--to", metavar="WHERE", help="servers, or embedded: back to this machine.")],
    from_: Annotated[
        str, typer.Option("--from", metavar="WHERE", help="The other one; checked if given.", show_default=False)
    ] = "",
    accounts: Annotated[str | None, _url("accounts", "postgresql")] = None,
    conversations: Annotated[str | None, _url("conversations", "scylla")] = None,
    library: Annotated[str | None, _url("library", "mongodb")] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="STORE", help="With --to embedded: only this (repeatable).")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only compare both sides and say what is to do.")] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Only compare both sides; the exit code is 1 where they differ.")
    ] = False,
    finish: Annotated[
        bool,
        typer.Option(
            "--finish", help="The last run: no other multidb-chat may use the data; both sides are the same then."
        ),
    ] = False,
    switch: Annotated[
        bool, typer.Option("--switch", help="The last run, and the new places into the configuration file.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Carry to a place that was finished before, over what is there.")
    ] = False,
    yes: Yes = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Carry accounts, conversations and documents from this machine to servers, or back, while people go on.

    Every row is read back and compared. First carry over while the program is used, as often as you like; what changed
    since is carried by the next run. Then end all programs and run it with --switch: the rest is carried, and the new
    places are used from then on. Whatever interrupts it, the next run does the rest, and what it is carried from stays
    as it is. Passwords of servers are taken from where the settings say (stores.accounts_password ...), so that they
    need not be in the URL. The cache is not carried: nothing in it lasts.
    """
    session = session_of(context)
    console = session.console
    console.quiet = quiet
    urls = {"accounts": accounts, "conversations": conversations, "library": library}
    given = {store: url for store, url in urls.items() if url is not None}
    wanted = _wanted(context, to, from_, given, only or [])
    target = _target(session, wanted)

    async def work(application: "Application") -> Exit:
        from multidb_chat.bootstrap.migrating import migrating

        async with migrating(application, target) as migration:
            _require_source(migration, to)
            if not migration.moves:
                return _told(console, migration, [], as_json, last=False, switched=False)
            if dry_run or verify:
                return await _compared(console, application, migration, as_json, again=again, strict=verify)
            last = finish or switch
            if last and not yes and not await console.confirm(f"Use {_named(migration)} from now on?"):
                return Exit.REFUSED
            await migration.begin(application.account, last=last, again=again)
            with _telling(console) as tell:
                if last:
                    outcomes = await _finished(console, application, migration, tell, wanted if switch else {})
                else:
                    outcomes = await migration.run(last=False, tell=tell)
            return _told(console, migration, outcomes, as_json, last=last, switched=switch)

    session.run(work)


async def _finished(
    console: Console, application: "Application", migration: "Migration", tell: "Tell", places: dict[str, str]
) -> "list[Outcome]":
    """Make the last run with the data folder to ourselves, and write the places into the configuration file."""
    account = application.account
    async with application.alone():
        outcomes = await migration.run(last=True, tell=tell)
        for store in [move.store for move in migration.moves if places]:
            changed = await application.preferences.set(account, f"stores.{store}", places[store])
            if changed.overridden:
                where = f"{changed.origin} still says where {changed.key} is ({changed.shown}): change it there"
                console.complain(Styled("note: ", "fair"), where)
        await migration.moved()
    return outcomes


def _wanted(context: typer.Context, to: str, from_: str, given: dict[str, str], only: Sequence[str]) -> dict[str, str]:
    """Return the place of each store that is to move, as the settings have it."""
    if to not in _PLACES:
        raise typer.BadParameter(f"{to!r} is not one of {', '.join(_PLACES)}", ctx=context, param_hint="--to")
    if from_ not in ("", *(place for place in _PLACES if place != to)):
        raise typer.BadParameter(
            f"{from_!r} is not the other of {', '.join(_PLACES)}", ctx=context, param_hint="--from"
        )
    if to == "servers":
        if only or not given:
            hint = "say which stores go where: --accounts URL, --conversations URL, --library URL"
            raise typer.BadParameter(hint, ctx=context, param_hint="--to servers")
        return given
    if given:
        raise typer.BadParameter(
            "URLs are for --to servers; --only STORE narrows", ctx=context, param_hint="--to embedded"
        )
    for store in only:
        if store not in _STORES:
            raise typer.BadParameter(f"{store!r} is not one of {', '.join(_STORES)}", ctx=context, param_hint="--only")
    return dict.fromkeys(only or _STORES, "embedded")


def _target(session: Session, wanted: dict[str, str]) -> "Settings":
    """Return the settings as they would be. Raises `InvalidSetting`."""
    from multidb_chat.settings import load_settings

    overrides = {f"stores.{store}": place for store, place in wanted.items()}
    return load_settings(config_file=session.config_file, overrides={**session.overrides, **overrides})


def _require_source(migration: "Migration", to: str) -> None:
    """Raise `InvalidInput` for a store that is on another server already: what is there would be left behind."""
    from multidb_chat.domain.errors import InvalidInput

    for move in migration.moves:
        if to == "servers" and move.source_place != "embedded":
            raise InvalidInput(
                f"The {move.store} store is on {move.source_place} already: move it back first, with --to embedded."
            )


async def _compared(
    console: Console, application: "Application", migration: "Migration", as_json: bool, *, again: bool, strict: bool
) -> Exit:
    with _telling(console) as tell:
        found = await migration.compare(application.account, tell, again=again)
    differing = sum(one.counts.differing for one in found)
    if as_json:
        console.write_json({"differing": differing, "tables": [_compared_record(one) for one in found]})
    else:
        from multidb_chat.cli.admin.tables import write_rows

        heads = ("store", "table", "here", "there", "to add", "to change", "to remove")
        write_rows(console, heads, [(one.store, one.table, *(f"{n:,}" for n in one.counts)) for one in found])
        console.tell(counted(differing, "row differs", "rows differ") if differing else "both sides are the same")
    return Exit.PARTLY if strict and differing else Exit.DONE


def _told(
    console: Console,
    migration: "Migration",
    outcomes: "Sequence[Outcome]",
    as_json: bool,
    *,
    last: bool,
    switched: bool,
) -> Exit:
    if as_json:
        console.write_json(
            {"finished": last, "switched": switched, "stores": [_outcome_record(one) for one in outcomes]}
        )
        return Exit.DONE
    if not outcomes:
        console.tell("Everything is there already: nothing to carry.")
        return Exit.DONE
    from multidb_chat.cli.admin.tables import write_rows

    tables = [(one.store, table) for one in outcomes for table in one.tables]
    rows = [
        (store, one.table, f"{one.target.rows:,}", f"{one.put:,}", f"{one.removed:,}", _sameness(one.same))
        for store, one in tables
    ]
    write_rows(console, ("store", "table", "rows there", "put", "removed", "both sides"), rows)
    if not last:
        console.tell(_CARRIED)
    elif switched:
        console.tell(f"From now on this is used: {_named(migration)}. What it was carried from stays as it was.")
    else:
        _tell_settings(console, migration)
    return Exit.DONE


def _tell_settings(console: Console, migration: "Migration") -> None:
    console.tell("Everything is there. Write this into the configuration file, on every machine:")
    console.write("[stores]")
    for move in migration.moves:
        console.write(f'{move.store} = "{move.target_place}"')
    if any("***" in move.target_place for move in migration.moves):
        console.tell("*** stands for the password.")


def _sameness(same: bool) -> str:
    return "the same" if same else "changed since"


def _named(migration: "Migration") -> str:
    return ", ".join(f"{move.store} ({move.target_place})" for move in migration.moves)


def _compared_record(one: "Compared") -> dict[str, Any]:
    return {"store": one.store, "table": one.table, **one.counts._asdict()}


def _outcome_record(outcome: "Outcome") -> dict[str, Any]:
    return {
        "store": outcome.store,
        "place": outcome.place,
        "rounds": outcome.rounds,
        "same": outcome.same,
        "tables": [
            {
                "table": one.table,
                "rows": one.source.rows,
                "rows_there": one.target.rows,
                "digest": str(one.source),
                "digest_there": str(one.target),
                "put": one.put,
                "removed": one.removed,
                "same": one.same,
            }
            for one in outcome.tables
        ],
    }


@contextmanager
def _telling(console: Console) -> "Iterator[Tell]":
    """Give what shows on standard error how far it is; the line is taken away at the end."""
    if not console.full_terminal or console.quiet:
        yield lambda _: None
        return
    from rich.console import Console as RichConsole
    from rich.progress import Progress, SpinnerColumn, TextColumn

    rich = RichConsole(stderr=True, no_color=not console.err_coloured, highlight=False)
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=rich, transient=True) as progress:
        task = progress.add_task("comparing", total=None)

        def tell(step: "Step") -> None:
            of = f" of {step.of:,}" if step.of else ""
            progress.update(task, description=f"{step.store}: {step.doing} {step.table}, {step.done:,}{of} rows")

        yield tell
