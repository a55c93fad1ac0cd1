"""`multidb-chat admin init`: the first administrator, and the roles of the database server."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from multidb_chat.cli.console import Console, Exit, Styled
from multidb_chat.cli.options import Json, PasswordStdin
from multidb_chat.cli.session import session_of

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application
    from multidb_chat.domain.accounts import Account

_NEXT = "What there is: multidb-chat admin status. Make a backup soon: multidb-chat admin backup FILE"


def init(
    context: typer.Context,
    email: Annotated[
        str, typer.Option("--email", metavar="ADDRESS", help="The address of the administrator; asked for without it.")
    ] = "",
    password_stdin: PasswordStdin = False,
    database_role: Annotated[
        str,
        typer.Option(
            "--database-role",
            metavar="NAME",
            help="Where the accounts are on PostgreSQL: first make the roles NAME_owner, NAME_app and NAME_reader, or"
            " give them what an upgrade added, also when there is an administrator.",
        ),
    ] = "",
    print_sql: Annotated[
        bool,
        typer.Option("--print-sql", help="Only print the SQL that makes these roles, for whoever may run it."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Check the stores, make the keys, and make the first administrator, who is logged in then.

    There is no administrator before, and no password that comes with the program. Once there is one, this is refused:
    administrators make others.
    """
    session = session_of(context)
    console = session.console

    async def work(application: "Application") -> Exit:
        record: dict[str, Any] = {}
        if database_role:
            from multidb_chat.cli.admin.roles import made_roles

            record = await made_roles(application, console, database_role, as_json)
        if not (record and await application.administration.has_administrator()):
            made = await _made_admin(application, console, email, password_stdin)
            record |= {"id": made.id, "email": made.email, "role": made.role}
            if not as_json:
                console.write("made the administrator ", Styled(made.email or "", "strong"), " and logged in")
                console.tell(_NEXT)
        if as_json:
            console.write_json(record)
        return Exit.DONE

    async def printing(application: "Application") -> Exit:
        from multidb_chat.cli.admin.roles import printed_roles

        return await printed_roles(application, console, database_role)

    if print_sql:
        if not database_role:
            raise typer.BadParameter("it needs --database-role NAME", ctx=context, param_hint="--print-sql")
        session.run_unopened(printing, session.settings)
    session.run(work, "local")


async def _made_admin(application: "Application", console: Console, email: str, password_stdin: bool) -> "Account":
    """Make the first administrator, if everything is sound, and log in."""
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
    return made
