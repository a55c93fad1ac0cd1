"""`admin knowledge`, `feedback`, `tasks`, `stats`, `retention`, `status`, `doctor`, `backup`, `restore`."""

import asyncio
import json
import shutil
import signal
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from multidb_chat.adapters.sqlite.conversations import SqliteConversations
from multidb_chat.domain.conversations import Conversation
from multidb_chat.domain.text import normalise_question
from tests.cli.admin.conftest import EVE, HOURS, PASSWORD, QUICKLY, WHEN, data, done, told
from tests.cli.conftest import Program, unsafe

AGAIN = "what are the opening hours"


def test_an_entry_answers_its_question_and_says_how_sure_that_is(root: Program) -> None:
    answer = data(root, "ask", AGAIN)
    assert (answer["text"], answer["method"]) == (WHEN, "knowledge")
    assert answer["curated"]["question"] == HOURS
    assert 0.75 <= answer["curated"]["confidence"] < 1
    assert done(root, "admin", "knowledge", "stats").startswith("entries     1\nused        1 time\n")
    asked = told(root, "ask", HOURS)
    assert (asked.stdout, asked.stderr) == (WHEN + "\n", f"\nKnowledge base  {HOURS}  confidence 1.00\n")
    (entry,) = data(root, "admin", "knowledge", "list")["entries"]
    assert entry["uses"] == 2


def test_entries_are_added_listed_shown_changed_and_removed(root: Program) -> None:
    done(root, "admin", "knowledge", "add", "Why tides?", "-", given="The moon.\n")
    assert told(root, "admin", "knowledge", "add", "WHY TIDES", "So.").returncode == 6
    assert done(root, "admin", "knowledge", "list").count("\n") == 2
    assert [one["question"] for one in data(root, "admin", "knowledge", "list", "moon")["entries"]] == ["Why tides?"]
    (office,) = data(root, "admin", "knowledge", "list", "--category", "Office")["entries"]
    assert data(root, "admin", "knowledge", "show", office["id"][-8:]) == office
    assert WHEN in done(root, "admin", "knowledge", "show", HOURS)
    assert told(root, "admin", "knowledge", "edit", HOURS).returncode == 2
    assert data(root, "admin", "knowledge", "edit", HOURS, "--answer", "Ten to four.")["version"] == 2
    assert done(root, "ask", HOURS) == "Ten to four.\n"
    assert "version 3" in done(root, "admin", "knowledge", "edit", HOURS, "--category", "House")
    assert told(root, "admin", "knowledge", "delete", HOURS).returncode == 4
    assert done(root, "admin", "knowledge", "delete", HOURS, "why tides", "--yes").count("removed") == 2
    empty = told(root, "admin", "knowledge", "list")
    assert (empty.stdout, "knowledge add" in empty.stderr) == ("", True)


def test_entries_go_out_and_come_in_as_files(root: Program, tmp_path: Path) -> None:
    done(root, "admin", "knowledge", "add", 'Quotes, "commas"?', "Two\nlines; and more.")
    for suffix in ("csv", "json"):
        file = tmp_path / f"faq.{suffix}"
        done(root, "admin", "knowledge", "export", file)
        assert data(root, "admin", "knowledge", "import", file, "--yes") == {"added": 0, "changed": 0, "unchanged": 2}
        other = Program(tmp_path / suffix, QUICKLY)
        done(other, "admin", "init", "--email", EVE, "--password-stdin", given=f"{PASSWORD}\n")
        assert done(other, "admin", "knowledge", "import", file, "--yes") == "2 added, 0 changed, 0 unchanged\n"
        here, there = (
            [
                (one["question"], one["answer"], one["category"])
                for one in data(of, "admin", "knowledge", "list")["entries"]
            ]
            for of in (root, other)
        )
        assert here == there
    assert root("admin", "knowledge", "export").stdout.startswith("question,answer,category,id,")
    assert json.loads(root("admin", "knowledge", "export", "--format", "json").stdout)["entries"]


