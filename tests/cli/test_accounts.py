"""Registering, logging in and out, sessions, passwords and second factors from the shell."""

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

import pyotp
import pytest

from tests.cli.conftest import Program

ADA = "ada@example.org"
PASSWORD = "turning the brass key"
OTHER = "another brass key, turned"
QUICKLY = {"MULTIDB_CHAT_LOGIN_PASSWORD_COST": "4", "MULTIDB_CHAT_LOGIN_KEYRING": "false"}


@pytest.fixture
def here(empty: Program) -> Program:
    """A machine on which nobody has used the program."""
    return replace(empty, environment=QUICKLY)


def told(program: Program, *arguments: str, given: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run a command line with these lines on standard input."""
    with mock.patch("sys.stdin", StringIO("".join(f"{line}\n" for line in given))):
        return program.inside(*arguments)


def registered(program: Program, email: str = ADA) -> None:
    done = told(program, "register", email, "--password-stdin", given=(PASSWORD,))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"registered and logged in as {email}\n", "")


def whoami(program: Program) -> dict[str, Any]:
    return dict(json.loads(program.inside("whoami", "--json").stdout))


def test_a_machine_acts_for_its_local_account_until_somebody_logs_in(here: Program) -> None:
    assert whoami(here) | {"id": ""} == {
        "id": "", "kind": "local", "email": None, "role": "user", "plan": "enterprise", "session_id": None,
    }  # fmt: skip
    registered(here)
    me = whoami(here)
    assert (me["kind"], me["email"], me["role"], me["plan"]) == ("account", ADA, "user", "free")
    assert here.inside("logout").stdout == "logged out; now the local account\n"
    assert whoami(here)["kind"] == "local"
    done = told(here, "login", ADA, "--password-stdin", "--json", given=(PASSWORD,))
    assert json.loads(done.stdout)["id"] == me["id"]
    assert whoami(here)["session_id"] not in (None, me["session_id"])


def test_what_an_account_does_is_its_own_and_the_local_account_does_not_see_it(here: Program) -> None:
    registered(here)
    assert here.inside("collections", "create", "secrets", "--private").returncode == 0
    assert "secrets" in here.inside("collections", "list").stdout
    here.inside("logout")
    assert "secrets" not in here.inside("collections", "list").stdout
    assert here.inside("collections", "show", "secrets").returncode == 6


def test_a_refused_log_in_exits_4_with_one_line_and_leaves_all_as_it_was(here: Program) -> None:
    registered(here)
    before = whoami(here)
    said = set()
    for email, password in ((ADA, OTHER), ("nobody@example.org", PASSWORD)):
        done = told(here, "login", email, "--password-stdin", given=(password,))
        assert (done.returncode, done.stdout) == (4, "")
        said.add(done.stderr)
    assert said == {"error: The e-mail address or the password is wrong.\n"}
    assert whoami(here) == before


def test_too_many_attempts_exit_4_and_say_when_the_next_one_is_possible(here: Program) -> None:
    registered(here)
    told(here, "login", ADA, "--password-stdin", given=(OTHER,))
    with closing(sqlite3.connect(here.home / "data" / "accounts.sqlite", isolation_level=None)) as file:
        file.execute("UPDATE attempts SET not_before = not_before + 300000000")
    done = told(here, "login", ADA, "--password-stdin", given=(PASSWORD,))
    assert done.returncode == 4
    assert "Too many attempts; the next one is possible in" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "given", "said"),
    [
        (["register", ADA], (), "no terminal to ask for the password"),
        (["login"], (), "no terminal to ask for the e-mail address"),
        (["login", ADA, "--password-stdin"], (), "expected on standard input"),
        (["register", ADA, "--password-stdin"], ("short",), "8 characters"),
        (["register", ADA, "--password-stdin"], ("password1",), "attackers try first"),
        (["register", "ada", "--password-stdin"], ("turning the brass key",), "no e-mail address"),
        (["account", "password", "--password-stdin"], ("one line",), "2 passwords are expected"),
        (["account", "totp", "on"], (), "register"),
        (["account", "totp", "on", "--code", "123456"], (), "no terminal to ask for the password"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_told_in_one_line(
    here: Program, arguments: list[str], given: tuple[str, ...], said: str
) -> None:
    done = told(here, *arguments, given=given)
    assert done.returncode == 6
    assert done.stdout == ""
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_no_option_takes_a_password(here: Program) -> None:
    totp = [["account", "totp", name] for name in ("on", "off", "codes")]
    for command in (["register"], ["login"], ["account", "password"], ["account", "reset"], *totp):
        text = here.inside(*command, "--help").stdout
        assert "--password-stdin" in text
        assert "--password " not in text
        assert here.inside(*command, "--password", "x").returncode == 2


def test_a_taken_address_is_told_with_what_to_do(here: Program) -> None:
    registered(here)
    done = told(here, "register", ADA.upper(), "--password-stdin", given=(OTHER,))
    assert done.returncode == 6
    assert "log in with it: multidb-chat login" in done.stderr


def test_sessions_are_listed_and_ended(here: Program, tmp_path: Path) -> None:
    registered(here)
    elsewhere = replace(here, environment=QUICKLY)
    first = whoami(here)["session_id"]
    kept = (here.home / "data" / "login.json").read_bytes()
    told(here, "login", ADA, "--password-stdin", given=(PASSWORD,))
    (listed,) = json.loads(elsewhere.inside("sessions", "list", "--json").stdout)["sessions"]
    assert listed["current"] is True
    assert listed["id"] != first  # logging in again on one machine ends the log-in before
    (here.home / "data" / "login.json").write_bytes(kept)
    done = here.inside("whoami")
    assert (done.returncode, done.stdout) == (4, "")
    assert "log in again: multidb-chat login" in done.stderr
    assert "go on as the local account: multidb-chat logout" in done.stderr
    told(here, "login", ADA, "--password-stdin", given=(PASSWORD,))
    assert here.inside("sessions", "end", listed["id"][-8:]).stdout == "ended 1 log-in\n"
    assert here.inside("sessions", "end", listed["id"][-8:]).returncode == 6
    assert here.inside("sessions", "end", "--others", "--yes", "--json").stdout == '{\n  "ended": 0\n}\n'
    assert here.inside("sessions", "end").returncode == 2
    assert here.inside("whoami").returncode == 0


def test_an_ended_session_keeps_its_machine_out_of_everything_but_logging_in_and_out(here: Program) -> None:
    registered(here)
    here.inside("sessions", "end", whoami(here)["session_id"])
    for command in (["ask", "How?"], ["docs", "list"], ["whoami"], ["sessions", "list"], ["collections", "list"]):
        done = here.inside(*command)
        assert (done.returncode, done.stdout) == (4, "")
    assert here.inside("logout").returncode == 0
    assert here.inside("docs", "list").returncode == 0


def test_a_log_in_that_others_can_read_is_refused(here: Program) -> None:
    registered(here)
    stored = here.home / "data" / "login.json"
    assert stored.stat().st_mode & 0o777 == 0o600
    stored.chmod(0o644)
    done = here.inside("whoami")
    assert done.returncode == 5
    assert "can be read or written by others (mode 0644)" in done.stderr
    stored.chmod(0o600)
    assert here.inside("whoami").returncode == 0


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"access": "x"}', '{"access": "x", "refresh": "y"}'])
def test_a_damaged_log_in_is_told_and_removed_by_logging_out(here: Program, content: str) -> None:
    registered(here)
    stored = here.home / "data" / "login.json"
    stored.write_text(content)
    done = here.inside("whoami")
    assert done.returncode in (4, 5)
    assert "multidb-chat log" in done.stderr
    assert here.inside("logout").returncode == 0
    assert whoami(here)["kind"] == "local"


def test_a_password_is_changed_and_the_other_machine_is_out(here: Program) -> None:
    registered(here)
    done = told(
        here,
        "account",
        "password",
        "--password-stdin",
        given=(
            "not this one",
            OTHER,
        ),
    )
    assert (done.returncode, done.stderr) == (4, "error: The password is wrong.\n")
    done = told(
        here,
        "account",
        "password",
        "--password-stdin",
        given=(
            PASSWORD,
            OTHER,
        ),
    )
    assert done.returncode == 0, done.stderr
    assert here.inside("whoami").returncode == 0
    assert told(here, "login", ADA, "--password-stdin", given=(PASSWORD,)).returncode == 4
    assert told(here, "login", ADA, "--password-stdin", given=(OTHER,)).returncode == 0


def test_a_wrong_reset_code_is_refused(here: Program) -> None:
    registered(here)
    done = told(
        here,
        "account",
        "reset",
        ADA,
        "--password-stdin",
        given=(
            "aaaa-bbbb-cccc",
            OTHER,
        ),
    )
    assert done.returncode == 4
    assert "the code is wrong" in done.stderr


def test_a_second_factor_from_beginning_to_end(here: Program) -> None:
    registered(here)
    assert "off; switch it on" in here.inside("account", "totp", "status").stdout
    offer = json.loads(here.inside("account", "totp", "on", "--json").stdout)
    app = pyotp.parse_uri(offer["uri"])
    assert isinstance(app, pyotp.TOTP)
    assert app.secret == offer["secret"]
    confirm = ("account", "totp", "on", "--password-stdin", "--json", "--code")
    assert told(here, *confirm, "no code", given=(PASSWORD,)).returncode == 4
    assert told(here, *confirm, app.now(), given=(OTHER,)).stderr == "error: The password is wrong.\n"
    codes = json.loads(told(here, *confirm, app.now(), given=(PASSWORD,)).stdout)["recovery_codes"]
    assert len(codes) == 10
    status = json.loads(here.inside("account", "totp", "status", "--json").stdout)
    assert (status["on"], status["recovery_codes"]) == (True, 10)
    done = told(here, "login", ADA, "--password-stdin", given=(PASSWORD,))
    assert done.returncode == 4
    assert "second factor" in done.stderr
    assert told(here, "login", ADA, "--password-stdin", "--code", codes[0], given=(PASSWORD,)).returncode == 0
    assert told(here, "login", ADA, "--password-stdin", "--code", codes[0], given=(PASSWORD,)).returncode == 4
    made = told(here, "account", "totp", "codes", "--password-stdin", given=(PASSWORD,))
    assert len(made.stdout.split()) == 10
    assert "Keep these recovery codes" in made.stderr
    assert told(here, "account", "totp", "off", "--password-stdin", given=(PASSWORD,)).returncode == 0
    assert told(here, "login", ADA, "--password-stdin", given=(PASSWORD,)).returncode == 0


# At a terminal

pexpect = pytest.importorskip("pexpect", reason="pexpect is not installed")
terminal = pytest.mark.skipif(not hasattr(pexpect, "spawn"), reason="there are no pseudo-terminals here")


def spawned(program: Program, *arguments: str) -> Any:
    return pexpect.spawn(
        sys.executable, ["-m", "multidb_chat", *arguments], env=program.environ(), encoding="utf-8", timeout=30
    )


def ended(child: Any) -> tuple[int, str]:
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus, child.before


@terminal
def test_passwords_are_asked_for_twice_and_not_shown(here: Program) -> None:
    child = spawned(here, "register")
    child.expect_exact("E-mail address:")
    child.sendline(ADA)
    for question in ("Password:", "Once more:"):
        child.expect_exact(question)
        child.waitnoecho()
        child.sendline(PASSWORD)
    code, seen = ended(child)
    assert code == 0
    assert PASSWORD not in seen
    assert "Strength:" in seen
    assert "registered and logged in as" in seen
    assert whoami(here)["email"] == ADA


@terminal
def test_two_different_passwords_register_nobody(here: Program) -> None:
    child = spawned(here, "register", ADA)
    for question, password in (("Password:", PASSWORD), ("Once more:", OTHER)):
        child.expect_exact(question)
        child.waitnoecho()
        child.sendline(password)
    code, rest = ended(child)
    assert code == 6
    assert "not the same" in rest
    assert whoami(here)["kind"] == "local"


@terminal
def test_the_second_factor_is_shown_as_a_picture_and_asked_for(here: Program) -> None:
    registered(here)
    child = spawned(here, "account", "totp", "on")
    child.expect(r"type the secret into the app: \S*?([A-Z2-7]{32})")
    app = pyotp.TOTP(child.match.group(1))
    assert "▀▄" in child.before
    child.expect_exact("Password:")
    child.waitnoecho()
    child.sendline(PASSWORD)
    child.expect_exact("The code that the app shows:")
    child.sendline(app.now())
    code, rest = ended(child)
    assert code == 0
    recovery = [word for word in rest.split() if word.count("-") == 2][-1]
    child = spawned(here, "login", ADA)
    child.expect_exact("Password:")
    child.waitnoecho()
    child.sendline(PASSWORD)
    child.expect_exact("Code:")
    child.sendline(recovery)
    code, rest = ended(child)
    assert code == 0
    assert "logged in as" in rest


@terminal
def test_ctrl_c_at_a_hidden_question_leaves_the_terminal_as_it_was(here: Program) -> None:
    child = spawned(here, "login", ADA)
    child.expect_exact("Password:")
    child.waitnoecho()
    child.sendintr()
    code, _ = ended(child)
    assert code == 130


def test_the_keyring_is_not_loaded_by_who_never_logged_in() -> None:
    script = (
        "import asyncio, sys\n"
        "from multidb_chat.bootstrap import open_application\n"
        "from multidb_chat.settings import load_settings\n"
        "async def main():\n"
        "    async with open_application(load_settings()) as app:\n"
        "        assert app.account\n"
        "asyncio.run(main())\n"
        "loaded = {'jwt', 'bcrypt', 'pyotp', 'segno', 'zxcvbn', 'keyring', 'lzma'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "MULTIDB_CHAT_HOME": home},
            capture_output=True,
            text=True,
        )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_store_error_says_which_file(here: Program) -> None:
    registered(here)
    (here.home / "data" / "keys.json").write_text("{")
    done = here.inside("whoami")
    assert done.returncode == 5
    assert "keys.json cannot be read: restore it" in done.stderr
