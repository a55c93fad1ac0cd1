"""`admin init`, `users`, `plans`, `usage`, `audit` and `keys`: accounts of others, from the shell."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pyotp
import pytest

from tests.cli.admin.conftest import EVE, PASSWORD, QUICKLY, ROOT, data, done, told
from tests.cli.conftest import Program


def test_the_first_administrator_is_made_once_and_logged_in(empty: Program) -> None:
    program = Program(empty.home, QUICKLY)
    for wrong in ("short\n", "password123\n", ""):
        refused = told(program, "admin", "init", "--email", ROOT, "--password-stdin", given=wrong)
        assert (refused.returncode, refused.stdout) == (6, ""), wrong
    made = data(program, "admin", "init", "--email", ROOT, "--password-stdin", given=f"{PASSWORD}\n")
    assert (made["email"], made["role"]) == (ROOT, "admin")
    assert data(program, "whoami")["email"] == ROOT
    again = told(program, "admin", "init", "--email", EVE, "--password-stdin", given=f"{PASSWORD}\n")
    assert again.returncode == 6
    assert "administrator already" in again.stderr


def test_an_installation_that_is_not_sound_gets_no_administrator(root: Program) -> None:
    home = root.home
    (home / "data" / "accounts.sqlite").rename(home / "old")
    (home / "data" / "keys.json").write_text("{")
    refused = told(root, "logout")
    refused = told(root, "admin", "init", "--email", EVE, "--password-stdin", given=f"{PASSWORD}\n")
    assert refused.returncode in (5, 6)
    assert "key" in refused.stderr


def test_accounts_are_listed_and_shown(root: Program) -> None:
    assert [(one["email"], one["role"]) for one in data(root, "admin", "users", "list")["users"]] == [
        (None, "user"),
        (EVE, "user"),
        (ROOT, "admin"),
    ]
    assert [one["email"] for one in data(root, "admin", "users", "list", "--role", "admin")["users"]] == [ROOT]
    assert data(root, "admin", "users", "list", "eve", "--disabled")["users"] == []
    table = done(root, "admin", "users", "list")
    assert "(the local account)" in table
    assert table.count("\n") == 3
    shown = data(root, "admin", "users", "show", EVE)
    assert (shown["email"], shown["usage"]["plan"], shown["sessions"]) == (EVE, "free", [])
    assert data(root, "admin", "users", "show", shown["id"][-8:])["id"] == shown["id"]
    assert EVE in done(root, "admin", "users", "show", EVE)
    assert told(root, "admin", "users", "list", "eve").stderr == "1 account\n"
    missing = told(root, "admin", "users", "show", "nobody@example.org")
    assert missing.returncode == 6
    assert "users list" in missing.stderr


def test_somebody_is_locked_out_and_let_in_again(root: Program) -> None:
    assert told(root, "admin", "users", "disable", EVE).returncode == 4  # nobody can be asked
    assert data(root, "admin", "users", "disable", EVE, "--yes")["disabled_at"]
    refused = told(root, "login", EVE, "--password-stdin", given=f"{PASSWORD}\n")
    assert refused.returncode == 4
    assert "disabled" in refused.stderr
    assert "disabled" in done(root, "admin", "users", "list", "--disabled")
    assert "disabled" in done(root, "admin", "users", "show", EVE)
    assert data(root, "admin", "users", "show", EVE)["usage"] is None
    assert done(root, "admin", "users", "enable", EVE) == f"enabled {EVE}\n"
    done(root, "login", EVE, "--password-stdin", given=f"{PASSWORD}\n")


def test_roles_are_given_and_nobody_takes_their_own(root: Program) -> None:
    assert told(root, "admin", "users", "role", EVE, "king", "--yes").returncode == 2
    assert data(root, "admin", "users", "role", EVE, "support", "--yes")["role"] == "support"
    for own in (("role", ROOT, "user"), ("disable", ROOT), ("delete", ROOT)):
        refused = told(root, "admin", "users", *own, "--yes")
        assert refused.returncode == 6
        assert "your own account" in refused.stderr


def test_plans_are_given_shown_and_changed(root: Program) -> None:
    given = data(root, "admin", "users", "plan", EVE, "pro", "--until", "2099-12-31")
    assert (given["plan"], given["until"]) == ("pro", "2100-01-01T00:00:00+00:00")
    until = ("plan", EVE, "pro", "--until", "2099-12-31")
    assert done(root, "admin", "users", *until) == f"gave {EVE} the plan pro until 2099-12-31\n"
    assert "until     2099-12-31\n" in done(root, "admin", "users", "show", EVE)
    assert "pro" in done(root, "admin", "users", "list", EVE)
    assert data(root, "admin", "users", "list", EVE)["users"][0]["plan"] == "pro"
    assert data(root, "admin", "users", "show", EVE)["plan"] == "pro"
    assert data(root, "admin", "users", "disable", EVE, "--yes")["plan"] == "pro"
    done(root, "admin", "users", "enable", EVE)
    assert "the plan pro" in done(root, "admin", "users", "plan", EVE, "pro")
    assert told(root, "admin", "users", "plan", EVE, "pro", "--until", "tomorrow").returncode == 2
    assert told(root, "admin", "users", "plan", EVE, "pro", "--until", "2001-01-01").returncode == 6
    plans = {one["plan"]: one for one in data(root, "admin", "plans", "list")["plans"]}
    assert (plans["free"]["messages"], plans["enterprise"]["messages"]) == (1_000, None)
    assert "no limit" in done(root, "admin", "plans", "list")
    assert data(root, "admin", "plans", "set", "free", "messages", "5") == {"key": "plans.free_messages", "value": 5}
    assert "plans.free_documents" in done(root, "admin", "plans", "set", "free", "documents", "7")
    plans = {one["plan"]: one for one in data(root, "admin", "plans", "list")["plans"]}
    assert (plans["free"]["messages"], plans["free"]["documents"]) == (5, 7)
    for wrong in (("gold", "messages", "5"), ("free", "jokes", "5"), ("guest", "documents", "5")):
        assert told(root, "admin", "plans", "set", *wrong).returncode == 2
    usage = {one["email"]: one for one in data(root, "admin", "usage")["usage"]}
    assert usage[EVE]["plan"] == "pro"
    assert data(root, "admin", "usage", EVE)["usage"] == [usage[EVE]]
    assert f"{EVE}  " in done(root, "admin", "usage")


def test_a_table_of_plans_says_in_words_what_is_without_limit_and_what_is_not_allowed_at_all(root: Program) -> None:
    done(root, "admin", "plans", "set", "guest", "messages", "0")
    rows = [re.split(r"\s{2,}", line.rstrip()) for line in done(root, "admin", "plans", "list").splitlines()]
    assert ["guest", "no limit", "none", "none", "none", "no limit"] in rows


def test_a_password_is_set_anew_with_a_code(root: Program) -> None:
    code = data(root, "admin", "users", "reset-password", EVE)["code"]
    assert len(done(root, "admin", "users", "reset-password", EVE).strip()) == len(code)
    code = done(root, "admin", "users", "reset-password", EVE).strip()
    done(root, "account", "reset", EVE, "--password-stdin", given=f"{code}\nanother brass key, turned\n")
    done(root, "login", EVE, "--password-stdin", given="another brass key, turned\n")


def test_a_lost_second_factor_is_removed(root: Program) -> None:
    assert "has no second factor" in done(root, "admin", "users", "reset-totp", EVE, "--yes")
    done(root, "login", EVE, "--password-stdin", given=f"{PASSWORD}\n")
    app = pyotp.TOTP(data(root, "account", "totp", "on")["secret"])
    done(root, "account", "totp", "on", "--password-stdin", "--code", app.now(), given=f"{PASSWORD}\n")
    done(root, "login", ROOT, "--password-stdin", given=f"{PASSWORD}\n")
    assert told(root, "login", EVE, "--password-stdin", given=f"{PASSWORD}\n").returncode == 4
    assert told(root, "admin", "users", "reset-totp", EVE).returncode == 4  # nobody there to confirm it
    assert data(root, "admin", "users", "reset-totp", EVE, "--yes") == {"removed": True}
    done(root, "login", EVE, "--password-stdin", given=f"{PASSWORD}\n")


def test_sessions_of_others_are_listed_and_ended(root: Program) -> None:
    mine = data(root, "admin", "users", "sessions", ROOT)["sessions"]
    assert [one["client"] for one in mine] == ["shell"]
    assert "shell" in done(root, "admin", "users", "sessions", ROOT)
    assert told(root, "admin", "users", "sessions", ROOT, "--end").returncode == 4
    assert data(root, "admin", "users", "sessions", ROOT, "--end", "--yes") == {"ended": 1}
    over = told(root, "admin", "status")
    assert over.returncode == 4
    assert "log in again" in over.stderr


def test_one_thing_of_an_account_is_told_as_one(root: Program, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("A note of her own.")
    done(root, "login", EVE, "--password-stdin", given=f"{PASSWORD}\n")
    done(root, "docs", "add", tmp_path / "note.txt")
    done(root, "login", ROOT, "--password-stdin", given=f"{PASSWORD}\n")
    erased = done(root, "admin", "users", "delete", EVE, "--yes")
    assert erased == f"erased {EVE} with 0 conversations, 1 document, 0 tasks\n"
    assert told(root, "admin", "users", "sessions", ROOT).stderr == "1 session\n"
    assert f"End 1 session of {ROOT}?" in told(root, "admin", "users", "sessions", ROOT, "--end").stderr
    assert done(root, "admin", "users", "sessions", ROOT, "--end", "--yes") == "ended 1 session\n"


def test_an_account_is_erased_with_what_is_its_own(root: Program) -> None:
    assert told(root, "admin", "users", "delete", EVE).returncode == 4
    gone = data(root, "admin", "users", "delete", EVE, "--yes")
    assert gone["conversations"] == 0
    assert told(root, "admin", "users", "show", EVE).returncode == 6
    assert [one["action"] for one in data(root, "admin", "audit", "list", "-n", "1")["entries"]] == ["account.erase"]
    done(root, "admin", "audit", "verify")


def test_what_was_done_is_listed_filtered_exported_and_verified(root: Program, tmp_path: Path) -> None:
    entries = data(root, "admin", "audit", "list")["entries"]
    assert [one["action"] for one in entries] == ["knowledge.add", "account.create", "session.begin", "account.create"]
    assert {one["actor_name"] for one in entries} == {ROOT}
    assert entries[1]["target_name"] == EVE
    assert len(data(root, "admin", "audit", "list", "--action", "account.")["entries"]) == 2
    assert data(root, "admin", "audit", "list", "--user", EVE)["entries"] == []
    assert data(root, "admin", "audit", "list", "--until", "2001-01-01")["entries"] == []
    assert len(data(root, "admin", "audit", "list", "--since", "2001-01-01", "-n", "2")["entries"]) == 2
    assert told(root, "admin", "audit", "list", "--since", "lately").returncode == 2
    assert done(root, "admin", "audit", "list").count("\n") == 4
    done(root, "admin", "audit", "export", tmp_path / "audit.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert lines == entries[::-1]
    printed = root("admin", "audit", "export")
    assert (printed.returncode, printed.stdout.count("\n")) == (0, 4)
    assert data(root, "admin", "audit", "verify") == {"entries": 4, "sound": True, "problem": ""}
    assert done(root, "admin", "audit", "verify").startswith("sound: 4 entries")
    (root.home / "data" / "audit.head").unlink()
    changed = told(root, "admin", "audit", "verify")
    assert changed.returncode == 1
    assert "head" in changed.stdout


def test_keys_are_rotated_and_what_older_ones_made_stays_good(root: Program) -> None:
    assert [one["keys"] for one in data(root, "admin", "keys", "list")["keys"]] == [
        ["tokens-1"], ["audit-1"], ["pepper-1"],
    ]  # fmt: skip
    assert told(root, "admin", "keys", "rotate", "tokens").returncode == 4
    assert told(root, "admin", "keys", "rotate", "doors", "--yes").returncode == 2
    for purpose in ("tokens", "audit", "pepper"):
        assert data(root, "admin", "keys", "rotate", purpose, "--yes")["current"] == f"{purpose}-2"
    assert "tokens-2" in done(root, "admin", "keys", "list")
    assert done(root, "admin", "keys", "rotate", "tokens", "--yes") == "made tokens-3\n"
    assert data(root, "admin", "audit", "verify")["sound"]
    done(root, "login", EVE, "--password-stdin", given=f"{PASSWORD}\n")


MAX = "max@example.org"
ENTRIES_OUT = ("knowledge", "export", "/dev/null", "--format", "csv")
LOG_OUT = ("audit", "export", "/dev/null")
COMMANDS = [
    ("status",), ("stats",), ("usage",), ("users", "list"), ("users", "show", EVE), ("users", "disable", EVE, "--yes"),
    ("users", "enable", EVE), ("users", "role", EVE, "admin", "--yes"), ("users", "plan", EVE, "pro"),
    ("users", "reset-password", MAX), ("users", "sessions", ROOT), ("users", "sessions", ROOT, "--end", "--yes"),
    ("users", "reset-totp", EVE, "--yes"),
    ("users", "delete", ROOT, "--yes"), ("plans", "list"), ("plans", "set", "free", "messages", "9"),
    ("audit", "list"), ("audit", "verify"), LOG_OUT, ("knowledge", "list"), ("knowledge", "stats"),
    ("knowledge", "add", "Why?", "So."), ENTRIES_OUT, ("knowledge", "reindex"), ("feedback", "list"),
    ("feedback", "stats"), ("tasks", "list"), ("tasks", "purge", "--yes"), ("retention", "run", "--yes"),
    ("keys", "list"), ("keys", "rotate", "tokens", "--yes"), ("backup", "never.zip"), ("restore", "never.zip", "--yes"),
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_none_of_it_is_for_users(eve: Program, command: tuple[str, ...]) -> None:
    refused = told(eve, "admin", *command)
    assert (refused.returncode, refused.stdout) == (4, ""), refused.stderr
    assert refused.stderr.startswith("error: This needs the permission ")
    assert refused.stderr.count("\n") == 1


ASKED = (("keys", "rotate", "tokens"), ("retention", "run"), ("tasks", "purge"))


@pytest.mark.parametrize("command", ASKED, ids=" ".join)
def test_nobody_is_asked_whether_to_do_what_they_may_not(eve: Program, command: tuple[str, ...]) -> None:
    refused = told(eve, "admin", *command)
    assert refused.returncode == 4
    assert refused.stderr.startswith("error: This needs the permission ")


def test_support_sees_and_resets_passwords_and_changes_nothing_else(root: Program) -> None:
    done(root, "admin", "users", "role", EVE, "support", "--yes")
    done(root, "admin", "users", "create", MAX, "--password-stdin", given=f"{PASSWORD}\n")
    done(root, "login", EVE, "--password-stdin", given=f"{PASSWORD}\n")
    assert told(root, "admin", "users", "reset-password", ROOT).returncode == 4
    allowed = {
        ("status",), ("stats",), ("usage",), ("users", "list"), ("users", "show", EVE), ("plans", "list"),
        ("users", "reset-password", MAX), ("users", "sessions", ROOT), ("audit", "list"), ("audit", "verify"),
        LOG_OUT, ("knowledge", "list"), ("knowledge", "stats"), ENTRIES_OUT,
        ("feedback", "list"), ("feedback", "stats"), ("tasks", "list"),
    }  # fmt: skip
    for command in COMMANDS:
        code = told(root, "admin", *command).returncode
        assert code == (0 if command in allowed else 4), command


def test_commands_for_administrators_are_made_when_one_is_called(empty: Program) -> None:
    code = """
import sys
from multidb_chat.cli.console import standard_console
from multidb_chat.cli.main import run
for line in (["--help"], ["docs", "--help"], ["admin", "keys", "--help"]):
    run(line, standard_console())
    print("loaded", sorted(name for name in sys.modules if name.startswith("multidb_chat.cli.admin.")))
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=empty.environ(), check=True)
    loaded = [line for line in ran.stdout.splitlines() if line.startswith("loaded")]
    assert loaded[:2] == ["loaded []", "loaded []"]
    assert "multidb_chat.cli.admin.keys" in loaded[2]
    assert "multidb_chat.cli.admin.users" not in loaded[2]
    assert not empty.home.exists()
