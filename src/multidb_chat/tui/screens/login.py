"""Logging in: the password, and a code where the account has a second factor."""

from typing import ClassVar

from textual.binding import Binding, BindingType

from multidb_chat.domain.errors import InvalidInput, LogInRefused, SecondFactorNeeded
from multidb_chat.tui.screens.form import Field, FormScreen
from multidb_chat.tui.serving import Serving, told


class LoginScreen(FormScreen):
    """Asks who somebody is; the code is asked for when it is needed."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f2", "reset", "Forgotten password")]
    heading = "Log in"
    button = "Log in"
    keys = "Enter goes on · F2 forgotten password · Esc goes back"
    fields = (
        Field("email", "E-mail address", placeholder="ada@example.org"),
        Field("password", "Password", secret=True),
        Field("code", "Code of the second factor, or a recovery code", asked=False),
    )

    def __init__(self, serving: Serving) -> None:
        super().__init__()
        self._serving = serving

    def action_reset(self) -> None:
        """Set a new password with a code from an administrator."""
        from multidb_chat.tui.screens.register import ResetScreen

        self.app.push_screen(ResetScreen(self._serving, self.value("email")), self._reset)

    def _reset(self, done: bool | None) -> None:
        if done:
            self.notify("The password is set; log in with it.", markup=False)
            self.query_one("#password").focus()

    def at_fault(self, error: Exception) -> str:
        if isinstance(error, LogInRefused):
            return "code" if self.value("code") else "password"
        return "email" if isinstance(error, InvalidInput) else ""

    async def carry_out(self, values: dict[str, str]) -> bool:
        services = await self._serving.services()
        try:
            await services.identity.log_in(values["email"], values["password"], values["code"])
        except SecondFactorNeeded as error:
            self.fail(told(error))
            self.ask_for("code")
            return False
        return True
