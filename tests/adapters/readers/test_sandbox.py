"""The sandbox, seen from inside a process that is in it."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from multidb_chat.adapters.readers import SubprocessReader
from multidb_chat.domain.errors import UnreadableDocument
from tests.adapters.readers import making
from tests.adapters.readers.rules import children, collected

_PROBE = """
import json, os, socket, subprocess, sys
from multidb_chat.adapters.readers import sandbox
sandbox.enter(300_000_000)
def tried(action):
    try:
        action()
    except BaseException as error:
        return type(error).__name__
    return "done"
print(json.dumps({
    "socket": tried(lambda: socket.socket()),
    "connect": tried(lambda: socket.create_connection(("127.0.0.1", 80), 1)),
    "resolve": tried(lambda: socket.getaddrinfo("localhost", 80)),
    "run": tried(lambda: subprocess.run(["true"])),
    "system": tried(lambda: os.system("true")),
    "fork": tried(os.fork),
    "exec": tried(lambda: os.execv("/bin/true", ["true"])),
    "kill": tried(lambda: os.kill(os.getppid(), 0)),
    "write": tried(lambda: open(sys.argv[1] + "/new", "w")),
    "append": tried(lambda: os.open(sys.argv[1] + "/old", os.O_WRONLY | os.O_APPEND)),
    "remove": tried(lambda: os.remove(sys.argv[1] + "/old")),
    "mkdir": tried(lambda: os.mkdir(sys.argv[1] + "/folder")),
    "read": tried(lambda: open(sys.argv[1] + "/old").read()),
    "memory": tried(lambda: bytearray(400_000_000)),
    "little": tried(lambda: bytearray(100_000_000)),
}))
"""
_NATIVE = """
import ctypes, os, sys
from multidb_chat.adapters.readers import sandbox
sandbox.enter(300_000_000)
libc = ctypes.CDLL(None, use_errno=True)
print(libc.open(sys.argv[1].encode() + b"/native", os.O_CREAT | os.O_WRONLY, 0o600) >= 0
      and libc.write(3, b"x" * 10, 10))
print(os.readlink("/proc/self/ns/net"))
"""


def _inside(code: str, folder: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, env=environment, check=True
    )
    return done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="the memory limit is the system's, and macOS has none")
def test_inside_there_is_only_reading_and_computing(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("there")
    refused = json.loads(_inside(_PROBE, tmp_path))
    assert refused.pop("read") == refused.pop("little") == "done"
    assert refused.pop("memory") == "MemoryError"
    assert refused == dict.fromkeys(refused, "PermissionError")
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def _may_unshare() -> bool:
    probe = "import ctypes, sys; sys.exit(ctypes.CDLL(None).unshare(0x50000000) != 0)"
    return sys.platform == "linux" and not subprocess.run([sys.executable, "-c", probe], check=False).returncode


@pytest.mark.skipif(not _may_unshare(), reason="this system lets nobody make a network of its own")
def test_native_code_has_no_network_and_cannot_fill_the_disk(tmp_path: Path) -> None:
    written, network = _inside(_NATIVE, tmp_path).split()
    assert written in ("False", "-1")
    assert network != os.readlink("/proc/self/ns/net")
    assert not any(path.stat().st_size for path in tmp_path.iterdir())


@pytest.mark.skipif(not _may_unshare(), reason="this system lets nobody make a network of its own")
async def test_a_worker_has_no_network_no_secrets_and_no_files_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MULTIDB_CHAT_SECRET", "hunter2")
    reader, before = SubprocessReader(), children()
    (tmp_path / "a.txt").write_text("text")
    inherited = os.open(tmp_path / "a.txt", os.O_RDONLY)
    os.set_inheritable(inherited, True)
    await collected(reader, tmp_path / "a.txt")
    (worker,) = (Path(f"/proc/{process}") for process in children() - before)
    assert os.readlink(worker / "ns/net") != os.readlink("/proc/self/ns/net")
    assert b"hunter2" not in (worker / "environ").read_bytes()
    assert str(tmp_path / "a.txt") not in {os.readlink(link) for link in (worker / "fd").iterdir()}
    os.close(inherited)
    await reader.close()


async def test_no_file_makes_the_worker_call_out(tmp_path: Path) -> None:
    asked: list[bytes] = []

    async def answer(incoming: asyncio.StreamReader, outgoing: asyncio.StreamWriter) -> None:
        asked.append(await incoming.readline())
        outgoing.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x"
    entity = f'<!DOCTYPE r [<!ENTITY % p SYSTEM "{url}"> %p; <!ENTITY e SYSTEM "{url}">]><r><a>text</a>&e;</r>'
    page = f'<html><head><link href="{url}"><base href="{url}"></head><body><img src="{url}">text</body></html>'
    package = making.zipped({"word/document.xml": entity.encode(), "xl/workbook.xml": entity.encode()})
    reader = SubprocessReader()
    for name, data in (("a.xml", entity.encode()), ("a.html", page.encode()), ("a.docx", package)):
        (tmp_path / name).write_bytes(data)
        with contextlib.suppress(UnreadableDocument):
            await collected(reader, tmp_path / name)
    await reader.close()
    server.close()
    assert asked == []
