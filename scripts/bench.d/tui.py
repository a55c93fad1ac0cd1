"""The app in a real terminal: how soon it paints, and how soon a key shows while an answer streams.

Both are measured from outside, at the terminal: from the start of the process, or from the key's byte, until the bytes
that show it arrive. The reference of the first paint is a Textual app that shows one line and does nothing else.
"""

import asyncio
import fcntl
import os
import pty
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from multidb_chat.remembered import log_in_file
from multidb_chat.settings import load_settings

ROUNDS = 11
KEYS = 60
PAINTED = b"Ask your documents"
WELCOME = b"ask at once what everybody here may see"
BARE = """
from textual.app import App
from textual.widgets import Static
class Bare(App):
    def compose(self):
        yield Static("Ask your documents")
Bare().run()
"""
SENTENCE = "The quick answer goes on with **another** sentence of some length, and cites `what it says`. [1]"
TOKENS_A_SECOND = 100  # a very fast language model
TURNS = 5_000  # of a long conversation: twice as many messages
PAGES = 60
ANSWER = "\n\n".join(
    [
        "The figure fell to **4.2 percent** in 2019, the lowest since 2011. [1]",
        *(f"- Point {n}: `code` [2]" for n in "abc"),
    ]
)
EMBEDDED = 12  # documents of some 250 passages each: more than can be embedded while keys are measured


