"""`multidb-chat admin plans`: what each plan allows."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from multidb_chat.cli.console import Exit, Styled
from multidb_chat.cli.options import Json
from multidb_chat.cli.session import session_of

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application

plans = typer.Typer(help="What each plan allows in a month.", no_args_is_help=True, rich_markup_mode=None)
_KEYS = {
    "messages": "messages",
    "documents": "documents",
    "storage": "storage_mb",
    "tasks": "tasks",
    "tokens": "tokens",
}
_OF_GUESTS = ("messages", "tokens")
_NAMES = ("guest", "free", "pro", "enterprise")


@plans.command("list", epilog="Example: multidb-chat admin plans list --json")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """List the plans with their limits; 0 in the configuration stands for no limit."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.admin.tables import write_rows
        from multidb_chat.services.quota_wording import amount

        limits = await application.administration.plan_limits(application.account)
        if as_json:
            records: list[dict[str, Any]] = [
                {"plan": name, **{resource: of.of(resource) for resource in _KEYS}}  # type: ignore[arg-type]
                for name, of in limits.items()
            ]
            session.console.write_json({"plans": records})
            return Exit.DONE
        rows = []
        for name, of in limits.items():
            found = [of.of(resource) for resource in _KEYS]  # type: ignore[arg-type]
            words = {None: "no limit", 0: "none"}  # a guest's 0 is not that of the configuration
            shown = [words.get(one) or amount(kind, one) for kind, one in zip(_KEYS, found, strict=True)]  # type: ignore[arg-type]
            rows.append((name, *shown))
        write_rows(session.console, ("plan", *_KEYS), rows)
        return Exit.DONE

    session.run(work)


@plans.command("set", epilog="Example: multidb-chat admin plans set free messages 500")
def set_(
    context: typer.Context,
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="guest, free, pro or enterprise.")],
    resource: Annotated[
        str, typer.Argument(metavar="RESOURCE", help="messages, documents, storage (MB), tasks or tokens.")
    ],
    limit: Annotated[int, typer.Argument(metavar="LIMIT", min=0, help="So many a month; 0 is no limit.")],
    as_json: Json = False,
) -> None:
    """Change what a plan allows, in the configuration file; it counts from the next start of a program on."""
    session = session_of(context)
    if plan not in _NAMES:
        raise typer.BadParameter(f"{plan!r} is not one of {', '.join(_NAMES)}", ctx=context, param_hint="PLAN")
    if resource not in _KEYS or (plan == "guest" and resource not in _OF_GUESTS):
        known = ", ".join(_OF_GUESTS if plan == "guest" else _KEYS)
        raise typer.BadParameter(f"{resource!r} is not one of {known}", ctx=context, param_hint="RESOURCE")
    key = f"plans.{plan}_{_KEYS[resource]}"

    async def work(application: "Application") -> Exit:
        from multidb_chat.settings.changing import SettingsFile

        await application.administration.record_plan_limit(application.account, key, limit)
        SettingsFile(session.config_file, session.overrides).set(key, str(limit))
        if as_json:
            session.console.write_json({"key": key, "value": limit})
        else:
            session.console.write("set ", Styled(key, "strong"), f" to {limit}")
        return Exit.DONE

    session.run(work)
