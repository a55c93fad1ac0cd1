"""What holds a worker: limits of the system, no network, and a hook that refuses all but reading and computing."""

import contextlib
import ctypes
import os
import resource
import signal
import sys
from pathlib import Path

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000  # linux/sched.h
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38  # linux/prctl.h
# A worker has three pipes, the file it reads and what an import opens.
_OPEN_FILES = 64
_CPU_GRACE = 5  # Seconds over the time limit: the client's clock shall end the worker first.
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_REFUSED_EVENTS = (
    "socket.",
    "subprocess.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "os.system",
    "os.kill",
    "os.chmod",
    "os.chown",
    "os.link",
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.symlink",
    "os.truncate",
    "os.utime",
    "shutil.",
    "pty.",
    "ftplib.",
    "http.",
    "smtplib.",
    "urllib.",
    "webbrowser.",
    "code.",
    "pickle.",
    "signal.",
    "sqlite3.",
)


def enter(memory_bytes: int) -> None:
    """Put this process into the sandbox for good; what the system lacks is left out (macOS has no namespaces).

    `memory_bytes` is what it may use besides what it has mapped already.
    """
    _leave_network()
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_NOFILE, _OPEN_FILES)
    _limit(resource.RLIMIT_CORE, 0)
    mapped = mapped_bytes()
    if mapped:
        _limit(resource.RLIMIT_AS, mapped + memory_bytes)
    sys.addaudithook(_refuse)


def allow_seconds(seconds: float) -> None:
    """Set the processor time for the next file: a worker whose client has died must end too."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = usage.ru_utime + usage.ru_stime
    _limit(resource.RLIMIT_CPU, int(used + seconds) + _CPU_GRACE, resource.getrlimit(resource.RLIMIT_CPU)[1])


def mapped_bytes() -> int:
    """Return how much address space this process has, 0 where the system does not tell."""
    with contextlib.suppress(OSError):
        return int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    return 0


def _limit(which: int, soft: int, hard: int | None = None) -> None:
    # macOS refuses some limits; the client's own measures remain.
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(which, (soft, soft if hard is None else hard))


def _leave_network() -> None:
    """Move into an empty network of its own, where the system allows it, and end when the client's thread ends."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def _refuse(event: str, args: tuple[object, ...]) -> None:
    if event.startswith(_REFUSED_EVENTS):
        raise PermissionError(f"{event} is refused while a document is read")
    if event == "open" and len(args) == 3 and _writes(args[1], args[2]):
        raise PermissionError("writing is refused while a document is read")


def _writes(mode: object, flags: object) -> bool:
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return isinstance(flags, int) and bool(flags & _WRITING)