class Terminal:
    """A process in a terminal of 120 columns and 40 lines."""

    def __init__(self, arguments: Sequence[str], home: Path) -> None:
        environment = os.environ | {"MULTIDB_CHAT_HOME": str(home), "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        self.began = time.perf_counter()
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=environment,
            start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self._ours = ours

    def send(self, text: str) -> None:
        """Type."""
        os.write(self._ours, text.encode())

    def until(self, wanted: bytes, patience: float = 30.0) -> float:
        """Read until these bytes arrive; return when that was."""
        seen = b""
        end = time.perf_counter() + patience
        while time.perf_counter() < end:
            if select.select([self._ours], [], [], 0.1)[0]:
                seen = seen[-len(wanted) :] + os.read(self._ours, 65_536)
                if wanted in seen:
                    return time.perf_counter()
        raise TimeoutError(f"{wanted!r} did not appear; the last bytes were {seen[-500:]!r}")

    def drain(self, seconds: float) -> float:
        """Read for so long; return when the first bytes came, or the end."""
        first, end = 0.0, time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            if select.select([self._ours], [], [], left)[0]:
                os.read(self._ours, 65_536)
                first = first or time.perf_counter()
        return first or end

    def megabytes(self) -> float:
        """Return what the process holds of the memory."""
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("the process is gone")

    def close(self) -> None:
        """End the process without waiting for its farewell."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        os.close(self._ours)


@contextmanager
def terminal(arguments: Sequence[str], home: Path) -> Iterator[Terminal]:
    """Start a process in a terminal and end it afterwards."""
    started = Terminal(arguments, home)
    try:
        yield started
    finally:
        started.close()


def first_paint(arguments: Sequence[str], home: Path, text: bytes = PAINTED) -> float:
    """Return the seconds from the start of the process until its text is on the terminal."""
    with terminal(arguments, home) as started:
        return started.until(text) - started.began


def key_times(home: Path, *load: str) -> list[float]:
    """Return the seconds from a key to its letter on the screen, for keys that nothing else on the screen shows.

    `load` is what goes on meanwhile: `streaming` an answer, `embedding` documents; `long` is the conversation.
    """
    with terminal([__file__, "--app", *load], home) as started:
        started.until(b"guest", 120.0) if "long" in load else started.until(PAINTED)
        started.drain(3.0)  # what is loaded behind the first paint
        if "long" in load:
            resume(started)
            started.drain(2.0)  # turns above the view
        if "streaming" in load:
            started.send("go on\r")
            started.until(b"quick answer")
        times = []
        for number in range(KEYS):
            letter = chr(0x391 + number % 17)
            begin = time.perf_counter()
            started.send(letter)
            times.append(started.until(letter.encode()) - begin)
            time.sleep(0.05)
            if number % 17 == 16:
                started.send("\x15")  # empty the line, so that a letter shows anew
                time.sleep(0.1)
        return times


def resume(started: Terminal) -> float:
    """Open the long conversation; return the seconds until its end is shown."""
    started.send("\x15")  # the draft that the process before left: what is typed comes behind it
    time.sleep(0.1)
    begin = time.perf_counter()
    started.send("/resume\r")
    return started.until(f"Question {TURNS}?".encode()) - begin


class Streaming:
    """A chat service that answers token by token, for as long as the keys are measured."""

    async def respond(self, *given: object, **named: object) -> AsyncIterator[object]:
        """Yield the tokens, with a paragraph's end now and then."""
        from multidb_chat.domain.turns import AnswerToken

        for number in range(1_000):
            for word in SENTENCE.split():
                yield AnswerToken(f"{word} ")
                await asyncio.sleep(1 / TOKENS_A_SECOND)
            if number % 5 == 4:
                yield AnswerToken("\n\n")


async def embed(application: Any) -> None:
    """Add documents, as a person would meanwhile."""
    account = await application.account_service.local_account()
    collection = await application.documents.ensure_collection(account)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(EMBEDDED):
            lines = (f"Page {number}, line {line}: {SENTENCE} It was noted in {1000 + line}." for line in range(2_000))
            (Path(folder) / f"long-{number}.txt").write_text("\n\n".join(lines))
        async for _ in application.ingestion.add(account, collection, [folder]):
            pass


async def talk_long(application: Any) -> None:
    """Store a conversation of many turns, as if it had been talked for months."""
    from datetime import UTC, datetime

    from multidb_chat.domain.conversations import Message
    from multidb_chat.domain.ids import new_id
    from multidb_chat.domain.turns import Answer, Citation
    from multidb_chat.services.answering import codec

    account, now = application.account, datetime.now(UTC)
    talk = await application.history.start(account, "A long conversation")
    cited = tuple(
        Citation(
            n, "gone", "report.md", "Annual report", "report.md", "c", 0, 400, SENTENCE * 4, n, (), 0.9, "excellent"
        )
        for n in (1, 2)
    )
    messages: list[Message] = []
    for number in range(1, TURNS + 1):
        asked, said, words = new_id(), new_id(), f"Question {number}?"
        answer = Answer(words, words, ANSWER, True, citations=cited)
        parent = messages[-1].id if messages else None
        messages += [
            Message(asked, talk.id, account.id, "user", words, now, parent),
            Message(said, talk.id, account.id, "assistant", ANSWER, now, asked, codec.dumps(answer)),
        ]
    await application.conversations.append(*messages)


def app() -> None:
    """Run the app over the real services, with answers that stream on."""
    from multidb_chat.cli.app import settle, tidy
    from multidb_chat.tui.app import ChatApp

    @asynccontextmanager
    async def opened() -> AsyncIterator[Any]:
        from multidb_chat.bootstrap import open_application
        from multidb_chat.settings import load_settings

        async with open_application(load_settings(), "guest") as application:
            application.__dict__["chat"] = Streaming()
            if "long" in sys.argv:
                await talk_long(application)
            work = asyncio.create_task(embed(application)) if "embedding" in sys.argv else None
            yield application
            if work is not None:
                work.cancel()

    sys.setswitchinterval(0.001)  # as cli/app.py does
    ChatApp(opened, settled=settle, idle=tidy).run()


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of the values does not pass."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def print_first_paint(home: Path) -> None:
    """Print how soon the app paints, for somebody new and later on, beside a bare Textual app."""
    ours, bare = [], []
    welcome = [first_paint(["-m", "multidb_chat"], home, WELCOME) for _ in range(ROUNDS)]
    settings = load_settings(environ={"MULTIDB_CHAT_HOME": str(home)})
    asyncio.run(log_in_file(settings).remember_guest())
    for _ in range(ROUNDS):
        bare.append(first_paint(["-c", BARE], home))
        ours.append(first_paint(["-m", "multidb_chat"], home))
    mine, reference = statistics.median(ours), statistics.median(bare)
    print(f"first paint, whole process (median of {ROUNDS}) {mine * 1000:7.0f} ms")
    print(f"  the welcome screen of the first start       {statistics.median(welcome) * 1000:7.0f} ms")
    print(f"  a bare Textual app                          {reference * 1000:7.0f} ms")
    print(f"  ratio                                       {mine / reference:7.2f}")


def print_keys(home: Path) -> None:
    """Print how soon a key shows, by what else goes on."""
    for load in ((), ("streaming",), ("streaming", "long"), ("embedding",), ("streaming", "embedding")):
        times = key_times(home, *load)
        print(
            f"key to screen, {', '.join(load) or 'idle':<24} p50 {statistics.median(times) * 1000:5.1f} ms   "
            f"p95 {percentile(times, 0.95) * 1000:5.1f} ms   max {max(times) * 1000:5.1f} ms   ({len(times)} keys)"
        )


def print_long(home: Path) -> None:
    """Print how soon a long conversation opens, how soon a page of it shows, and what it takes of the memory."""
    first = b"Question 1?"
    opened, before, after = [], [], []
    for _ in range(3):
        with terminal([__file__, "--app", "long"], home) as started:
            started.until(b"guest", 120.0)
            started.drain(3.0)  # what is loaded behind the first paint
            before.append(started.megabytes())
            opened.append(resume(started))
            started.drain(1.0)
            after.append(started.megabytes())
            pages = []
            for _ in range(PAGES):
                begin = time.perf_counter()
                started.send("\x1b[5~")
                pages.append(started.drain(0.2) - begin)
            paged = started.megabytes()
            begin = time.perf_counter()
            started.send("\x1b[1;5H")
            home_time = started.until(first) - begin
    print(f"{2 * TURNS:,} messages, opened (median of 3)      {statistics.median(opened) * 1000:7.0f} ms")
    print(
        f"  a page up, key to screen                  p50 {statistics.median(pages) * 1000:5.1f} ms   "
        f"p95 {percentile(pages, 0.95) * 1000:5.1f} ms   max {max(pages) * 1000:5.1f} ms   ({PAGES} pages)"
    )
    print(f"  to the first message                      {home_time * 1000:7.0f} ms")
    print(
        f"  memory before, opened, after {PAGES} pages     {statistics.median(before):5.0f}   "
        f"{statistics.median(after):5.0f}   {paged:5.0f} MB"
    )


def main() -> None:
    """Print the tables; with `--keys` that of the keys alone, with `--long` that of a long conversation."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        environment = os.environ | {"MULTIDB_CHAT_HOME": folder}
        ask = [sys.executable, "-m", "multidb_chat", "ask", "--quiet", "How do I add my own documents?"]
        subprocess.run(ask, env=environment, check=True, stdout=subprocess.DEVNULL)  # the handbook is read
        if "--long" in sys.argv:
            print_long(home)
            return
        if "--keys" not in sys.argv:
            print_first_paint(home)
            print_long(home)
        print_keys(home)


if __name__ == "__main__":
    app() if "--app" in sys.argv else main()
