"""Other processes: coroutine functions run elsewhere, for what several processes do to one store.

A work is a function at the top of a module; it and its arguments travel pickled. It may wait at `starting_line` until
all others are there, and it tells what it did with `say`.
"""

import asyncio
import base64
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

Work = Callable[..., Coroutine[Any, Any, None]]
Process = subprocess.Popen[str]

ROOT = Path(__file__).parents[2]
PATIENCE = 60


def start(work: Work, *arguments: object) -> Process:
    """Begin the work in a process of its own."""
    packed = base64.b64encode(pickle.dumps((work, arguments))).decode()
    return subprocess.Popen(
        [sys.executable, "-m", __name__, packed], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )


def race(processes: Sequence[Process]) -> list[list[str]]:
    """Let the processes start at once when all are ready; return what each said."""
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=PATIENCE)[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes)
    return said


def starting_line() -> None:
    """Wait, inside a work, until `race` gives the sign."""
    say("ready")
    sys.stdin.readline()


def say(word: str) -> None:
    """Tell the parent a word, whole, even if this process is killed at the next moment."""
    os.write(1, f"{word}\n".encode())


def killed_after(process: Process, words: int) -> list[str]:
    """Kill the process (SIGKILL) when it has said so many words; return all it said, which may be a few more."""
    assert process.stdout is not None
    said = [process.stdout.readline().strip() for _ in range(words)]
    process.kill()
    said += process.stdout.read().split()
    process.communicate()
    return said


if __name__ == "__main__":
    a_work, its_arguments = pickle.loads(base64.b64decode(sys.argv[1]))
    asyncio.run(a_work(*its_arguments))
