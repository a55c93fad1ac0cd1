"""The chat: questions below, answers above, their sources beside them where the terminal is wide enough."""

from collections.abc import Sequence
from contextlib import suppress
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.css.query import NoMatches
from textual.screen import Screen
from textual.widgets import Footer, Static
from textual.worker import Worker

from multidb_chat.domain.errors import MultidbChatError
from multidb_chat.domain.search import Match
from multidb_chat.domain.turns import AnswerToken, Notice, TurnCompleted, TurnEvent, TurnFailed
from multidb_chat.tui.commands import parse
from multidb_chat.tui.messages import ServicesFailed, ServicesReady, Submitted
from multidb_chat.tui.screens.documents import DocumentsScreen
from multidb_chat.tui.screens.help import HelpScreen
from multidb_chat.tui.screens.why import WhyScreen
from multidb_chat.tui.services import Services
from multidb_chat.tui.themes import NAMES, next_theme
from multidb_chat.tui.widgets.composer import Composer
from multidb_chat.tui.widgets.exchange import Exchange
from multidb_chat.tui.widgets.sources import SourcesPanel

WELCOME = """\
Ask a question about your documents. Every sentence of an answer says where it came from.

  /docs   what is searched          /help   keys and commands
  /why    how an answer came about  /quit   leave

New here? Ask: How do I add my own documents?"""


