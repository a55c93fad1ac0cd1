"""The first screen of who is not known yet: log in, register, or go on as a guest."""

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key, Paste
from textual.screen import Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from multidb_chat.domain.text import clean_line
from multidb_chat.tui.leaving import leave
from multidb_chat.tui.serving import Serving, told
from multidb_chat.tui.widgets.key_line import KeyLine
from multidb_chat.tui.wording import MUTED

_CHOICES = (
    ("login", "l", "Log in", "with your e-mail address and password"),
    ("register", "r", "Register", "your own documents and conversations, kept for you"),
    ("guest", "g", "Guest", "ask at once what everybody here may see; kept for a day"),
)
_KEYS = {key: choice for choice, key, *_ in _CHOICES}


class WelcomeScreen(Screen[bool]):
    """Three choices; it is dismissed when one was carried out. `notice` says why a log-in is over."""

    CSS_PATH = "welcome.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(key, f"choose({choice!r})", name) for choice, key, name, _ in _CHOICES),
        Binding("q", "app.quit", "Quit"),
    ]

    def __init__(self, serving: Serving, notice: str = "") -> None:
        super().__init__()
        self._serving = serving
        self._notice = notice
        self._entering = False
        self._ahead: list[Key | Paste] = []  # typed while a guest enters: it is meant for the chat

    def compose(self) -> ComposeResult:
        with Vertical(id="welcome"):
            yield Static("multidb-chat", id="name", markup=False)
            yield Static(
                "Answers from your documents; every sentence says where it came from.", id="what", markup=False
            )
            yield Static(id="notice", markup=False)
            yield OptionList(*(Option(_choice(*row[1:]), id=row[0]) for row in _CHOICES), id="choices")
            yield Static(id="problem", markup=False)
        yield KeyLine()

    def on_mount(self) -> None:
        """Begin at the choices."""
        self.tell(self._notice)
        self.query_one("#problem").display = False
        self.query_one(OptionList).focus()
        self.watch_opening()

    def tell(self, notice: str) -> None:
        """Say why a log-in is over or nobody can log in now; empty: nothing is."""
        line = self.query_one("#notice", Static)
        line.update(Content(clean_line(notice)))
        line.display = bool(notice)

    @work(exclusive=True, group="opening", exit_on_error=False)
    async def watch_opening(self) -> None:
        """Say why nothing can be chosen, where the stores cannot be opened."""
        try:
            await self._serving.services()
        except Exception as error:  # noqa: BLE001 - said in its place
            self._fail(error)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Carry out what was chosen with Enter or the mouse."""
        self.action_choose(event.option.id or "")

    def on_key(self, event: Key) -> None:
        """Choose by a letter, in the order in which keys were pressed; keep what a guest types on the way in."""
        if self._entering and (event.is_printable or event.key == "enter"):
            self._ahead.append(Key(event.key, event.character))
        elif self._entering and event.key == "backspace":
            del self._ahead[-1:]
        elif (choice := _KEYS.get(event.key)) is not None:
            self.action_choose(choice)
        else:
            return
        event.stop()
        event.prevent_default()

    def on_paste(self, event: Paste) -> None:
        """Keep what a guest pastes on the way in."""
        if self._entering:
            self._ahead.append(Paste(event.text))

    def on_unmount(self) -> None:
        """Give the chat what was typed."""
        for event in self._ahead:
            self.app.post_message(event)

    def action_choose(self, choice: str) -> None:
        """Carry out a choice; none beside that of a guest, which takes until the stores are open."""
        if self._entering:
            return
        if choice == "guest":
            self._entering = True
            self.enter_as_guest()
            return
        from multidb_chat.tui.screens.login import LoginScreen
        from multidb_chat.tui.screens.register import RegisterScreen

        screen = LoginScreen(self._serving) if choice == "login" else RegisterScreen(self._serving)
        self.app.push_screen(screen, self._entered)

    @work(exclusive=True, group="guest", exit_on_error=False)
    async def enter_as_guest(self) -> None:
        """Go on as a guest, as soon as the stores are open."""
        try:
            services = await self._serving.services()
            await services.identity.enter_as_guest()
        except Exception as error:  # noqa: BLE001 - said in its place
            self._fail(error)
            self._entering = False
            self._ahead.clear()
            return
        leave(self, True)

    def _fail(self, error: Exception) -> None:
        problem = self.query_one("#problem", Static)
        problem.update(Content(told(error)))
        problem.display = True

    def _entered(self, done: bool | None) -> None:
        if done:
            leave(self, True)


def _choice(key: str, name: str, help_: str) -> Content:
    return (
        Content.styled(f"{key}  ", "bold $accent")
        + Content.styled(f"{name:<10}", "bold")
        + Content.styled(help_, MUTED)
    )
