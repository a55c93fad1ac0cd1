"""The chat: questions below, answers above, their sources beside them where the terminal is wide enough."""

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Static

from multidb_chat.tui.commands import parse
from multidb_chat.tui.messages import Preparing, ServicesFailed, ServicesPrepared, ServicesReady, Submitted
from multidb_chat.tui.serving import Serving, told
from multidb_chat.tui.themes import NAMES, next_theme
from multidb_chat.tui.widgets.composer import Composer
from multidb_chat.tui.widgets.sources import SourcesPanel
from multidb_chat.tui.widgets.status import StatusLine
from multidb_chat.tui.widgets.welcome import Welcome

if TYPE_CHECKING:  # What is imported here later is not needed for the first paint.
    from multidb_chat.domain.turns import Answer, TurnEvent
    from multidb_chat.tui.widgets.exchange import Exchange


class ChatScreen(Screen[None]):
    """A guest's chat."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012 - an instance variable in the base class
    VERTICAL_BREAKPOINTS = [(0, "-short"), (16, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "stop", "Stop", show=False),
        Binding("f1", "help", "Help"),
        Binding("f2", "toggle_sources", "Sources"),
        Binding("f3", "documents", "Documents"),
        Binding("f4", "why", "Why"),
        Binding("ctrl+t", "theme", "Theme"),
        Binding("ctrl+l", "clear", "Clear"),
        Binding("pageup", "page(-1)", "Page up", show=False, priority=True),
        Binding("pagedown", "page(1)", "Page down", show=False, priority=True),
    ]

    def __init__(self, serving: Serving) -> None:
        super().__init__()
        self._serving = serving
        self._status = StatusLine()
        self._conversation_id: str | None = None
        self._turn: asyncio.Task[None] | None = None
        self._last: Exchange | None = None
        self._answer: Answer | None = None

    def compose(self) -> ComposeResult:
        yield Static(" multidb-chat · guest", id="title", markup=False)
        with Horizontal(id="body"):
            with VerticalScroll(id="transcript", can_focus=False):
                yield Welcome()
            yield SourcesPanel()
        yield self._status
        yield Composer()
        yield Footer(show_command_palette=True, compact=True)

    def on_mount(self) -> None:
        """Start with the cursor where one types."""
        self._composer.area.focus()
        self._status.begin("opening", "Opening")

    def on_screen_resume(self) -> None:
        """Come back from another screen with the cursor where one types."""
        if self.is_mounted and not self._panel.has_focus:
            self._composer.area.focus()

    async def on_unmount(self) -> None:
        """Let the turn end before the services are closed below it."""
        await self._cancel_turn()

    @property
    def _composer(self) -> Composer:
        return self.query_one(Composer)

    @property
    def _panel(self) -> SourcesPanel:
        return self.query_one(SourcesPanel)

    @property
    def _transcript(self) -> VerticalScroll:
        return self.query_one("#transcript", VerticalScroll)

    def on_preparing(self, event: Preparing) -> None:
        """Say what goes on behind the screen."""
        self._status.begin("preparing", event.what)

    def on_services_ready(self, event: ServicesReady) -> None:
        """Say that opening is over."""
        self._status.end("opening")

    def on_services_prepared(self, event: ServicesPrepared) -> None:
        """Say what did not work out, if something did not."""
        self._status.end("preparing")
        if event.problem:
            self.notify(event.problem, severity="warning", markup=False)

    def on_services_failed(self, event: ServicesFailed) -> None:
        """Say why nothing can be answered."""
        self._status.fail(event.reason)

    # Asking

    async def on_submitted(self, event: Submitted) -> None:
        """Carry out a command, or ask."""
        parsed = parse(event.text)
        if parsed is None:
            await self._ask(event)
        elif parsed.command is None:
            hint = f"Did you mean {parsed.suggestion}?" if parsed.suggestion else "/help lists the commands."
            self._say(f"There is no command {event.text.split()[0][:40]}. {hint}")
        elif parsed.command.name == "/theme":
            self.action_theme(parsed.argument)
        else:
            await self.run_action(parsed.command.action)

    async def _ask(self, event: Submitted) -> None:
        if self._turn is not None and not self._turn.done():
            self._say("An answer is still coming; Esc stops it.")
            self._composer.restore(event)
            return
        from multidb_chat.tui.widgets.exchange import Exchange

        await self.query(Welcome).remove()
        pasted = sum(text.count("\n") + 1 for text in event.attachments)
        self._last = Exchange(event.text, pasted)
        await self._transcript.mount(self._last)
        self._transcript.anchor()
        # A task, not a worker: those are cancelled again and again while the app leaves, also while a turn is stored.
        self._turn = asyncio.create_task(self._take_turn(self._last, event))

    async def _take_turn(self, exchange: "Exchange", event: Submitted) -> None:
        self._status.begin("turn", "Searching")
        try:
            await self._answer_to(event, exchange)
        except Exception as error:  # noqa: BLE001 - the chat goes on, whatever happened to this turn
            await exchange.end(told(error), error=True)
        finally:
            self._status.end("turn")

    async def _answer_to(self, event: Submitted, exchange: "Exchange") -> None:
        services = await self._serving.prepared()
        collections = await services.documents.resolve(services.account, [])
        named = [(f"pasted text {number}", body) for number, body in enumerate(event.attachments, 1)]
        extra = await services.one_off.rank_texts(event.text, named) if named else None
        if self._conversation_id is None:
            self._conversation_id = await self._begin_conversation(event.text)
        events = services.chat.respond(
            services.account,
            event.text,
            collections=collections,
            conversation_id=self._conversation_id,
            extra=extra,
        )
        # Closed here: where the turn is stopped while something is drawn, the generator would go on waiting.
        async with aclosing(cast("Any", events)):
            async for turn_event in events:
                await self._render_event(exchange, turn_event)

    async def _begin_conversation(self, title: str) -> str | None:
        from multidb_chat.domain.errors import StoreError

        services = await self._serving.services()
        try:
            return (await services.history.start(services.account, title)).id
        except StoreError as error:
            self._warn(f"This conversation is not saved: {error}")
            return None

    async def _render_event(self, exchange: "Exchange", event: "TurnEvent") -> None:
        from multidb_chat.domain.turns import AnswerToken, Notice, SourcesFound, TurnCompleted, TurnFailed

        match event:
            case SourcesFound():
                self._status.begin("turn", "Answering")
            case AnswerToken(text=text):
                await exchange.write(text)
            case Notice(text=text):
                self._warn(text)
            case TurnCompleted(answer=answer):
                self._answer = answer
                await exchange.complete(answer)
                self._show_sources(answer)
            case TurnFailed(error=error):
                await exchange.end(told(error), error=True)

    @work(exclusive=True, group="sources", exit_on_error=False)
    async def _show_sources(self, answer: "Answer") -> None:
        await self._panel.show(answer, await self._serving.services())

    def _say(self, text: str) -> None:
        self.notify(text, markup=False)

    def _warn(self, text: str) -> None:
        from multidb_chat.domain.text import clean_line

        self.notify(clean_line(text), severity="warning", markup=False)

    async def _end_turn(self) -> bool:
        """Stop the running answer and keep what came; False when there is none."""
        if not await self._cancel_turn():
            return False
        if self._last is not None and not self._last.ended:
            await self._last.end("Stopped.")
        return True

    async def _cancel_turn(self) -> bool:
        if self._turn is None or self._turn.done():
            return False
        self._turn.cancel()
        await asyncio.wait({self._turn})
        return True

    # Actions

    async def action_stop(self) -> None:
        """Close the panel over the chat; else stop the running answer; else drop a pasted text."""
        if self._panel_covers:
            self.action_toggle_sources()
        elif self._panel.has_focus:
            self._composer.area.focus()
        elif not await self._end_turn():
            self._composer.drop_attachments()

    def action_page(self, direction: int) -> None:
        """Scroll the chat, or the panel over it, by a page without leaving the question."""
        pane = self._panel if self._panel_covers or self._panel.has_focus else self._transcript
        if direction < 0:
            pane.scroll_page_up()
        else:
            pane.scroll_page_down()

    def action_help(self) -> None:
        """Show the keys and commands."""
        from multidb_chat.tui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen())

    def action_why(self) -> None:
        """Show how the last answer came about."""
        from multidb_chat.tui.screens.why import WhyScreen

        if self._answer is None:
            self._say("There is no answer yet to explain.")
        else:
            self.app.push_screen(WhyScreen(self._answer))

    def action_documents(self) -> None:
        """Show the documents that are searched."""
        from multidb_chat.tui.screens.documents import DocumentsScreen

        self.app.push_screen(DocumentsScreen(self._serving))

    @property
    def _panel_covers(self) -> bool:
        return self.has_class("-narrow") and self._panel.has_class("open")

    def action_toggle_sources(self) -> None:
        """Show or hide the sources panel: beside the chat where there is room, else over it."""
        self._panel.toggle_class("open" if self.has_class("-narrow") else "closed")
        (self._panel if self._panel_covers else self._composer.area).focus()

    def action_theme(self, name: str = "") -> None:
        """Change the colours."""
        if name and name not in NAMES:
            self._say(f"There is no theme {name[:40]}; there are {', '.join(NAMES)}.")
        else:
            self.app.theme = name or next_theme(self.app.theme)

    async def action_clear(self) -> None:
        """Clear the screen and begin a new conversation."""
        await self._end_turn()
        await self._transcript.remove_children()
        await self._transcript.mount(Welcome())
        await self._panel.empty()
        self._conversation_id = self._last = self._answer = None

    async def action_quit(self) -> None:
        """Leave."""
        await self.app.action_quit()