def test_a_file_with_bad_rows_imports_nothing_and_names_their_lines(root: Program, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("question,answer\nNew?,Yes.\n,No question.\nNo answer?,\n")
    refused = told(root, "admin", "knowledge", "import", tmp_path / "bad.csv", "--yes")
    assert refused.returncode == 6
    assert refused.stderr.count("\n") == 1
    assert "line 3: the question is empty" in refused.stderr
    assert "line 4: the answer is empty" in refused.stderr
    assert len(data(root, "admin", "knowledge", "list")["entries"]) == 1
    assert told(root, "admin", "knowledge", "import", tmp_path / "bad.txt", "--yes").returncode == 2
    assert told(root, "admin", "knowledge", "import", tmp_path / "missing.csv", "--yes").returncode == 6
    (tmp_path / "good.csv").write_text("question,answer\nNew?,Yes.\n")
    assert told(root, "admin", "knowledge", "import", tmp_path / "good.csv").returncode == 4


def test_figures_of_the_knowledge_base_and_of_everybody(root: Program) -> None:
    done(root, "ask", HOURS)
    figures = data(root, "admin", "knowledge", "stats")
    assert (figures["entries"], figures["uses"], figures["categories"]) == (1, 1, {"Office": 1})
    assert "Office 1" in done(root, "admin", "knowledge", "stats")
    assert data(root, "admin", "knowledge", "reindex") == {"reindexed": 0}
    assert done(root, "admin", "knowledge", "reindex") == "made 0 vectors anew\n"
    assert data(root, "admin", "stats")["questions"] == 1
    assert "1 question" in done(root, "admin", "stats", "--days", "7")


def test_figures_are_shown_again_and_again_until_ctrl_c(root: Program) -> None:
    watching = subprocess.Popen(
        root.line("admin", "stats", "--watch", "1"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env=root.environ(),
    )  # fmt: skip
    assert watching.stdout is not None
    heads = 0
    for line in watching.stdout:
        heads += "every 1 s" in line
        if heads == 2:
            break
    watching.send_signal(signal.SIGINT)
    rest, errors = watching.communicate(timeout=60)
    assert watching.returncode == 130
    assert not unsafe(rest + errors)


def test_hostile_entries_do_nothing_to_a_terminal(root: Program) -> None:
    evil = "Who \x1b[31mis\x1b]0;x\x07 \u202eevil\u202c?"
    done(root, "admin", "knowledge", "add", evil, "An \x9b2Janswer\x1b[2J.", "--category", "\x1b[5mred")
    for command in (("list",), ("show", "who is evil"), ("stats",), ("export", "/dev/null", "--format", "csv")):
        shown = told(root, "admin", "knowledge", *command)
        assert not unsafe(shown.stdout + shown.stderr)
    assert normalise_question(evil) == "who is evil"


def test_tasks_of_everybody_are_listed_and_purged(root: Program) -> None:
    assert data(root, "admin", "tasks", "list") == {"counts": {}, "tasks": []}
    queued = data(root, "research", "churn", "--background")
    listed = data(root, "admin", "tasks", "list", "--state", "queued")
    assert [one["id"] for one in listed["tasks"]] == [queued["id"]]
    assert listed["counts"] == {"queued": 1}
    assert "queued" in done(root, "admin", "tasks", "list")
    assert told(root, "admin", "tasks", "list", "--state", "asleep").returncode == 2
    assert told(root, "admin", "tasks", "retry", queued["id"]).returncode == 6
    done(root, "tasks", "cancel", queued["id"])
    assert data(root, "admin", "tasks", "retry", queued["id"])["state"] == "queued"
    done(root, "tasks", "cancel", queued["id"])
    assert told(root, "admin", "tasks", "purge").returncode == 4
    assert data(root, "admin", "tasks", "purge", "--days", "0", "--unread", "--yes") == {"removed": 1}
    again = data(root, "research", "churn", "--background")
    done(root, "tasks", "cancel", again["id"])
    assert done(root, "admin", "tasks", "purge", "--days", "0", "--unread", "--yes") == "removed 1 task\n"


def test_retention_is_shown_and_run(root: Program) -> None:
    assert data(root, "admin", "retention", "show")["deleted_days"] == 30
    assert "for good" in done(root, "admin", "retention", "show")
    assert told(root, "admin", "retention", "run").returncode == 4
    assert data(root, "admin", "retention", "run", "--yes")["accounts"] == 0
    assert done(root, "admin", "retention", "run", "--yes").startswith("removed 0 accounts")


def test_one_thing_over_its_time_is_told_as_one(root: Program) -> None:
    assert "1 day " in done(root, "--set", "retention.deleted_days=1", "admin", "retention", "show")
    asyncio.run(deleted_long_ago(root, data(root, "whoami")["id"]))
    removed = "0 accounts, 0 conversations, 1 deleted conversation, 0 tasks, 0 cached answers"
    assert done(root, "admin", "retention", "run", "--yes") == f"removed {removed}\n"


async def deleted_long_ago(root: Program, owner: str) -> None:
    """Leave a conversation that was deleted longer ago than such are kept."""
    store = SqliteConversations(root.home / "data" / "conversations.sqlite")
    then = datetime(2020, 1, 1, tzinfo=UTC)
    await store.put_conversation(Conversation("old", owner, "Old", then, deleted_at=then))
    await store.close()


def test_the_state_of_the_installation_is_told(root: Program) -> None:
    seen = data(root, "admin", "status")
    assert {one["store"] for one in seen["stores"]} == {"accounts", "conversations", "library", "cache"}
    assert seen["backed_up_at"] is None
    assert "last backup" in done(root, "admin", "status")
    done(root, "admin", "backup", root.home.parent / "backup.zip")
    assert data(root, "admin", "status")["backed_up_at"]


def test_the_doctor_says_what_is_wrong_and_mends_what_is_safe(root: Program) -> None:
    assert data(root, "admin", "doctor")["wrong"] == 0
    assert done(root, "admin", "doctor", "--quiet") == ""
    (root.home / "data" / "accounts.sqlite").chmod(0o644)
    found = told(root, "admin", "doctor")
    assert found.returncode == 1
    assert "accounts.sqlite (0644, not 0600)" in found.stdout
    assert "--fix" in found.stdout
    mended = told(root, "admin", "doctor", "--fix")
    assert mended.returncode == 0
    assert "mended" in mended.stdout
    assert (root.home / "data" / "accounts.sqlite").stat().st_mode & 0o777 == 0o600


def test_the_doctor_works_where_nothing_else_does(root: Program) -> None:
    (root.home / "data" / "accounts.sqlite").write_bytes(b"x" * 9_999)
    (root.home / "config.toml").write_text("[search]\nlimmit = 3\n")
    assert told(root, "admin", "status").returncode == 6
    found = told(root, "admin", "doctor", "--json")
    assert found.returncode == 1
    wrong = {one["about"]: one for one in json.loads(found.stdout)["findings"] if one["severity"] == "wrong"}
    assert "limmit" in wrong["configuration"]["text"]
    assert "accounts store is damaged" in wrong["stores"]["text"]
    assert "restore" in wrong["stores"]["mend"]


def test_everything_goes_into_a_backup_and_comes_back(root: Program, tmp_path: Path) -> None:
    file = tmp_path / "backup.zip"
    made = data(root, "admin", "backup", file)
    assert (made["keys"], [one["name"] for one in made["copies"]][-1]) == ("plain", "keys")
    assert told(root, "admin", "backup", file).returncode == 6
    assert told(root, "admin", "backup", tmp_path / "b", "--keys", "hidden").returncode == 2
    done(root, "admin", "knowledge", "edit", HOURS, "--answer", "Never.")
    assert data(root, "admin", "restore", file, "--check")["made_at"] == made["made_at"]
    assert "is whole" in done(root, "admin", "restore", file, "--check")
    assert told(root, "admin", "restore", file).returncode == 4
    assert done(root, "ask", HOURS) == "Never.\n"
    restored = data(root, "admin", "restore", file, "--yes")
    assert Path(restored["aside"]).is_dir()
    assert data(root, "whoami")["kind"] == "local"
    done(root, "login", "root@example.org", "--password-stdin", given=f"{PASSWORD}\n")
    assert done(root, "ask", HOURS) == WHEN + "\n"
    assert data(root, "admin", "audit", "verify")["sound"]
    broken = bytearray(file.read_bytes())
    broken[len(broken) // 2] ^= 1
    (tmp_path / "broken.zip").write_bytes(broken)
    refused = told(root, "admin", "restore", tmp_path / "broken.zip", "--yes")
    assert refused.returncode == 5
    assert "Use another backup" in refused.stderr


def test_a_new_machine_is_filled_from_a_backup_with_sealed_keys(root: Program, tmp_path: Path) -> None:
    file = tmp_path / "sealed.zip"
    done(root, "admin", "backup", file, "--keys", "sealed", "--passphrase-stdin", given="correct horse\n")
    fresh = Program(tmp_path / "fresh", QUICKLY)
    refused = told(fresh, "admin", "restore", file, "--yes", "--passphrase-stdin", given="wrong horse\n")
    assert refused.returncode == 4
    assert "passphrase" in refused.stderr
    done(fresh, "admin", "restore", file, "--yes", "--passphrase-stdin", given="correct horse\n")
    done(fresh, "login", EVE, "--password-stdin", given=f"{PASSWORD}\n")
    assert done(fresh, "ask", HOURS) == WHEN + "\n"


def test_from_an_empty_machine_to_a_restored_one(tmp_path: Path) -> None:
    """The whole story: an administrator, a user with a plan, knowledge, an answer rated and promoted, and a backup."""
    here = Program(tmp_path / "here", QUICKLY)
    done(here, "admin", "init", "--email", "root@example.org", "--password-stdin", given=f"{PASSWORD}\n")
    done(here, "admin", "users", "create", EVE, "--password-stdin", given=f"{PASSWORD}\n")
    done(here, "admin", "users", "plan", EVE, "pro")
    done(here, "admin", "knowledge", "add", HOURS, WHEN)
    (tmp_path / "tides.md").write_text("# Tides\n\nThe tide at Brest is seven metres high in March.\n")
    done(here, "login", EVE, "--password-stdin", given=f"{PASSWORD}\n")
    assert data(here, "usage")["plan"] == "pro"
    assert data(here, "whoami")["plan"] == "pro"
    assert done(here, "ask", AGAIN) == WHEN + "\n"
    done(here, "docs", "add", tmp_path / "tides.md")
    asked = data(here, "ask", "How high is the tide at Brest in March?")
    assert asked["method"] == "extractive"
    done(here, "feedback", "give", "--good", "Exactly.")
    done(here, "login", "root@example.org", "--password-stdin", given=f"{PASSWORD}\n")
    (rating,) = data(here, "admin", "feedback", "list", "--good")["feedback"]
    assert (rating["text"], rating["on_answer"]) == ("Exactly.", True)
    assert data(here, "admin", "feedback", "stats")["good"] == 1
    assert "good" in done(here, "admin", "feedback", "stats")
    assert told(here, "admin", "knowledge", "promote", rating["id"]).returncode == 4
    done(here, "admin", "knowledge", "promote", rating["id"], "--category", "Sea", "--yes")
    promoted = data(here, "ask", "How high is the tide at Brest in March?")
    assert (promoted["method"], promoted["text"]) == ("knowledge", "The tide at Brest is seven metres high in March.")
    assert data(here, "admin", "audit", "verify")["sound"]
    done(here, "admin", "backup", tmp_path / "backup.zip")
    shutil.rmtree(here.home)
    done(here, "admin", "restore", tmp_path / "backup.zip", "--yes")
    assert done(here, "ask", HOURS) == WHEN + "\n"
    done(here, "login", "root@example.org", "--password-stdin", given=f"{PASSWORD}\n")
    assert data(here, "admin", "audit", "verify")["sound"]
    assert [one["email"] for one in data(here, "admin", "users", "list", "eve")["users"]] == [EVE]
