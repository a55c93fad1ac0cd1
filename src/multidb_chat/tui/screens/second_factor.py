"""The second factor: a QR code to be scanned, password and code to confirm it, and the recovery codes, shown once."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from multidb_chat.domain.errors import LogInRefused, WrongPassword
from multidb_chat.services.authentication.security import FactorOffer
from multidb_chat.tui.screens.form import Field, FormScreen
from multidb_chat.tui.serving import Serving


class FactorOnScreen(FormScreen):
    """Shows a second factor and lets it be confirmed."""

    heading = "Second factor"
    button = "Confirm"
    fields = (
        Field("password", "Your password", secret=True),
        Field("code", "The code that the app shows", placeholder="123456"),
    )

    def __init__(self, serving: Serving, offer: FactorOffer) -> None:
        super().__init__()
        self._serving = serving
        self._offer = offer
        self.codes: tuple[str, ...] = ()

    def body(self) -> ComposeResult:
        with Horizontal(id="beside"):
            picture = Static(Content("\n".join(self._offer.picture)), id="picture", markup=False)
            picture.styles.width = len(self._offer.picture[0])
            yield picture
            with Vertical(id="words"):
                yield Static("Scan it with an authenticator app, or type this into it:", markup=False)
                yield Static(Content(_grouped(self._offer.secret)), id="secret", markup=False)
                yield from super().body()

    def at_fault(self, error: Exception) -> str:
        if isinstance(error, WrongPassword):
            return "password"
        return "code" if isinstance(error, LogInRefused) else ""

    async def carry_out(self, values: dict[str, str]) -> bool:
        services = await self._serving.services()
        security = services.account_security
        self.codes = await security.confirm_factor(services.account, values["password"], values["code"])
        return True


class PasswordNeededScreen(FormScreen):
    """Asks for the password once more before a second factor is removed or its recovery codes are replaced."""

    button = "Go on"
    fields = (Field("password", "Your password", secret=True),)

    def __init__(self, serving: Serving, *, off: bool) -> None:
        super().__init__()
        self._serving = serving
        self._off = off
        self.codes: tuple[str, ...] = ()

    def on_mount(self) -> None:
        """Say what the password is for."""
        super().on_mount()
        box = self.query_one("#form")
        box.border_title = "Remove the second factor" if self._off else "New recovery codes"

    def at_fault(self, error: Exception) -> str:
        return "password" if isinstance(error, WrongPassword) else ""

    async def carry_out(self, values: dict[str, str]) -> bool:
        services = await self._serving.services()
        security = services.account_security
        if self._off:
            await security.remove_factor(services.account, values["password"])
        else:
            self.codes = await security.new_recovery_codes(services.account, values["password"])
        return True


class RecoveryCodesScreen(ModalScreen[None]):
    """Shows recovery codes, this once."""

    CSS_PATH = "second_factor.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter", "dismiss", "Close")]

    def __init__(self, codes: tuple[str, ...]) -> None:
        super().__init__()
        self._codes = codes

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="codes") as box:
            box.border_title = "Recovery codes"
            box.border_subtitle = "Enter closes"
            yield Static(
                "Each is good once, instead of a code of the app. Keep them where only you find them: they are not "
                "shown again.",
                markup=False,
            )
            half = (len(self._codes) + 1) // 2
            pairs = zip(self._codes[:half], [*self._codes[half:], ""], strict=False)
            yield Static(Content("\n".join(f"{left}   {right}" for left, right in pairs)), id="list", markup=False)


def _grouped(secret: str) -> str:
    """Return a secret in groups of four, four to a line: this is how apps show it too."""
    groups = [secret[at : at + 4] for at in range(0, len(secret), 4)]
    return "\n".join(" ".join(groups[at : at + 4]) for at in range(0, len(groups), 4))
