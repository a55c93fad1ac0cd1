"""The chat line by line: for screen readers, simple terminals and pipes. Text comes in order and nothing is redrawn."""

import sys
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from multidb_chat.cli.answers import AnswerView
from multidb_chat.cli.console import Console, Exit
from multidb_chat.cli.looping import Loop, running_loop
from multidb_chat.cli.session import closed_after, start_log
from multidb_chat.domain.errors import MultidbChatError
from multidb_chat.tui.commands import COMMANDS
from multidb_chat.tui.commands.parsing import parse

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application
    from multidb_chat.domain.turns import Answer
    from multidb_chat.settings import Settings

GREETING = "This is multidb-chat, line by line. Ask your documents.\n/help lists the commands, Ctrl-D or /quit leaves."
_PROMPT = "> "
_IN_THE_SHELL = {
    "/add": "docs add PATH",
    "/collection": "collections",
    "/dashboard": "stats",
    "/login": "login",
    "/logout": "logout",
    "/profile": "account",
    "/register": "register",
    "/settings": "config",
}
"""What does in the shell what a command does in the app alone."""


class PlainChat:
    """One conversation with whoever types; commands are given it and use what is public here."""

    def __init__(self, console: Console, application: "Application") -> None:
        self.console = console
        self.application = application
        self.answer: Answer | None = None
        """The latest complete answer."""
        self.leaving = False
        self.conversation_id: str | None = None
        """The conversation that is talked in; None until something is asked."""
        self.listed: list[str] = []
        """The ids of the conversations that were listed last, in order."""
        self._asked_after = ""

    async def take(self, line: str) -> None:
        """Carry out a command, or answer a question."""
        parsed = parse(line)
        try:
            if parsed is None:
                await self.ask(line)
            elif parsed.command is None:
                self.console.error(f"there is no command {line.split()[0][:40]}. {parsed.hint}")
            elif not parsed.command.plain:
                shell = _IN_THE_SHELL.get(parsed.command.name)
                rest = f"in the shell: multidb-chat {shell}" if shell else "/help lists what there is here."
                self.console.error(f"{parsed.command.name} is of the app alone; {rest}")
            else:
                from multidb_chat.cli.plain_commands import RUN

                await RUN[parsed.command.name](self, parsed.argument)
        except MultidbChatError as error:
            self.console.error(str(error))

    async def ask(self, question: str, *, again: bool = False) -> None:
        """Answer a question; `again`: beside the last answer and without the cache. Raises the error of the turn."""
        account, services = self.application.account, self.application
        narrowed = await services.narrowing.read(account, question)
        view = AnswerView(self.console, as_json=False)
        for problem in narrowed.unknown:
            view.note(problem)
        if self.conversation_id is None:
            self.conversation_id = (await services.history.start(account, question)).id
        parent_id = self._asked_after if again or self.answer is None else self.answer.message_id
        events = services.chat.respond(
            account,
            question,
            collections=narrowed.collections,
            conversation_id=self.conversation_id,
            parent_id=parent_id,
            use_cache=not again,
            documents=narrowed.documents,
            wording=narrowed.question,
        )
        async with closed_after(events):
            async for event in events:
                view.show(event)
        await view.finish(services, [])
        if self.console.out_is_terminal:
            with suppress(MultidbChatError):  # it was read all the same
                await services.history.mark_read(account, self.conversation_id)
        self._asked_after, self.answer = parent_id or "", view.answer

    def begin_anew(self) -> None:
        """Let the next question begin another conversation."""
        self.go_on(None, None, "")

    def go_on(self, conversation_id: str | None, answer: "Answer | None", asked_after: str) -> None:
        """Let the next question follow the answer; the question of that one came behind `asked_after`."""
        self.conversation_id, self.answer, self._asked_after = conversation_id, answer, asked_after


def run_plain(settings: "Settings", console: Console) -> Exit:
    """Chat until the lines end. Raises what keeps the services from opening."""
    from multidb_chat.bootstrap import open_application

    start_log(settings)
    typing = sys.stdin.isatty()
    if typing:
        _edit_lines()
        console.write(GREETING)
    with running_loop() as loop:
        manager = open_application(settings, "app")
        application = loop.run(manager.__aenter__())
        try:
            if not application.identity.chosen:
                if application.identity.notice:
                    console.tell(application.identity.notice)
                loop.run(application.identity.enter_as_guest(remember=False))
            with suppress(MultidbChatError):  # the user's own documents can be asked without the handbook
                loop.run(application.prepare())
            _talk(PlainChat(console, application), loop, typing)
        finally:
            loop.run(manager.__aexit__(None, None, None))
    return Exit.DONE


def _talk(chat: PlainChat, loop: Loop, typing: bool) -> None:
    """Take line after line. Ctrl-C stops an answer, or drops the line that is being typed."""
    while not chat.leaving:
        try:
            line = input(_PROMPT if typing else "")
        except EOFError:
            if typing:
                chat.console.write()
            return
        except KeyboardInterrupt:
            chat.console.write()
            continue
        if line.strip():
            _until_stopped(chat, loop, chat.take(line))


def _until_stopped(chat: PlainChat, loop: Loop, work: Coroutine[Any, Any, None]) -> None:
    try:
        loop.run(work)
    except KeyboardInterrupt:
        chat.console.write("\nStopped. The conversation does not keep this answer.")


def _edit_lines() -> None:
    """Let lines be edited, recalled and completed where Python has readline; it draws nothing but the line."""
    try:
        import readline
    except ImportError:  # on Windows, whose console does this by itself
        return
    names = [command.name for command in COMMANDS if command.plain]

    def complete(text: str, state: int) -> str | None:
        fitting: Sequence[str] = [name for name in names if name.startswith(text)] if text.startswith("/") else []
        return fitting[state] if state < len(fitting) else None

    readline.set_completer(complete)
    readline.set_completer_delims(" ")
    readline.parse_and_bind("set enable-bracketed-paste off")
    readline.parse_and_bind("tab: complete")
