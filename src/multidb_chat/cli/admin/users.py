"""`multidb-chat admin users`: other people's accounts."""

from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from multidb_chat.cli.admin.factors import reset_totp
from multidb_chat.cli.console import Console, Exit, Styled
from multidb_chat.cli.options import Json, PasswordStdin, Yes
from multidb_chat.cli.session import session_of
from multidb_chat.domain.text import clean_line
from multidb_chat.services.wording import counted

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application
    from multidb_chat.domain.accounts import Account, Plan, Role, Session
    from multidb_chat.domain.plans import Tier

users = typer.Typer(help="Look after accounts.", no_args_is_help=True, rich_markup_mode=None)
Reference = Annotated[str, typer.Argument(metavar="USER", help="E-mail address, identifier, or the end of one.")]
RoleOption = Annotated[str, typer.Option("--role", metavar="ROLE", help="user, support or admin.")]
_ROLES = ("guest", "user", "support", "admin")
_PLANS = ("free", "pro", "enterprise")


@users.command("list", epilog="Example: multidb-chat admin users list --role admin")
def list_(
    context: typer.Context,
    words: Annotated[str, typer.Argument(metavar="[WORDS]", help="Only addresses that hold this.")] = "",
    role: RoleOption = "",
    disabled: Annotated[
        bool | None, typer.Option("--disabled/--enabled", help="Only those, or only the others.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """List the accounts, without guests unless they are asked for (--role guest)."""
    session = session_of(context)
    chosen = _role(context, role) if role else None

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.admin.tables import short, when, write_rows

        found = await application.administration.people(
            application.account, words=words, role=chosen, disabled=disabled
        )
        plans = await application.plans.plans_of(application.account, found)
        if as_json:
            session.console.write_json({"users": [account_record(one, plans[one.id]) for one in found]})
            return Exit.DONE
        rows = [
            (one.email or _nameless(one), one.role, plans[one.id], _state(one), when(one.created_at), short(one.id))
            for one in found
        ]
        if rows:
            write_rows(session.console, ("address", "role", "plan", "state", "since", "id"), rows)
        session.console.tell(Styled(counted(len(rows), "account") if rows else "There is no such account.", "faint"))
        return Exit.DONE

    session.run(work)


@users.command(epilog="Example: multidb-chat admin users show ada@example.org")
def show(context: typer.Context, user: Reference, as_json: Json = False) -> None:
    """Show an account, its plan and use, and its sessions."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.admin.tables import when, write_fields
        from multidb_chat.cli.usage import standing_record

        actor = application.account
        found = await application.administration.find(actor, user)
        live = await application.authentication.sessions_of(actor, found.id)
        plan = (await application.plans.plans_of(actor, [found]))[found.id]
        standing = None if found.disabled_at else await application.plans.usage_for(actor, found.id)
        if as_json:
            usage, record = standing and standing_record(standing), account_record(found, plan)
            session.console.write_json(record | {"usage": usage, "sessions": [session_record(one) for one in live]})
            return Exit.DONE
        used = ", ".join(f"{one.used:,} {one.resource}" for one in standing.usage) if standing else ""
        write_fields(
            session.console,
            {
                "address": found.email or _nameless(found), "id": found.id, "role": found.role, "state": _state(found),
                "plan": plan, "used": used,
                "until": str(standing.last_day) if standing and standing.until else "",
                "since": when(found.created_at), "sessions": len(live) or "none",
            },
        )  # fmt: skip
        return Exit.DONE

    session.run(work)


@users.command(epilog="Example: multidb-chat admin users create eve@example.org --role support")
def create(
    context: typer.Context,
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="The e-mail address.")],
    role: RoleOption = "user",
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """Make an account with a password that you tell its owner."""
    session = session_of(context)
    chosen = _role(context, role)

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.passwords import from_stdin, typed_twice
        from multidb_chat.domain.permissions import Permission, require

        require(application.account, Permission.MANAGE_USERS)  # before anything is typed
        password = from_stdin()[0] if password_stdin else await typed_twice(session.console, "Password:")
        made = await application.authentication.create(application.account, email, password, chosen)
        return await _done(application, session.console, "created", made, as_json)

    session.run(work)


@users.command(epilog="Example: multidb-chat admin users disable eve@example.org --yes")
def disable(context: typer.Context, user: Reference, yes: Yes = False, as_json: Json = False) -> None:
    """Lock somebody out at once; nothing of theirs is removed."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        actor, people = application.account, application.administration
        found = await people.find(actor, user)
        if not yes and not await session.console.confirm(f"Lock {_named(found)} out?"):
            return Exit.REFUSED
        return await _done(application, session.console, "disabled", await people.disable(actor, found.id), as_json)

    session.run(work)


@users.command(epilog="Example: multidb-chat admin users enable eve@example.org")
def enable(context: typer.Context, user: Reference, as_json: Json = False) -> None:
    """Let somebody in again who was locked out."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        changed = await application.administration.enable(application.account, user)
        return await _done(application, session.console, "enabled", changed, as_json)

    session.run(work)


@users.command(epilog="Example: multidb-chat admin users role eve@example.org support --yes")
def role(
    context: typer.Context,
    user: Reference,
    role: Annotated[str, typer.Argument(metavar="ROLE", help="user, support or admin.")],
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Give somebody a role: support sees everything but content and changes passwords, admin may do everything."""
    session = session_of(context)
    chosen = _role(context, role)

    async def work(application: "Application") -> Exit:
        actor, people = application.account, application.administration
        found = await people.find(actor, user)
        question = f"Make {_named(found)} {chosen}, who is {found.role} now?"
        if not yes and not await session.console.confirm(question):
            return Exit.REFUSED
        changed = await people.change_role(actor, found.id, chosen)
        return await _done(application, session.console, f"made {chosen}:", changed, as_json)

    session.run(work)


@users.command(epilog="Example: multidb-chat admin users plan eve@example.org pro --until 2027-12-31")
def plan(
    context: typer.Context,
    user: Reference,
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="free, pro or enterprise.")],
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="DAY", help="Its last day (2027-12-31); without it, for good."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Give somebody a plan from now on."""
    from datetime import UTC, datetime, time, timedelta

    from multidb_chat.cli.admin.tables import parsed_day

    session = session_of(context)
    if plan not in _PLANS:
        raise typer.BadParameter(f"{plan!r} is not one of {', '.join(_PLANS)}", ctx=context, param_hint="PLAN")
    day = parsed_day(context, "--until", until) if until else None
    ends_at = datetime.combine(day + timedelta(days=1), time(), UTC) if day else None

    async def work(application: "Application") -> Exit:
        actor, people = application.account, application.administration
        found = await people.find(actor, user)
        given = await people.give_plan(actor, found.id, cast("Plan", plan), ends_at)
        if as_json:
            ends = given.ends_at and given.ends_at.isoformat()
            session.console.write_json({"id": found.id, "email": found.email, "plan": given.plan, "until": ends})
        else:
            ends = f" until {day}" if day else ""
            session.console.write("gave ", Styled(_named(found), "strong"), f" the plan {given.plan}{ends}")
        return Exit.DONE

    session.run(work)


@users.command("reset-password", epilog="Example: multidb-chat admin users reset-password eve@example.org")
def reset_password(context: typer.Context, user: Reference, as_json: Json = False) -> None:
    """Make a code with which somebody sets a new password, once; hand it over in a safe way.

    They use it with: multidb-chat account reset EMAIL
    """
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        actor = application.account
        found = await application.administration.find(actor, user)
        issued = await application.account_security.issue_reset(actor, found.id)
        if as_json:
            session.console.write_json(
                {"email": found.email, "code": issued.code, "expires_at": issued.expires_at.isoformat()}
            )
            return Exit.DONE
        session.console.write(issued.code)
        session.console.tell(f"It is good once, until {issued.expires_at:%Y-%m-%d %H:%M} UTC, for {_named(found)}.")
        return Exit.DONE

    session.run(work)


users.command("reset-totp", epilog="Example: multidb-chat admin users reset-totp eve@example.org")(reset_totp)


@users.command(epilog="Example: multidb-chat admin users sessions eve@example.org --end --yes")
def sessions(
    context: typer.Context,
    user: Reference,
    end: Annotated[bool, typer.Option("--end", help="End them all.")] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """List somebody's log-ins, or end them."""
    session = session_of(context)
    console = session.console

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.admin.tables import short, when, write_rows

        actor, authentication = application.account, application.authentication
        found = await application.administration.find(actor, user)
        live = await authentication.sessions_of(actor, found.id)
        if end:
            if not yes and not await console.confirm(f"End {counted(len(live), 'session')} of {_named(found)}?"):
                return Exit.REFUSED
            ended = await authentication.end_sessions_of(actor, found.id)
            console.write_json({"ended": ended}) if as_json else console.write(f"ended {counted(ended, 'session')}")
            return Exit.DONE
        if as_json:
            console.write_json({"sessions": [session_record(one) for one in live]})
            return Exit.DONE
        rows = [(short(one.id), one.client, when(one.created_at), when(one.expires_at)) for one in live]
        if rows:
            write_rows(console, ("id", "where", "since", "until"), rows)
        console.tell(Styled(counted(len(rows), "session"), "faint"))
        return Exit.DONE

    session.run(work)


@users.command(epilog="Example: multidb-chat admin users delete eve@example.org --yes")
def delete(context: typer.Context, user: Reference, yes: Yes = False, as_json: Json = False) -> None:
    """Erase somebody's account with conversations, documents and everything else, for good."""
    session = session_of(context)
    console = session.console

    async def work(application: "Application") -> Exit:
        actor, people = application.account, application.administration
        found = await people.find(actor, user)
        console.tell("Everything of this account is removed from every store and cannot be brought back.")
        name = _named(found)
        if not yes and not await console.confirm_word(f"Type {name} to erase it:", name):
            return Exit.REFUSED
        gone = await people.delete(actor, found.id)
        counts = {"conversations": gone.conversations, "documents": gone.documents, "tasks": gone.tasks}
        if as_json:
            console.write_json({"id": found.id, **counts})
        else:
            told = ", ".join(counted(count, kind.removesuffix("s")) for kind, count in counts.items())
            console.write("erased ", Styled(name, "strong"), f" with {told}")
        return Exit.DONE

    session.run(work)


def account_record(account: "Account", plan: "Tier") -> dict[str, Any]:
    """Return an account as JSON values, with the plan that counts for it now."""
    return {
        "id": account.id,
        "email": account.email,
        "role": account.role,
        "plan": plan,
        "created_at": account.created_at.isoformat(),
        "expires_at": account.expires_at and account.expires_at.isoformat(),
        "disabled_at": account.disabled_at and account.disabled_at.isoformat(),
    }


def session_record(one: "Session") -> dict[str, Any]:
    """Return a log-in as JSON values."""
    return {
        "id": one.id,
        "client": one.client,
        "created_at": one.created_at.isoformat(),
        "expires_at": one.expires_at.isoformat(),
    }


async def _done(application: "Application", console: Console, what: str, account: "Account", as_json: bool) -> Exit:
    if as_json:
        plans = await application.plans.plans_of(application.account, [account])
        console.write_json(account_record(account, plans[account.id]))
    else:
        console.write(f"{what} ", Styled(_named(account), "strong"))
    return Exit.DONE


def _role(context: typer.Context, role: str) -> "Role":
    if role not in _ROLES:
        raise typer.BadParameter(f"{role!r} is not one of {', '.join(_ROLES[1:])}", ctx=context, param_hint="ROLE")
    return cast("Role", role)


def _named(account: "Account") -> str:
    return clean_line(account.email or account.id)


def _nameless(account: "Account") -> str:
    from multidb_chat.services.accounts import LOCAL_ACCOUNT_ID

    if account.id == LOCAL_ACCOUNT_ID:
        return "(the local account)"
    return "(being erased)" if account.erased_at else "(guest)"


def _state(account: "Account") -> str:
    if account.erased_at is not None:
        return "being erased"
    return "disabled" if account.disabled_at is not None else "active"
