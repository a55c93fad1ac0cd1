"""`multidb-chat admin users reset-totp`: for somebody who lost the device and the recovery codes."""

from typing import TYPE_CHECKING, Annotated

import typer

from multidb_chat.cli.console import Exit, Styled
from multidb_chat.cli.options import Json, Yes
from multidb_chat.cli.session import session_of
from multidb_chat.domain.text import clean_line

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application


def reset_totp(
    context: typer.Context,
    user: Annotated[str, typer.Argument(metavar="USER", help="E-mail address, identifier, or the end of one.")],
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Remove the second factor of somebody who lost it; make sure first that it is really them who ask."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        actor = application.account
        found = await application.administration.find(actor, user)
        name = clean_line(found.email or found.id)
        if not yes and not await session.console.confirm(f"Remove the second factor of {name}?"):
            return Exit.REFUSED
        removed = await application.account_security.clear_factor(actor, found.id)
        if as_json:
            session.console.write_json({"removed": removed})
        elif removed:
            session.console.write("removed the second factor of ", Styled(name, "strong"))
        else:
            session.console.write(Styled(name, "strong"), " has no second factor")
        return Exit.DONE

    session.run(work)
