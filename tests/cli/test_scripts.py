"""The scripts that set things up, in a checkout of their own with a small program and an empty lock file."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 600  # seconds: making an environment takes minutes where much else is going on
PROGRAM = "import sys\nprint('ran', *sys.argv[1:], sep='|')\nsys.exit(3)\n"


def made(root: Path) -> Path:
    """Make a checkout with the real scripts."""
    package = root / "src" / "multidb_chat"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(PROGRAM, encoding="utf-8")
    (root / "scripts").mkdir()
    for name in ("chat", "environment.sh", "environment.py"):
        shutil.copy2(ROOT / "scripts" / name, root / "scripts" / name)
    (root / "requirements.lock").write_text("# nothing is needed\n", encoding="utf-8")
    return root


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A new checkout whose path has a space."""
    return made(tmp_path / "a checkout")


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[int, str, str]]:
    """A checkout after its first run, and what that run gave."""
    root = made(tmp_path_factory.mktemp("set up") / "a checkout")
    return root, chat(root, "ask", "two words")


@pytest.fixture
def set_up(first_run: tuple[Path, tuple[int, str, str]], tmp_path: Path) -> Path:
    """A copy of that checkout, elsewhere: an environment may be moved."""
    return Path(shutil.copytree(first_run[0], tmp_path / "a copy", symlinks=True))


def start(checkout: Path, *arguments: str, **environ: str) -> subprocess.Popen[str]:
    """Start `scripts/chat`."""
    return subprocess.Popen(
        [checkout / "scripts" / "chat", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={"PATH": os.environ["PATH"], **environ}, cwd="/", start_new_session=True,
    )  # fmt: skip


def chat(checkout: Path, *arguments: str, **environ: str) -> tuple[int, str, str]:
    """Run `scripts/chat` to its end; return exit code, standard output and standard error."""
    process = start(checkout, *arguments, **environ)
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def test_the_first_run_sets_up_and_says_what_it_does(first_run: tuple[Path, tuple[int, str, str]]) -> None:
    _, (code, out, err) = first_run
    assert (code, out) == (3, "ran|ask|two words\n")
    assert "multidb-chat: making a private Python environment" in err
    assert "multidb-chat: ready" in err


def test_the_second_run_only_runs_also_through_a_link(set_up: Path, tmp_path: Path) -> None:
    assert chat(set_up, "a") == (3, "ran|a\n", "")
    link = tmp_path / "multidb"
    link.symlink_to(set_up / "scripts" / "chat")
    assert subprocess.run([link, "b"], capture_output=True, text=True).stdout == "ran|b\n"


def test_a_changed_lock_file_is_installed_once(set_up: Path) -> None:
    (set_up / "requirements.lock").write_text("# changed\n", encoding="utf-8")
    assert "installing 0 packages" in chat(set_up)[2]
    assert chat(set_up) == (3, "ran\n", "")


def test_two_first_runs_at_once_wait_for_each_other(checkout: Path) -> None:
    both = [start(checkout, name) for name in ("a", "b")]
    ends = [process.communicate(timeout=PATIENCE) for process in both]
    assert [process.returncode for process in both] == [3, 3]
    assert [out for out, _ in ends] == ["ran|a\n", "ran|b\n"]
    assert sorted("making a private" in err for _, err in ends) == [False, True]
    assert sorted("waiting for it" in err for _, err in ends) == [False, True]


def test_a_killed_first_run_is_completed_by_the_next(checkout: Path) -> None:
    process = start(checkout)
    while not (checkout / ".venv" / "bin").is_dir():
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=PATIENCE)
    assert not list((checkout / ".venv").glob(".installed-*"))
    code, out, _ = chat(checkout, "x")
    assert (code, out) == (3, "ran|x\n")


def test_a_failed_install_says_so_and_is_tried_again(set_up: Path) -> None:
    (set_up / "requirements.lock").write_text("no-such==1 --hash=sha256:" + "0" * 64 + "\n", encoding="utf-8")
    environ = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}
    code, out, err = chat(set_up, **environ)
    assert (code, out) == (1, "")
    assert "installing failed; the messages above say why. Run the same command again" in err
    (set_up / "requirements.lock").write_text("", encoding="utf-8")
    assert chat(set_up, **environ)[0] == 3


def test_a_checkout_that_cannot_be_written_to_says_what_to_do(checkout: Path) -> None:
    (checkout / ".venv").write_text("in the way", encoding="utf-8")
    code, out, err = chat(checkout)
    assert (code, out) == (1, "")
    assert err.startswith("multidb-chat: ")
    assert "install the program elsewhere" in err
    assert "Traceback" not in err


def test_without_python_it_says_what_is_needed(checkout: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("bash", "dirname", "readlink", "cksum", "env"):
        (tools / name).symlink_to(shutil.which(name) or "")
    old = tools / "python3"
    old.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    old.chmod(0o755)
    code, out, err = chat(checkout, PATH=str(tools))
    assert (code, out) == (1, "")
    assert err.startswith("multidb-chat: Python 3.11 or newer with venv and pip is needed")
    assert err.count("\n") == 1
