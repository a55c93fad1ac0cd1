"""`multidb-chat config`: what is configured, where, and whether it is right."""

from typing import TYPE_CHECKING, Annotated

import typer

from multidb_chat.cli.console import Console, Styled
from multidb_chat.cli.options import Json
from multidb_chat.cli.session import Session, session_of
from multidb_chat.services.wording import counted

if TYPE_CHECKING:
    from multidb_chat.settings.changing import Changed, SettingsFile

config = typer.Typer(rich_markup_mode=None)
Key = Annotated[str, typer.Argument(metavar="KEY", help="The setting: search.limit.")]


@config.command(epilog="Example: multidb-chat config show --json")
def show(context: typer.Context, as_json: Json = False) -> None:
    """Print every setting, its value and where it came from. Passwords are masked."""
    session = session_of(context)
    rows = list(session.settings.shown())
    if as_json:
        import tomllib

        values = {key: tomllib.loads(f"value = {shown}")["value"] for key, shown, _ in rows}
        session.console.write_json(
            {"settings": [{"key": key, "value": values[key], "origin": origin} for key, _, origin in rows]}
        )
        return
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for key, shown, origin in rows:
        style = "faint" if origin == "default" else "strong"
        session.console.write(f"{key:<{widths[0]}}  {shown:<{widths[1]}}  ", Styled(origin, style))


@config.command("set", epilog="Example: multidb-chat config set search.limit 20")
def set_(
    context: typer.Context,
    key: Key,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="Its value.")],
    as_json: Json = False,
) -> None:
    """Write a setting into the configuration file; its comments and everything else in it stay."""
    session = session_of(context)
    _tell(session.console, _file_of(session).set(key, value), as_json)


@config.command(epilog="Example: multidb-chat config unset search.limit")
def unset(context: typer.Context, key: Key, as_json: Json = False) -> None:
    """Take a setting out of the configuration file, so that its default is used again."""
    session = session_of(context)
    _tell(session.console, _file_of(session).unset(key), as_json)


@config.command(epilog="Example: multidb-chat config path")
def path(context: typer.Context, as_json: Json = False) -> None:
    """Print where the configuration file, the data, the cache and the logs are."""
    session = session_of(context)
    paths = session.paths
    rows = {
        "config": session.config_file or paths.config_file,
        "data": paths.data,
        "cache": paths.cache,
        "logs": paths.logs,
    }
    if as_json:
        session.console.write_json({name: str(where) for name, where in rows.items()})
        return
    for name, where in rows.items():
        session.console.write(f"{name:<8}{where}")
    if not rows["config"].exists():
        session.console.tell("There is no configuration file yet. To begin with one: multidb-chat config example")


@config.command(epilog="Example: multidb-chat config check")
def check(context: typer.Context) -> None:
    """Read all settings and say what is wrong, with file and line; the exit code is 6 then."""
    session = session_of(context)
    changed = [key for key, _, origin in session.settings.shown() if origin != "default"]
    where = session.config_file or session.paths.config_file
    state = "" if where.exists() else " (there is no such file)"
    differ = counted(len(changed), "setting differs", "settings differ")
    session.console.write(f"{where}{state}: all is well, {differ} from the defaults")


@config.command(epilog="Example: multidb-chat config example > config.toml")
def example(context: typer.Context) -> None:
    """Print a configuration file with every setting, its default and what it does."""
    from multidb_chat.settings.texts import example_toml

    session_of(context).console.write(example_toml(), end="")


def _file_of(session: Session) -> "SettingsFile":
    from multidb_chat.settings.changing import SettingsFile

    return SettingsFile(session.config_file, session.overrides)


def _tell(console: Console, changed: "Changed", as_json: bool) -> None:
    if as_json:
        import tomllib

        value = tomllib.loads(f"value = {changed.shown}")["value"]
        console.write_json({"key": changed.key, "value": value, "origin": changed.origin, "file": str(changed.file)})
        return
    console.write(Styled(changed.key, "strong"), f" = {changed.shown}  ", Styled(changed.origin, "faint"))
    if changed.overridden:
        console.tell(f"The file says so now, but the {changed.origin} decides as long as it is set.")
