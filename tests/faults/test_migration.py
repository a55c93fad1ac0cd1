"""A whole installation carried to real servers and back: killed on the way, and while people chat."""

import asyncio
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from multidb_chat.adapters.installation.in_use import InUse
from multidb_chat.adapters.sqlite.transfer import accounts_transfer, conversations_transfer, library_transfer
from multidb_chat.bootstrap import Application
from multidb_chat.domain.conversations import Message
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.transfer import Digest, digest
from multidb_chat.settings import load_settings
from tests.adapters.mongo.opening import own_database
from tests.adapters.postgres.opening import own_schema
from tests.adapters.scylla.opening import Keyspace, own_url
from tests.cli.admin.conftest import EVE, HOURS, PASSWORD, QUICKLY, ROOT, WHEN, data, done, told
from tests.cli.conftest import Program
from tests.contracts.library import EPOCH, a_content
from tests.faults.program import assert_whole, killed, started
from tests.servers import needs

pytestmark = [needs("postgres"), needs("scylla"), needs("mongodb")]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that has something of everything; not to be changed."""
    program = Program(tmp_path_factory.mktemp("whole") / "home", QUICKLY)
    papers = program.home.parent / "papers"
    papers.mkdir()
    for number in range(3):
        (papers / f"{number}.md").write_text(
            f"# Paper {number}\n\nThe tide of day {number} was {number} metres high.\n"
        )
    done(program, "admin", "init", "--email", ROOT, "--password-stdin", given=f"{PASSWORD}\n")
    for name in (EVE, "bob@example.org"):
        done(program, "admin", "users", "create", name, "--password-stdin", given=f"{PASSWORD}\n")
    done(program, "docs", "add", papers)
    done(program, "docs", "remove", "2.md", "--yes")
    done(program, "admin", "knowledge", "add", HOURS, WHEN)
    done(program, "ask", HOURS)
    done(program, "ask", "How high was the tide of day 1?")
    done(program, "feedback", "give", "--good", "That helped.")
    done(program, "research", "tides")
    done(program, "admin", "users", "delete", "bob@example.org", "--yes")
    asyncio.run(_filled(program.home))
    return program.home


async def _filled(home: Path) -> None:
    """Add what takes a while to carry."""
    app = Application(load_settings(environ={"MULTIDB_CHAT_HOME": str(home)}))
    await app.open("local")
    account = app.account
    talk = await app.history.start(account, "Tides, at length")
    messages = [Message(new_id(), talk.id, account.id, "user", f"Question {number}", EPOCH) for number in range(200)]
    for first in range(0, len(messages), 50):
        await app.conversations.append(*messages[first : first + 50])
    shelf = await app.documents.ensure_collection(account, "notes")
    contents = [
        a_content(f"wind-{number}.md", "Wind and water. " * 20, collection=shelf.id, source=f"/notes/{number}")
        for number in range(40)
    ]
    await app.library.put_documents(contents)
    await app.close()


@pytest.fixture
def root(whole: Path, tmp_path: Path) -> Program:
    shutil.copytree(whole, tmp_path / "home")
    return Program(tmp_path / "home", QUICKLY)


@pytest.fixture(scope="module")
def made_keyspace() -> Iterator[Keyspace]:
    keyspace = Keyspace(own_url())
    yield keyspace
    keyspace.drop()


@pytest.fixture
def there(made_keyspace: Keyspace) -> Iterator[list[str]]:
    """The options that name places of the test's own on the servers."""
    made_keyspace.empty()
    with asyncio.Runner() as runner, own_schema() as accounts:
        database = own_database()
        library = runner.run(database.__aenter__())
        places = ["--accounts", accounts, "--conversations", made_keyspace.url, "--library", library]
        yield ["--to", "servers", *places]
        runner.run(database.__aexit__(None, None, None))


def digests(home: Path) -> dict[str, dict[str, Digest]]:
    """Return what each table of each embedded store is, but for the audit log, which every command is in."""

    async def read() -> dict[str, dict[str, Digest]]:
        found: dict[str, dict[str, Digest]] = {}
        for make in (accounts_transfer, conversations_transfer, library_transfer):
            transfer = make(home / "data")
            tables = [table for table in transfer.tables if not table.appended]
            found[transfer.store] = {table.name: await digest(transfer, table) for table in tables}
            await transfer.close()
        return found

    return asyncio.run(read())


def killed_after(process: subprocess.Popen[str], seconds: float) -> None:
    """`kill -9` a program after a while, unless it has ended."""
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        killed(process)
    else:
        process.communicate()


def carry(program: Program, *arguments: str) -> Any:
    return data(program, "admin", "migrate", *arguments)


def test_everything_is_the_same_on_the_servers_and_after_coming_back(root: Program, there: list[str]) -> None:
    before = digests(root.home)
    assert all(one.rows for name, one in before["library"].items() if name != "erased")
    assert not carry(root, *there)["finished"]
    moved = carry(root, *there, "--switch", "--yes")
    assert [one["same"] for one in moved["stores"]] == [True, True, True]
    assert {one["table"]: one["digest"] for store in moved["stores"] for one in store["tables"]} == {
        one["table"]: one["digest_there"] for store in moved["stores"] for one in store["tables"]
    }
    assert "postgresql://" in (root.home / "config.toml").read_text()
    for made in list((root.home / "data").glob("*.sqlite*")):  # so that all of it comes from the servers
        made.unlink()
    assert carry(root, "--to", "embedded", "--switch", "--yes")["switched"]
    assert digests(root.home) == before
    assert_whole(root.home)
    assert data(root, "admin", "audit", "verify")["sound"]
    assert "Nothing was left behind" in done(root, "admin", "doctor")


