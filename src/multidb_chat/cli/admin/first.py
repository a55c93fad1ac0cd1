"""`multidb-chat admin init`: the first administrator."""

from typing import TYPE_CHECKING, Annotated

import typer

from multidb_chat.cli.console import Exit, Styled
from multidb_chat.cli.options import Json, PasswordStdin
from multidb_chat.cli.session import session_of

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application


def init(
    context: typer.Context,
    email: Annotated[
        str, typer.Option("--email", metavar="ADDRESS", help="The address of the administrator; asked for without it.")
    ] = "",
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """Check the stores, make the keys, and make the first administrator, who is logged in then.

    There is no administrator before, and no password that comes with the program. Once there is one, this is refused:
    administrators make others.
    """
    session = session_of(context)
    console = session.console

    async def work(application: "Application") -> Exit:
        from multidb_chat.cli.passwords import from_stdin, strength_line, typed_twice
        from multidb_chat.domain.errors import InvalidInput

        await application.administration.require_new()
        wrong = [one for one in [one async for one in application.health.examine()] if one.severity == "wrong"]
        for one in wrong:
            console.complain(Styled("wrong: ", "bad"), one.text)
        if wrong:
            raise InvalidInput("The installation is not sound; see multidb-chat admin doctor, then try again")
        address = email or (await console.ask("E-mail address:") if console.can_ask else "")
        password = from_stdin()[0] if password_stdin else await typed_twice(console, "Password:")
        if not password_stdin:
            strength = await application.authentication.strength(password, address)
            console.tell(*strength_line(strength.score, strength.hint))
        made = await application.authentication.create_first_admin(address, password)
        await application.identity.log_in(address, password)
        if as_json:
            console.write_json({"id": made.id, "email": made.email, "role": made.role})
            return Exit.DONE
        console.write("made the administrator ", Styled(made.email or "", "strong"), " and logged in")
        console.tell("What there is: multidb-chat admin status. Make a backup soon: multidb-chat admin backup FILE")
        return Exit.DONE

    session.run(work, "local")
