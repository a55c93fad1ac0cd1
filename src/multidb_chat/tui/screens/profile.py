"""The account: who one is, where one is logged in, the password and the second factor."""

from typing import ClassVar, Literal

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import DataTable, Static

from multidb_chat.domain.accounts import Account, Session
from multidb_chat.domain.plans import Standing
from multidb_chat.domain.text import clean_line
from multidb_chat.services.authentication.security import FactorState
from multidb_chat.services.wording import counted
from multidb_chat.tui.screens.register import ChangePasswordScreen
from multidb_chat.tui.screens.second_factor import FactorOnScreen, PasswordNeededScreen, RecoveryCodesScreen
from multidb_chat.tui.serving import Serving, told
from multidb_chat.tui.widgets.key_line import KeyLine
from multidb_chat.tui.wording import MUTED

Left = Literal["log out"]
"""What somebody wants who leaves the screen with more than Esc."""


class ProfileScreen(Screen[Left | None]):
    """Shows one's own account; dismissed with `log out` when that is wanted."""

    CSS_PATH = "profile.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Back"),
        Binding("q", "dismiss", show=False),
        Binding("p", "password", "Password"),
        Binding("f", "factor", "Factor"),
        Binding("c", "codes", "Codes"),
        Binding("e", "end_session", "End log-in"),
        Binding("o", "log_out", "Log out"),
    ]

    def __init__(self, serving: Serving) -> None:
        super().__init__()
        self._serving = serving
        self._sessions: list[Session] = []
        self._factor: FactorState | None = None

    def compose(self) -> ComposeResult:
        yield Static(" Profile", id="title", markup=False)
        yield Static("Loading …", id="account", markup=False)
        yield Static("Log-ins", classes="heading", markup=False)
        yield DataTable[Text](cursor_type="row", zebra_stripes=True)
        yield Static(id="problem", markup=False)
        yield KeyLine()

    def on_mount(self) -> None:
        """Show what there is."""
        table = self.query_one(DataTable)
        table.add_columns("Log-in", "Where", "Since (UTC)", "Until", "")
        table.focus()
        self.load()

    @work(exclusive=True, group="profile", exit_on_error=False)
    async def load(self) -> None:
        """Read the account anew and show it."""
        try:
            services = await self._serving.services()
            account, current = services.account, services.identity.session_id
            self._factor = await services.account_security.factor(account)
            self._sessions = await services.authentication.sessions(account)
            standing = await services.plans.usage_of(account)
        except Exception as error:  # noqa: BLE001 - said in the place of the account
            self.query_one("#account", Static).update(Content(told(error)))
            return
        self.query_one("#account", Static).update(_described(account, standing, self._factor))
        table = self.query_one(DataTable)
        table.clear()
        for one in self._sessions:
            table.add_row(*_cells(one, current), key=one.id)

    def action_password(self) -> None:
        """Change the password."""
        self.app.push_screen(ChangePasswordScreen(self._serving), self._password_changed)

    def action_factor(self) -> None:
        """Begin a second factor, or remove the one there is."""
        if self._factor is not None and self._factor.since is not None:
            self.app.push_screen(PasswordNeededScreen(self._serving, off=True), self._reload)
        else:
            self.offer()

    @work(exclusive=True, group="offer", exit_on_error=False)
    async def offer(self) -> None:
        """Show a second factor to be confirmed, and then its recovery codes."""
        try:
            services = await self._serving.services()
            offer = await services.account_security.offer_factor(services.account)
        except Exception as error:  # noqa: BLE001
            self._say(told(error))
            return
        screen = FactorOnScreen(self._serving, offer)
        self.app.push_screen(screen, lambda done: self._show_codes(screen.codes))

    def action_codes(self) -> None:
        """Make new recovery codes."""
        screen = PasswordNeededScreen(self._serving, off=False)
        self.app.push_screen(screen, lambda done: self._show_codes(screen.codes))

    @work(exclusive=True, group="ending", exit_on_error=False)
    async def action_end_session(self) -> None:
        """End the log-in under the cursor; one's own is ended by logging out."""
        if not self._sessions:
            return
        chosen = self._sessions[self.query_one(DataTable).cursor_row]
        services = await self._serving.services()
        if chosen.id == services.identity.session_id:
            self._say("This is the log-in you are using; o logs out.")
            return
        try:
            await services.authentication.end_session(services.account, chosen.id)
            self._say(f"The log-in {chosen.id[-8:]} is ended.")
        except Exception as error:  # noqa: BLE001
            self._say(told(error))
        self.load()

    def action_log_out(self) -> None:
        """Log out."""
        self.dismiss("log out")

    def _password_changed(self, done: bool | None) -> None:
        if done:
            self._say("The password is changed; other log-ins are ended.")
            self.load()

    def _show_codes(self, codes: tuple[str, ...]) -> None:
        if codes:
            self.app.push_screen(RecoveryCodesScreen(codes))
            self.load()

    def _reload(self, done: bool | None) -> None:
        self.load()

    def _say(self, text: str) -> None:
        self.query_one("#problem", Static).update(Content(text))


def _described(account: Account, standing: Standing, factor: FactorState) -> Content:
    until = f" until {standing.last_day}" if standing.until else ""
    codes = counted(factor.recovery_codes, "recovery code")
    second = f"on since {factor.since:%Y-%m-%d}, {codes} left" if factor.since else "off; f switches it on"
    rows = (
        ("E-mail", clean_line(account.email or "–")),
        ("Role", account.role),
        ("Plan", f"{standing.plan}{until}"),
        ("Since", f"{account.created_at:%Y-%m-%d}"),
        ("Second factor", second),
    )
    return Content("\n").join([Content.styled(f"{name:<15}", MUTED) + Content(value) for name, value in rows])


def _cells(one: Session, current: str) -> tuple[Text, ...]:
    here = "this one" if one.id == current else ""
    texts = (
        one.id[-8:],
        clean_line(one.client),
        f"{one.created_at:%Y-%m-%d %H:%M}",
        f"{one.expires_at:%Y-%m-%d}",
        here,
    )
    return tuple(Text(text, no_wrap=True) for text in texts)