def test_the_program_goes_on_on_the_servers_as_if_nothing_had_happened(root: Program, there: list[str]) -> None:
    talks = data(root, "conversations", "list")
    documents = data(root, "docs", "list")
    carry(root, *there, "--switch", "--yes")
    assert data(root, "docs", "list") == documents
    assert data(root, "conversations", "list") == talks
    assert WHEN in done(root, "ask", HOURS)
    assert "1 metres high" in done(root, "ask", "How high was the tide of day 1?")
    assert told(root, "admin", "migrate", "--to", "embedded", "--verify").returncode == 1
    done(root, "docs", "remove", "1.md", "--yes")
    assert data(root, "admin", "audit", "verify")["sound"]
    seen = {one["store"]: one for one in data(root, "admin", "status")["stores"]}
    assert seen["accounts"]["on_server"]
    carry(root, "--to", "embedded", "--switch", "--yes")
    assert len(data(root, "docs", "list")["documents"]) == len(documents["documents"]) - 1
    assert WHEN in done(root, "ask", HOURS)


def test_a_migration_that_is_killed_again_and_again_loses_and_doubles_nothing(root: Program, there: list[str]) -> None:
    before = digests(root.home)
    chance = random.Random(6)
    for last in (False, False, True, False, True):
        process = started(root, "admin", "migrate", *there, *(["--switch", "--yes"] if last else []))
        killed_after(process, chance.uniform(0.5, 2.5))
    carry(root, *there, "--switch", "--yes")
    assert "postgresql://" in (root.home / "config.toml").read_text()
    verified = carry(root, "--to", "embedded", "--dry-run")
    differing = {one["table"] for one in verified["tables"] if one["missing"] + one["changed"] + one["vanished"]}
    assert differing <= {"audit"}, "what was killed behind the switch of the accounts is recorded there alone"
    for _ in range(2):
        killed_after(started(root, "admin", "migrate", "--to", "embedded"), chance.uniform(0.3, 0.9))
    carry(root, "--to", "embedded", "--switch", "--yes")
    assert digests(root.home) == before
    assert_whole(root.home)


def test_what_is_said_during_the_first_pass_is_there_after_the_last(root: Program, there: list[str]) -> None:
    process = started(root, "admin", "migrate", *there)
    asked = 0
    while process.poll() is None or asked < 2:
        done(root, "ask", HOURS)
        asked += 1
    out, err = process.communicate()
    assert process.returncode == 0, out + err
    talks = data(root, "conversations", "list")
    documents = data(root, "docs", "list")
    used = data(root, "usage")
    carry(root, *there, "--switch", "--yes")
    assert data(root, "conversations", "list") == talks
    assert data(root, "docs", "list") == documents
    assert data(root, "usage") == used


def test_while_another_program_runs_only_the_last_run_is_refused(root: Program, there: list[str]) -> None:
    other = InUse(root.home / "data")
    other.share()
    carry(root, *there)
    refused = told(root, "admin", "migrate", *there, "--switch", "--yes")
    assert refused.returncode == 5
    assert "end it, then try again" in refused.stderr
    assert not (root.home / "config.toml").exists()
    other.release()
    assert carry(root, *there, "--switch", "--yes")["switched"]


def test_what_is_in_the_way_is_said_in_one_line(root: Program, there: list[str], tmp_path: Path) -> None:
    for arguments, code in (
        (["--to", "nowhere"], 2),
        (["--to", "servers"], 2),
        (["--to", "servers", "--from", "servers", *there[2:]], 2),
        (["--to", "embedded", "--only", "cache"], 2),
        (["--to", "servers", "--accounts", "mysql://db/chat"], 6),
        (["--to", "servers", "--accounts", "postgresql://ada:pa55@127.0.0.1:9/chat"], 5),
    ):
        refused = told(root, "admin", "migrate", *arguments)
        assert refused.returncode == code, refused.stderr
        assert "pa55" not in refused.stderr
    assert told(root, "admin", "migrate", "--to", "embedded").returncode == 0
    other = Program(tmp_path / "other", QUICKLY)
    done(other, "admin", "init", "--email", ROOT, "--password-stdin", given=f"{PASSWORD}\n")
    carry(root, *there)
    refused = told(other, "admin", "migrate", *there)
    assert refused.returncode == 6
    assert "data of another installation" in refused.stderr
    finished = done(root, "admin", "migrate", *there, "--finish", "--yes")
    assert f'accounts = "{there[3]}"' in finished
    again = told(root, "admin", "migrate", *there)
    assert again.returncode == 6
    assert "--again" in again.stderr
    done(root, "admin", "migrate", *there, "--again")
    eve = Program(root.home, {**QUICKLY, "HOME": str(tmp_path / "eve")})
    done(eve, "logout")
    assert told(eve, "admin", "migrate", *there, "--dry-run").returncode == 4
