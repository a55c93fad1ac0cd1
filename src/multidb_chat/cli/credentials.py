"""`multidb-chat account password`, `reset` and `totp`: what an account is proved with."""

from typing import TYPE_CHECKING, Annotated

import typer

from multidb_chat.cli.console import Console, Exit, Styled
from multidb_chat.cli.options import Json, PasswordStdin, Yes
from multidb_chat.cli.session import session_of
from multidb_chat.services.wording import counted

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application

totp = typer.Typer(help="A second factor: codes of an authenticator app.", rich_markup_mode=None)
KEEP = "Keep these recovery codes where only you find them. Each is good once; they are not shown again."


def password(
    context: typer.Context,
    password_stdin: Annotated[
        bool,
        typer.Option(
            "--password-stdin", help="Read the present and the new password from standard input, a line each."
        ),
    ] = False,
) -> None:
    """Change your password. All your other log-ins end."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.passwords import from_stdin, typed, typed_twice

        if password_stdin:
            present, new = from_stdin(2)
        else:
            present = await typed(session.console, "Present password:")
            new = await typed_twice(session.console, "New password:")
        security = application.account_security
        await security.change_password(application.account, present, new, session_id=application.identity.session_id)
        session.console.write("the password is changed; other log-ins are ended")
        return Exit.DONE

    session.run(work)


def reset(
    context: typer.Context,
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="Your e-mail address.")],
    password_stdin: Annotated[
        bool,
        typer.Option("--password-stdin", help="Read the code and the new password from standard input, a line each."),
    ] = False,
) -> None:
    """Set a new password with a code that an administrator gave you. All your log-ins end."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.passwords import from_stdin, typed, typed_twice

        if password_stdin:
            code, new = from_stdin(2)
        else:
            code = await typed(session.console, "Code:")
            new = await typed_twice(session.console, "New password:")
        await application.account_security.reset_password(email, code, new)
        session.console.write("the password is set; log in with it: multidb-chat login ", email)
        return Exit.DONE

    session.run(work, "local")


@totp.command(epilog="Example: multidb-chat account totp status --json")
def status(context: typer.Context, as_json: Json = False) -> None:
    """Show whether you have a second factor, and how many recovery codes are left."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        state = await application.account_security.factor(application.account)
        since = state.since.isoformat() if state.since else None
        if as_json:
            record = {"on": since is not None, "since": since, "recovery_codes": state.recovery_codes}
            session.console.write_json(record)
        elif state.since is None:
            session.console.write("off; switch it on: multidb-chat account totp on")
        else:
            left = counted(state.recovery_codes, "recovery code")
            session.console.write(Styled("on", "good"), f" since {state.since:%Y-%m-%d} · {left} left")
        return Exit.DONE

    session.run(work)


@totp.command(epilog="Example: multidb-chat account totp on")
def on(
    context: typer.Context,
    code: Annotated[
        str, typer.Option("--code", metavar="CODE", help="Confirm the second factor that was begun before.")
    ] = "",
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """Begin a second factor: scan the QR code with an authenticator app and type the code it shows.

    Your password is asked for, too. Without a terminal it is done in two steps: once without --code for the secret,
    once with the code and --password-stdin.
    """
    session = session_of(context)
    console = session.console

    async def work(application: "Application") -> Exit:
        security, owner = application.account_security, application.account
        if not code:
            offer = await security.offer_factor(owner)
            if as_json or not console.can_ask:
                if as_json:
                    console.write_json({"secret": offer.secret, "uri": offer.uri})
                else:
                    console.write(offer.uri)
                    how = "multidb-chat account totp on --code 123456 --password-stdin"
                    console.tell(f"Confirm it with the app's code and your password: {how}")
                return Exit.DONE
            console.tell(
                *"\n".join(offer.picture), "\n\nOr type the secret into the app: ", Styled(offer.secret, "strong")
            )
        present = await _present(console, password_stdin)
        given = code or await console.ask("The code that the app shows:")
        return _codes(console, await security.confirm_factor(owner, present, given), as_json)

    session.run(work)


@totp.command(epilog="Example: multidb-chat account totp off")
def off(context: typer.Context, password_stdin: PasswordStdin = False, yes: Yes = False) -> None:
    """Remove the second factor and its recovery codes."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        present = await _present(session.console, password_stdin)
        if not (yes or password_stdin) and not await session.console.confirm("Remove the second factor?"):
            return Exit.REFUSED
        await application.account_security.remove_factor(application.account, present)
        session.console.write("the second factor is removed")
        return Exit.DONE

    session.run(work)


@totp.command(epilog="Example: multidb-chat account totp codes")
def codes(context: typer.Context, password_stdin: PasswordStdin = False, as_json: Json = False) -> None:
    """Make ten new recovery codes; the old ones are good for nothing then."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        present = await _present(session.console, password_stdin)
        made = await application.account_security.new_recovery_codes(application.account, present)
        return _codes(session.console, made, as_json)

    session.run(work)


async def _present(console: Console, password_stdin: bool) -> str:
    from multidb_chat.cli.passwords import from_stdin, typed

    return from_stdin()[0] if password_stdin else await typed(console, "Password:")


def _codes(console: Console, made: tuple[str, ...], as_json: bool) -> Exit:
    if as_json:
        console.write_json({"recovery_codes": list(made)})
        return Exit.DONE
    console.tell(KEEP)
    for one in made:
        console.write(one)
    return Exit.DONE
