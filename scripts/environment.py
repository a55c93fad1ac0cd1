"""Make the private environment `.venv` of a checkout, or complete it. Run by `environment.sh`; standard library only.

Several runs at once wait for each other (flock, which a killed process gives back). An install that was killed half-way
left its mark and begins anew, because a package that was cut off can look complete.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path


def say(text: str) -> None:
    """Write one line for the user; the program's own output stays clean."""
    print(f"multidb-chat: {text}", file=sys.stderr, flush=True)


def main(root: Path, lock: str, stamp: str) -> int:
    """Bring `.venv` to what `lock` lists and remember that with `stamp`; return the exit code."""
    venv = root / ".venv"
    try:
        venv.mkdir(exist_ok=True)
        guard = (venv / ".setup-lock").open("a")
    except OSError as error:
        say(f"{venv} cannot be made ({error.strerror}); install the program elsewhere:")
        say(f"    python3 -m venv ~/multidb-chat && ~/multidb-chat/bin/pip install '{root}'")
        return 1
    with guard:
        wait_for_others(guard.fileno())
        installed = venv / f".installed-{lock}"
        if installed.is_file() and installed.read_text().strip() == stamp and runs(venv):
            return 0
        if not complete(root, venv, root / lock, guard.fileno()):
            return 1
        replace_text(installed, stamp + "\n")
    say("ready")
    return 0


def wait_for_others(guard: int) -> None:
    """Hold the lock; tell the user when that takes waiting."""
    try:
        fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        say("another run is setting up; waiting for it")
        fcntl.flock(guard, fcntl.LOCK_EX)


def complete(root: Path, venv: Path, lock: Path, guard: int) -> bool:
    """Make the environment if it is not there, and install into it."""
    unfinished = venv / ".unfinished"
    if unfinished.exists() or not runs(venv):
        say(f"making a private Python environment in {venv}")
        clear(venv)
        if subprocess.run([sys.executable, "-m", "venv", str(venv)]).returncode:
            say("that failed; the messages above say why")
            return False
    count = sum(line[:1].isalnum() for line in lock.read_text().splitlines())
    say(f"installing {count} packages listed in {lock.name}; this happens once and may take some minutes")
    unfinished.touch()
    failed = pip(venv, lock, guard)
    unfinished.unlink()
    if failed:
        say("installing failed; the messages above say why. Run the same command again to go on")
        return False
    link_sources(root, venv)
    return True


def runs(venv: Path) -> bool:
    """Tell whether the environment has a Python that starts (the one it was made from may be gone)."""
    try:
        return subprocess.run([venv / "bin" / "python", "-c", "import pip"], capture_output=True).returncode == 0
    except OSError:
        return False


def clear(venv: Path) -> None:
    """Remove everything but the lock that other runs may be waiting at."""
    for entry in venv.iterdir():
        if entry.name == ".setup-lock":
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def pip(venv: Path, lock: Path, guard: int) -> int:
    """Install exactly what the lock file lists, each file checked against its hash; return pip's exit code.

    It holds the lock too: when only this process is killed, nobody begins anew under its hands.
    """
    # Twice quiet: errors are shown, warnings about this machine's own pip configuration are not.
    options = ["--quiet", "--quiet", "--no-input", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
    command = [str(venv / "bin" / "python"), "-m", "pip", "install", *options, "-r", str(lock)]
    # Somebody's wish to install for the user would go past the environment.
    environ = {**os.environ, "PIP_USER": "0"}
    return subprocess.run(command, env=environ, stdout=sys.stderr, pass_fds=[guard]).returncode


def link_sources(root: Path, venv: Path) -> None:
    """Put `src` on the environment's path, by a relative line so that the checkout can be moved, and compile it."""
    (packages,) = venv.glob("lib/python3*/site-packages")
    replace_text(packages / "multidb_chat.pth", os.path.relpath(root / "src", packages) + "\n")
    command = [str(venv / "bin" / "python"), "-m", "compileall", "-q", str(root / "src")]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def replace_text(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    beside.write_text(text)
    beside.replace(path)


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
    except KeyboardInterrupt:
        say("interrupted; the next run starts again")
        sys.exit(130)
