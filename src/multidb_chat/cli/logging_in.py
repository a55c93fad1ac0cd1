"""`multidb-chat register`, `login`, `logout` and `whoami`: who the commands of this machine act for."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from multidb_chat.cli.console import Console, Exit, Styled
from multidb_chat.cli.options import Json, PasswordStdin
from multidb_chat.cli.session import session_of
from multidb_chat.cli.usage import warn_of_quota

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application

Email = Annotated[str, typer.Argument(metavar="[EMAIL]", help="The e-mail address; asked for when it is left out.")]


def register(
    context: typer.Context, email: Email = "", password_stdin: PasswordStdin = False, as_json: Json = False
) -> None:
    """Make an account of your own and log in with it.

    The password is asked for twice. It needs eight characters or more, and any characters are good; what attackers try
    first is refused.
    """
    session = session_of(context)
    console = session.console

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.passwords import from_stdin, strength_line, typed_twice

        address = email or await _asked_address(console)
        password = from_stdin()[0] if password_stdin else await typed_twice(console, "Password:")
        if not password_stdin:
            strength = await application.authentication.strength(password, address)
            console.tell(*strength_line(strength.score, strength.hint))
        account = await application.identity.register(address, password)
        return await _shown(console, application, as_json, "registered and logged in as ", account.email or "")

    session.run(work, "local")


def login(
    context: typer.Context,
    email: Email = "",
    password_stdin: PasswordStdin = False,
    code: Annotated[
        str, typer.Option("--code", metavar="CODE", help="The code of the second factor, or a recovery code.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Log in; the commands and the app of this machine then act for this account.

    A wrong password, an unknown address and a wrong code are refused with exit code 4, and the next attempts have to
    wait longer and longer.
    """
    session = session_of(context)
    console = session.console

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.passwords import from_stdin, typed
        from multidb_chat.domain.errors import SecondFactorNeeded

        address = email or await _asked_address(console)
        password = from_stdin()[0] if password_stdin else await typed(console, "Password:")
        try:
            account = await application.identity.log_in(address, password, code)
        except SecondFactorNeeded:
            if password_stdin or not console.can_ask:
                raise
            account = await application.identity.log_in(address, password, await console.ask("Code:"))
        return await _shown(console, application, as_json, "logged in as ", account.email or "")

    session.run(work, "local")


def logout(context: typer.Context, as_json: Json = False) -> None:
    """Log out; the commands of this machine act for its local account again."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        await application.identity.log_out()
        return await _shown(session.console, application, as_json, "logged out; now ", "the local account")

    session.run(work, "local")


def whoami(context: typer.Context, as_json: Json = False) -> None:
    """Show for whom the commands of this machine act."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        account = application.account
        name = account.email or "the local account of this machine"
        plan = (await application.plans.allowance(account)).plan
        shown = await _shown(session.console, application, as_json, "", name, f" · {account.role} · {plan} plan")
        await warn_of_quota(session.console, application)
        return shown

    session.run(work)


async def account_record(application: "Application") -> dict[str, Any]:
    """Return who is talking as JSON values, with the plan that counts now. Raises `NotPermitted` or `StoreError`."""
    account, session_id = application.account, application.identity.session_id
    return {
        "id": account.id,
        "kind": "account" if account.email else "guest" if account.role == "guest" else "local",
        "email": account.email,
        "role": account.role,
        "plan": (await application.plans.allowance(account)).plan,
        "session_id": session_id or None,
    }


async def _asked_address(console: Console) -> str:
    from multidb_chat.domain.errors import InvalidInput

    if not console.can_ask:
        raise InvalidInput("There is no terminal to ask for the e-mail address on; give it as an argument.")
    return (await console.ask("E-mail address:")).strip()


async def _shown(
    console: Console, application: "Application", as_json: bool, done: str, name: str, more: str = ""
) -> Exit:
    if as_json:
        console.write_json(await account_record(application))
    else:
        console.write(done, Styled(name, "strong"), more)
    return Exit.DONE