class ChatScreen(Screen[None]):
    """A guest's chat."""

    CSS_PATH = "chat.tcss"
    HORIZONTAL_BREAKPOINTS: ClassVar[list[tuple[int, str]] | None] = [(0, "-narrow"), (110, "-wide")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "stop", "Stop"),
        Binding("f1", "help", "Help"),
        Binding("f2", "toggle_sources", "Sources"),
        Binding("f3", "documents", "Documents"),
        Binding("f4", "why", "Why"),
        Binding("ctrl+t", "theme", "Theme", show=False),
        Binding("ctrl+l", "clear", "Clear", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False, priority=True),
        Binding("pagedown", "page(1)", "Page down", show=False, priority=True),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._services: Services | None = None
        self._waiting: Submitted | None = None
        self._conversation_id: str | None = None
        self._turn: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        yield Static(" multidb-chat · guest", id="title", markup=False)
        with Horizontal(id="body"):
            with VerticalScroll(id="transcript", can_focus=False):
                yield Static(Content(WELCOME), id="welcome", markup=False)
            yield SourcesPanel(classes="hidden")
        yield Composer()
        yield Footer(show_command_palette=True, compact=True)

    def on_mount(self) -> None:
        """Start with the cursor where one types."""
        self.query_one(Composer).focus_area()

    @property
    def _transcript(self) -> VerticalScroll:
        return self.query_one("#transcript", VerticalScroll)

    @property
    def _last(self) -> Exchange | None:
        exchanges = self.query(Exchange)
        return exchanges.last() if exchanges else None

    async def on_services_ready(self, event: ServicesReady) -> None:
        """Answer the question that was asked before the services were open, if there is one."""
        self._services = event.services
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            self._respond(waiting.text, waiting.attachments)

    def on_services_failed(self, event: ServicesFailed) -> None:
        """Say why nothing can be answered."""
        self._say(event.reason)

    async def on_submitted(self, event: Submitted) -> None:
        """Carry out a command, or ask."""
        parsed = parse(event.text)
        if parsed is None:
            await self._ask(event)
        elif parsed.command is None:
            hint = f" Did you mean {parsed.suggestion}?" if parsed.suggestion else " /help lists the commands."
            self._say(f"There is no command {event.text.split()[0]}.{hint}")
        elif parsed.command.name == "/theme":
            self.action_theme(parsed.argument)
        else:
            await self.run_action(parsed.command.action)

    async def _ask(self, event: Submitted) -> None:
        if self._turn is not None and self._turn.is_running:
            self._say("An answer is still coming; Esc stops it.")
            self.query_one(Composer).area.text = event.text
            return
        with suppress(NoMatches):
            self.query_one("#welcome").remove()
        await self._transcript.mount(Exchange(event.text))
        self._transcript.anchor()
        if self._services is None:
            self._waiting = event
        else:
            self._respond(event.text, event.attachments)

    def _respond(self, text: str, attachments: Sequence[str]) -> None:
        exchange = self._last
        if exchange is not None and self._services is not None:
            self._turn = self._take_turn(self._services, exchange, text, attachments)

    @work(exclusive=True, group="turn", exit_on_error=False)
    async def _take_turn(self, services: Services, exchange: Exchange, text: str, attachments: Sequence[str]) -> None:
        try:
            extra = await self._rank(services, text, attachments)
            collections = await services.documents.resolve(services.account, [])
            if self._conversation_id is None:
                conversation = await services.history.start(services.account, text[:80])
                self._conversation_id = conversation.id
            events = services.chat.respond(
                services.account,
                text,
                collections=collections,
                conversation_id=self._conversation_id,
                extra=extra,
            )
            async for event in events:
                await self._render_event(exchange, event)
        except MultidbChatError as error:
            await exchange.stop(str(error), error=True)

    @staticmethod
    async def _rank(services: Services, text: str, attachments: Sequence[str]) -> Sequence[Match] | None:
        if not attachments:
            return None
        named = [(f"pasted text {number}", body) for number, body in enumerate(attachments, 1)]
        return await services.one_off.rank_texts(text, named)

    async def _render_event(self, exchange: Exchange, event: TurnEvent) -> None:
        match event:
            case AnswerToken(text=text):
                await exchange.write(text)
            case Notice(text=text):
                self.notify(text, severity="warning", markup=False)
            case TurnCompleted(answer=answer):
                await exchange.complete(answer)
                await self.query_one(SourcesPanel).show(answer)
            case TurnFailed(error=error):
                await exchange.stop(str(error), error=True)
            case _:
                pass

    def _say(self, text: str) -> None:
        self.notify(text, markup=False)

    async def action_stop(self) -> None:
        """Stop the running answer and keep what came; else drop a pasted text."""
        if self._turn is not None and self._turn.is_running:
            self._turn.cancel()
            if (exchange := self._last) is not None:
                await exchange.stop("Stopped.")
        else:
            self.query_one(Composer).drop_attachments()

    def action_page(self, direction: int) -> None:
        """Scroll the chat by a page without leaving the question."""
        if direction < 0:
            self._transcript.scroll_page_up()
        else:
            self._transcript.scroll_page_down()

    def action_help(self) -> None:
        """Show the keys and commands."""
        self.app.push_screen(HelpScreen())

    def action_why(self) -> None:
        """Show how the last answer came about."""
        exchange = self._last
        if exchange is None or exchange.answer is None:
            self._say("There is no answer yet to explain.")
        else:
            self.app.push_screen(WhyScreen(exchange.answer))

    def action_documents(self) -> None:
        """Show the documents that are searched."""
        if self._services is None:
            self._say("Still opening; one moment.")
        else:
            self.app.push_screen(DocumentsScreen(self._services))

    def action_toggle_sources(self) -> None:
        """Show or hide the sources panel."""
        self.query_one(SourcesPanel).toggle_class("hidden")

    def action_theme(self, name: str = "") -> None:
        """Change the colours."""
        if name and name not in NAMES:
            self._say(f"There is no theme {name}; there are {', '.join(NAMES)}.")
        else:
            self.app.theme = name or next_theme(self.app.theme)

    async def action_clear(self) -> None:
        """Clear the screen and begin a new conversation."""
        await self.action_stop()
        await self._transcript.remove_children()
        await self._transcript.mount(Static(Content(WELCOME), id="welcome", markup=False))
        self._conversation_id = None

    def action_quit(self) -> None:
        """Leave."""
        self.app.exit()
