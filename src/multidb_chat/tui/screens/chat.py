"""The chat: questions below, answers above, their sources beside them where the terminal is wide enough."""

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, ClassVar, Literal

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.events import DescendantFocus, Key
from textual.screen import Screen
from textual.widgets import Static

from multidb_chat.domain.text import clean_line
from multidb_chat.tui.commands import COMMANDS
from multidb_chat.tui.commands.command import Command
from multidb_chat.tui.commands.parsing import Parsed, named, parse
from multidb_chat.tui.desk import Desk
from multidb_chat.tui.drafting import Drafting
from multidb_chat.tui.entrance import LOOK_AGAIN, Entrance
from multidb_chat.tui.messages import (
    DraftChanged,
    Ended,
    NextPart,
    Preparing,
    ServicesFailed,
    ServicesPrepared,
    ServicesReady,
    Submitted,
)
from multidb_chat.tui.serving import Serving, told
from multidb_chat.tui.turns import Turns
from multidb_chat.tui.widgets.additions import AdditionLine
from multidb_chat.tui.widgets.composer import Composer
from multidb_chat.tui.widgets.key_line import KeyLine
from multidb_chat.tui.widgets.news import News, notice_of
from multidb_chat.tui.widgets.question_area import QuestionArea
from multidb_chat.tui.widgets.quota import QuotaLine
from multidb_chat.tui.widgets.sources import SourcesPanel
from multidb_chat.tui.widgets.status import StatusLine
from multidb_chat.tui.widgets.transcript import Transcript

if TYPE_CHECKING:
    from multidb_chat.domain.accounts import Account
    from multidb_chat.domain.turns import Answer
    from multidb_chat.services.tasks.inbox import Letter


def _bindings() -> list[BindingType]:
    """Return the keys of the commands; the footer shows those with a label, function keys first."""
    return [
        Binding(command.key, f"command({command.name!r})", command.label or command.title, show=bool(command.label))
        for command in sorted(COMMANDS, key=lambda command: (command.key.startswith("ctrl"), command.key))
        if command.key
    ]


_KEYS = {command.key: command for command in COMMANDS if command.key}


