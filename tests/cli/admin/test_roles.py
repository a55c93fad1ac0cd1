"""`admin init --database-role`: roles on the server that the accounts live on."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from multidb_chat.adapters.postgres.server import server_at
from multidb_chat.domain.database_roles import RoleNames
from tests.adapters.postgres.opening import own_schema, role_names, url_as
from tests.cli.admin.conftest import PASSWORD, QUICKLY, ROOT, data, done, told
from tests.cli.conftest import Program
from tests.servers import needs, url_of


class Served(NamedTuple):
    """A program whose accounts are to be on a server, the URL of their schema, and names for roles."""

    program: Program
    url: str
    names: RoleNames

    @property
    def role(self) -> str:
        return self.names.app.removesuffix("_app")

    def at(self, url: str) -> Program:
        return Program(self.program.home, {**QUICKLY, "MULTIDB_CHAT_STORES_ACCOUNTS": url})


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with own_schema() as url, role_names(url) as names:
        yield Served(Program(tmp_path / "home", {**QUICKLY, "MULTIDB_CHAT_STORES_ACCOUNTS": url}), url, names)


@needs("postgres")
def test_the_first_start_makes_roles_and_programs_run_as_theirs(served: Served):
    init = ("admin", "init", "--email", ROOT, "--password-stdin", "--database-role", served.role)
    made = data(served.program, *init, given=f"{PASSWORD}\n")
    assert (made["email"], made["role"]) == (ROOT, "admin")
    roles = made["database_roles"]
    assert roles["app"] == served.names.app
    assert set(roles["passwords"]) == {served.names.owner, served.names.app}
    program = served.at(url_as(served.url, served.names.app, roles["passwords"][served.names.app]))
    assert data(program, "whoami")["email"] == ROOT
    assert done(program, "admin", "audit", "verify").startswith("sound: ")
    (accounts,) = [one for one in data(program, "admin", "status")["stores"] if one["store"] == "accounts"]
    assert (accounts["on_server"], accounts["schema"]) == (True, accounts["known_schema"])
    assert accounts["records"]["accounts"] == 2
    again = data(served.program, *init)
    assert again == {"database_roles": {**roles, "passwords": {}}}
    refused = told(program, *init)
    assert refused.returncode != 0
    assert "--print-sql" in refused.stderr
    assert refused.stderr.count("\n") == 1


@needs("postgres")
def test_printed_sql_changes_nothing(served: Served):
    printed = told(served.program, "admin", "init", "--database-role", served.role, "--print-sql")
    assert printed.returncode == 0
    assert printed.stdout.startswith("BEGIN;\n")
    assert printed.stdout.endswith("COMMIT;\n")
    assert f"The password of {served.names.owner}" in printed.stderr
    assert not list((served.program.home / "data").glob("*.sqlite"))
    with psycopg.connect(url_of("postgres")) as connection:
        schema = connection.execute("SELECT to_regnamespace(%s)", (server_at(served.url).schema,)).fetchone()
        assert schema == (None,)
        assert connection.execute("SELECT to_regrole(%s)", (served.names.app,)).fetchone() == (None,)


@pytest.mark.parametrize("more", [(), ("--print-sql",)])
def test_embedded_accounts_have_no_roles(tmp_path: Path, more: tuple[str, ...]):
    run = told(Program(tmp_path / "home", QUICKLY), "admin", "init", "--database-role", "chat", *more)
    assert run.returncode != 0
    assert "The accounts are embedded" in run.stderr


def test_sql_is_printed_for_roles_only(tmp_path: Path):
    run = told(Program(tmp_path / "home", QUICKLY), "admin", "init", "--print-sql")
    assert run.returncode == 2
    assert "--database-role" in run.stderr
