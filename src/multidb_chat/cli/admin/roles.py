"""Roles of the database server, which `multidb-chat admin init` makes where the accounts live on one."""

from typing import TYPE_CHECKING, Any

from multidb_chat.cli.console import Console, Exit, Styled

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application
    from multidb_chat.domain.database_roles import DatabaseRoles, RolesMade


async def made_roles(application: "Application", console: Console, name: str, as_json: bool) -> dict[str, Any]:
    """Make the roles, say so, and return what was made as JSON. Raises `InvalidInput`, `NotPermitted`, `StoreError`."""
    roles = _roles(application)
    made = await roles.make(roles.names(name))
    if not as_json:
        _write(console, made)
    names = made.names
    record = {"owner": names.owner, "app": names.app, "reader": names.reader, "url": made.url}
    return {"database_roles": {**record, "passwords": dict(made.passwords)}}


async def printed_roles(application: "Application", console: Console, name: str) -> Exit:
    """Print the SQL that makes the roles and change nothing; the passwords go beside it. Raises like `made_roles`."""
    roles = _roles(application)
    script, made = await roles.script(roles.names(name))
    console.write(script, end="")
    for role, password in made.passwords.items():
        console.tell(f"The password of {role}, which stands in it hashed: {password}")
    return Exit.DONE


def _write(console: Console, made: "RolesMade") -> None:
    """Say which roles there are, and the passwords of those that are new, for the only time."""
    what = {made.names.owner: "upgrades the tables", made.names.app: "is what programs connect as"}
    for role, does in what.items():
        password = made.passwords.get(role)
        console.write(Styled(role, "strong"), f" {does}; password: {password or 'as it was'}")
    console.write(Styled(made.names.reader, "strong"), " reads the corpus views; grant it to whoever should")
    if made.passwords:
        console.tell("Passwords are shown this once. Keep that of the owner for upgrades, and let programs use")
        console.tell(f'[stores] accounts = "{made.url}", with its password by accounts_password')


def _roles(application: "Application") -> "DatabaseRoles":
    from multidb_chat.domain.errors import InvalidInput

    roles = application.database_roles
    if roles is None:
        raise InvalidInput("The accounts are embedded: there is no database server to make roles on")
    return roles