class ChatScreen(Screen[None]):
    """The chat; commands are given it and use what is public here."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012 - an instance variable in the base class
    VERTICAL_BREAKPOINTS = [(0, "-short"), (16, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "stop", "Stop the answer, go back", show=False),
        *_bindings(),
        Binding("alt+up,ctrl+up", "look(-1)", "The answer before", show=False, priority=True),
        Binding("alt+down,ctrl+down", "look(1)", "The answer after", show=False, priority=True),
        Binding("ctrl+home", "first", "The first question", show=False, priority=True),
        Binding("ctrl+end", "last", "The last answer", show=False, priority=True),
        Binding("pageup", "page(-1)", "Page up", show=False, priority=True),
        Binding("pagedown", "page(1)", "Page down", show=False, priority=True),
    ]

    def __init__(self, serving: Serving, desk: Desk) -> None:
        super().__init__()
        self.serving = serving
        self.desk = desk
        self.status = StatusLine()
        self.panel = SourcesPanel()
        self.composer = Composer(serving)
        self.quota = QuotaLine(serving)
        self.turns = Turns(serving, self)
        self._name = ""  # who talks
        # What is sent or called by keys is done beside the queue of messages, which draws the screen, and in order.
        self._in_turn = asyncio.Lock()
        self._doing: set[asyncio.Task[None]] = set()
        self.transcript = Transcript(self.turns.read_messages)
        self._drafting = Drafting(serving)
        self.entrance = Entrance(self, serving)
        self.news = News(serving, self._ring)

    def compose(self) -> ComposeResult:
        with Horizontal(id="head"):
            yield Static(" multidb-chat", id="title", markup=False)
            yield self.news
        with Horizontal(id="body"):
            yield self.transcript
            yield self.panel
        yield self.quota
        yield self.status
        yield AdditionLine(self.desk.additions)
        yield self.composer
        yield KeyLine()

    def on_mount(self) -> None:
        """Start with the cursor where one types."""
        self.composer.area.focus()
        self.status.begin("opening", "Opening")
        self.set_interval(LOOK_AGAIN, self.entrance.still_in)

    def on_screen_resume(self) -> None:
        """Come back from another screen to where one was, else with the cursor where one types."""
        if self.is_mounted and self.focused is None:
            self.composer.area.focus()
        self.show_title()  # the settings may have been changed there

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Show the sources of the answer that is looked at."""
        exchange = next((one for one in self.transcript.exchanges if one is event.widget), None)
        if exchange is not None:
            self.transcript.look_at(exchange)
            if exchange.answer is not None:
                self._show_sources(exchange.answer)

    async def on_unmount(self) -> None:
        """Let commands and the turn end before the services are closed below them."""
        if self.serving.opened is None:
            for task in self._doing:
                task.cancel()
        if self._doing:
            await asyncio.wait(self._doing)
        await self.turns.cancel()
        await self._drafting.stop()

    def on_preparing(self, event: Preparing) -> None:
        """Say what goes on behind the screen."""
        self.status.begin("preparing", event.what)

    async def on_services_ready(self, event: ServicesReady) -> None:
        """Say that opening is over, and who talks."""
        self.status.end("opening")
        await self.entrance.opened()

    @work(exclusive=True, group="draft", exit_on_error=False)
    async def _recall(self) -> None:
        draft = await self._drafting.recall()
        if draft and not self.composer.area.text:
            self.composer.area.put(draft)
            self.say("What you were writing when the program ended is back.")

    def on_draft_changed(self, event: DraftChanged) -> None:
        """Keep what is typed."""
        self._drafting.changed(event.text)
        self.transcript.typed()

    def name_account(self, account: "Account") -> None:
        """Show who talks, and bring back what this account was writing."""
        self._name = clean_line(account.email or account.role)
        self.transcript.greet(account.role == "guest")
        self.show_title()
        self._recall()
        self.quota.look()

    def show_title(self) -> None:
        """Show who talks, and which model writes the answers where one does."""
        if (services := self.serving.opened) is None:
            return
        from multidb_chat.services.answering.explaining import short_name

        parts = [self._name, short_name(services.preferences.model)]
        self.query_one("#title", Static).update(Content(" · ".join([" multidb-chat", *filter(None, parts)])))

    async def begin_anew(self) -> None:
        """Leave the conversation for an empty chat, with what was typed in it gone too."""
        from multidb_chat.tui.commands.conversations import new

        await new(self, "")
        self.composer.area.put("")

    def on_services_prepared(self, event: ServicesPrepared) -> None:
        """Say what did not work out, if something did not."""
        self.status.end("preparing")
        if event.problem:
            self.warn(event.problem)

    def on_services_failed(self, event: ServicesFailed) -> None:
        """Say why nothing can be answered."""
        self.status.fail(event.reason)

    def on_submitted(self, event: Submitted) -> None:
        """Carry out a command, or ask."""
        parsed = parse(event.text)
        if parsed is None:
            self.attempt(self._ask(event))
        else:
            self._obey(parsed, event.text)

    async def _ask(self, event: Submitted) -> None:
        if self.turns.running:
            self.say("An answer is still coming; Esc stops it.")
            self.composer.restore(event)
        elif await self.entrance.still_in():
            self.panel.make_room()
            await self.turns.ask(event)

    @work(exclusive=True, group="drop", exit_on_error=False)
    async def on_question_area_dropped(self, event: QuestionArea.Dropped) -> None:
        """Offer to add the files that were dropped on the composer; else what was pasted is a text."""
        from multidb_chat.tui.commands.documents import offer

        if not await offer(self, event.paths):
            self.composer.area.insert_pasted(event.text)

    def _obey(self, parsed: Parsed, text: str) -> None:
        if parsed.command is None:
            self.say(f"There is no command {text.split()[0][:40]}. {parsed.hint}")
        else:
            self.carry_out(parsed.command, parsed.argument)

    def carry_out(self, command: Command, argument: str = "") -> None:
        """Carry out a command, behind those that were called before."""
        self.attempt(self._carry_out(command, argument))

    async def _carry_out(self, command: Command, argument: str) -> None:
        services = self.serving.opened
        if command.members and services is None:
            self.say(f"{command.name} works in a moment: the stores are still being opened.")
        elif command.members and services is not None and services.account.role == "guest":
            self.say(f"{command.name} is for registered accounts; /register makes one and keeps this conversation.")
        else:
            await command.load()(self, argument)

    def attempt(self, work: Coroutine[None, None, None]) -> None:
        """Do something behind what was begun before; what goes wrong is told and the chat goes on."""
        task = asyncio.create_task(self._attempt(work))
        self._doing.add(task)
        task.add_done_callback(self._doing.discard)

    @property
    def doing(self) -> bool:
        """Whether something that was sent is still being done; an answer that is coming does not count."""
        return bool(self._doing)

    async def _attempt(self, work: Coroutine[None, None, None]) -> None:
        try:
            async with self._in_turn:
                await work
        except Exception as error:  # noqa: BLE001 - the chat goes on, whatever happened to this command
            self.notify(told(error), severity="error", markup=False)
        finally:
            work.close()  # it never began where the app left first

    def answered(self, answer: "Answer") -> None:
        """Show the sources of an answer that just came."""
        self.transcript.look_at(None)
        self._show_sources(answer)
        self.quota.look()

    @work(exclusive=True, group="sources", exit_on_error=False)
    async def _show_sources(self, answer: "Answer") -> None:
        await self.panel.show(answer, await self.serving.services())

    def _ring(self, letter: "Letter") -> None:
        """Tell that a background task has ended, on whichever screen that is."""
        notice = notice_of(letter)
        severity: Literal["warning", "information"] = "warning" if letter.failed else "information"
        self.app.notify(f"{notice} (/notifications)", severity=severity, markup=False)
        self.post_message(Ended(notice))

    def say(self, text: str) -> None:
        """Tell something in passing."""
        self.notify(clean_line(text), markup=False)

    def warn(self, text: str) -> None:
        """Tell that something is not as it should be."""
        self.notify(clean_line(text), severity="warning", markup=False)

    @property
    def _panel_covers(self) -> bool:
        return self.has_class("-narrow") and self.panel.has_class("open")

    def toggle_sources(self) -> None:
        """Show or hide the sources panel: beside the chat where there is room, else over it."""
        if self.panel.has_class("-empty") and not self.has_class("-narrow"):
            self.say("There is no answer with sources yet.")
            return
        self.panel.toggle_class("open" if self.has_class("-narrow") else "closed")
        (self.panel if self._panel_covers else self.composer.area).focus()

    def on_key(self, event: Key) -> None:
        """Carry out a command that was called by its key, in the order in which it was pressed.

        As a binding it would wait for the app's queue too, and a question sent behind it would come first.
        """
        if (command := _KEYS.get(event.key)) is not None:
            event.stop()
            event.prevent_default()
            self.carry_out(command)

    def action_command(self, name: str, argument: str = "") -> None:
        """Carry out a command that was called from the footer."""
        self.carry_out(named(name), argument)

    async def action_stop(self) -> None:
        """Close what is over the chat; else go back to the question; else stop the answer; else drop a pasted text."""
        if self._panel_covers:
            self.toggle_sources()
        elif not self.composer.area.has_focus:
            self._look_back()
        elif not self.composer.dismiss() and not await self.turns.stop():
            self.composer.drop_attachments()

    def _look_back(self) -> None:
        """Go back to the question, and to the last answer in the panel."""
        self.composer.area.focus()
        self.transcript.look_at(None)
        current = self.transcript.current
        if current is not None and current.answer is not None:
            self._show_sources(current.answer)

    def action_look(self, step: int) -> None:
        """Go to the answer before (-1) or after; behind the last one is the question."""
        if not self.transcript.move(step) and step > 0:
            self._look_back()

    def on_next_part(self, event: NextPart) -> None:
        """Go from the question to the sources, or to the last answer where they are hidden."""
        if self.panel.display:
            self.panel.focus()
        else:
            self.transcript.move(-1)

    async def action_first(self) -> None:
        """Go to the first question of the conversation."""
        await self.transcript.show_first()

    async def action_last(self) -> None:
        """Go to its end."""
        await self.transcript.show_end()

    def action_page(self, direction: int) -> None:
        """Scroll the chat, or the panel over it, by a page without leaving the question."""
        pane = self.panel if self._panel_covers or self.panel.has_focus else self.transcript
        if direction < 0:
            pane.scroll_page_up()
        else:
            pane.scroll_page_down()
